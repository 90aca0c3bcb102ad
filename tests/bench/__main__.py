"""``make bench``: every benchmark in turn, or those named: ``make bench ONLY=dag_import``.

``--full`` measures the export's competitors at a million numbers, too: ``make bench ONLY="export --full"``.
"""

from __future__ import annotations

import importlib
import sys

BENCHES = ("dag_import", "buying", "export", "export_history", "export_equality", "bulk", "dashboard")
FULL = "--full"


def main(arguments: list[str]) -> None:
    """Run the benchmarks named in ``arguments``, or all of them."""
    names = [argument for argument in arguments if argument != FULL]
    if unknown := sorted(set(names) - set(BENCHES)):
        sys.exit(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for name in names or BENCHES:
        options = {"full": True} if name == "export" and FULL in arguments else {}
        importlib.import_module(f"bench.{name}").run(**options)
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
