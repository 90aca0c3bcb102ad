"""The inventory: exported every night, proven complete, published whole, and read back by everything that needs it.

Reading is here; writing is :class:`ocp_numbers.inventory.export.Export`, which is imported by who exports, as it brings
the columnar machinery along.
"""

from ocp_numbers.inventory.history import Period, history
from ocp_numbers.inventory.manifest import Comparison, Counts, File, Manifest, Proof, Scope
from ocp_numbers.inventory.snapshot import (
    CompleteSnapshot,
    as_of,
    dates,
    latest,
    load,
    partition_of,
    read_batches,
    read_number,
    read_rows,
)

__all__ = [
    "Comparison",
    "CompleteSnapshot",
    "Counts",
    "File",
    "Manifest",
    "Period",
    "Proof",
    "Scope",
    "as_of",
    "dates",
    "history",
    "latest",
    "load",
    "partition_of",
    "read_batches",
    "read_number",
    "read_rows",
]
