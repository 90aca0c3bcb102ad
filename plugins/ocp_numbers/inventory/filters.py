"""Which numbers of an environment a snapshot is of: those that the platform finds for a search, and no others.

The platform's search is asked for as little as it offers: groups, and texts in six fields. Whether it did search is
then seen in what came, for a search that ignores a field answers with numbers of the whole environment.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, quoted, shown
from ocp_numbers.models import check_locale, check_text

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = ("locale", "mini_app_name", "mini_app_type", "note", "number", "set_id")
"""What ``POST /api/numbers/search`` can search beside groups; each is a column of the export, too."""

_WHOLE = ("set_id",)
"""Fields that are asked for as a whole. In the others a text may stand anywhere, and ``%`` in it is any text."""

_MARKS = r"\p{Mn}+"


def check_filters(given: Mapping[str, str | None], *, field: str = "filters") -> dict[str, str]:
    """Those of ``given`` that say something, in the order of their names; blank ones are as good as left out.

    :raises InvalidInput: naming what cannot be searched, or would find everything.
    """
    unknown = sorted(given.keys() - set(FIELDS))
    problems = []
    if unknown:
        problems.append(
            f"{field}: the platform cannot search by {shown(unknown)}; choose among groups, {', '.join(FIELDS)}, or "
            f"export the whole inventory and filter what comes of it"
        )
    asked = {name: text for name in FIELDS if (text := given.get(name)) not in (None, "")}
    for name, text in asked.items():
        try:
            check = check_locale if name == "locale" else check_text
            if not check(text, field=f"{field}, {name}").strip("%"):
                problems.append(f"{field}, {name}: {text!r} finds every number; leave it out")
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return asked


def check_found(rows: pa.RecordBatch, groups: Sequence[str], filters: Mapping[str, str]) -> None:
    """Make sure that ``rows``, columns of an export, are what was searched for.

    :raises IncompleteSnapshot: naming a number that is not.
    """
    import pyarrow.compute as pc

    from ocp_numbers.arrays import texts

    if groups:
        _expect(rows, pc.is_in(rows["group_id"], value_set=texts(sorted(groups))), "group_id", "groups")
    for name, text in filters.items():
        if name in _WHOLE:
            fits = pc.equal(rows[name], text)
        else:
            plain = pc.replace_substring_regex(pc.utf8_normalize(rows[name], "NFKD"), _MARKS, "")
            fits = pc.match_substring_regex(plain, _pattern(text), ignore_case=True)
        _expect(rows, pc.fill_null(fits, False), name, name)


def _pattern(text: str) -> str:
    """What ``text`` may look like where databases find it: in capitals or not, with accents or without."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if unicodedata.category(each) != "Mn")
    return "(?s)" + ".*".join(map(re.escape, plain.split("%")))


def _expect(rows: pa.RecordBatch, fits: pa.BooleanArray, column: str, asked: str) -> None:
    import pyarrow.compute as pc

    place = pc.index(fits, False).as_py()
    if place >= 0:
        raise IncompleteSnapshot(
            f"The platform was asked for some numbers by {asked}, and gave {rows['number'][place]} too, whose {column} "
            f"is {quoted(rows[column][place].as_py())}; nothing was published. It does not search as it should, or "
            f"knows what was asked for by another name: compare with the column {column} of a whole export"
        )
