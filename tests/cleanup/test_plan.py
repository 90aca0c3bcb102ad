from __future__ import annotations

import csv
import io
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocp_numbers.cleanup import report
from ocp_numbers.cleanup.plan import CleanupPlan, check_limits, load_plan, save_plan
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.cleanup.selection import Action, Line
from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import LimitExceeded, PlanChanged

SINCE = date(2026, 10, 1)


def line(place: int = 0, action: Action = Action.RELEASE, **fields: object) -> Line:
    given = {"why": "is marked", "country": "US", "group": "us", "note": "desk", "since": SINCE} | fields
    return Line.model_validate({"number": f"+1212555{place:04}", "action": action, **given})


def plan(*lines: Line, estate: int = 1000, **policy: object) -> CleanupPlan:
    return CleanupPlan(
        environment="ocp_default",
        run="manual__1",
        made_at=datetime(2026, 11, 23, tzinfo=timezone.utc),
        today=date(2026, 11, 23),
        snapshot="inventory/date=2026-11-23",
        estate=estate,
        policy=CleanupPolicy.model_validate({"dry_run": False, **policy}),
        lines=lines,
    )


@given(
    count=st.integers(0, 40),
    estate=st.integers(0, 500),
    most=st.integers(0, 40),
    percent=st.decimals(0, 100, places=2),
)
def test_a_plan_within_both_limits_passes_and_any_other_is_refused_as_a_whole(count, estate, most, percent):
    made = plan(*map(line, range(count)), estate=estate, max_release=most, max_release_percent=percent)
    within = count <= most and Decimal(count) <= percent * estate / 100
    if within:
        made.check_limits()
    else:
        with pytest.raises(LimitExceeded, match="Nothing was changed"):
            made.check_limits()


def test_the_refusal_names_limits_and_numbers_but_not_all_of_a_long_list():
    with pytest.raises(LimitExceeded) as caught:
        plan(*map(line, range(30)), estate=100, max_release=20, max_release_percent=Decimal("2.5")).check_limits()
    said = str(caught.value)
    assert "max_release is 20" in said
    assert "max_release_percent is 2.5, and this is 30.00 % of 100 numbers" in said
    assert "+12125550000" in said
    assert "and 20 more" in said


def test_marks_alone_break_no_limit():
    marks = [line(place, Action.MARK) for place in range(90)]
    plan(*marks, estate=100, max_release=0).check_limits()
    with pytest.raises(LimitExceeded, match="max_release is 0"):
        plan(*marks, line(90), estate=100, max_release=0).check_limits()


@pytest.mark.parametrize(
    "other",
    [
        plan(line(0), line(1)),
        plan(line(1)),
        plan(line(0, note="desk!")),
        plan(line(0, group="eu")),
        plan(line(0, since=date(2026, 10, 2))),
        plan(line(0), protect=("note:*vip*",)),
        plan(line(0), dry_run=True),
        plan(line(0)).model_copy(update={"run": "manual__2"}),
        plan(line(0)).model_copy(update={"environment": "ocp_eu"}),
    ],
)
def test_the_digest_changes_with_whatever_is_approved(other):
    assert other.digest != plan(line(0)).digest


def test_the_digest_is_for_the_release_alone_and_whatever_the_order():
    base = plan(line(0), line(1))
    assert plan(line(1), line(0), line(2, Action.MARK)).digest == base.digest
    assert plan(line(0, why="other words", last_used=SINCE), line(1)).digest == base.digest


def test_a_plan_comes_back_from_the_data_root_as_it_was(tmp_path):
    root, made = DataRoot(tmp_path), plan(line(0), line(1, Action.LEAVE, note=None, since=None))
    key = save_plan(root, made)
    assert key == "cleanup/manual__1/plan.json"
    assert load_plan(root, key, environment="ocp_default", digest=made.digest) == made


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1]", b'{"format": 2}'])
def test_a_plan_that_is_missing_or_broken_is_refused(tmp_path, content):
    root = DataRoot(tmp_path)
    if content is not None:
        root.write("cleanup/manual__1/plan.json", content)
    with pytest.raises(PlanChanged, match="Trigger a new run"):
        load_plan(root, "cleanup/manual__1/plan.json", environment="ocp_default", digest="0" * 64)


