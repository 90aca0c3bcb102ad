from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy
from airflow.serialization.serialized_objects import DagSerialization
from structlog.contextvars import get_contextvars

import ocp_numbers.operators
from ocp_numbers.errors import Interrupted, InvalidConnection, InvalidInput, NotFound
from ocp_numbers.get_provider_info import get_provider_info
from ocp_numbers.operators import (
    AttachNumbersOperator,
    DetachNumbersOperator,
    SearchNumbersOperator,
    base,
    number_file,
    numbers,
    removal,
    search,
    sets,
)
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.retry import OcpRetryPolicy
from operators.world import Run, World

EVERY_OPERATOR = [
    operator
    for room in (search, numbers, sets, number_file, removal)
    for operator in vars(room).values()
    if isinstance(operator, type) and issubclass(operator, OcpOperator) and operator.readers
]


def logouts(world: World) -> int:
    return sum(call["path"].endswith("/logout") for call in world.sandbox.calls())


def logins(world: World) -> int:
    return sum(call["path"].endswith("/token") for call in world.sandbox.calls())


class TestTheClient:
    def test_is_not_made_by_constructing_an_operator(self, world: World) -> None:
        DetachNumbersOperator(task_id="t", numbers=["+12125550123"], ocp_conn_id="no_such_connection")

        assert world.sandbox.calls() == []

    def test_is_closed_after_a_success(self, world: World, run: Run) -> None:
        run(SearchNumbersOperator(task_id="t", note="lobby"))

        assert (logins(world), logouts(world)) == (1, 1)

    def test_is_closed_after_a_failure(self, world: World, run: Run) -> None:
        with pytest.raises(NotFound):
            run(DetachNumbersOperator(task_id="t", numbers=["+16465559999"]))

        assert (logins(world), logouts(world)) == (1, 1)

    def test_is_closed_once_when_one_execute_calls_another(self, world: World, run: Run) -> None:
        class SearchTwice(SearchNumbersOperator):
            def execute(self, context: Any) -> dict[str, Any]:
                return {"count": super().execute(context)["count"] + super().execute(context)["count"]}

        assert run(SearchTwice(task_id="t")) == {"count": 2 * len(world.all())}
        assert (logins(world), logouts(world)) == (1, 1)

    def test_is_refused_after_a_kill(self, world: World, run: Run) -> None:
        operator = DetachNumbersOperator(task_id="t", numbers=world.add(1))
        operator.on_kill()

        with pytest.raises(Interrupted, match="t was asked to end"):
            run(operator)
        assert world.sandbox.calls() == []

    def test_uses_the_connection_of_the_rendered_id(self, world: World, run: Run) -> None:
        operator = SearchNumbersOperator(task_id="t", ocp_conn_id="{{ where }}")

        assert run(operator, where="ocp_default")["count"] == len(world.all())

    def test_a_connection_without_anything_is_refused_with_all_its_faults(
        self, world: World, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_EMPTY", '{"conn_type": "ocp"}')

        with pytest.raises(InvalidConnection) as refused:
            run(SearchNumbersOperator(task_id="t", ocp_conn_id="empty"))
        assert [problem.split(":")[0] for problem in refused.value.problems] == ["Host", "Login", "Password"]


class TestInputs:
    def test_lists_may_come_from_jinja_as_json(self, world: World, run: Run) -> None:
        numbers = world.add(2, mini_app_id=world.app, locale="en-US")
        operator = DetachNumbersOperator(task_id="t", numbers="{{ found | tojson }}")

        assert run(operator, found=numbers)["changed"] == 2

    def test_a_list_that_jinja_wrote_as_python_is_refused_with_the_fix(self, world: World, run: Run) -> None:
        operator = DetachNumbersOperator(task_id="t", numbers="{{ found }}")

        with pytest.raises(InvalidInput, match=r"numbers: .* '\| tojson'"):
            run(operator, found=world.add(1))

    def test_what_is_rendered_is_checked_before_any_call(self, world: World, run: Run) -> None:
        operator = AttachNumbersOperator(
            task_id="t", numbers="{{ numbers | tojson }}", mini_app_id="{{ app }}", locale="{{ locale }}"
        )

        with pytest.raises(InvalidInput) as refused:
            run(operator, numbers=["1212", "1313"], app="", locale="en_US")

        assert len(refused.value.problems) == 4
        assert world.sandbox.calls() == []

    def test_another_tasks_output_is_checked_once_it_is_known(self) -> None:
        with DAG("d", schedule=None):

            @task
            def found() -> list[str]:
                return ["nonsense"]

            numbers: Any = found()
            operator = DetachNumbersOperator(task_id="t", numbers=numbers)

        assert operator.upstream_task_ids == {"found"}

    def test_a_mapped_operator_checks_the_fixed_inputs_of_each_copy(self) -> None:
        with DAG("d", schedule=None):
            mapped = AttachNumbersOperator.partial(task_id="t", mini_app_id="app", locale="en_US").expand(
                numbers=[["+12125550123"]]
            )

        with pytest.raises(InvalidInput, match="locale"):
            mapped.unmap({"numbers": ["+12125550123"]})


class TestRetryPolicy:
    def test_is_ours_by_default(self) -> None:
        assert isinstance(SearchNumbersOperator(task_id="t").retry_policy, OcpRetryPolicy)

    def test_is_the_dags_where_it_has_one(self) -> None:
        policy = ExceptionRetryPolicy(rules=[])
        with DAG("d", schedule=None, default_args={"retry_policy": policy, "retry_delay": timedelta(minutes=1)}):
            operator = SearchNumbersOperator(task_id="t")

        assert operator.retry_policy is policy


@pytest.mark.parametrize("operator", EVERY_OPERATOR, ids=[operator.__name__ for operator in EVERY_OPERATOR])
class TestEveryOperator:
    def test_documents_each_of_its_parameters(self, operator: type[OcpOperator]) -> None:
        documented = str(operator.__doc__)

        assert [name for name in operator.readers if f":param {name}:" not in documented] == []

    def test_renders_each_of_its_inputs_and_the_connection(self, operator: type[OcpOperator]) -> None:
        assert {"ocp_conn_id", *operator.readers} <= set(operator.template_fields)


def test_a_dag_with_our_operators_survives_serialization_with_the_link_into_the_console() -> None:
    with DAG("d", schedule=None) as dag:
        SearchNumbersOperator(task_id="t")

    restored: Any = DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task("t")

    assert restored.has_retry_policy
    assert "OCP console" in restored.extra_links


def test_the_link_leads_to_the_host_of_the_connection(world: World) -> None:
    operator = SearchNumbersOperator(task_id="t")
    (link,) = [link for link in operator.operator_extra_links if link.name == "OCP console"]

    assert link.get_link(operator, ti_key=None) == world.sandbox.url  # type: ignore[arg-type]
    assert world.sandbox.calls() == []


def test_naming_operators_in_a_dag_file_loads_neither_client_nor_hook() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import airflow.sdk; before = set(sys.modules);"
        "from ocp_numbers.operators import AttachSetOperator, DeleteNumbersOperator, SearchNumbersOperator;"
        "heavy = ('requests', 'aiohttp', 'pyarrow', 'phonenumbers', 'ocp_numbers.client', 'ocp_numbers.hooks.ocp');"
        "print([name for name in heavy if name in sys.modules and name not in before])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.splitlines()[-1] == "[]"


class TestTheLog:
    class Looking(OcpOperator):
        """Goes from the environment it was made for to the one that its plan names."""

        def execute(self, context: Any) -> list[dict[str, Any]]:
            seen = [get_contextvars()]
            self.ocp_conn_id = "ocp_of_the_plan"
            self.mark_log(plan="abc")
            return [*seen, get_contextvars()]

    def test_names_the_environment_and_what_is_worked_on_until_the_task_ends(self, run: Run) -> None:
        before, after = run(self.Looking(task_id="look", ocp_conn_id="ocp_eu"))
        assert before == {"environment": "ocp_eu"}
        assert after == {"environment": "ocp_of_the_plan", "plan": "abc"}
        assert get_contextvars() == {}

    def test_names_nothing_while_a_dag_file_is_read(self) -> None:
        self.Looking(task_id="look", ocp_conn_id="ocp_eu").mark_log(plan="abc")
        assert get_contextvars() == {}


def test_every_operator_is_exported_and_airflow_is_told_of_its_module() -> None:
    told = get_provider_info()["operators"][0]["python-modules"]
    defined = {
        name
        for module in told
        for name, value in vars(import_module(module)).items()
        if name.endswith("Operator")
        and not name.startswith("_")
        and value.execute is not BaseOperator.execute  # what only others are made of has none of its own
        and value.__module__ in told
    }

    assert defined | {"OcpOperator"} == set(ocp_numbers.operators.__all__)
    assert {getattr(ocp_numbers.operators, name).__module__ for name in defined} == set(told)


def test_an_unknown_operator_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchOperator"):
        _ = ocp_numbers.operators.NoSuchOperator

    assert "OcpOperator" in dir(ocp_numbers.operators)
    assert ocp_numbers.operators.OcpOperator is base.OcpOperator
