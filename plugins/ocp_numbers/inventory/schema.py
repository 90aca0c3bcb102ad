"""The columns of an export, and how a page of the vendor's JSON becomes a batch of them.

A page is decoded and checked as a whole, column by column: straight from its text where its rows are all written alike,
and by a decoder of JSON where they are not. Only a page with a fault in it is gone through row by row, to tell the rows
that are right from those that are not, and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import astuple
from pydantic import ValidationError

from ocp_numbers.arrays import texts
from ocp_numbers.errors import quoted
from ocp_numbers.inventory.envelope import parts_of
from ocp_numbers.inventory.layout import columns_of
from ocp_numbers.models import E164, MOST_NUMBERS, MOST_PAGES, PhoneNumber

COLUMNS: tuple[str, ...] = tuple(PhoneNumber.model_fields)
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=name != "number") for name in COLUMNS])

_NO_ROWS = [pa.nulls(0, field.type) for field in SCHEMA]
_MOST = {"numberOfPages": MOST_PAGES, "page": MOST_PAGES + 1}
_LONGEST_COUNT = 18

_GMAC, _NONCE = AESGCM(AESGCM.generate_key(128)), bytes(12)

_ENVELOPE = {"page": "page", "number_of_pages": "numberOfPages", "all_numbers": "allNumbers"}
E164_WHOLE = f"^{E164.pattern}$"


@dataclass(frozen=True)
class Reject:
    """A row that is not a number's record: where it stood, what is wrong with it, and the row itself."""

    page: int
    row: int
    reason: str
    value: Any

    def line(self) -> bytes:
        """The reject as a line of ``rejects.jsonl``."""
        fields = {"page": self.page, "row": self.row, "reason": self.reason, "value": self.value}
        return json.dumps(fields).encode() + b"\n"


@dataclass(frozen=True)
class DecodedPage:
    """One page: what the platform says about the listing, the rows that are right and those that are not."""

    page: int
    number_of_pages: int
    all_numbers: int
    batch: pa.RecordBatch
    rejects: tuple[Reject, ...] = ()

    @property
    def count(self) -> int:
        """How many rows the page held, right or wrong."""
        return int(self.batch.num_rows) + len(self.rejects)


class NotAPage(ValueError):
    """The body is not a page of numbers: broken JSON, HTML, or an envelope without its fields."""


def decode(raw: bytes) -> DecodedPage:
    """The page that ``raw``, the body of an answer, holds.

    :raises NotAPage: naming what is missing or of another type.
    """
    return _decode_columns(raw) or _decode_rows(raw)


def fingerprint(raw: bytes | memoryview) -> bytes:
    """16 bytes that differ when the body does, for comparisons within this process.

    By GMAC under a key of this process's own: whatever two bodies hold, their chance to look the same is below one in
    2**100. That takes a tenth of the time of a hash for which nobody may know a second body.
    """
    return _GMAC.encrypt(_NONCE, b"", raw)


def content_fingerprint(raw: bytes) -> bytes:
    """32 bytes that differ when the page's meaning does, whatever else the body carries or in which order.

    :raises NotAPage: where there is no meaning.
    """
    page = decode(raw)
    rows = pa.BufferOutputStream()
    pyarrow.csv.write_csv(page.batch, rows)  # not as Arrow has them: that may hold anything where there is no value
    content = hashlib.sha256(rows.getvalue())
    content.update(repr((page.page, page.number_of_pages, page.all_numbers)).encode())
    for reject in page.rejects:
        content.update(reject.line())
    return content.digest()


def digits(numbers: pa.Array) -> pa.Array:
    """E.164 ``numbers`` as 64-bit integers: fifteen digits always fit, and many are cheap to compare."""
    return pc.cast(pc.utf8_slice_codeunits(numbers, 1), pa.int64())


def ascends(numbers: pa.Array) -> bool:
    """Whether each number sorts after the one before it: in order, and none twice."""
    if len(numbers) < 2:
        return True
    return bool(pc.all(pc.greater(numbers.slice(1), numbers.slice(0, len(numbers) - 1))).as_py())


def batch_of(rows: Iterable[PhoneNumber]) -> pa.RecordBatch:
    """``rows`` as a batch."""
    columns = zip(*(row.model_dump().values() for row in rows), strict=True)
    return pa.RecordBatch.from_arrays([texts(values) for values in columns] or _NO_ROWS, schema=SCHEMA)


