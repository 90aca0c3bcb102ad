"""A plan as a page of Markdown that the person who pays understands.

Text that comes from outside - names, notes, ids - stands in code spans, where Markdown means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby

from ocp_numbers.markdown import code, codes, sentence, table
from ocp_numbers.ordering import Offer
from ocp_numbers.regions.plan import RegionPlan, Reuse


def page(plan: RegionPlan) -> str:
    """The plan as Markdown: what is wanted, what is done, what it costs, and the digest that an approval is for."""
    return "\n\n".join(part for part in (plan.summary, _wish(plan), _steps(plan), _remarks(plan), _foot(plan)) if part)


def _wish(plan: RegionPlan) -> str:
    region = plan.region
    return table(
        ("Wanted", ""),
        (
            ("Numbers", f"{region.quantity} in {code(region.area)}"),
            (
                "Set",
                f"{code(region.set_name)} in group {code(region.group)}" + ("" if plan.set_id else ", to be created"),
            ),
            ("miniApp", code(region.mini_app_id)),
            (
                "Locale",
                code(region.locale) + (f", tag {code(region.application_tag)}" if region.application_tag else ""),
            ),
            ("Environment", code(plan.environment)),
            ("Limits", f"{region.max_unit_price:f} a number, {region.max_total_price:f} in all"),
        ),
    )


def _steps(plan: RegionPlan) -> str:
    rows = [
        ("Already right", len(plan.right), codes(plan.right), "-"),
        ("Attach, in the set already", len(plan.attach), codes(plan.attach), "-"),
        (
            "**Take over** from another miniApp or locale",
            len(plan.reassign),
            codes(f"{binding.number} from {binding.mini_app_id} {binding.locale}" for binding in plan.reassign),
            "-",
        ),
        ("Reuse: ours, free, added to the set and attached", len(plan.reuse), codes(map(_with_note, plan.reuse)), "-"),
        *_purchases(plan),
        ("Left alone: in the set beyond the quantity", len(plan.left_alone), codes(plan.left_alone), "-"),
    ]
    return table(
        ("Step", "How many", "Which", "Price"),
        [(step, str(count), which, price) for step, count, which, price in rows if count],
    )


def _purchases(plan: RegionPlan) -> Iterable[tuple[str, int, str, str]]:
    if plan.order is None:
        return
    earlier = plan.order.earlier
    yield "Bought for this order earlier", len(earlier), codes(earlier), "-"
    step = f"**Buy** {plan.order.to_buy} of these" if earlier else "**Buy**, add and attach"
    for price, offers in groupby(sorted(plan.order.offers, key=_price), key=_price):
        numbers = [offer.number for offer in offers]
        yield step, len(numbers), codes(numbers), f"{len(numbers)} x {price:f} = {len(numbers) * price:f}"
    if plan.order.to_buy:
        spares = [f"{offer.number} for {_price(offer):f}" for offer in plan.order.wishes.spares]
        yield "Spares, bought only in place of one that is sold meanwhile", len(spares), codes(spares), "as replaced"


def _with_note(number: Reuse) -> str:
    return f"{number.number} ({number.note})" if number.note else number.number


def _price(offer: Offer) -> Decimal:
    return offer.price if offer.price is not None else Decimal(0)


def _remarks(plan: RegionPlan) -> str:
    return "\n".join(f"- {sentence(remark)}" for remark in plan.remarks)


def _foot(plan: RegionPlan) -> str:
    order = f", order {code(plan.order.order_id)}" if plan.order else ""
    cost = f"**Total: at most {plan.total:f}**" if plan.order else "**Total: 0**, nothing is bought"
    return f"{cost}{order}. Plan {code(plan.short_digest)}: an approval is for this plan and no other."
