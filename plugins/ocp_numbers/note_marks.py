"""The marks that this package puts behind a person's note: a new text must neither lose nor invent them.

They say which order bought a number and since when it is unused; the truth about money is rebuilt from them.
"""

from __future__ import annotations

from ocp_numbers.cleanup.marks import marked_since, with_mark
from ocp_numbers.errors import InvalidInput, shown


def with_marks_of(old: str | None, new: str, *, field: str = "note") -> str:
    """``new`` with those marks of ``old`` behind it that it does not hold itself.

    :raises InvalidInput: when ``new`` holds the stamp of an order that ``old`` does not.
    """
    from ocp_numbers.ordering.stamps import stamps_in  # late: only a running task needs the ordering room

    own, given = stamps_in(old), stamps_in(new)
    invented = [stamp for stamp in given if stamp not in own]
    if invented:
        raise InvalidInput(
            f"{field}: {shown(invented)} is the stamp of an order that did not buy this number; remove it"
        )
    text = " ".join([*([new] if new else []), *(stamp for stamp in own if stamp not in given)])
    since = marked_since(old)
    return text if since is None else with_mark(text, since)
