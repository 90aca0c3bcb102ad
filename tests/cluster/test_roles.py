"""Who may trigger, who may approve, who may look: the roles that a deployment starts with."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
import requests
from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride as Fab

from cluster.stage import PROVISION, Run, Stage
from ocp_cluster import PROJECT
from ocp_demo.airflow_api import AirflowApi

VIEWER, OPERATOR, APPROVER = ["Viewer"], ["Viewer", "OCP operator"], ["Viewer", "OCP approver"]


@pytest.fixture
def person(stage: Stage) -> Callable[[list[str]], AirflowApi]:
    """Makes a user with roles, as an administrator does, and logs in."""

    def make(roles: list[str]) -> AirflowApi:
        name, password = f"person-{secrets.token_hex(4)}", secrets.token_hex(8)
        stage.api.add_user(name, password, roles)
        return AirflowApi(stage.cluster.airflow_url, name, password)

    return make


def forbidden(action: Callable[[], Any]) -> bool:
    """Whether Airflow refuses it as not allowed."""
    try:
        action()
    except requests.HTTPError as error:
        return error.response.status_code == 403
    return False


def test_every_permission_is_one_that_airflow_gives_to_a_role_of_its_own() -> None:
    """``airflow roles import`` takes any word for one, and whom it is given may do nothing by it."""
    known = {*Fab.VIEWER_PERMISSIONS, *Fab.USER_PERMISSIONS, *Fab.OP_PERMISSIONS, *Fab.ADMIN_PERMISSIONS}
    rows = json.loads((PROJECT / "include" / "deployment" / "roles.json").read_text())
    given = {(action, row["resource"]) for row in rows for action in row["action"].split(",")}
    assert {row["name"] for row in rows} == {"OCP operator", "OCP approver"}
    assert given <= known


def test_each_role_can_do_its_part_and_no_other(stage: Stage, person: Callable[[list[str]], AirflowApi]) -> None:
    viewer, operator, approver = person(VIEWER), person(OPERATOR), person(APPROVER)
    region = stage.region("approved-by-another", quantity=1, require_approval=True)
    assert forbidden(lambda: viewer.trigger(PROVISION, region))
    assert forbidden(lambda: approver.trigger(PROVISION, region))

    run = Run(PROVISION, operator.trigger(PROVISION, region))
    question = stage.when("a person is asked", lambda: stage.asked(run, "approve"))
    yes = next(option for option in question["options"] if option.startswith("Approve"))
    assert viewer.question(PROVISION, run.run_id, "approve")["body"] == question["body"]
    assert forbidden(lambda: viewer.answer(PROVISION, run.run_id, "approve", yes))
    assert forbidden(lambda: operator.answer(PROVISION, run.run_id, "approve", yes))

    approver.answer(PROVISION, run.run_id, "approve", yes)
    stage.finish(run)


def test_nobody_looks_without_a_login(stage: Stage) -> None:
    for page in ("/api/v2/dags", "/ocp-numbers/", "/ocp-numbers/ocp_default/numbers.csv"):
        answer = requests.get(stage.cluster.airflow_url + page, timeout=60, allow_redirects=False)
        assert answer.status_code in (301, 302, 303, 307, 401, 403), page
