from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from ocp_numbers import errors
from ocp_numbers.retry import LONGEST_DELAY, VERDICTS, retry_policy

FAIL, RETRY = RetryAction.FAIL, RetryAction.RETRY

EXPECTED = {
    errors.InvalidInput: FAIL,
    errors.InvalidConnection: FAIL,
    errors.AccessRefused: FAIL,
    errors.LoginRefused: FAIL,
    errors.BadRequest: FAIL,
    errors.NotAuthenticated: FAIL,
    errors.PaymentRefused: FAIL,
    errors.Forbidden: FAIL,
    errors.NotFound: FAIL,
    errors.Conflict: FAIL,
    errors.TooManyRequests: RETRY,
    errors.ServerFault: RETRY,
    errors.Refused: FAIL,
    errors.Redirected: FAIL,
    errors.UnexpectedAnswer: RETRY,
    errors.NotConnected: RETRY,
    errors.AnswerLost: RETRY,
    errors.OverBudget: FAIL,
    errors.NotEnoughNumbers: FAIL,
    errors.OrderConflict: FAIL,
    errors.Held: RETRY,
    errors.OrderHeld: RETRY,
    errors.OrderCorrupt: FAIL,
    errors.OutcomeUnknown: RETRY,
    errors.PlanChanged: FAIL,
    errors.NumberInUse: FAIL,
    errors.LimitExceeded: FAIL,
    errors.VolumeAnomaly: FAIL,
    errors.VerificationFailed: FAIL,
    errors.IncompleteSnapshot: RETRY,
    errors.PartitionBusy: RETRY,
    errors.Interrupted: RETRY,
}


def made(kind: type[errors.OcpError]) -> errors.OcpError:
    """An error of that kind with some evidence in it."""
    if issubclass(kind, errors.ApiError):
        return kind(operation="numbers.buy", call="PUT /api/numbers", status=500, message="no")
    if issubclass(kind, errors.NoAnswer):
        return kind(operation="numbers.buy", call="PUT /api/numbers", reason="reset")
    if issubclass(kind, errors.AccessRefused):
        return kind(operation="numbers.buy", needs="paid", allowed="read")
    if issubclass(kind, errors.Held):
        return kind("no", retry_after=40)
    return kind("no")


def leaves(kind: type[errors.OcpError] = errors.OcpError) -> set[type[errors.OcpError]]:
    below = kind.__subclasses__()
    return {kind}.union(*(leaves(each) for each in below)) if below else {kind}


@pytest.mark.parametrize(("kind", "action"), EXPECTED.items(), ids=[kind.__name__ for kind in EXPECTED])
def test_each_kind_of_error_is_retried_or_failed(kind: type[errors.OcpError], action: RetryAction) -> None:
    decision = retry_policy().evaluate(made(kind), try_number=1, max_tries=3)

    assert decision.action is action
    assert decision.reason
    assert (decision.retry_delay is not None) == (action is RETRY)


def test_every_error_of_the_tree_that_can_be_raised_has_a_verdict_of_its_own() -> None:
    abstract = {errors.OcpError, errors.ApiError, errors.NoAnswer, errors.Stopped}
    raisable = {kind for kind in leaves() if kind.__module__ == errors.__name__} - abstract

    assert raisable - set(VERDICTS) == set()


def test_what_is_not_ours_is_left_to_the_task() -> None:
    decision = retry_policy().evaluate(OSError("disk full"), try_number=1, max_tries=3)

    assert decision.action is RetryAction.DEFAULT


def test_a_kind_without_a_verdict_takes_the_one_above_it() -> None:
    class Sold(errors.NotEnoughNumbers):
        pass

    assert retry_policy().evaluate(Sold("all gone"), try_number=1, max_tries=3).action is FAIL


def test_the_delay_doubles_up_to_half_an_hour() -> None:
    policy, error = retry_policy(), made(errors.AnswerLost)
    delays = [policy.evaluate(error, try_number=n, max_tries=99).retry_delay for n in (1, 2, 3, 12, 99)]

    assert delays == [
        timedelta(seconds=30),
        timedelta(seconds=60),
        timedelta(seconds=120),
        LONGEST_DELAY,
        LONGEST_DELAY,
    ]


def test_the_delay_is_never_shorter_than_the_server_asked_for() -> None:
    error = errors.TooManyRequests(
        operation="numbers.list", call="GET /api/numbers", status=429, message="slow down", retry_after=7200
    )

    assert retry_policy().evaluate(error, try_number=1, max_tries=3).retry_delay == timedelta(hours=2)


def test_a_held_order_is_tried_again_when_its_lease_ends() -> None:
    delay = retry_policy().evaluate(made(errors.OrderHeld), try_number=1, max_tries=3).retry_delay

    assert delay == timedelta(seconds=40)


def test_a_server_that_asks_for_an_eternity_gets_a_day() -> None:
    error = errors.ServerFault(
        operation="numbers.list", call="GET /api/numbers", status=503, message="closed", retry_after=1e300
    )

    assert retry_policy().evaluate(error, try_number=1, max_tries=3).retry_delay == timedelta(days=1)
