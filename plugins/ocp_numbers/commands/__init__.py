"""The command line ``ocp-numbers``, for people at a shell and for support. It looks; it never buys, changes or deletes.

Begin reading in :mod:`~ocp_numbers.commands.main`.
"""
