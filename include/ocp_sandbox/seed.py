"""The world that a new sandbox begins with: groups, miniApps, sets, numbers, and numbers on offer.

The same settings give the same world. Always there, for demonstrations: the group ``retail-us``, its miniApp
``Store_Locator`` (see :data:`STORE_LOCATOR`), and at the provider ``telnova`` in the country ``US`` numbers on offer
under ``+1212`` at whole prices, three tenths of that provider's stock in the country.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from ocp_sandbox.numbering import AREAS, LOCALES, Area, key_of
from ocp_sandbox.settings import Settings
from ocp_sandbox.store import Store

PROVIDERS = ("telnova", "bridgetel")
GROUPS = {
    "banking-eu": ("DE", "ES", "FR", "GR", "PL"),
    "delivery-us": ("CA", "US"),
    "insurance-ca": ("CA",),
    "ocp-qa": ("GB", "US"),
    "retail-us": ("US",),
    "telecom-emea": ("GB", "GR", "PL", "UA"),
    "travel-apac": ("AU",),
    "utilities-br": ("BR",),
}
_APPS = {
    "Front_Door": "Flow",
    "Store_Locator": "Flow",
    "Order_Status": "Flow",
    "Payment_Reminder": "Flow",
    "Opening_Hours": "Announcement",
    "Call_Steering": "Intent",
}
_SETS = ("Main hotline", "Seasonal campaign", "After hours", "Pilot")
_PURPOSES = (
    "Main line",
    "Overflow",
    "Marketing, spring campaign",
    'Printed on the "Welcome" letter',
    "Service desk",
    "Reserved for the new branch",
    "Fax; do not attach",
    "Ported in\nkeep the old greeting",
    "📞 callback",
    "Εξυπηρέτηση πελατών",
    "Гаряча лінія",
    "Infolinia, 2. piętro",
    "Atendimento ao cliente",
)
_TELNOVA_PRICES = ("1", "2", "3")
_BRIDGETEL_PRICES = ("0.8", "1.25", "1.5", "2", "4.75")
_EPOCH = 1_700_000_000.0
_TWO_YEARS = 63_072_000.0
_DEMO_SHARE = 0.3

Row = tuple[object, ...]


class App(NamedTuple):
    """A miniApp as the platform names it."""

    id: str
    name: str
    type: str
    diamant_app_name: str
    group: str


def app_of(group: str, name: str, kind: str) -> App:
    """The miniApp of that name in a group; its id depends on nothing else."""
    diamant = f"{group}@{name}"
    return App(f"{_stable_id('app', group, name)}.{name}.{kind}.{diamant}.{group}", name, kind, diamant, group)


def _stable_id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "ocp-sandbox:" + "/".join(parts)))


STORE_LOCATOR = app_of("retail-us", "Store_Locator", "Flow").id


def seed(store: Store, settings: Settings) -> None:
    """Put the world into an empty state, in one transaction."""
    with store.transaction() as db:
        db.executemany("INSERT INTO groups VALUES (?)", [(group,) for group in GROUPS])
        apps = [app_of(group, name, kind) for group in GROUPS for name, kind in _APPS.items()]
        db.executemany("INSERT INTO mini_apps VALUES (?, ?, ?, ?, ?, ?)", _keyed(apps))
        if settings.numbers:
            sets = [(_stable_id("set", group, name), name, group) for group in GROUPS for name in _SETS]
            db.executemany("INSERT INTO sets VALUES (?, ?, ?, ?)", _keyed(sets))
        places = ", ".join("?" * 16)
        db.executemany(f"INSERT INTO numbers VALUES ({places})", _numbers(settings))
        db.executemany("INSERT INTO stock VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)", _stock(settings))
        db.execute("INSERT INTO facts VALUES ('seeded', ?)", (f"{settings.numbers} numbers, seed {settings.seed}",))


def _keyed(rows: list[App] | list[tuple[str, str, str]]) -> Iterator[Row]:
    """Each row behind its key, counted from 1."""
    return ((key, *row) for key, row in enumerate(rows, 1))


def _numbers(settings: Settings) -> Iterator[Row]:
    """Rows of the inventory in the order of the numbers, all from the lower half of each area."""
    chance = random.Random(settings.seed)
    draw = chance.random
    groups = list(GROUPS)
    keys = {group: index for index, group in enumerate(groups)}
    done = 0
    areas = sorted(AREAS, key=lambda area: area.prefix)
    for index, area in enumerate(areas, 1):
        wanted = settings.numbers * index // len(areas) - done
        done += wanted
        here = [group for group in groups if area.country in GROUPS[group]]
        step = area.span // 2 // max(wanted, 1)
        for place in range(wanted):
            number = f"{area.prefix}{area.low + place * step + int(draw() * step)}"
            group = here[int(draw() * len(here))]
            attached = draw() < 0.8
            app = keys[group] * len(_APPS) + 1 + int(draw() * len(_APPS)) if attached else None
            in_set = draw() < 0.25
            purchased = draw() < 0.6
            yield (
                key_of(number),
                number,
                area.country,
                group,
                app,
                LOCALES[area.country] if attached else None,
                _note(draw(), area, place),
                "ivr" if attached and draw() < 0.1 else None,
                keys[group] * len(_SETS) + 1 + int(draw() * len(_SETS)) if in_set else None,
                purchased,
                PROVIDERS[place % 2] if purchased else None,
                f"PN{key_of(number):x}" if purchased else None,
                True,
                True,
                _EPOCH + draw() * _TWO_YEARS,
                0.0,
            )


def _note(drawn: float, area: Area, place: int) -> str | None:
    if drawn < 0.15:
        return None
    return f"{_PURPOSES[int((drawn - 0.15) / 0.85 * len(_PURPOSES))]} - {area.locality} {place}"


def _stock(settings: Settings) -> Iterator[Row]:
    """Rows of numbers on offer, all from the upper half of each area, a quarter of it per provider."""
    chance = random.Random(f"stock {settings.seed}")
    for part, provider in enumerate(PROVIDERS):
        prices = _TELNOVA_PRICES if provider == "telnova" else _BRIDGETEL_PRICES
        for country in sorted(LOCALES):
            areas = [area for area in AREAS if area.country == country]
            for area, wanted in zip(areas, _shares(settings.stock, len(areas)), strict=True):
                step = area.span // 4 // max(wanted, 1)
                low = area.low + area.span // 2 + part * (area.span // 4)
                for place in range(wanted):
                    number = f"{area.prefix}{low + place * step + int(chance.random() * step)}"
                    price = str(Decimal(chance.choice(prices)))
                    priced = chance.random() >= settings.unpriced
                    yield key_of(number), number, provider, country, area.locality, area.region, price, priced


def _shares(total: int, areas: int) -> list[int]:
    """``total`` over areas: three tenths to the first, the rest evenly over the others, at least one."""
    first = int(total * _DEMO_SHARE)
    cuts = [(total - first) * index // (areas - 1) for index in range(areas)]
    return [first, *(after - before for before, after in pairwise(cuts))]
