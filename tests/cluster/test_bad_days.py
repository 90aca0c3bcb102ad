"""The main jobs over Celery while one component after the other is lost in the middle of them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cluster.stage import (
    CLEANUP,
    EXPORT,
    PROVISION,
    SLOW_PAGES,
    SLOW_PURCHASE,
    Stage,
    check_exact,
    exported,
    figure,
)


def test_the_three_jobs_succeed(stage: Stage) -> None:
    before = stage.truth()
    region = stage.region("quiet-day")
    export, provision = stage.trigger(EXPORT, {"ocp_conn_ids": ["ocp_default"]}), stage.trigger(PROVISION, region)
    seconds = [stage.finish(export), stage.finish(provision)]
    cleanup = stage.trigger(CLEANUP, {"ocp_conn_id": "ocp_default", "dry_run": True})
    seconds.append(stage.finish(cleanup))
    bought = check_exact(stage.result(provision, "buy"), before, stage.truth(), region)
    assert not stage.truth().entries("released")
    assert stage.api.run_note(PROVISION, provision.run_id).startswith("Bought 5 of")
    figure("quiet day", seconds=[round(each) for each in seconds], bought=len(bought.numbers), spent=bought.spent)


def test_a_worker_is_killed_while_it_buys(stage: Stage) -> None:
    before, region = stage.truth(), stage.region("worker-lost", quantity=14)
    with stage.fault(**SLOW_PURCHASE):
        run = stage.trigger(PROVISION, region)
        worker = stage.worker_at(run, "buy")
        stage.when("a purchase is on its way", lambda: stage.fault_fired("PUT"))
        stage.cluster.kill(worker)
        killed = time.monotonic()
        stage.cluster.start(worker)
        stage.when(
            "the purchase has been carried out",
            lambda: len(stage.truth().entries("bought")) > len(before.entries("bought")),
        )
    stage.finish(run)
    bought = check_exact(stage.result(run, "buy"), before, stage.truth(), region)
    assert stage.tries(run) >= 1
    figure(
        "worker killed in buy",
        recovered_after=round(time.monotonic() - killed),
        bought=len(bought.numbers),
        spent=bought.spent,
    )


def test_a_worker_is_killed_while_it_exports(stage: Stage) -> None:
    with stage.fault(**SLOW_PAGES):
        run = stage.trigger(EXPORT, {"ocp_conn_ids": ["ocp_default"]})
        worker = stage.worker_at(run, "export")
        stage.when("pages are on their way", lambda: stage.fault_fired("GET"))
        stage.cluster.kill(worker)
        killed = time.monotonic()
        stage.cluster.start(worker)
    stage.finish(run)
    assert exported(stage.result(run, "export", 0)["path"]) == sorted(stage.truth().numbers)
    assert stage.tries(run) >= 1
    figure("worker killed in export", recovered_after=round(time.monotonic() - killed))


def _restart(component: str) -> Callable[[Stage], None]:
    def restart(stage: Stage) -> None:
        stage.cluster.kill(component)
        time.sleep(5)
        stage.cluster.start(component)

    return restart


@pytest.mark.parametrize("component", ["redis", "postgres", "api-server", "scheduler-1", "dag-processor", "triggerer"])
def test_a_component_is_lost_in_the_middle(stage: Stage, component: str) -> None:
    before, region = stage.truth(), stage.region(f"{component}-lost", quantity=8)
    with stage.fault(**SLOW_PURCHASE), stage.fault(**SLOW_PAGES):
        runs = [stage.trigger(EXPORT, {"ocp_conn_ids": ["ocp_default"]}), stage.trigger(PROVISION, region)]
        stage.when("pages are on their way", lambda: stage.fault_fired("GET"))
        _restart(component)(stage)
        lost = time.monotonic()
    for run in runs:
        stage.finish(run)
    bought = check_exact(stage.result(runs[1], "buy"), before, stage.truth(), region)
    assert len(exported(stage.result(runs[0], "export", 0)["path"])) >= len(before.numbers)
    figure(
        f"{component} killed, back after 5 s",
        done_after=round(time.monotonic() - lost),
        tries_more=sum(map(stage.tries, runs)),
        bought=len(bought.numbers),
        spent=bought.spent,
    )


def test_the_platform_is_away_for_two_minutes(stage: Stage) -> None:
    before, region = stage.truth(), stage.region("platform-away", quantity=8)
    runs = [stage.trigger(EXPORT, {"ocp_conn_ids": ["ocp_default"]}), stage.trigger(PROVISION, region)]
    stage.cluster.stop("sandbox")
    time.sleep(120)
    stage.cluster.start("sandbox")
    back = time.monotonic()
    for run in runs:
        stage.finish(run)
    bought = check_exact(stage.result(runs[1], "buy"), before, stage.truth(), region)
    figure(
        "platform away for 120 s",
        done_after=round(time.monotonic() - back),
        tries_more=sum(map(stage.tries, runs)),
        bought=len(bought.numbers),
        spent=bought.spent,
    )
