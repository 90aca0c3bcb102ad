"""What an export reads and writes, as OpenLineage tells it; only where Airflow's OpenLineage provider is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from ocp_numbers.inventory import CompleteSnapshot

TABLES = (".parquet", ".csv.gz", ".xlsx")
"""Files of a snapshot that hold its numbers, a row each, in the same columns."""


def of_export(snapshot: CompleteSnapshot, *, host: str) -> OperatorLineage[Any, Any]:
    """From the platform at ``host`` to the files of ``snapshot``: sizes, rows, columns, and which publication it is.

    The input is ``ocp://<host>``, ``<environment>``; the outputs are named as OpenLineage names files and objects.
    """
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
    from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet
    from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
    from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields

    from ocp_numbers.inventory.schema import SCHEMA

    manifest = snapshot.manifest
    columns = SchemaDatasetFacet(
        fields=[
            SchemaDatasetFacetFields(name=column.name, type=str(column.type), ordinal_position=position)
            for position, column in enumerate(SCHEMA, start=1)
        ]
    )
    version = DatasetVersionDatasetFacet(datasetVersion=snapshot.digest)
    outputs = []
    for file in manifest.files.values():
        is_table = file.path.endswith(TABLES) and file.path.startswith("numbers.")
        statistics = OutputStatisticsOutputDatasetFacet(rowCount=manifest.rows if is_table else None, size=file.bytes)
        namespace, name = named(str(snapshot.root.path(f"{snapshot.folder}/{file.path}")))
        outputs.append(
            OutputDataset(
                namespace,
                name,
                outputFacets={"outputStatistics": statistics},
                facets={"version": version, **({"schema": columns} if is_table else {})},
            )
        )
    read = InputDataset(
        f"ocp://{urlsplit(host).netloc}",
        snapshot.environment,
        inputFacets={"inputStatistics": InputStatisticsInputDatasetFacet(rowCount=manifest.proof.total)},
        facets={"schema": columns},
    )
    return OperatorLineage(inputs=[read], outputs=outputs)


def named(path: str) -> tuple[str, str]:
    """OpenLineage's namespace and name of a file or an object."""
    address = urlsplit(path)
    if address.scheme in ("", "file"):
        return "file", address.path
    return f"{address.scheme}://{address.netloc}", address.path.lstrip("/")
