"""The operator that spends money: buys numbers exactly once and inside the budget, whatever crashes and whenever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ocp_numbers.data_root import DataRoot
from ocp_numbers.errors import InvalidInput, OcpError, OrderCorrupt
from ocp_numbers.links import OrderLink
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.counting import purchases_counted

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.ordering import Receipt, Requester, Wishes

MOST_PER_RUN = 1_000


def _offer(value: Any, *, field: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not {"number"} <= set(value) <= {"number", "price"}:
        raise InvalidInput(f"{field}: {str(value)[:80]!r} is not an offer; name its number and its price, nothing else")
    price = None if value.get("price") is None else rendered.amount(value["price"], field=f"{field}, price")
    return {"number": rendered.number(value["number"], field=field), "price": price}


def _offers(value: Any, *, field: str) -> tuple[dict[str, Any], ...]:
    return tuple(_offer(item, field=field) for item in rendered.listed(value, field=field))


class BuyNumbersOperator(OcpOperator):
    """Buy numbers (``PUT /api/numbers``). **Costs money.** Put it into a one-slot pool.

    What is bought is an order: a document in the data root, saved before each step that depends on it, whose stamp
    stands in the note of each of its numbers. A retry, a cleared task or another attempt at the same time meets the
    same order and buys nothing twice. Give exactly one of ``quantity``, ``numbers`` and ``offers``.

    Returns ``numbers`` (all that the order brought), ``spent`` (a string), ``order_id``, ``outcome``, the counts
    ``wanted``, ``bought``, ``adopted``, ``already_ours``, ``refused`` and ``missing``, and the list ``unknown``. When
    the task fails, the same is published under the XCom key ``account`` first.

    :param provider: name of the provider as OCP knows it (templated).
    :param group: OCP group that the numbers are for (templated).
    :param country_code: two-letter country code (templated).
    :param prefix: beginning of the numbers, an optional + and digits (templated).
    :param quantity: how many; the cheapest on offer are chosen, once (templated).
    :param numbers: exactly these; those in the group's inventory already are not bought again (templated).
    :param offers: an approved list of ``{"number", "price"}``, none of which may cost more than that; may be empty
        (templated).
    :param spares: offers that may replace refused ones, in sequence, never dearer than what was approved (templated).
    :param note: text for the numbers' note; the order's stamp is put behind it (templated).
    :param max_unit_price: the most that one number may cost (templated).
    :param max_total_price: the most that all of them may cost together (templated).
    :param max_per_run: how many numbers all orders of one DAG run may be for (templated).
    :param max_total_per_month: the most that all orders of this connection may cost in a calendar month, UTC
        (templated).
    :param order_id: the order's key; by default made of DAG, run and task, so that retries and clears meet the same
        order. A mapped task has to name it: a map index says nothing about what is bought (templated).
    :param allow_unknown_price: whether numbers without a stated price may be bought (templated).
    :param settle_seconds: how long a purchase may take to show in OCP's lists, until when an absent number proves
        nothing; by default what the connection says.
    :param batch_size: how many numbers one call buys at most.
    :raises OutcomeUnknown: a call may have bought numbers that OCP does not show yet; a retry finds out.
    :raises OverBudget: a limit would be broken. :raises NotEnoughNumbers: OCP sells too few.
    :raises OrderConflict: the order's key belongs to other wishes, or to another writer just now.
    """

    readers = rendered.inputs(
        provider=rendered.text,
        group=rendered.text,
        country_code=rendered.country_code,
        prefix=rendered.optional(rendered.prefix),
        quantity=rendered.optional(rendered.count),
        numbers=rendered.optional(rendered.numbers),
        offers=rendered.optional(_offers),
        spares=rendered.optional(_offers),
        note=rendered.optional(rendered.text),
        max_unit_price=rendered.optional(rendered.amount),
        max_total_price=rendered.optional(rendered.amount),
        max_per_run=rendered.optional(rendered.count),
        max_total_per_month=rendered.optional(rendered.amount),
        order_id=rendered.optional(rendered.text),
        allow_unknown_price=rendered.flag,
    )
    template_fields = ("ocp_conn_id", *readers)
    operator_extra_links = (OrderLink(), *OcpOperator.operator_extra_links)
    ui_color = "#f7e3c8"

    def __init__(
        self,
        *,
        provider: str,
        group: str,
        country_code: str,
        prefix: str | None = None,
        quantity: int | str | None = None,
        numbers: Sequence[str] | str | None = None,
        offers: Sequence[Mapping[str, Any]] | str | None = None,
        spares: Sequence[Mapping[str, Any]] | str | None = None,
        note: str | None = None,
        max_unit_price: Decimal | int | str | None = None,
        max_total_price: Decimal | int | str | None = None,
        max_per_run: int | str | None = MOST_PER_RUN,
        max_total_per_month: Decimal | int | str | None = None,
        order_id: str | None = None,
        allow_unknown_price: bool | str = False,
        settle_seconds: float | None = None,
        batch_size: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.provider = provider
        self.group = group
        self.country_code = country_code
        self.prefix = prefix
        self.quantity = quantity
        self.numbers = numbers
        self.offers = offers
        self.spares = spares
        self.note = note
        self.max_unit_price = max_unit_price
        self.max_total_price = max_total_price
        self.max_per_run = max_per_run
        self.max_total_per_month = max_total_per_month
        self.order_id = order_id
        self.allow_unknown_price = allow_unknown_price
        self.settle_seconds = settle_seconds
        self.batch_size = batch_size
        self.check_literals()
        self._check_combination()

    def execute(self, context: Context) -> dict[str, Any]:
        """Fulfil the order, publish its account, and fail unless it is complete."""
        from ocp_numbers.ordering import Buyer, Caps, OrderBook, Policy, problem

        self.read_inputs()
        self.worked_on["order"] = order_id = self._key(context)
        self.mark_log(order_id=order_id)
        book = OrderBook(DataRoot.from_environment(), self.hook.environment)
        settle = self.hook.settings.settle_seconds if self.settle_seconds is None else self.settle_seconds
        policy = Policy(settle=timedelta(seconds=settle), batch_size=self.batch_size)
        buyer = Buyer(self.client, book, policy=policy, between=lambda: self.client)
        caps = Caps(max_per_run=self.max_per_run, max_total_per_month=self.max_total_per_month)
        try:
            with purchases_counted(book, order_id):
                receipt = buyer.fulfil(self._wishes(), order_id=order_id, caps=caps, requested_by=_requester(context))
        except OrderCorrupt:
            raise
        except OcpError:
            _publish(context, buyer.account(order_id))
            raise
        trouble = problem(receipt)
        if trouble:
            _publish(context, receipt)
            raise trouble
        self.tell(self._in_a_sentence(receipt))
        return _summary(receipt)

    def _check_combination(self) -> None:
        """What can be wrong between inputs, and is known while the DAG file is read."""
        problems = []
        if self.settle_seconds is not None and not self.settle_seconds >= 0:
            problems.append(f"settle_seconds: {self.settle_seconds!r} is below 0; give a number of seconds")
        if self.batch_size < 1:
            problems.append(f"batch_size: {self.batch_size!r} is below 1; give how many numbers one call may buy")
        wanted = {"quantity": self.quantity, "numbers": self.numbers, "offers": self.offers}
        given = [name for name, value in wanted.items() if value is not None]
        if len(given) != 1 and not any(rendered.awaits_rendering(value) for value in wanted.values()):
            problems.append(
                f"quantity, numbers, offers: {' and '.join(given) or 'none'} given; give exactly one of them"
            )
        if problems:
            raise InvalidInput(problems)

    def _in_a_sentence(self, receipt: Receipt) -> str:
        area = f"{self.country_code}/{self.prefix}" if self.prefix else self.country_code
        ours = len(receipt.adopted) + len(receipt.already_ours)
        before = f", {ours} were ours already" if ours else ""
        return (
            f"Bought {len(receipt.bought)} of {receipt.wanted} in {area} for {receipt.spent:f}{before}; "
            f"order {receipt.order_id}"
        )

    def _wishes(self) -> Wishes:
        from ocp_numbers.ordering import Wishes

        wanted = {name: getattr(self, name) for name in Wishes.model_fields}
        return Wishes.model_validate({**wanted, "prefix": self.prefix or "", "spares": self.spares or ()}).check()

    def _key(self, context: Context) -> str:
        """The order's id; it begins with the environment."""
        from ocp_numbers.ordering import order_id

        environment = order_id(self.hook.environment)
        if self.order_id:
            given = self.order_id
            return given if given.startswith(f"{environment}/") else f"{environment}/{order_id(given)}"
        ti = context["ti"]
        if ti.map_index is not None and ti.map_index >= 0:
            raise InvalidInput(
                "order_id: missing in a mapped task; name what each of them buys, such as 'berlin-2026-03' - the map "
                "index changes with the list"
            )
        return order_id(self.hook.environment, ti.dag_id, ti.run_id, ti.task_id)


def _requester(context: Context) -> Requester:
    from ocp_numbers.ordering import Requester

    ti, dag_run = context.get("ti"), context.get("dag_run")
    if ti is None:
        return Requester()
    user = getattr(dag_run, "triggering_user_name", None)
    return Requester(dag_id=ti.dag_id, run_id=ti.run_id, task_id=ti.task_id, user=user)


def _publish(context: Context, receipt: Receipt | None) -> None:
    if receipt is not None and "ti" in context:
        context["ti"].xcom_push(key="account", value=_summary(receipt))


def _summary(receipt: Receipt) -> dict[str, Any]:
    return {
        "order_id": receipt.order_id,
        "outcome": receipt.outcome,
        "numbers": list(receipt.numbers),
        "spent": f"{receipt.spent:f}",
        "wanted": receipt.wanted,
        "bought": len(receipt.bought),
        "adopted": len(receipt.adopted),
        "already_ours": len(receipt.already_ours),
        "refused": len(receipt.refused),
        "missing": receipt.missing,
        "unknown": list(receipt.unknown),
    }
