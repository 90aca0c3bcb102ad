"""How things are written on the pages: figures, dates, ages, texts from outside."""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ocp_numbers.inventory.attribution import OUTSIDE

HERE = Path(__file__).parent
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@cache
def templates() -> Environment:
    """The templates, which take everything for text unless it says otherwise."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": figure,
        "money": money,
        "share": share,
        "day": day,
        "moment": moment,
        "age": age,
        "seen": seen,
        "segment": lambda text: quote(str(text), safe=""),
        "whole": lambda text: quote(str(text), safe="/"),
        "month": month,
    }
    return environment


@cache
def version() -> str:
    """What tells these static files from those of any other version of the dashboard."""
    content = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


def figure(count: int) -> str:
    """``1,234,567``."""
    return f"{count:,}"


def money(amount: Decimal) -> str:
    """``1,234.50``, without a currency: OCP names none. Whole amounts stand without decimals."""
    whole = amount.quantize(Decimal("0.01"))
    return f"{whole:,.0f}" if whole == whole.to_integral_value() else f"{whole:,.2f}"


def share(part: int, whole: int) -> str:
    """``12.3 %``, and nothing where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def day(when: date) -> str:
    """``23 Nov 2026``."""
    return f"{when.day} {when:%b %Y}"


def month(name: str) -> str:
    """``2026-11`` as ``Nov 2026``."""
    return f"{date.fromisoformat(f'{name}-01'):%b %Y}"


def moment(when: datetime) -> str:
    """``23 Nov 2026, 02:10 UTC``."""
    utc = when.astimezone(timezone.utc)
    return f"{day(utc)}, {utc:%H:%M} UTC"


def age(span: timedelta) -> str:
    """``5 h``, ``3 days``: how long ago, in the coarsest unit that still says something."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 90:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def seen(text: str, longest: int = 120) -> str:
    """``text`` without what cannot be seen or turns the writing around, cut where it is too long."""
    visible = _UNSEEN.sub("\N{MIDDLE DOT}", text)
    return visible if len(visible) <= longest else f"{visible[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def author(by: str) -> tuple[str, str]:
    """Who made a change, as its kind - ``order``, ``run`` or ``outside`` - and its name."""
    kind, _, name = by.partition(" ")
    return (kind, name) if kind in ("order", "run") and name else (OUTSIDE, by)
