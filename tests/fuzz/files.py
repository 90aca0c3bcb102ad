"""Parsers of what people give: tables of changes, YAML, parameters, arguments, addresses."""

from __future__ import annotations

import atexit
import base64
import contextlib
import io
import json
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from openpyxl import Workbook

from fuzz.hostile import DIGITS, MARK, mangled, spoilt, table, text, value
from fuzz.promise import Parser
from ocp_numbers.bulk.rows import Columns, read_rows
from ocp_numbers.bulk.table import bytes_of, open_table
from ocp_numbers.cleanup.marks import kept, marked_since, with_mark, without_mark
from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.client.settings import ClientSettings
from ocp_numbers.commands.main import main
from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.errors import InvalidInput
from ocp_numbers.note_marks import with_marks_of
from ocp_numbers.notifications.routes import read_routes
from ocp_numbers.operators import rendered
from ocp_numbers.ordering.stamps import check_note, stamps_in
from ocp_numbers.regions.declared import read_region
from ocp_numbers.regions.spec import RegionSpec
from regions.examples import PARAMETERS

HEADER = ("OPERATION", "NUMBER", "GROUP_ID", "LOCALE", "NOTE", "MINIAPP_ID", "PROVIDER")
REGION: dict[str, Any] = {
    **PARAMETERS,
    "note": "front desk",
    "allow_reassign": ["+12125550123"],
    "require_approval": True,
    "dry_run": False,
}
POLICY = {
    "groups": ["a"],
    "protect": ["note:*vip*"],
    "grace_days": 30,
    "max_release": 50,
    "max_release_percent": 1.5,
    "dry_run": True,
}
ROUTES = {"all": [{"notifier": "airflow.providers.standard.x.Y", "text": "{{ event.message }}"}], "late_nightly": []}


_CELLS = {
    "OPERATION": ("Update", "attach", "DETACH", "Delete", "Create"),
    "NUMBER": ("+12125550123", "+12125550124", "12125550123", "1.2E+11", "9" * 300, "1E999999999", "1e-999999999"),
    "LOCALE": ("en-US", ""),
}


def _cell(rng: Random, name: str) -> str:
    return rng.choice(_CELLS.get(name, ("", "x", "<empty>"))) if rng.random() < 0.85 else text(rng)


def read_table(content: bytes) -> list[object]:
    """The rows of a table as the planning of a bulk change reads them."""
    with open_table(io.BytesIO(content), is_header=Columns.are_in, name="upload") as table:
        columns = Columns(table.header)
        columns.check()
        return list(read_rows(table, columns))


_INSERTED = (b"&x;", b"<", b"]]>", b"<c/>" * 50, b"\xff")
_OLD = (b'r="', b'="1"', b't="', b"A1", b"sheet1", b"<v>", b"count", b"s=", b"rId1", b"General")
_NEW = (b'r="-', b'="999999999999"', b'r="ZZZZZZ9', b't="d', b"../../x", b"", b"<v>1e999", b"A0", DIGITS.encode())
_BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'


def workbook(rng: Random) -> bytes:
    """A workbook whose parts may have been tampered with."""
    tampered = dict(parts())
    for _ in range(rng.randrange(4)):
        name = rng.choice(sorted(tampered))
        content, what = tampered[name], rng.randrange(7)
        at = rng.randrange(len(content) + 1)
        if what == 0:
            del tampered[name]
        elif what == 1:
            tampered[name] = content[:at]
        elif what == 2:
            tampered[name] = content[:at] + rng.choice(_INSERTED) + content[at:]
        elif what == 3:
            tampered[name] = content.replace(b"?>", b"?>" + _BOMB, 1).replace(b"</t>", b"&x;&b;</t>", 1)
        else:
            tampered[name] = content.replace(rng.choice(_OLD), rng.choice(_NEW), rng.randrange(1, 4))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in tampered.items():
            book.writestr(name, content)
    return mangled(rng, packed.getvalue())


