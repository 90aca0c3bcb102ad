"""What the runs reported, added up against the sandbox: its ledger, its inventory, its sets, and the files on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import requests

Json = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """One comparison: what it found, in a sentence, and whether it is as it should be."""

    holds: bool
    sentence: str


@dataclass(frozen=True)
class Truth:
    """What the sandbox says of itself, beside the API."""

    ledger: Json
    numbers: dict[str, Json]
    sets: list[Json]

    @classmethod
    def of(cls, url: str) -> Truth:
        """Read it over HTTP."""

        def get(page: str) -> requests.Response:
            answer = requests.get(f"{url}/_sandbox/{page}", timeout=60)
            answer.raise_for_status()
            return answer

        rows = [json.loads(line) for line in get("numbers").text.splitlines() if line]
        return cls(get("ledger").json(), {row["number"]: row for row in rows}, get("sets").json())

    def since(self, before: Truth) -> Truth:
        """The same, with only those entries in the ledger that were not there ``before``."""
        known = {entry["seq"] for entry in before.ledger["entries"]}
        return replace(
            self, ledger={"entries": [entry for entry in self.ledger["entries"] if entry["seq"] not in known]}
        )

    @property
    def spent(self) -> Decimal:
        """What all purchases in the ledger cost."""
        return sum((Decimal(entry["price"]) for entry in self.entries("bought")), Decimal(0))

    def entries(self, kind: str) -> list[Json]:
        """Ledger entries of one kind: bought, released, added or deleted."""
        return [entry for entry in self.ledger["entries"] if entry["kind"] == kind]


def check_purchase(reported: Json, region: Json, truth: Truth) -> list[Check]:
    """The purchase of ``provision_region`` against the ledger; ``reported`` is what task ``buy`` returned."""
    bought = {entry["number"] for entry in truth.entries("bought")}
    spent = truth.spent
    same = bought == set(reported["numbers"]) and spent == Decimal(reported["spent"]) and len(bought) > 0
    budget = Decimal(region["max_total_price"])
    return [
        Check(same, f"bought {len(reported['numbers'])} numbers for {reported['spent']}; the ledger: "
                    f"{len(bought)} for {spent}"),
        Check(spent <= budget, f"spent {spent} of at most {budget}"),
    ]  # fmt: skip


def check_region(region: Json, truth: Truth) -> Check:
    """The set, its members and what they are attached to, as the sandbox holds them."""
    sets = [one for one in truth.sets if one["name"] == region["set_name"] and one["groupId"] == region["group"]]
    members = [row for row in truth.numbers.values() if sets and row["setId"] == sets[0]["id"]]
    wanted = (region["mini_app_id"], region["locale"])
    right = [row for row in members if (row["miniAppId"], row["locale"]) == wanted]
    return Check(
        len(sets) == 1 and len(right) == len(members) == region["quantity"],
        f"set {region['set_name']} holds {len(members)} numbers, {len(right)} of them attached to "
        f"{region['mini_app_id'].split('.')[1]} with {region['locale']}; wanted: {region['quantity']}",
    )


def check_no_op(reported: Json) -> Check:
    """A second provisioning of the same region bought nothing more."""
    return Check(not reported["numbers"], f"the same region provisioned again: bought {len(reported['numbers'])} more")


def check_snapshot(reported: Json, truth: Truth) -> list[Check]:
    """The exported files against the inventory as it was before anything was bought."""
    folder = Path(reported["path"])
    manifest = json.loads((folder / "manifest.json").read_text())
    bought = {entry["number"] for entry in truth.entries("bought")}
    exported = parquet.read_table(folder / "numbers.parquet", columns=["number"])["number"].to_pylist()
    before = sorted(set(truth.numbers) - bought)
    damaged = [name for name, sha256, size in _files(manifest) if _differs(folder / name, sha256, size)]
    names = ", ".join(name for name, _, _ in _files(manifest))
    return [
        Check(exported == before, f"exported {len(exported)} numbers; the sandbox had {len(before)}, the same ones"),
        Check(not damaged, f"files {names} are as their manifest says, in {folder}"),
    ]


def check_cleanup(reported: Json, taken_by: str, truth: Truth) -> list[Check]:
    """The dry run of the cleanup: what it found unused, and that it changed nothing.

    Its snapshot is older than the provisioning, which has put unused numbers into the set ``taken_by`` since.
    """
    counts = reported["counts"]
    bought = {entry["number"] for entry in truth.entries("bought")}
    unused = [n for n, row in truth.numbers.items() if not (row["miniAppId"] or row["setId"]) and n not in bought]
    taken = [n for n, row in truth.numbers.items() if row["setName"] == taken_by and n not in bought]
    found = counts["mark"] + counts["leave"]
    return [
        Check(
            found == len(unused) + len(taken),
            f"a cleanup would mark {counts['mark']} numbers as unused and leave {counts['leave']} protected ones; "
            f"the sandbox counts {len(unused) + len(taken)} unused",
        ),
        Check(
            not (truth.entries("released") or truth.entries("deleted")),
            f"the dry run gave up {len(truth.entries('released')) + len(truth.entries('deleted'))} numbers",
        ),
    ]


def _files(manifest: Json) -> Iterable[tuple[str, str, int]]:
    return [(entry["path"], entry["sha256"], entry["bytes"]) for _, entry in sorted(manifest["files"].items())]


def _differs(path: Path, sha256: str, size: int) -> bool:
    content = path.read_bytes()
    return len(content) != size or hashlib.sha256(content).hexdigest() != sha256
