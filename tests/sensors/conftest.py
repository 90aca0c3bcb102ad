from __future__ import annotations

from operators.conftest import run, sandbox, world

__all__ = ["run", "sandbox", "world"]
