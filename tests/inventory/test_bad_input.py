"""What can be wrong with what the platform says or with where the files go: each has its message, and no harm is done.

Other tests of the same kind stand where the thing itself is tested: totals that lie and pages that contradict each
other in ``test_export``, faults that pass in ``test_source``, cells of a spreadsheet in ``test_spreadsheet``.
"""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from inventory.estate import DAY, Estate, Row, content, estate_of, row
from inventory.test_source import platform, truth
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import AnswerLost, IncompleteSnapshot, PartitionBusy, UnexpectedAnswer
from ocp_numbers.inventory import CompleteSnapshot, dates, latest
from ocp_numbers.inventory.export import Export
from ocp_sandbox import Fault

ExportOf = Callable[..., Export]
LISTING = "/api/numbers"
PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault("GET", LISTING, kind="html"), UnexpectedAnswer, r"GET /api/numbers.*: 200: .*<"),
        (Fault("GET", LISTING, kind="broken_json"), UnexpectedAnswer, r"page 1\): 200: the body is not JSON"),
        (Fault("GET", LISTING, kind="truncated"), AnswerLost, r"numbers\.list \(GET /api/numbers\): "),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_page_that_is_none_every_time_it_is_asked_for_is_named(
    export_of: ExportOf, root: DataRoot, fault: Fault, error: type[Exception], says: str
) -> None:
    with platform(55, faults=[fault]) as (_, source), pytest.raises(error, match=says):
        export_of(source).run()
    assert latest(root, "ocp_default") is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"number": "12012049893"}, r"'12012049893' is not in E\.164"),
        ({"number": "+1 (201) 204-9893"}, r"'\+1 \(201\) 204-9893' is not in E\.164"),
        ({"number": "+0123456789"}, r"'\+0123456789' is not in E\.164"),
        ({"number": "+1201204989\u0663"}, r"is not in E\.164"),
        ({"number": None}, "number: Input should be a valid string"),
        ({"number": 12012049893}, "number: Input should be a valid string"),
        ({"note": ["a list"]}, "note: Input should be a valid string"),
        ({"groupId": {"id": "g"}}, "Input should be a valid string"),
        ({"note": "\ud800"}, "note: .* is not valid Unicode"),
    ],
)
def test_a_row_that_is_no_record_of_a_number_is_told_apart_and_why(
    export_of: ExportOf, wrong: Row, reason: str
) -> None:
    estate = Estate([row(0), row(1, **wrong), row(2)], key=lambda each: str(each["locale"]))
    snapshot = export_of(estate, max_reject_percent=50).run()
    assert [each[0] for each in content(snapshot)] == [row(0)["number"], row(2)["number"]]
    with snapshot.open("rejects.jsonl") as stream:
        (reject,) = map(json.loads, stream)
    assert (reject["page"], reject["row"]) == (1, 2)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(reject["reason"])
    with pytest.raises(IncompleteSnapshot, match=r"1 of 3 rows are not records of numbers, more than 0\.1 %"):
        export_of(estate, day=DAY + timedelta(1)).run()


@pytest.mark.parametrize("name", [name for name in row(0) if name != "number"])
def test_nothing_where_the_contract_has_a_text_is_nothing(export_of: ExportOf, name: str) -> None:
    estate = Estate([row(0, **{name: None}), {key: value for key, value in row(1).items() if key != name}])
    assert [each[list(row(0)).index(name)] for each in content(export_of(estate).run())] == [None, None]


def test_rows_that_are_no_objects_are_told_apart(export_of: ExportOf) -> None:
    def spoil(page: int, answer: Row) -> Row:
        return answer | {"numbers": [None, "text", *answer["numbers"][2:]]}

    with pytest.raises(IncompleteSnapshot, match=r"2 of 5 rows are not records of numbers.*rejects\.jsonl"):
        export_of(estate_of(5, spoil=spoil)).run()


NOTES = {
    "newlines": "front\ndesk\r\nfloor 2\r",
    "quotes": "the \"front\" desk's 'line'",
    "tab": "front\tdesk",
    "NUL": "front\0desk",
    "emoji": "\N{TELEPHONE RECEIVER} \U0001f469\u200d\U0001f4bb",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202e txet",
    "formula": '=HYPERLINK("http://example.org","x")',
    "another formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a megabyte": "0123456789abcdef" * 2**16,
    "JSON": '{"a": [null]}',
    "markup": "<script>alert(1)</script>&amp;",
    "separators": "a,b;c|d\u2028e",
}


