"""Operations against faults: what is sent again, what is not, and which error comes out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from typing import Any

import pytest

from client.conftest import NewClient, Serve
from client.fake_clock import FakeClock
from client.raw_server import answer
from ocp_numbers.client import OPERATIONS, Effect, OcpClient
from ocp_numbers.errors import (
    AccessRefused,
    AnswerLost,
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    Interrupted,
    InvalidInput,
    NoAnswer,
    NotAuthenticated,
    NotFound,
    PaymentRefused,
    Redirected,
    Refused,
    ServerFault,
    TooManyRequests,
    UnexpectedAnswer,
)
from ocp_sandbox import Fault, Sandbox

NUMBER = "+12125550123"
READ, WRITE, PAID, DESTRUCTIVE = Effect


class World:
    """A sandbox with one number, one set and one offer to work on, and a client of it."""

    def __init__(self, sandbox: Sandbox, client: OcpClient) -> None:
        self.sandbox = sandbox
        self.client = client
        self.set_id = sandbox.edit.add_set("Pilot of the test", "retail-us")
        sandbox.edit.add_number(NUMBER, "retail-us")
        self.offer = sandbox.stock("telnova", "US")[0]["number"]
        client.numbers.list(page_size=1)
        sandbox.clear_calls()

    def act(self, effect: Effect) -> Any:
        """Call an operation of that effect."""
        if effect is READ:
            return self.client.numbers.search(number=NUMBER)
        if effect is WRITE:
            return self.client.numbers.update_note(NUMBER, note="new")
        if effect is PAID:
            return self.client.numbers.buy(provider="telnova", numbers=[self.offer], group="retail-us")
        return self.client.numbers.delete(NUMBER)

    def took_effect(self, effect: Effect) -> int:
        """How often it really happened."""
        if effect is WRITE:
            return sum(row["note"] == "new" for row in self.sandbox.numbers())
        kind = "bought" if effect is PAID else "deleted"
        return sum(entry["kind"] == kind for entry in self.sandbox.ledger()["entries"])

    def sent(self) -> int:
        """How many API calls the sandbox saw."""
        return sum(call["path"].startswith("/api/") for call in self.sandbox.calls())


@pytest.fixture
def world(sandbox: Sandbox, client: OcpClient, no_waiting: None) -> World:
    return World(sandbox, client)


TRANSIENT = [
    Fault(kind="status", status=408, path="/api/*", nth=1),
    Fault(kind="status", status=429, path="/api/*", nth=1, retry_after="1"),
    Fault(kind="status", status=500, path="/api/*", nth=1),
    Fault(kind="status", status=502, path="/api/*", nth=1),
    Fault(kind="status", status=503, path="/api/*", nth=1, body="<html>down</html>"),
    Fault(kind="status", status=504, path="/api/*", nth=1),
    Fault(kind="drop_before", path="/api/*", nth=1),
    Fault(kind="drop_after", path="/api/*", nth=1),
    Fault(kind="truncated", path="/api/*", nth=1),
    Fault(kind="broken_json", path="/api/*", nth=1),
    Fault(kind="status_after", status=502, path="/api/*", nth=1),
    Fault(kind="html", path="/api/*", nth=1),
]
LASTING = [
    *((Fault(kind="status", status=status, path="/api/*", nth=1), error) for status, error in (
        (400, BadRequest), (402, PaymentRefused), (403, Forbidden), (404, NotFound), (405, BadRequest),
        (409, Conflict), (418, BadRequest), (422, BadRequest),
    )),
    (Fault(kind="redirect", path="/api/*", nth=1), Redirected),
    (Fault(kind="refuse", path="/api/*", nth=1), Refused),
]  # fmt: skip


def named(value: object) -> str:
    return f"{value.kind}-{value.status}" if isinstance(value, Fault) else getattr(value, "__name__", str(value))


@pytest.mark.parametrize("fault", TRANSIENT, ids=named)
def test_reading_goes_on_after_one_fault(fault: Fault, world: World) -> None:
    world.sandbox.faults.add(fault)
    assert world.act(READ).items[0].number == NUMBER
    assert world.sent() == 2


@pytest.mark.parametrize("effect", [WRITE, PAID, DESTRUCTIVE])
@pytest.mark.parametrize("fault", [fault for fault in TRANSIENT if fault.status != 429], ids=named)
def test_what_changes_the_world_is_sent_once_when_its_outcome_is_unknown(
    fault: Fault, effect: Effect, world: World
) -> None:
    world.sandbox.faults.add(fault)
    caught: pytest.ExceptionInfo[ApiError | NoAnswer]
    with pytest.raises((ApiError, NoAnswer)) as caught:
        world.act(effect)
    assert not caught.value.settled
    assert world.sent() == 1
    assert world.took_effect(effect) == (fault.kind in ("drop_after", "truncated", "broken_json", "status_after"))


def test_a_write_that_was_turned_away_is_sent_again(world: World) -> None:
    world.sandbox.faults.add(TRANSIENT[1])
    world.act(WRITE)
    assert (world.sent(), world.took_effect(WRITE)) == (2, 1)


@pytest.mark.parametrize("effect", [PAID, DESTRUCTIVE])
def test_money_is_not_sent_again_even_when_it_was_turned_away(effect: Effect, world: World) -> None:
    world.sandbox.faults.add(TRANSIENT[1])
    with pytest.raises(TooManyRequests) as caught:
        world.act(effect)
    assert (caught.value.settled, caught.value.retry_after) == (True, 1)
    assert (world.sent(), world.took_effect(effect)) == (1, 0)


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(("fault", "error"), LASTING, ids=named)
def test_a_lasting_refusal_is_raised_at_once(fault: Fault, error: type[ApiError], effect: Effect, world: World) -> None:
    world.sandbox.faults.add(fault)
    with pytest.raises(error) as caught:
        world.act(effect)
    assert (caught.value.settled, world.sent()) == (error is not Refused, 1)


@pytest.mark.parametrize("effect", Effect)
def test_after_a_401_the_call_is_sent_once_more_with_a_new_login(effect: Effect, world: World) -> None:
    world.sandbox.faults.add(Fault(kind="unauthorized", path="/api/*", nth=1))
    world.act(effect)
    assert world.sent() == 2
    assert [call["path"].rpartition("/")[2] for call in world.sandbox.calls()].count("token") == 1


@pytest.mark.parametrize("effect", Effect)
def test_a_second_401_is_final(effect: Effect, world: World) -> None:
    world.sandbox.faults.add(Fault(kind="unauthorized", path="/api/*"))
    with pytest.raises(NotAuthenticated) as caught:
        world.act(effect)
    assert (caught.value.settled, world.sent()) == (True, 2)


@pytest.mark.parametrize("effect", Effect)
def test_a_token_endpoint_that_is_down_proves_that_nothing_was_sent(effect: Effect, world: World) -> None:
    world.sandbox.faults.add(Fault(kind="unauthorized", path="/api/*", nth=1), Fault(kind="drop_after", path="/auth/*"))
    with pytest.raises(AnswerLost) as caught:
        world.act(effect)
    assert caught.value.settled
    assert (caught.value.operation, world.sent()) == ("login.refresh", 1)


def test_an_error_names_operation_call_status_and_the_vendors_message(world: World) -> None:
    with pytest.raises(NotFound) as caught:
        world.client.sets.get("no-such-set")
    error = caught.value
    assert (error.operation, error.call, error.status) == ("sets.get", "GET /api/numbers-set/no-such-set", 404)
    assert "no-such-set" in error.message


def test_an_error_names_the_ids_that_were_sent(world: World, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="status", status=404, path="/api/*", body='{"message": "not found"}'))
    numbers = [f"+1212555{n:04d}" for n in range(12)]
    with pytest.raises(NotFound) as caught:
        world.client.numbers.attach(numbers, mini_app_id="app\n1", locale="en-US")
    assert str(caught.value) == (
        "numbers.attach (PUT /api/numbers/attach) for mini_app_id app 1, numbers "
        f"{', '.join(numbers[:10])} and 2 more: 404: not found. {NotFound.advice}"
    )


def test_a_long_or_ugly_message_is_made_fit_for_a_log_line(world: World) -> None:
    ugly = "line\r\nforged \x1b[31m\u202e entry " + "x" * 5000
    world.sandbox.faults.add(Fault(kind="refuse", path="/api/*", message=ugly))
    with pytest.raises(Refused) as caught:
        world.act(WRITE)
    assert caught.value.message.startswith("line forged [31m entry xxx")
    assert len(caught.value.message) < 510


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (400, b'{"message": "Unknown group: g"}', BadRequest, "Unknown group: g"),
        (400, b'{"message": 7, "error": "bad"}', BadRequest, "bad"),
        (400, b'["odd"]', BadRequest, '["odd"]'),
        (400, b"plain words", BadRequest, "plain words"),
        (400, b"[" * 60_000, BadRequest, "[" * 500 + "…"),
        (418, b"", BadRequest, "I'm a Teapot"),
        (499, b"", BadRequest, "no message"),
        (599, b"", ServerFault, "no message"),
        (206, b"part", UnexpectedAnswer, "part"),
        (600, b"", UnexpectedAnswer, "no message"),
        (304, b"", Redirected, "redirects to another address of the same host"),
    ],
)
def test_an_error_says_what_the_platform_said_or_what_the_status_means(
    status: int, body: bytes, error: type[ApiError], message: str, serve: Serve, by_token: NewClient, no_waiting: None
) -> None:
    with pytest.raises(error) as caught:
        by_token(serve(answer(status, body)).url).numbers.detach([NUMBER])
    assert message in caught.value.message


def test_trying_ends_after_so_many_attempts(sandbox: Sandbox, new_client: NewClient, no_waiting: None) -> None:
    world = World(sandbox, new_client(sandbox.url))
    sandbox.faults.add(Fault(kind="status", status=503, path="/api/*"))
    with pytest.raises(ServerFault):
        world.act(READ)
    assert world.sent() == 8


def test_trying_ends_when_the_time_of_the_call_is_over(
    sandbox: Sandbox, new_client: NewClient, clock: FakeClock
) -> None:
    world = World(sandbox, new_client(sandbox.url, clock=clock, total_timeout=60))
    sandbox.faults.add(Fault(kind="status", status=503, path="/api/*", retry_after="25"))
    with pytest.raises(ServerFault):
        world.act(READ)
    assert (clock.slept, world.sent()) == ([25, 25], 3)


def test_all_threads_slow_down_when_the_server_asks_one_of_them(
    sandbox: Sandbox, new_client: NewClient, clock: FakeClock
) -> None:
    world = World(sandbox, new_client(sandbox.url, clock=clock))
    sandbox.faults.add(Fault(kind="status", status=429, path="/api/*", nth=1, retry_after="7"))
    world.act(READ)
    assert sum(clock.slept) == 7


def test_no_more_requests_run_at_once_than_the_connection_allows(sandbox: Sandbox, new_client: NewClient) -> None:
    client = new_client(sandbox.url, max_concurrency=3)
    sandbox.faults.add(Fault(kind="delay", seconds=0.02, path="/api/*"))
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: client.numbers.list(page_size=1), range(24)))
    assert sandbox.most_in_flight() == 3


def test_the_rate_limit_of_a_server_is_lived_with(sandbox: Sandbox, new_client: NewClient, clock: FakeClock) -> None:
    client = new_client(sandbox.url, requests_per_second=10, clock=clock)
    for _ in range(11):
        client.numbers.list(page_size=1)
    assert sum(clock.slept) == pytest.approx(1.0)


# Access and input: nothing is sent

ALLOWED = {"read": {READ}, "write": {READ, WRITE}, "paid": set(Effect)}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "number": {"number": NUMBER},
    "set_id": {"set_id": "id"},
    "group_id": {"group_id": "id"},
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda row: row.name)
@pytest.mark.parametrize("access", ALLOWED)
def test_access_is_enforced_for_every_operation(
    access: str, operation: Any, sandbox: Sandbox, new_client: NewClient
) -> None:
    client = new_client(sandbox.url, access=access)
    resource, _, name = operation.name.partition(".")
    method: Callable[..., object] = getattr(getattr(client, resource), name)
    if operation.effect in ALLOWED[access]:
        with pytest.raises(InvalidInput) if operation.path_fields or operation.payload else nullcontext():
            method(**_empty(operation))
    else:
        with pytest.raises(AccessRefused, match=f"{operation.name} needs access '{operation.effect.needs}'"):
            method(**_empty(operation))
        assert sandbox.calls() == []


def _empty(operation: Any) -> dict[str, Any]:
    """Arguments that are all empty: refused as input where access lets them pass."""
    fields = {**(operation.payload.model_fields if operation.payload else {})}
    needed = {name: "" for name, field in fields.items() if field.is_required()}
    optional = {"page_size": -1} if "page_size" in fields else {}
    return needed | optional | dict.fromkeys(operation.path_fields, "")


def test_a_closed_client_sends_nothing_and_closes_twice(world: World) -> None:
    world.client.close()
    world.client.close()
    world.sandbox.clear_calls()
    with pytest.raises(Interrupted, match="closed"):
        world.act(READ)
    assert world.sandbox.calls() == []


def test_closing_ends_the_wait_for_the_next_attempt(sandbox: Sandbox, new_client: NewClient) -> None:
    world = World(sandbox, new_client(sandbox.url))
    sandbox.faults.add(Fault(kind="status", status=503, path="/api/*", retry_after="250"))
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(world.act, READ)
        while not world.sent():
            wait([ended], timeout=0.01)
        world.client.close()
        assert isinstance(ended.exception(timeout=10), Interrupted)
    assert world.sent() == 1


def test_closing_keeps_back_what_waits_for_its_turn(sandbox: Sandbox, new_client: NewClient) -> None:
    world = World(sandbox, new_client(sandbox.url, requests_per_second=0.01))
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(world.act, PAID)
        wait([ended], timeout=0.1)
        world.client.close()
        assert isinstance(ended.exception(timeout=10), Interrupted)
    assert (world.sent(), world.took_effect(PAID)) == (0, 0)


@pytest.mark.parametrize("set_id", ["", " ", ".", "..", "\ud800"])
def test_an_id_that_cannot_be_one_is_refused_before_a_url_is_made_of_it(set_id: str, world: World) -> None:
    with pytest.raises(InvalidInput, match="set_id"):
        world.client.sets.delete(set_id)
    assert world.sandbox.calls() == []


@pytest.mark.parametrize(
    ("set_id", "path"),
    [
        ("../numbers", b"/integrations/api/numbers-set/..%2Fnumbers "),
        ("a b+c", b"/integrations/api/numbers-set/a%20b%2Bc "),
        ("100%25?x=1#y", b"/integrations/api/numbers-set/100%2525%3Fx%3D1%23y "),
        ("Größe", b"/integrations/api/numbers-set/Gr%C3%B6%C3%9Fe "),
        ("a\r\nb", b"/integrations/api/numbers-set/a%0D%0Ab "),
    ],
)
def test_an_id_stays_one_segment_of_the_path(set_id: str, path: bytes, serve: Serve, by_token: NewClient) -> None:
    server = serve(answer(404, b'{"message": "no"}'))
    with pytest.raises(NotFound):
        by_token(server.url).sets.get(set_id)
    assert server.requests[0].split(b" ", 1)[1].startswith(path)


def test_a_delete_carries_its_numbers_as_json(serve: Serve, by_token: NewClient) -> None:
    server = serve(answer(body=b'{"success": true}'))
    by_token(server.url).sets.remove_numbers("id", numbers=[NUMBER])
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"DELETE ")
    assert body == b'{"numbers":["+12125550123"]}'


def test_a_query_writes_plus_and_space_so_that_neither_is_taken_for_the_other(
    serve: Serve, by_token: NewClient
) -> None:
    page = answer(body=b'{"numbers": [], "page": 1, "pageSize": 5, "numberOfPages": 0, "allNumbers": 0}')
    server = serve(page)
    by_token(server.url).numbers.list(search_term="+1 212%", page_size=5)
    assert server.requests[0].split(b" ")[1] == b"/integrations/api/numbers?page=1&pageSize=5&searchTerm=%2B1%20212%25"


def test_a_refused_personal_access_token_says_why_that_may_be(sandbox: Sandbox, new_client: NewClient) -> None:
    client = new_client(sandbox.url, personal_access_token="pat-of-nobody")
    with pytest.raises(NotAuthenticated, match="not always among the services that take one"):
        client.numbers.list()
    assert len(sandbox.calls()) == 1


def test_the_raw_door_gives_the_body_as_it_came(world: World) -> None:
    reply = world.client.transport.send(OPERATIONS["numbers.search"], order_by="number", page=1, page_size=5)
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert reply.content.startswith(b"{")


def test_a_reader_of_ones_own_has_broken_pages_sent_again(world: World) -> None:
    world.sandbox.faults.add(Fault(kind="refuse", path="/api/*", nth=1))
    with pytest.raises(Refused):
        world.client.transport.send(OPERATIONS["numbers.search"])
    broken = UnexpectedAnswer(operation="x", call="x", status=200, message="cut")
    broken.transient = True
    results: list[UnexpectedAnswer] = [broken]

    def read(reply: object) -> str:
        if results:
            raise results.pop()
        return "read"

    assert world.client.transport.fetch(OPERATIONS["numbers.search"], read) == "read"
