"""Telling people. It never fails the work, never holds it up for long, and never tells the same twice."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextvars import copy_context
from typing import Any

from ocp_numbers.documents import digest
from ocp_numbers.errors import InvalidInput
from ocp_numbers.notifications.events import Event
from ocp_numbers.notifications.routes import Route, file, read_routes

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that one notifier may take before the work goes on without it."""


def notify(context: Mapping[str, Any], event: Event) -> None:
    """Tell of ``event`` by every notifier that the file names for it; what goes wrong with that is logged.

    A task that is tried again tells the same once only.

    :param context: Airflow's, for the notifiers to render their parameters with; as much of it as there is.
    """
    if _told_before(context, event):
        log.info("Told before: %s", event.subject)
        return
    try:
        routes = read_routes(file())[event.kind]
    except InvalidInput as error:
        log.error("Nobody is told of %r, for %s cannot be used: %s", event.subject, file(), error)
        return
    for route in routes:
        _send(route, {**context, "event": event}, event)
    if routes:
        _remember(context, event)


def _send(route: Route, context: dict[str, Any], event: Event) -> None:
    name = route.notifier.__name__
    outcome: list[Exception | None] = []

    def send() -> None:
        try:
            route.build()(context)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=copy_context().run, args=(send,), name=f"notify by {name}", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not outcome:
        log.warning(
            "%s is not done after %.0f s; the work goes on without it. It was to tell: %s",
            name,
            PATIENCE,
            event.subject,
        )
    elif outcome[0] is not None:
        log.warning("%s could not tell %r: %s: %s", name, event.subject, type(outcome[0]).__name__, outcome[0])
    else:
        log.info("Told by %s: %s", name, event.subject)


def _told_before(context: Mapping[str, Any], event: Event) -> bool:
    store = context.get("task_state_store")
    try:
        return store is not None and store.get(_key(event)) == _mark(event)
    except Exception as error:
        log.debug("What was told before is not known: %s", error)
        return False


def _remember(context: Mapping[str, Any], event: Event) -> None:
    store = context.get("task_state_store")
    try:
        if store is not None:
            store.set(_key(event), _mark(event))
    except Exception as error:
        log.debug("What was told could not be put on record: %s", error)


def _key(event: Event) -> str:
    return f"told of {event.kind}"


def _mark(event: Event) -> str:
    return digest({"environment": event.environment, "subject": event.subject})[:12]
