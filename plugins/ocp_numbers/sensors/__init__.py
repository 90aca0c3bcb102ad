"""The sensors by name, imported when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocp_numbers.sensors.awaiting import NumbersOwnedSensor, SetAttachedSensor

__all__ = ["NumbersOwnedSensor", "SetAttachedSensor"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.awaiting"), name)
