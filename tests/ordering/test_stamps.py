from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.errors import InvalidInput
from ocp_numbers.ordering import check_note, order_id, stamp, stamp_family, stamps_in
from ocp_numbers.ordering.stamps import LONGEST_NOTE, stamped

texts = st.text(min_size=1, max_size=20)
ids = st.lists(texts, min_size=1, max_size=4).map(tuple)


@given(one=ids, other=ids)
def test_different_parts_never_share_an_id(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (order_id(*one) == order_id(*other)) == (one == other)


@given(parts=ids, generation=st.integers(1, 10**6))
def test_a_stamp_names_its_order_and_no_other(parts: tuple[str, ...], generation: int) -> None:
    key = order_id(*parts, generation=generation)

    assert stamps_in(stamped("front desk", key)) == (stamp(key),)
    assert stamp(key) != stamp(order_id(*parts, generation=generation + 1))
    assert stamp(key) not in stamp(order_id(*parts, generation=generation * 10))


@given(parts=ids, generation=st.integers(1, 10**6))
def test_all_generations_share_the_part_before_the_slash(parts: tuple[str, ...], generation: int) -> None:
    assert stamp(order_id(*parts, generation=generation)) == f"{stamp_family(order_id(*parts))}{generation}]"


@given(note=st.text(max_size=LONGEST_NOTE).filter(lambda text: "order" not in text.lower()))
def test_any_text_of_a_person_can_stand_before_the_stamp(note: str) -> None:
    assert check_note(note) == note
    assert stamped(note, "ocp/trial").startswith(note)


def test_the_longest_note_is_within_the_limit_and_no_note_leaves_the_stamp_alone() -> None:
    assert check_note("x" * LONGEST_NOTE) == "x" * LONGEST_NOTE
    assert stamped(None, "ocp/trial") == stamped("", "ocp/trial") == stamp("ocp/trial")


@pytest.mark.parametrize("note", ["[order 0123456789ab]", "x [ORDER y", "[ order 1]", "x" * (LONGEST_NOTE + 1)])
def test_a_note_that_could_be_taken_for_a_stamp_or_lose_it_is_refused(note: str) -> None:
    with pytest.raises(InvalidInput, match="note: "):
        check_note(note)


@pytest.mark.parametrize(("parts", "generation"), [((), None), (("a", ""), None), (("a",), 0)])
def test_an_id_without_content_is_refused(parts: tuple[str, ...], generation: int | None) -> None:
    with pytest.raises(InvalidInput, match="order_id"):
        order_id(*parts, generation=generation)


def test_no_stamp_in_a_note_without_one() -> None:
    assert stamps_in(None) == stamps_in("please order more [order]") == ()
