"""The sandbox keeps the contract: whatever fits the document is taken, whatever does not is refused, and every answer
is one of those documented.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Response
from schemathesis.core.failures import FailureGroup

from contract.visit import CHECKS, FITTING, UNFITTING, AnyCase, Visit, name_of
from ocp_numbers.client import OPERATIONS
from ocp_sandbox import Fault

FORBIDDING = [row.name for row in OPERATIONS.values() if row.payload or "number" in row.path_fields]
"""The operations that something can be wrong with: any text is an id."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_fits_is_answered_as_documented(visit: Visit, name: str, requests: int) -> None:
    visit.make(name, FITTING, requests=requests)

    assert any(status == 200 for _, status in visit.statuses), "nothing that was sent was of use"


@pytest.mark.parametrize("name", FORBIDDING)
def test_what_does_not_fit_is_refused(visit: Visit, name: str, requests: int) -> None:
    visit.make(name, UNFITTING, requests=requests)

    assert {status for _, status in visit.statuses} <= {400, 404}


def test_what_is_done_with_a_new_set_fits_as_well(visit: Visit, requests: int) -> None:
    """Sets are made, and what the answer names is read, changed, attached and deleted, in any order."""
    base = visit.schema.as_state_machine()

    class Sets(base):  # type: ignore[misc, valid-type]
        def get_call_kwargs(self, case: AnyCase) -> dict[str, Any]:
            return {"headers": visit.headers, "session": visit.session}

        def before_call(self, case: AnyCase) -> None:
            if name_of(case.operation) == "sets.create" and isinstance(case.body, dict):
                case.body["groupId"] = visit.sandbox.groups()[0]

        def validate_response(self, response: Response, case: AnyCase, **options: Any) -> None:
            visit.statuses[name_of(case.operation), response.status_code] += 1
            case.validate_response(response, checks=CHECKS, headers=visit.headers)

    Sets.TestCase.settings = settings(
        max_examples=max(requests // 4, 10),
        stateful_step_count=8,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    Sets.TestCase().runTest()

    followed = {name for name, status in visit.statuses if status == 200 and name.startswith("sets.")}
    assert len(followed) > 3


NUMBER = '{"number": "+12125550123"}'
MUTANTS = {
    "a field is missing": ("numbers.search_available", Fault("POST", "*/numbers", status=200, body=f"[{NUMBER}]")),
    "a field is of another type": (
        "sets.get",
        Fault("GET", status=200, body='{"id": 1, "name": "a", "groupId": "b", "phoneNumberCount": 0}'),
    ),
    "a field is not in the document": (
        "numbers.detach",
        Fault("PUT", status=200, body='{"success": true, "message": "done", "colour": "red"}'),
    ),
    "a field is spelt in another way": (
        "numbers.detach",
        Fault("PUT", status=200, body='{"Success": true, "message": "done"}'),
    ),
    "a status is not in the document": ("numbers.list", Fault("GET", status=418)),
    "the server fails": ("numbers.list", Fault("GET", status=500)),
    "a page for people comes": ("sets.list", Fault("GET", kind="html")),
    "what fits is refused": ("numbers.update_note", Fault("PUT", status=400)),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_platform_that_departs_is_found(visit: Visit, mutant: str) -> None:
    name, fault = MUTANTS[mutant]
    visit.sandbox.faults.add(fault)

    with pytest.raises(FailureGroup):
        visit.make(name, FITTING, requests=20)


def test_a_platform_that_takes_anything_is_found(visit: Visit) -> None:
    visit.sandbox.faults.add(Fault("PUT", status=200, body='{"success": true, "message": "done"}'))

    with pytest.raises(FailureGroup) as found:
        visit.make("numbers.update_group", UNFITTING, requests=20)

    assert "AcceptedNegativeData" in {type(each).__name__ for each in found.value.exceptions}
