"""What a task says about itself while it works and when it ends, where people look for it.

Airflow lets a task write no note of its own. What it does let it write is shown beside: a sentence goes into the log,
into the XCom ``note``, and into the task's state store under ``note``, which the UI shows as *Storage*, *Task State
Store*; the newest line of progress stands there under ``progress``, while the task still runs. When the run has ended,
``ocp_numbers.run_notes`` makes Airflow's own notes of these sentences.

What stopped a task goes the same way before the exception rises: in the log in lines that are short enough to be read
there, for Airflow shows the message of an exception as a single one.

None of it may fail the work, or change it: what cannot be shown is left out.
"""

from __future__ import annotations

import logging
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import OcpError, on_one_line
from ocp_numbers.progress import heard_by

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

log = logging.getLogger(__name__)

LONGEST = 2_000
"""Characters of a note; what is longer is in the log."""

WIDTH = 85
"""Characters of a message that Airflow's page of a task shows in a window of 1280 pixels; what is longer is cut off."""

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) +(?=[A-Z])")


def tell(context: Context, sentence: str) -> None:
    """Say in a sentence what came of the task, such as ``bought 5 of 5 in US/+1212 for 25``."""
    sentence = on_one_line(sentence)
    log.info("%s", sentence)
    _note(context, sentence)


@contextmanager
def observed(context: Context) -> Iterator[None]:
    """Show the progress of what is done inside, and what stopped it."""
    with heard_by(lambda line: _keep(context, "progress", line)):
        try:
            yield
        except OcpError as error:
            text = f"{type(error).__name__}: {error}"
            for line in in_lines(text):
                log.error("%s", line)
            _note(context, text)
            raise


def explained(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates ``execute`` of an operator that is none of ours by descent: it is :func:`observed`, too."""

    @wraps(execute)
    def explaining(self: Any, context: Context, *args: Any, **kwargs: Any) -> Any:
        with observed(context):
            return execute(self, context, *args, **kwargs)

    return explaining


def in_lines(text: str) -> Iterator[str]:
    """``text`` a sentence a line, long ones wrapped and indented; a word is never cut, so that it can be copied."""
    for paragraph in text.splitlines():
        for sentence in _BETWEEN_SENTENCES.split(paragraph):
            yield from textwrap.wrap(
                sentence, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
            )


def _note(context: Context, text: str) -> None:
    note = text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
    _keep(context, "note", note)
    ti = context.get("ti")
    if ti is not None:
        try:
            ti.xcom_push(key="note", value=note)
        except Exception as error:
            log.debug("The note could not be put beside the result: %s", error)


def _keep(context: Context, key: str, text: str) -> None:
    store = context.get("task_state_store")
    if store is not None:
        try:
            store.set(key, text)
        except Exception as error:
            log.debug("The %s could not be put into the task's state: %s", key, error)
