"""Every error this package raises, in one tree.

::

    OcpError
    ├── InvalidInput                 a value given to us is wrong; nothing was sent
    ├── InvalidConnection            the connection's fields are missing or contradict each other; nothing was sent
    ├── AccessRefused                the connection's own ``access`` forbids the operation; nothing was sent
    ├── ApiError                     OCP answered, and the answer is not a success
    │   ├── LoginRefused             the token endpoint refused the credentials
    │   ├── BadRequest               400, 422 and other 4xx: the request itself is wrong
    │   ├── NotAuthenticated         401 after a fresh login
    │   ├── PaymentRefused           402
    │   ├── Forbidden                403: missing rights, or no licences left
    │   ├── NotFound                 404
    │   ├── Conflict                 409
    │   ├── TooManyRequests          429
    │   ├── ServerFault              408 and 5xx: says nothing about whether a write took effect
    │   ├── Refused                  200 with ``success: false``: may have been carried out in part
    │   ├── Redirected               3xx: never followed, it could carry credentials elsewhere
    │   └── UnexpectedAnswer         a success that is not what was asked for: HTML, broken JSON, wrong types
    ├── NoAnswer                     the call ended without an answer
    │   ├── NotConnected             no connection was made: nothing was sent
    │   └── AnswerLost               sent, but no whole answer came back: may have taken effect
    └── Stopped                      a decision of ours stopped the work before it went wrong
        ├── OverBudget               a price limit or a spending cap would be broken
        ├── NotEnoughNumbers         OCP offers fewer fitting numbers than wanted
        ├── OrderConflict            the order's key is taken by other wishes
        ├── OrderCorrupt             an order document cannot be read or does not belong here
        ├── OutcomeUnknown           a call may or may not have taken effect and reading back did not settle it
        ├── PlanChanged              what would be applied is not what was approved
        ├── NumberInUse              a number is bound to something that was not named
        ├── LimitExceeded            a release or change limit would be broken
        │   └── VolumeAnomaly        the inventory's size is not believable beside the last snapshot's
        ├── VerificationFailed       reading back shows something else than was to be
        ├── IncompleteSnapshot       the inventory could not be read completely
        ├── Held                     another writer is at work now, or died a moment ago
        │   ├── OrderHeld            on the same order
        │   └── PartitionBusy        on the same snapshot
        └── Interrupted              Airflow asked the task to end: it ended between two calls

Attributes carry the evidence; the message is for the person who reads the log at night.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

SHOWN_AT_MOST = 10
LONGEST_LINE = 2_000
"""Characters of a line of a message."""
MOST_LINES = 50
"""Faults of an input that a message lists; the error's ``problems`` hold all of them."""


def shown(values: Iterable[object], at_most: int = SHOWN_AT_MOST) -> str:
    """``values`` as a comma-separated list for a message, capped: the rest is counted, not listed."""
    listed = [str(value) for value in values]
    rest = len(listed) - at_most
    return ", ".join(listed[:at_most]) + (f" and {rest} more" if rest > 0 else "")


class _Short(reprlib.Repr):
    """Writes values down without ever writing all of a large one."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = 160

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if abs(x) < 10**40 else "a number of more than 40 digits"


_SHORT = _Short()


def quoted(value: object) -> str:
    """``value`` as Python writes it, on one line, for a message: what is too long or too deep is left out."""
    return _SHORT.repr(value)


def on_one_line(text: str) -> str:
    """``text`` as one line that steers no terminal and floods no log, whatever names from outside it quotes."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * LONGEST_LINE])
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"


class OcpError(Exception):
    """Base of everything this package raises. Survives pickling, also with keyword-only constructors.

    :param lines: the message; names from outside in it cannot end a line or steer a terminal.
    """

    transient = False
    """Whether the same call may well succeed a little later; says nothing about whether repeating it is safe."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(on_one_line, lines)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, dict(self.__dict__))


def _restore(kind: type[OcpError], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> OcpError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


class InvalidInput(OcpError, ValueError):
    """A value given to us is wrong.

    ``problems`` holds one sentence per fault, each naming field, value and fix; all faults of an input
    are reported at once, as many as a message can hold.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0])
            return
        rest = len(self.problems) - MOST_LINES
        lines = [f"- {problem}" for problem in self.problems[:MOST_LINES]]
        super().__init__(*lines, *([f"- and {rest:,} more"] if rest > 0 else []))


class InvalidConnection(InvalidInput):
    """The Airflow connection cannot be used; ``problems`` speak in the words of its form."""


class AccessRefused(OcpError):
    """The connection's ``access`` is lower than the operation needs; nothing was sent."""

    def __init__(self, *, operation: str, needs: str, allowed: str) -> None:
        self.operation = operation
        self.needs = needs
        self.allowed = allowed
        super().__init__(
            f"{operation} needs access '{needs}', but the connection allows '{allowed}' at most. "
            f"Nothing was sent. Use another connection, or raise 'access' on this one."
        )


class ApiError(OcpError):
    """OCP answered, and the answer is not a success.

    :param operation: name of the operation, such as ``numbers.buy``.
    :param call: method and path as sent, such as ``PUT /api/numbers``.
    :param status: HTTP status of the answer.
    :param message: the vendor's own message, or what is wrong with the answer.
    :param retry_after: seconds the server asked us to wait, where it did.
    :param about: the ids that were sent, such as ``group retail, numbers +12125550123``.
    """

    advice = ""
    settled = True
    """Whether the answer proves that nothing took effect. False where a write may have been carried out."""

    def __init__(
        self,
        *,
        operation: str,
        call: str,
        status: int,
        message: str,
        retry_after: float | None = None,
        about: str = "",
    ) -> None:
        self.operation = operation
        self.call = call
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.about = about
        advice = f" {self.advice}" if self.advice else ""
        super().__init__(f"{_sent(operation, call, about)}: {status}: {message.rstrip('.')}.{advice}")


