"""What a number says by itself: its country, whether its numbering plan knows it, and its type.

The plans and their rules are those of ``phonenumbers``, applied to whole columns instead of number by number, which
would cost more than all the rest of an export. The answers are its own for every number that it takes as it stands;
one that it would rewrite first, such as ``+4402079460000`` with its trunk 0, is not valid here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ocp_numbers.arrays import texts, whole_numbers
from ocp_numbers.inventory.schema import SCHEMA

DERIVED = (
    pa.field("derived_country", pa.string()),
    pa.field("valid", pa.bool_()),
    pa.field("number_type", pa.string()),
)
"""The country's two letters, ``null`` where the number has none; and the type, ``null`` where it is not valid."""

EXPORTED = pa.schema([*SCHEMA, *DERIVED])
"""The platform's columns, and beside them what the number says by itself."""

_ANSWER = pa.struct(DERIVED)
_WORLD = "001"
_LONGEST_CODE = 3
_TYPES = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
"""Types in the order in which they are tried, ahead of fixed lines and mobiles."""
_NEVER = "x"
"""A pattern that no digits fit."""
_FIXED, _MOBILE, _EITHER = "fixed_line", "mobile", "fixed_line_or_mobile"


def derive(numbers: pa.Array) -> list[pa.Array]:
    """The columns of :data:`DERIVED` for E.164 ``numbers``."""
    codes = _calling_codes(numbers)
    places, answers = [], []
    for code in pc.unique(codes):
        found = pc.indices_nonzero(pc.equal(codes, code))
        places.append(found)
        answers.append(_of_one_code(_at(found, numbers), code.as_py()))
    return list(_in_place(places, answers, len(numbers)).flatten())


def _calling_codes(numbers: pa.Array) -> pa.Array:
    """The calling code of each number, an empty text where it begins with none."""
    starts = pc.dictionary_encode(pc.utf8_slice_codeunits(numbers, 1, 1 + _LONGEST_CODE))
    known = texts([_calling_code(start) for start in starts.dictionary.to_pylist()])
    return known.take(starts.indices)


def _calling_code(start: str) -> str:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    codes = (start[:length] for length in range(1, _LONGEST_CODE + 1))
    return next((code for code in codes if int(code) in COUNTRY_CODE_TO_REGION_CODE), "")


def _of_one_code(numbers: pa.Array, code: str) -> pa.Array:
    """The answers for numbers of one calling code, which several countries may share."""
    count = len(numbers)
    if not code:
        return _answers(None, pa.nulls(count, pa.string()))
    national = pc.utf8_slice_codeunits(numbers, 1 + len(code))
    plans = _plans(code)
    if len(plans) == 1:
        ((country, plan),) = plans
        return _answers(country, _types(national, plan))
    left = pc.indices_nonzero(pc.is_valid(national))
    places, answers = [], []
    for country, plan in plans:
        theirs = _at(left, national)
        types = _types(theirs, plan) if plan.leading_digits is None else None
        inside = pc.is_valid(types) if types is not None else _matches(theirs, f"^(?:{plan.leading_digits})")
        found = pc.indices_nonzero(inside)
        places.append(_at(found, left))
        answers.append(_answers(country, _at(found, types) if types is not None else _types(_at(found, theirs), plan)))
        left = left.filter(pc.invert(inside))
        if not len(left):
            break
    return _in_place([*places, left], [*answers, _answers(None, pa.nulls(len(left), pa.string()))], count)


def _answers(country: str | None, types: pa.Array) -> pa.Array:
    return pa.StructArray.from_arrays(
        [pa.repeat(texts([country])[0], len(types)), pc.is_valid(types), types], fields=list(DERIVED)
    )


def _in_place(places: list[pa.Array], answers: list[pa.Array], count: int) -> pa.Array:
    """One array of the ``answers``, each at its place among ``count``."""
    if not count:
        return pa.nulls(0, _ANSWER)
    for answer in answers:
        if len(answer) == count:
            return answer
    order = pc.sort_indices(pa.concat_arrays([pc.cast(place, pa.int64()) for place in places]))
    return pa.concat_arrays(answers).take(order)


def _at(places: pa.Array, values: pa.Array) -> pa.Array:
    """The ``values`` at ``places``, which ascend: all of them where there are as many, as most often."""
    return values if len(places) == len(values) else values.take(places)


@lru_cache
def _plans(code: str) -> list[tuple[str | None, Any]]:
    """The numbering plans of a calling code in the order in which they claim numbers, each with its country."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
    plans = [(region, PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)) for region in regions]
    return [(None if region == _WORLD else region, plan) for region, plan in plans if plan is not None]


def _types(national: pa.Array, plan: Any) -> pa.Array:
    """The type of each national number in ``plan``; ``null`` where it does not fit in.

    Few numbers are special, and one look for all special types at once tells which.
    """
    special = _matches(national, _special(plan))
    if not special.true_count:
        return _types_among(national, plan, ())
    places = [pc.indices_nonzero(inside) for inside in (special, pc.invert(special))]
    types = [_types_among(_at(place, national), plan, kinds) for place, kinds in zip(places, (_TYPES, ()), strict=True)]
    return _in_place(places, types, len(national))


def _special(plan: Any) -> str:
    patterns = (_pattern(plan, kind) for kind in _TYPES)
    return f"^(?:{'|'.join(pattern for pattern in patterns if pattern) or _NEVER})$"


def _pattern(plan: Any, kind: str) -> str | None:
    """What numbers of a type look like, without their lengths."""
    rule = getattr(plan, kind)
    return rule.national_number_pattern if rule is not None else None


def _types_among(national: pa.Array, plan: Any, kinds: Sequence[str]) -> pa.Array:
    """The type of each national number, for those that are of ``kinds``, fixed or mobile."""
    lengths = pc.binary_length(national)

    def fits(kind: str) -> pa.Array:
        pattern = _pattern(plan, kind)
        if pattern is None:
            return pc.is_null(national)  # false for each of them
        right = _matches(national, f"^(?:{pattern})$")
        possible = whole_numbers(getattr(plan, kind).possible_length, lengths.type)
        return pc.and_(right, pc.is_in(lengths, value_set=possible)) if len(possible) else right

    fixed = fits(_FIXED)
    mobile = fixed if plan.same_mobile_and_fixed_line_pattern else fits(_MOBILE)
    rules = {
        **{kind: fits(kind) for kind in kinds},
        _EITHER: pc.and_(fixed, mobile),
        _FIXED: fixed,
        _MOBILE: mobile,
    }
    found = pc.case_when(pc.make_struct(*rules.values(), field_names=list(rules)), *texts(list(rules)))
    return pc.if_else(fits("general_desc"), found, texts([None])[0])


def _matches(values: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(values, pattern)
