"""What a user would write or install instead of this project's export, each as a program of its own.

Every program is a template with the fields of :class:`Task`, reads all pages of the listing from a server and ends with
a check that it has all rows. To the extent that they can, they do the same: rows validated against the model, a CSV
compressed at the fastest level or a Parquet file. None reads twice, so none can tell whether what it wrote was ever so.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.measure import BASE, PROJECT, python

ENVIRONMENT = PROJECT / ".bench"
REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")

_OURS = """
import datetime, tempfile
from ocp_numbers.client import ClientSettings, OcpClient
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import Scope
from ocp_numbers.inventory.export import Export
from ocp_numbers.inventory.source import ClientSource
settings = ClientSettings(host="{host}", login="bench", password="bench", max_concurrency={connections})
with OcpClient(settings) as client, tempfile.TemporaryDirectory() as folder:
    snapshot = Export(
        source=ClientSource(lambda: client), root=DataRoot(folder), scope=Scope(environment="bench"),
        day=datetime.date(2026, 1, 1), holder="bench", concurrency={connections},
    ).run()
assert snapshot.rows == {rows}
"""

_BY_PAGE = """
import csv, gzip, tempfile
import requests
from ocp_numbers.models import Page, PhoneNumber
read, page, rows = Page[PhoneNumber].model_validate_json, 1, 0
with requests.Session() as session, tempfile.TemporaryFile() as file, gzip.open(file, "wt", compresslevel=1) as text:
    writer = csv.writer(text)
    writer.writerow(PhoneNumber.model_fields)
    while True:
        query = {{"page": page, "pageSize": {page_size}, "orderBy": "number"}}
        answer = read(session.get("{host}/integrations/api/numbers", params=query).content)
        writer.writerows(tuple(vars(number).values()) for number in answer.items)
        rows, page = rows + len(answer.items), page + 1
        if page > answer.number_of_pages:
            break
assert rows == {rows}
"""

_BY_ROW = """
import csv, gzip, tempfile
import requests
from ocp_numbers.models import PhoneNumber
page, rows = 1, 0
with requests.Session() as session, tempfile.TemporaryFile() as file, gzip.open(file, "wt", compresslevel=1) as text:
    writer = csv.DictWriter(text, PhoneNumber.model_fields)
    writer.writeheader()
    while True:
        query = {{"page": page, "pageSize": {page_size}, "orderBy": "number"}}
        answer = session.get("{host}/integrations/api/numbers", params=query).json()
        for row in answer["numbers"]:
            writer.writerow(PhoneNumber.model_validate(row).model_dump())
        rows, page = rows + len(answer["numbers"]), page + 1
        if page > answer["numberOfPages"]:
            break
assert rows == {rows}
"""

_HTTP_OPERATOR = """
import csv, gzip, os, tempfile
from airflow.providers.http.operators.http import HttpOperator
os.environ["AIRFLOW_CONN_BENCH"] = "{host}"
def following(answer):
    page = answer.json()
    if page["page"] < page["numberOfPages"]:
        return {{"data": {{"page": page["page"] + 1, "pageSize": {page_size}, "orderBy": "number"}}}}
rows = HttpOperator(
    task_id="export", http_conn_id="bench", method="GET", endpoint="integrations/api/numbers",
    data={{"page": 1, "pageSize": {page_size}, "orderBy": "number"}}, pagination_function=following,
    response_filter=lambda answers: [row for answer in answers for row in answer.json()["numbers"]],
).execute({{}})
with tempfile.TemporaryFile() as file, gzip.open(file, "wt", compresslevel=1) as text:
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
assert len(rows) == {rows}
"""

_FLOOR = """
import requests
from concurrent.futures import ThreadPoolExecutor
with requests.Session() as session, ThreadPoolExecutor({connections}) as pool:
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize={connections}))
    url = "{host}/integrations/api/numbers?pageSize={page_size}&orderBy=number&page="
    size = sum(len(body) for body in pool.map(lambda page: session.get(url + str(page)).content, range(1, {pages} + 1)))
