"""``ocp-numbers plan``: what ``provision_region`` would do for a region's file. Nothing is written anywhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ocp_numbers import deployment
from ocp_numbers.commands.connecting import connected
from ocp_numbers.commands.screen import Screen

if TYPE_CHECKING:
    from ocp_numbers.regions.plan import RegionPlan


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    policy = deployment.project() / "include" / "cleanup.yaml"
    parser.add_argument("file", type=Path, help="a region as include/regions/*.yaml declare it")
    parser.add_argument("--conn-id", metavar="ID", help="plan for this connection instead of the one in the file")
    parser.add_argument(
        "--policy",
        type=Path,
        default=policy if policy.exists() else None,
        help="the cleanup's policy, whose protected numbers are not reused (%(default)s)",
    )


def run(options: argparse.Namespace, screen: Screen) -> int:
    """Survey, decide as the DAG does, and print the plan."""
    from ocp_numbers.regions.declared import read_region

    region = read_region(options.file)
    if options.conn_id:
        region = region.model_copy(update={"ocp_conn_id": options.conn_id})
    with connected(region.ocp_conn_id) as hook, screen.working(f"surveying {hook.settings.host}"):
        from ocp_numbers.operators.regions import PlanRegionOperator

        operator = PlanRegionOperator(
            task_id="plan", region=region.parameters, policy_file=str(options.policy) if options.policy else None
        )
        operator.hook = hook
        plan = operator.plan(region)
    screen.show(plan.model_dump(mode="json") | {"digest": plan.digest}, told=lambda: _tell(plan))
    return 0


def _tell(plan: RegionPlan) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    from ocp_numbers.regions.page import page

    console = Console()
    if console.is_terminal:
        console.print(Markdown(page(plan)))
    else:
        print(page(plan))
