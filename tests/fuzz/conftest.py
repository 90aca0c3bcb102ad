from __future__ import annotations

from commands.conftest import _logging_as_before

__all__ = ["_logging_as_before"]
