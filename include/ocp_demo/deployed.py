"""The demo's story on a deployment that runs already: ``make demo-up``, inside the network of docker-compose.yaml."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime, timezone

from ocp_demo.airflow_api import AirflowApi
from ocp_demo.screen import Screen
from ocp_demo.stack import DemoFailed
from ocp_demo.story import REGION, Story

CONNECTION_ID = "ocp_sandbox"
"""Not the one that a deployment uses for its real work."""


@dataclass(frozen=True)
class Deployment:
    """An Airflow and a sandbox that somebody else keeps alive."""

    airflow_url: str
    sandbox_url: str
    data_root: str
    password: str
    sandbox_password: str

    def check_alive(self) -> None:
        """What does not answer shows in the call that asks it."""


def main() -> int:
    """Tell the story; 0 if every run succeeded and the sandbox's ledger agrees with what was reported."""
    deployment = Deployment(
        airflow_url=os.environ["AIRFLOW_URL"],
        sandbox_url=os.environ["SANDBOX_URL"],
        data_root=os.environ["OCP_NUMBERS_DATA"],
        password=os.environ["ADMIN_PASSWORD"],
        sandbox_password=os.environ["SANDBOX_PASSWORD"],
    )
    screen = Screen()
    # A region of its own each time: what an earlier telling bought is there already.
    name = f"{REGION['set_name']}-{datetime.now(timezone.utc):%m%d-%H%M%S}"
    region = REGION | {"ocp_conn_id": CONNECTION_ID, "set_name": name}
    try:
        api = AirflowApi(deployment.airflow_url, "admin", deployment.password)
        trust = {"verify": os.environ["REQUESTS_CA_BUNDLE"]}
        return 0 if Story(api, deployment, screen, region=region, extra=trust).tell() else 1
    except DemoFailed as failure:
        screen.check(False, str(failure))
        return 1


if __name__ == "__main__":
    sys.exit(main())
