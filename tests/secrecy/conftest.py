from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from ocp_numbers.client import Clock, without_waiting
from ocp_sandbox import Sandbox, Settings, User, tokens
from regions.examples import PARAMETERS
from secrecy.canaries import ACCESS, HEADER, PASSWORD, PAT, PROXY, REFRESH, TOLD, TOTP, WRONG_PASSWORD
from secrecy.servers import Recorder, Said, echoing, forwarding, recorder, refusing
from secrecy.sinks import Mailbox, Meter, mailbox, meter

PROJECT = Path(__file__).resolve().parents[2]
USERS = [
    User("ops", PASSWORD.value),
    User("two", PASSWORD.value, totp=TOTP.value),
    User("robot", PASSWORD.value, pat=PAT.value),
]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause takes time, nor does waiting for the next one-time code."""
    slept = [0.0]
    monkeypatch.setattr(Clock, "sleep", lambda _, seconds: slept.append(seconds))
    monkeypatch.setattr(Clock, "wall", lambda _: time.time() + sum(slept))
    with without_waiting():
        yield


@dataclass
class Performance:
    """What was played on the stage."""

    folder: Path
    account: dict[str, Any]
    command_lines: set[str]
    mails: Mailbox
    metrics: Meter
    chat: Recorder
    proxy: Recorder
    echoing: Recorder
    refusing: Recorder


@pytest.fixture(scope="session")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Performance]:
    """Everything that the project does, done once, in a process of its own."""
    folder = tmp_path_factory.mktemp("stage")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        order = count()
        issued = {"access": ACCESS.value, "refresh": REFRESH.value}
        patch.setattr(tokens, "_jwt", lambda kind, *_: f"{issued[kind]}{next(order)}")
        yield play(folder, stack)


def play(folder: Path, stack: ExitStack) -> Performance:
    """Prepare the stage and its neighbours, and let the play run."""
    sandbox = stack.enter_context(Sandbox(Settings(numbers=20, users=USERS)))
    neighbours = {
        name: stack.enter_context(recorder(act))
        for name, act in {
            "chat": lambda heard: Said(200),
            "proxy": forwarding(),
            "echoing": echoing(),
            "refusing": refusing(),
        }.items()
    }
    scene = _scene(sandbox)
    connections = _connections(sandbox, neighbours)
    scene["broken"] = [name for name in connections if name.startswith("ocp_broken")]
    (folder / "scene.json").write_text(json.dumps(scene))
    environment = _environment(folder, connections)
    _declare(Path(environment["SECRECY_REGIONS"]), scene["app"])
    _notify(Path(environment["OCP_NUMBERS_NOTIFICATIONS"]))
    environment["AIRFLOW_CONN_CHAT"] = neighbours["chat"].url
    mails, metrics = stack.enter_context(mailbox()), stack.enter_context(meter())
    environment["AIRFLOW_CONN_POST"] = f"smtp://127.0.0.1:{mails.port}?disable_ssl=true&disable_tls=true"
    environment["AIRFLOW__METRICS__STATSD_PORT"] = str(metrics.port)
    command_lines: set[str] = set()
    command = [sys.executable, "-m", "secrecy.stage", str(folder)]
    with (
        (folder / "output.txt").open("wb") as output,
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as program,
    ):
        stack.callback(program.kill)
        while program.poll() is None:
            command_lines |= _command_lines(program.pid)
            _attach_once_somebody_waits(sandbox, scene)
            with suppress(subprocess.TimeoutExpired):
                program.wait(0.5)
    said = (folder / "output.txt").read_text(errors="replace")
    assert program.returncode == 0, said[-5000:]
    account = json.loads((folder / "account.json").read_text())
    return Performance(folder, account, command_lines, mails, metrics, **neighbours)


def _scene(sandbox: Sandbox) -> dict[str, Any]:
    numbers = [f"+1646555{place:04}" for place in range(5)]
    for number in numbers:
        sandbox.edit.add_number(number, "retail-us", note="lobby")
    sets = {name: sandbox.edit.add_set(name, "retail-us") for name in ("one", "late", "bought", "empty")}
    bought = ["+12125550188", "+12125550189"]
    for number in bought:
        sandbox.edit.add_number(number, "retail-us", set_id=sets["bought"], purchased=True)
    app = next(app["id"] for app in sandbox.miniapps() if app["group"] == "retail-us")
    return {"numbers": numbers, "sets": sets, "bought": bought, "app": app}


def _attach_once_somebody_waits(sandbox: Sandbox, scene: dict[str, Any]) -> None:
    late, number = scene["sets"]["late"], "+12125550199"
    asked = any(call["path"] == f"/api/numbers-set/{late}/numbers" for call in sandbox.calls())
    if asked and all(row["number"] != number for row in sandbox.numbers()):
        sandbox.edit.add_number(number, "retail-us", set_id=late, mini_app_id=scene["app"], locale="en-US")


def _connections(sandbox: Sandbox, neighbours: dict[str, Recorder]) -> dict[str, dict[str, Any]]:
    place = neighbours["proxy"].url.removeprefix("http://")
    proxies = {"http": f"http://ops:{PROXY.value}@{place}"}
    extra = {"proxies": proxies, "X-Gateway-Key": HEADER.value, "settle_seconds": 0}
    base = {"conn_type": "ocp", "host": sandbox.url, "login": "ops", "password": PASSWORD.value}
    secrets = {"login": None, "password": None}
    wrong = {"password": WRONG_PASSWORD.value}
    return {
        "ocp_default": {**base, "extra": extra},
        "ocp_totp": {**base, "login": "two", "extra": {**extra, "totp_secret": TOTP.value}},
        "ocp_pat": {**base, **secrets, "extra": {**extra, "personal_access_token": PAT.value}},
        "ocp_echoing": {
            **base, "host": neighbours["echoing"].url, "extra": {**extra, "totp_secret": TOTP.value},
        },
        "ocp_refusing": {
            **base, **wrong, "host": neighbours["refusing"].url, "extra": {**extra, "totp_secret": TOTP.value},
        },
        "ocp_broken_login": {**base, **wrong, "extra": extra},
        "ocp_broken_host": {**base, "host": f"http://ops:{PASSWORD.value}@127.0.0.1", "extra": extra},
        "ocp_broken_query": {**base, "host": f"http://127.0.0.1/?password={WRONG_PASSWORD.value}", "extra": extra},
        "ocp_broken_port": {**base, "host": "http://127.0.0.1:9", "extra": extra},
        "ocp_broken_totp": {**base, "extra": {**extra, "totp_secret": f"{TOTP.value}!"}},
        "ocp_broken_pat": {**base, "extra": {**extra, "personal_access_token": f"{PAT.value} x", "realm": "no such"}},
        "ocp_broken_gateway": {**base, "extra": {**extra, "proxies": {"http": f"http://ops:{PROXY.value}@127.0.0.1:9"}}},
        "ocp_broken_extra": {**base, "extra": {**extra, "verify": 0, "pasword": PASSWORD.value, "Cookie": PAT.value}},
    }  # fmt: skip


def _environment(folder: Path, connections: dict[str, dict[str, Any]]) -> dict[str, str]:
    home, dags = folder / "home", folder / "dags"
    dags.mkdir()
    for file in [*(PROJECT / "dags").glob("*.py"), Path(__file__).with_name("every_operator.py")]:
        (dags / file.name).symlink_to(file)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(str(PROJECT / part) for part in ("plugins", "include", "tests")),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{home}/logs",
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": f"{folder}/lineage.jsonl", "append": True}
        ),
        "AIRFLOW__OPENLINEAGE__INCLUDE_FULL_TASK_INFO": "True",
        "AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD": "True",
        "OCP_NUMBERS_DATA": str(folder / "data"),
        "OCP_NUMBERS_NOTIFICATIONS": str(folder / "notifications.yaml"),
        "SECRECY_TOLD": TOLD.value,
        "SECRECY_SCENE": str(folder / "scene.json"),
        "SECRECY_REGIONS": str(folder / "regions"),
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in connections.items()},
    }


def _declare(regions: Path, app: str) -> None:
    regions.mkdir()
    declared = {**PARAMETERS, "mini_app_id": app, "set_name": "boston", "quantity": 1}
    (regions / "boston.yaml").write_text(yaml.safe_dump(declared))


def _notify(file: Path) -> None:
    file.parent.joinpath("temporary").mkdir()
    to_chat = {
        "notifier": "airflow.providers.http.notifications.http.HttpNotifier",
        "http_conn_id": "chat",
        "json": {"text": "{{ event.message }}"},
    }
    by_mail = {
        "notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        "smtp_conn_id": "post",
        "from_email": "airflow@example.com",
        "to": "voice-operations@example.com",
        "subject": "{{ event.subject }}",
        "html_content": "{{ event.html }}",
    }
    file.write_text(json.dumps({"all": [to_chat, by_mail]}))


def _command_lines(pid: int) -> set[str]:
    """How every process of the play calls itself just now."""
    lines = set()
    with suppress(psutil.Error):  # it ended meanwhile
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            lines.add(" ".join([process.name(), *process.cmdline()]))
    return lines
