"""What is wanted: checked whole before anything is looked up, and the same for every attempt of an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ocp_numbers.errors import InvalidInput, OverBudget, shown
from ocp_numbers.models import MOST_DECIMALS, MOST_DIGITS, check_country_code, check_numbers, check_prefix, check_text
from ocp_numbers.ordering.stamps import check_note

Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False, max_digits=MOST_DIGITS + 10, decimal_places=MOST_DECIMALS)]
"""An amount; the sum of as many prices as there may be is one, too."""


class Offer(BaseModel):
    """A number and the price it is offered for; None where OCP states none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    price: Money | None = None


class Caps(BaseModel):
    """Limits on spending that hold across orders. None stands for no limit.

    :param max_per_run: numbers that all orders of one DAG run may be for, together.
    :param max_total_per_month: money that all orders of the environment may spend in a calendar month (UTC).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_per_run: int | None = None
    max_total_per_month: Money | None = None


class Wishes(BaseModel):
    """The order's content as the requester states it: exactly one of ``quantity``, ``numbers`` and ``offers``.

    :param quantity: this many numbers, the cheapest that fit. :param numbers: exactly these.
    :param offers: exactly these, at most at these prices: an approved list; ``spares`` may replace refused ones.
    :param max_unit_price: the most that a single number may cost.
    :param max_total_price: the most that all of them may cost together.
    :param allow_unknown_price: whether a number without a stated price may be bought; it is counted at the highest
        approved price.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    group: str
    country_code: str
    prefix: str = ""
    quantity: int | None = None
    numbers: tuple[str, ...] | None = None
    offers: tuple[Offer, ...] | None = None
    spares: tuple[Offer, ...] = ()
    note: str | None = None
    max_unit_price: Money | None = None
    max_total_price: Money | None = None
    allow_unknown_price: bool = False

    @property
    def kind(self) -> Literal["quantity", "numbers", "offers"]:
        """Which of the three says what is wanted."""
        if self.quantity is not None:
            return "quantity"
        return "numbers" if self.numbers is not None else "offers"

    @property
    def wanted(self) -> int:
        """How many numbers are wanted."""
        return self.quantity if self.quantity is not None else len(self.numbers or self.offers or ())

    @property
    def area(self) -> str:
        """Country and prefix as people write them: ``US/+1212``, or ``US``."""
        return f"{self.country_code}/{self.prefix}" if self.prefix else self.country_code

    def includes(self, number: str) -> bool:
        """Whether ``number`` begins with the prefix, which may be written without its +."""
        return number.startswith(f"+{self.prefix.removeprefix('+')}")

    def is_too_dear(self, price: Decimal) -> bool:
        """Whether a number at ``price`` costs more than a single one may."""
        return self.max_unit_price is not None and price > self.max_unit_price

    def difference(self, other: Wishes) -> str:
        """Both wishes where they differ, in a sentence."""
        fields = [name for name in Wishes.model_fields if getattr(self, name) != getattr(other, name)]
        return f"{self._written(fields)}; wanted now: {other._written(fields)}"

    def check(self) -> Wishes:
        """The wishes, once they are consistent and hold what was approved to their own limits.

        :raises InvalidInput: naming every fault.
        :raises OverBudget: when the offers cost more, each or together, than the limits allow.
        """
        problems: list[str] = []
        for check in (self._check_place, self._check_content, self._check_offers):
            problems += check()
        if problems:
            raise InvalidInput(problems)
        self._check_prices()
        return self

    def _check_place(self) -> list[str]:
        return _problems_of(
            lambda: check_text(self.provider, field="provider"),
            lambda: check_text(self.group, field="group"),
            lambda: check_country_code(self.country_code),
            lambda: check_prefix(self.prefix),
            lambda: check_note(self.note),
        )

    def _check_content(self) -> list[str]:
        given = [name for name in ("quantity", "numbers", "offers") if getattr(self, name) is not None]
        problems = []
        if len(given) != 1:
            named = " and ".join(given) or "none of them"
            problems.append(f"quantity, numbers, offers: {named} given; give exactly one of the three")
        if self.quantity is not None and self.quantity < 1:
            problems.append(f"quantity: {self.quantity} is below 1; give how many numbers to buy")
        if self.numbers is not None:
            problems += _problems_of(lambda: check_numbers(self.numbers or ()))
            problems += self._outside("numbers", self.numbers)
        return problems

    def _check_offers(self) -> list[str]:
        if self.spares and self.offers is None:
            return ["spares: they replace approved offers; give them with offers only"]
        offered = [offer.number for offer in (*(self.offers or ()), *self.spares)]
        problems = _problems_of(lambda: check_numbers(offered, field="offers and spares")) if offered else []
        problems += self._outside("offers and spares", offered)
        unpriced = [offer.number for offer in self.offers or () if offer.price is None]
        if unpriced and self.max_total_price is not None and self.max_unit_price is None:
            problems.append(
                f"max_total_price: cannot be held with offers without a price ({shown(unpriced)}); set max_unit_price, "
                f"at which they are counted"
            )
        if unpriced and not self.allow_unknown_price:
            problems.append(f"offers: {shown(unpriced)}: no price stated; leave them out, or set allow_unknown_price")
        return problems

    def _check_prices(self) -> None:
        priced = [(offer.number, offer.price) for offer in self.offers or () if offer.price is not None]
        dear = [f"{number} ({price:f})" for number, price in priced if self.is_too_dear(price)]
        if dear:
            raise OverBudget(
                f"offers: {shown(dear)}: dearer than max_unit_price {self.max_unit_price}. Nothing was bought."
            )
        total = sum((price for _, price in priced), Decimal(0))
        if self.max_total_price is not None and total > self.max_total_price:
            raise OverBudget(
                f"offers: {len(priced)} numbers cost {total:f} together, {total - self.max_total_price:f} more than "
                f"max_total_price {self.max_total_price:f}. Nothing was bought."
            )

    def _written(self, fields: Sequence[str]) -> str:
        return ", ".join(f"{name} {_short(getattr(self, name))}" for name in fields)

    def _outside(self, field: str, numbers: Sequence[str]) -> list[str]:
        outside = [number for number in numbers if not self.includes(number)]
        return (
            [f"{field}: {shown(outside)}: not with prefix {self.prefix}; correct them or the prefix"] if outside else []
        )


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{shown(getattr(item, 'number', item) for item in value)}]"
    return str(value)


def _problems_of(*checks: Callable[[], object]) -> list[str]:
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except InvalidInput as error:
            problems += error.problems
    return problems
