"""Random edits, a snapshot, more edits, a restore: nothing differs then but what the plan said cannot come back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocp_numbers.errors import ApiError
from restoring.conftest import MakeEstate
from restoring.estate import GROUPS, Estate, differences

Edit = Callable[[Estate], Any]

places = st.integers(0, 7)
some = st.lists(places, min_size=1, max_size=4, unique=True)
notes = st.sampled_from(["", "lobby", "Empfang, 2. Stock", 'say "hi"\n=1+1', "[unused since 2026-01-01]", "🏢"])
tags = st.none() | st.sampled_from(["gold", "blue"])
locales = st.sampled_from(["en-US", "de-DE"])


def _names(estate: Estate, chosen: list[int]) -> list[str]:
    return [estate.numbers[place % len(estate.numbers)] for place in chosen]


def _release(estate: Estate, place: int) -> None:
    """Delete a number as somebody else would, whatever it is used for."""
    with suppress(KeyError):
        estate.sandbox.edit.remove_number(estate.numbers[place])


def _arrive(estate: Estate, place: int) -> None:
    number = f"+1646555{place:04}"
    estate.client.numbers.add_direct([number], group=GROUPS[place % 2], note="new")
    estate.numbers.append(number)


def _renew_set(estate: Estate, place: int) -> None:
    """Delete a set and make another of its name."""
    old = estate.client.sets.get(estate.sets[place])
    estate.client.sets.delete(old.id)
    estate.sets[place] = estate.client.sets.create(name=old.name, group_id=str(old.group_id)).id


sets = st.integers(0, 3)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(lambda n, text: lambda e: e.client.numbers.update_note(e.numbers[n], note=text or "-"), places, notes),
    st.builds(lambda n, text: lambda e: e.sandbox.edit.change_number(e.numbers[n], note=text or None), places, notes),
    st.builds(
        lambda ns, g: lambda e: e.client.numbers.update_group(_names(e, ns), group=GROUPS[g]),
        some,
        st.sampled_from([0, 1]),
    ),
    st.builds(
        lambda ns, app, locale, tag: (
            lambda e: e.client.numbers.attach(
                _names(e, ns), mini_app_id=e.apps[app], locale=locale, application_tag=tag
            )
        ),
        some,
        sets,
        locales,
        tags,
    ),
    st.builds(lambda ns: lambda e: e.client.numbers.detach(_names(e, ns)), some),
    st.builds(lambda s, ns: lambda e: e.client.sets.add_numbers(e.sets[s], numbers=_names(e, ns)), sets, some),
    st.builds(lambda s, ns: lambda e: e.client.sets.remove_numbers(e.sets[s], numbers=_names(e, ns)), sets, some),
    st.builds(
        lambda s, g: lambda e: e.client.sets.update(e.sets[s], group_id=GROUPS[g]), sets, st.sampled_from([0, 1])
    ),
    st.builds(lambda s: lambda e: e.client.sets.update(e.sets[s], name=f"Renamed {s}"), sets),
    st.builds(lambda s: lambda e: e.client.sets.delete(e.sets[s]), sets),
    st.builds(lambda s: lambda e: _renew_set(e, s), sets),
    st.builds(lambda n: lambda e: _release(e, n), places),
    st.builds(lambda n: lambda e: _arrive(e, n), places),
    st.builds(lambda n: lambda e: e.sandbox.edit.change_number(e.numbers[n], country="DE"), places),
    st.builds(lambda n: lambda e: e.sandbox.edit.change_number(e.numbers[n], locale="fr-FR"), places),
)


def _edit(estate: Estate, each: Edit) -> None:
    with suppress(ApiError, KeyError):
        each(estate)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=st.lists(edits, max_size=12), then=st.lists(edits, min_size=1, max_size=12))
def test_a_restore_leaves_no_difference_but_what_it_named(
    make_estate: MakeEstate, first: list[Edit], then: list[Edit]
) -> None:
    with make_estate() as estate:
        for each in first:
            _edit(estate, each)
        before, names = estate.rows(), {one.id: one.name for one in estate.client.sets.list()}
        snapshot = estate.export()
        for each in then:
            _edit(estate, each)
        changed = differences(before, estate.rows())

        restored = estate.restore(snapshot.date.isoformat())

        after = estate.rows()
        assert (restored.account.refused, restored.account.left_alone) == (0, restored.plan.refused)
        assert restored.account.different == 0
        left = {
            (number, field)
            for number, field in differences(before, after)
            # a set of the same name and group is the former one as far as anybody can tell
            if field != "set_id" or names.get(before[number].set_id or "") != after[number].set_name
        }
        assert left <= restored.impossible, restored.plan.first_refused
        assert restored.plan.total <= 2 * len({number for number, _ in changed})
        again = estate.plan(snapshot.date.isoformat())
        assert again.total == 0
