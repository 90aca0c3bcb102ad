"""The promise of every parser: a value that its model allows, or a refusal that people can read; soon, and no more."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from ocp_numbers.errors import OcpError

LONGEST_MESSAGE = 20_000
MOST_SECONDS = 5.0
"""Processor time that one input may take; most take less than a thousandth of it."""

_HANGS = 3 * MOST_SECONDS


@dataclass(frozen=True)
class Parser:
    """One door through which things from outside come in.

    :param inputs: makes something to try it with.
    :param parse: reads one input, and does with the value what its users do, or raises.
    :param refusals: errors besides our own that the parser documents.
    """

    name: str
    inputs: Callable[[Random], Any]
    parse: Callable[[Any], object]
    refusals: tuple[type[Exception], ...] = ()

    def __str__(self) -> str:
        return self.name


def kept(parser: Parser, given: object) -> str:
    """What the parser made of ``given``: ``read``, or the name of the refusal.

    :raises AssertionError: when the promise is broken without an error of its own; any other error breaks it as well.
    """
    began = time.process_time()
    allowed: tuple[type[Exception], ...] = (OcpError, *parser.refusals)
    said = "read"
    try:
        with _awake():
            parser.parse(given)
    except allowed as refusal:
        check_message(str(refusal))
        said = type(refusal).__name__
    spent = time.process_time() - began
    assert spent < MOST_SECONDS, f"{parser.name} took {spent:.1f} s"
    return said


def check_message(text: str) -> None:
    """Make sure that ``text`` says something, steers no terminal, forges no line of a log, and does not fill it."""
    assert text.strip(), "an error without a word"
    assert len(text) <= LONGEST_MESSAGE, f"a message of {len(text):,} characters: {text[:200]}"
    steering = {letter for letter in text if not letter.isprintable()} - {"\n"}
    assert not steering, f"{steering} in {text[:300]!r}"


@contextmanager
def _awake() -> Iterator[None]:
    """End what would hang: a test that never ends says nothing."""

    def end(*_: object) -> None:
        raise AssertionError(f"no answer within {_HANGS:.0f} s of processor time")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, _HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
