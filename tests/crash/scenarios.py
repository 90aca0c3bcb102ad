"""The scenarios that ``make prove`` goes through."""

from __future__ import annotations

from .buying import buying
from .provisioning import provisioning

SCENARIOS = {"buy": buying, "provision": provisioning}
"""What makes each, by its name."""
