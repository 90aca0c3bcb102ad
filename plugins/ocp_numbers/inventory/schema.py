"""The columns of an export, and how a page of the vendor's JSON becomes a batch of them.

A page is decoded and checked as a whole, column by column. Only a page with a fault in it is gone through row by row,
to tell the rows that are right from those that are not, and why.
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
from msgspec.structs import astuple
from pydantic import ValidationError

from ocp_numbers.arrays import texts
from ocp_numbers.errors import quoted
from ocp_numbers.models import E164, MOST_NUMBERS, MOST_PAGES, PhoneNumber

COLUMNS: tuple[str, ...] = tuple(PhoneNumber.model_fields)
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=name != "number") for name in COLUMNS])

_NO_ROWS = [pa.nulls(0, field.type) for field in SCHEMA]
_MOST = {"numberOfPages": MOST_PAGES, "page": MOST_PAGES + 1}
_LONGEST_COUNT = 18

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
    """32 bytes that differ when the body does."""
    return hashlib.sha256(raw).digest()


def content_fingerprint(raw: bytes) -> bytes:
    """32 bytes that differ when the page's meaning does, whatever else the body carries or in which order.

    :raises NotAPage: where there is no meaning.
    """
    page = decode(raw)
    content = hashlib.sha256(page.batch.serialize())
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
_FIRST, _LAST = "<", ">"
"""Stand at the ends of each row: the brackets around a row, written as a line, belong to them."""
_Row = msgspec.defstruct(
    "_Row",
    [
        ("_first", int, msgspec.field(default=0, name=_FIRST)),
        *((name, str) if name == "number" else (name, str | None, None) for name in _FIELDS),
        ("_last", int, msgspec.field(default=0, name=_LAST)),
    ],
    gc=False,
    kw_only=True,
)
_Page = msgspec.defstruct("_Page", [("numbers", list[_Row]), *[(name, int) for name in _ENVELOPE.values()]])  # type: ignore[valid-type]
_DECODER = msgspec.json.Decoder(_Page)
_ENCODER = msgspec.json.Encoder()
_AS_TEXTS = pyarrow.csv.ConvertOptions(
    column_types=dict.fromkeys(_FIELDS, pa.string()),
    include_columns=list(_FIELDS),
    null_values=["null"],
    strings_can_be_null=True,
    quoted_strings_can_be_null=False,
)


def _decode_columns(raw: bytes) -> DecodedPage | None:
    """The page, if all of it is right; ``None`` where anything is not, for the slower way to say what."""
    try:
        page: Any = _DECODER.decode(raw)
    except (ValueError, RecursionError):
        return None
    batch = pa.RecordBatch.from_arrays(_columns(page.numbers) if page.numbers else _NO_ROWS, schema=SCHEMA)
    if not all(0 <= getattr(page, name) <= _MOST.get(name, MOST_NUMBERS) for name in _ENVELOPE.values()):
        return None
    right = pc.match_substring_regex(batch["number"], E164_WHOLE)
    if not pc.all(right, min_count=0).as_py():
        return None
    return DecodedPage(**{field: getattr(page, name) for field, name in _ENVELOPE.items()}, batch=batch)


def _columns(rows: list[Any]) -> list[pa.Array]:
    """The columns of ``rows``, each value the first that is there among the spellings of its field.

    Arrow makes arrays of a text in half the time that it takes to make them of Python's strings. JSON written as one
    array a line is CSV as long as nothing in it had to be escaped; where something had, the strings are taken.
    """
    tuples = list(map(astuple, rows))
    lines = _ENCODER.encode_lines(tuples)
    if b"\\" in lines:
        spelt = dict(zip((_FIRST, *_FIELDS, _LAST), zip(*tuples, strict=True), strict=True))
        found = {name: texts(spelt[name]) for name in _FIELDS}
    else:
        whole = pyarrow.csv.ReadOptions(
            use_threads=False, block_size=len(lines) + 1, column_names=[_FIRST, *_FIELDS, _LAST]
        )
        table = pyarrow.csv.read_csv(pa.BufferReader(lines), whole, convert_options=_AS_TEXTS)
        found = {name: table[name].combine_chunks() for name in _FIELDS}
    return [_first_of([found[spelling] for spelling in PhoneNumber.spellings(name)]) for name in COLUMNS]


def _first_of(spelt: list[pa.Array]) -> pa.Array:
    used = [array for array in spelt if array.null_count < len(array)] or spelt[:1]
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
