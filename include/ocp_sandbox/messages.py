"""Requests and answers as the application sees them, free of sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from urllib.parse import unquote

Delivery = Literal["whole", "dropped", "truncated"]
SHOWN = 10


@dataclass(frozen=True)
class Request:
    """One request: ``target`` as sent (path and query, still encoded), header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def raw_path(self) -> str:
        """The path as sent, still percent-encoded."""
        return self.target.partition("?")[0]

    @cached_property
    def path(self) -> str:
        """The decoded path, by which calls are logged and faults are matched."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> str:
        """The query as sent, without its question mark."""
        return self.target.partition("?")[2]

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Response:
    """One answer. ``delivery`` says whether it arrives; a ``stream`` is sent piece by piece in place of ``body``."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = "whole"
    stream: Iterator[bytes] | None = None


class Refusal(Exception):
    """A request that is answered with an error status and a message in the vendor's shape."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer that carries this refusal."""
        return answer({"success": False, "message": self.message}, status=self.status, headers=self.headers)


def answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """``value`` as a JSON answer."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, headers=dict(headers or {}))


def listed(items: Iterable[object]) -> str:
    """``items`` in a row for a message, the first ten of them and how many more there are."""
    shown = list(items)
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return ", ".join(map(str, shown[:SHOWN])) + more
