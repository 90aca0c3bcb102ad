"""The sandbox's own pages below ``/_sandbox/``: faults, clock, and the truth. Open to whoever reaches the port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from ocp_sandbox import truth
from ocp_sandbox.calls import Calls
from ocp_sandbox.faults import Fault, Faults
from ocp_sandbox.messages import Refusal, Request, Response, answer
from ocp_sandbox.store import Store

PREFIX = "/_sandbox/"


class Control:
    """Answers what is asked of the sandbox itself, not of the platform."""

    def __init__(self, store: Store, faults: Faults, calls: Calls) -> None:
        self._store = store
        self._faults = faults
        self._calls = calls
        self._pages = {
            ("GET", "health"): lambda request: {"status": "healthy"},
            ("GET", "ledger"): lambda request: truth.ledger(store),
            ("GET", "miniapps"): lambda request: truth.mini_apps(store),
            ("GET", "groups"): lambda request: truth.groups(store),
            ("GET", "sets"): lambda request: truth.sets(store),
            ("GET", "stock"): self._stock,
            ("GET", "numbers"): self._numbers,
            ("GET", "calls"): lambda request: {"calls": calls.listed(), "most_in_flight": calls.most_in_flight()},
            ("DELETE", "calls"): self._clear_calls,
            ("GET", "faults"): lambda request: faults.listed(),
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "clock"): lambda request: {"now": store.clock.now(), "offset": store.clock.offset},
            ("POST", "clock"): self._advance,
        }

    def handle(self, request: Request) -> Response:
        """Answer a request below ``/_sandbox/``."""
        name = request.path.removeprefix(PREFIX).strip("/")
        page = self._pages.get((request.method, name))
        if page is None:
            known = ", ".join(f"{method} {page}" for method, page in self._pages)
            return Refusal(404, f"No such page: {request.method} {name!r}; known are {known}").response()
        try:
            value = page(request)
        except (ValueError, Refusal) as error:
            return Refusal(400, str(error)).response()
        return value if isinstance(value, Response) else answer(value)

    def _stock(self, request: Request) -> list[dict[str, Any]]:
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        if unknown := set(query) - {"provider", "country"}:
            raise ValueError(f"stock: unknown parameter {', '.join(sorted(unknown))}; known are provider, country")
        return truth.stock(self._store, query.get("provider"), query.get("country"))

    def _numbers(self, request: Request) -> Response:
        lines = (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in truth.numbers(self._store))
        return Response(200, media_type="application/x-ndjson", stream=_joined(lines))

    def _add_faults(self, request: Request) -> list[dict[str, Any]]:
        given = json.loads(request.body or b"null")
        self._faults.add(*[Fault.from_json(each) for each in (given if isinstance(given, list) else [given])])
        return self._faults.listed()

    def _clear_faults(self, request: Request) -> list[dict[str, Any]]:
        self._faults.clear()
        return []

    def _clear_calls(self, request: Request) -> list[dict[str, Any]]:
        self._calls.clear()
        return []

    def _advance(self, request: Request) -> dict[str, float]:
        given = json.loads(request.body or b"null")
        seconds = given.get("advance") if isinstance(given, dict) and len(given) == 1 else None
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
            raise ValueError('clock: send {"advance": seconds}')
        self._store.clock.advance(seconds)
        return {"now": self._store.clock.now(), "offset": self._store.clock.offset}


def _joined(lines: Iterator[bytes], size: int = 64 * 1024) -> Iterator[bytes]:
    """The same bytes in pieces worth sending."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= size:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