def _sent(operation: str, call: str, about: str) -> str:
    return f"{operation} ({call})" + (f" for {about}" if about else "")


class LoginRefused(ApiError):
    """The token endpoint refused the credentials. Never tried again by itself: repeated failures lock the account."""

    advice = "Check login, password, realm and one-time code (totp_secret) of the connection."


class BadRequest(ApiError):
    """400, 422 or another 4xx without a class of its own: the request is wrong; sending it again changes nothing."""

    advice = "Nothing was changed: correct what it names, then try again."


class NotAuthenticated(ApiError):
    """401, also after one renewal of the token."""

    advice = "Nothing was changed. Fresh credentials were refused too: check the connection."


class PaymentRefused(ApiError):
    """402: the parameters were valid, but the platform did not carry the request out."""

    advice = "The provider or the account refused it: see the message; nothing was charged."


class Forbidden(ApiError):
    """403: the login lacks rights for this group or operation, or no licences are available."""

    advice = "Nothing was changed: the login lacks rights for it, or the platform has no licences left."


class NotFound(ApiError):
    """404: a number, set, group, miniApp or the address itself does not exist."""

    advice = "Nothing was changed. It is misspelled, gone, or not visible to this login: look it up in OCP's console."


class Conflict(ApiError):
    """409: the request contradicts what the platform holds now."""

    advice = "Nothing was changed: see what OCP holds now, then try again."


class TooManyRequests(ApiError):
    """429: too many requests; refused before it did anything."""

    advice = "Nothing was changed. If it stays, lower requests_per_second or max_concurrency of the connection."
    transient = True


class ServerFault(ApiError):
    """408 or 5xx: the platform's side failed; a write may or may not have taken effect."""

    advice = "A write may have taken effect: look before repeating it, as a task that is cleared does."
    settled = False
    transient = True


class Refused(ApiError):
    """HTTP 200 with ``success: false``: the platform refused the operation and says why in its message.

    A call is no transaction: of several numbers, some may have been changed before the one that was refused.
    """

    advice = "Some of it may have been done: look before repeating it, as a task that is cleared does."
    settled = False


class Redirected(ApiError):
    """3xx: refused, because following it could hand the credentials to another host."""

    advice = "Nothing was changed, and no credentials went there. Check the host of the connection."


class UnexpectedAnswer(ApiError):
    """A success by its status, but not the answer that was asked for: HTML, broken JSON, wrong types."""

    advice = "A write may have taken effect. If it stays, see that the host is OCP's and not under maintenance."
    settled = False


class NoAnswer(OcpError):
    """The call ended without an answer."""

    advice = ""
    settled = False
    transient = True

    def __init__(self, *, operation: str, call: str, reason: str, about: str = "") -> None:
        self.operation = operation
        self.call = call
        self.reason = reason
        self.about = about
        advice = f". {self.advice}" if self.advice else ""
        super().__init__(f"{_sent(operation, call, about)}: {reason}{advice}")


class NotConnected(NoAnswer):
    """No connection could be made: nothing was sent."""

    advice = "If it stays, see to host and proxy of the connection, and to the network."
    settled = True


class AnswerLost(NoAnswer):
    """The request was sent, but no whole answer came back: it may or may not have taken effect."""

    advice = "A write may have taken effect: look before repeating it, as a task that is cleared does."


class Stopped(OcpError):
    """A rule of ours stopped the work. The message says what was and what was not done."""


class OverBudget(Stopped):
    """A price limit, the order's budget or a spending cap would be broken."""


class NotEnoughNumbers(Stopped):
    """OCP offers fewer fitting numbers than are wanted."""


class OrderConflict(Stopped):
    """The order's key belongs to other wishes."""


class OrderCorrupt(Stopped):
    """An order document cannot be read, fails its digest, or belongs to another environment."""


class OutcomeUnknown(Stopped):
    """Calls whose effect could not be settled by reading back. ``numbers`` names what is in doubt."""

    def __init__(self, message: str, *, numbers: Sequence[str] = ()) -> None:
        self.numbers = tuple(numbers)
        super().__init__(message)


class PlanChanged(Stopped):
    """What would be applied now differs from what was approved."""


class NumberInUse(Stopped):
    """A number is bound to another miniApp, set or group than the one named, and nothing allows taking it."""


class LimitExceeded(Stopped):
    """A limit on releases or changes would be exceeded; the whole run is refused, nothing is truncated."""


class VolumeAnomaly(LimitExceeded):
    """The inventory has so many more or fewer numbers than in the last snapshot that a person must believe it first."""

    def __init__(self, message: str, *, rows: int = 0, before: int = 0) -> None:
        self.rows = rows
        self.before = before
        super().__init__(message)


class VerificationFailed(Stopped):
    """Reading back shows a difference from what was to be."""

    def __init__(self, message: str, *, differences: Sequence[str] = ()) -> None:
        self.differences = tuple(differences)
        super().__init__(message)


class IncompleteSnapshot(Stopped):
    """The inventory could not be read completely; nothing may be inferred from what was read."""


class Held(Stopped):
    """Another writer holds the lease. ``retry_after``: seconds until the lease ends if it is not renewed."""

    transient = True

    def __init__(self, message: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class OrderHeld(Held):
    """Another writer works on the order, or died a moment ago; nothing of this run was sent."""


class PartitionBusy(Held):
    """Another run is writing the snapshot of the same environment and date; nothing of this run was published."""


class Interrupted(Stopped):
    """Airflow asked the task to end, and it ended between two calls: nothing is in doubt, the rest is not done."""
