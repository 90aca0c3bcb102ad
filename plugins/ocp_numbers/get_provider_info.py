"""What Airflow is told about this provider: the connection type with its form, and where hooks, operators and links
are.

Airflow reads it while it loads its own configuration, so nothing may be imported here.
"""

from __future__ import annotations

from typing import Any

INTEGRATION = "Omilia Cloud Platform (OCP)"

_OPERATORS = (
    "search",
    "numbers",
    "sets",
    "number_file",
    "removal",
    "buy",
    "export",
    "approval",
    "regions",
    "reconciling",
    "cleanup",
    "bulk",
    "restoring",
    "balancing",
    "examining",
)
_LINKS = ("DashboardLink", "OcpConsoleLink", "OrderLink", "ProvisioningRunLink", "ReportLink", "SetLink")


def get_provider_info() -> dict[str, Any]:
    """Describe the provider in the terms of Airflow's provider schema."""
    return {
        "package-name": "airflow-provider-ocp-numbers",
        "name": "OCP numbers",
        "description": "Phone numbers on the Omilia Cloud Platform: buy, attach, export and give up.",
        "integrations": [{"integration-name": INTEGRATION, "tags": ["service"]}],
        "hooks": [{"integration-name": INTEGRATION, "python-modules": ["ocp_numbers.hooks.ocp"]}],
        "operators": [
            {
                "integration-name": INTEGRATION,
                "python-modules": [f"ocp_numbers.operators.{room}" for room in _OPERATORS],
            }
        ],
        "sensors": [{"integration-name": INTEGRATION, "python-modules": ["ocp_numbers.sensors.awaiting"]}],
        "triggers": [{"integration-name": INTEGRATION, "python-modules": ["ocp_numbers.triggers.await_trigger"]}],
        "notifications": ["ocp_numbers.notifications.notifier.OcpNotifier"],
        "extra-links": [f"ocp_numbers.links.{link}" for link in _LINKS],
        "connection-types": [
            {
                "connection-type": "ocp",
                "hook-class-name": "ocp_numbers.hooks.ocp.OcpNumbersHook",
                "hook-name": "OCP numbers",
                "ui-field-behaviour": _FORM,
                "conn-fields": _FIELDS,
            }
        ],
    }


_FORM = {
    # Airflow 3.3.2 answers "Bad Request" to the Test button of a connection whose port is not filled in.
    "hidden-fields": ["schema"],
    "relabeling": {"host": "Host", "login": "Login", "password": "Password"},
    "placeholders": {
        "host": "https://ocp.example.com (leave empty when an environment is chosen)",
        "port": "443 (the Test button of Airflow 3.3.2 needs it)",
        "login": "name of the OCP user that this connection acts as",
        "password": "password of that user",
        "extra": '{"verify": "/path/to/ca.pem", "proxies": {"https": "http://proxy:3128"}}',
    },
}

_FIELDS = {
    "environment": {
        "label": "Environment",
        "description": "A public OCP environment by name. It fills host, token host and realm. Leave empty for an "
        "installation of your own and fill in Host.",
        "schema": {
            "type": ["string", "null"],
            "enum": ["", "EU1", "US1", "US2", "US1W", "CA1", "FRANKFURT"],
            "default": "",
        },
    },
    "realm": {
        "label": "Realm",
        "description": "Realm of the login service: master, or ocp on Kubernetes installations. Empty takes the "
        "environment's own.",
        "schema": {"type": ["string", "null"]},
    },
    "token_host": {
        "label": "Token host",
        "description": "Host that hands out access tokens, if not Host itself. Empty takes the environment's own.",
        "schema": {"type": ["string", "null"]},
    },
    "totp_secret": {
        "label": "One-time code secret",
        "description": "Where two-factor login is on: the secret (Base32) behind the six-digit code, as shown when the "
        "authenticator app was enrolled.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "personal_access_token": {
        "label": "Personal access token",
        "description": "Instead of Login and Password. The numbers API does not take it on every installation.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "access": {
        "label": "Access",
        "description": "The most this connection may do: read looks only, write also changes, paid also buys and gives "
        "up. Empty means paid.",
        "schema": {"type": ["string", "null"], "enum": ["read", "write", "paid"], "default": "paid"},
    },
    "page_size": {
        "label": "Page size",
        "description": "Numbers per page when the inventory is read. Empty means 500.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 10000},
    },
    "max_concurrency": {
        "label": "Max concurrency",
        "description": "Requests in flight at once from one task. Empty means 8.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 64},
    },
    "requests_per_second": {
        "label": "Requests per second",
        "description": "Upper limit of one task's requests, to leave room for others. Empty means no limit.",
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
    "settle_seconds": {
        "label": "Purchases show within (s)",
        "description": "How many seconds OCP may take to show a purchase in its lists. Until then a number that is not "
        "shown may still be bought. Empty means 60.",
        "schema": {"type": ["number", "null"], "minimum": 0, "maximum": 86400},
    },
}
