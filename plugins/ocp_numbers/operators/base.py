"""What all operators share: the connection, a client that is always closed, inputs checked twice, the retry policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from ocp_numbers.errors import Interrupted, InvalidInput
from ocp_numbers.links import OcpConsoleLink
from ocp_numbers.operators.rendered import Reader, awaits_rendering, inputs
from ocp_numbers.retry import retry_policy as default_retry_policy

if TYPE_CHECKING:
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from ocp_numbers.client import OcpClient
    from ocp_numbers.hooks.ocp import OcpNumbersHook


class OcpOperator(BaseOperator):
    """Base of the operators that act on OCP.

    The client logs in at its first call and is closed when ``execute`` ends, however it ends. When Airflow kills the
    task, the call under way is finished and the next one is refused with :class:`~ocp_numbers.errors.Interrupted`, so
    that no outcome is left in doubt.

    A subclass lists its inputs in ``readers``, calls :meth:`check_literals` last in its constructor and
    :meth:`read_inputs` first in ``execute``.

    :param ocp_conn_id: Airflow connection of type ``ocp`` (templated).
    :param retry_policy: what to do after a failure; by default :func:`ocp_numbers.retry.retry_policy`.
    """

    template_fields: Sequence[str] = ("ocp_conn_id",)
    operator_extra_links = (OcpConsoleLink(),)
    ui_color = "#e3f2ea"

    readers: ClassVar[Mapping[str, Reader[Any]]] = inputs()
    """For each input, by its attribute's name, what turns its rendered value into the checked one."""

    _killed = False
    _executing = False

    def __init__(
        self, *, ocp_conn_id: str = "ocp_default", retry_policy: RetryPolicy | None = None, **kwargs: Any
    ) -> None:
        super().__init__(retry_policy=retry_policy or default_retry_policy(), **kwargs)
        self.ocp_conn_id = ocp_conn_id

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Close the client after ``execute`` of each subclass: none has to remember it."""
        super().__init_subclass__(**kwargs)
        if "execute" in cls.__dict__:
            cls.execute = _closing(cls.__dict__["execute"])  # type: ignore[method-assign]

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
    def closing(self: OcpOperator, *args: Any, **kwargs: Any) -> Any:
        if self._executing:  # called by the execute of a subclass, which goes on
            return execute(self, *args, **kwargs)
        self._executing = True
        try:
            return execute(self, *args, **kwargs)
        finally:
            self._executing = False
            if "hook" in self.__dict__:
                self.hook.close()

    return closing
