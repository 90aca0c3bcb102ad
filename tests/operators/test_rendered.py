from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from airflow.sdk import DAG, task
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.errors import InvalidInput
from ocp_numbers.operators import rendered

NUMBERS = st.lists(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), min_size=1, max_size=20, unique=True)


@given(NUMBERS)
def test_a_list_and_its_json_are_read_alike(numbers: list[str]) -> None:
    assert rendered.numbers(numbers, field="numbers") == rendered.numbers(json.dumps(numbers), field="numbers")


@given(st.text())
def test_any_string_is_a_json_list_or_refused_naming_the_field(text: str) -> None:
    outcome: list[Any] | str
    try:
        outcome = rendered.listed(text, field="numbers")
    except InvalidInput as refused:
        outcome = str(refused)

    assert outcome == json.loads(text) if isinstance(outcome, list) else outcome.startswith("numbers: ")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (rendered.flag, True, True),
        (rendered.flag, "True", True),
        (rendered.flag, "false", False),
        (rendered.count, 3, 3),
        (rendered.count, "30", 30),
        (rendered.amount, "12.50", Decimal("12.50")),
        (rendered.amount, 0, Decimal(0)),
        (rendered.amount, Decimal("0.1"), Decimal("0.1")),
        (rendered.names, [], ()),
        (rendered.names, '["a", "b"]', ("a", "b")),
        (rendered.number, "+12125550123", "+12125550123"),
        (rendered.any_text, "", ""),
        (rendered.optional(rendered.locale), "", None),
        (rendered.optional(rendered.locale), None, None),
        (rendered.optional(rendered.locale), "en-US", "en-US"),
        (rendered.optional(rendered.flag), False, False),
    ],
)
def test_reads(read: Any, value: Any, expected: Any) -> None:
    assert read(value, field="field") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (rendered.flag, "yes"),
        (rendered.flag, 1),
        (rendered.flag, None),
        (rendered.count, 0),
        (rendered.count, "-1"),
        (rendered.count, True),
        (rendered.count, "²"),
        (rendered.count, 1.5),
        (rendered.amount, 12.5),
        (rendered.amount, True),
        (rendered.amount, "-1"),
        (rendered.amount, "NaN"),
        (rendered.amount, "Infinity"),
        (rendered.amount, "12,50"),
        (rendered.names, ["a", ""]),
        (rendered.listed, {"a": 1}),
        (rendered.listed, '{"a": 1}'),
        (rendered.listed, '"abc"'),
        (rendered.listed, b"abc"),
        (rendered.listed, 7),
        (rendered.listed, "['+12125550123']"),
        (rendered.any_text, None),
        (rendered.any_text, "None"),
        (rendered.text, "None"),
        (rendered.text, 5),
        (rendered.text, "a\0b"),
        (rendered.optional(rendered.text), "None"),
        (rendered.optional(rendered.text), "  "),
    ],
)
def test_refuses_naming_the_field(read: Any, value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^field: "):
        read(value, field="field")


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidInput) as refused:
        rendered.listed("x" * 10_000, field="numbers")

    assert len(str(refused.value)) < 250


def test_knows_what_awaits_rendering() -> None:
    with DAG("d", schedule=None):

        @task
        def found() -> list[str]:
            return []

        output: Any = found()

    for value in ("{{ x }}", "{% if x %}a{% endif %}", ["{{ x }}"], {"a": "{{ x }}"}, output, [output], output["a"]):
        assert rendered.awaits_rendering(value)
    for value in ("x", ["x"], {"a": "x"}, None, 3, ()):
        assert not rendered.awaits_rendering(value)
