from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from ocp_sandbox import Sandbox, User
from sandbox.caller import Caller, app_in

Serve = Callable[..., Sandbox]
A, B, C = "+12125550101", "+12125550102", "+12125550103"


@pytest.fixture(autouse=True)
def numbers(box: Sandbox) -> None:
    for number in (A, B, C):
        box.edit.add_number(number, "retail-us", note=f"note of {number}")


def accepted(ops: Caller, text: str | bytes) -> str:
    answer = ops.upload(text)
    assert (answer.status_code, answer.json()["success"]) == (200, True), answer.text
    return str(answer.json()["message"])


def refused(ops: Caller, text: str | bytes, status: int = 200) -> str:
    answer = ops.upload(text)
    assert (answer.status_code, answer.json()["success"]) == (status, False), answer.text
    return str(answer.json()["message"])


def test_rows_of_all_operations_share_a_file(box: Sandbox, ops: Caller) -> None:
    app = app_in(box)
    ops.ok("PUT", "/api/numbers/attach", {"numbers": [B], "miniAppId": app, "locale": "en-US"})
    target = box.edit.add_set("home", "retail-us")
    message = accepted(
        ops,
        "OPERATION,NUMBER,GROUP_ID,NOTE,MINIAPP_ID,LOCALE,APPLICATION_TAG,PHONE_NUMBER_SET_ID,COUNTRY,EXTRA\r\n"
        f"Create,+302101234567,banking-eu,new,,,,,GR,\r\n"
        f'UPDATE,{A},ocp-qa,"a, ""b""\nc",,,,,,ignored\r\n'
        f"attach,{C},,,{app},en-GB,tag,,,\r\n"
        f"Detach,{B},,,,,,,,\r\n"
        f"update,{B},,,,,,{target},,\r\n"
        f"Delete,{C},,,,,,,,\r\n",
    )
    assert "6 row(s)" in message
    rows = ops.listed()
    assert set(rows) == {A, B, "+302101234567"}
    assert (rows["+302101234567"]["note"], rows["+302101234567"]["country"]) == ("new", "GR")
    assert (rows[A]["note"], rows[A]["groupId"]) == ('a, "b"\nc', "ocp-qa")
    assert (rows[B]["miniAppId"], rows[B]["phoneNumbersSetName"]) == (None, "home")
    assert [entry["kind"] for entry in box.ledger()["entries"]] == ["added", "deleted"]


def test_blank_cells_change_nothing(box: Sandbox, ops: Caller) -> None:
    binding = {"numbers": [A], "miniAppId": app_in(box), "locale": "en-US", "applicationTag": "t"}
    ops.ok("PUT", "/api/numbers/attach", binding)
    before = ops.listed()
    accepted(ops, f"NUMBER,OPERATION,NOTE,GROUP_ID,LOCALE,APPLICATION_TAG,COUNTRY\n{A},Update,, ,,,\n")
    assert ops.listed() == before
    accepted(ops, f"NUMBER,OPERATION,LOCALE,APPLICATION_TAG\n{A},Update,en-GB,u\n")
    assert (ops.listed()[A]["locale"], ops.listed()[A]["applicationTag"]) == ("en-GB", "u")


def test_create_with_a_provider_buys(box: Sandbox, ops: Caller) -> None:
    (number,) = ops.offered(1)
    header = "OPERATION,NUMBER,GROUP_ID,PROVIDER,MINIAPP_ID,LOCALE\n"
    accepted(ops, f"{header}Create,{number},retail-us,telnova,{app_in(box)},en-US\n")
    assert box.ledger()["totals"]["bought"] == 1
    assert ops.listed()[number]["miniAppId"] == app_in(box)
    assert number in refused(ops, f"{header}Create,{number},retail-us,telnova,,\n")
    assert "acme" in refused(ops, f"{header}Create,+15550000001,retail-us,acme,,\n")
    assert box.ledger()["totals"]["bought"] == 1


def test_create_with_a_provider_may_place_what_is_not_in_sight_yet(serve: Serve) -> None:
    box = serve(visibility_delay=30)
    ops = Caller(box.url)
    (number,) = ops.offered(1)
    target = box.edit.add_set("home", "retail-us")
    accepted(
        ops,
        f"OPERATION,NUMBER,GROUP_ID,PROVIDER,PHONE_NUMBER_SET_ID\nCreate,{number},retail-us,telnova,{target}\n",
    )
    assert box.numbers()[0]["setName"] == "home"
    assert ops.listed() == {}


