"""The document tried on a platform: for one operation, requests that fit it and requests that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from ocp_numbers.client import OPERATIONS
from ocp_numbers.client.drift import drifts
from ocp_numbers.contract import document
from ocp_sandbox import Sandbox
from ocp_sandbox.seed import PROVIDERS

AnyOperation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[AnyOperation]

TOKEN = "pat-0123456789abcdef"
FITTING, UNFITTING = GenerationMode("positive"), GenerationMode("negative")
CSV_HEAD = "OPERATION,NUMBER,NOTE"


def departs_in_nothing(ctx: CheckContext, response: Response, case: AnyCase) -> None:
    """An answer has exactly the documented fields: the client would count anything else as drift."""
    row = OPERATIONS[name_of(case.operation)]
    if response.status_code == 200 and row.answer is not str and "json" in response.headers["content-type"][0]:
        found = list(drifts(row, response.json()))
        assert not found, ", ".join(map(str, found))


def name_of(operation: AnyOperation) -> str:
    return str(operation.definition.raw["operationId"])


CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
    checks.ignored_auth,
    departs_in_nothing,
]


class PlusEncoded(HTTPAdapter):
    """Sends the ``+`` of a number in a path as the platform wants it, which no OpenAPI document can say."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        path, mark, query = str(request.url).partition("?")
        request.url = path.replace("+", "%2B") + mark + query
        return super().send(request, *args, **options)


@dataclass
class Visit:
    """Somebody with all rights who tries the document on ``sandbox``; ``statuses`` counts the answers."""

    sandbox: Sandbox
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.schema = schemathesis.openapi.from_dict(document())
        self.schema.config.update(base_url=f"{self.sandbox.url}/integrations")
        self.headers = {"X-OCP-PERSONAL-ACCESS-TOKEN": TOKEN}
        self.session = requests.Session()
        self.session.mount("http://", PlusEncoded())

    def make(self, name: str, mode: GenerationMode, *, requests: int) -> None:
        """Send ``requests`` requests of an operation and check every answer.

        :raises FailureGroup: naming what does not fit, with the request.
        """
        operations = (found.ok() for found in self.schema.get_all_operations() if isinstance(found, Ok))
        operation = next(each for each in operations if name_of(each) == name)
        known = self._known(name)

        @given(operation.as_strategy(generation_mode=mode), st.data())
        @settings(
            max_examples=requests,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            deadline=None,
            database=None,
        )
        def send(case: AnyCase, data: st.DataObject) -> None:
            if mode is FITTING:
                for part in (case.path_parameters, case.body):
                    if isinstance(part, dict):
                        part.update(data.draw(real(part, known)))
            else:
                assume(is_unfitting_when_sent(case))
            response = case.call(headers=self.headers, session=self.session)
            self.statuses[name, response.status_code] += 1
            case.validate_response(response, checks=CHECKS, headers=self.headers)

        send()

    def _known(self, name: str) -> dict[str, Sequence[Any]]:
        """What there is on the platform, by the name of the field that takes it."""
        rows, sets = self.sandbox.numbers(), self.sandbox.sets()
        if name in ("numbers.delete", "numbers.update_group"):
            rows = [row for row in rows if not (row["miniAppId"] or row["setId"] or row["purchased"])]
        elif name == "sets.add_numbers":  # a set takes numbers of its own group
            sets = sets[:1]
            rows = [row for row in rows if row["groupId"] == sets[0]["groupId"]]
        owned = [row["number"] for row in rows]
        offered = [row["number"] for row in self.sandbox.stock("telnova", "US")]
        numbers = offered if name == "numbers.buy" else owned
        files = [
            f"{CSV_HEAD}\r\n{operation},{number},lobby\r\n" for number in owned for operation in ("Update", "Detach")
        ]
        return {
            "provider": PROVIDERS,
            "code": ["US"],
            "group": self.sandbox.groups(),
            "groupId": self.sandbox.groups(),
            "miniAppId": [app["id"] for app in self.sandbox.miniapps()],
            "setId": [each["id"] for each in sets],
            "number": numbers,
            "numbers": [[number] for number in numbers],
            "File": files,
        }


def is_unfitting_when_sent(case: AnyCase) -> bool:
    """A list of one, unfitting in a query by its type, cannot be told from its item on the wire; nor one of none from
    nothing.
    """
    return not any(isinstance(value, list) and len(value) < 2 for value in (case.query or {}).values())


def real(fields: dict[str, Any], known: dict[str, Sequence[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """For most of ``fields``, something that exists: what exists nowhere is answered by 404 only."""
    there = {name: st.sampled_from(known[name]) for name in fields if known.get(name)}
    return st.fixed_dictionaries(
        {
            name: found if name == "File" else st.one_of(found, found, found, st.just(fields[name]))
            for name, found in there.items()
        }
    )
