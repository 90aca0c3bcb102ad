"""The export as a task: where it writes, for which date, what it tells, and when it asks a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.execution_api.datamodels.hitl import HITLDetailRequest
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time import task_runner

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import Interrupted, InvalidInput, VolumeAnomaly
from ocp_numbers.inventory import dates, latest, read_rows
from ocp_numbers.operators.export import BY_DAY, INVENTORY, ExportNumbersOperator
from operators.world import Run, World

TWO_AM = datetime(2026, 3, 1, 2, tzinfo=timezone.utc)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataRoot:
    monkeypatch.setenv("OCP_NUMBERS_DATA", str(tmp_path / "data"))
    return DataRoot.from_environment()


class Events(dict[Any, Any]):
    """What was told about assets, and for which partitions."""

    def __missing__(self, asset: Any) -> Any:
        return SimpleNamespace(
            add=lambda asset, extra: self.told.append((asset.uri, extra)), add_partitions=self.partitions.append
        )

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.partitions: list[str] = []


def context(logical_date: datetime | None = TWO_AM, run_after: datetime = TWO_AM) -> dict[str, Any]:
    ti = SimpleNamespace(id=uuid4(), dag_id="dag", run_id="run", task_id="export", map_index=0)
    run = SimpleNamespace(logical_date=logical_date, run_after=run_after)
    return {"ti": ti, "dag_run": run, "outlet_events": Events()}


def export(**given: Any) -> ExportNumbersOperator:
    return ExportNumbersOperator(task_id="export", **given)


def test_it_publishes_what_the_platform_has_and_returns_a_summary(world: World, run: Run, root: DataRoot) -> None:
    summary = run(export(), **context())
    snapshot = latest(root, "ocp_default")
    assert snapshot is not None
    assert [each.number for each in read_rows(snapshot)] == [each["number"] for each in world.sandbox.numbers()]
    assert summary == {
        "environment": "ocp_default",
        "date": "2026-03-01",
        "rows": 20,
        "rejects": 0,
        "attached": sum(each["miniAppId"] is not None for each in world.sandbox.numbers()),
        "unattached": sum(each["miniAppId"] is None for each in world.sandbox.numbers()),
        "changes": {},
        "balance": "opening",
        "digest": snapshot.digest,
        "path": str(root.path("inventory/environment=ocp_default/date=2026-03-01")),
        "report": str(root.path("inventory/environment=ocp_default/date=2026-03-01/report.html")),
    }
    assert Path(summary["report"]).read_text().startswith("<!DOCTYPE html>")


def test_it_tells_the_asset_of_the_environment_only_after_publishing(world: World, run: Run, root: DataRoot) -> None:
    told = context()
    summary = run(export(), **told)
    ((uri, metadata),) = told["outlet_events"].told
    assert uri == "ocp://ocp_default/inventory"
    assert told["outlet_events"].partitions == ["ocp_default|2026-03-01"]
    assert {name: metadata[name] for name in ("date", "rows", "complete")} == {
        "date": "2026-03-01",
        "rows": 20,
        "complete": True,
    }
    assert {name: metadata[name] for name in metadata.keys() & summary} == {
        name: summary[name] for name in metadata.keys() & summary
    }
    silent = context()
    with pytest.raises(InvalidInput):
        run(export(timezone="Mars/Olympus"), **silent)
    assert silent["outlet_events"].told == []


def test_it_names_the_inventory_and_its_partitions_among_its_outlets() -> None:
    assert export(outlets=[]).outlets == [INVENTORY, BY_DAY]


@pytest.mark.parametrize(
    ("logical_date", "zone", "date"),
    [
        (datetime(2026, 3, 1, 0, 30, tzinfo=timezone.utc), "America/New_York", "2026-02-28"),
        (datetime(2026, 3, 1, 23, 30, tzinfo=timezone.utc), "Europe/Athens", "2026-03-02"),
        (datetime(2026, 3, 29, 0, 0, tzinfo=timezone.utc), "Europe/Athens", "2026-03-29"),
        (datetime(2026, 10, 24, 23, 59, tzinfo=timezone.utc), "Europe/Berlin", "2026-10-25"),
        (None, "UTC", "2026-03-01"),
    ],
)
def test_the_date_is_that_of_the_run_in_the_time_zone(
    world: World, run: Run, root: DataRoot, logical_date: datetime | None, zone: str, date: str
) -> None:
    assert run(export(timezone=zone), **context(logical_date))["date"] == date


def test_a_date_in_the_future_is_refused_before_any_call(world: World, run: Run, root: DataRoot) -> None:
    """It would be the latest snapshot until then, and retention would count from it."""
    with pytest.raises(InvalidInput, match="logical date: 2199-01-01 lies in the future"):
        run(export(), **context(datetime(2199, 1, 1, 2, tzinfo=timezone.utc)))
    assert world.sandbox.calls() == []


def test_it_says_in_a_sentence_what_came_of_it(
    world: World, run: Run, root: DataRoot, caplog: pytest.LogCaptureFixture
) -> None:
    run(export(), **context())
    world.add(2)
    with caplog.at_level("INFO"):
        run(export(), **context(TWO_AM + timedelta(days=1)))
    assert "22 numbers, proven complete by reading them twice. Since 2026-03-01: 2 added." in caplog.text


def test_templates_are_read_strictly(world: World, run: Run, root: DataRoot) -> None:
    given = {
        "groups": "{{ params.groups | tojson }}",
        "formats": "{{ params.formats | tojson }}",
        "source": "{{ params.source }}",
    }
    params = {"groups": ["retail-us"], "formats": ["parquet", "xlsx"], "source": "csv"}
    summary = run(export(**given), **context(), params=params)
    assert summary["path"].endswith("environment=ocp_default/groups=retail-us/date=2026-03-01")
    assert not Path(summary["path"], "numbers.csv.gz").exists()
    assert Path(summary["path"], "numbers.xlsx").exists()
    assert [call["path"] for call in world.sandbox.calls()].count("/api/numbers/csv") == 2
    with pytest.raises(InvalidInput, match=r"groups: .* is not a JSON list"):
        run(export(groups="{{ params.groups }}"), **context(), params=params)


def test_some_groups_are_not_the_inventory_that_others_are_scheduled_on(world: World, run: Run, root: DataRoot) -> None:
    told = context()
    run(export(groups=["retail-us"]), **told)
    assert told["outlet_events"].told == told["outlet_events"].partitions == []


def test_what_a_search_finds_is_exported_beside_the_inventory_and_told_to_nobody(
    world: World, run: Run, root: DataRoot
) -> None:
    whole = run(export(), **context())
    told = context(TWO_AM + timedelta(days=1))
    filters = {"number": "{{ params.number }}", "note": "{{ params.note or '' }}"}
    params = {"number": "+1", "note": None}
    summary = run(export(filters=filters, keep_days=5), **told, params=params)
    assert summary["path"].endswith("environment=ocp_default/filters=number~%252B1/date=2026-03-02")
    assert summary["rows"] == sum(each["number"].startswith("+1") for each in world.sandbox.numbers()) > 0
    assert (summary["balance"], summary["changes"]) == (None, {})
    assert told["outlet_events"].told == told["outlet_events"].partitions == []
    newest = latest(root, "ocp_default")
    assert newest is not None
    assert newest.digest == whole["digest"]


def test_the_snapshot_says_what_its_login_may_do(world: World, run: Run, root: DataRoot) -> None:
    run(export(), **context())
    newest = latest(root, "ocp_default")
    assert newest is not None
    assert newest.manifest.scope.rights == ("group *", "role owner")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"filters": {"country": "US"}}, "filters: the platform cannot search by country"),
        ({"filters": {"note": "%"}}, "filters, note: '%' finds every number"),
        ({"filters": "a note"}, "filters: is not a mapping"),
        ({"formats": ["csv"]}, "parquet is missing"),
        ({"formats": ["parquet", "pdf"]}, "pdf is not known"),
        ({"source": "excel"}, "source: 'excel' is not known"),
        ({"timezone": "Mars/Olympus"}, "timezone: 'Mars/Olympus' is not known"),
    ],
)
def test_bad_input_is_refused_before_any_call(
    world: World, run: Run, root: DataRoot, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        run(export(**given), **context())
    assert world.sandbox.calls() == []


def test_old_snapshots_are_deleted_once_a_new_one_is_published(world: World, run: Run, root: DataRoot) -> None:
    for ago in range(30, 0, -3):
        run(export(), **context(TWO_AM - timedelta(days=ago)))
    run(export(keep_days=5), **context())
    assert len(dates(root, "ocp_default")) == 7
    assert rows_of_latest(root) == 20


def test_a_killed_task_ends_between_two_pages(world: World, run: Run, root: DataRoot) -> None:
    task = export()
    task.on_kill()
    with pytest.raises(Interrupted):
        run(task, **context())
    assert latest(root, "ocp_default") is None


Asked = list[HITLDetailRequest]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The questions put to a person, as Airflow's API server takes them."""
    questions: Asked = []

    def send(msg: Any) -> None:
        questions.append(HITLDetailRequest.model_validate_json(msg.model_dump_json(exclude={"type"})))

    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", SimpleNamespace(send=send), raising=False)
    return questions


