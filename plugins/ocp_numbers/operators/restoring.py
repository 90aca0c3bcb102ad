"""The operator that plans the way back; the plan is approved and carried out like that of any bulk change."""

from __future__ import annotations

from typing import Any

from ocp_numbers.operators import rendered
from ocp_numbers.operators.bulk import PlanChangesOperator


class PlanRestoreOperator(PlanChangesOperator):
    """Plan what puts numbers back as they were before a run, or as they were in a snapshot. Changes nothing on OCP.

    Bindings, sets, groups, notes, locales and tags are put back with as few changes as possible; numbers that are gone
    are not bought again, and those that came are not given up. What a run changed is undone where it still stands as
    the run left it. What cannot come back is listed with its reason in ``faults.csv`` beside the plan. Returns what
    ``PlanChangesOperator`` returns: the same approval and the same apply follow.

    :param restore: a run as its journal names it, such as ``cleanup_unused_numbers/manual__1``, or the date of a
        snapshot, such as ``2026-03-01`` (templated).
    :param overwrite: whether what somebody changed after the run is put back as well (templated).
    :param require_approval: as for ``PlanChangesOperator`` (templated).
    :param plan_only: whether only to plan (templated).
    :raises InvalidInput: when there is no such run or snapshot; naming those that there are.
    """

    readers = rendered.inputs(
        restore=rendered.text,
        overwrite=rendered.flag,
        require_approval=rendered.flag,
        plan_only=rendered.flag,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, restore: str, **kwargs: Any) -> None:
        super().__init__(restore=restore, **kwargs)
