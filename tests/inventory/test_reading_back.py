"""Whatever tool reads a published file, it finds the platform's own state in it, row for row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inventory.reading_back import WAYS, expected
from inventory.test_source import platform, truth
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]


@pytest.mark.parametrize("numbers", [0, 1, 49, 50, 51, 5_000])
def test_every_tool_finds_every_number_in_every_format(export_of: ExportOf, numbers: int) -> None:
    with platform(numbers) as (sandbox, source):
        snapshot = export_of(
            source,
            page_size=50 if numbers < 100 else 500,
            formats=("parquet", "csv", "xlsx"),
            expected_rows=numbers,
        ).run()
        state = truth(sandbox)
    for way in WAYS:
        assert list(way(snapshot)) == list(expected(way, state)), way.__name__
