"""What all operators share: the connection, a client that is always closed, inputs checked twice, the retry policy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import copy_context
from functools import cached_property, partial, wraps
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from airflow.sdk import BaseOperator
from structlog.contextvars import bind_contextvars

from ocp_numbers.errors import Interrupted, InvalidInput, OutcomeUnknown, shown
from ocp_numbers.links import DashboardLink, OcpConsoleLink, dashboard_address
from ocp_numbers.operators.rendered import Readers, awaits_rendering, inputs
from ocp_numbers.operators.telling import observed, tell
from ocp_numbers.retry import retry_policy as default_retry_policy

if TYPE_CHECKING:
    from airflow.sdk import BaseOperatorLink
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from ocp_numbers.client import OcpClient
    from ocp_numbers.hooks.ocp import OcpNumbersHook
    from ocp_numbers.notifications.events import Kind


class OcpOperator(BaseOperator):
    """Base of the operators that act on OCP.

    The client logs in at its first call and is closed when ``execute`` ends, however it ends. When Airflow kills the
    task, the call under way is finished and the next one is refused with :class:`~ocp_numbers.errors.Interrupted`, so
    that no outcome is left in doubt.

    A subclass lists its inputs in ``readers``, calls :meth:`check_literals` last in its constructor and
    :meth:`read_inputs` first in ``execute``. It says what came of it by :meth:`tell`, and what it worked on in
    :attr:`worked_on`; the progress of long work and what stopped it are shown without its help.

    :param ocp_conn_id: Airflow connection of type ``ocp`` (templated).
    :param retry_policy: what to do after a failure; by default :func:`ocp_numbers.retry.retry_policy`.
    """

    template_fields: Sequence[str] = ("ocp_conn_id",)
    _ocp_conn_id: str
    operator_extra_links: Collection[BaseOperatorLink] = (DashboardLink(), OcpConsoleLink())
    ui_color = "#e3f2ea"

    readers: ClassVar[Readers] = inputs()
    """For each input, by its attribute's name, what turns its rendered value into the checked one."""

    _killed = False
    _context: Context | None = None
    """That of the execution under way."""

    def __init__(
        self, *, ocp_conn_id: str = "ocp_default", retry_policy: RetryPolicy | None = None, **kwargs: Any
    ) -> None:
        super().__init__(retry_policy=retry_policy or default_retry_policy(), **kwargs)
        self.ocp_conn_id = ocp_conn_id

    @property
    def ocp_conn_id(self) -> str:
        """The connection to act on. Once the task is at work, its log lines bear it as ``environment``."""
        return self._ocp_conn_id

    @ocp_conn_id.setter
    def ocp_conn_id(self, ocp_conn_id: str) -> None:
        self._ocp_conn_id = ocp_conn_id
        self.mark_log(environment=ocp_conn_id)

    def mark_log(self, **ids: str) -> None:
        """Put ``ids`` on every line that the task logs from here on, so that a search finds all of an order's."""
        if self._context is not None:
            bind_contextvars(**ids)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Close the client after ``execute`` of each subclass: none has to remember it."""
        super().__init_subclass__(**kwargs)
        if "execute" in cls.__dict__:
            cls.execute = _closing(cls.__dict__["execute"])  # type: ignore[method-assign]

    @cached_property
    def worked_on(self) -> dict[str, str]:
        """What the task's links lead to; for its keys see :mod:`ocp_numbers.links`."""
        return {}

    def tell(self, sentence: str) -> None:
        """Say in a sentence what came of the task; see :mod:`ocp_numbers.operators.telling` for where it is shown."""
        tell(self._context or {}, sentence)

    def notify(self, kind: Kind, *, subject: str, text: str, page: str = "") -> None:
        """Tell people of an event, as ``include/notifications.yaml`` says; failing to changes nothing.

        :param page: of the dashboard, to look at.
        """
        from ocp_numbers.notifications import Event, notify

        event = Event(
            kind=kind,
            environment=self.ocp_conn_id,
            subject=f"{self.ocp_conn_id}: {subject}",
            text=text,
            link=dashboard_address(self.ocp_conn_id, page),
        )
        notify(dict(self._context or {}), event)

    @cached_property
    def hook(self) -> OcpNumbersHook:
        """The hook of the task's connection; imported late to keep the parsing of DAG files cheap."""
        from ocp_numbers.hooks.ocp import OcpNumbersHook

        return OcpNumbersHook(self.ocp_conn_id)

    @property
    def client(self) -> OcpClient:
        """The client to make the next call with.

        :raises Interrupted: when Airflow has asked the task to end.
        """
        if self._killed:
            raise Interrupted(
                f"{self.task_id} was asked to end and did so between two calls; run it again to continue."
            )
        return self.hook.client

    def _tell_of_doubt(self, context: Context, error: OutcomeUnknown) -> None:
        """Tell people what is not known, unless another attempt will find out by itself."""
        ti = context.get("ti")
        if getattr(ti, "try_number", 1) <= getattr(ti, "max_tries", 0):
            return
        order = self.worked_on.get("order")
        self.notify(
            "unknown_purchase",
            subject=f"{self.task_id} does not know what became of {shown(error.numbers) or 'its call'}",
            text=f"{error}\n\nClear the task {self.task_id}: it finds out first. Do not do the rest by hand meanwhile.",
            page=f"orders/{quote(order)}" if order else "",
        )

    def on_kill(self) -> None:
        """Let the call under way finish and refuse the next one."""
        self._killed = True

    def check_literals(self) -> None:
        """Check the inputs that are known already, while the DAG file is read.

        :raises InvalidInput: naming each fault.
        """
        self._read({name: value for name, value in self._inputs() if not awaits_rendering(value)})

    def read_inputs(self) -> None:
        """Replace each input by its checked value; the first step of ``execute``, before any call.

        :raises InvalidInput: naming each fault.
        """
        for name, value in self._read(dict(self._inputs())).items():
            setattr(self, name, value)

    def _inputs(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.readers]

    def _read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        read: dict[str, Any] = {}
        problems: list[str] = []
        for name, value in inputs.items():
            try:
                read[name] = self.readers[name](value, field=name)
            except InvalidInput as error:
                problems += error.problems
        if problems:
            raise InvalidInput(problems)
        return read


def _closing(execute: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute)
    def closing(self: OcpOperator, context: Context, *args: Any, **kwargs: Any) -> Any:
        if self._context is not None:  # called by the execute of a subclass, which goes on
            return execute(self, context, *args, **kwargs)
        work = partial(execute, self, context, *args, **kwargs)
        return copy_context().run(_at_work, self, context, work)  # what the log bears ends with the work

    return closing


def _at_work(operator: OcpOperator, context: Context, work: Callable[[], Any]) -> Any:
    operator._context = context
    if "ocp_conn_id" in operator.template_fields:  # the others learn it from their plan
        operator.mark_log(environment=operator.ocp_conn_id)
    try:
        with observed(context):
            return work()
    except OutcomeUnknown as error:
        operator._tell_of_doubt(context, error)
        raise
    finally:
        operator._context = None
        if "hook" in operator.__dict__:
            operator.hook.close()
