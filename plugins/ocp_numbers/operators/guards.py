"""What stops a change before it takes something away from someone: checks over the numbers as OCP shows them now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ocp_numbers.errors import NumberInUse, shown
from ocp_numbers.models import PhoneNumber, check_told


def attached_as(number: PhoneNumber, mini_app_id: str, locale: str, application_tag: str | None) -> bool:
    """Whether ``number`` is attached as wanted; a tag of None is not compared."""
    return (number.mini_app_id, number.locale) == (mini_app_id, locale) and application_tag in (
        None,
        number.application_tag,
    )


def refuse_stealing(numbers: Iterable[PhoneNumber], *, mini_app_id: str, allow_reassign: Collection[str]) -> None:
    """Stop when attaching to ``mini_app_id`` would take a number from another miniApp.

    :param allow_reassign: numbers that may be taken, or ids of miniApps that numbers may be taken from.
    :raises NumberInUse: naming each of the others.
    :raises IncompleteSnapshot: when OCP does not say what a number is attached to.
    """
    numbers = check_told(numbers, "mini_app_id")
    foreign = [
        number
        for number in numbers
        if number.mini_app_id
        and number.mini_app_id != mini_app_id
        and number.number not in allow_reassign
        and number.mini_app_id not in allow_reassign
    ]
    if foreign:
        raise NumberInUse(
            f"{_attached(foreign)}: attached to another miniApp than {mini_app_id}. Nothing was changed. To take them, "
            f"name the numbers or their miniApp in allow_reassign."
        )


def refuse_other_mini_apps(numbers: Iterable[PhoneNumber], *, mini_app_id: str) -> None:
    """Stop when detaching would hit a number that serves another miniApp than the expected one.

    :raises NumberInUse: naming each of them.
    :raises IncompleteSnapshot: when OCP does not say what a number is attached to.
    """
    numbers = check_told(numbers, "mini_app_id")
    others = [number for number in numbers if number.mini_app_id and number.mini_app_id != mini_app_id]
    if others:
        raise NumberInUse(
            f"{_attached(others)}: attached to another miniApp than the expected {mini_app_id}. Nothing was detached."
        )


def refuse_other_groups(numbers: Iterable[PhoneNumber], *, group: str) -> None:
    """Stop when adding numbers to the group would meet one that another group has.

    :raises NumberInUse: naming each of them.
    """
    elsewhere = [number for number in numbers if number.group_id != group]
    if elsewhere:
        listed = shown(f"{number.number} (group {number.group_id})" for number in elsewhere)
        raise NumberInUse(
            f"{listed}: in the inventory already, in another group. Nothing was changed. Move them instead."
        )


def refuse_other_sets(numbers: Iterable[PhoneNumber], *, set_id: str) -> None:
    """Stop when adding to the set would take a number out of another one.

    :raises NumberInUse: naming each of them.
    :raises IncompleteSnapshot: when OCP does not say which set a number is in.
    """
    numbers = check_told(numbers, "set_id")
    elsewhere = [number for number in numbers if number.set_id and number.set_id != set_id]
    if elsewhere:
        listed = shown(f"{number.number} (set {number.set_name or number.set_id})" for number in elsewhere)
        raise NumberInUse(f"{listed}: in another set. Nothing was changed. Take them out of it first.")


def refuse_in_use(numbers: Iterable[PhoneNumber], *, allow: Collection[str], in_sets: bool) -> None:
    """Stop when giving up numbers would hit one that is still used.

    :param allow: numbers that may be given up although they are used.
    :param in_sets: whether being in a set counts as use.
    :raises NumberInUse: naming each of the others with its use.
    :raises IncompleteSnapshot: when OCP does not say whether a number is used.
    """
    numbers = check_told(numbers, "mini_app_id", *(["set_id"] if in_sets else []))
    used = [
        f"{number.number} ({_use(number)})"
        for number in numbers
        if number.number not in allow and (number.mini_app_id or (in_sets and number.set_id))
    ]
    if used:
        raise NumberInUse(
            f"{shown(used)}: still in use. Nothing was given up. Detach them and take them out of their sets first, or "
            f"name the numbers in allow_in_use."
        )


def _attached(numbers: Iterable[PhoneNumber]) -> str:
    return shown(f"{number.number} (miniApp {number.mini_app_name or number.mini_app_id})" for number in numbers)


def _use(number: PhoneNumber) -> str:
    if number.mini_app_id:
        return f"attached to miniApp {number.mini_app_name or number.mini_app_id}"
    return f"in set {number.set_name or number.set_id}"
