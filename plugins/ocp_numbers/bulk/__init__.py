"""Bulk changes: a table of wishes becomes a plan, the plan is approved, and what it says is carried out and read back.

``plan_changes`` makes a :class:`ChangePlan` out of a CSV or XLSX; whoever makes one in another way uses a
:class:`PlanWriter`. ``apply`` carries it out. Everything about a run is in ``bulk/environment=<connection>/<run>/`` of
the data root: ``plan.json`` and ``changes.jsonl``, ``faults.csv``, ``restore-<digest>.csv``, ``results.csv``,
``result.json``.
"""

from ocp_numbers.bulk.account import Account
from ocp_numbers.bulk.applying import apply
from ocp_numbers.bulk.change import EMPTY, Change, fields_of
from ocp_numbers.bulk.faults import Fault
from ocp_numbers.bulk.plan import ChangePlan, PlanWriter, PurchaseOrder, load_plan
from ocp_numbers.bulk.planning import plan_changes
from ocp_numbers.bulk.pricing import Limits

__all__ = [
    "EMPTY",
    "Account",
    "Change",
    "ChangePlan",
    "Fault",
    "Limits",
    "PlanWriter",
    "PurchaseOrder",
    "apply",
    "fields_of",
    "load_plan",
    "plan_changes",
]
