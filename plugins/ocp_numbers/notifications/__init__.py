"""What people are told without looking: a few events, over whatever Airflow notifiers a team has.

Who is told of what, and how, is configured in one file, ``include/notifications.yaml``; see
:mod:`~ocp_numbers.notifications.routes`.
"""

from ocp_numbers.notifications.events import EVENTS, Event
from ocp_numbers.notifications.notifier import OcpNotifier
from ocp_numbers.notifications.sending import notify

__all__ = ["EVENTS", "Event", "OcpNotifier", "notify"]
