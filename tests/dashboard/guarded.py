"""Asks every route of the dashboard inside Airflow's own API server, as several people; prints what each was answered.

Run as a program of its own: it sets up an Airflow in the folder that it is given.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

GIVEN = {
    "environment": "ocp_default",
    "version": "1",
    "name": "style.css",
    "number": "+12120000001",
    "order_id": "ocp_default/retail/Athens/1",
    "day": "2026-03-04",
}


def main(home: str) -> None:
    os.environ.update(
        AIRFLOW_HOME=home,
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS="vera:viewer",
        AIRFLOW__API_AUTH__JWT_SECRET="secret" * 20,
        AIRFLOW__API__BASE_URL="http://testserver/airflow/",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        OCP_NUMBERS_DATA=f"{home}/data",
        TMPDIR=home,
    )
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.plugins_manager import get_fastapi_plugins
    from airflow.utils.db import initdb
    from fastapi.testclient import TestClient

    initdb()
    airflow = create_app(apps="core")
    manager: Any = get_auth_manager()
    viewer = manager.generate_jwt(SimpleAuthManagerUser(username="vera", role="VIEWER"))
    stranger = manager.generate_jwt(SimpleAuthManagerUser(username="sam", role=None))
    expired = manager.generate_jwt(
        SimpleAuthManagerUser(username="vera", role="VIEWER"), expiration_time_in_seconds=-60
    )
    people = {
        "nobody": None,
        "expired": expired,
        "forged": viewer[:-4] + "AAAA",
        "stranger": stranger,
        "viewer": viewer,
    }
    (app,) = [each["app"].app for each in get_fastapi_plugins()[0] if each["url_prefix"] == "/ocp-numbers"]

    answers: dict[str, dict[str, Any]] = {}
    for route in app.routes:
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: GIVEN[part[1]], route.path)
        told = answers.setdefault(route.path, {"methods": sorted(route.methods)})
        for who, token in people.items():
            client = TestClient(airflow, cookies={"_token": token} if token else {}, raise_server_exceptions=False)
            for kind in ("text/html", "application/json"):
                answer = client.get(f"/airflow/ocp-numbers{path}", headers={"accept": kind}, follow_redirects=False)
                told[f"{who} {kind}"] = [answer.status_code, answer.headers.get("location", "")]
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])