@pytest.fixture
def shrunk(world: World, run: Run, root: DataRoot) -> Callable[[], dict[str, Any]]:
    """The second night of an environment that has lost half of its numbers."""
    run(export(), **context())
    for each in world.sandbox.numbers()[::2]:
        world.sandbox.edit.remove_number(each["number"])
    return lambda: context(TWO_AM + timedelta(days=1))


def rows_of_latest(root: DataRoot) -> int:
    snapshot = latest(root, "ocp_default")
    assert snapshot is not None
    return snapshot.rows


def test_an_unbelievable_number_of_rows_makes_it_ask_and_publish_nothing(
    shrunk: Callable[[], dict[str, Any]], run: Run, root: DataRoot, asked: Asked
) -> None:
    second_night = shrunk()
    with pytest.raises(TaskAwaitingInput) as waiting:
        run(export(), **second_night)
    (question,) = asked
    assert question.options == ["Accept 10 numbers", "Refuse"]
    assert question.defaults == ["Refuse"]
    assert question.subject == "ocp_default: 10 numbers, 20 in the last snapshot"
    assert (waiting.value.method_name, waiting.value.timeout) == ("answered", timedelta(days=1))
    assert rows_of_latest(root) == 20
    assert second_night["outlet_events"].told == []


def test_an_environment_without_any_number_makes_it_ask_too(
    world: World, run: Run, root: DataRoot, asked: Asked
) -> None:
    for each in world.sandbox.numbers():
        world.sandbox.edit.remove_number(each["number"])
    with pytest.raises(TaskAwaitingInput):
        run(export(), **context())
    (question,) = asked
    assert question.options == ["Accept 0 numbers", "Refuse"]
    assert question.subject == "ocp_default: 0 numbers, and no earlier snapshot to compare with"
    assert export().answered(context(), answer("Accept 0 numbers"))["rows"] == 0


