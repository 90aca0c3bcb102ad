"""``ocp-numbers search``: what a provider offers. It buys and reserves nothing."""

from __future__ import annotations

import argparse
from decimal import Decimal

from ocp_numbers.commands.arguments import add_connection, positive
from ocp_numbers.commands.connecting import connected
from ocp_numbers.commands.screen import Screen
from ocp_numbers.models import AvailableNumber

HEAD = ("Number", "Locality", "Region", "Price")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    add_connection(parser)
    parser.add_argument("--provider", required=True, help="name of the provider as OCP knows it")
    parser.add_argument("--country", required=True, metavar="CODE", help="two-letter country code, such as US")
    parser.add_argument("--group", required=True, help="OCP group that the numbers would be bought for")
    parser.add_argument("--prefix", help="first digits of the numbers, such as +1212")
    parser.add_argument(
        "--limit", type=positive, default=20, help="how many to print, the cheapest first (%(default)s)"
    )


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Search, and print the cheapest."""
    with connected(options.conn_id) as hook, screen.working(f"asking {options.provider}"):
        found = hook.client.numbers.search_available(
            provider=options.provider, code=options.country, group=options.group, prefix=options.prefix
        )
    cheapest = sorted(found, key=_price)
    chosen = cheapest[: options.limit]
    document = {"count": len(found), "offers": [offer.model_dump(mode="json") for offer in chosen]}
    screen.show(document, told=lambda: _tell(screen, chosen, len(found)))
    return 0


def _tell(screen: Screen, chosen: list[AvailableNumber], total: int) -> None:
    if not chosen:
        screen.say("Nothing on offer. Try a shorter prefix, or another provider.", "warning")
        return
    rows = [(offer.number, offer.locality, offer.region, offer.price) for offer in chosen]
    screen.table(HEAD, rows, figures=["Price"])
    if total > len(chosen):
        screen.say(f"The {len(chosen)} cheapest of {total:,}; --limit shows more.")


def _price(offer: AvailableNumber) -> tuple[bool, Decimal, str]:
    """The cheapest first; those without a price last."""
    return offer.price is None, offer.price or Decimal(0), offer.number
