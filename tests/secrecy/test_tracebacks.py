"""Tracebacks that show what every variable holds, as some loggers and error trackers draw them, hold no secret."""

from __future__ import annotations

import io
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from rich.console import Console
from rich.traceback import Traceback

from client.raw_server import Act, answer, raw_server
from ocp_numbers.errors import InvalidConnection
from ocp_numbers.hooks.ocp import OcpNumbersHook
from secrecy.canaries import ACCESS, HEADER, PASSWORD, PAT, PROXY, TOTP, leaks
from secrecy.servers import GRANT

GRANTED = answer(body=json.dumps(GRANT).encode())
Connect = Callable[..., OcpNumbersHook]


class OutOfTime(BaseException):
    """What Airflow throws into a task that takes too long, wherever it is just then."""


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    def connect(url: str, **fields: Any) -> OcpNumbersHook:
        extra = {"X-Gateway-Key": HEADER.value, "totp_secret": TOTP.value, **fields.pop("extra", {})}
        given = {"conn_type": "ocp", "host": url, "login": "ops", "password": PASSWORD.value, "extra": extra, **fields}
        monkeypatch.setenv("AIRFLOW_CONN_OCP_DEFAULT", json.dumps(given))
        return OcpNumbersHook()

    return connect


def drawn(error: BaseException) -> str:
    """The traceback as rich draws it, uncut, with the variables of every frame."""
    assert error.__traceback__
    uncut: Any = {"locals_max_length": None, "locals_max_string": None, "width": 400, "extra_lines": 0}
    picture = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True, **uncut)
    screen = io.StringIO()
    Console(file=screen, width=400, color_system=None).print(picture)
    return screen.getvalue()


def raised_by(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_variable_that_holds_a_secret_is_drawn() -> None:
    """Else nothing below would prove anything."""

    def careless() -> None:
        password = PASSWORD.value
        raise ValueError(len(password))

    assert {leak.canary for leak in leaks(drawn(raised_by(careless)))} == {"password"}


FAULTS: dict[str, dict[str, Any]] = {
    "no password": {"password": None},
    "a key that is not known": {"extra": {"pasword": PASSWORD.value}},
    "a token beside the password": {"extra": {"personal_access_token": PAT.value}},
    "no secret of a one-time code": {"extra": {"totp_secret": f"{TOTP.value}!!"}},
    "a proxy of no kind": {"extra": {"proxies": {"http": f"nonsense:{PROXY.value}"}}},
    "a proxy that is no address": {"extra": {"proxies": {"http": f"http://ops:{PROXY.value}@[::1"}}},
    "nothing listens": {"host": "http://127.0.0.1:9"},
    "a proxy that does not listen": {"extra": {"proxies": {"http": f"http://ops:{PROXY.value}@127.0.0.1:9"}}},
    "no answer of a token endpoint": {"answers": [answer(body=GRANTED[-60:])]},
    "a login that is refused": {"answers": [answer(401, body=PASSWORD.value.encode())]},
    "a call that is refused": {"answers": [GRANTED, answer(400, body=PASSWORD.value.encode())]},
    "a call of which the answer is none": {"answers": [GRANTED, answer(body=json.dumps([PASSWORD.value]).encode())]},
    "a call that breaks off": {"answers": [GRANTED, lambda connection: connection.close()]},
    "a session that ends": {"answers": [GRANTED, answer(401), answer(400), answer(401), answer(401)]},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_shows_none(connect: Connect, fault: str) -> None:
    fields = dict(FAULTS[fault])
    acts: list[Act] = fields.pop("answers", [GRANTED])
    with raw_server(*acts) as server:
        hook = connect(fields.pop("host", server.url), **fields)
        error = raised_by(lambda: hook.client.numbers.find(["+12125550123"]))
        assert leaks(drawn(error)) == []
        hook.__dict__.pop("client", None)
        error = raised_by(hook.get_conn if isinstance(error, InvalidConnection) else lambda: hook.client.sets.list())
        assert leaks(drawn(error)) == []


def out_of_time(*pieces: bytes) -> Act:
    """Sends ``pieces``, then has the client's time run out in the midst of its waiting for more."""

    def act(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        time.sleep(0.05)  # until the client waits again
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    return act


@pytest.fixture
def _out_of_time() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGUSR1, end)
    yield
    signal.signal(signal.SIGUSR1, before)


MOMENTS: dict[str, list[Act]] = {
    "at login": [out_of_time()],
    "in the midst of the tokens": [out_of_time(GRANTED[:-60])],
    "at a call": [GRANTED, out_of_time()],
    "in the midst of an answer": [GRANTED, out_of_time(answer(body=ACCESS.value.encode())[:-3])],
    "at the renewal of a session": [GRANTED, answer(401), out_of_time()],
    "at the next login": [GRANTED, answer(401), answer(400), out_of_time()],
    "at a call after a renewal": [GRANTED, answer(401), GRANTED, out_of_time()],
}


@pytest.mark.usefixtures("_out_of_time")
@pytest.mark.parametrize("moment", MOMENTS)
def test_what_is_ended_in_the_midst_of_its_work_shows_none(connect: Connect, moment: str) -> None:
    with raw_server(*MOMENTS[moment]) as server:
        hook = connect(server.url)
        error = raised_by(lambda: hook.client.sets.list())
        assert isinstance(error, OutOfTime)
        assert leaks(drawn(error)) == []


@pytest.mark.usefixtures("_out_of_time")
@pytest.mark.parametrize("moment", ["at login", "at a call"])
def test_nor_does_it_show_the_way_through_a_proxy(connect: Connect, moment: str) -> None:
    with raw_server(*MOMENTS[moment]) as proxy:
        address = proxy.url.replace("//", f"//ops:{PROXY.value}@")
        hook = connect("http://127.0.0.1:9", extra={"proxies": {"http": address}})
        error = raised_by(lambda: hook.client.sets.list())
        assert isinstance(error, OutOfTime)
        assert leaks(drawn(error)) == []