def answer(*options: str, by: str | None = "ann") -> dict[str, Any]:
    return {"chosen_options": list(options), "responded_by_user": {"id": "1", "name": by} if by else None}


def test_an_accepted_number_is_published(
    shrunk: Callable[[], dict[str, Any]], root: DataRoot, run: Run, asked: Asked
) -> None:
    summary = export().answered(shrunk(), answer("Accept 10 numbers"))
    assert (summary["rows"], rows_of_latest(root)) == (10, 10)
    assert asked == []


def test_an_answer_about_another_number_is_no_answer_to_this_one(
    shrunk: Callable[[], dict[str, Any]], root: DataRoot, run: Run, asked: Asked
) -> None:
    with pytest.raises(VolumeAnomaly, match=r"2 numbers were accepted, but now there are 10; .* Trigger a new run"):
        export().answered(shrunk(), answer("Accept 2 numbers"))
    assert asked == []
    assert rows_of_latest(root) == 20


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (answer("Refuse"), "refused by ann"),
        (answer("Refuse", by=None), "not accepted in time"),
        (answer(), "refused by ann"),
        ({"error": "no answer", "error_type": "timeout"}, "not accepted in time"),
    ],
)
def test_nothing_but_an_acceptance_publishes(
    shrunk: Callable[[], dict[str, Any]], root: DataRoot, event: dict[str, Any], says: str
) -> None:
    with pytest.raises(VolumeAnomaly, match=says):
        export().answered(shrunk(), event)
    assert rows_of_latest(root) == 20
