"""What nobody should send: values, names, JSON, tables and bytes, made up or made of documents that were right.

Everything is drawn from a random generator whose seed the test chooses: making an input takes less time than reading
it, and a seed brings an input back.
"""

from __future__ import annotations

import copy
import gzip
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

MARK = Path(tempfile.gettempdir()) / "fuzz-was-here"
"""What would be there if one of the names were ever run."""

NAMES = (
    f"../../../..{MARK}",
    "/etc/passwd",
    "..",
    ".",
    "C:\\boot.ini",
    "a/b\\c",
    "'; DROP TABLE numbers; --",
    "' OR 1=1 --",
    f"\"; COPY numbers TO '{MARK}'; --",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</script></style></textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7*7 }}",
    "{% for x in (1).__class__.__mro__ %}{{ x }}{% endfor %}",
    f"{{{{ config.__class__.__init__.__globals__['os'].popen('touch {MARK}').read() }}}}",
    "${jndi:ldap://127.0.0.1/a}",
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"; touch {MARK} #",
    "%s%n%x{0}{0.__class__}",
    '=HYPERLINK("http://example.invalid","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "line\nERROR - all numbers were released",
    "line\r\nSet-Cookie: a=b",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred",
    "\x9b31mred\x9b0m",
    "\u202egnp.exe",
    "\u2066hidden\u2069 \u200b\ufeff",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "[click](javascript:alert(1)) ![x](http://example.invalid/x.png) | cell | `code`",
    "# heading\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "tab\tand  spaces ",
    "x" * 5_000,
    "\N{PILE OF POO}" * 200,
    "e\u0301" * 100,
    "\0",
    "nul\0inside",
    "CON",
    "NaN",
    "None",
    "null",
    "True",
    "-",
    "*",
    "%",
    "&amp;&#x3c;script&#x3e;",
    "]]>",
    "<empty>",
    " ",
)
"""Texts that mean something to a file system, SQL, HTML, a template, a shell, a spreadsheet, a terminal or a log."""

DIGITS = "1" * 5_000
_NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**64, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, float("nan"), float("inf"))
_TEXTS = (DIGITS, "1e999999999", "1E-999999999", "NaN", "-Infinity", "\ud800", "a\udfff", "+1212555\u0663", *NAMES)
_LETTERS = "abcXYZ019 -+.,;:/\\\"'<>{}[]|#$%&*()=?@_~^`!\n\r\t\0\x1b\x7f\x9b\xe9\u0131\u200b\u202e\u2028\ufeff\ufffd"
_ODD_LETTERS = (0x110000 - 1, 0x1F4A9, 0xD800, 0xDFFF, 0xFFFE, 0x378)
_NESTED = (50, 400)


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def text(rng: Random) -> str:
    """Any text, many of them hostile; also halves of surrogate pairs."""
    if rng.random() < 0.5:
        return rng.choice(_TEXTS)
    made = "".join(_letter(rng) for _ in range(rng.randrange(12)))
    return made if rng.random() < 0.7 else rng.choice(NAMES) + made


def _letter(rng: Random) -> str:
    if rng.random() < 0.9:
        return rng.choice(_LETTERS)
    return chr(rng.choice(_ODD_LETTERS) if rng.random() < 0.3 else rng.randrange(0x110000))


def value(rng: Random, depth: int = 2) -> Any:
    """Anything that JSON can hold."""
    what = rng.randrange(12)
    if what < 4:
        return text(rng)
    if what < 6:
        return rng.choice(_NUMBERS)
    if what == 6:
        return rng.randrange(-(10**6), 10**6)
    if what == 7:
        return rng.choice((None, True, False))
    if what == 8:
        return rng.choice(({}, [], [[]], {"": {}}, nested(rng.choice(_NESTED))))
    if depth == 0:
        return rng.uniform(-1e9, 1e9)
    if what < 11:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {text(rng): value(rng, depth - 1) for _ in range(rng.randrange(4))}


def _places(document: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [above, *(place for key, each in inner for place in _places(each, (*above, key)))]


def spoilt(rng: Random, *documents: Any) -> Any:
    """One of ``documents``, as it is or with some of its parts replaced, taken out, doubled or renamed."""
    document = copy.deepcopy(rng.choice(documents))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        place = rng.choice(_places(document))
        if not place:
            document = value(rng) if rng.random() < 0.1 else document
            continue
        holder = document
        for key in place[:-1]:
            holder = holder[key]
        key, what = place[-1], rng.randrange(6)
        if what <= 2:
            holder[key] = value(rng)
        elif what == 3:
            del holder[key]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[text(rng)] = holder[key]
    return document


def written(document: Any) -> bytes:
    """``document`` as JSON, with whatever Python's own writer lets pass: NaN, and halves of surrogate pairs."""
    return json.dumps(document, ensure_ascii=True).encode()


def mangled(rng: Random, content: bytes) -> bytes:
    """``content``, mostly as it is, otherwise damaged on its way."""
    what = rng.randrange(18)
    at = rng.randrange(len(content) + 1)
    if what == 0:
        return content[:at]
    if what == 1:
        return content[:at] + rng.randbytes(rng.randrange(8)) + content[at:]
    if what == 2:
        return b"\xef\xbb\xbf" + content
    if what == 3:
        return content.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-32")))
    if what == 4:
        return content[:at] + b"\xff\xfe\xc3\x28" + content[at + 4 :]
    if what == 5:
        return content + rng.randbytes(rng.randrange(20))
    if what == 6:
        return content.replace(b":", b": " + DIGITS.encode() + b', "x":', 1)
    return content


_DEEP = (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 3_000 + b"]" * 3_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000)
_ODD = (
    b"",
    b" ",
    b"null",
    b"NaN",
    b"Infinity",
    b"1" * 5_000,
    b"1e400",
    b'"\\ud800"',
    b"\xef\xbb\xbf",
    b"\0",
    b"<html>",
)


def body(rng: Random, *documents: Any) -> bytes:
    """What may come in the place of these documents as JSON."""
    what = rng.random()
    if what < 0.02:
        return rng.choice(_DEEP)
    if what < 0.06:
        return rng.choice(_ODD)
    if what < 0.1:
        return written(value(rng))
    if what < 0.12:
        return rng.randbytes(rng.randrange(60))
    content = written(spoilt(rng, *documents))
    if what < 0.15 and content[:1] == b"{":
        return content[:-1] + b"," + content[1:]
    return mangled(rng, content)


def table(rng: Random, header: Sequence[str], cell: Callable[[Random, str], str]) -> bytes:
    """Rows below a header as CSV in some dialect, written by hand so that nothing is quoted as it should be."""
    if rng.random() < 0.03:
        return rng.randbytes(rng.randrange(100))
    mark, end = rng.choice((",", ",", ",", ";", "\t", "|")), rng.choice(("\n", "\r\n", "\r"))
    names = [*header]
    if rng.random() < 0.15:
        rng.shuffle(names)
        names = names[: rng.randrange(1, len(names) + 1)] + [text(rng) for _ in range(rng.randrange(3))]
    quote = rng.choice(('"', '"', "", "", '""', "'"))
    rows = [[cell(rng, name) for name in names] for _ in range(rng.randrange(5))]
    if rows and rng.random() < 0.2:
        rows[0] = rows[0][:-1]
    content = end.join(mark.join(f"{quote}{each}{quote}" for each in line) for line in (names, *rows))
    packed = content.encode("utf-8", "surrogatepass")
    return mangled(rng, gzip.compress(packed, 1) if rng.random() < 0.1 else packed)
