"""Nights before today, so that the pictures have a trend to show: exports dated back, numbers put to use in between."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import islice

from ocp_demo.stack import Stack
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource

NIGHTS = 10
NEW_YORK = "+1212"
"""Numbers there are left to the story."""


def look_back(stack: Stack, environment: str) -> None:
    """Export :data:`NIGHTS` nights; before each, attach a few free numbers more than the night before."""
    with _client(stack) as client:
        numbers = list(client.numbers.iterate())
        mini_app = next(number for number in numbers if number.mini_app_id and number.locale)
        free = iter(
            number.number
            for number in numbers
            if not (number.mini_app_id or number.set_id or number.number.startswith(NEW_YORK))
        )
        for night in range(NIGHTS):
            client.numbers.attach(
                list(islice(free, 8 + 5 * night % 23)),
                mini_app_id=str(mini_app.mini_app_id),
                locale=str(mini_app.locale),
            )
            _export(client, stack, environment, days_ago=NIGHTS - night)


def tonight(stack: Stack, environment: str) -> None:
    """Export today's night again, with what the runs have done since."""
    with _client(stack) as client:
        _export(client, stack, environment, days_ago=0)


def _client(stack: Stack) -> OcpClient:
    settings = {"host": stack.sandbox_url, "login": "demo", "password": stack.sandbox_password}
    return OcpClient(ClientSettings.model_validate(settings))


def _export(client: OcpClient, stack: Stack, environment: str, *, days_ago: int) -> None:
    Export(
        source=ClientSource(lambda: client),
        root=DataRoot(stack.data_root),
        scope=Scope(environment=environment, login="demo"),
        day=datetime.now(timezone.utc).date() - timedelta(days=days_ago),
        holder="nights",
    ).run()
