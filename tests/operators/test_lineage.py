"""What an export tells OpenLineage, as Airflow's provider asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
from airflow.providers.openlineage.extractors.base import DefaultExtractor, OperatorLineage
from openlineage.client.serde import Serde

from ocp_numbers.data_root import DataRoot
from ocp_numbers.models import PhoneNumber
from ocp_numbers.operators import ExportNumbersOperator
from ocp_numbers.operators.lineage import named
from operators.test_export import context
from operators.world import Run, World

Lineage: TypeAlias = OperatorLineage[Any, Any]


@pytest.fixture
def exported(world: World, run: Run, tmp_path: Path) -> ExportNumbersOperator:
    operator = ExportNumbersOperator(task_id="export", data_root=DataRoot(tmp_path))
    run(operator, **context())
    return operator


@pytest.fixture
def lineage(exported: ExportNumbersOperator) -> Lineage:
    told = DefaultExtractor(exported).extract_on_complete(None)
    assert told is not None
    return told


def test_it_read_the_environment_at_the_platforms_host(world: World, lineage: Lineage) -> None:
    (read,) = lineage.inputs
    assert (read.namespace, read.name) == (f"ocp://{urlsplit(world.sandbox.url).netloc}", "ocp_default")
    assert read.inputFacets["inputStatistics"].rowCount == len(world.all())


def test_it_wrote_files_of_that_size_with_that_many_rows_in_those_columns(world: World, lineage: Lineage) -> None:
    written = {Path(each.name).name: each for each in lineage.outputs}
    assert {"numbers.parquet", "numbers.csv.gz"} <= written.keys()
    for name, output in written.items():
        assert output.namespace == "file"
        assert output.outputFacets["outputStatistics"].size == Path(output.name).stat().st_size
        is_table = name.startswith("numbers.")
        assert output.outputFacets["outputStatistics"].rowCount == (len(world.all()) if is_table else None)
        assert ("schema" in output.facets) == is_table
    columns = [column.name for column in written["numbers.parquet"].facets["schema"].fields]
    assert columns == list(PhoneNumber.model_fields)


def test_every_file_is_of_the_same_publication(lineage: Lineage) -> None:
    assert len({output.facets["version"].datasetVersion for output in lineage.outputs}) == 1


def test_all_of_it_can_be_sent(lineage: Lineage) -> None:
    assert all(Serde.to_json(dataset) for dataset in (*lineage.inputs, *lineage.outputs))


def test_an_export_that_published_nothing_tells_nothing() -> None:
    told = DefaultExtractor(ExportNumbersOperator(task_id="export")).extract_on_complete(None)
    assert told is None


def test_an_object_in_a_bucket_is_named_by_bucket_and_key() -> None:
    assert named("s3://bucket/ocp/inventory/numbers.parquet") == ("s3://bucket", "ocp/inventory/numbers.parquet")


def test_nothing_of_it_is_loaded_by_a_dag_file() -> None:
    program = "import sys, ocp_numbers.operators.export; print('openlineage.client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")
