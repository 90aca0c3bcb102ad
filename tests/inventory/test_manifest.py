"""A manifest reads back as it was written, tells publications apart, and takes nothing that it does not know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from inventory.estate import estate_of
from ocp_numbers.inventory import File, Manifest, Scope
from ocp_numbers.inventory.export import Export

ExportOf = Callable[..., Export]


@pytest.fixture
def manifest(export_of: ExportOf) -> Manifest:
    return export_of(estate_of(5)).run().manifest


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ({}, "eu"),
        ({"groups": ("retail",)}, "eu, group retail"),
        ({"groups": ("retail", "care")}, "eu, groups retail, care"),
        ({"filters": {"set_id": "s 1"}}, "eu, set id 's 1'"),
        ({"groups": ("retail",), "filters": {"note": "desk", "locale": "en-US"}},
         "eu, group retail, note 'desk', locale 'en-US'"),
    ],
)  # fmt: skip
def test_a_scope_names_itself_in_a_message(scope: dict[str, Any], says: str) -> None:
    assert str(Scope(environment="eu", **scope)) == says


def test_what_is_not_searched_by_is_no_scope() -> None:
    with pytest.raises(ValidationError, match="country"):
        Scope(environment="eu", filters={"country": "US"})


def test_a_manifest_reads_back_as_it_was_written(manifest: Manifest) -> None:
    document = manifest.document()
    assert Manifest.model_validate_json(document) == manifest
    assert document.endswith(b"}\n")


def test_a_field_of_a_later_version_is_not_passed_over(manifest: Manifest) -> None:
    with pytest.raises(ValidationError, match="compressed"):
        Manifest.model_validate(manifest.model_dump() | {"compressed": True})


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 6},
        {"files": {}},
        {"files": {"numbers.parquet": File(path="numbers.parquet", bytes=1, sha256="0")}},
        {"hidden": {"group-1": 3}},
    ],
)
def test_another_publication_has_another_digest(manifest: Manifest, change: dict[str, Any]) -> None:
    assert manifest.model_copy(update=change).digest != manifest.digest


def test_the_same_reading_at_another_time_is_another_publication(manifest: Manifest) -> None:
    later = manifest.proof.model_copy(update={"ended": manifest.proof.ended + timedelta(seconds=1)})
    assert manifest.model_copy(update={"proof": later}).digest != manifest.digest


def test_where_its_files_lie_while_it_is_published_makes_no_other_publication(manifest: Manifest) -> None:
    moved = {name: file.model_copy(update={"path": f".new-1/{file.path}"}) for name, file in manifest.files.items()}
    assert manifest.model_copy(update={"files": moved}).digest == manifest.digest
