"""The notifier for DAGs of your own: as a callback of a task, a run or a deadline it goes the ways of this project."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from ocp_numbers.errors import InvalidInput, shown
from ocp_numbers.notifications.events import EVENTS, Event, Kind
from ocp_numbers.notifications.sending import notify

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class OcpNotifier(BaseNotifier):
    """Tells of an event by whatever ``include/notifications.yaml`` names for it; failing to is logged, never raised.

    Use it as ``on_failure_callback=OcpNotifier(kind=..., subject=..., text=...)``, or of a deadline by
    ``AsyncCallback(OcpNotifier, kwargs={...})``.

    :param kind: one of :data:`~ocp_numbers.notifications.events.EVENTS`.
    :param subject: a line (templated).
    :param text: what happened and what to do (templated).
    :param environment: the connection's id (templated).
    :param link: where to see it (templated).
    """

    template_fields: Sequence[str] = ("subject", "text", "environment", "link")

    def __init__(
        self, *, kind: Kind, subject: str, text: str, environment: str = "", link: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if kind not in EVENTS:
            raise InvalidInput(f"kind: {kind!r} is not an event; use {shown(EVENTS)}")
        self.kind = kind
        self.subject = subject
        self.text = text
        self.environment = environment
        self.link = link

    def notify(self, context: Context) -> None:
        """Tell, from a task or a callback."""
        notify(context, self._event())

    async def async_notify(self, context: Context) -> None:
        """Tell, from the triggerer."""
        await asyncio.to_thread(notify, context, self._event())

    def _event(self) -> Event:
        return Event(kind=self.kind, environment=self.environment, subject=self.subject, text=self.text, link=self.link)
