"""The export against the platform's API: every number, whatever goes wrong, in no more calls than needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from inventory.estate import content
from ocp_numbers.client import ClientSettings, OcpClient, Retry, without_waiting
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import (
    AnswerLost,
    Forbidden,
    IncompleteSnapshot,
    Interrupted,
    Refused,
    ServerFault,
    UnexpectedAnswer,
)
from ocp_numbers.inventory import latest
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
from ocp_sandbox import Fault, Sandbox, Settings, User

ExportOf = Callable[..., Export]
LISTING = "/api/numbers"


@contextmanager
def connected(sandbox: Sandbox, login: str = "ops") -> Iterator[OcpClient]:
    settings = ClientSettings(host=sandbox.url, login=login, password="secret", max_concurrency=4)
    with OcpClient(settings, retry=Retry(attempts=3)) as client, without_waiting():
        yield client


@contextmanager
def platform(numbers: int, **settings: Any) -> Iterator[tuple[Sandbox, ClientSource]]:
    with Sandbox(Settings(numbers=numbers, **settings)) as sandbox, connected(sandbox) as client:
        yield sandbox, ClientSource(lambda: client)


def truth(sandbox: Sandbox, *, set_names: bool = True) -> list[tuple[Any, ...]]:
    names = "number country groupId miniAppId miniAppName miniAppType miniAppDiamantAppName miniAppGroup locale note"
    order = [*names.split(), "applicationTag", "setId", "setName"]
    return [
        tuple(each[name] if set_names or name != "setName" else None for name in order) for each in sandbox.numbers()
    ]


@pytest.mark.parametrize("numbers", [0, 1, 49, 50, 51])
def test_every_number_of_the_platform_is_in_the_snapshot_as_it_is(export_of: ExportOf, numbers: int) -> None:
    with platform(numbers) as (sandbox, source):
        snapshot = export_of(source, page_size=50, expected_rows=numbers).run()
        assert content(snapshot) == truth(sandbox)
        pages, beyond = max(1, -(-numbers // 50)), int(numbers == 50)
        assert source.calls == 2 * (pages + beyond) == snapshot.manifest.proof.calls


def test_five_thousand_numbers_in_capped_pages_over_several_connections(export_of: ExportOf) -> None:
    with platform(5_000, page_cap=250) as (sandbox, source):
        snapshot = export_of(source, page_size=500, concurrency=4).run()
        assert content(snapshot) == truth(sandbox)
        assert snapshot.manifest.proof.page_size == 250
        assert sandbox.most_in_flight() > 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", LISTING, kind="status", status=503, nth=4),
        Fault("GET", LISTING, kind="status", status=429, retry_after="3", nth=4),
        Fault("GET", LISTING, kind="drop_before", nth=4),
        Fault("GET", LISTING, kind="drop_after", nth=4),
        Fault("GET", LISTING, kind="truncated", nth=4),
        Fault("GET", LISTING, kind="broken_json", nth=4),
        Fault("GET", LISTING, kind="html", nth=4),
        Fault("GET", LISTING, kind="html", nth=6),
        Fault("GET", LISTING, kind="broken_json", nth=6),
        Fault("GET", LISTING, kind="unauthorized", nth=4),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.nth}",
)
def test_a_passing_fault_does_not_spoil_the_export(export_of: ExportOf, fault: Fault) -> None:
    with platform(55, faults=[fault]) as (sandbox, source):
        snapshot = export_of(source).run()
        assert content(snapshot) == truth(sandbox)
        proof = snapshot.manifest.proof
        assert (proof.retries or proof.attempts > 1) == (fault.kind != "unauthorized")
        assert [rule["fired"] for rule in sandbox.faults.listed()] == [1]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("GET", LISTING, kind="status", status=500), ServerFault),
        (Fault("GET", LISTING, kind="status", status=403), Forbidden),
        (Fault("GET", LISTING, kind="drop_before"), AnswerLost),
        (Fault("GET", LISTING, kind="html"), UnexpectedAnswer),
        (Fault("GET", LISTING, kind="broken_json"), UnexpectedAnswer),
        (Fault("GET", LISTING, kind="refuse"), Refused),
    ],
)
def test_a_lasting_fault_is_raised_as_it_is_and_nothing_is_published(
    export_of: ExportOf, root: DataRoot, fault: Fault, error: type[Exception]
) -> None:
    with platform(55, faults=[fault]) as (_, source), pytest.raises(error, match="GET /api/numbers"):
        export_of(source).run()
    assert latest(root, "ocp_default") is None


def test_numbers_bought_and_given_up_while_reading_make_it_read_again(export_of: ExportOf) -> None:
    with Sandbox(Settings(numbers=95)) as sandbox, connected(sandbox) as client:
        calls = count(1)

        def busy() -> OcpClient:
            call = next(calls)
            if call == 5:
                sandbox.edit.remove_number(sandbox.numbers()[0]["number"])
            if call == 6:
                sandbox.edit.add_number("+499999999999", "retail-us")
            return client

        snapshot = export_of(ClientSource(busy)).run()
        assert content(snapshot) == truth(sandbox)
        assert snapshot.manifest.proof.attempts > 1


def test_only_the_groups_named_are_exported(export_of: ExportOf) -> None:
    with Sandbox(Settings(numbers=200)) as sandbox, connected(sandbox) as client:
        groups = sandbox.groups()[:2]
        snapshot = export_of(ClientSource(lambda: client, groups)).run()
        of_groups = [each for each in truth(sandbox, set_names=False) if each[2] in groups]
        assert content(snapshot) == of_groups
        assert 0 < len(of_groups) < 200


def test_a_login_that_sees_some_groups_exports_these(export_of: ExportOf) -> None:
    users = [User("ops", "secret"), User("some", "secret", role="reader", groups=("retail-us",))]
    with Sandbox(Settings(numbers=200, users=users)) as sandbox, connected(sandbox, "some") as client:
        snapshot = export_of(ClientSource(lambda: client)).run()
        assert content(snapshot) == [each for each in truth(sandbox) if each[2] == "retail-us"]


def test_who_gives_the_client_can_end_the_reading(export_of: ExportOf, root: DataRoot) -> None:
    with Sandbox(Settings(numbers=95)) as sandbox, connected(sandbox) as client:
        calls = count(1)

        def until_five() -> OcpClient:
            if next(calls) > 5:
                raise Interrupted("asked to end")
            return client

        with pytest.raises(Interrupted):
            export_of(ClientSource(until_five)).run()
    assert latest(root, "ocp_default") is None


def test_a_number_that_is_not_one_is_rejected_by_the_api_too(export_of: ExportOf) -> None:
    row = {"number": "12012049893"} | dict.fromkeys(("groupId", "miniAppId", "phoneNumbersSetId", "note"))
    body = json.dumps({"numbers": [row], "page": 1, "pageSize": 10, "numberOfPages": 1, "allNumbers": 1})
    fault = Fault("GET", LISTING, kind="status", status=200, body=body)
    with platform(1, faults=[fault]) as (_, source), pytest.raises(IncompleteSnapshot, match="1 of 1 rows"):
        export_of(source).run()


@pytest.mark.parametrize("to", ["miniappid", "mini_app_id", "MINIAPPID"])
def test_a_field_in_another_spelling_is_exported_as_what_it_is(export_of: ExportOf, to: str) -> None:
    with platform(120, faults=[Fault("GET", LISTING, kind="drift", field="miniAppId", to=to)]) as (sandbox, source):
        assert content(export_of(source, page_size=50).run()) == truth(sandbox)


@pytest.mark.parametrize("field", ["miniAppId", "groupId", "note", "phoneNumbersSetId"])
def test_an_inventory_without_what_decisions_are_made_from_is_not_published(
    export_of: ExportOf, root: DataRoot, field: str
) -> None:
    with (
        platform(120, faults=[Fault("GET", LISTING, kind="drift", field=field)]) as (_, source),
        pytest.raises(UnexpectedAnswer, match=field),
    ):
        export_of(source).run()
    assert latest(root, "ocp_default") is None


def test_what_no_decision_needs_may_be_missing(export_of: ExportOf) -> None:
    fault = Fault("GET", LISTING, kind="drift", field="miniAppDiamantAppName")
    with platform(20, faults=[fault]) as (sandbox, source):
        empty = [(*each[:6], None, *each[7:]) for each in truth(sandbox)]
        assert content(export_of(source).run()) == empty


@pytest.mark.parametrize("as_text", [True, False])
def test_the_platforms_own_csv_can_be_the_source(export_of: ExportOf, as_text: bool) -> None:
    with platform(300, csv_as_text=as_text) as (sandbox, source):
        snapshot = export_of(source, via="csv").run()
        assert content(snapshot) == truth(sandbox, set_names=False)
        assert source.calls == 4


@pytest.mark.parametrize("as_text", [True, False])
def test_the_full_check_agrees_with_the_platforms_own_csv(export_of: ExportOf, as_text: bool) -> None:
    with platform(300, csv_as_text=as_text) as (sandbox, source):
        snapshot = export_of(source, page_size=100, full_check=True).run()
        assert content(snapshot) == truth(sandbox)
        assert source.calls == 2 * 4 + 1
