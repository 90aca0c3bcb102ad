"""A plan against the world: may it still be applied, and did it come true?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ocp_numbers.models import NumberSet, PhoneNumber
from ocp_numbers.regions.plan import Binding, RegionPlan
from ocp_numbers.regions.planning import is_right


def obstacles(
    plan: RegionPlan, *, found: NumberSet | None, members: Iterable[PhoneNumber], reusable: Mapping[str, PhoneNumber]
) -> list[str]:
    """What has changed since the plan was made, such that it must not be applied; empty when it may.

    A step of the plan that is done already, by an earlier attempt or a run of the same plan, is no obstacle.

    :param found: the region's set now.
    :param members: its numbers now.
    :param reusable: those of the plan's ``reuse`` that are in the inventory now.
    """
    if plan.set_id is not None and (found is None or found.id != plan.set_id):
        return [f"set {plan.region.set_name} was {plan.set_id} and is now {found.id if found else 'gone'}"]
    now = {number.number: number for number in members}
    gone = [f"{number} has left the set" for number in plan.members if number not in now]
    changed = [f"{number} was {was} and is now {_state(now[number])}" for number, was in _moved(plan, now)]
    reuse = [number.number for number in plan.reuse]
    taken = [
        f"{number} was free and is now {_state(reusable[number]) if number in reusable else 'not in the inventory'}"
        for number in reuse
        if number not in now and not _is_free(reusable.get(number))
    ]
    expected = {*plan.members, *reuse, *_of_order(plan)}
    new = [f"{number} has come into the set" for number in sorted(set(now) - expected)]
    return [*gone, *changed, *taken, *new]


def differences(
    plan: RegionPlan, *, bought: Iterable[str], found: NumberSet | None, members: Iterable[PhoneNumber]
) -> list[str]:
    """How the world differs from what the plan promised, one sentence each; empty when it came true."""
    region = plan.region
    if found is None:
        return [f"set {region.set_name} is not there"]
    now = {number.number: number for number in members}
    promised = dict.fromkeys((*plan.known, *bought))
    missing = [f"{number} is not in the set" for number in promised if number not in now]
    wrong = [
        f"{number} is {_state(now[number])}"
        for number in promised
        if number in now and not is_right(now[number], region)
    ]
    right = sum(is_right(number, region) for number in now.values())
    short = [f"{right} numbers are attached as wanted, not {region.quantity}"] if right < region.quantity else []
    return [*missing, *wrong, *short]


def account(plan: RegionPlan, *, bought: int, spent: str) -> str:
    """What was done, in a sentence, once the plan came true."""
    if plan.changes_nothing:
        return plan.summary
    region = plan.region
    steps = (
        (bought, f"bought {bought} of {plan.order.wishes.wanted if plan.order else 0} in {region.area} for {spent}"),
        (len(plan.reuse), f"reused {len(plan.reuse)} of ours"),
        (len(plan.attach), f"attached {len(plan.attach)} that were in the set"),
        (len(plan.reassign), f"took over {len(plan.reassign)}"),
        (len(plan.right), f"left {len(plan.right)} as they were"),
    )
    done = ", ".join(words for count, words in steps if count)
    return (
        f"{done[0].upper()}{done[1:]}: set {region.set_name} of group {region.group} now holds {region.quantity} "
        f"numbers attached to {region.mini_app_id} with {region.locale}."
    )


def _moved(plan: RegionPlan, now: Mapping[str, PhoneNumber]) -> Iterable[tuple[str, str]]:
    """Numbers of the plan that are attached to something else than it says and than it wants."""
    approved = {binding.number: binding for binding in plan.reassign}
    for number in plan.known:
        present = now.get(number)
        if present is None or is_right(present, plan.region):
            continue
        if number in plan.right:
            yield number, "attached as wanted"
        elif number in approved and Binding.of(present) != approved[number]:
            yield number, f"attached to {approved[number].mini_app_id} {approved[number].locale}"
        elif number not in approved and present.mini_app_id is not None:
            yield number, "attached to nothing"


def _of_order(plan: RegionPlan) -> set[str]:
    if plan.order is None:
        return set()
    offered = (offer.number for offer in (*plan.order.offers, *plan.order.wishes.spares))
    return {*offered, *plan.order.earlier}


def _is_free(number: PhoneNumber | None) -> bool:
    return number is not None and number.mini_app_id is None and number.set_id is None


def _state(number: PhoneNumber) -> str:
    attached = f"attached to {number.mini_app_id} {number.locale}" if number.mini_app_id else "attached to nothing"
    tag = f" with tag {number.application_tag}" if number.application_tag else ""
    return attached + tag + (f", in set {number.set_name or number.set_id}" if number.set_id else "")
