"""The package's rooms, drawn from their imports: each above all that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

PACKAGES = Path(__file__).resolve().parents[2] / "plugins"
WIDTH, HEIGHT, GAP, FLOOR = 112, 30, 12, 74
"""A room's size, the space between two, and the height of a storey, in pixels."""


@dataclass(frozen=True)
class Room:
    """A module or package right below the package's root.

    :param purpose: the first sentence of its docstring. :param lines: of all its modules.
    """

    name: str
    purpose: str
    modules: int
    lines: int
    imports: frozenset[str]


def rooms(package: str = "ocp_numbers") -> dict[str, Room]:
    """All rooms, by name, with what they import of each other."""
    graph = grimp.build_graph(package)
    paths = {path: path.rpartition(".")[2] for path in graph.find_children(package)}
    found = {}
    for path, name in sorted(paths.items()):
        files = _files(path)
        imported = (
            other
            for other in paths
            if other != path and graph.direct_import_exists(importer=path, imported=other, as_packages=True)
        )
        lines = sum(len(file.read_text().splitlines()) for file in files)
        found[name] = Room(name, _purpose(files[0]), len(files), lines, frozenset(paths[each] for each in imported))
    return found


def storeys(found: Mapping[str, Room]) -> list[list[str]]:
    """The rooms in storeys, the lowest first: each stands right above the highest that it imports."""
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            heights[name] = 1 + max(map(height, found[name].imports), default=-1)
        return heights[name]

    highest = max(map(height, found))
    return [sorted(name for name in found if heights[name] == level) for level in range(highest + 1)]


def needed(found: Mapping[str, Room]) -> list[tuple[str, str]]:
    """The imports that no chain of others implies: drawn, they show what stands on what."""

    def reached(name: str) -> set[str]:
        below = found[name].imports
        return set(below).union(*map(reached, below)) if below else set()

    return [
        (name, lower)
        for name, room in found.items()
        for lower in sorted(room.imports)
        if not any(lower in reached(other) for other in room.imports - {lower})
    ]


def drawing(found: Mapping[str, Room]) -> str:
    """An SVG of the rooms, in one line, in the colours of the page around it."""
    levels = storeys(found)
    width = max(map(len, levels)) * (WIDTH + GAP) + GAP
    places = {}
    for level, names in enumerate(levels):
        left = (width - len(names) * (WIDTH + GAP) + GAP) / 2
        for index, name in enumerate(names):
            places[name] = (left + index * (WIDTH + GAP), (len(levels) - 1 - level) * FLOOR + GAP)
    arrows = (_arrow(places[upper], places[lower]) for upper, lower in needed(found))
    boxes = (_box(found[name], *place) for name, place in places.items())
    height = len(levels) * FLOOR
    return (
        f'<svg class="rooms" viewBox="0 0 {width} {height}" role="img" aria-label="The rooms and their imports">'
        f"{''.join(arrows)}{''.join(boxes)}</svg>"
    )


def table(found: Mapping[str, Room]) -> Iterable[tuple[str, str, str, str]]:
    """A row for each room, the highest first: name, purpose, modules, lines."""
    for names in reversed(storeys(found)):
        for name in names:
            room = found[name]
            yield f"`{name}`", room.purpose, str(room.modules), f"{room.lines:,}"


def _files(path: str) -> list[Path]:
    place = PACKAGES.joinpath(*path.split("."))
    return (
        [place / "__init__.py", *sorted(set(place.rglob("*.py")) - {place / "__init__.py"})]
        if place.is_dir()
        else [place.with_suffix(".py")]
    )


def _purpose(file: Path) -> str:
    text = " ".join((ast.get_docstring(ast.parse(file.read_text())) or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".")


def _arrow(upper: tuple[float, float], lower: tuple[float, float]) -> str:
    start, end = upper[0] + WIDTH / 2, lower[0] + WIDTH / 2
    top, bottom = upper[1] + HEIGHT, lower[1]
    bend = (bottom - top) / 2
    return (
        f'<path d="M{start:.0f} {top}C{start:.0f} {top + bend:.0f} {end:.0f} {bottom - bend:.0f} {end:.0f} {bottom}"/>'
    )


def _box(room: Room, left: float, top: float) -> str:
    return (
        f"<g><title>{escape(room.purpose)}</title>"
        f'<rect x="{left:.0f}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>'
        f'<text x="{left + WIDTH / 2:.0f}" y="{top + HEIGHT / 2 + 4:.0f}">{escape(room.name)}</text></g>'
    )
