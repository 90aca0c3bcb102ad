"""Every route of the dashboard is behind Airflow's login and its permissions; asked inside Airflow's own API server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException

from dashboard.conftest import visitor
from dashboard.records import TODAY, export, numbers, order
from ocp_numbers.dashboard.application import create_app
from ocp_numbers.dashboard.estate import Estate
from ocp_numbers.data_root import DataRoot

Stranger = Callable[[int], TestClient]
ROUTES = {route.path for route in create_app(Estate(DataRoot("."), None)).routes}  # type: ignore[arg-type, attr-defined]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    root = DataRoot(home / "data")
    export(root, numbers(3), TODAY - timedelta(days=1))
    export(root, numbers(4))
    order(root, ["+12120000001"])
    asked = subprocess.run(
        [sys.executable, Path(__file__).with_name("guarded.py"), str(home)], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr[-3000:]
    answered: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    return answered


def test_all_routes_were_asked(answers: dict[str, Any]) -> None:
    assert set(answers) == ROUTES
    assert len(ROUTES) > 10


@pytest.mark.parametrize("route", sorted(ROUTES))
class TestRoute:
    def test_who_is_not_logged_in_is_sent_to_the_login_and_back(self, answers: dict[str, Any], route: str) -> None:
        for who in ("nobody", "expired"):
            assert answers[route][f"{who} application/json"] == [401, ""]
            status, location = answers[route][f"{who} text/html"]
            assert status == 303
            assert location.startswith("/airflow/api/v2/auth/login?next=%2Fairflow%2Focp-numbers%2F")

    def test_a_forged_token_opens_nothing(self, answers: dict[str, Any], route: str) -> None:
        for kind in ("text/html", "application/json"):
            assert answers[route][f"forged {kind}"][0] in (401, 403, 303)

    def test_who_may_not_read_the_nightly_export_sees_nothing(self, answers: dict[str, Any], route: str) -> None:
        for kind in ("text/html", "application/json"):
            assert answers[route][f"stranger {kind}"][0] == 403

    def test_who_may_read_it_sees_everything(self, answers: dict[str, Any], route: str) -> None:
        assert answers[route]["viewer text/html"][0] in (200, 302)

    def test_it_can_only_be_read(self, answers: dict[str, Any], route: str) -> None:
        assert answers[route]["methods"] == ["GET"]


class TestWhoIsRefused:
    """The same within this process: how the application answers what Airflow's guard raises."""

    @pytest.fixture
    def stranger(self, estate: Estate) -> Stranger:
        def refused(status: int) -> TestClient:
            def guard() -> None:
                raise HTTPException(status, "Not authenticated" if status == 401 else "Forbidden")

            return visitor(estate, guard)

        return refused

    def test_a_person_without_a_login_comes_back_to_the_very_page(self, stranger: Stranger) -> None:
        answer = stranger(401).get("ocp_default/numbers?q=%2B1212&page=2", follow_redirects=False)
        assert answer.status_code == 303
        address = urlsplit(answer.headers["location"])
        assert address.path == "/api/v2/auth/login"
        assert parse_qs(address.query) == {"next": ["/ocp-numbers/ocp_default/numbers?q=%2B1212&page=2"]}

    def test_a_person_who_may_not_look_is_told_so_and_sees_nothing(self, root: DataRoot, stranger: Stranger) -> None:
        export(root, numbers(3))
        answer = stranger(403).get("ocp_default/numbers")
        assert answer.status_code == 403
        assert "Not for this login" in answer.text
        assert "+1212" not in answer.text

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_program_is_answered_in_json(self, stranger: Stranger, status: int) -> None:
        answer = stranger(status).get("ocp_default/numbers.csv", headers={"accept": "text/csv"})
        assert (answer.status_code, list(answer.json())) == (status, ["detail"])
