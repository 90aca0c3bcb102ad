"""The data root in an object store: workers share nothing but the bucket, and a dead one's work is taken over."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import botocore.exceptions
import pytest

from cluster.stage import EXPORT, PROVISION, SLOW_PURCHASE, Stage, check_exact, exported, figure
from ocp_cluster.cluster import Cluster, free_ports
from ocp_cluster.packages import ensure

BUCKET = "ocp-numbers"
READY_WITHIN = 60.0


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """A server that speaks S3, with an empty bucket; the variables that lead to it."""
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    reached = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    try:
        _create_bucket(reached)
        yield reached
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def on_s3(bucket: dict[str, str]) -> Iterator[Stage]:
    ensure()
    settings = {"OCP_NUMBERS_DATA": f"s3://{BUCKET}/ocp", "HEARTBEAT_TIMEOUT": "30", "QUEUED_TIMEOUT": "30"}
    with Cluster(workers=2, settings=settings | bucket) as cluster:
        cluster.wait_until_healthy(print)
        yield Stage(cluster)


def test_the_jobs_succeed_and_a_worker_lost_in_buy_is_made_up_for(on_s3: Stage, bucket: dict[str, str]) -> None:
    before, region = on_s3.truth(), on_s3.region("on-s3", quantity=14)
    with on_s3.fault(**SLOW_PURCHASE):
        provision = on_s3.trigger(PROVISION, region)
        worker = on_s3.worker_at(provision, "buy")
        on_s3.when("a purchase is on its way", lambda: on_s3.fault_fired("PUT"))
        on_s3.cluster.kill(worker)
        killed = time.monotonic()
        on_s3.cluster.start(worker)
    on_s3.finish(provision)
    recovered = time.monotonic() - killed
    bought = check_exact(on_s3.result(provision, "buy"), before, on_s3.truth(), region)
    export = on_s3.trigger(EXPORT, {"ocp_conn_ids": ["ocp_default"]})
    seconds = on_s3.finish(export)
    folder = on_s3.result(export, "export", 0)["path"]
    assert folder.startswith(f"s3://{BUCKET}/ocp/")
    assert exported(folder, **_storage(bucket)) == sorted(on_s3.truth().numbers)
    figure(
        "data root on S3, worker killed in buy",
        recovered_after=round(recovered),
        bought=len(bought.numbers),
        spent=bought.spent,
        export=f"{seconds:.0f} s",
    )


def _storage(bucket: dict[str, str]) -> dict[str, Any]:
    return {
        "key": bucket["AWS_ACCESS_KEY_ID"],
        "secret": bucket["AWS_SECRET_ACCESS_KEY"],
        "client_kwargs": {"endpoint_url": bucket["AWS_ENDPOINT_URL"]},
    }


def _create_bucket(reached: dict[str, str]) -> None:
    session = boto3.Session(reached["AWS_ACCESS_KEY_ID"], reached["AWS_SECRET_ACCESS_KEY"])
    deadline = time.monotonic() + READY_WITHIN
    with closing(session.client("s3", "us-east-1", endpoint_url=reached["AWS_ENDPOINT_URL"])) as client:
        while True:
            try:
                client.create_bucket(Bucket=BUCKET)
                return
            except botocore.exceptions.EndpointConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
