"""``make fuzz-guided``: pages of numbers, changed byte by byte towards lines of the decoder that none has reached yet.

A page is taken apart by this project's own code where its rows are written alike. Whatever that makes of a body must be
what a decoder of JSON makes of it, row by row, or it has to leave the body to that. All else that comes from outside is
taken apart by libraries; for that, ``make fuzz`` makes up inputs that get past them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=[f"ocp_numbers.inventory.{room}" for room in ("envelope", "layout", "schema")]):
    from inventory.estate import row
    from ocp_numbers.inventory import schema
    from ocp_numbers.inventory.envelope import parts_of
    from ocp_numbers.inventory.layout import columns_of

CORPUS = Path(__file__).resolve().parents[2] / "build" / "fuzz-guided"
PIECES = ("null", '"number"', '"note": null', "}, {", "},{", '": "', '","', '"allNumbers"', '"numbers"', "\\u0022", "é")
"""What pages are made of, for longer jumps than a byte."""


def check(body: bytes) -> None:
    """Decode ``body`` in both ways.

    :raises AssertionError: when they differ.
    """
    by_column = schema._decode_columns(body)
    if by_column is not None:
        assert told(by_column) == told(schema._decode_rows(body))
    parts = parts_of(body)
    if parts is None:
        return
    columns = columns_of(parts.rows, schema._FIELDS)
    if columns is not None:
        rows = json.loads(b"[%s]" % bytes(parts.rows))
        assert {name: column.to_pylist() for name, column in columns.items()} == {
            name: [each[name] for each in rows] for name in columns
        }


def told(page: schema.DecodedPage) -> tuple[Any, ...]:
    """All that a page says."""
    return page.page, page.number_of_pages, page.all_numbers, page.batch.to_pylist(), page.rejects


def seeds() -> Sequence[bytes]:
    """Pages that are right, as platforms write them."""
    rows = [row(0), row(1, note=None), row(2, groupId=None, note='"quoted" \\ and é')]
    pages = [{"numbers": rows[:count], "page": 1, "numberOfPages": 1, "allNumbers": count} for count in range(4)]
    return [json.dumps(page, separators=each).encode() for page in pages for each in ((",", ":"), (", ", ": "))]


def main() -> None:
    """Run until something differs, or as the flags of libFuzzer say; the body that does is left in the folder."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(seeds()):
        (CORPUS / f"seed-{place}").write_bytes(seed)
    dictionary = CORPUS.with_suffix(".dict")
    dictionary.write_text(
        "\n".join('"' + "".join(f"\\x{byte:02x}" for byte in piece.encode()) + '"' for piece in PIECES)
    )
    flags = [f"-dict={dictionary}", f"-artifact_prefix={CORPUS}/differs-", "-max_len=4000", "-timeout=10"]
    atheris.Setup([sys.argv[0], *flags, *sys.argv[1:], str(CORPUS)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
