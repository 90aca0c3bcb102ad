"""Errors carry facts as attributes, and their messages are for a person."""

from __future__ import annotations

import pickle
import re

import pytest

from ocp_numbers import errors
from ocp_numbers.errors import AccessRefused, ApiError, InvalidInput, NotConnected, OcpError, OutcomeUnknown, shown


def every_error() -> list[type[OcpError]]:
    found, queue = [], [OcpError]
    while queue:
        kind = queue.pop()
        found.append(kind)
        queue += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


def test_the_tree_drawn_in_the_module_is_the_tree() -> None:
    drawn = set(re.findall(r"^[│├└─ ]*([A-Z][A-Za-z]+)(?: |$)", errors.__doc__.split("::")[1], re.MULTILINE))
    assert drawn - {"Attributes"} == {kind.__name__ for kind in every_error()}


def test_long_lists_are_capped_and_counted() -> None:
    assert shown(range(3)) == "0, 1, 2"
    assert shown(range(25)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 15 more"


def test_all_problems_of_an_input_are_in_one_error() -> None:
    assert str(InvalidInput("group: '' is empty; give a value")) == "group: '' is empty; give a value"
    assert str(InvalidInput(["a: bad", "b: bad"])) == "- a: bad\n- b: bad"


def test_what_a_message_quotes_ends_no_line_and_steers_no_terminal() -> None:
    assert str(errors.Stopped("set a\nERROR - b\x1b[2J: gone")) == "set a ERROR - b [2J: gone"
    assert str(InvalidInput(["a: x\ny", "b: bad"])) == "- a: x y\n- b: bad"


def test_no_message_fills_a_log() -> None:
    error = InvalidInput([f"row {row}: {'x' * 5_000}" for row in range(1_000)])
    assert len(str(error)) < 51 * (errors.LONGEST_LINE + 10)
    assert str(error).endswith("\n- and 950 more")
    assert len(error.problems) == 1_000


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, 10**5_000, list(range(10**6)), {"a": [[[["deep"]]]]}, "\ud800\n\x1b"],
    ids=["text", "whole number", "list", "mapping", "no Unicode"],
)
def test_a_value_is_quoted_in_brief_and_printable(value: object) -> None:
    assert len(errors.quoted(value)) < 400
    assert errors.quoted(value).isprintable()


def test_an_answered_error_names_operation_call_status_and_message() -> None:
    error = errors.Forbidden(operation="numbers.buy", call="PUT /api/numbers", status=403, message="no licences")
    assert str(error).startswith("numbers.buy (PUT /api/numbers): 403: no licences. ")
    assert (error.operation, error.status, error.settled) == ("numbers.buy", 403, True)


def test_an_answered_error_names_the_ids_that_were_sent() -> None:
    about = "group retail, numbers +12125550123"
    error = errors.NotFound(
        operation="numbers.buy", call="PUT /api/numbers", status=404, message="no group", about=about
    )
    assert str(error) == f"numbers.buy (PUT /api/numbers) for {about}: 404: no group. {errors.NotFound.advice}"
    lost = errors.AnswerLost(operation="numbers.buy", call="PUT /api/numbers", reason="reset", about=about)
    assert str(lost) == f"numbers.buy (PUT /api/numbers) for {about}: reset. {errors.AnswerLost.advice}"


@pytest.mark.parametrize(
    "kind",
    [kind for kind in every_error() if issubclass(kind, ApiError | errors.NoAnswer) and not kind.__subclasses__()],
)
def test_every_failed_call_says_what_was_done_or_what_to_do(kind: type[ApiError | errors.NoAnswer]) -> None:
    assert kind.advice.endswith(".")
    doubt = "may have taken effect" in kind.advice or "may have been done" in kind.advice
    assert doubt is not kind.settled


@pytest.mark.parametrize("kind", [errors.ServerFault, errors.UnexpectedAnswer, errors.Refused])
def test_what_says_nothing_about_the_effect_is_not_settled(kind: type[ApiError]) -> None:
    assert not kind.settled
    assert not errors.AnswerLost.settled
    assert NotConnected.settled


def test_errors_survive_the_way_between_processes() -> None:
    samples = [
        InvalidInput(["a", "b"]),
        AccessRefused(operation="numbers.buy", needs="paid", allowed="read"),
        errors.TooManyRequests(operation="o", call="c", status=429, message="m", retry_after=3.0),
        NotConnected(operation="o", call="c", reason="refused"),
        OutcomeUnknown("unknown", numbers=["+1"]),
    ]
    for error in samples:
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
