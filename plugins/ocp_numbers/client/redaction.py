"""Keeps secrets out of everything that is said about a call."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

MESSAGE_AT_MOST = 500
_SHORTEST_SECRET = 4  # blotting out every "a" would hide nothing and garble the message
_PIECE = 8
_PASSING_AT_ONCE = 8
_LOGIN_IN_URL = re.compile(r"//[^/@\s]+@")
_NOT_PRINTED = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Redactor:
    """Knows the secrets of one client, given or obtained, and blots them out of texts.

    Also of texts that somebody hostile wrote: in upper and lower case, as JSON, URLs, HTML, Python and Base64 spell
    them, and every piece of eight characters or more of a secret that was cut.

    :param on_secret: told of each secret, so that others (a log masker) can hide it too.
    """

    def __init__(self, on_secret: Callable[[str], None] | None = None) -> None:
        self._on_secret = on_secret
        self._lasting: dict[str, None] = {}
        self._passing: deque[str] = deque(maxlen=_PASSING_AT_ONCE)
        self._known: _Known | None = None
        self._lock = threading.RLock()  # also a signal handler may close the client, in the midst of this

    def learn(self, secret: str, *, passing: bool = False, tell: bool = True) -> None:
        """Hide ``secret`` from now on.

        :param passing: it is replaced by another one soon; of such only the last ones are remembered.
        :param tell: whether others are told of it.
        """
        if len(secret) < _SHORTEST_SECRET:
            return
        with self._lock:
            if secret in self._lasting or secret in self._passing:
                return
            if passing:
                self._passing.append(secret)
            else:
                self._lasting[secret] = None
            self._known = None
        if tell and self._on_secret is not None:
            self._on_secret(secret)

    def clean(self, text: str) -> str:
        """``text`` on one line, without secrets and control characters, and not longer than a message may be."""
        if not text:
            return text
        with self._lock:
            if self._known is None:
                self._known = _Known([*self._lasting, *self._passing])
            known = self._known
        text = _NOT_PRINTED.sub(" ", _LOGIN_IN_URL.sub("//***@", known.blotted(text))).strip()
        return text if len(text) <= MESSAGE_AT_MOST else text[:MESSAGE_AT_MOST] + "…"


class _Known:
    """The pieces of secrets in all their spellings: whole ones of short secrets, eight characters of long ones."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._pieces = frozenset(
            piece for secret in secrets for spelling in _spellings(secret) for piece in _pieces(spelling)
        )
        self._lengths = sorted({len(piece) for piece in self._pieces})

    def blotted(self, text: str) -> str:
        folded = _folded(text)
        shown: list[str] = []
        end = 0  # of what is dealt with, shown or hidden
        for start in range(len(folded)):
            for length in self._lengths:
                if folded[start : start + length] in self._pieces:
                    if start > end or not shown:
                        shown += [text[end:start], "***"]
                    end = max(end, start + length)
        return "".join([*shown, text[end:]])


def _spellings(secret: str) -> Iterable[str]:
    """How ``secret`` may be written in somebody else's text."""
    as_json = json.dumps(secret)[1:-1]
    return dict.fromkeys(
        [
            secret,
            as_json,
            json.dumps(secret, ensure_ascii=False)[1:-1],
            json.dumps(as_json)[1:-1],
            quote(secret, safe=""),
            quote(secret),
            quote_plus(secret),
            html.escape(secret),
            repr(secret)[1:-1],
            repr(secret.encode(errors="replace"))[2:-1],
            secret.encode(errors="replace").hex(),
            *_in_base64(secret.encode(errors="replace")),
        ]
    )


def _in_base64(secret: bytes) -> Iterator[str]:
    """What is the same in the Base64 of every text that holds ``secret``, by its place therein."""
    for before, first in enumerate((0, 2, 3)):
        whole = base64.b64encode(b"\0" * before + secret)[first : (before + len(secret)) * 8 // 6].decode()
        yield whole
        yield whole.translate({ord("+"): "-", ord("/"): "_"})


def _pieces(spelling: str) -> Iterator[str]:
    folded = _folded(spelling)
    if _SHORTEST_SECRET <= len(folded) < _PIECE:
        yield folded
    for start in range(len(folded) - _PIECE + 1):
        yield folded[start : start + _PIECE]


def _folded(text: str) -> str:
    """``text`` in lower case, each character in its place."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(lower if len(lower := char.lower()) == 1 else char for char in text)
