"""YAML of people is read as plain values, and refused in words where it is none, or too much of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ocp_numbers.errors import InvalidInput
from ocp_numbers.plain_yaml import LARGEST, read_yaml


def read(folder: Path, text: str) -> Any:
    path = folder / "wishes.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


def test_values_are_plain(tmp_path: Path) -> None:
    read_back = read(tmp_path, "a: 1\nb: [x, 2.5, true, null]\nc: {d: é}\n")
    assert read_back == {"a": 1, "b": ["x", 2.5, True, None], "c": {"d": "é"}}
    assert read(tmp_path, "# nothing yet\n") is None


def test_anchors_and_merged_fields_stand_for_what_they_name(tmp_path: Path) -> None:
    text = "usual: &usual {to: [a], retries: 2}\nall: &all\n  <<: *usual\n  retries: 3\nlate: *all\n"
    merged = {"to": ["a"], "retries": 3}
    assert read(tmp_path, text) == {"usual": {"to": ["a"], "retries": 2}, "all": merged, "late": merged}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "not readable as YAML"),
        ("a: 1\na: 2\n", "a: given more than once; keep one of the values"),
        ("a: &a [*a]\n", "refers to itself; write it out"),
        (f"a: &a [{'x,' * 100}]\nb: &b [{'*a,' * 100}]\nc: [*b, *b]\n", "more than 20,000 values"),
        ("[" * 5_000, "nested too deeply"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("a: 2001-99-99\n", "not readable as YAML"),
        ("a: !!timestamp soon\n", "not readable as YAML"),
        (f"a: {'9' * 5_000}\n", "not readable as YAML"),
        (f"a: {'x' * LARGEST}\n", "is larger than 262,144 bytes"),
    ],
)
def test_what_is_none_or_too_much_is_refused_by_its_file_and_reason(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"^wishes\.yaml: ") as refused:
        read(tmp_path, text)
    assert why in str(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "wishes.yaml").write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(InvalidInput, match=r"wishes\.yaml: not readable as YAML: .*utf-8"):
        read_yaml(tmp_path / "wishes.yaml")
