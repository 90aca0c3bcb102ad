"""Time compressed: the program's clocks and the platform's are one, which is moved on instead of waited for."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from datetime import datetime, tzinfo

import ocp_numbers
from ocp_numbers.client import Clock
from ocp_sandbox import Sandbox

_LEFT_OUT = ("ocp_numbers.dashboard", "ocp_numbers.commands")
"""What no task uses; it takes time to load."""


def compress(sandbox: Sandbox) -> None:
    """Let the whole program, in this process and from now on, live in the time of ``sandbox``; a wait takes none."""
    clock = sandbox.clock

    class WorldTime(datetime):
        """The class ``datetime`` as the program's modules see it."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(clock.now(), tz)

    for found in pkgutil.walk_packages(ocp_numbers.__path__, "ocp_numbers."):
        if not found.name.startswith(_LEFT_OUT):
            importlib.import_module(found.name)
    for name, module in list(sys.modules.items()):
        if name.startswith("ocp_numbers.") and getattr(module, "datetime", None) is datetime:
            module.datetime = WorldTime  # type: ignore[attr-defined]
    Clock.wall = Clock.monotonic = lambda self: clock.now()  # type: ignore[method-assign]
    Clock.sleep = lambda self, seconds: clock.advance(seconds)  # type: ignore[method-assign]
    for waits in ("ocp_numbers.ordering.buyer:Buyer", "ocp_numbers.cleanup.releasing:Releasing"):
        place, _, kind = waits.partition(":")
        getattr(sys.modules[place], kind).__init__.__kwdefaults__["sleep"] = clock.advance
