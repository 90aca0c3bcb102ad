from __future__ import annotations

from crash.plugin import prove

__all__ = ["prove"]
