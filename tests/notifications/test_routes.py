"""The file that says who is told of what is read whole, or refused with every fault and its fix."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from notifications.conftest import Routing
from ocp_numbers.errors import InvalidInput
from ocp_numbers.notifications import EVENTS
from ocp_numbers.notifications.routes import file, read_routes

OURS = Path(__file__).resolve().parents[2] / "include" / "notifications.yaml"
HTTP = "airflow.providers.http.notifications.http.HttpNotifier"


def problems(routing: Routing, text: str) -> tuple[str, ...]:
    routing(text)
    with pytest.raises(InvalidInput) as refused:
        read_routes(routing.path)
    return refused.value.problems


def test_all_stands_for_every_event(routing: Routing) -> None:
    routing(f"all: [{{notifier: {HTTP}}}]\ndrift: [{{notifier: {HTTP}, endpoint: x}}]")

    routes = read_routes(routing.path)

    assert set(routes) == set(EVENTS)
    assert [len(routes[event]) for event in ("drift", "marked")] == [2, 1]


def test_every_fault_is_named_at_once(routing: Routing) -> None:
    found = problems(
        routing,
        f"""
        lateexport: []
        drift: {{notifier: {HTTP}}}
        marked: [{HTTP}]
        balance_broken: [{{notifier: airflow.no.such.Thing}}, {{notifier: pathlib.Path}}, {{notifier: HttpNotifier}}]
        late_export: [{{notifier: {HTTP}, channel: ops}}]
        """,
    )

    assert [problem.split(": ", 1)[1] for problem in found[:3]] == [
        "'lateexport' is not an event; did you mean late_export?",
        "drift: is not a list; begin each notifier with '- notifier: ...'",
        "marked, entry 1: notifier: missing; give the path of a notifier's class",
    ]
    assert "No module named 'airflow.no'" in found[3]
    assert "not a subclass of Airflow's BaseNotifier" in found[4]
    assert "write for example airflow.providers.http" in found[5]
    assert "HttpNotifier does not take these parameters" in found[6]


@pytest.mark.parametrize("entry", ["password: x", "slack_token: x", "headers: {Authorization: Bearer x}"])
def test_a_secret_in_the_file_is_refused_without_being_shown(routing: Routing, entry: str) -> None:
    (problem,) = problems(routing, f"drift: [{{notifier: {HTTP}, {entry.replace('x', 'hunter2')}}}]")

    assert "put them into a connection" in problem
    assert "hunter2" not in problem


def test_a_secret_is_found_at_any_depth(routing: Routing) -> None:
    entry = f"{{notifier: {HTTP}, json: {{blocks: [{{text: hello}}, {{auth_token: hunter2}}]}}}}"
    (problem,) = problems(routing, f"drift: [{entry}]")

    assert "auth_token: secrets do not belong here" in problem
    assert "hunter2" not in problem


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "notifications.yaml").mkdir()

    with pytest.raises(InvalidInput, match=r"^notifications\.yaml: cannot be read: "):
        read_routes(tmp_path / "notifications.yaml")


@pytest.mark.parametrize("text", ["[1, 2]", "drift: [", "\x00"])
def test_what_is_no_such_file_is_refused(routing: Routing, text: str) -> None:
    assert problems(routing, text)[0].startswith("notifications.yaml: ")


def test_no_file_is_nobody_told_unless_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCP_NUMBERS_NOTIFICATIONS", raising=False)
    assert set(read_routes(tmp_path / "none.yaml").values()) == {()}

    monkeypatch.setenv("OCP_NUMBERS_NOTIFICATIONS", str(tmp_path / "none.yaml"))
    with pytest.raises(InvalidInput, match="OCP_NUMBERS_NOTIFICATIONS: there is no file"):
        read_routes(file())


def test_the_file_of_the_project_tells_nobody_and_explains_every_event() -> None:
    assert set(read_routes(OURS).values()) == {()}

    text = OURS.read_text()
    assert [event for event, meaning in EVENTS.items() if event not in text or meaning not in text] == []


def test_its_examples_can_be_used_as_they_stand(routing: Routing) -> None:
    commented = OURS.read_text().split("# all:")[1]
    examples = yaml.safe_load("all:" + commented.replace("\n# ", "\n").replace("\n#", "\n"))
    del examples["unknown_purchase"]  # Slack's provider is not among this project's
    routing(yaml.safe_dump(examples))

    assert len(read_routes(routing.path)["approval_needed"]) == 2
