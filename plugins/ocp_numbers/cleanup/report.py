"""A plan as people read it: a sentence, a table in the log, a page to approve, a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ocp_numbers.cleanup.marks import without_mark
from ocp_numbers.cleanup.plan import CleanupPlan
from ocp_numbers.cleanup.selection import Action, Line
from ocp_numbers.markdown import code, one_line, table

SHOWN_IN_LOG = 20
"""Numbers listed for each action in a log; the file lists them all."""

SHOWN_ON_PAGE = 200
LONGEST_NOTE = 80

_COLUMNS = ("number", "action", "why", "country", "group", "set_id", "since", "due", "days_idle", "last_used", "note")
_HEAD = ("Number", "Country", "Group", "Note", "Last known use", "Days idle")
_IN_WORDS = {
    Action.RELEASE: "to give up",
    Action.MARK: "to mark as unused",
    Action.QUARANTINE: "to put into quarantine",
    Action.CLEAR: "to clear of the mark",
    Action.WAIT: "waiting for their day",
    Action.LEAVE: "left out",
}


def summary(plan: CleanupPlan) -> str:
    """The plan in a sentence."""
    counted = ", ".join(f"{plan.counts[action.value]} {words}" for action, words in _IN_WORDS.items())
    return f"{plan.estate} numbers looked at in {plan.environment}: {counted}."


def log_lines(plan: CleanupPlan) -> Iterator[str]:
    """Number by number what happens and why, a limited number of them for each action."""
    for action, words in _IN_WORDS.items():
        lines = plan.only(action)
        if lines:
            yield f"{len(lines)} {words}:"
        for line in lines[:SHOWN_IN_LOG]:
            yield f"  {line.number:<16} {one_line(line.group or '-', LONGEST_NOTE)}: {one_line(line.why, 200)}"
        if len(lines) > SHOWN_IN_LOG:
            yield f"  and {len(lines) - SHOWN_IN_LOG} more"


def page(plan: CleanupPlan, *, more: str) -> str:
    """What is to be approved, in Markdown: each number that would be given up, with what speaks for it.

    :param more: where the whole list is, for plans too long for a page.
    """
    releases = plan.releases
    rest = len(releases) - SHOWN_ON_PAGE
    closing = ["", f"and {rest} more, listed in {code(more)}"] if rest > 0 else []
    return "\n".join(
        [
            f"**{len(releases)} of {plan.estate} numbers in {code(plan.environment)} are given up, for good.**",
            "",
            table(_HEAD, (_row(plan, line) for line in releases[:SHOWN_ON_PAGE]), figures=_HEAD[-1:]),
            *closing,
            "",
            f"Each was marked at least {plan.policy.grace_days} days ago and is read again before it goes. To keep "
            f"one, write the word *keep* into its note and reject this plan. Plan {code(plan.digest[:12])}.",
        ]
    )


def unasked(plan: CleanupPlan) -> str | None:
    """Why nobody is asked for approval; ``None`` where somebody is."""
    if not plan.releases:
        return "no number is due"
    if plan.policy.dry_run:
        return "it is a dry run"
    return None if plan.policy.require_approval else "the policy file asks for no approval"


def spreadsheet(plan: CleanupPlan) -> bytes:
    """Every decision as CSV in UTF-8, made for reading: text that a spreadsheet would take for a formula is quoted."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for line in plan.lines:
        fields = line.model_dump(mode="json") | {"days_idle": _days_idle(plan, line)}
        writer.writerow([_harmless(column, fields[column]) for column in _COLUMNS])
    return written.getvalue().encode("utf-8-sig")


def _row(plan: CleanupPlan, line: Line) -> tuple[object, ...]:
    return (
        code(line.number),
        code(line.country),
        code(line.group),
        code(without_mark(line.note), LONGEST_NOTE),
        line.last_used or "not on record",
        _days_idle(plan, line),
    )


def _days_idle(plan: CleanupPlan, line: Line) -> int | str:
    return (plan.today - line.since).days if line.since else ""


def _harmless(column: str, value: object) -> object:
    if column != "number" and isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
