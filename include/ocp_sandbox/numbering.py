"""Telephone numbers: the plan that believable ones are drawn from, and how they are ordered."""

from __future__ import annotations

import re
from typing import NamedTuple

E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_LONGEST = 15


class Area(NamedTuple):
    """A numbering area: numbers are ``prefix`` followed by ``low`` up to ``low + span``."""

    country: str
    prefix: str
    low: int
    span: int
    locality: str
    region: str


def _north_american(country: str, places: str) -> list[Area]:
    cut = [place.split(maxsplit=2) for place in places.split(",")]
    return [Area(country, f"+1{code}", 2_000_000, 8_000_000, city, region) for code, region, city in cut]


AREAS: tuple[Area, ...] = (
    *_north_american(
        "US",
        "212 NY New York,201 NJ Jersey City,206 WA Seattle,305 FL Miami,312 IL Chicago,404 GA Atlanta,"
        "415 CA San Francisco,512 TX Austin,617 MA Boston",
    ),
    *_north_american("CA", "403 AB Calgary,416 ON Toronto,514 QC Montreal,604 BC Vancouver"),
    Area("GB", "+4420", 70_000_000, 20_000_000, "London", "England"),
    Area("GB", "+44121", 2_000_000, 6_000_000, "Birmingham", "England"),
    Area("GB", "+44131", 2_000_000, 6_000_000, "Edinburgh", "Scotland"),
    Area("GB", "+44161", 2_000_000, 6_000_000, "Manchester", "England"),
    Area("DE", "+4930", 20_000_000, 70_000_000, "Berlin", "Berlin"),
    Area("DE", "+4940", 20_000_000, 70_000_000, "Hamburg", "Hamburg"),
    Area("DE", "+4969", 20_000_000, 70_000_000, "Frankfurt am Main", "Hessen"),
    Area("DE", "+4989", 20_000_000, 70_000_000, "München", "Bayern"),
    Area("FR", "+331", 40_000_000, 20_000_000, "Paris", "Île-de-France"),
    Area("FR", "+334", 72_000_000, 8_000_000, "Lyon", "Auvergne-Rhône-Alpes"),
    Area("GR", "+30210", 2_000_000, 8_000_000, "Athina", "Attiki"),
    Area("GR", "+302310", 200_000, 800_000, "Thessaloniki", "Kentriki Makedonia"),
    Area("ES", "+3491", 2_000_000, 6_000_000, "Madrid", "Comunidad de Madrid"),
    Area("ES", "+3493", 2_000_000, 6_000_000, "Barcelona", "Catalunya"),
    Area("PL", "+4812", 2_000_000, 7_000_000, "Kraków", "Małopolskie"),
    Area("PL", "+4822", 2_000_000, 7_000_000, "Warszawa", "Mazowieckie"),
    Area("UA", "+38032", 2_000_000, 7_000_000, "Lviv", "Lvivska oblast"),
    Area("UA", "+38044", 2_000_000, 7_000_000, "Kyiv", "Kyiv"),
    Area("AU", "+612", 90_000_000, 9_000_000, "Sydney", "NSW"),
    Area("AU", "+613", 90_000_000, 9_000_000, "Melbourne", "VIC"),
    Area("BR", "+5511", 30_000_000, 10_000_000, "São Paulo", "SP"),
    Area("BR", "+5521", 30_000_000, 10_000_000, "Rio de Janeiro", "RJ"),
)
LOCALES = {
    "AU": "en-AU",
    "BR": "pt-BR",
    "CA": "en-CA",
    "DE": "de-DE",
    "ES": "es-ES",
    "FR": "fr-FR",
    "GB": "en-GB",
    "GR": "el-GR",
    "PL": "pl-PL",
    "UA": "uk-UA",
    "US": "en-US",
}
_CALLING_CODES = {
    "+1": "US",
    "+30": "GR",
    "+33": "FR",
    "+34": "ES",
    "+380": "UA",
    "+44": "GB",
    "+48": "PL",
    "+49": "DE",
    "+55": "BR",
    "+61": "AU",
}
_COUNTRIES = _CALLING_CODES | {area.prefix: area.country for area in AREAS}


def country_of(number: str) -> str | None:
    """The country that an E.164 number belongs to, by its longest known prefix; ``None`` for an unknown one."""
    prefixes = (number[:length] for length in range(len(number), 1, -1))
    return next((_COUNTRIES[prefix] for prefix in prefixes if prefix in _COUNTRIES), None)


def key_of(number: str) -> int:
    """An integer for an E.164 number, such that integers stand in the same order as the numbers do as text."""
    digits = number[1:]
    return int(digits.ljust(_LONGEST, "0")) * 16 + len(digits)
