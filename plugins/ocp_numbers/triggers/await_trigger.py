"""The trigger that looks at OCP until what is awaited has become true.

It carries the connection's id and what to look for; it reads the connection itself, in the triggerer. The client is not
an asynchronous one: each look takes a thread, and one login serves them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from ocp_numbers.errors import OcpError
from ocp_numbers.triggers.awaited import KINDS

if TYPE_CHECKING:
    from ocp_numbers.hooks.ocp import OcpNumbersHook


class AwaitTrigger(BaseTrigger):
    """Fires once it is true, or once only the task can say what is wrong: the task looks again in either case.

    While OCP cannot be reached it goes on looking; how long is bounded by the timeout that the task defers with.

    :param ocp_conn_id: Airflow connection of type ``ocp``.
    :param kind: what is awaited, a key of :data:`~ocp_numbers.triggers.awaited.KINDS`.
    :param wanted: the fields of that.
    :param poke_interval: seconds between two looks.
    :param until: when the task gives up, as seconds since 1970; it comes back with the event.
    """

    def __init__(
        self, *, ocp_conn_id: str, kind: str, wanted: dict[str, Any], poke_interval: float, until: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ocp_conn_id = ocp_conn_id
        self.kind = kind
        self.wanted = wanted
        self.poke_interval = poke_interval
        self.until = until
        self._hook: OcpNumbersHook | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What is kept of it in Airflow's database."""
        names = ("ocp_conn_id", "kind", "wanted", "poke_interval", "until")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, wait, look again."""
        event = TriggerEvent({"until": self.until})  # type: ignore[no-untyped-call]
        while True:
            try:
                lacking = await asyncio.to_thread(self._look)
            except OcpError as error:
                if not error.transient:
                    self.log.warning("Looking again is left to the task: %s", error)
                    yield event
                    return
                lacking = str(error)
            except Exception as error:  # a connection that is missing or cannot be read: the task will say so
                self.log.warning("Looking again is left to the task: %s", type(error).__name__)
                yield event
                return
            if not lacking:
                yield event
                return
            self.log.info("Not yet: %s. Looking again in %.0f s", lacking, self.poke_interval)
            await asyncio.sleep(self.poke_interval)

    async def cleanup(self) -> None:
        """Log out."""
        if self._hook is not None:
            await asyncio.to_thread(self._hook.close)

    def _look(self) -> str:
        from ocp_numbers.hooks.ocp import OcpNumbersHook

        if self._hook is None:
            self._hook = OcpNumbersHook(self.ocp_conn_id, read_only=True)
        return KINDS[self.kind](**self.wanted).lacking(self._hook.client)
