"""Tables of the reference, made from the code that they describe: ``<!-- generated: NAME -->`` on a line of its own."""

from __future__ import annotations

import atexit
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rooms import drawing, rooms, table  # beside this file, where MkDocs looks for what its hooks import

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

PROJECT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"^<!-- generated: (?P<name>[\w-]+) -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the contract as OpenAPI beside its page. Called by MkDocs."""
    from mkdocs.structure.files import File

    from ocp_numbers.contract import document

    content = json.dumps(document(), indent=2, ensure_ascii=False)
    files.append(File.generated(config, "reference/openapi.json", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the tables into a page. Called by MkDocs."""
    return PLACEHOLDER.sub(lambda found: GENERATORS[found["name"]](), markdown)


def operations() -> str:
    """The operations of the API: how each is called, and its effect."""
    from ocp_numbers.client.operations import OPERATIONS

    return _table(
        ("method of the client", "effect", "call", "access needed"),
        (
            (
                _client_method(row.name),
                row.effect.name,
                f"`{row.method} {row.path}`",
                f"`{row.effect.needs}`",
            )
            for row in OPERATIONS.values()
        ),
    )


def failures() -> str:
    """The failures that OCP lists for every call, and the error that each becomes."""
    from ocp_numbers.contract.document import FAILURES

    return _table(
        ("status", "error"),
        (
            (f"`{status}`", f"[`{kind.__name__}`][ocp_numbers.errors.{kind.__name__}]")
            for status, kind in FAILURES.items()
        ),
    )


def verdicts() -> str:
    """What a task does after each kind of error."""
    _have_an_airflow_home()
    from ocp_numbers.retry import VERDICTS

    return _table(
        ("error", "the task", "first pause", "why"),
        (
            (
                f"[`{kind.__name__}`][ocp_numbers.errors.{kind.__name__}]",
                "tries again" if verdict.delay else "**fails at once**",
                f"{verdict.delay.total_seconds():.0f} s" if verdict.delay else "",
                verdict.reason,
            )
            for kind, verdict in VERDICTS.items()
        ),
    )


def connection() -> str:
    """The fields of the connection's form."""
    from ocp_numbers.get_provider_info import get_provider_info

    (kind,) = get_provider_info()["connection-types"]
    fields = kind["conn-fields"]
    return _table(
        ("key in extra", "label in the form", "values", "meaning"),
        (
            (f"`{name}`", field["label"], _allowed(field["schema"]), field["description"])
            for name, field in fields.items()
        ),
    )


def dags() -> str:
    """Every DAG with its runbook and its parameters."""
    return "\n\n".join(_chapter(dag) for dag in _loaded_dags())


def operators() -> str:
    """Every operator and sensor, under the room that it stands in, for the renderer of docstrings."""
    _have_an_airflow_home()
    from ocp_numbers import operators, sensors

    rooms: dict[str, list[str]] = {}
    for door in (operators, sensors):
        for name in door.__all__:
            rooms.setdefault(getattr(door, name).__module__, []).append(name)
    del rooms[operators.OcpOperator.__module__]
    return "\n\n".join(
        "\n\n".join([f"## {_title(room)}", f"*{_purpose(room)}*", *(_documented(room, name) for name in names)])
        for room, names in rooms.items()
    )


def sandbox() -> str:
    """What the sandbox's command line takes."""
    return _help(sys.executable, "-m", "ocp_sandbox", "--help")


def _client_method(name: str) -> str:
    resource, method = name.split(".")
    return f"[`{name}`][ocp_numbers.client.{resource}.{resource.title()}.{method}]"


def _title(room: str) -> str:
    _, door, name = room.split(".")
    return (name if door == "operators" else door).replace("_", " ").capitalize()


def _documented(room: str, name: str) -> str:
    return f"::: {room}.{name}\n    options: {{members: false}}"


def _purpose(room: str) -> str:
    """The first paragraph of a module's docstring."""
    return " ".join((sys.modules[room].__doc__ or "").split("\n\n")[0].split())


def command_line() -> str:
    """What each command of ``ocp-numbers`` takes."""
    from ocp_numbers.commands.main import COMMANDS

    own = (sys.executable, "-m", "ocp_numbers.commands.main")
    each = [f"## {name}\n\n{_help(*own, name, '--help')}" for name in COMMANDS]
    return "\n\n".join([_help(*own, "--help"), *each])


def architecture() -> str:
    """The package's rooms: a picture of their imports, and what each is for."""
    found = rooms()
    return f"{drawing(found)}\n\n{_table(('room', 'what it is for', 'modules', 'lines'), table(found))}"


def events() -> str:
    """What people can be told of."""
    from ocp_numbers.notifications.events import EVENTS

    return _table(("event", "when"), ((f"`{kind}`", when) for kind, when in EVENTS.items()))


def metrics() -> str:
    """What is told to Airflow's metrics."""
    from ocp_numbers.metrics import METRICS, PREFIX

    return _table(
        ("metric", "kind", "unit", "meaning"),
        ((f"`{PREFIX}.{metric.name}`", metric.kind, metric.unit, metric.meaning) for metric in METRICS),
    )


def _chapter(dag: Any) -> str:
    runbook = re.sub(r"^### .*\n", "", dag.doc_md)
    parameters = _table(
        ("parameter", "default", "values", "meaning"),
        (
            (f"`{name}`", _value(param.value), _allowed(param.schema), param.description or "")
            for name, param in ((name, dag.params.get_param(name)) for name in dag.params)
        ),
    )
    when = f"schedule `{dag.schedule}`" if dag.schedule else "runs when it is triggered"
    return (
        f"## {dag.dag_id}\n\n*{dag.description}; {when}.*\n{runbook}\n\n### Parameters of {dag.dag_id}\n\n{parameters}"
    )


def _loaded_dags() -> list[Any]:
    _have_an_airflow_home()
    from airflow.sdk import DAG

    found = [
        value
        for file in sorted((PROJECT / "dags").glob("*.py"))
        for value in runpy.run_path(str(file)).values()
        if isinstance(value, DAG)
    ]
    if not found:
        raise LookupError(f"no DAG in {PROJECT / 'dags'}")
    return found


def _allowed(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    kinds = schema.get("type", "")
    words = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    if "enum" in schema:
        words = [f"`{value}`" for value in schema["enum"] if value not in ("", None)]
    elif "enum" in schema.get("items", {}):
        words = ["any of " + ", ".join(f"`{value}`" for value in schema["items"]["enum"])]
    bounds = [
        f"{sign} {schema[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if key in schema
    ]
    return ", ".join([*words, *bounds])


def _value(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return "empty"
    return f"`{'true' if value is True else 'false' if value is False else value}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _help(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "90", "NO_COLOR": "1", "PYTHONPATH": str(PROJECT / "include")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    return f"```text\n{done.stdout.rstrip()}\n```"


def _have_an_airflow_home() -> None:
    """Importing Airflow makes a home; nobody's own is touched by building documentation."""
    if "airflow" not in sys.modules:
        home = tempfile.mkdtemp(prefix="ocp-numbers-docs-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        os.environ["AIRFLOW_HOME"] = home


GENERATORS = {
    "operations": operations,
    "failures": failures,
    "verdicts": verdicts,
    "connection": connection,
    "dags": dags,
    "operators": operators,
    "sandbox": sandbox,
    "command-line": command_line,
    "events": events,
    "architecture": architecture,
    "metrics": metrics,
}
"""What can stand in a page, by its name."""
