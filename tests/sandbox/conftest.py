"""A sandbox per test, and callers of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ocp_sandbox import Sandbox, Settings
from sandbox.caller import Caller

Serve = Callable[..., Sandbox]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts sandboxes with the settings given, and ends them with the test."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Sandbox:
            return stack.enter_context(Sandbox(Settings(**{"numbers": 0, **settings})))

        yield start


@pytest.fixture
def box(serve: Serve) -> Sandbox:
    """A sandbox without numbers."""
    return serve()


@pytest.fixture
def ops(box: Sandbox) -> Caller:
    """The owner's login of that sandbox."""
    return Caller(box.url)
