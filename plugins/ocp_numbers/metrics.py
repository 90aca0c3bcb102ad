"""What is counted, and the one place that tells Airflow's metrics: StatsD, OpenTelemetry or Datadog, as configured.

Every metric bears the tag ``environment``, the connection's id. Counters count what this process saw happen: a process
that is killed may take the last of it along, so the books are the orders and the journal, not these. A gauge keeps the
value of whoever told it last. Where Airflow's metrics are off, and outside of its tasks, telling does nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ocp_numbers.client import OcpClient
    from ocp_numbers.inventory import CompleteSnapshot

log = logging.getLogger(__name__)

PREFIX = "ocp_numbers"
"""First part of every name, behind the prefix of the deployment, which is ``airflow`` unless configured."""


@dataclass(frozen=True)
class Metric:
    """What can be told. ``meaning`` stands in the table for people.

    :param name: without any prefix.
    """

    name: str
    kind: Literal["counter", "gauge"]
    unit: str
    meaning: str

    def tell(self, value: float | Decimal, *, environment: str) -> None:
        """Add ``value`` to the counter, or set the gauge to it. Failing to is nobody's trouble.

        Adding nothing is told as well: a counter that was seen at zero loses none of its first step in a graph.
        """
        try:
            from airflow.sdk.observability import stats

            amount = int(value) if value == int(value) else float(value)
            tags = {"environment": environment}
            if self.kind == "counter":
                stats.incr(f"{PREFIX}.{self.name}", amount, tags=tags)  # type: ignore[arg-type] # cents are no integers
            else:
                stats.gauge(f"{PREFIX}.{self.name}", amount, tags=tags)
        except Exception as error:
            log.debug("The metric %s could not be told: %s", self.name, error)


BOUGHT = Metric("bought", "counter", "numbers", "numbers that orders brought, each counted once it was read back")
SPENT = Metric("spent", "counter", "price", "what these cost, in the unit of the platform's prices")
UNKNOWN = Metric("unknown", "counter", "numbers", "numbers whose purchase a task left in doubt when it ended")
RELEASED = Metric("released", "counter", "numbers", "numbers given up or deleted, read back")
MARKED = Metric("marked", "counter", "numbers", "unused numbers marked and put into quarantine, read back")
ATTACHED = Metric("attached", "counter", "numbers", "numbers attached to a miniApp, read back")
DETACHED = Metric("detached", "counter", "numbers", "numbers detached from a miniApp, read back")
EXPORT_ROWS = Metric("export_rows", "gauge", "numbers", "numbers in the snapshot that was exported last")
EXPORT_SECONDS = Metric("export_seconds", "gauge", "seconds", "how long that took, from the first call to the proof")
SNAPSHOT_AGE = Metric("snapshot_age_seconds", "gauge", "seconds", "how old the latest snapshot is")
IN_DOUBT = Metric("in_doubt", "gauge", "numbers", "numbers of open orders that may or may not be ours")
PROBLEMS = Metric("problems", "gauge", "checks", "checks of check_deployment that found something wrong")
API_CALLS = Metric("api_calls", "counter", "requests", "requests sent to the platform, logins and repeats included")
API_RETRIES = Metric("api_retries", "counter", "requests", "calls that were sent again after a passing fault")
API_THROTTLED = Metric("api_throttled", "counter", "answers", "answers that asked to slow down (status 429)")
API_DRIFT = Metric("api_drift", "counter", "fields", "fields and columns that departed from the contract with OCP")

METRICS = (
    BOUGHT,
    SPENT,
    UNKNOWN,
    RELEASED,
    MARKED,
    ATTACHED,
    DETACHED,
    EXPORT_ROWS,
    EXPORT_SECONDS,
    SNAPSHOT_AGE,
    IN_DOUBT,
    PROBLEMS,
    API_CALLS,
    API_RETRIES,
    API_THROTTLED,
    API_DRIFT,
)
"""All that this project tells, in the sequence of its table."""

_CHANGES = {
    "give up": RELEASED,
    "delete": RELEASED,
    "quarantine": MARKED,
    "attach": ATTACHED,
    "detach": DETACHED,
}


def tell_change(operation: str, count: int, *, environment: str) -> None:
    """Tell that ``count`` numbers were changed by an operation, as the journal calls it, where that is counted."""
    metric = _CHANGES.get(operation)
    if metric is not None:
        metric.tell(count, environment=environment)


def tell_calls(client: OcpClient, *, environment: str) -> None:
    """Tell what a client has sent, once it is closed."""
    API_CALLS.tell(client.tally.calls, environment=environment)
    API_RETRIES.tell(client.transport.repeats, environment=environment)
    API_THROTTLED.tell(client.tally.throttled, environment=environment)
    API_DRIFT.tell(client.drift.count, environment=environment)


def tell_age(latest: CompleteSnapshot) -> None:
    """Tell how old the latest snapshot of an environment is."""
    age = datetime.now(timezone.utc) - latest.taken
    SNAPSHOT_AGE.tell(max(age.total_seconds(), 0), environment=latest.environment)
