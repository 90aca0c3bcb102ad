"""The operations as an OpenAPI 3.1 document, with what the vendor's page leaves open settled as the client reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.alias_generators import to_camel

from ocp_numbers.client.auth import PersonalTokenAuth
from ocp_numbers.client.numbers import Numbers
from ocp_numbers.client.operations import OPERATIONS, Operation
from ocp_numbers.client.payloads import CsvFile, Listing, Number, Payload
from ocp_numbers.client.sets import Sets
from ocp_numbers.client.settings import ENVIRONMENTS
from ocp_numbers.client.translation import ERRORS
from ocp_numbers.errors import ApiError, BadRequest, ServerFault
from ocp_numbers.models import Answer, Outcome

Schema = dict[str, Any]

FAILURES: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    **{status: kind for status, kind in ERRORS.items() if kind is not ServerFault},
    **dict.fromkeys((500, 502, 503, 504), ServerFault),
}
"""The failures that the vendor lists for every call, and what the client makes of each."""

RESOURCES = {"numbers": Numbers, "sets": Sets}
_REFERENCE = "#/components/schemas/{model}"


def document() -> Schema:
    """The contract, as values that are written as JSON."""
    inputs = [(row.name, "validation", row.adapter) for row in OPERATIONS.values()]
    answers, found = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE)  # type: ignore[arg-type]
    schemas = {name: _plain(schema) for name, schema in found["$defs"].items()}
    for model in _models(Answer):
        if schema := schemas.get(re.sub(r"\W", "_", model.__name__)):
            _require_what_is_documented(model, schema)
    schemas |= {model.__name__: _request_schema(model) for model in _bodies()}
    paths: dict[str, Schema] = {}
    for row in OPERATIONS.values():
        answer = _plain(answers[row.name, "validation"])
        paths.setdefault(spoken_path(row), {})[row.method.lower()] = _operation(row, answer)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Numbers API of the Omilia Cloud Platform",
            "version": version("airflow-provider-ocp-numbers"),
            "description": (
                "What this client sends and what it understands. Made from its table of operations; x-effect says what "
                "an operation does to the world, x-access what a connection must allow for it."
            ),
        },
        "servers": [{"url": f"{place.host}/integrations", "description": name} for name, place in ENVIRONMENTS.items()],
        "security": [{"login": []}, {"personalAccessToken": []}],
        "tags": [{"name": name, "description": _said(kind)} for name, kind in RESOURCES.items()],
        "paths": paths,
        "components": {
            "schemas": schemas | {"Failure": _FAILURE},
            "responses": {str(status): _failure(kind) for status, kind in FAILURES.items()},
            "securitySchemes": _SECURITY,
        },
    }


def spoken_path(row: Operation[Any]) -> str:
    """The path with its fields as the vendor spells them."""
    return re.sub(r"\{(\w+)\}", lambda field: f"{{{to_camel(field[1])}}}", row.path)


def _operation(row: Operation[Any], answer: Schema) -> Schema:
    resource, _, method = row.name.partition(".")
    described: Schema = {
        "operationId": row.name,
        "tags": [resource],
        "summary": _said(getattr(RESOURCES[resource], method)),
        "x-effect": row.effect.name,
        "x-access": row.effect.needs,
        "responses": {"200": _success(row, answer)},
    }
    parameters = [_path_parameter(field) for field in row.path_fields]
    if row.payload is Listing:
        parameters += _query(row.payload)
    elif row.payload is not None:
        described["requestBody"] = _body(row.payload)
    if parameters:
        described["parameters"] = parameters
    if row.may_be_empty:
        described["responses"]["204"] = {"description": "Done; there is nothing to say."}
    described["responses"] |= {str(status): {"$ref": f"#/components/responses/{status}"} for status in FAILURES}
    return described


def _bodies() -> list[type[Payload]]:
    """The payloads that are sent as a body."""
    return [row.payload for row in OPERATIONS.values() if row.payload is not None and row.payload is not Listing]


def _success(row: Operation[Any], answer: Schema) -> Schema:
    if row.may_be_single:
        answer = {"anyOf": [answer, answer["items"]]}
    content = {"application/json": {"schema": answer}}
    if row.answer is str:
        content["text/csv"] = {"schema": answer}
    refusal = "; success: false is a failure all the same" if row.answer is Outcome else ""
    response: Schema = {"description": f"The answer{refusal}.", "content": content}
    if row.name == "sets.create":
        response["links"] = {
            other.name: {"operationId": other.name, "parameters": {"setId": "$response.body#/id"}}
            for other in OPERATIONS.values()
            if "set_id" in other.path_fields
        }
    return response


def _path_parameter(field: str) -> Schema:
    schema = TypeAdapter(Number).json_schema() if field == "number" else {"type": "string", "minLength": 1}
    return {"name": to_camel(field), "in": "path", "required": True, "schema": schema}


def _query(payload: type[BaseModel]) -> list[Schema]:
    """Parameters of the query, which cannot be null."""
    properties = _request_schema(payload)["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": next(iter(schema.get("anyOf", [schema])))}
        for name, schema in properties.items()
    ]


def _body(payload: type[BaseModel]) -> Schema:
    if payload is CsvFile:
        form = {"schema": {"$ref": _reference(payload)}, "encoding": {CsvFile.part: {"contentType": "text/csv"}}}
        return {"required": True, "content": {"multipart/form-data": form}}
    return {"required": True, "content": {"application/json": {"schema": {"$ref": _reference(payload)}}}}


def _request_schema(payload: type[BaseModel]) -> Schema:
    if payload is CsvFile:
        part = {"type": "string", "contentMediaType": "text/csv"}
        return {"type": "object", "properties": {CsvFile.part: part}, "required": [CsvFile.part]}
    schema: Schema = _plain(payload.model_json_schema(ref_template=_REFERENCE))
    return schema


def _require_what_is_documented(model: type[Answer], schema: Schema) -> None:
    """Put every documented field into the schema of an answer, in each of its spellings, and require it."""
    required, either = [], []
    for name in model.model_fields:
        spellings = model.spellings(name)
        for spelling in spellings[1:]:
            schema["properties"][spelling] = schema["properties"][spellings[0]]
        if name in model.sometimes:
            continue
        if len(spellings) == 1:
            required.append(spellings[0])
        else:
            either.append([{"required": [spelling]} for spelling in spellings])
    schema["required"] = required
    for choices in either:
        schema.setdefault("allOf", []).append({"anyOf": choices})


def _models(base: type[Answer]) -> list[type[Answer]]:
    return [model for each in base.__subclasses__() for model in (each, *_models(each))]


def _plain(schema: Any) -> Any:
    """A schema as the API means it: without what pydantic adds for Python."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain: Schema = {
        name: {key: _plain(value) for key, value in inner.items()} if name == "properties" else _plain(inner)
        for name, inner in schema.items()
        if name not in ("title", "default")
    }
    if "description" in plain:
        plain["description"] = _prose(plain["description"])
    kinds = plain.get("anyOf", [])
    if any(kind.get("type") == "number" for kind in kinds):
        plain["anyOf"] = [kind for kind in kinds if kind.get("type") != "string"]  # a decimal's other notation
    return plain


def _failure(kind: type[ApiError]) -> Schema:
    return {
        "description": _said(kind),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
        "x-error": kind.__name__,
    }


def _reference(model: type[BaseModel]) -> str:
    return _REFERENCE.format(model=model.__name__)


def _said(thing: object) -> str:
    """The first sentence of a docstring."""
    return _prose(" ".join((thing.__doc__ or "").split()).partition(". ")[0].rstrip(".") + ".")


def _prose(text: str) -> str:
    """reStructuredText as Markdown."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")


_FAILURE: Schema = {
    "description": "What went wrong, in the platform's own words.",
    "type": "object",
    "properties": {"success": {"const": False}, "message": {"type": "string"}},
}
_SECURITY: Schema = {
    "login": {
        "type": "oauth2",
        "description": (
            "OpenID Connect with name and password, and a one-time code where it is enforced. Each environment has a "
            "token endpoint of its own; this is the one of EU1."
        ),
        "flows": {
            "password": {
                "tokenUrl": f"{ENVIRONMENTS['EU1'].token_host}/auth/realms/master/protocol/openid-connect/token",
                "scopes": {},
            }
        },
    },
    "personalAccessToken": {"type": "apiKey", "in": "header", "name": PersonalTokenAuth.HEADER},
}