def test_one_wrong_row_undoes_the_whole_file_and_every_wrong_row_is_named(box: Sandbox, ops: Caller) -> None:
    (number,) = ops.offered(1)
    before = box.numbers()
    message = refused(
        ops,
        "OPERATION,NUMBER,GROUP_ID,PROVIDER,MINIAPP_ID,LOCALE\n"
        f"Create,{number},retail-us,telnova,,\n"
        f"Delete,{A},,,,\n"
        f"Delete,{A},,,,\n"
        "Rename,+12125550101,,,,\n"
        f",{B},,,,\n"
        "Update,12125550101,,,,\n"
        f"Attach,{B},,,,\n"
        f"Attach,{B},,,no.app,en-US\n"
        f"Attach,{B},,,no.app,english\n"
        f"Create,{B},retail-us,,,\n"
        "Create,+15550000002,,,,\n",
    )
    assert "9 row(s)" in message
    for part in ("row 4", "rename", "row 6", "row 7", "MINIAPP_ID and LOCALE", "no.app", "english", B, "GROUP_ID"):
        assert part in message
    assert "row 2" not in message
    assert box.numbers() == before
    assert box.ledger()["entries"] == []


def test_the_exported_file_goes_back_in(box: Sandbox, ops: Caller) -> None:
    rows = list(csv.DictReader(io.StringIO(ops.ok("POST", "/api/numbers/csv", {}), newline="")))
    out = io.StringIO()
    writer = csv.DictWriter(out, [*rows[0], "OPERATION"])
    writer.writeheader()
    writer.writerows(row | {"OPERATION": "Update", "NOTE": "edited 📞"} for row in rows)
    accepted(ops, "\ufeff" + out.getvalue())
    assert {row["note"] for row in ops.listed().values()} == {"edited 📞"}


def test_each_operation_has_its_limit(serve: Serve) -> None:
    ops = Caller(serve(csv_limits={"update": 2}).url)
    lines = [f"Update,+1212555010{place},x" for place in range(3)]
    message = refused(ops, "\n".join(["OPERATION,NUMBER,NOTE", *lines]), 400)
    assert "3 rows of the operation update; at most 2" in message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "OPERATION and NUMBER missing"),
        ("NUMBER\n+12125550101\n", "OPERATION missing"),
        ("OPERATION;NUMBER\nDelete;+12125550101\n", "OPERATION and NUMBER missing"),
        (b"OPERATION,NUMBER\nDelete,\xff\n", "UTF-8"),
        ("OPERATION,NUMBER\nDelete,\0\n", "NUL"),
        ('OPERATION,NUMBER\nDelete,"+12125550101\n', "line"),
    ],
)
def test_what_is_no_such_csv_is_refused(ops: Caller, text: str | bytes, named: str) -> None:
    assert named in refused(ops, text, 400)
    assert len(ops.listed()) == 3


def test_the_part_is_named_file_and_the_form_is_multipart(ops: Caller) -> None:
    text = f"OPERATION,NUMBER\nDelete,{A}\n"
    for part in ("file", "Data"):
        assert "File: missing" in ops.upload(text, part).json()["message"]
    assert "multipart" in ops.no(400, "PUT", "/api/numbers/csv", data=text, headers={"Content-Type": "text/csv"})
    headers = {"Content-Type": "multipart/form-data"}
    assert "multipart" in ops.no(400, "PUT", "/api/numbers/csv", data=text, headers=headers)
    assert len(ops.listed()) == 3


def test_other_parts_and_extra_cells_are_passed_over(ops: Caller) -> None:
    files = {"comment": (None, "x"), "File": ("n.csv", f"OPERATION,NUMBER,NOTE\nDelete,{A},,,more\n\nDetach,{B}\n")}
    assert ops.raw("PUT", "/api/numbers/csv", files=files).json()["success"] is True
    assert set(ops.listed()) == {B, C}


def test_a_row_of_another_group_is_refused(serve: Serve) -> None:
    box = serve(users=[User("us", "secret", groups=["ocp-qa"])])
    box.edit.add_number(A, "retail-us")
    caller = Caller(box.url, "us")
    assert "no rights" in refused(caller, f"OPERATION,NUMBER,NOTE\nUpdate,{A},x\n")
    assert "no rights" in refused(caller, f"OPERATION,NUMBER,GROUP_ID\nCreate,{B},retail-us\n")