_FIELDS = tuple(spelling for name in COLUMNS for spelling in PhoneNumber.spellings(name))
_Row = msgspec.defstruct(
    "_Row", [(name, str) if name == "number" else (name, str | None, None) for name in _FIELDS], gc=False, kw_only=True
)
_Page = msgspec.defstruct("_Page", [("numbers", list[_Row]), *[(name, int) for name in _ENVELOPE.values()]])  # type: ignore[valid-type]
_DECODER = msgspec.json.Decoder(_Page)


def _decode_columns(raw: bytes) -> DecodedPage | None:
    """The page, if all of it is right; ``None`` where anything is not, for the slower way to say what."""
    parts = parts_of(raw)
    spelt = columns_of(parts.rows, _FIELDS) if parts else None
    alike = parts is not None and spelt is not None and "number" in spelt and not spelt["number"].null_count
    try:
        # as text: of bytes, the decoder would not look at names that it does not know
        page: Any = _DECODER.decode(parts.around if parts and alike else raw.decode())
    except (ValueError, RecursionError):
        return None
    if spelt is None or not alike:
        spelt = _spelt(page.numbers)
    batch = pa.RecordBatch.from_arrays(_columns(spelt) if spelt else _NO_ROWS, schema=SCHEMA)
    if not all(0 <= getattr(page, name) <= _MOST.get(name, MOST_NUMBERS) for name in _ENVELOPE.values()):
        return None
    right = pc.match_substring_regex(batch["number"], E164_WHOLE)
    if not pc.all(right, min_count=0).as_py():
        return None
    return DecodedPage(**{field: getattr(page, name) for field, name in _ENVELOPE.items()}, batch=batch)


def _spelt(rows: list[Any]) -> dict[str, pa.Array]:
    """The columns of ``rows`` by the names of the fields; none where there are no rows."""
    return {name: texts(values) for name, values in zip(_FIELDS, zip(*map(astuple, rows), strict=True), strict=False)}


def _columns(spelt: dict[str, pa.Array]) -> list[pa.Array]:
    """The columns of the schema, each value the first that is there among the spellings of its field."""
    count = len(spelt["number"])
    return [
        _first_of([spelt[spelling] for spelling in PhoneNumber.spellings(name) if spelling in spelt], count)
        for name in COLUMNS
    ]


def _first_of(spelt: list[pa.Array], count: int) -> pa.Array:
    used = [array for array in spelt if array.null_count < count] or [pa.nulls(count, pa.string())]
    return used[0] if len(used) == 1 else pc.coalesce(*used)


def _decode_rows(raw: bytes) -> DecodedPage:
    try:
        page = json.loads(raw)
    except (ValueError, RecursionError) as error:
        start = raw[:60].decode(errors="replace")
        raise NotAPage(f"the body is not JSON ({error}); it starts with {start!r}") from error
    if not isinstance(page, dict) or not isinstance(page.get("numbers"), list):
        raise NotAPage("the body has no list 'numbers'")
    for name in _ENVELOPE.values():
        page[name] = _whole_number(name, page.get(name))
    right: list[PhoneNumber] = []
    rejects: list[Reject] = []
    for place, row in enumerate(page["numbers"], start=1):
        try:
            right.append(_checked(row))
        except ValueError as error:
            rejects.append(Reject(page["page"], place, _reason(error), row))
    return DecodedPage(
        **{field: page[name] for field, name in _ENVELOPE.items()}, batch=batch_of(right), rejects=tuple(rejects)
    )


def _whole_number(name: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < _LONGEST_COUNT:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotAPage(f"'{name}' is {quoted(value)}, not a whole number")
    if not 0 <= value <= _MOST.get(name, MOST_NUMBERS):
        raise NotAPage(f"'{name}' is {quoted(value)}; believable are 0 to {_MOST.get(name, MOST_NUMBERS):,}")
    return value


def _checked(row: Any) -> PhoneNumber:
    if not isinstance(row, Mapping):
        raise ValueError(f"the row is {quoted(row)}, not an object")
    record = PhoneNumber.model_validate(row)
    if not (record.number.isascii() and E164.fullmatch(record.number)):
        raise ValueError(f"number: {quoted(record.number)} is not in E.164")
    for name, value in record:
        try:
            (value or "").encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name}: {quoted(value)} is not valid Unicode") from None
    return record


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return str(error)
