"""The journal of the task under way: operators put on record what they are about to change."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from ocp_numbers.data_root import DataRoot
from ocp_numbers.metrics import tell_change

if TYPE_CHECKING:
    from ocp_numbers.journal import Journal
    from ocp_numbers.operators.base import OcpOperator

BY_HAND = "by-hand"
"""Stands for the DAG where an operator is executed outside of any."""


def journal_of(operator: OcpOperator, *, data_root: DataRoot | None = None, plan: str | None = None) -> Journal:
    """The journal in which ``operator``, which is being executed, writes what it does in this run.

    :param data_root: by default the one of the environment.
    :param plan: digest of the plan that it carries out, where there is one.
    """
    from ocp_numbers.journal import Actor, Journal

    context = operator._context or {}
    run, index = context.get("dag_run"), getattr(context.get("ti"), "map_index", None)
    by = Actor(
        dag_id=run.dag_id if run else BY_HAND,
        run_id=run.run_id if run else uuid.uuid4().hex,
        task_id=operator.task_id,
        map_index=-1 if index is None else index,
        user=getattr(run, "triggering_user_name", None),
    )
    if plan:
        operator.mark_log(plan=plan[:12])
    environment = operator.hook.environment
    told = partial(tell_change, environment=environment)
    return Journal(data_root or DataRoot.from_environment(), environment, by, plan=plan, told=told)
