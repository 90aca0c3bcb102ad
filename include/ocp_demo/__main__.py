"""Run the demo: ``make demo``; with ``ONCE=1`` it ends by itself, and its exit code says whether all is well."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType

from ocp_demo.airflow_api import AirflowApi
from ocp_demo.screen import Screen
from ocp_demo.stack import DemoFailed, Stack, free_port
from ocp_demo.story import CONNECTION_ID, Story


def main() -> int:
    """The demo from start to end; 0 if every run succeeded and the sandbox's ledger agrees with what was reported."""
    options = _arguments()
    screen = Screen()
    # A terminal that closes, or a supervisor that ends us, unwinds as Ctrl-C does: what was started is ended.
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _interrupt)
    try:
        stack = Stack(
            airflow_port=_port("Airflow", options.airflow_port, screen),
            sandbox_port=_port("the sandbox", options.sandbox_port, screen),
            numbers=options.numbers,
        )
        screen.title("Starting the sandbox and Airflow")
        with stack:
            stack.wait_until_healthy(screen.say)
            api = AirflowApi(stack.airflow_url, "admin", stack.password)
            story = Story(api, stack, screen)
            if options.empty:
                story.hand_over()
                _stay(stack, screen)
            if options.screenshots:
                from ocp_demo.nights import look_back, tonight

                look_back(stack, CONNECTION_ID)
            agreed = story.tell()
            if options.screenshots:
                from ocp_demo.screenshots import take

                tonight(stack, CONNECTION_ID)
                take(stack, story)
            if not options.once and not options.screenshots:
                story.show_around()
                _stay(stack, screen)
            return 0 if agreed else 1
    except DemoFailed as failure:
        screen.check(False, str(failure))
        return 1
    except KeyboardInterrupt:
        screen.say("ended; everything that was started is stopped")
        return 130 if options.once else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the runs instead of staying up")
    parser.add_argument("--empty", action="store_true", help="run nothing: start both and leave the rest to you")
    parser.add_argument("--screenshots", action="store_true", help="take the documentation's pictures, then end")
    parser.add_argument("--numbers", type=int, default=5000, help="numbers in the sandbox's inventory (%(default)s)")
    parser.add_argument("--airflow-port", type=int, default=8080, help="first port to try for Airflow (%(default)s)")
    parser.add_argument("--sandbox-port", type=int, default=8091, help="first port to try for it (%(default)s)")
    return parser.parse_args()


def _port(what: str, wanted: int, screen: Screen) -> int:
    taken: list[int] = []
    port = free_port(wanted, taken.append)
    if taken:
        screen.say(f"port {', '.join(map(str, taken))} is in use: {what} takes {port}")
    return port


def _stay(stack: Stack, screen: Screen) -> None:
    screen.say("The demo stays up for you to look around. Ctrl-C ends it.")
    while True:
        time.sleep(1)
        stack.check_alive()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
