"""Arrays made of Python values are those that pyarrow makes of them."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocp_numbers.arrays import texts, whole_numbers

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(TEXTS | st.sampled_from(["", "\0", "a\0b", "\1\2\3", "é", "😀"]), max_size=20))
@settings(deadline=None)
def test_texts_are_as_pyarrow_makes_them(values: list[str | None]) -> None:
    made = texts(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))
    assert (made.null_count, made.to_pylist()) == (values.count(None), values)


def test_a_text_that_is_not_valid_unicode_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        texts(["a", "half \ud83d"])


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64()])
@pytest.mark.parametrize("values", [(), (3, 1, 2), range(100)])
def test_whole_numbers_are_as_pyarrow_makes_them(values: tuple[int, ...] | range, kind: pa.DataType) -> None:
    made = whole_numbers(values, kind)
    made.validate(full=True)
    assert made.equals(pa.array(list(values), kind))


def test_nothing_of_pandas_is_imported() -> None:
    program = """
import sys, pyarrow
from ocp_numbers.arrays import texts
from ocp_numbers.inventory.derived import derive
from ocp_numbers.inventory.schema import decode
row = b'{"number": "+12125550123", "note": null}'
page = decode(b'{"numbers": [%s], "page": 1, "numberOfPages": 1, "allNumbers": 1}' % row)
texts([]), texts([None]), texts(["", None, "a"])
derive(page.batch["number"])
assert page.rejects == () and "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
