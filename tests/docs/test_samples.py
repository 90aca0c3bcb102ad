"""What the documentation shows is true: samples run, commands and variables exist, settings are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from docs.pages import PROJECT, Sample, mentions, samples
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_numbers.notifications.routes import read_routes


class TestPython:
    @pytest.mark.parametrize("sample", [one for one in samples("python") if "with DAG(" in one.text], ids=str)
    def test_a_dag_file_is_one_that_airflow_reads(self, sample: Sample, tmp_path: Path) -> None:
        (tmp_path / "sample.py").write_text(sample.text)
        bag = DagBag(str(tmp_path))
        assert bag.import_errors == {}
        assert [len(dag.tasks) > 0 for dag in bag.dags.values()] == [True]

    @pytest.mark.parametrize("sample", [one for one in samples("python") if "with DAG(" not in one.text], ids=str)
    def test_other_code_runs_as_it_stands(
        self, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With an empty data root."""
        monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path))
        exec(compile(sample.text, str(sample), "exec"), {"__name__": "sample"})


class TestSettings:
    @pytest.mark.parametrize("sample", [one for one in samples("yaml") if "protect:" in one.text], ids=str)
    def test_a_policy_is_one_that_a_cleanup_takes(self, sample: Sample, tmp_path: Path) -> None:
        (tmp_path / "cleanup.yaml").write_text(sample.text)
        assert CleanupPolicy.load(tmp_path / "cleanup.yaml", {}).protect

    @pytest.mark.parametrize("sample", [one for one in samples("yaml") if "notifier:" in one.text], ids=str)
    def test_notifications_are_ones_that_can_be_sent(self, sample: Sample, tmp_path: Path) -> None:
        (tmp_path / "notifications.yaml").write_text(sample.text)
        assert all(read_routes(tmp_path / "notifications.yaml").values())

    def test_every_yaml_is_one_of_these(self) -> None:
        assert all("protect:" in one.text or "notifier:" in one.text for one in samples("yaml"))

    @pytest.mark.parametrize(("page", "content"), mentions(r"AIRFLOW_CONN_OCP_DEFAULT='(\{[^']*\})'"))
    def test_a_connection_is_one_that_the_hook_takes(
        self, page: str, content: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", json.dumps(json.loads(content)))
        assert OcpNumbersHook().settings.host.startswith("https://")


class TestNames:
    def test_every_make_target_exists(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
        said = mentions(r"(?:`|^ *)make ([a-z-]+)")
        assert said
        assert {target for _, target in said} <= targets

    def test_every_variable_is_read_by_the_code(self) -> None:
        code = "".join(
            file.read_text() for folder in ("plugins", "dags", "include") for file in (PROJECT / folder).rglob("*.py")
        )
        said = {name for _, name in mentions(r"\b(OCP_NUMBERS_[A-Z_]+)\b")}
        assert "OCP_NUMBERS_DATA" in said
        assert {name for name in said if name not in code} == set()

    def test_every_file_of_the_project_exists(self) -> None:
        said = {path for _, path in mentions(r"`((?:include|dags|docs|tests|plugins)/[\w./-]+)`")}
        assert "include/cleanup.yaml" in said
        assert {path for path in said if not (PROJECT / path).exists()} == set()
