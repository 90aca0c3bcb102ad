from __future__ import annotations

import base64
import io
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import Workbook

from bulk import scene
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import AccessRefused, InvalidInput, PlanChanged, VerificationFailed
from ocp_numbers.operators import ApplyChangesOperator, PlanChangesOperator
from operators.world import GROUP, Run, World, connect

RUN = "manual__1"


class TaskInstance:
    """What the operators use of one."""

    def __init__(self) -> None:
        self.published: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.published[key] = value


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path)


@pytest.fixture
def context() -> dict[str, Any]:
    dag_run = SimpleNamespace(dag_id="apply_number_changes", run_id=RUN, triggering_user_name="anna")
    return {"dag_run": dag_run, "ti": TaskInstance(), "params": {}}


def table(*rows: dict[str, str]) -> str:
    return scene.table(*rows).decode()


def planning(root: DataRoot, **fields: Any) -> PlanChangesOperator:
    return PlanChangesOperator(task_id="plan", data_root=root, **fields)


def approved(plan: dict[str, Any], by: str | None = "anna") -> dict[str, Any]:
    return {**plan, "approved": True, "approved_by": by}


def applying(root: DataRoot, plan: Any, **fields: Any) -> ApplyChangesOperator:
    return ApplyChangesOperator(task_id="apply", plan=plan, data_root=root, **fields)


def update(number: str, note: str = "desk") -> dict[str, str]:
    return {"OPERATION": "Update", "NUMBER": number, "NOTE": note}


def test_a_table_is_planned_shown_and_carried_out_once(
    world: World, run: Run, root: DataRoot, context: dict[str, Any]
) -> None:
    one, other = world.add(2)
    plan = run(planning(root, upload=table(update(one), update(other))), **context)
    assert (plan["ask"], plan["changes"], plan["subject"]) == (True, 2, "Make 2 changes in ocp_default?")
    assert world.writes() == {}

    result = run(applying(root, approved(plan), rows_per_call="1"), **context)
    assert (result["done"], result["refused"], result["spent"]) == (2, 0, "0")
    assert world[one]["note"] == world[other]["note"] == "desk"
    assert world.writes() == {"PUT /api/numbers/csv": 2}
    assert root.read(result["results"])
    assert root.read(result["restore"])

    assert run(applying(root, approved(plan)), **context) == result
    assert world.writes() == {"PUT /api/numbers/csv": 2}


def test_a_file_of_the_data_root_may_be_a_workbook(
    world: World, run: Run, root: DataRoot, context: dict[str, Any]
) -> None:
    (number,) = world.add(1)
    book = Workbook()
    assert book.active is not None
    book.active.append(["Operation", "Number", "Note"])
    book.active.append(["Update", int(number[1:]), "desk"])
    written = io.BytesIO()
    book.save(written)
    root.write("uploads/moves.xlsx", written.getvalue())
    assert run(planning(root, file="uploads/moves.xlsx"), **context)["changes"] == 1
    pasted = base64.b64encode(written.getvalue()).decode()
    assert run(planning(root, upload=pasted), **context)["changes"] == 1


@pytest.mark.parametrize("given", [{}, {"file": "a.csv", "upload": "b"}, {"file": "", "upload": "", "restore": ""}])
def test_exactly_one_source_is_needed(
    world: World, run: Run, root: DataRoot, context: dict[str, Any], given: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput, match=r"file, upload, restore: .*give exactly one of them"):
        run(planning(root, **given), **context)


@pytest.mark.parametrize("file", ["nowhere.csv", "uploads", "../secret"])
def test_a_file_that_is_not_there_is_named(
    world: World, run: Run, root: DataRoot, context: dict[str, Any], file: str
) -> None:
    root.write("uploads/other.csv", b"")
    with pytest.raises(InvalidInput, match=rf"'{file}'"):
        run(planning(root, file=file), **context)


def test_a_connection_that_could_not_carry_it_out_is_told_before_anybody_is_asked(
    world: World, run: Run, root: DataRoot, context: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, world.sandbox, extra={"access": "write"})
    (number,) = world.add(1)
    with pytest.raises(AccessRefused, match="needs access 'paid'"):
        run(planning(root, upload=table(update(number))), **context)


