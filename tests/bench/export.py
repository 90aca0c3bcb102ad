"""What an export costs: this project's, beside what a user would write instead and the bare download of the pages.

The others read once, prove nothing and write a CSV; this one reads everything twice, and writes Parquet, CSV,
report and manifest.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.export_server import PAGE_SIZE
from bench.measure import PROJECT, alternate, python

ROWS = (10_000, 100_000, 200_000)
LATENCIES = (0.0, 0.05)
CONNECTIONS = 16

OURS = """
import airflow.sdk, datetime, tempfile
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

LOOP = """
import csv, gzip, tempfile
import airflow.sdk, requests
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

ROW_BY_ROW = """
import csv, gzip, tempfile
import airflow.sdk, requests
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

HTTP_OPERATOR = """
import csv, gzip, os, tempfile
import airflow.sdk
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

FLOOR = """
import airflow.sdk, requests
from concurrent.futures import ThreadPoolExecutor
with requests.Session() as session, ThreadPoolExecutor({connections}) as pool:
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize={connections}))
    url = "{host}/integrations/api/numbers?pageSize={page_size}&orderBy=number&page="
    size = sum(len(body) for body in pool.map(lambda page: session.get(url + str(page)).content, range(1, {pages} + 1)))
assert size > {rows}
"""

IDLE = "import airflow.sdk"


def run() -> None:
    """Print wall time, CPU time and peak memory of each way, for several sizes and latencies."""
    for latency in LATENCIES:
        for rows in ROWS:
            with server(rows, latency) as host:
                given = {
                    "host": host,
                    "rows": rows,
                    "page_size": PAGE_SIZE,
                    "pages": -(-rows // PAGE_SIZE),
                    "connections": CONNECTIONS,
                }
                ways = {
                    "import airflow.sdk": IDLE,
                    "pages, downloaded once": FLOOR,
                    "HttpOperator, not validated": HTTP_OPERATOR,
                    "requests, pydantic by row": ROW_BY_ROW,
                    "requests, pydantic by page": LOOP,
                    "this export": OURS,
                }
                figures = alternate({name: python(code.format(**given)) for name, code in ways.items()}, runs=3)
            idle, loop = figures["import airflow.sdk"], figures["requests, pydantic by row"]
            print(
                f"Export of {rows:,} numbers, {latency * 1000:.0f} ms latency, {CONNECTIONS} connections; medians of 3"
            )
            for name, figure in figures.items():
                cpu, of = figure.cpu - idle.cpu, loop.cpu - idle.cpu
                print(f"  {name:<27} {figure}   + {cpu:5.2f} s cpu   x {cpu / of:4.2f} of the loop's")


@contextmanager
def server(rows: int, latency: float) -> Iterator[str]:
    """The page server as a process of its own; its address."""
    command = [sys.executable, str(PROJECT / "tests" / "bench" / "export_server.py"), str(rows), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
