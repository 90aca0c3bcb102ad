"""The table of operations: complete, documented by name, and reachable as ``client.<resource>.<method>``."""

from __future__ import annotations

import inspect
import re

import pytest

from ocp_numbers.client import OPERATIONS, Effect, Operation
from ocp_numbers.client.numbers import Filters, Numbers
from ocp_numbers.client.sets import Sets

DOCUMENTED = {
    ("GET", "/api/numbers"): ("numbers.list", Effect.READ),
    ("POST", "/api/numbers"): ("numbers.search_available", Effect.READ),
    ("PUT", "/api/numbers"): ("numbers.buy", Effect.PAID),
    ("PUT", "/api/numbers/group"): ("numbers.update_group", Effect.WRITE),
    ("PUT", "/api/numbers/attach"): ("numbers.attach", Effect.WRITE),
    ("PUT", "/api/numbers/detach"): ("numbers.detach", Effect.WRITE),
    ("PUT", "/api/number/note"): ("numbers.update_note", Effect.WRITE),
    ("POST", "/api/numbers/search"): ("numbers.search", Effect.READ),
    ("POST", "/api/numbers/csv"): ("numbers.export_csv", Effect.READ),
    ("PUT", "/api/numbers/csv"): ("numbers.import_csv", Effect.PAID),
    ("POST", "/api/numbers/direct"): ("numbers.add_direct", Effect.WRITE),
    ("DELETE", "/api/numbers/delete/{number}"): ("numbers.delete", Effect.DESTRUCTIVE),
    ("POST", "/api/numbers-set"): ("sets.create", Effect.WRITE),
    ("GET", "/api/numbers-set"): ("sets.list", Effect.READ),
    ("GET", "/api/numbers-set/group/{group_id}"): ("sets.list_for_group", Effect.READ),
    ("GET", "/api/numbers-set/{set_id}"): ("sets.get", Effect.READ),
    ("PATCH", "/api/numbers-set/{set_id}"): ("sets.update", Effect.WRITE),
    ("GET", "/api/numbers-set/{set_id}/numbers"): ("sets.numbers", Effect.READ),
    ("POST", "/api/numbers-set/{set_id}/numbers"): ("sets.add_numbers", Effect.WRITE),
    ("DELETE", "/api/numbers-set/{set_id}/numbers"): ("sets.remove_numbers", Effect.WRITE),
    ("PUT", "/api/numbers-set/{set_id}/attach"): ("sets.attach", Effect.WRITE),
    ("PUT", "/api/numbers-set/{set_id}/detach"): ("sets.detach", Effect.WRITE),
    ("DELETE", "/api/numbers-set/{set_id}/delete"): ("sets.release_numbers", Effect.DESTRUCTIVE),
    ("DELETE", "/api/numbers-set/{set_id}"): ("sets.delete", Effect.DESTRUCTIVE),
}


def test_the_table_holds_exactly_the_documented_operations_with_their_effects() -> None:
    assert {(row.method, row.path): (row.name, row.effect) for row in OPERATIONS.values()} == DOCUMENTED
    assert len(DOCUMENTED) == 24


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda row: row.name)
def test_each_operation_is_a_documented_method_that_names_its_call(operation: Operation[object]) -> None:
    resource, _, name = operation.name.partition(".")
    method = getattr({"numbers": Numbers, "sets": Sets}[resource], name)
    spoken = re.sub(r"_(\w)", lambda found: found[1].upper(), operation.path)
    assert f"``{operation.method} {spoken}``" in method.__doc__
    parameters = [one for one in inspect.signature(method).parameters.values() if one.name != "self"]
    positional = [one.name for one in parameters if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert len(positional) <= 1, "everything after the id is keyword-only"


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda row: row.name)
def test_each_field_of_path_and_payload_is_an_argument_of_the_method(operation: Operation[object]) -> None:
    resource, _, name = operation.name.partition(".")
    method = getattr({"numbers": Numbers, "sets": Sets}[resource], name)
    arguments = set(inspect.signature(method).parameters) - {"self"}
    if "filters" in arguments:
        arguments = arguments - {"filters"} | set(Filters.__annotations__)
    payload = set(operation.payload.model_fields) if operation.payload else set()
    assert arguments == payload | set(operation.path_fields)


@pytest.mark.parametrize(
    ("effect", "access"),
    [(Effect.READ, "read"), (Effect.WRITE, "write"), (Effect.PAID, "paid"), (Effect.DESTRUCTIVE, "paid")],
)
def test_giving_up_needs_the_same_access_as_paying(effect: Effect, access: str) -> None:
    assert effect.needs == access
