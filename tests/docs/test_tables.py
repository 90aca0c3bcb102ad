"""Tables of changes that pages show are ones that a plan is made of, against the sandbox of the tutorial."""

from __future__ import annotations

import io
from datetime import datetime, timezone

import pytest

from docs.pages import Sample, samples
from ocp_numbers.bulk import plan_changes
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_sandbox import Sandbox, Settings, User


@pytest.mark.parametrize("sample", samples("csv"), ids=str)
def test_each_row_of_a_table_is_understood(sample: Sample, data_root: DataRoot) -> None:
    with (
        Sandbox(Settings(numbers=5000, users=[User("ops", "secret")])) as sandbox,
        OcpClient(ClientSettings.model_validate({"host": sandbox.url, "login": "ops", "password": "secret"})) as client,
    ):
        plan = plan_changes(
            lambda: client,
            data_root,
            io.BytesIO(sample.text.encode()),
            environment="ocp_default",
            run="documentation/1",
            name=str(sample),
            now=datetime(2026, 11, 23, tzinfo=timezone.utc),
        )
    assert sum(plan.counts.values()) == len(sample.text.splitlines()) - 1
