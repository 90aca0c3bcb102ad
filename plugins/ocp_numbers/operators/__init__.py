"""The operators by name. Each is imported when first asked for, so that a DAG file pays only for those it uses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocp_numbers.operators.approval import ApprovePlanOperator
    from ocp_numbers.operators.balancing import CheckBalanceOperator
    from ocp_numbers.operators.base import OcpOperator
    from ocp_numbers.operators.bulk import ApplyChangesOperator, PlanChangesOperator
    from ocp_numbers.operators.buy import BuyNumbersOperator
    from ocp_numbers.operators.cleanup import (
        MarkUnusedNumbersOperator,
        ReleaseUnusedNumbersOperator,
        SelectUnusedNumbersOperator,
        VerifyCleanupOperator,
    )
    from ocp_numbers.operators.examining import CheckDeploymentOperator
    from ocp_numbers.operators.export import ExportNumbersOperator
    from ocp_numbers.operators.number_file import ImportNumbersCsvOperator
    from ocp_numbers.operators.numbers import (
        AddNumbersOperator,
        AttachNumbersOperator,
        DetachNumbersOperator,
        UpdateNumberNoteOperator,
        UpdateNumbersGroupOperator,
    )
    from ocp_numbers.operators.reconciling import (
        AskToProvisionOperator,
        CompareRegionOperator,
        PublishDriftOperator,
        ReadDeclaredRegionsOperator,
        TriggerProvisioningOperator,
    )
    from ocp_numbers.operators.regions import (
        ApproveRegionOperator,
        BuyPlannedNumbersOperator,
        FillSetOperator,
        PlanRegionOperator,
        VerifyRegionOperator,
    )
    from ocp_numbers.operators.removal import (
        DeleteNumbersOperator,
        DeleteSetOperator,
        ReleaseSetNumbersOperator,
    )
    from ocp_numbers.operators.restoring import PlanRestoreOperator
    from ocp_numbers.operators.search import SearchAvailableNumbersOperator, SearchNumbersOperator
    from ocp_numbers.operators.sets import (
        AddNumbersToSetOperator,
        AttachSetOperator,
        DetachSetOperator,
        EnsureSetOperator,
        RemoveNumbersFromSetOperator,
        UpdateSetOperator,
    )

__all__ = [
    "OcpOperator",
    "SearchAvailableNumbersOperator",
    "SearchNumbersOperator",
    "UpdateNumbersGroupOperator",
    "AttachNumbersOperator",
    "DetachNumbersOperator",
    "UpdateNumberNoteOperator",
    "AddNumbersOperator",
    "ImportNumbersCsvOperator",
    "EnsureSetOperator",
    "UpdateSetOperator",
    "AddNumbersToSetOperator",
    "RemoveNumbersFromSetOperator",
    "AttachSetOperator",
    "DetachSetOperator",
    "DeleteNumbersOperator",
    "ReleaseSetNumbersOperator",
    "DeleteSetOperator",
    "BuyNumbersOperator",
    "ExportNumbersOperator",
    "ApprovePlanOperator",
    "ApproveRegionOperator",
    "PlanRegionOperator",
    "BuyPlannedNumbersOperator",
    "FillSetOperator",
    "VerifyRegionOperator",
    "ReadDeclaredRegionsOperator",
    "CompareRegionOperator",
    "AskToProvisionOperator",
    "TriggerProvisioningOperator",
    "PublishDriftOperator",
    "SelectUnusedNumbersOperator",
    "MarkUnusedNumbersOperator",
    "ReleaseUnusedNumbersOperator",
    "VerifyCleanupOperator",
    "PlanChangesOperator",
    "ApplyChangesOperator",
    "PlanRestoreOperator",
    "CheckBalanceOperator",
    "CheckDeploymentOperator",
]

_ROOMS = {
    "base": ("OcpOperator",),
    "search": ("SearchAvailableNumbersOperator", "SearchNumbersOperator"),
    "numbers": (
        "UpdateNumbersGroupOperator",
        "AttachNumbersOperator",
        "DetachNumbersOperator",
        "UpdateNumberNoteOperator",
        "AddNumbersOperator",
    ),
    "number_file": ("ImportNumbersCsvOperator",),
    "sets": (
        "EnsureSetOperator",
        "UpdateSetOperator",
        "AddNumbersToSetOperator",
        "RemoveNumbersFromSetOperator",
        "AttachSetOperator",
        "DetachSetOperator",
    ),
    "removal": ("DeleteNumbersOperator", "ReleaseSetNumbersOperator", "DeleteSetOperator"),
    "buy": ("BuyNumbersOperator",),
    "bulk": ("PlanChangesOperator", "ApplyChangesOperator"),
    "export": ("ExportNumbersOperator",),
    "approval": ("ApprovePlanOperator",),
    "regions": (
        "PlanRegionOperator",
        "ApproveRegionOperator",
        "BuyPlannedNumbersOperator",
        "FillSetOperator",
        "VerifyRegionOperator",
    ),
    "reconciling": (
        "ReadDeclaredRegionsOperator",
        "CompareRegionOperator",
        "AskToProvisionOperator",
        "TriggerProvisioningOperator",
        "PublishDriftOperator",
    ),
    "cleanup": (
        "SelectUnusedNumbersOperator",
        "MarkUnusedNumbersOperator",
        "ReleaseUnusedNumbersOperator",
        "VerifyCleanupOperator",
    ),
    "restoring": ("PlanRestoreOperator",),
    "balancing": ("CheckBalanceOperator",),
    "examining": ("CheckDeploymentOperator",),
}
_ROOM_OF = {operator: room for room, operators in _ROOMS.items() for operator in operators}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
