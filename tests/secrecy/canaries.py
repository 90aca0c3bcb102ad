"""Secrets that can be found again wherever they went, in whatever spelling, and the search for them.

A canary is one unit of nine characters again and again, with what people put between the words of a password: whoever
escapes, encodes, cuts or lower-cases it leaves at least one unit whole, and one unit is enough to be found.
"""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Canary:
    """A secret: ``unit``, which nothing else holds, within ``value``."""

    name: str
    unit: str
    value: str

    def spellings(self) -> Iterator[tuple[str, bytes]]:
        """How one unit of it may be written, in lower case."""
        unit = self.unit.encode()
        yield "as it is", unit
        yield "backwards", unit[::-1]
        yield "in hexadecimal", unit.hex().encode()
        for place in range(3):
            whole = base64.b64encode(b"\0" * place + unit)
            # the first and the last characters also depend on what stands beside the unit
            yield "in Base64", whole[(0, 2, 3)[place] : (12, 13, 14)[place]]


PASSWORD = Canary("password", "Pw7mKq2Zv", 'Pw7mKq2Zv "Pw7mKq2Zv" <ä>&%\'Pw7mKq2Zv')
WRONG_PASSWORD = Canary("password of a login that is refused", "Wp3xRd9Lk", "Wp3xRd9Lk/Wp3xRd9Lk=")
TOTP = Canary("one-time code secret", "JX5TQ3M7W", "JX5TQ3M7W" * 3 + "A")
PAT = Canary("personal access token", "Tk4nBy8Gs", "ocp_Tk4nBy8Gs-Tk4nBy8Gs_Tk4nBy8Gs")
PROXY = Canary("password of the proxy", "Px6vHj5Dc", "Px6vHj5Dc%3APx6vHj5Dc")
HEADER = Canary("header that a gateway wants", "Hd2wFt8Nb", "Hd2wFt8Nb.Hd2wFt8Nb")
ACCESS = Canary("access token", "Ac9qZs4Yr", "eyAc9qZs4Yr.Ac9qZs4Yr.Ac9qZs4Yr-_")
REFRESH = Canary("refresh token", "Rf5uLe7Vh", "eyRf5uLe7Vh.Rf5uLe7Vh.Rf5uLe7Vh-_")
TOLD = Canary("what a careless task tells", "Tc2gJx6Mw", "Tc2gJx6Mw Tc2gJx6Mw")
"""No secret of the project: it is told on purpose, and has to be found wherever that goes."""

ALL = (PASSWORD, WRONG_PASSWORD, TOTP, PAT, PROXY, HEADER, ACCESS, REFRESH)


class Leak(NamedTuple):
    """A canary where it must not be."""

    where: str
    canary: str
    spelling: str
    around: str


def leaks(content: bytes | str, where: str = "", canaries: Iterable[Canary] = ALL) -> list[Leak]:
    """Every canary in ``content``, the first place of each spelling."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    lowered = data.lower()
    found = []
    for canary in canaries:
        for spelling, mark in canary.spellings():
            place = lowered.find(mark.lower())
            if place >= 0:
                around = data[max(place - 120, 0) : place + 60].decode(errors="replace")
                found.append(Leak(where, canary.name, spelling, around))
    return found


def leaks_below(folder: Path, canaries: Iterable[Canary] = ALL) -> list[Leak]:
    """Every canary in the names and the contents of all files, also within those that are compressed."""
    found = []
    for path in sorted(folder.rglob("*")):
        where = str(path.relative_to(folder))
        found += leaks(where, f"the name {where}", canaries)
        if path.is_file():
            for part, content in _opened(path.read_bytes()):
                found += leaks(content, where + part, canaries)
    return found


def _opened(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", content
    if content[:2] == b"\x1f\x8b":
        yield " (unzipped)", gzip.decompress(content)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            for name in members.namelist():
                yield f" ({name})", members.read(name)
    elif content[:4] == b"PAR1":
        import pyarrow.parquet as pq

        yield " (rows)", str(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
