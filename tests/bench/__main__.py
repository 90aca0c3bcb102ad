"""``make bench``: every benchmark in turn, or those named: ``make bench ONLY=dag_import``."""

from __future__ import annotations

import importlib
import sys

BENCHES = ("dag_import", "buying", "export", "export_history", "export_equality")


def main(names: list[str]) -> None:
    """Run the benchmarks ``names``, or all of them."""
    if unknown := sorted(set(names) - set(BENCHES)):
        sys.exit(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for name in names or BENCHES:
        importlib.import_module(f"bench.{name}").run()
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
