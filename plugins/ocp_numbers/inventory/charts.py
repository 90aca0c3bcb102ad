"""Charts as numbers: what the report's template draws, already measured out, so that it only has to place it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 880, 150
"""Size of a chart over the nights, in its own units."""

BARS_SHOWN = 12
_MARGIN = 14
_FIGURE = 18
"""Room for the figure at the end of a column."""
GUTTER = 70
"""Room on the left for the figures of the axis."""


@dataclass(frozen=True)
class Bar:
    """One value of a distribution: ``length`` in percent of the longest bar, ``share`` in percent of all."""

    label: str
    count: int
    length: float
    share: float


def bars(counts: Mapping[str, int], *, none: str) -> list[Bar]:
    """The values of ``counts``, the most frequent first; what is beyond the first dozen is added up at the end.

    :param none: what to call the empty value.
    """
    ranked = sorted(((label or none, count) for label, count in counts.items()), key=lambda each: (-each[1], each[0]))
    shown, others = ranked[:BARS_SHOWN], ranked[BARS_SHOWN:]
    if others:
        shown.append((f"{len(others):,} others", sum(count for _, count in others)))
    longest = max((count for _, count in shown), default=0) or 1
    total = sum(counts.values()) or 1
    return [Bar(label, count, 100 * count / longest, 100 * count / total) for label, count in shown]


@dataclass(frozen=True)
class Point:
    """The number of rows of one night, and where it lies in the chart."""

    day: date
    rows: int
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """The rows of each night as a line; ``low`` and ``high`` are the ends of its axis."""

    points: tuple[Point, ...]
    low: int
    high: int

    @property
    def top(self) -> float:
        """Where the highest value lies."""
        return min(point.y for point in self.points)

    @property
    def bottom(self) -> float:
        """Where the lowest value lies."""
        return max(point.y for point in self.points)

    @property
    def path(self) -> str:
        """The line, in the language of SVG."""
        return "M" + " L".join(f"{point.x:.1f} {point.y:.1f}" for point in self.points)

    @property
    def area(self) -> str:
        """What lies below the line."""
        return f"{self.path} L{self.points[-1].x:.1f} {HEIGHT} L{self.points[0].x:.1f} {HEIGHT} Z"


def line(nights: Sequence[tuple[date, int]]) -> Line:
    """The rows of ``nights``, oldest first, on an axis that shows their differences."""
    low, high = min(rows for _, rows in nights), max(rows for _, rows in nights)
    span = high - low or 1
    usable = HEIGHT - 2 * _MARGIN
    points = (
        Point(day, rows, x, HEIGHT - _MARGIN - (usable * (rows - low) / span if high > low else usable / 2))
        for (day, rows), x in zip(nights, _places(nights), strict=True)
    )
    return Line(tuple(points), low, high)


@dataclass(frozen=True)
class Column:
    """What came and what went in one night: two bars, up and down from the baseline."""

    day: date
    added: int
    gone: int
    x: float
    width: float
    up: float
    down: float

    @property
    def middle(self) -> float:
        """Where its figures stand."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Columns:
    """A column for each night; ``baseline`` leaves as much room on each side as the highest of its bars needs."""

    nights: tuple[Column, ...]
    baseline: float


def columns(nights: Sequence[tuple[date, int, int]]) -> Columns:
    """Numbers added and gone in each of ``nights``, oldest first, all on one scale."""
    added = max((added for _, added, _ in nights), default=0)
    gone = max((gone for _, _, gone in nights), default=0)
    unit = (HEIGHT - 2 * _FIGURE) / (added + gone or 1)
    width = min(26.0, 0.6 * (WIDTH - GUTTER) / max(len(nights), 1))
    return Columns(
        tuple(
            Column(day, added, gone, x - width / 2, width, _visible(unit * added), _visible(unit * gone))
            for (day, added, gone), x in zip(nights, _places(nights), strict=True)
        ),
        _FIGURE + unit * added if added or gone else HEIGHT / 2,
    )


def short(count: int) -> str:
    """``count`` in at most four characters, for where there is no room for more: ``950``, ``1.2k``, ``12k``, ``3M``."""
    value, unit = float(count), ""
    for unit in ("", "k", "M", "G"):
        if value < 999.5 or unit == "G":
            break
        value /= 1000
    return f"{value:.1f}{unit}" if unit and value < 9.95 else f"{value:.0f}{unit}"


def _visible(height: float) -> float:
    """One number among ten thousand is to be seen, too."""
    return max(height, 1.5) if height else 0


def _places(nights: Sequence[object]) -> list[float]:
    step = (WIDTH - GUTTER) / max(len(nights), 1)
    return [GUTTER + step * (place + 0.5) for place in range(len(nights))]
