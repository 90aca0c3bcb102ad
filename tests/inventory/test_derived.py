"""What is derived from a number is what phonenumbers says of it, at a fraction of the cost."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocp_numbers.inventory.derived import derive

Answer = tuple[str | None, bool, str | None]
CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
TYPES = {value: name.lower() for name, value in vars(phonenumbers.PhoneNumberType).items() if name.isupper()} | {
    phonenumbers.PhoneNumberType.UNKNOWN: None
}


def derived(numbers: list[str]) -> list[Answer]:
    return list(zip(*(column.to_pylist() for column in derive(pa.array(numbers, pa.string()))), strict=True))


def told_by_phonenumbers(number: str) -> Answer | None:
    """What phonenumbers says; ``None`` where it speaks of another number than the one given."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return (None, False, None) if phonenumbers_knows_no_code(number) else None
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != number:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    country = None if region == "001" else region
    return country, phonenumbers.is_valid_number(parsed), TYPES[phonenumbers.number_type(parsed)]


def phonenumbers_knows_no_code(number: str) -> bool:
    return not any(int(number[1 : 1 + length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for length in (1, 2, 3))


def examples() -> list[str]:
    """A number of every type in every country."""
    regions = {region for regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.values() for region in regions}
    found = [phonenumbers.example_number_for_type(region, kind) for region in regions - {"001"} for kind in TYPES]
    found += [phonenumbers.example_number_for_non_geo_entity(code) for code in CODES]
    return sorted({phonenumbers.format_number(each, phonenumbers.PhoneNumberFormat.E164) for each in found if each})


def test_every_kind_of_number_in_every_country_is_told_as_phonenumbers_does() -> None:
    numbers = [*examples(), *(f"{number[:-1]}" for number in examples()), *(f"{number}7" for number in examples())]
    assert len(numbers) > 3_000
    expected = [told_by_phonenumbers(number) for number in numbers]
    compared = [pair for pair in zip(derived(numbers), expected, strict=True) if pair[1] is not None]
    assert len(compared) > 0.9 * len(numbers)
    assert [mine for mine, _ in compared] == [theirs for _, theirs in compared]


@given(
    st.lists(
        st.builds(
            "+{}{}".format, st.sampled_from(CODES) | st.integers(1, 999), st.from_regex("[0-9]{4,11}", fullmatch=True)
        ),
        max_size=30,
    )
)
@settings(deadline=None)
def test_numbers_of_any_digits_are_told_as_phonenumbers_does(numbers: list[str]) -> None:
    for mine, theirs in zip(derived(numbers), map(told_by_phonenumbers, numbers), strict=True):
        assert theirs in (mine, None)


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("+12125550123", ("US", True, "fixed_line_or_mobile")),
        ("+14165550123", ("CA", True, "fixed_line_or_mobile")),
        ("+18005550123", ("US", True, "toll_free")),
        ("+302101234567", ("GR", True, "fixed_line")),
        ("+441624756789", ("IM", True, "fixed_line")),
        ("+80012345678", (None, True, "toll_free")),
        ("+12010000000", (None, False, None)),
        ("+4402079460000", (None, False, None)),
        ("+9991234567", (None, False, None)),
    ],
)
def test_what_is_derived_of_some_numbers(number: str, answer: Answer) -> None:
    assert derived([number]) == [answer]


def test_each_answer_stands_beside_its_number_however_they_are_mixed() -> None:
    numbers: list[Any] = ["+12125550123", "+302101234567", "+14165550123", "+9991234567", "+12125550124"]
    assert [country for country, _, _ in derived(numbers)] == ["US", "GR", "CA", None, "US"]
    assert derived([]) == []