@cache
def parts() -> tuple[tuple[str, bytes], ...]:
    """The parts of a small workbook that is right."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        HEADER,
        ("Update", "+12125550123", "us", "en-US", "=1+1", None, True),
        ("Detach", 12125550124, 1.5, "x"),
    ):
        sheet.append(row)
    sheet.merge_cells("B3:C3")
    written = io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as packed:
        return tuple((part, packed.read(part)) for part in packed.namelist())


def _pasted(text: str) -> object:
    return read_table(bytes_of(text, name="upload"))


_ODD_YAML = (
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
    "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nallow_reassign: [*g,*g,*g,*g,*g]\nprotect: *g\nall: *g\n",
    "a: &a {x: 1}\nb: &b {<<: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]}\nc: {<<: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]}\n",
    "all: &a [*a]\n",
    "protect: &a\n  - *a\n",
    "all:\n- notifier: x.Y\n  p: &p {q: *p}\n",
    f"group: !!python/object/apply:os.system ['touch {MARK}']\n",
    "group: !!python/name:os.system\n",
    "[" * 5_000,
    "{a: " * 5_000,
    "- " * 5_000,
    "quantity: " + DIGITS + "\n",
    "quantity: 2001-99-99\n",
    "quantity: 0x" + "f" * 9_000 + "\n",
    "quantity: 1:99:99:99\n",
    "quantity: 9" + ":59" * 3_000 + ".5\n",
    "quantity: !!binary '%%%'\n",
    "quantity: !!int 'abc'\n",
    "quantity: !!float 'abc'\n",
    "quantity: !!timestamp 'abc'\n",
    "quantity: !!set {a, b}\n",
    "quantity: !!omap [a: 1, b]\n",
    "? [a, b]\n: 1\n? {c: d}\n: 2\n",
    "? &k [*k]\n: 1\n",
    "group: a\ngroup: b\n",
    "".join(f"k{place}: 1\n" for place in range(2_000)),
    "--- a\n--- b\n",
    "%YAML 9.9\n---\na\n",
    "a: *nowhere\n",
    "\ud800: 1\n",
    'note: "\\ud800"\n',
    "group: \x07\n",
    "max_unit_price: 1e999999999\n",
    "max_unit_price: '1e999999999'\n",
    "max_unit_price: .nan\n",
    "max_release_percent: 1e-9999\n",
    "max_release_percent: '1e-999999999'\n",
)


def yaml_file(rng: Random, document: dict[str, Any]) -> bytes:
    """What may stand in a file in the place of ``document``."""
    what = rng.random()
    if what < 0.2:
        return mangled(rng, rng.choice(_ODD_YAML).encode("utf-8", "surrogatepass"))
    wish = spoilt(rng, document)
    if what < 0.6 or not isinstance(wish, dict):
        written = json.dumps(wish, ensure_ascii=False)  # JSON is YAML as well
    else:
        written = "\n".join(f"{name}: {each}" for name, each in wish.items())
    return mangled(rng, written.encode("utf-8", "surrogatepass"))


@cache
def folder() -> Path:
    """A folder of this process, removed at its end."""
    made = Path(tempfile.mkdtemp(prefix="fuzz-files-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _file(content: bytes) -> Path:
    path = folder() / "given.yaml"
    path.write_bytes(content)
    return path


def _policy(given: tuple[bytes, dict[str, Any]]) -> object:
    content, overrides = given
    policy = CleanupPolicy.load(_file(content), overrides)
    policy.model_dump_json().encode()
    return policy


def _region(wish: Any) -> object:
    if not isinstance(wish, dict):
        return None
    spec = RegionSpec.parse(wish)
    assert RegionSpec.parse(spec.parameters).region == spec.region
    return spec


_READERS = {
    "numbers": rendered.numbers,
    "number": rendered.number,
    "names": rendered.names,
    "text": rendered.text,
    "any_text": rendered.any_text,
    "locale": rendered.locale,
    "prefix": rendered.prefix,
    "country_code": rendered.country_code,
    "flag": rendered.flag,
    "count": rendered.count,
    "amount": rendered.amount,
    "mapping": rendered.mapping,
    "optional amount": rendered.optional(rendered.amount),
}
_RENDERED = (
    '["+12125550123"]',
    "[" * 100_000,
    '{"a":' * 100_000,
    DIGITS,
    "1e999999999",
    "1E-999999999",
    "-0",
    "sNaN",
    "\u0661\u0662",
    "None",
    "12.50",
    "true",
)


def _input(given: tuple[str, Any]) -> object:
    reader, value = given
    read = _READERS[reader](value, field="wish")
    assert len(str(read)) < 10 * len(str(value)) + 1_000
    if "amount" in reader and read is not None:
        assert len(f"{read:f}") < 100
    return read


def _marks(note: str) -> object:
    stamps_in(note)
    kept(note)
    since = marked_since(note)
    assert without_mark(without_mark(note)) == without_mark(note)
    if since:
        assert with_mark(note, since) == note
    text = with_marks_of("front [order 7f3a9c2e1b40] [unused since 2026-11-23]", note)
    return check_note(text[:200])


def _arguments(given: list[str]) -> object:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            code = main(given)
        except SystemExit as end:
            code = int(end.code or 0)
            given = []
    said = out.getvalue() + errors.getvalue()
    assert code in (0, 1, 2, 3, 4)
    assert not given or all(letter.isprintable() or letter == "\n" for letter in said), said[:300]
    if code:
        raise InvalidInput("refused")
    return said


_COMMANDS = ("orders", "balance", "plan", "nonsense")
_OPTIONS = (
    "--conn-id",
    "--open",
    "--json",
    "--verbose",
    "--",
    "-h",
    "/dev/zero",
    "/proc/self/mem",
    "/",
    "/nowhere",
    DIGITS,
)


def _words(rng: Random) -> list[str]:
    """A command that looks up no connection: that would ask Airflow's database, whose reading is not ours."""
    command = rng.choice(_COMMANDS)
    count = 1 if command == "plan" else rng.randrange(5)
    words = [rng.choice(_OPTIONS) if rng.random() < 0.5 else text(rng) for _ in range(count)]
    return [command, *(word.replace("\0", "") for word in words)]


