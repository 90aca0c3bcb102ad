"""What a person asks of the table of numbers: words to find, filters, an order, a page. Only this becomes SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode

Column = Literal["number", "country", "group", "set", "mini_app", "type", "locale", "note"]
Order = Literal["asc", "desc"]
Attached = Literal["", "yes", "no"]

COLUMNS: dict[str, str] = {
    "number": "number",
    "country": "country",
    "group": "group_id",
    "set": "coalesce(set_name, set_id)",
    "mini_app": "coalesce(mini_app_name, mini_app_id)",
    "type": "number_type",
    "locale": "locale",
    "note": "note",
}
"""The columns that can be sorted by, as addresses name them, and what they are in the inventory."""

PAGE_ROWS = 50

_SEARCHED = (
    "note_lower",
    "lower(group_id)",
    "lower(set_name)",
    "lower(mini_app_name)",
    "lower(mini_app_id)",
    "lower(application_tag)",
)
_WRITTEN_NUMBER = re.compile(r"\+?[\d\s().\-/]{3,}")


@dataclass(frozen=True)
class Question:
    """What is asked. An empty text asks nothing; groups, sets and miniApps are named by id or by name."""

    q: str = ""
    country: str = ""
    group: str = ""
    set: str = ""
    mini_app: str = ""
    attached: Attached = ""
    sort: Column = "number"
    order: Order = "asc"
    page: int = 1

    @property
    def filters(self) -> dict[str, str]:
        """What narrows the table down, by the name of the parameter."""
        asked = {name: getattr(self, name) for name in ("q", "country", "group", "set", "mini_app", "attached")}
        return {name: value for name, value in asked.items() if value}

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.page - 1) * PAGE_ROWS

    def condition(self) -> tuple[str, list[Any]]:
        """The filters as an SQL condition, without a word of theirs in it, and its parameters."""
        parts: list[str] = []
        values: list[Any] = []

        def add(part: str, *given: str) -> None:
            parts.append(part)
            values.extend(given)

        if self.q:
            words = " ".join(self.q.split())
            # People paste numbers as they are written: +1 (212) 555-0123.
            digits = re.sub(r"\D", "", words) if _WRITTEN_NUMBER.fullmatch(words) else words
            texts = " OR ".join(f"contains({column}, lower(?))" for column in _SEARCHED)
            add(f"(contains(number, ?) OR {texts})", digits, *[words] * len(_SEARCHED))
        if self.country:
            add("country = ?", self.country)
        if self.group:
            add("group_id = ?", self.group)
        if self.set:
            add("(set_id = ? OR set_name = ?)", self.set, self.set)
        if self.mini_app:
            add("(mini_app_id = ? OR mini_app_name = ?)", self.mini_app, self.mini_app)
        if self.attached:
            add(f"mini_app_id IS {'NOT ' if self.attached == 'yes' else ''}NULL")
        return " AND ".join(parts) or "true", values

    def but(self, **changed: Any) -> Question:
        """The question with some of it changed; on its first page, unless that is given."""
        return replace(self, **({"page": 1} | changed))

    def sorted_by(self, column: Column) -> Question:
        """What a click on the head of ``column`` asks: that order, or the other way round where it is that already."""
        turned = self.sort == column and self.order == "asc"
        return self.but(sort=column, order="desc" if turned else "asc")

    @property
    def query(self) -> str:
        """The question as the query of an address, led by its ``?``; nothing where everything is as by default."""
        asked = {name: value for name, value in vars(self).items() if value != getattr(Question, name)}
        return f"?{urlencode(asked)}" if asked else ""
