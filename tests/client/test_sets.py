"""``client.sets`` against the sandbox."""

from __future__ import annotations

import pytest

from client.conftest import NewClient
from ocp_numbers.client import OcpClient
from ocp_numbers.errors import Conflict, Forbidden, NotFound
from ocp_sandbox import Sandbox

NUMBERS = ["+12125550123", "+12125550124"]


@pytest.fixture
def set_id(sandbox: Sandbox, client: OcpClient) -> str:
    """A set with two numbers."""
    for number in NUMBERS:
        sandbox.edit.add_number(number, "retail-us")
    made = client.sets.create(name="Night shift", group_id="retail-us")
    client.sets.add_numbers(made.id, numbers=NUMBERS)
    return made.id


def test_a_set_is_created_found_renamed_and_deleted(client: OcpClient) -> None:
    made = client.sets.create(name="Night shift", group_id="retail-us")
    assert (made.name, made.group_id, made.phone_number_count) == ("Night shift", "retail-us", 0)
    assert made in client.sets.list()
    assert made in client.sets.list_for_group("retail-us")
    assert made not in client.sets.list_for_group("banking-eu")
    assert client.sets.update(made.id, name="Day shift").success
    assert client.sets.get(made.id).name == "Day shift"
    assert client.sets.update(made.id, group_id="banking-eu").success
    assert client.sets.get(made.id).group_id == "banking-eu"
    assert client.sets.delete(made.id).success
    with pytest.raises(NotFound):
        client.sets.get(made.id)


def test_numbers_go_in_and_out(client: OcpClient, set_id: str) -> None:
    assert [row.number for row in client.sets.numbers(set_id)] == NUMBERS
    assert client.sets.get(set_id).phone_number_count == 2
    assert client.sets.remove_numbers(set_id, numbers=NUMBERS[:1]).success
    assert [row.number for row in client.sets.numbers(set_id)] == NUMBERS[1:]
    assert client.numbers.find(NUMBERS[:1])[NUMBERS[0]].set_id is None


def test_numbers_of_a_set_are_attached_some_or_all_and_detached(
    sandbox: Sandbox, client: OcpClient, set_id: str
) -> None:
    app = next(app["id"] for app in sandbox.miniapps() if app["group"] == "retail-us")
    assert client.sets.attach(set_id, mini_app_id=app, locale="en-US", numbers=NUMBERS[:1]).success
    assert [row.mini_app_id for row in client.sets.numbers(set_id)] == [app, None]
    assert client.sets.attach(set_id, mini_app_id=app, locale="en-US", application_tag="night").success
    assert [row.application_tag for row in client.sets.numbers(set_id)] == ["night", "night"]
    assert client.sets.detach(set_id).success
    assert [row.mini_app_id for row in client.sets.numbers(set_id)] == [None, None]


def test_releasing_gives_up_what_was_purchased_and_nothing_else(
    sandbox: Sandbox, client: OcpClient, set_id: str
) -> None:
    bought = sandbox.stock("telnova", "US")[0]["number"]
    client.numbers.buy(provider="telnova", numbers=[bought], group="retail-us")
    client.sets.add_numbers(set_id, numbers=[bought])
    assert client.sets.release_numbers(set_id).success
    assert [row.number for row in client.sets.numbers(set_id)] == NUMBERS
    assert sandbox.ledger()["totals"]["released"] == 1


def test_a_name_that_is_taken_is_a_conflict(client: OcpClient, set_id: str) -> None:
    with pytest.raises(Conflict):
        client.sets.create(name="Night shift", group_id="retail-us")


def test_a_reader_may_not_change_a_set(sandbox: Sandbox, new_client: NewClient, set_id: str) -> None:
    with pytest.raises(Forbidden):
        new_client(sandbox.url, login="reader").sets.update(set_id, name="Mine")
