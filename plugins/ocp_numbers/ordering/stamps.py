"""Stamps: the order's mark in the note of each number it buys, so that OCP alone tells which order a number belongs to.

A stamp stands behind the person's text. Orders of one region differ only in their generation, and share the part of
the stamp before it::

    front desk, 2nd floor [order 7f3a9c2e1b40]
    front desk, 2nd floor [order 0c51d8e29a77/2]
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from ocp_numbers.errors import InvalidInput

LONGEST_NOTE = 200
"""Characters of a person's note: OCP documents no limit, but a note cut off at its end would lose the stamp."""

_STAMP = re.compile(r"\[order [0-9a-f]{12}(?:/[0-9]+)?\]")
_LOOKALIKE = re.compile(r"\[\s*order\b", re.IGNORECASE)


def order_id(*parts: str, generation: int | None = None) -> str:
    """The id of an order: ``parts`` joined by ``/``, whatever they contain, and the generation behind them.

    The first part is the environment. The same parts give the same id, different ones different ids.

    :raises InvalidInput: for an empty part or a generation below 1.
    """
    if not parts or not all(parts):
        raise InvalidInput(f"order_id: {parts!r} has an empty part; name each of them")
    if generation is not None and generation < 1:
        raise InvalidInput(f"order_id: generation {generation} is below 1; count generations from 1")
    base = "/".join(quote(part, safe=" :+@=,") for part in parts)
    return base if generation is None else f"{base}/{generation}"


def stamp(order_id: str) -> str:
    """The stamp of an order: a number whose note contains it belongs to the order."""
    base, _, generation = order_id.rpartition("/")
    if base and generation.isascii() and generation.isdigit():
        return f"{stamp_family(base)}{generation}]"
    return f"[order {_hash(order_id)}]"


def stamp_family(base: str) -> str:
    """What the stamps of all generations of ``base`` begin with, up to the ``/``; for a search over notes."""
    return f"[order {_hash(base)}/"


def stamps_in(note: str | None) -> tuple[str, ...]:
    """All stamps in a note, in order."""
    return tuple(_STAMP.findall(note or ""))


def stamped(note: str | None, order_id: str) -> str:
    """The note that numbers of the order are bought with: the person's text and the stamp behind it."""
    return f"{note} {stamp(order_id)}" if note else stamp(order_id)


def check_note(note: str | None, *, field: str = "note") -> str | None:
    """``note``, once it can stand beside a stamp.

    :raises InvalidInput: when it is too long, or looks like a stamp itself.
    """
    if note is None:
        return None
    problems = []
    if len(note) > LONGEST_NOTE:
        problems.append(f"{field}: {len(note)} characters are too many; use at most {LONGEST_NOTE}")
    if _LOOKALIKE.search(note):
        problems.append(f"{field}: {note[:80]!r} looks like the stamp of an order; write it without '[order'")
    if problems:
        raise InvalidInput(problems)
    return note


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
