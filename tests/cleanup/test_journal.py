from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ocp_numbers.cleanup.journal import Entry, Journal
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import OrderConflict
from ocp_numbers.models import PhoneNumber

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)
ROW = PhoneNumber.model_validate({"number": "+12125550123", "group_id": "us", "note": "desk", "set_id": "q"})


@pytest.fixture
def root(tmp_path):
    return DataRoot(tmp_path)


def journal(root, digest="a" * 64, run="manual__1"):
    return Journal(root, run=run, digest=digest, by="dag/run/mark", now=lambda: NOW)


def test_an_entry_says_who_when_before_and_after(root):
    kept = journal(root)
    intent = kept.intend("note", [ROW], [ROW.model_copy(update={"note": "desk [unused since 2026-11-23]"})])
    kept.confirm(intent)
    keys = root.keys("cleanup/manual__1/journal")
    first, second = [Entry.model_validate_json(root.read(key)) for key in keys]
    assert (first.by, first.at, first.before, first.after[0].note) == (
        "dag/run/mark",
        NOW,
        (ROW,),
        "desk [unused since 2026-11-23]",
    )
    assert (second.confirmed, second.before) == (first.entry, ())


def test_what_was_begun_is_known_after_a_restart_for_the_same_plan_only(root):
    journal(root).intend("give up", [ROW])
    assert journal(root).intended("give up", "delete") == {ROW.number}
    assert journal(root).intended("delete") == set()
    assert journal(root, digest="b" * 64).intended("give up") == set()
    assert journal(root, run="manual__2").intended("give up") == set()


def test_a_second_writer_of_the_same_run_is_found_out_at_its_next_entry(root):
    first, second = journal(root), journal(root)
    first.intend("give up", [ROW])
    with pytest.raises(OrderConflict, match="another process"):
        second.intend("give up", [ROW])
    assert len(root.keys("cleanup/manual__1/journal")) == 1
