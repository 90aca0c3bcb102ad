"""``contract``: the document, and a platform compared with it that is asked nothing but to show."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from commands.conftest import Shell
from ocp_numbers.client import OPERATIONS, Effect
from ocp_numbers.contract import Verdict, compare
from ocp_numbers.errors import AccessRefused
from ocp_numbers.hooks.ocp import OcpNumbersHook
from ocp_sandbox import Fault, Sandbox
from operators.world import World

READS = {name for name, row in OPERATIONS.items() if row.effect is Effect.READ}
ALL = ("contract", "--read-only", "--provider", "telnova", "--country", "US")


@pytest.fixture(autouse=True)
def no_faults_left(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.faults.clear()


def test_the_document_is_printed_as_json_and_nothing_is_asked_of_anyone(shell: Shell) -> None:
    assert shell("contract", "--document", "--conn-id", "nowhere") == 0

    document = json.loads(shell.out)
    assert sum(map(len, document["paths"].values())) == len(OPERATIONS)


@pytest.mark.parametrize("arguments", [[], ["--document", "--read-only"]])
def test_one_of_the_two_is_to_be_chosen(shell: Shell, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        shell("contract", *arguments)

    assert ended.value.code == 2


def test_a_platform_that_keeps_the_contract_is_told_so(world: World, shell: Shell) -> None:
    assert shell(*ALL) == 0
    assert "8 of 8 conform" in shell.out
    assert "11 not tried: WRITE" in shell.out


def test_every_operation_that_reads_is_called_and_no_other(world: World, shell: Shell) -> None:
    world.sandbox.clear_calls()
    document = shell.json(*ALL)

    verdicts = {trial["operation"]: trial["verdict"] for trial in document["trials"]}
    assert {name for name, verdict in verdicts.items() if verdict == "conforms"} == READS
    assert set(verdicts) == set(OPERATIONS)
    assert world.writes() == {}
    assert document["verdicts"] == {"conforms": len(READS), "not tried": len(OPERATIONS) - len(READS)}


def test_where_the_platform_departs_is_named_and_the_exit_code_tells(world: World, shell: Shell) -> None:
    body = '[{"ID": "1", "name": "a", "groupId": "b", "phoneNumberCount": "3", "colour": 1}]'
    world.sandbox.faults.add(Fault("GET", "*/numbers-set/group/*", status=200, body=body))

    assert shell(*ALL) == 1

    assert "1 of 8 drift: sets.list_for_group" in shell.out
    for finding in ("[].id is spelt ID", "[].phoneNumberCount is of type string", "[].colour is not in the contract"):
        assert finding in shell.out
    assert shell.err == ""


def test_an_answer_that_cannot_be_understood_does_not_end_the_comparison(world: World, shell: Shell) -> None:
    world.sandbox.faults.add(Fault("POST", "*/numbers/search", status=200, body='{"numbers": [{"number": 5}]}'))

    document = shell.json(*ALL)

    trials = {trial["operation"]: trial for trial in document["trials"]}
    assert trials["numbers.search"]["verdict"] == "fails"
    assert "numbers[].miniAppId is missing" in trials["numbers.search"]["findings"]
    assert trials["sets.numbers"]["verdict"] == "conforms"


def test_the_columns_of_the_csv_are_compared(world: World, shell: Shell) -> None:
    world.sandbox.faults.add(Fault("POST", "*/numbers/csv", status=200, body=json.dumps("NUMBER,COLOUR\r\n")))

    document = shell.json(*ALL)

    (found,) = (trial["findings"] for trial in document["trials"] if trial["operation"] == "numbers.export_csv")
    assert "the column NOTE is missing" in found
    assert "the column COLOUR is not in the contract" in found


def test_what_there_is_nothing_to_ask_with_is_said(world: World, shell: Shell) -> None:
    empty = '{"numbers": [], "page": 1, "pageSize": 50, "numberOfPages": 0, "allNumbers": 0}'
    world.sandbox.faults.add(Fault("GET", "*/numbers", status=200, body=empty))
    world.sandbox.faults.add(Fault("GET", "*/numbers-set", status=200, body="[]"))

    assert shell("contract", "--read-only") == 0

    assert "2 of 2 conform" in shell.out
    assert "numbers.search: no group to ask with" in shell.out
    assert "sets.get: no set to ask with" in shell.out
    assert "numbers.search_available: no provider (--provider), no country (--country), no group" in shell.out


def test_a_login_that_is_refused_ends_it(world: World, shell: Shell) -> None:
    world.sandbox.faults.add(Fault("POST", "*/token", status=401))

    assert shell(*ALL) == 3
    assert shell.out == ""


def test_a_client_that_could_do_more_than_look_is_refused_before_anything_is_sent(world: World) -> None:
    world.sandbox.clear_calls()

    with OcpNumbersHook() as hook, pytest.raises(AccessRefused):
        compare(hook.client)

    assert world.sandbox.calls() == []
    assert {verdict.value for verdict in Verdict} == {"conforms", "drifts", "fails", "not tried"}
