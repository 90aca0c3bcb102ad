"""A client of the platform's numbers API; needs no Airflow.

``OcpClient(ClientSettings(...))`` is all that most callers need. Those who read large answers themselves find the
operations in :data:`OPERATIONS` and send them by ``client.transport``.
"""

from ocp_numbers.client.client import OcpClient
from ocp_numbers.client.clock import Clock, without_waiting
from ocp_numbers.client.operations import OPERATIONS, Effect, Operation
from ocp_numbers.client.retry import Backoff, Retry
from ocp_numbers.client.settings import ENVIRONMENTS, ClientSettings
from ocp_numbers.client.transport import Transport
from ocp_numbers.client.wire import Reply

__all__ = [
    "ENVIRONMENTS",
    "OPERATIONS",
    "Backoff",
    "ClientSettings",
    "Clock",
    "Effect",
    "OcpClient",
    "Operation",
    "Reply",
    "Retry",
    "Transport",
    "without_waiting",
]