assert size > {rows}
"""

_DLT = """
import os, tempfile
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from dlt.sources.rest_api import rest_api_source
from pydantic import BaseModel, Field
class Number(BaseModel):
    number: str = Field(pattern=r"^\\+[1-9][0-9]{{6,14}}$")
    country: str | None
    groupId: str | None
    miniAppId: str | None
    miniAppName: str | None
    miniAppType: str | None
    miniAppDiamantAppName: str | None
    miniAppGroup: str | None
    locale: str | None
    note: str | None
    applicationTag: str | None
    phoneNumbersSetId: str | None
    phoneNumbersSetName: str | None
source = rest_api_source({{
    "client": {{
        "base_url": "{host}/integrations/api/",
        "paginator": {{"type": "page_number", "base_page": 1, "page_param": "page", "total_path": "numberOfPages"}},
    }},
    "resources": [{{
        "name": "numbers",
        "columns": Number,
        "endpoint": {{
            "path": "numbers", "params": {{"pageSize": {page_size}, "orderBy": "number"}}, "data_selector": "numbers",
        }},
    }}],
}})
with tempfile.TemporaryDirectory() as folder:
    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.filesystem(bucket_url=folder + "/out"), dataset_name="bench",
        pipelines_dir=folder + "/work",
    )
    pipeline.run(source, loader_file_format="parquet")
    assert pipeline.last_trace.last_normalize_info.row_counts["numbers"] == {rows}
"""

_DUCKDB = """
import duckdb, duckdb_extension_httpfs, tempfile
from pathlib import Path
(extension,) = Path(duckdb_extension_httpfs.__path__[0]).rglob("httpfs.duckdb_extension")
listing = "{host}/integrations/api/numbers?pageSize={page_size}&orderBy=number&page="
urls = [listing + str(page) for page in range(1, {pages} + 1)]
with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
    database.execute(f"load '{{extension}}'")
    database.execute("set force_download = true")
    database.execute(
        f"copy (select unnest(numbers, recursive := true) from read_json({{urls}})) to '{{folder}}/numbers.parquet' "
        "(format parquet, compression zstd)"
    )
    ((rows,),) = database.execute(f"select count(*) from '{{folder}}/numbers.parquet'").fetchall()
assert rows == {rows}
"""


@dataclass(frozen=True)
class Task:
    """What is to be read, and how many requests may be under way at once.

    :param page_size: numbers a page for those that need to be told; this export finds out by itself.
    """

    host: str
    rows: int
    page_size: int
    connections: int

    @property
    def pages(self) -> int:
        """Pages in all."""
        return -(-self.rows // self.page_size)


@dataclass(frozen=True)
class Way:
    """One way to export.

    :param template: the program.
    :param does: what it does, in a few words.
    :param ours: whether it runs in this project's environment, measured over :data:`BASE`, or in that of the others.
    :param validates: whether it checks every row.
    """

    name: str
    template: str
    does: str
    ours: bool = True
    validates: bool = False

    def command(self, task: Task) -> list[str]:
        """The command line."""
        code = self.template.format(**asdict(task), pages=task.pages)
        return python(code, after=BASE) if self.ours else [str(ENVIRONMENT / "bin" / "python"), "-c", code]


THIS = Way("this export", _OURS, "twice; Parquet, CSV, report, manifest", validates=True)
FLOOR = Way("pages, downloaded", _FLOOR, "once, thrown away")
BY_PAGE = Way("requests, pydantic by page", _BY_PAGE, "once; CSV", validates=True)
BY_ROW = Way("requests, pydantic by row", _BY_ROW, "once; CSV", validates=True)
HTTP_OPERATOR = Way("HttpOperator", _HTTP_OPERATOR, "once; CSV, not validated")
DLT = Way("dlt rest_api", _DLT, "once; Parquet", ours=False, validates=True)
DUCKDB = Way("DuckDB httpfs", _DUCKDB, "once; Parquet, not validated", ours=False)


def prepare() -> None:
    """Make the environment of the others, unless it is there."""
    if (ENVIRONMENT / "complete").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    install = [
        str(ENVIRONMENT / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--requirement",
        str(REQUIREMENTS),
    ]
    subprocess.run(install, check=True)
    (ENVIRONMENT / "complete").touch()
