"""A sandbox, clients of it, and time that passes when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from client.fake_clock import FakeClock
from client.raw_server import Act, RawServer, raw_server
from ocp_numbers.client import ClientSettings, OcpClient, without_waiting
from ocp_sandbox import Sandbox, Settings, User

PASSWORD = "open-sesame-4711"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAT = "pat-0123456789abcdef"

NewClient = Callable[..., OcpClient]
Serve = Callable[..., RawServer]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def no_waiting() -> Iterator[None]:
    with without_waiting():
        yield


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    users = [
        User("ops", PASSWORD),
        User("careful", PASSWORD, totp=TOTP),
        User("robot", PASSWORD, pat=PAT),
        User("reader", PASSWORD, role="reader"),
    ]
    with Sandbox(Settings(numbers=120, stock=20, users=users)) as box:
        yield box


@pytest.fixture
def new_client() -> Iterator[NewClient]:
    """Makes clients of any server, closed with the test."""
    with ExitStack() as stack:

        def make(url: str, *, login: str = "ops", **options: Any) -> OcpClient:
            made = {name: options.pop(name) for name in ("clock", "retry", "session", "on_secret") if name in options}
            if "personal_access_token" not in options:
                options = {"login": login, "password": PASSWORD, **options}
            return stack.enter_context(OcpClient(ClientSettings(host=url, **options), **made))

        yield make


@pytest.fixture
def client(sandbox: Sandbox, new_client: NewClient) -> OcpClient:
    return new_client(sandbox.url)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that do as told."""
    with ExitStack() as stack:

        def start(*acts: Act, **options: Any) -> RawServer:
            return stack.enter_context(raw_server(*acts, **options))

        yield start


@pytest.fixture
def by_token(new_client: NewClient) -> NewClient:
    """Makes clients that do not log in, for servers that know nothing of logins."""

    def make(url: str, **options: Any) -> OcpClient:
        return new_client(url, personal_access_token=PAT, **options)

    return make
