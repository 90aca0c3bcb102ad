"""Cleanup: unused numbers are marked, wait out their grace period in quarantine, and are given up once approved.

``policy`` holds the rules, ``selection`` decides on a number, ``marks`` writes into notes and reads them, ``planning``
makes the ``plan`` that a person approves, with what ``history`` remembers, and ``report`` shows it. ``marking`` and
``releasing`` carry it out, moving numbers by ``placing`` and writing down each step in the journal before they take it;
``verifying`` gives the account.
"""
