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

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from pydantic import AliasChoices, ValidationError

from ocp_numbers.models import E164, PhoneNumber

COLUMNS: tuple[str, ...] = tuple(PhoneNumber.model_fields)
SCHEMA = pa.schema([pa.field(name, pa.string(), nullable=name != "number") for name in COLUMNS])

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


def fingerprint(raw: bytes) -> bytes:
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
    return pa.RecordBatch.from_pylist([row.model_dump() for row in rows], schema=SCHEMA)


def _spellings(name: str) -> tuple[str, ...]:
    field = PhoneNumber.model_fields[name]
    if isinstance(field.validation_alias, AliasChoices):
        return tuple(str(choice) for choice in field.validation_alias.choices if choice != name)
    return (field.alias or name,)


_SPELLINGS = {name: _spellings(name) for name in COLUMNS}
_ROW = pa.struct([(spelling, pa.string()) for spellings in _SPELLINGS.values() for spelling in spellings])
_PAGE = pa.schema([("numbers", pa.list_(_ROW)), *[(name, pa.int64()) for name in _ENVELOPE.values()]])
_PARSE = pyarrow.json.ParseOptions(explicit_schema=_PAGE, newlines_in_values=True, unexpected_field_behavior="ignore")


def _decode_columns(raw: bytes) -> DecodedPage | None:
    """The page, if all of it is right; ``None`` where anything is not, for the slower way to say what."""
    read = pyarrow.json.ReadOptions(use_threads=False, block_size=len(raw) + 1)
    try:
        page = pyarrow.json.read_json(pa.BufferReader(raw), read_options=read, parse_options=_PARSE)
        page.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if page.num_rows != 1 or any(page[name].null_count for name in page.column_names):
        return None
    rows = page["numbers"].combine_chunks().flatten()
    columns = dict(zip(_ROW.names, rows.flatten(), strict=True))
    batch = pa.RecordBatch.from_arrays(
        [_first([columns[spelling] for spelling in spellings]) for spellings in _SPELLINGS.values()],
        schema=SCHEMA,
    )
    right = pc.all(pc.match_substring_regex(batch["number"], E164_WHOLE), skip_nulls=False).as_py()
    if not right:
        return None
    return DecodedPage(**{field: page[name][0].as_py() for field, name in _ENVELOPE.items()}, batch=batch)


def _first(columns: list[pa.Array]) -> pa.Array:
    """The first value of each row among ``columns``, which are the spellings of one field."""
    return columns[0] if len(columns) == 1 else pc.coalesce(*columns)


def _decode_rows(raw: bytes) -> DecodedPage:
    try:
        page = json.loads(raw)
    except ValueError as error:
        start = raw[:60].decode(errors="replace")
        raise NotAPage(f"the body is not JSON ({error}); it starts with {start!r}") from error
    if not isinstance(page, dict) or not isinstance(page.get("numbers"), list):
        raise NotAPage("the body has no list 'numbers'")
    for name in _ENVELOPE.values():
        value = page.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            page[name] = int(value)
        elif type(value) is not int:
            raise NotAPage(f"'{name}' is {value!r}, not a whole number")
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


def _checked(row: Any) -> PhoneNumber:
    if not isinstance(row, Mapping):
        raise ValueError(f"the row is {row!r}, not an object")
    record = PhoneNumber.model_validate(row)
    if not (record.number.isascii() and E164.fullmatch(record.number)):
        raise ValueError(f"number: {record.number!r} is not in E.164")
    for name, value in record:
        try:
            (value or "").encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name}: {value!r} is not valid Unicode") from None
    return record


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return str(error)
