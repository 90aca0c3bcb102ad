"""Closing the books of a night, before its snapshot is published: its balance, among its files."""

from __future__ import annotations

import logging
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import BinaryIO

from ocp_numbers.balance.account import BALANCE, FINDINGS, Balance, Table
from ocp_numbers.balance.checking import Night, check
from ocp_numbers.balance.records import Records
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory.changes import CHANGES, numbers_in
from ocp_numbers.inventory.manifest import File, Manifest
from ocp_numbers.inventory.sink import Sink
from ocp_numbers.inventory.snapshot import load, partition_of
from ocp_numbers.inventory.writer import PARQUET, REJECTS

log = logging.getLogger(__name__)


def close_books(root: DataRoot, staging: str, manifest: Manifest) -> tuple[Manifest, Balance | None]:
    """The manifest with the balance of what lies in ``staging``; none where it is of some numbers only."""
    if not manifest.scope.whole:
        return manifest, None
    night = _night(root, manifest)
    records = Records.since(night.looks_back_to, root=root, environment=night.environment)
    table = Table()
    with ExitStack() as opened:

        def file(name: str) -> BinaryIO:
            return opened.enter_context(root.path(f"{staging}/{name}").open("rb"))

        balance = check(
            night,
            records,
            numbers=file(PARQUET),
            changes=file(CHANGES) if night.since else None,
            unsure=numbers_in(file(REJECTS)),
            tell=table.add,
        )
    log.log(logging.WARNING if balance.findings else logging.INFO, "%s", balance.summary)
    documents = {BALANCE: balance.document()} | ({FINDINGS: table.document()} if balance.findings else {})
    files = manifest.files | {name: _written(root, staging, name, content) for name, content in documents.items()}
    return manifest.model_copy(update={"files": files, "balance": balance.verdict}), balance


def _written(root: DataRoot, staging: str, name: str, content: bytes) -> File:
    with closing(Sink(root.path(f"{staging}/{name}").open("wb"))) as sink:
        sink.write(content)
    return sink.file(name)


def _night(root: DataRoot, manifest: Manifest) -> Night:
    scope, proof = manifest.scope, manifest.proof
    night = Night(environment=scope.environment, until=manifest.date, rows=manifest.rows, began=proof.started)
    if manifest.changes is None:
        return night
    last = load(root, partition_of(scope.environment, manifest.changes.date))
    if last is None or last.digest != manifest.changes.digest or last.manifest.proof.started >= proof.started:
        return night
    return replace(night, since=last.date, before=last.rows, opened=last.manifest.proof.started)
