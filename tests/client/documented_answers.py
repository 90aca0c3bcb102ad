"""An answer to each operation, as the vendor's page shows it."""

from __future__ import annotations

from typing import Any

from ocp_numbers.client import OPERATIONS

LISTED = {
    "number": "+12125550101",
    "country": "US",
    "groupId": "ocp-qa",
    "miniAppId": "3781.Front_desk.Flow",
    "miniAppName": "Front_desk",
    "miniAppType": "Flow",
    "miniAppDiamantAppName": "ocp-qa@Front_desk",
    "miniAppGroup": "ocp-qa",
    "locale": "en-US",
    "note": "night shift",
    "applicationTag": None,
    "phoneNumbersSetId": "s-1",
    "phoneNumbersSetName": "Lobby",
}
FOUND = {name: value for name, value in LISTED.items() if "Set" not in name} | {"phoneNumberSetId": "s-1"}
SHEET = {"page": 1, "pageSize": 50, "numberOfPages": 1, "allNumbers": 1}
SET = {"id": "s-1", "name": "Lobby", "groupId": "ocp-qa", "phoneNumberCount": 3}
DONE = {"success": True, "message": "done"}
RECORDED: dict[str, Any] = {
    "numbers.list": {"numbers": [LISTED], **SHEET},
    "numbers.search_available": [
        {"number": "+12125550102", "country": "US", "locality": "New York", "region": "NY", "price": 1}
    ],
    "numbers.buy": {
        "failedNumbers": ["+12125550103"],
        "purchasedNumbers": [{"number": "+12125550104", "id": "p-1"}],
    },
    "numbers.search": {"numbers": [FOUND], **SHEET},
    "sets.create": SET,
    "sets.list": [SET],
    "sets.list_for_group": [SET],
    "sets.get": SET,
    "sets.numbers": [FOUND],
}
ANSWERS = {name: RECORDED.get(name, DONE) for name, operation in OPERATIONS.items() if operation.answer is not str}
