"""Sensors that wait until OCP shows something. They only look, whatever the connection allows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.sdk.exceptions import AirflowSensorTimeout

from ocp_numbers.errors import OcpError
from ocp_numbers.links import SetLink
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.progress import duration, tell

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.hooks.ocp import OcpNumbersHook
    from ocp_numbers.triggers.awaited import Awaited, NumbersOwned, SetAttached

HOUR = 3600.0


class OcpSensor(OcpOperator, BaseSensorOperator):
    """Base of the sensors: waits in the triggerer, without a worker slot, or pokes as any sensor does.

    OCP being away for a while is no failure; a wrong connection or missing rights are one at once.

    :param deferrable: wait in the triggerer; otherwise as ``mode`` says.
    :param poke_interval: seconds between two looks.
    :param timeout: seconds until the sensor gives up; an hour unless said otherwise.
    """

    kind = ""
    ui_color = "#efe6f5"

    def __init__(
        self,
        *,
        deferrable: bool = True,
        poke_interval: float | timedelta = 30,
        timeout: float | timedelta = HOUR,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.deferrable = deferrable

    @cached_property
    def hook(self) -> OcpNumbersHook:
        """The hook of the task's connection, bound to looking."""
        from ocp_numbers.hooks.ocp import OcpNumbersHook

        return OcpNumbersHook(self.ocp_conn_id, read_only=True)

    @property
    def wanted(self) -> Awaited:
        """What is waited for, once the inputs have been read."""
        raise NotImplementedError

    def execute(self, context: Context, until: float | None = None) -> None:
        """Look; then wait in the triggerer, or poke.

        :raises AirflowSensorTimeout: when it has not become true in time.
        """
        self.read_inputs()
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            self._wait(until or time.time() + self.timeout)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> None:
        """Look again: what the trigger saw is not taken for granted, and what stopped it is raised here."""
        self.execute(context, event["until"])

    def _wait(self, until: float) -> NoReturn:
        from ocp_numbers.triggers.await_trigger import AwaitTrigger

        left = until - time.time()
        if left <= 0:
            raise AirflowSensorTimeout(f"{self.task_id}: not so after {duration(self.timeout)}; see the lines above")
        wanted = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self.wanted).items()}
        trigger = AwaitTrigger(
            ocp_conn_id=self.ocp_conn_id,
            kind=self.kind,
            wanted=wanted,
            poke_interval=self.poke_interval,
            until=until,
        )
        self.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=left))

    def poke(self, context: Context) -> bool:
        """Whether it is true now."""
        try:
            lacking = self.wanted.lacking(self.client)
        except OcpError as error:
            if not error.transient:
                raise
            lacking = str(error)
        if lacking:
            tell(f"Not yet: {lacking}")
        else:
            self.tell(f"{self.kind}: so it is")
        return not lacking


class NumbersOwnedSensor(OcpSensor):
    """Waits until numbers are in the inventory.

    :param numbers: numbers in E.164 (templated).
    :param group: the group that they are to be in; left out, any (templated).
    """

    kind = "numbers owned"
    readers = rendered.inputs(numbers=rendered.numbers, group=rendered.optional(rendered.text))
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, numbers: Sequence[str] | str, group: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbers = numbers
        self.group = group
        self.check_literals()

    @property
    def wanted(self) -> NumbersOwned:
        """The numbers, owned."""
        from ocp_numbers.triggers.awaited import NumbersOwned

        return NumbersOwned(tuple(self.numbers), self.group)


class SetAttachedSensor(OcpSensor):
    """Waits until a set holds enough numbers and all of them are attached to a miniApp.

    :param set_id: id of the set (templated).
    :param mini_app_id: id of the miniApp (templated).
    :param locale: locale of the form language-REGION; left out, any (templated).
    :param application_tag: tag of the miniApp; left out, any (templated).
    :param quantity: how many numbers the set has to hold at least (templated).
    """

    kind = "set attached"
    readers = rendered.inputs(
        set_id=rendered.text,
        mini_app_id=rendered.text,
        locale=rendered.optional(rendered.locale),
        application_tag=rendered.optional(rendered.text),
        quantity=rendered.count,
    )
    template_fields = ("ocp_conn_id", *readers)
    operator_extra_links = (SetLink(), *OcpOperator.operator_extra_links)

    def __init__(
        self,
        *,
        set_id: str,
        mini_app_id: str,
        locale: str | None = None,
        application_tag: str | None = None,
        quantity: int | str = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.set_id = set_id
        self.mini_app_id = mini_app_id
        self.locale = locale
        self.application_tag = application_tag
        self.quantity = quantity
        self.check_literals()

    @property
    def wanted(self) -> SetAttached:
        """The set, attached."""
        from ocp_numbers.triggers.awaited import SetAttached

        return SetAttached(self.set_id, self.mini_app_id, self.locale, self.application_tag, int(self.quantity))
