"""What is there and what is to be done about it, as values: ``Seen`` goes into planning, ``RegionPlan`` comes out."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from ocp_numbers.documents import digest
from ocp_numbers.models import AvailableNumber, NumberSet, PhoneNumber
from ocp_numbers.ordering import Offer, Wishes
from ocp_numbers.regions.spec import Region

SCHEMA_VERSION = 1
SHORT_DIGEST = 12


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegionOrder(_Value):
    """One of the region's orders, as its document has it. ``generation`` counts them from 1."""

    order_id: str
    generation: int
    is_open: bool
    wishes: Wishes
    owned: tuple[str, ...] = ()


class Seen(_Value):
    """The region's part of OCP and of our orders at one moment.

    ``sets`` are all visible sets of the region's name, in whatever group. ``free`` are numbers of the group in no set
    and attached to nothing, in the region's area. ``stamped`` gives the generation of the region's order whose stamp a
    number of the group carries.
    """

    environment: str
    sets: tuple[NumberSet, ...] = ()
    members: tuple[PhoneNumber, ...] = ()
    free: tuple[PhoneNumber, ...] = ()
    offers: tuple[AvailableNumber, ...] = ()
    orders: tuple[RegionOrder, ...] = ()
    stamped: dict[str, int] = {}

    def without(self, numbers: Collection[str]) -> Seen:
        """The same as though none of ``numbers`` were free or on offer."""
        free = tuple(each for each in self.free if each.number not in numbers)
        offers = tuple(each for each in self.offers if each.number not in numbers)
        return self.model_copy(update={"free": free, "offers": offers})


class Binding(_Value):
    """What a number is attached to."""

    number: str
    mini_app_id: str | None
    locale: str | None
    application_tag: str | None = None

    @classmethod
    def of(cls, number: PhoneNumber) -> Binding:
        """The binding that ``number`` has now."""
        return cls(
            number=number.number,
            mini_app_id=number.mini_app_id,
            locale=number.locale,
            application_tag=number.application_tag,
        )


class Reuse(_Value):
    """A free number of ours that is to be used; its note is shown to the person who approves."""

    number: str
    note: str | None


class OrderPlan(_Value):
    """The order that a plan opens or continues.

    ``owned`` are its numbers so far by its document. ``adopted`` carry its stamp although no document of ours knows
    them: they count as well, and so many fewer of the offers are bought.
    """

    order_id: str
    generation: int
    continues: bool
    wishes: Wishes
    owned: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The numbers to buy, with their prices."""
        return self.wishes.offers or ()

    @property
    def earlier(self) -> tuple[str, ...]:
        """Numbers that it has brought already."""
        return tuple(sorted({*self.owned, *self.adopted}))

    @property
    def to_buy(self) -> int:
        """How many numbers are still bought for it."""
        return max(0, self.wishes.wanted - len(self.earlier))

    @property
    def total(self) -> Decimal:
        """The most that it may cost, from its opening on."""
        return sum((offer.price for offer in self.offers if offer.price is not None), Decimal(0))


class RegionPlan(_Value):
    """A decision: all that is to be changed, nothing else. The same world and wish give the same plan and digest.

    Numbers in ``right`` need nothing, those in ``attach`` and ``reassign`` are in the set already, those in ``reuse``
    are ours and free. ``left_alone`` are in the set beyond the quantity.
    """

    schema_version: int = SCHEMA_VERSION
    environment: str
    region: Region
    set_id: str | None
    right: tuple[str, ...] = ()
    attach: tuple[str, ...] = ()
    reassign: tuple[Binding, ...] = ()
    reuse: tuple[Reuse, ...] = ()
    left_alone: tuple[str, ...] = ()
    order: OrderPlan | None = None
    remarks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the whole plan: what a person approves."""
        return digest(self)

    @property
    def short_digest(self) -> str:
        """The digest as people read it."""
        return self.digest[:SHORT_DIGEST]

    @property
    def total(self) -> Decimal:
        """The most that the plan may cost."""
        return self.order.total if self.order else Decimal(0)

    @property
    def members(self) -> tuple[str, ...]:
        """Numbers of the plan that are in the set already."""
        return (*self.right, *self.attach, *(binding.number for binding in self.reassign), *self.left_alone)

    @property
    def known(self) -> tuple[str, ...]:
        """Numbers to be in the set and attached that are known before anything is bought."""
        in_set = (*self.right, *self.attach, *(binding.number for binding in self.reassign))
        return (*in_set, *(number.number for number in self.reuse))

    @property
    def changes_nothing(self) -> bool:
        """Whether the region is as wanted already."""
        return not (self.attach or self.reassign or self.reuse or self.order)

    @property
    def summary(self) -> str:
        """The plan in a sentence."""
        region = self.region
        goal = f"{region.quantity} numbers in {region.area} in set {region.set_name} of group {region.group}"
        if self.changes_nothing:
            return f"Nothing to do: {goal} are attached as wanted."
        bought = self.order.to_buy if self.order else 0
        steps = (
            (len(self.right), "right already"),
            (len(self.attach), "in the set to attach"),
            (len(self.reassign), "to take over"),
            (len(self.reuse), "of ours to reuse"),
            (len(set(self.order.earlier) - set(self.known)) if self.order else 0, "bought earlier"),
            (bought, f"to buy for at most {self.total:f}" if bought else "to buy"),
        )
        return f"For {goal}: " + ", ".join(f"{count} {what}" for count, what in steps if count) + "."
