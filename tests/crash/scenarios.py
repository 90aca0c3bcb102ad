"""The scenarios that ``make prove`` goes through."""

from __future__ import annotations

from .buying import buying
from .changing import changing
from .cleaning import cleaning
from .exporting import exporting
from .provisioning import provisioning
from .two_regions import two_regions

SCENARIOS = {
    "buy": buying,
    "export": exporting,
    "provision": provisioning,
    "two-regions": two_regions,
    "cleanup": cleaning,
    "bulk": changing,
}
"""What makes each, by its name."""