def test_whoever_only_plans_gets_the_plan_and_what_follows_is_skipped(
    world: World, run: Run, root: DataRoot, context: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = world.add(1)
    skipped: list[Any] = []
    monkeypatch.setattr(PlanChangesOperator, "skip", lambda self, ti, tasks: skipped.append(list(tasks)))
    operator = planning(root, upload=table(update(number)), plan_only="True")
    run(operator, **context, task=SimpleNamespace(get_flat_relatives=lambda upstream: ["approve", "apply"]))
    assert context["ti"].published["return_value"]["changes"] == 1
    assert skipped == [["approve", "apply"]]


class TestApproval:
    def test_is_not_asked_for_where_nothing_would_change(
        self, world: World, run: Run, root: DataRoot, context: dict[str, Any]
    ) -> None:
        (number,) = world.add(1, note="desk")
        plan = run(planning(root, upload=table(update(number))), **context)
        assert (plan["ask"], plan["unasked"]) == (False, "nothing is to be changed")
        assert run(applying(root, approved(plan, by=None)), **context)["done"] == 0

    def test_may_be_switched_off_for_what_can_be_taken_back(
        self, world: World, run: Run, root: DataRoot, context: dict[str, Any]
    ) -> None:
        (number,) = world.add(1)
        plan = run(planning(root, upload=table(update(number)), require_approval="False"), **context)
        assert (plan["ask"], plan["unasked"]) == (False, "require_approval is off")
        assert run(applying(root, approved(plan, by=None)), **context)["done"] == 1

    def test_is_always_needed_for_what_cannot(
        self, world: World, run: Run, root: DataRoot, context: dict[str, Any]
    ) -> None:
        (number,) = world.add(1)
        rows = table({"OPERATION": "Delete", "NUMBER": number})
        plan = run(planning(root, upload=rows, require_approval=False), **context)
        assert plan["ask"]
        with pytest.raises(PlanChanged, match="Nobody approved"):
            run(applying(root, approved(plan, by=None)), **context)
        assert number in world.all()

    @pytest.mark.parametrize("change", [{"approved": False}, {"digest": "0" * 64}, {"plan": "bulk/other/plan.json"}])
    def test_is_for_that_plan_only(
        self, world: World, run: Run, root: DataRoot, context: dict[str, Any], change: dict[str, Any]
    ) -> None:
        (number,) = world.add(1)
        plan = run(planning(root, upload=table(update(number))), **context)
        with pytest.raises(PlanChanged, match="Nothing was changed"):
            run(applying(root, {**approved(plan), **change}), **context)
        assert world.writes() == {}


def test_a_row_that_was_refused_makes_the_task_red_once_all_else_is_done(
    world: World, run: Run, root: DataRoot, context: dict[str, Any]
) -> None:
    one, bought = (*world.add(1), *world.add(1, purchased=True))
    rows = table(update(one), {"OPERATION": "Delete", "NUMBER": bought})
    plan = run(planning(root, upload=rows), **context)
    with pytest.raises(VerificationFailed, match=rf"\{bought} refused: OCP refused it.*trigger a new run"):
        run(applying(root, approved(plan)), **context)
    assert world[one]["note"] == "desk"
    assert context["ti"].published["account"]["refused"] == 1


def test_rows_buy_within_both_limits(
    world: World, run: Run, root: DataRoot, context: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, world.sandbox, extra={"settle_seconds": 0})
    offer = world.sandbox.stock("telnova", "US")[0]
    row = {"OPERATION": "Create", "NUMBER": offer["number"], "GROUP_ID": GROUP, "COUNTRY": "US", "PROVIDER": "telnova"}
    with pytest.raises(InvalidInput, match="give max_unit_price and max_total_price"):
        run(planning(root, upload=table(row)), **context)
    limits = {"max_unit_price": "100", "max_total_price": "100.0"}
    plan = run(planning(root, upload=table(row), **limits), **context)
    result = run(applying(root, approved(plan)), **context)
    assert (result["bought"], Decimal(result["spent"])) == (1, Decimal(offer["price"]))


def test_a_run_is_undone_by_its_name(world: World, run: Run, root: DataRoot, context: dict[str, Any]) -> None:
    (number,) = world.add(1, note="lobby")
    run(applying(root, approved(run(planning(root, upload=table(update(number))), **context))), **context)
    context["dag_run"].run_id = "manual__2"
    plan = run(planning(root, restore=f"apply_number_changes/{RUN}"), **context)
    assert run(applying(root, approved(plan)), **context)["done"] == 1
    assert world[number]["note"] == "lobby"