def _settings(given: Any) -> object:
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        return None
    return ClientSettings(**given)


SETTINGS = {
    "host": "https://numbers.example",
    "login": "ops",
    "password": "open-sesame",
    "page_size": 500,
    "access": "paid",
}


def _key(text: str) -> object:
    root = DataRoot(folder())
    name = segment(text)
    place = root.path(f"orders/{name}.json")
    assert Path(str(place)).parent == folder() / "orders"
    assert len(name.encode()) < 200
    assert root.read(text) is None
    return name


def _policies(rng: Random) -> tuple[bytes, dict[str, Any]]:
    overrides = spoilt(rng, POLICY, {})
    return yaml_file(rng, POLICY), overrides if isinstance(overrides, dict) else {}


def _upload(rng: Random) -> str:
    return base64.b64encode(workbook(rng)).decode() if rng.random() < 0.8 else text(rng)


def _given(rng: Random) -> tuple[str, Any]:
    return rng.choice(sorted(_READERS)), rng.choice(_RENDERED) if rng.random() < 0.4 else value(rng)


PARSERS = (
    Parser("table of changes, CSV", lambda rng: table(rng, HEADER, _cell), read_table),
    Parser("table of changes, XLSX", workbook, read_table),
    Parser("table of changes, pasted", _upload, _pasted),
    Parser("declared region", lambda rng: yaml_file(rng, REGION), lambda content: read_region(_file(content))),
    Parser("cleanup policy", _policies, _policy),
    Parser("notifications", lambda rng: yaml_file(rng, ROUTES), lambda content: read_routes(_file(content))),
    Parser("region's parameters", lambda rng: spoilt(rng, REGION), _region),
    Parser("rendered input", _given, _input),
    Parser("connection", lambda rng: spoilt(rng, SETTINGS), _settings),
    Parser("note", text, _marks),
    Parser("key of the data root", text, _key),
    Parser("command line", _words, _arguments),
)
