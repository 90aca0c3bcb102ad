"""Over a data root in S3 the pages show the same, and fetch each file once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from dashboard.records import ENVIRONMENT, TODAY, export, order
from inventory.bucket import root, store
from inventory.estate import row
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import CompleteSnapshot

__all__ = ["root", "store"]


def test_the_pages_show_what_is_in_the_bucket(
    root: DataRoot, browser: TestClient, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(root, [row(1), row(2)], TODAY - timedelta(days=1))
    export(root, [row(1, note="moved"), row(2)])
    order(root, ["+12120000001"])
    opened: list[str] = []
    original = CompleteSnapshot.open

    def opening(snapshot: CompleteSnapshot, name: str) -> object:
        opened.append(name)
        return original(snapshot, name)

    monkeypatch.setattr(CompleteSnapshot, "open", opening)
    for _ in range(2):
        assert "2 numbers" in browser.get(f"{ENVIRONMENT}/numbers").text
        assert "moved" in browser.get(f"{ENVIRONMENT}/numbers/%2B12120000001").text
        assert "Spent in Mar 2026" in browser.get(f"{ENVIRONMENT}/").text
    assert opened.count("numbers.parquet") == 1
    assert opened.count("changes.parquet") == 1
    assert estate.environments() == [ENVIRONMENT]