def test_notes_pass_over_the_wire_and_through_every_file_whatever_they_hold(export_of: ExportOf) -> None:
    with platform(0) as (sandbox, source):
        for place, note in enumerate(NOTES.values()):
            sandbox.edit.add_number(f"+1212555{place:04}", "retail-us", note=note)
        snapshot = export_of(source, formats=("parquet", "csv", "xlsx")).run()
        assert content(snapshot) == truth(sandbox)
    assert csv_notes(snapshot) == list(NOTES.values())
    with snapshot.open("report.html") as stream:
        assert b"<script>" not in stream.read()


def csv_notes(snapshot: CompleteSnapshot) -> list[str]:
    with snapshot.open("numbers.csv.gz") as stream:
        # Python 3.10's reader refuses NUL, which is in the file all the same.
        text = gzip.decompress(stream.read()).decode().replace("\0", "\N{SYMBOL FOR NULL}")
    csv.field_size_limit(2**21)
    return [line["note"].replace("\N{SYMBOL FOR NULL}", "\0") for line in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.fixture
def published(export_of: ExportOf, root: DataRoot) -> CompleteSnapshot:
    """Yesterday's snapshot, which has to be there and whole at the end."""
    return export_of(estate_of(5), day=DAY - timedelta(1)).run()


FULL_DISK = """
import resource, sys
from inventory.estate import DAY, Estate, row
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
import os
rows = [row(place, note=os.urandom(300).hex()) for place in range(2_000)]
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    Export(source=Estate(rows), root=DataRoot(sys.argv[1]), scope=Scope(environment="ocp_default"), day=DAY, holder="h",
           max_change_percent=1e9).run()
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_file_that_cannot_grow_any_more_is_named_and_the_old_snapshot_stays(
    published: CompleteSnapshot, root: DataRoot
) -> None:
    """The kernel itself refuses to write on, as it does on a full disk or beyond a quota."""
    path = os.pathsep.join(str(PROJECT / room) for room in ("plugins", "tests"))
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, root.uri],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.startswith(
        "IncompleteSnapshot inventory/environment=ocp_default/date=2026-03-01 could not be written: [Errno 27] "
    )
    assert "has room and may be written, then run the export again" in child.stdout
    assert latest(root, "ocp_default") == published
    assert content(published) == estate_of(5).state()


@pytest.mark.parametrize(
    ("fault", "when"),
    list(zip(cycle([errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.ESTALE]), range(0, 24, 2))),
)
def test_a_disk_that_fails_at_any_write_is_named_and_the_old_snapshot_stays(
    published: CompleteSnapshot,
    export_of: ExportOf,
    root: DataRoot,
    monkeypatch: pytest.MonkeyPatch,
    fault: int,
    when: int,
) -> None:
    writes = iter(range(1_000))

    class Failing(DataRoot):
        def _try(self) -> None:
            if next(writes) >= when:
                raise OSError(fault, os.strerror(fault))

        def write(self, key: str, content: bytes) -> None:
            self._try()
            super().write(key, content)

        def create(self, key: str, content: bytes) -> bool:
            self._try()
            return super().create(key, content)

        def move(self, source: str, target: str) -> None:
            self._try()
            super().move(source, target)

        def path(self, key: str) -> Any:
            self._try()
            return super().path(key)

    refused = None
    try:
        export_of(estate_of(6), root=Failing(root.uri)).run()
    except IncompleteSnapshot as error:
        refused = str(error)
    assert refused is None or f"could not be written: [Errno {fault}] {os.strerror(fault)}" in refused
    newest = latest(root, "ocp_default")
    assert newest is not None
    assert content(newest) == estate_of(newest.rows).state()
    if when < 12:
        assert refused
        assert newest == published


def test_a_data_root_that_vanishes_meanwhile_stops_the_export_and_is_not_made_anew(
    published: CompleteSnapshot, export_of: ExportOf, root: DataRoot
) -> None:
    estate = estate_of(35)

    def unmount(call: int) -> None:
        if call == 4:
            shutil.rmtree(root.uri)

    estate.before = unmount
    with pytest.raises(PartitionBusy, match="or the data root was replaced"):
        export_of(estate).run()
    assert dates(root, "ocp_default") == []


def test_a_data_root_that_is_no_folder_is_named(tmp_path: Path, export_of: ExportOf) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(IncompleteSnapshot, match=r"could not be written: .*see that the data root .*file is there"):
        export_of(estate_of(5), root=DataRoot(tmp_path / "file")).run()
