"""The OpenAPI document: it says of each operation what the table says, and refers to nothing that is not there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from client.documented_answers import ANSWERS
from ocp_numbers.client import OPERATIONS, Operation
from ocp_numbers.contract import document

DOCUMENT = json.loads(json.dumps(document()))
OPERATION_OF = {
    each["operationId"]: (path, method, each)
    for path, item in DOCUMENT["paths"].items()
    for method, each in item.items()
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of the document that can be used alone."""
    return schema | {"components": DOCUMENT["components"]}


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=lambda row: row.name)
def test_each_operation_stands_there_with_its_path_effect_and_access(row: Operation[Any]) -> None:
    path, method, described = OPERATION_OF[row.name]

    spoken = re.sub(r"_(\w)", lambda found: found[1].upper(), row.path)
    assert (path, method) == (spoken, row.method.lower())
    assert (described["x-effect"], described["x-access"]) == (row.effect.name, row.effect.needs)
    assert described["summary"].endswith(".")
    fields = re.findall(r"\{(\w+)\}", path)
    assert fields == [each["name"] for each in described.get("parameters", ()) if each["in"] == "path"]
    assert ("204" in described["responses"]) == row.may_be_empty
    assert {"400", "401", "402", "403", "404", "409", "429", "500", "503"} < set(described["responses"])


def test_there_is_no_other() -> None:
    assert set(OPERATION_OF) == set(OPERATIONS)
    assert len(OPERATION_OF) == 24


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if row.method == "GET"])
def test_a_get_has_no_body(name: str) -> None:
    assert "requestBody" not in OPERATION_OF[name][2]


def test_every_reference_leads_somewhere() -> None:
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT)))

    for reference in references:
        found = DOCUMENT
        for step in reference.split("/"):
            found = found[step]
        assert found
    assert len(references) > 20


def test_every_schema_is_one_and_is_used() -> None:
    text = json.dumps(DOCUMENT)

    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert f'"#/components/schemas/{name}"' in text


@pytest.mark.parametrize("name", ANSWERS)
def test_the_documented_answer_fits_and_one_with_a_field_less_does_not(name: str) -> None:
    schema = OPERATION_OF[name][2]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(resolved(schema))

    assert list(validator.iter_errors(ANSWERS[name])) == []

    less = json.loads(json.dumps(ANSWERS[name]))
    thing = less[0] if isinstance(less, list) else less
    del thing[next(iter(thing))]
    assert list(validator.iter_errors(less)) != []


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ("Buying", {"provider": "telnova", "numbers": ["+12125550123"], "group": "g"}, True),
        ("Buying", {"provider": "telnova", "numbers": [], "group": "g"}, False),
        ("Buying", {"provider": "telnova", "numbers": ["+12125550123"] * 2, "group": "g"}, False),
        ("Buying", {"provider": "telnova", "numbers": ["12125550123"], "group": "g"}, False),
        ("Buying", {"provider": " ", "numbers": ["+12125550123"], "group": "g"}, False),
        ("Buying", {"provider": "telnova", "numbers": ["+12125550123"], "group": "g", "colour": 1}, False),
        ("Attaching", {"numbers": ["+12125550123"], "miniAppId": "m", "locale": "en-US"}, True),
        ("Attaching", {"numbers": ["+12125550123"], "miniAppId": "m", "locale": "en_US"}, False),
        ("SetChange", {"name": "Lobby"}, True),
        ("SetChange", {"name": None}, False),
        ("SetChange", {}, False),
        ("Search", {"page": 1, "orderBy": "number"}, True),
        ("Search", {"page": 0}, False),
        ("Search", {"orderBy": "colour"}, False),
        ("Wanted", {"provider": "telnova", "code": "us", "group": "g"}, False),
    ],
)
def test_the_document_says_what_the_client_checks(schema: str, value: dict[str, Any], fits: bool) -> None:
    validator = Draft202012Validator(resolved(DOCUMENT["components"]["schemas"][schema]))

    assert validator.is_valid(value) is fits
