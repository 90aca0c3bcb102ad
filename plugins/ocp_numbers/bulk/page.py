"""A plan as a page of Markdown that the person who answers for the numbers understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ocp_numbers.bulk.change import COLUMN_OF, Change, Operation
from ocp_numbers.bulk.plan import CHANGES, REFUSED, ChangePlan
from ocp_numbers.errors import shown
from ocp_numbers.markdown import code, sentence, table

SHOWN_CHANGES = 30
SHOWN_REFUSED = 10
LONGEST_VALUE = 40

_IN_WORDS: dict[Operation, tuple[str, str]] = {
    "create": ("Enter into the database, as numbers of our own", "yes, by Delete"),
    "update": ("Change group, set, note, country, locale or tag", "yes"),
    "attach": ("Attach to a miniApp", "yes"),
    "detach": ("Detach from their miniApps: they answer no more", "yes"),
    "delete": ("**Delete from the database**", "**no**; entering them again is all that can be done"),
}


def subject(plan: ChangePlan) -> str:
    """The question in the few words that a subject has room for."""
    grave = [f"{plan.bought:,} bought for at most {plan.cost:f}"] * bool(plan.bought)
    grave += [f"{plan.deleted:,} deleted"] * bool(plan.deleted)
    grave += [f"{plan.taken_over:,} taken over"] * bool(plan.taken_over)
    changes = "1 change" if plan.total == 1 else f"{plan.total:,} changes"
    return f"Make {changes} in {plan.environment}" + (f" ({', '.join(grave)})?" if grave else "?")


def summary(plan: ChangePlan) -> str:
    """The plan in a sentence."""
    counted = [f"{count:,} {operation}" for operation, count in plan.counts.items() if count]
    cost = f", of which {plan.bought:,} are bought for at most {plan.cost:f}" if plan.bought else ""
    return (
        f"To do: {', '.join(counted) or 'nothing'}{cost}; so already: {plan.unchanged:,}; cannot be done: "
        f"{plan.refused:,}."
    )


def page(plan: ChangePlan) -> str:
    """The plan as Markdown: what is done how often, what cannot be taken back, examples, what is left alone."""
    parts = (
        f"**Changes in {code(plan.environment)}: {plan.total:,}**, asked for by {sentence(plan.source)}.",
        _overview(plan),
        *_continued(plan),
        _examples(plan),
        _left_alone(plan),
        "\n".join(f"- {sentence(remark)}" for remark in plan.remarks),
        "Every number is looked at again before it is changed; one that somebody else changed meanwhile is left alone. "
        f"The way back is written first. Plan {code(plan.short_digest)}: an approval is for this plan and no other.",
    )
    return "\n\n".join(part for part in parts if part)


def _overview(plan: ChangePlan) -> str:
    rows = list(_figures(plan))
    return table(("What", "How many", "Can be taken back"), rows, figures=("How many",)) if rows else ""


def _figures(plan: ChangePlan) -> Iterator[tuple[str, str, str]]:
    for order in plan.purchases:
        provider, group = code(order.wishes.provider), code(order.wishes.group)
        if order.left:
            what = f"**Buy** from {provider} for group {group}, at most {order.total:f} together"
            yield what, f"{len(order.left):,}", "**no**"
    for operation, (words, back) in _IN_WORDS.items():
        count = plan.counts.get(operation, 0)
        if operation == "create":
            count -= plan.bought - sum(len(order.besides) for order in plan.purchases)
        if operation == "attach" and plan.taken_over:
            yield "**Take over from another miniApp**, which loses them", f"{plan.taken_over:,}", "yes"
            count -= plan.taken_over
        if count:
            yield words, f"{count:,}", back


def _continued(plan: ChangePlan) -> Iterator[str]:
    """The orders that an earlier run has left open."""
    for order in plan.purchases:
        if not order.continues:
            continue
        what = f"Order {code(order.order_id)}, which an earlier run has left open, is finished first"
        if not order.left:
            yield f"{what}. Nothing is left to be bought for it."
        elif not order.besides:
            yield f"{what}, at the prices approved for it."
        else:
            yield (
                f"{what}, at the prices approved for it. **Not in this table, and bought as well if they are not "
                f"yet:** {code(shown(order.besides))}."
            )


def _examples(plan: ChangePlan) -> str:
    shown = plan.first[:SHOWN_CHANGES]
    if not shown:
        return ""
    rest = plan.total - len(shown)
    rows = [(code(change.number), change.operation.title(), _what(change, plan.names)) for change in shown]
    closing = f"\n\nand {rest:,} more, all of them in {code(f'{plan.folder}/{CHANGES}')}" if rest else ""
    return table(("Number", "Operation", "Before and after"), rows) + closing


def _what(change: Change, names: Mapping[str, str]) -> str:
    def value(field: str, text: str | None) -> str:
        if not text:
            return "empty"
        if field == "mini_app_id":
            # Ids begin with digits that nobody knows; the name stands behind them.
            text = text.partition(".")[2] or text
        return code(names.get(text, text) if field == "set_id" else text, LONGEST_VALUE)

    if change.operation == "delete":
        return ", ".join(f"{COLUMN_OF[field]} {value(field, was)}" for field, was in change.before.items() if was)
    if change.operation == "create":
        bought = (
            f"bought from {code(change.provider)} for at most {change.price:f}; " if change.price is not None else ""
        )
        return bought + ", ".join(f"{COLUMN_OF[field]} {value(field, text)}" for field, text in change.after.items())
    shown = [
        f"{COLUMN_OF[field]} {value(field, change.before.get(field))} → {value(field, after)}"
        for field, after in change.after.items()
        if change.before.get(field) != after
    ]
    if change.operation == "attach" and change.before["application_tag"] and "application_tag" not in change.after:
        shown.append(
            f"{COLUMN_OF['application_tag']} {value('application_tag', change.before['application_tag'])} → none"
        )
    return ", ".join(shown)


def _left_alone(plan: ChangePlan) -> str:
    counted = (
        (plan.unchanged, "so already"),
        (plan.without_operation, "without an operation"),
        (plan.repeated, "say again what another row says"),
        (plan.refused, f"cannot be done, all of them in {code(f'{plan.folder}/{REFUSED}')}"),
    )
    parts = [f"{count:,} {words}" for count, words in counted if count]
    lines = [f"Left alone: {'; '.join(parts)}."] if parts else []
    lines += [f"- {sentence(fault)}" for fault in plan.first_refused[:SHOWN_REFUSED]]
    return "\n".join(lines)
