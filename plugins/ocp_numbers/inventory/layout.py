"""Rows that are all written alike, taken apart into columns without a Python object for each value.

A platform writes the rows of a page by one pattern: the same fields in the same order, each a text or ``null``. Texts
without an escape stand in the page as they are, between two quotes. What stands between one text and the next - names
of fields, ``null`` for some of them, the end of a row - is always one of a few pieces, so that each piece is understood
once, however often it comes.

Nothing is guessed: the pieces have to make whole rows of the same fields, in JSON to the letter. Where anything else is
found, nothing is read, and it is for a decoder of JSON to say what that is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST_PIECES = 256
"""Different pieces between texts in one page; where there are more, each is not understood only once."""

_BLOCK = 1 << 16
"""Bytes looked through at once: what is made of so few stays in memory that the process has at hand."""

_QUOTE, _COLON, _ESCAPE, _FIRST_PRINTED, _FIRST_BEYOND_ASCII = b'":\\ \x80'
_APART = r" *(?:,|\} *, *\{) *"
_PIECE = re.compile(rf'"(?:{_APART}"[^"]*": *null)* *{_APART}"[^"]*": *"')
_FIELD = re.compile(r'([,{]) *"([^"]*)"')


def columns_of(rows: memoryview, wanted: Collection[str]) -> dict[str, pa.Array] | None:
    """The columns of ``rows``, by the names of the fields; ``None`` where the rows are not written alike.

    :param rows: the text between the brackets of an array of objects in JSON.
    :param wanted: names of the fields that are needed. Those that no row has are missing in the answer.
    """
    content = np.frombuffer(rows, np.uint8)
    bounds = _bounds(content) if _is_plain(content, rows) else None
    if bounds is None:
        return None
    pieces = pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(rows))
    between = pc.dictionary_encode(_taken(pieces, np.arange(0, len(bounds), 2, dtype=np.int32)))
    if len(between.dictionary) > MOST_PIECES:
        return None
    order = np.frombuffer(between.indices.buffers()[1], np.int32, len(between))
    found = _texts_by_field(between.dictionary.to_pylist(), order)
    if found is None:
        return None
    names, texts = found
    chosen = [place for place, name in enumerate(names) if name in wanted]
    values, count = _taken(pieces, texts[chosen]), texts.shape[1]
    return {names[place]: values.slice(each * count, count) for each, place in enumerate(chosen)}


def _is_plain(content: Any, rows: memoryview) -> bool:
    """Whether ``rows`` are in UTF-8, without an escape and without a control character."""
    if not len(content) or content.min() < _FIRST_PRINTED or (content == _ESCAPE).any():
        return False
    if content.max() >= _FIRST_BEYOND_ASCII:
        try:
            str(rows, "utf-8")
        except UnicodeDecodeError:
            return False
    return True


def _bounds(content: Any) -> Any:
    """Where in ``content`` each piece ends: what is no text, a text, what is no text, and so on.

    A name is told from a text by the colon after it. ``None`` where there is no text, or a quote too many.
    """
    texts = _texts(content)
    if not len(texts):
        return None
    bounds = np.empty(texts.size + 2, np.int32)
    bounds[0], bounds[-1] = 0, len(content)
    bounds[1:-1] = texts.ravel()
    bounds[1:-1:2] += 1  # a text begins behind its quote, and ends before the other
    return bounds


def _texts(content: Any) -> Any:
    """The places of the two quotes of each text; none where there is a quote too many."""
    quotes = _quotes(content)
    if len(quotes) % 2:
        return quotes[:0]
    strings = quotes.reshape(-1, 2)
    return strings.compress(content.take(strings[:, 1] + 1, mode="clip") != _COLON, axis=0)


def _quotes(content: Any) -> Any:
    """The places of all quotes."""
    blocks = [(start, content[start : start + _BLOCK]) for start in range(0, len(content), _BLOCK)]
    found = [np.flatnonzero(block == _QUOTE) + start for start, block in blocks]
    return np.concatenate(found, dtype=np.int32, casting="unsafe")


def _texts_by_field(pieces: list[str], order: Any) -> tuple[Sequence[str], Any] | None:
    """The names of the fields, and for each, row by row, the number of the piece that is its text, or -1 for ``null``.

    :param pieces: what stands between texts, before the first and behind the last. :param order: how they follow.
    """
    # As if a row went before the first one, and another came after the last: then all pieces are of one kind.
    head, tail = order[0], order[-1]
    pieces[head] = f'"}},{pieces[head]}'
    opening = _fields(pieces[head])
    if not opening:
        return None
    pieces[tail] = f'{pieces[tail]},{{"{opening[0][1]}":"'
    fields = [_fields(piece) for piece in pieces]
    names = _names(fields, order)
    steps = [_step(each, names) for each in fields]
    if None in steps:
        return None
    lengths, lasts = np.array(steps, np.int32).T
    passed = lengths.take(order).cumsum(dtype=np.int32) - 1
    if (passed % len(names) != lasts.take(order)).any():
        return None
    texts = np.full(passed[-1], -1, np.int32)
    texts[passed[:-1]] = np.arange(1, 2 * len(passed) - 1, 2, dtype=np.int32)
    return list(names), np.ascontiguousarray(texts.reshape(-1, len(names)).T)


def _fields(piece: str) -> list[tuple[bool, str]]:
    """The fields that ``piece`` names: whether a row begins with it, and the name. None where it is something else."""
    return [(mark == "{", name) for mark, name in _FIELD.findall(piece)] if _PIECE.fullmatch(piece) else []


def _names(fields: Sequence[Sequence[tuple[bool, str]]], order: Any) -> Mapping[str, int]:
    """The names of the first row, in order, with their places."""
    names: dict[str, int] = {}
    for piece in order:
        for begins, name in fields[piece]:
            if begins and names:
                return names
            names.setdefault(name, len(names))
    return names


def _step(fields: Sequence[tuple[bool, str]], names: Mapping[str, int]) -> tuple[int, int] | None:
    """How many fields a piece goes on by, and the place of the last; ``None`` where it does not go field by field."""
    places = [names.get(name, -1) for _, name in fields]
    going_on = [(places[0] + step) % len(names) for step in range(len(places))] if places else None
    if places != going_on or any(begins != (place == 0) for (begins, _), place in zip(fields, places, strict=True)):
        return None
    return len(places), places[-1]


def _taken(pieces: pa.Array, places: Any) -> pa.Array:
    """The ``pieces`` at ``places``, one dimension after the other; ``null`` for a place below 0."""
    flat = places.ravel()
    there = flat >= 0
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    return pc.take(pieces, pa.Array.from_buffers(pa.int32(), len(flat), [valid, pa.py_buffer(flat)]), boundscheck=False)
