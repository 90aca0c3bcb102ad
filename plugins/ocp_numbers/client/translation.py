"""From an answer to an error of this package: the one place that knows what the platform's statuses mean."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import urlsplit

from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.retry import retry_after
from ocp_numbers.client.wire import Reply
from ocp_numbers.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotAuthenticated,
    NotFound,
    PaymentRefused,
    Redirected,
    ServerFault,
    TooManyRequests,
    UnexpectedAnswer,
)

ERRORS: dict[int, type[ApiError]] = {
    401: NotAuthenticated,
    402: PaymentRefused,
    403: Forbidden,
    404: NotFound,
    408: ServerFault,
    409: Conflict,
    429: TooManyRequests,
}
_SUCCESSES = (200, 201, 202, 204)


def refusal(
    reply: Reply, redactor: Redactor, *, kinds: dict[int, type[ApiError]] | None = None, hint: str = ""
) -> ApiError | None:
    """The error that ``reply`` amounts to by its status, or ``None`` for a success.

    :param kinds: other classes for some statuses.
    :param hint: what to add when the credentials or the rights are refused.
    """
    if reply.status in _SUCCESSES:
        return None
    kind = _kind(reply.status, kinds or {})
    message = redactor.clean(_redirected_to(reply) if kind is Redirected else said(reply))
    if hint and reply.status in (401, 403):
        message = f"{message}. {hint}"
    return kind(
        operation=reply.call.operation,
        call=str(reply.call),
        status=reply.status,
        message=message,
        retry_after=retry_after(reply.headers.get("Retry-After"), reply.headers.get("Date")),
        about=reply.call.about,
    )


def unexpected(reply: Reply, redactor: Redactor, problem: str, *, transient: bool = False) -> UnexpectedAnswer:
    """The error for a success whose content is not what was asked for."""
    error = UnexpectedAnswer(
        operation=reply.call.operation,
        call=str(reply.call),
        status=reply.status,
        message=redactor.clean(problem),
        about=reply.call.about,
    )
    error.transient = transient
    return error


def is_html(reply: Reply) -> bool:
    """Whether a page for people came instead of data."""
    return reply.content_type in ("text/html", "application/xhtml+xml") or reply.content.lstrip()[:1] == b"<"


def parsed(content: bytes) -> object:
    """``content`` read as JSON; ``None`` if it is none, or nested beyond reason."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def said(reply: Reply) -> str:
    """What the answer says about itself: the vendor's message, or whatever text there is."""
    if is_html(reply):
        return "an HTML page instead of data; is the host right?"
    body = parsed(reply.content)
    if isinstance(body, dict):
        for name in ("message", "error_description", "error"):
            if isinstance(body.get(name), str) and body[name].strip():
                return str(body[name])
    return reply.content.decode(errors="replace").strip() or _phrase(reply.status)


def _kind(status: int, kinds: dict[int, type[ApiError]]) -> type[ApiError]:
    if status in kinds:
        return kinds[status]
    if status in ERRORS:
        return ERRORS[status]
    if 300 <= status < 400:
        return Redirected
    if 400 <= status < 500:
        return BadRequest
    if 500 <= status < 600:
        return ServerFault
    return UnexpectedAnswer


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no message"


def _redirected_to(reply: Reply) -> str:
    """Names the target's host only: the rest of the address may hold anything."""
    try:
        target = urlsplit(reply.headers.get("Location", "")).netloc.rpartition("@")[2]
    except ValueError:
        target = ""
    return f"the answer redirects to {target or 'another address of the same host'}, which is not followed"
