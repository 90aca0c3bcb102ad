"""Several environments in one deployment: each with its own data, pool and budget, and none held up by another."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from cluster.stage import DEAR, EXPORT, PROVISION, Purchases, Stage, exported, figure, in_set
from ocp_cluster.cluster import Cluster
from ocp_cluster.packages import ensure
from ocp_numbers.data_root import DataRoot
from ocp_numbers.ordering import OrderBook

ENVIRONMENTS = ("ocp_eu", "ocp_us", "ocp_ca")
POOLS = "ocp_eu=eu_reads,ocp_us=us_reads"


@pytest.fixture(scope="module")
def company() -> Iterator[Stage]:
    """Three environments, two of them with a pool of their own, and one that nobody answers for."""
    ensure()
    settings = {"OCP_NUMBERS_ENVIRONMENTS": ",".join((*ENVIRONMENTS, "ocp_gone")), "OCP_NUMBERS_POOLS": POOLS}
    with Cluster(workers=2, settings=settings) as cluster:
        cluster.wait_until_healthy(print)
        stage = Stage(cluster)
        for pool in ("eu_reads", "us_reads"):
            stage.api.add_pool_if_missing(pool, 1, "Exports of one environment")
        for environment in ENVIRONMENTS:
            stage.connect(environment)
        stage.connect("ocp_gone", password="not-this-one")
        yield stage


def test_the_night_exports_what_the_deployment_lists_and_one_that_fails_holds_up_none(company: Stage) -> None:
    run = company.trigger(EXPORT, {})
    company.when("three are exported", lambda: len(succeeded(company, run.run_id)) == len(ENVIRONMENTS))
    owned = sorted(company.truth().numbers)
    folders = {
        each["rendered_map_index"]: each for each in company.api.task_instances(EXPORT, run.run_id) if exports(each)
    }
    for environment in ENVIRONMENTS:
        task = folders[environment]
        folder = company.result(run, task["task_id"], task["map_index"])["path"]
        assert f"environment={environment}/" in folder
        assert exported(folder) == owned
    pools = {environment: task["pool"] for environment, task in folders.items() if environment in ENVIRONMENTS}
    assert pools == {"ocp_eu": "eu_reads", "ocp_us": "us_reads", "ocp_ca": "default_pool"}
    assert folders["ocp_gone"]["state"] in ("up_for_retry", "running", "scheduled", "queued", "failed")
    figure("night of 3 environments and one that fails", exported=len(ENVIRONMENTS))


def test_two_environments_provision_at_once_each_in_books_of_its_own(company: Stage) -> None:
    before = company.truth()
    # Both lead to the same sandbox: each takes its numbers from an area of its own.
    europe, america = (
        company.region(f"desk-{conn}", ocp_conn_id=conn, country_code=country, prefix=prefix, quantity=5, **DEAR)
        for conn, (country, prefix) in zip(("ocp_eu", "ocp_us"), company.areas(), strict=False)
    )
    runs = [company.trigger(PROVISION, region) for region in (europe, america)]
    for run in runs:
        company.finish(run)
    after = company.truth()
    results = [company.result(run, "buy") for run in runs]
    bought = Purchases.between(before, after)
    assert sorted(bought.numbers) == sorted(number for result in results for number in result["numbers"])
    books = [OrderBook(DataRoot(str(company.cluster.home / "data")), conn) for conn in ("ocp_eu", "ocp_us")]
    written = [sum((order.spent for order in book.orders()), Decimal(0)) for book in books]
    assert written == [Decimal(result["spent"]) for result in results]
    assert bought.spent == sum(written, Decimal(0))
    assert [in_set(after, region) for region in (europe, america)] == [europe["quantity"], america["quantity"]]


def exports(task: dict[str, str]) -> bool:
    return task["task_id"].startswith("export")


def succeeded(stage: Stage, run_id: str) -> list[str]:
    tasks = stage.api.task_instances(EXPORT, run_id)
    return [task["rendered_map_index"] for task in tasks if exports(task) and task["state"] == "success"]
