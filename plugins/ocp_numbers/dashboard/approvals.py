"""The answers that people gave to plans, as the data root keeps them beside each plan."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import AwareDatetime, BaseModel, ValidationError

from ocp_numbers.dashboard.purchases import place_of
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.ordering.order import Order


class Answer(BaseModel):
    """An answer to one plan, by its digest; ``approved_by`` is ``None`` where nobody had to be asked."""

    digest: str
    approved: bool
    requested_by: str | None = None
    approved_by: str | None = None
    approved_at: AwareDatetime
    run: str


def answers(root: DataRoot, folder: str) -> Iterator[Answer]:
    """The answers kept in ``folder``; what cannot be read is left out."""
    for key in root.keys(f"{folder}/approvals"):
        try:
            yield Answer.model_validate_json(root.read(key) or b"")
        except ValidationError:
            continue


def approval_of(root: DataRoot, order: Order) -> Answer | None:
    """The approval of the plan that the order came of; ``None`` where there is none on record."""
    place, asked = place_of(order.order_id), order.requested_by
    if len(place) != 2:  # an order of a task on its own, without a region's plan
        return None
    folder = "/".join(("regions", *(segment(name) for name in (order.environment, *place))))
    run = f"{asked.dag_id}/{asked.run_id}"
    return next((answer for answer in answers(root, folder) if answer.approved and answer.run == run), None)
