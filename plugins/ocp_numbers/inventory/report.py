"""The report of a night: one HTML file that needs nothing else, for a person with a minute to spare.

No script, no address, nothing loaded: it can be mailed, and whatever a note or a name holds is text in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow.compute as pc
import pyarrow.parquet as pq
from jinja2 import Environment, StrictUndefined

from ocp_numbers.balance import Balance
from ocp_numbers.inventory import charts
from ocp_numbers.inventory.attribution import OUTSIDE
from ocp_numbers.inventory.manifest import Manifest

REPORT = "report.html"
FINDINGS_SHOWN = 50
"""Findings of the balance that the report lists."""

NIGHTS = 31
"""Nights that the trend goes back."""

EXAMPLES = 8
"""Changes of each kind that are shown in full."""

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
_LONGEST = 60
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True)
class Example:
    """A change to show."""

    number: str
    change: str
    field: str
    before: str | None
    after: str | None
    by: str


def render(
    manifest: Manifest,
    nights: Sequence[Manifest],
    changes: BinaryIO | None = None,
    balance: Balance | None = None,
) -> bytes:
    """The report of ``manifest``.

    :param nights: the manifests of earlier nights of the same scope, oldest first.
    :param changes: the night's ``changes.parquet``, where there is one.
    :param balance: of the night, where there is one.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clip"] = clip
    environment.filters["size"] = _size
    environment.filters["short"] = charts.short
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    counts = manifest.counts
    types = {kind.replace("_", " "): count for kind, count in counts.by_type.items()}
    history = [*nights, manifest][-NIGHTS:]
    html = template.render(
        manifest=manifest,
        counts=counts,
        proof=manifest.proof,
        balance=balance,
        findings=balance.first[:FINDINGS_SHOWN] if balance else (),
        before=nights[-1] if nights else None,
        attention=list(_attention(manifest)),
        line=charts.line([(night.date, night.rows) for night in history]) if nights else None,
        columns=charts.columns(
            [
                (night.date, night.changes.counts.get("added", 0), night.changes.counts.get("gone", 0))
                for night in history
                if night.changes
            ]
        ),
        width=charts.WIDTH,
        height=charts.HEIGHT,
        gutter=charts.GUTTER,
        outside=OUTSIDE,
        distributions=[
            ("By attachment", charts.bars({"attached": counts.attached, "not attached": counts.unattached}, none="")),
            ("By country", charts.bars(counts.by_country, none="none named")),
            ("By group", charts.bars(counts.by_group, none="no group")),
            ("By miniApp", charts.bars(counts.by_mini_app, none="none attached")),
            ("By type", charts.bars(types, none="not a valid number")),
        ],
        examples=_examples(changes) if changes else [],
    )
    return html.encode()


def clip(text: str, longest: int = _LONGEST) -> str:
    """``text`` short enough for a table, without what cannot be seen or turns the writing around."""
    visible = _UNSEEN.sub("\N{MIDDLE DOT}", text)
    return visible if len(visible) <= longest else f"{visible[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def _attention(manifest: Manifest) -> Iterator[str]:
    """What a person should look at, a sentence each."""
    counts = manifest.counts
    yield from manifest.notices
    if manifest.rejects:
        yield f"Rows left out since they are not records of numbers: {manifest.rejects:,} (rejects.jsonl)"
    if counts.invalid:
        yield f"Numbers that do not exist in their country's numbering plan: {counts.invalid:,} (column valid)"
    if counts.country_mismatches:
        yield (
            f"Numbers of which the platform names another country than they do themselves: "
            f"{counts.country_mismatches:,} (column derived_country)"
        )
    if manifest.changes and (outside := manifest.changes.by.get(OUTSIDE)):
        yield f"Changes made by none of our orders and runs: {outside:,} (column by of changes.parquet)"


def _examples(changes: BinaryIO) -> list[Example]:
    """The first changes of each kind."""
    found: dict[str, list[Example]] = {}
    for batch in pq.ParquetFile(changes).iter_batches():
        for kind in batch["change"].unique().to_pylist():
            shown = found.setdefault(kind, [])
            rows = batch.filter(pc.equal(batch["change"], kind)).slice(0, EXAMPLES - len(shown))
            shown += [Example(**each) for each in rows.to_pylist()]
    return [example for kind in sorted(found) for example in found[kind]]


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count //= 1024
    return f"{count:,.0f} GiB"
