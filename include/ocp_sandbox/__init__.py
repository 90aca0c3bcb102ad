"""A stateful stand-in for the OCP numbers API, with faults on request.

::

    with Sandbox(Settings(numbers=500, users=[User("ops", "secret")])) as sandbox:
        sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_after", nth=1))
        ...                                   # talk to sandbox.url as to the platform
        assert sandbox.ledger()["totals"]["bought"] == 3

As a process: ``python -m ocp_sandbox --help``.
"""

from ocp_sandbox.faults import Fault
from ocp_sandbox.sandbox import Sandbox
from ocp_sandbox.settings import Settings, User

__all__ = ["Fault", "Sandbox", "Settings", "User"]
