"""The operator that looks at the deployment as a worker sees it: red where something is wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ocp_numbers.errors import VerificationFailed, shown
from ocp_numbers.operators.base import OcpOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class CheckDeploymentOperator(OcpOperator):
    """Look at connection, access, clock, data root, inventory, orders and notifications, from where the work is done.

    Tells the gauges that say how things stand, among them the age of the latest snapshot: they come also when the
    export does not. Changes nothing on OCP. Returns ``findings``, each with ``check``, ``mood``, ``seen`` and ``fix``.

    :raises VerificationFailed: naming each check that found something wrong; what is merely worth a look fails nothing.
    """

    ui_color = "#e2ecf7"

    def execute(self, context: Context) -> dict[str, Any]:
        """Make every check, and tell what came of it."""
        from ocp_numbers.health import examine

        findings = examine(self.ocp_conn_id, in_task=True)
        for finding in findings:
            say = self.log.info if finding.mood == "good" else self.log.warning
            say("%s: %s %s", finding.check, finding.seen, finding.fix)
        result = {"findings": [asdict(finding) for finding in findings]}
        wrong = [f"{finding.check}: {finding.seen}. {finding.fix}" for finding in findings if finding.mood == "bad"]
        if wrong:
            if "ti" in context:
                context["ti"].xcom_push(key="return_value", value=result)
            raise VerificationFailed(
                f"{len(wrong)} of {len(findings)} checks failed: {shown(wrong)}", differences=wrong
            )
        look = [finding.check for finding in findings if finding.mood == "warning"]
        self.tell(f"{len(findings)} checks: nothing is wrong{f', worth a look: {shown(look)}' if look else ''}")
        return result
