"""Who is told of what: the file ``include/notifications.yaml``, or the one that ``OCP_NUMBERS_NOTIFICATIONS`` names.

For each event, or under ``all`` for every one, a list of Airflow notifiers: the class's path under ``notifier``, and
beside it its own parameters. In those of them that it renders, ``event`` stands for the
:class:`~ocp_numbers.notifications.events.Event`: ``{{ event.subject }}``, ``{{ event.message }}`` and so on. Logins
belong into the notifier's connection, never into this file.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk.bases.notifier import BaseNotifier

from ocp_numbers import deployment
from ocp_numbers.errors import InvalidInput, quoted, shown
from ocp_numbers.notifications.events import EVENTS
from ocp_numbers.plain_yaml import read_yaml

ENVIRONMENT_VARIABLE = "OCP_NUMBERS_NOTIFICATIONS"

EVERY = "all"
SECRET = ("password", "secret", "token", "api_key", "apikey", "api-key", "credential", "authorization")


@dataclass(frozen=True)
class Route:
    """One way to tell people: a notifier's class and its parameters."""

    notifier: type[BaseNotifier]
    parameters: Mapping[str, Any]

    def build(self) -> BaseNotifier:
        """A new notifier; rendering changes it, so that each is used once."""
        return self.notifier(**self.parameters)


def file() -> Path:
    """The file in force."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(named) if named else deployment.project() / "include" / "notifications.yaml"


def read_routes(path: Path) -> dict[str, tuple[Route, ...]]:
    """For each kind of event the ways to tell of it; no file is none at all.

    :raises InvalidInput: naming file, field, value and fix of each fault.
    """
    content = _content(path)
    problems: list[str] = []
    routes: dict[str, tuple[Route, ...]] = {}
    for event, entries in content.items():
        if event not in (*EVENTS, EVERY):
            problems.append(f"{path.name}: {quoted(event)} is not an event{_meant(str(event))}")
        elif not isinstance(entries, list):
            problems.append(f"{path.name}: {event}: is not a list; begin each notifier with '- notifier: ...'")
        else:
            routes[event] = tuple(_routes(f"{path.name}: {event}", entries, problems))
    if problems:
        raise InvalidInput(problems)
    return {event: (*routes.get(event, ()), *routes.get(EVERY, ())) for event in EVENTS}


def _content(path: Path) -> Mapping[Any, Any]:
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        if os.environ.get(ENVIRONMENT_VARIABLE):
            raise InvalidInput(f"{ENVIRONMENT_VARIABLE}: there is no file {path}; correct it or unset it") from None
        return {}
    except OSError as error:
        raise InvalidInput(f"{path.name}: cannot be read: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidInput(
            f"{path.name}: holds a {type(content).__name__}; write an event, a colon, and a list below it"
        )
    return content


def _meant(event: str) -> str:
    close = difflib.get_close_matches(event, [*EVENTS, EVERY], n=1)
    return f"; did you mean {close[0]}?" if close else f"; use {shown(EVENTS)} or {EVERY}"


def _routes(where: str, entries: list[Any], problems: list[str]) -> Iterator[Route]:
    for place, entry in enumerate(entries, 1):
        field = f"{where}, entry {place}"
        if not isinstance(entry, dict) or not isinstance(entry.get("notifier"), str):
            problems.append(f"{field}: notifier: missing; give the path of a notifier's class")
            continue
        parameters = {name: value for name, value in entry.items() if name != "notifier"}
        secret = sorted(_secrets(parameters))
        if secret:
            problems.append(f"{field}: {shown(secret)}: secrets do not belong here; put them into a connection")
            continue
        try:
            route = Route(_class(entry["notifier"]), parameters)
        except (ImportError, AttributeError, ValueError) as error:
            problems.append(f"{field}: notifier: {quoted(entry['notifier'])} cannot be used: {error}")
            continue
        try:
            route.build()
        except Exception as error:  # a notifier refuses its parameters in whatever way its author chose
            problems.append(f"{field}: {route.notifier.__name__} does not take these parameters: {error}")
        else:
            yield route


def _secrets(value: Any) -> Iterator[str]:
    """The names in ``value``, at any depth, that speak of a secret."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if any(word in str(name).lower() for word in SECRET):
                yield str(name)
            yield from _secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)


def _class(path: str) -> type[BaseNotifier]:
    module, _, name = path.rpartition(".")
    if not module:
        raise ValueError("it is no path; write for example airflow.providers.http.notifications.http.HttpNotifier")
    found = getattr(import_module(module), name)
    if not (isinstance(found, type) and issubclass(found, BaseNotifier)):
        raise ValueError("it is not a subclass of Airflow's BaseNotifier")
    return found
