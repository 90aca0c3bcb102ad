"""Keeps secrets out of everything that is said about a call."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

MESSAGE_AT_MOST = 500
_SHORTEST_SECRET = 4  # blotting out every "a" would hide nothing and garble the message
_LOGIN_IN_URL = re.compile(r"//[^/@\s]+@")
_NOT_PRINTED = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Redactor:
    """Knows every secret of one client, given or obtained, and blots them out of texts.

    :param on_secret: told of each secret once, so that others (a log masker) can hide it too.
    """

    def __init__(self, on_secret: Callable[[str], None] | None = None) -> None:
        self._on_secret = on_secret
        self._spellings: dict[str, None] = {}
        self._lock = threading.RLock()  # also a signal handler may close the client, in the midst of this

    def learn(self, secret: str) -> None:
        """Hide ``secret`` from now on, also as JSON or a form would spell it."""
        if len(secret) < _SHORTEST_SECRET:
            return
        with self._lock:
            if secret in self._spellings:
                return
            for spelling in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)):
                self._spellings[spelling] = None
        if self._on_secret is not None:
            self._on_secret(secret)

    def clean(self, text: str) -> str:
        """``text`` on one line, without secrets and control characters, and not longer than a message may be."""
        with self._lock:
            spellings = sorted(self._spellings, key=len, reverse=True)
        for spelling in spellings:
            text = text.replace(spelling, "***")
        text = _NOT_PRINTED.sub(" ", _LOGIN_IN_URL.sub("//***@", text)).strip()
        return text if len(text) <= MESSAGE_AT_MOST else text[:MESSAGE_AT_MOST] + "…"
