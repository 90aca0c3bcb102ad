"""Plans as documents in the data root, found and checked by their digest."""

from __future__ import annotations

from pydantic import ValidationError

from ocp_numbers.data_root import DataRoot, segment
from ocp_numbers.errors import PlanChanged
from ocp_numbers.regions.plan import RegionPlan


class PlanRegister:
    """Keeps plans under ``regions/<environment>/<group>/<set>/``; a plan once kept never changes."""

    def __init__(self, data_root: DataRoot) -> None:
        self._root = data_root

    def keep(self, plan: RegionPlan) -> str:
        """Put ``plan`` on disk and give its key, by which :meth:`find` returns exactly this plan."""
        self._root.write(self.key(plan), plan.model_dump_json(indent=2).encode())
        return self.key(plan)

    def key(self, plan: RegionPlan) -> str:
        """Where ``plan`` is kept in the data root."""
        return f"{self.folder(plan)}/plan-{plan.digest}.json"

    def find(self, key: str, approved: str) -> RegionPlan:
        """The plan under ``key``, once its content has the ``approved`` digest.

        :raises PlanChanged: when there is none, it cannot be read, or it is not the approved one.
        """
        content = self._root.read(key)
        if content is None:
            raise PlanChanged(f"The approved plan {key} is not in the data root {self._root.uri}. Trigger a new run.")
        try:
            plan = RegionPlan.model_validate_json(content)
        except ValidationError as error:
            raise PlanChanged(
                f"The plan {key} cannot be read ({error.error_count()} faults). Trigger a new run."
            ) from None
        if plan.digest != approved:
            raise PlanChanged(
                f"The plan {key} has the digest {plan.digest}, approved was {approved}. Nothing is applied. "
                "Trigger a new run."
            )
        return plan

    def folder(self, plan: RegionPlan) -> str:
        """The region's folder, where its answers are kept as well."""
        region = plan.region
        return "/".join(("regions", *(segment(name) for name in (plan.environment, region.group, region.set_name))))