def test_a_plan_other_than_the_approved_one_is_refused(tmp_path):
    root, made = DataRoot(tmp_path), plan(line(0))
    key = save_plan(root, plan(line(1)))
    with pytest.raises(PlanChanged, match=made.digest[:12]):
        load_plan(root, key, environment="ocp_default", digest=made.digest)
    with pytest.raises(PlanChanged, match="ocp_eu"):
        load_plan(root, key, environment="ocp_eu", digest=plan(line(1)).digest)


HOSTILE = "`| [x](http://evil) ![](y)\n\n# \u202e<script>\x1b[31m"


def test_the_page_shows_what_a_person_needs_and_lets_no_note_break_out():
    made = plan(line(0, note=f"{HOSTILE} [unused since 2026-10-01]", last_used=date(2026, 9, 1)), line(1))
    shown = report.page(made, more="numbers.csv")
    rows = [row for row in shown.splitlines() if row.startswith("| `+1212")]
    assert len(rows) == 2
    assert rows[1] == "| `+12125550001` | `US` | `us` | `desk` | not on record | 53 |"
    assert (rows[0].count("|"), rows[0].count("`")) == (7, 8)
    assert rows[0].endswith("| 2026-09-01 | 53 |")
    assert not {"\n", "\x1b", "\u202e"} & set(rows[0])
    assert made.digest[:12] in shown


def test_a_long_page_is_cut_off_with_a_word_where_the_rest_is():
    shown = report.page(plan(*map(line, range(250)), max_release=300), more="cleanup/x/numbers.csv")
    assert shown.count("\n| `+1212") == report.SHOWN_ON_PAGE
    assert "and 50 more, listed in `cleanup/x/numbers.csv`" in shown


def test_the_spreadsheet_lists_every_decision_and_runs_no_formula():
    made = plan(line(0, note='=cmd|"x"'), line(1, Action.LEAVE, note="-1+1", since=None), line(2, note='a "b", c\nd'))
    rows = list(csv.DictReader(io.StringIO(report.spreadsheet(made).decode("utf-8-sig"), newline="")))
    assert [row["number"] for row in rows] == ["+12125550000", "+12125550001", "+12125550002"]
    assert [row["note"] for row in rows] == ['\'=cmd|"x"', "'-1+1", 'a "b", c\nd']
    assert (rows[0]["action"], rows[0]["why"], rows[0]["days_idle"]) == ("release", "is marked", "53")


def test_the_log_lists_a_limited_number_for_each_action():
    lines = list(report.log_lines(plan(*map(line, range(50)), line(60, Action.LEAVE, why=f"is {HOSTILE}"))))
    assert lines[0] == "50 to give up:"
    assert lines[report.SHOWN_IN_LOG + 1] == "  and 30 more"
    assert len(lines) == report.SHOWN_IN_LOG + 4
    assert all("\n" not in each and "\x1b" not in each for each in lines)


def test_the_summary_counts_every_action():
    said = report.summary(plan(line(0), line(1, Action.MARK), line(2, Action.MARK)))
    assert said.startswith("1000 numbers looked at in ocp_default: 1 to give up, 2 to mark as unused")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (plan(), "no number is due"),
        (plan(line(0), dry_run=True), "it is a dry run"),
        (plan(line(0), require_approval=False), "the policy file asks for no approval"),
        (plan(line(0)), None),
    ],
)
def test_whether_somebody_is_asked(made, why):
    assert report.unasked(made) == why


def test_exactly_the_largest_share_is_within_the_limit() -> None:
    releases = (line(),)
    check_limits(releases, estate=100, policy=CleanupPolicy(max_release_percent=Decimal(1)))
    with pytest.raises(LimitExceeded, match=r"1\.01 % of 99 numbers"):
        check_limits(releases, estate=99, policy=CleanupPolicy(max_release_percent=Decimal(1)))
