"""Which failures are worth another attempt of the task, and when: the retry policy of all operators.

A task is tried again when time can heal the failure: the platform was unreachable, busy or broken, or an outcome is not
known yet. It fails at once when only a person can: wrong input, wrong credentials, missing rights, a limit reached. A
second attempt always looks first, so retrying is safe whatever the first one did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from ocp_numbers import errors

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

LONGEST_DELAY = timedelta(minutes=30)
LONGEST_ASKED = 86_400
"""Seconds that a server may make us wait at most."""


@dataclass(frozen=True)
class Verdict:
    """What a kind of error means for its task: tried again after ``delay``, or failed where that is None."""

    delay: timedelta | None
    reason: str


def _again(reason: str, *, seconds: int) -> Verdict:
    return Verdict(timedelta(seconds=seconds), reason)


def _fail(reason: str) -> Verdict:
    return Verdict(None, reason)


VERDICTS: dict[type[errors.OcpError], Verdict] = {
    errors.InvalidInput: _fail("The input is wrong; correct it and clear the task."),
    errors.InvalidConnection: _fail("The connection is not filled in correctly; correct it and clear the task."),
    errors.AccessRefused: _fail("The connection's access forbids the operation."),
    errors.LoginRefused: _fail("The login was refused; trying again could lock the account."),
    errors.BadRequest: _fail("OCP calls the request wrong; sending it again changes nothing."),
    errors.NotAuthenticated: _fail("The credentials were refused after a renewal as well."),
    errors.PaymentRefused: _fail("The provider or the account refused the request."),
    errors.Forbidden: _fail("The login lacks rights, or the platform has no licences left."),
    errors.NotFound: _fail("What the task names does not exist on OCP."),
    errors.Conflict: _fail("The request contradicts what OCP holds now."),
    errors.TooManyRequests: _again("OCP asks for fewer requests.", seconds=60),
    errors.ServerFault: _again("OCP's side failed; the next attempt looks before it writes.", seconds=60),
    errors.Refused: _fail("OCP refused the operation and says why."),
    errors.Redirected: _fail("The connection's host redirects elsewhere, which is never followed."),
    errors.UnexpectedAnswer: _again(
        "The answer was not what was asked for; OCP may be under maintenance.", seconds=120
    ),
    errors.NotConnected: _again("OCP could not be reached; nothing was sent.", seconds=60),
    errors.AnswerLost: _again("The answer was lost; the next attempt looks before it writes.", seconds=30),
    errors.OverBudget: _fail("A price or spending limit would be broken."),
    errors.NotEnoughNumbers: _fail("OCP offers fewer fitting numbers than are wanted."),
    errors.OrderConflict: _fail("The order's key belongs to other wishes."),
    errors.Held: _again("Another writer is at work.", seconds=15),
    errors.OrderHeld: _again("Another writer works on the order.", seconds=15),
    errors.OrderCorrupt: _fail("The order document cannot be trusted; see its runbook."),
    errors.OutcomeUnknown: _again("An outcome is not known yet; the next attempt finds out first.", seconds=60),
    errors.PlanChanged: _fail("What would be applied is not what was approved; plan again."),
    errors.NumberInUse: _fail("A number is bound to something that was not named."),
    errors.LimitExceeded: _fail("A limit on releases or changes would be broken."),
    errors.VolumeAnomaly: _fail("A person has to believe the inventory's size first."),
    errors.VerificationFailed: _fail("Reading back shows something else than was to be."),
    errors.IncompleteSnapshot: _again("The inventory moved while it was being read.", seconds=120),
    errors.PartitionBusy: _again("Another run writes the same snapshot.", seconds=60),
    errors.Interrupted: _again("Airflow ended the task between two calls.", seconds=10),
}
"""One verdict for each kind of error; a kind without one of its own takes that of the nearest kind above it."""


class OcpRetryPolicy(RetryPolicy):
    """Retry policy of tasks that act on OCP; errors that are not ours are left to the task's own settings.

    The delay doubles with each attempt up to half an hour, and is not shorter than the server asked for, within a day.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide from the kind of ``exception``, see :data:`VERDICTS`."""
        verdict = next((VERDICTS[kind] for kind in type(exception).__mro__ if kind in VERDICTS), None)
        if verdict is None:
            return RetryDecision.default()
        if verdict.delay is None:
            return RetryDecision.fail(verdict.reason)
        asked = timedelta(seconds=min(getattr(exception, "retry_after", None) or 0, LONGEST_ASKED))
        doubled = verdict.delay * 2 ** min(max(try_number, 1) - 1, 10)
        return RetryDecision.retry(max(min(doubled, LONGEST_DELAY), asked), verdict.reason)


def retry_policy() -> OcpRetryPolicy:
    """The policy that every operator of this package has unless its ``retry_policy`` says otherwise.

    It decides whether and when; how often is the task's own ``retries``.
    """
    return OcpRetryPolicy()
