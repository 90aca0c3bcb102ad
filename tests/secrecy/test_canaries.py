"""The search finds a secret however it is written down; else all the other tests here would prove nothing."""

from __future__ import annotations

import base64
import gzip
import html
import json
import urllib.parse
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from secrecy.canaries import ALL, Canary, leaks, leaks_below


def _in_base64(before: int, text: str) -> str:
    return base64.b64encode(b"x" * before + text.encode()).decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in a URL": urllib.parse.quote,
    "in a form": urllib.parse.quote_plus,
    "in HTML": html.escape,
    "by repr": repr,
    "as bytes": lambda text: repr(text.encode()),
    "in lower case": str.lower,
    "in upper case": str.upper,
    "backwards": lambda text: text[::-1],
    "without its beginning": lambda text: text[2:],
    "cut short": lambda text: text[:17],
    "in hexadecimal": lambda text: text.encode().hex(),
    **{f"in Base64, {before} bytes after its beginning": partial(_in_base64, before) for before in range(3)},
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("canary", ALL, ids=lambda canary: canary.name)
def test_every_spelling_of_a_secret_is_found_and_told_from_the_others(
    canary: Canary, spell: Callable[[str], str]
) -> None:
    found = leaks(f"before {spell(canary.value)} behind", "here")
    assert {leak.canary for leak in found} == {canary.name}


def test_what_is_no_secret_is_none() -> None:
    assert leaks("password ops ocp_default eyJhbGciOiJSUzI1NiJ9 +12125550123 ***") == []


def test_secrets_are_found_in_names_and_within_compressed_files(tmp_path: Path) -> None:
    secret = ALL[0].value
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "notes.txt").write_text("nothing")
    (tmp_path / "deep" / "table.csv.gz").write_bytes(gzip.compress(secret.encode()))
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("sheet.xml", secret)
    pq.write_table(pa.table({"note": [secret] * 3}), tmp_path / "numbers.parquet", compression="zstd")
    (tmp_path / ALL[0].unit).touch()
    found = {leak.where for leak in leaks_below(tmp_path)}
    hidden = {"book.xlsx (sheet.xml)", "deep/table.csv.gz (unzipped)", "numbers.parquet (rows)"}
    assert found >= hidden | {f"the name {ALL[0].unit}"}
    assert not any("notes.txt" in where for where in found)
