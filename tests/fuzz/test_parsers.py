"""Whatever comes in is read as its model allows, or refused in words; nothing crashes, hangs or floods."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.command import main
from fuzz.doors import PARSERS
from fuzz.promise import Parser, kept
from ocp_numbers.client import OPERATIONS

EXAMPLES = 50


@pytest.mark.parametrize("parser", PARSERS, ids=str)
def test_any_input_is_read_or_refused_in_words(parser: Parser) -> None:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**64))
    def hold(seed: int) -> None:
        kept(parser, parser.inputs(Random(seed)))

    hold()


def test_the_answer_of_every_operation_is_among_them() -> None:
    assert {f"answer of {name}" for name in OPERATIONS} <= {parser.name for parser in PARSERS}


def test_the_thorough_way_counts_what_each_parser_made_of_its_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--examples", "20", "--only", "Retry-After"]) == 0
    *_, line, total = capsys.readouterr().out.splitlines()
    assert line.startswith("Retry-After and Date")
    assert total.endswith("0 of 1 parsers broken")
