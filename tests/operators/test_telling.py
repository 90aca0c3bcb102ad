"""What a task says about itself, and where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.errors import InvalidInput, NotFound
from ocp_numbers.operators import (
    AttachNumbersOperator,
    DeleteSetOperator,
    DetachNumbersOperator,
    EnsureSetOperator,
    SearchNumbersOperator,
)
from ocp_numbers.operators.approval import ApprovePlanOperator
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.telling import LONGEST, WIDTH, in_lines, tell
from ocp_numbers.progress import tell as tell_progress
from operators.world import GROUP, Run, World


class Store(dict[str, str]):
    """A task's state store."""

    def set(self, key: str, value: str) -> None:
        self[key] = value


class Instance:
    """As much of a task instance as is needed to say something."""

    def __init__(self) -> None:
        self.xcoms: dict[str, str] = {}

    def xcom_push(self, key: str, value: str) -> None:
        self.xcoms[key] = value


@pytest.fixture
def context() -> dict[str, Any]:
    return {"ti": Instance(), "task_state_store": Store()}


class TestASentence:
    def test_stands_in_log_result_and_state(self, context: Any, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO"):
            tell(context, "bought 5 of 5")

        assert "bought 5 of 5" in caplog.messages
        assert context["ti"].xcoms == context["task_state_store"] == {"note": "bought 5 of 5"}

    def test_is_capped_where_it_is_kept(self, context: Any) -> None:
        tell(context, "x" * 5_000)

        assert len(context["task_state_store"]["note"]) == LONGEST

    def test_that_cannot_be_kept_does_not_stop_the_work(self, context: Any) -> None:
        class Broken(Store):
            def set(self, key: str, value: str) -> None:
                raise RuntimeError("the API server is restarting")

        context["task_state_store"] = Broken()
        tell(context, "bought 5 of 5")

        assert context["ti"].xcoms == {"note": "bought 5 of 5"}

    def test_needs_neither_instance_nor_store(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO"):
            OcpOperator(task_id="t").tell("bought 5 of 5")

        assert "bought 5 of 5" in caplog.messages


class TestAnOperator:
    def test_says_what_it_changed_and_that_it_was_read_back(self, world: World, run: Run, context: Any) -> None:
        operator = AttachNumbersOperator(task_id="t", numbers=world.add(3), mini_app_id=world.app, locale="en-US")
        run(operator, **context)

        assert context["ti"].xcoms["note"] == f"attach to miniApp {world.app} in en-US: done for 3, and read back"

    def test_says_that_there_was_nothing_to_do(self, world: World, run: Run, context: Any) -> None:
        run(DetachNumbersOperator(task_id="t", numbers=world.add(2)), **context)

        assert context["ti"].xcoms["note"] == "detach: nothing to do, it is so already"

    def test_says_what_stopped_it_and_still_fails(self, world: World, run: Run, context: Any) -> None:
        with pytest.raises(NotFound):
            run(DetachNumbersOperator(task_id="t", numbers=["+16465559999"]), **context)

        assert context["task_state_store"]["note"].startswith("NotFound: numbers.detach")

    def test_shows_its_progress_while_it_works(self, world: World, run: Run, context: Any) -> None:
        class Long(OcpOperator):
            def execute(self, context: Any) -> None:
                tell_progress("copy: 5 of 10 numbers")

        run(Long(task_id="t"), **context)

        assert context["task_state_store"] == {"progress": "copy: 5 of 10 numbers"}

    def test_listens_to_nobody_once_it_has_ended(self, world: World, run: Run, context: Any) -> None:
        run(SearchNumbersOperator(task_id="t"), **context)
        tell_progress("somebody else's work")

        assert "progress" not in context["task_state_store"]

    def test_names_the_set_that_it_made(self, world: World, run: Run, context: Any) -> None:
        operator = EnsureSetOperator(task_id="t", name="Desk", group=GROUP)
        made = run(operator, **context)

        assert operator.worked_on == {"set": made["set_id"]}

    def test_says_that_a_set_is_gone(self, world: World, run: Run, context: Any) -> None:
        set_id, _ = world.add_set()
        run(DeleteSetOperator(task_id="t", set_id=set_id), **context)

        assert context["ti"].xcoms["note"].startswith(f"Deleted set {set_id}")


class TestAFailure:
    def test_is_in_the_log_in_lines_that_can_be_read_there_and_without_a_traceback(
        self, world: World, run: Run, context: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(NotFound) as failed:
            run(DetachNumbersOperator(task_id="t", numbers=["+16465559999"]), **context)

        told = [each for each in caplog.records if each.levelname == "ERROR"]
        lines = [each.getMessage() for each in told]
        assert " ".join(line.strip() for line in lines) == f"NotFound: {failed.value}"
        assert len(lines) > 1
        assert max(map(len, lines)) <= WIDTH
        assert all(each.exc_info is None for each in told)

    def test_of_an_operator_of_airflows_leaves_a_note_as_well(self, context: Any) -> None:
        approve = ApprovePlanOperator(task_id="approve", plan={})

        with pytest.raises(InvalidInput):
            approve.execute(context)

        assert context["ti"].xcoms["note"].startswith("InvalidInput: plan: lacks ask, body, digest")

    @given(st.text())
    def test_keeps_every_word(self, text: str) -> None:
        assert " ".join(in_lines(text)).split() == text.split()
