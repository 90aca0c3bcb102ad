"""All doors through which things from outside come in."""

from __future__ import annotations

from fuzz import answers, files, records
from fuzz.promise import Parser

PARSERS: tuple[Parser, ...] = (*answers.PARSERS, *files.PARSERS, *records.PARSERS)
