"""From a successful reply to what the caller asked for, or an error that names what is wrong with it."""

from __future__ import annotations

import codecs
import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ocp_numbers.client.drift import DriftCounter
from ocp_numbers.client.operations import Operation
from ocp_numbers.client.redaction import Redactor
from ocp_numbers.client.translation import is_html, parsed, said, unexpected
from ocp_numbers.client.wire import Reply
from ocp_numbers.errors import Refused, shown
from ocp_numbers.models import Outcome

AnswerT = TypeVar("AnswerT")

_NO = ("false", "no", "0")
_CHARSET = re.compile(r"(us-)?ascii|utf-?8|utf-?(16|32)(-?[bl]e)?|latin-?1|iso-8859-[0-9]{1,2}|(windows-|cp)[0-9]{3,4}")
"""Others are no encodings of whole texts, or take a time that grows with the square of the length."""
_LONGEST_CHARSET = 40


def read_answer(operation: Operation[AnswerT], reply: Reply, redactor: Redactor, drift: DriftCounter) -> AnswerT:
    """The answer to ``operation`` in ``reply``, which has passed :func:`check_success`.

    :param drift: counts where the answer departs from the contract.
    :raises UnexpectedAnswer: it is not an answer to this operation.
    """
    if not reply.content.strip():
        if operation.may_be_empty:
            return operation.adapter.validate_python({})
        if operation.answer is not str or reply.status == 204:
            raise unexpected(reply, redactor, "the answer is empty", transient=True)
    if is_html(reply):
        problem = "an HTML page instead of data: a login page? Check the host"
        raise unexpected(reply, redactor, problem, transient=True)
    if operation.answer is str and reply.content_type != "application/json":
        text = _text(reply, redactor)
        drift.header(operation, text)
        return operation.adapter.validate_python(text)
    problem, transient = "", False
    try:
        # in no variable: tracebacks may show what those hold, and an answer may repeat what it was sent
        answer = operation.adapter.validate_json(
            _as_list(operation, drift.as_documented(operation, reply.content.removeprefix(codecs.BOM_UTF8)))
        )
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        transient = any(fault["type"] == "json_invalid" for fault in faults)
        problem = shown((f"{'.'.join(map(str, fault['loc'])) or 'the body'}: {fault['msg']}" for fault in faults), 3)
    if problem:
        raise unexpected(reply, redactor, problem, transient=transient)
    if isinstance(answer, str):
        drift.header(operation, answer)
    if isinstance(answer, BaseModel):
        _check_evidence(answer, reply, redactor)
    return answer


def check_success(reply: Reply, redactor: Redactor) -> None:
    """Let every answer pass but one that says ``success: false``, whatever else was asked for.

    :raises Refused: with the vendor's message.
    """
    if reply.content.rfind(b'"success"') < 0:  # backwards, in less than half the time that "in" takes over a page
        return
    body = parsed(reply.content)
    if isinstance(body, dict) and str(body.get("success")).lower() in _NO:
        raise _refused(reply, redactor)


def _refused(reply: Reply, redactor: Redactor) -> Refused:
    return Refused(
        operation=reply.call.operation,
        call=str(reply.call),
        status=reply.status,
        message=redactor.clean(said(reply)),
        about=reply.call.about,
    )


def _check_evidence(answer: BaseModel, reply: Reply, redactor: Redactor) -> None:
    """Some object is not an answer: it has to have what tells a yes from a no."""
    given = answer.model_fields_set
    if isinstance(answer, Outcome):
        if "success" not in given:
            raise unexpected(reply, redactor, "success: missing, so nothing is known about what was done")
        if not answer.success:
            raise _refused(reply, redactor)
    if not given:
        raise unexpected(reply, redactor, f"none of the fields {', '.join(type(answer).model_fields)} is there")


def _as_list(operation: Operation[AnswerT], content: bytes) -> bytes:
    """One object where several were asked for is a list of one: the vendor's page shows the sets of a group so."""
    one = content.lstrip()[:1] == b"{" and operation.may_be_single
    return b"[" + content + b"]" if one else content


def _text(reply: Reply, redactor: Redactor) -> str:
    """The body as text: as its content type says, or, without one, a JSON string if it is one."""
    if not reply.content_type:
        text = parsed(reply.content)
        if isinstance(text, str):
            return text
    parameters = reply.headers.get("Content-Type", "").lower().partition("charset=")
    charset = parameters[2].partition(";")[0].strip(" \"'") or "utf-8"
    problem = f"charset {charset[:_LONGEST_CHARSET]!r} is not one that texts come in"
    if _CHARSET.fullmatch(charset):
        try:
            return reply.content.decode("utf-8-sig" if charset in ("utf-8", "utf8") else charset)
        except (UnicodeDecodeError, LookupError):
            problem = f"the text is not in {charset}"
    raise unexpected(reply, redactor, problem)
