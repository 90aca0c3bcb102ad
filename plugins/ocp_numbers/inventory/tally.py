"""Adding up the rows of an export while they are written."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from ocp_numbers.inventory.manifest import Counts


class Tally:
    """What the rows added so far come to."""

    def __init__(self) -> None:
        self.rows = 0
        self._attached = self._invalid = self._mismatches = 0
        self._groups: Counter[str] = Counter()
        self._countries: Counter[str] = Counter()
        self._mini_apps: Counter[str] = Counter()
        self._types: Counter[str] = Counter()

    def add(self, rows: pa.Table) -> None:
        """Count ``rows``, which have the derived columns, too."""
        self.rows += rows.num_rows
        self._attached += rows.num_rows - rows["mini_app_id"].null_count
        self._invalid += rows.num_rows - (pc.sum(rows["valid"]).as_py() or 0)
        self._mismatches += _mismatches(rows)
        for counter, values in (
            (self._groups, rows["group_id"]),
            (self._countries, rows["country"]),
            (self._mini_apps, pc.coalesce(rows["mini_app_name"], rows["mini_app_id"])),
            (self._types, rows["number_type"]),
        ):
            for entry in pc.value_counts(values).to_pylist():
                counter[entry["values"] or ""] += entry["counts"]

    @property
    def counts(self) -> Counts:
        """The sums."""
        return Counts(
            by_group=dict(sorted(self._groups.items())),
            by_country=dict(sorted(self._countries.items())),
            by_mini_app=dict(sorted(self._mini_apps.items())),
            by_type=dict(sorted(self._types.items())),
            attached=self._attached,
            unattached=self.rows - self._attached,
            invalid=self._invalid,
            country_mismatches=self._mismatches,
        )


def _mismatches(rows: pa.Table) -> int:
    """In how many rows the platform's two-letter country is not the number's own; none where one of them is silent."""
    countries = rows.select(["country", "derived_country"])
    differing = countries.filter(pc.not_equal(*countries.columns))
    named = pc.utf8_upper(differing["country"])
    is_code = pc.match_substring_regex(named, "^..$")
    return pc.sum(pc.and_(is_code, pc.not_equal(named, differing["derived_country"]))).as_py() or 0
