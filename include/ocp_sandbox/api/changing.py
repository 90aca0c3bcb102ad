"""Buying numbers and changing those of the inventory."""

from __future__ import annotations

from ocp_sandbox import validation as check
from ocp_sandbox.api.call import Call, Route
from ocp_sandbox.messages import Response, answer, listed
from ocp_sandbox.rules import inventory, purchase
from ocp_sandbox.validation import Field


def done(message: str) -> Response:
    """The answer of a change that took effect."""
    return answer({"success": True, "message": message})


def available(call: Call) -> Response:
    """What is on offer; this only reads."""
    with call.session() as session:
        fields = call.fields
        return answer(
            purchase.offers(session, fields["provider"], fields["code"], fields["group"], fields.get("prefix", ""))
        )


def buy(call: Call) -> Response:
    """Spends money."""
    with call.session() as session:
        fields = call.fields
        return answer(purchase.buy(session, fields["provider"], fields["numbers"], fields["group"], fields.get("note")))


def move(call: Call) -> Response:
    """Gives numbers to another group."""
    with call.session() as session:
        inventory.move(session, call.fields["numbers"], call.fields["group"])
    return done(f"Group of {len(call.fields['numbers'])} number(s) updated to {call.fields['group']}")


def attach(call: Call) -> Response:
    """Binds numbers to a miniApp; without numbers there is nothing to bind."""
    numbers = call.fields.get("numbers", [])
    with call.session() as session:
        fields = call.fields
        inventory.attach(session, numbers, fields["miniAppId"], fields["locale"], fields.get("applicationTag"))
    return done(f"{len(numbers)} number(s) attached to {call.fields['miniAppId']}")


def detach(call: Call) -> Response:
    """Frees numbers from their miniApps."""
    with call.session() as session:
        inventory.detach(session, call.fields["numbers"])
    return done(f"{len(call.fields['numbers'])} number(s) detached")


def annotate(call: Call) -> Response:
    """Replaces a number's note."""
    with call.session() as session:
        inventory.annotate(session, call.fields["number"], call.fields["note"])
    return done(f"Note of {call.fields['number']} updated")


def add(call: Call) -> Response:
    """Enters numbers that were bought elsewhere."""
    fields = call.fields
    with call.session() as session:
        inventory.add(
            session,
            fields["numbers"],
            fields["group"],
            country=fields.get("country"),
            mini_app_id=fields.get("miniAppId"),
            locale=fields.get("locale"),
            log_ani=fields.get("logAni", True),
            log_dnis=fields.get("logDnis", True),
            note=fields.get("note"),
            tag=fields.get("applicationTag"),
        )
    return done(f"Added {listed(fields['numbers'])}")


def delete(call: Call) -> Response:
    """Takes a number out of the database."""
    number = call.path["number"]
    check.check({"number": number}, {"number": Field(check.number)})
    with call.session() as session:
        inventory.delete(session, number)
    return done(f"Number {number} deleted")


_NUMBERS = Field(check.numbers, required=True)
_NAME = Field(check.name, required=True)
ATTACH = {
    "numbers": Field(check.numbers),
    "miniAppId": _NAME,
    "locale": Field(check.locale, required=True),
    "applicationTag": Field(check.text),
}
_AVAILABLE = {
    "provider": _NAME,
    "prefix": Field(check.prefix),
    "code": Field(check.country, required=True),
    "group": _NAME,
}
_BUY = {"provider": _NAME, "numbers": _NUMBERS, "group": _NAME, "note": Field(check.text)}
_NOTE = {"number": Field(check.number, required=True), "note": Field(check.text, required=True)}
_ADD = {
    "numbers": _NUMBERS,
    "group": _NAME,
    "country": Field(check.country),
    "miniAppId": Field(check.name),
    "locale": Field(check.locale),
    "logAni": Field(check.boolean),
    "logDnis": Field(check.boolean),
    "note": Field(check.text),
    "applicationTag": Field(check.text),
}
ROUTES = (
    Route("POST", "/api/numbers", available, "reader", "json", _AVAILABLE),
    Route("PUT", "/api/numbers", buy, body="json", shape=_BUY),
    Route("PUT", "/api/numbers/group", move, body="json", shape={"numbers": _NUMBERS, "group": _NAME}),
    Route("PUT", "/api/numbers/attach", attach, body="json", shape=ATTACH),
    Route("PUT", "/api/numbers/detach", detach, body="json", shape={"numbers": _NUMBERS}),
    Route("PUT", "/api/number/note", annotate, body="json", shape=_NOTE),
    Route("POST", "/api/numbers/direct", add, body="json", shape=_ADD),
    Route("DELETE", "/api/numbers/delete/{number}", delete),
)
