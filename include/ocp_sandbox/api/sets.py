"""Phone number sets."""

from __future__ import annotations

from ocp_sandbox import validation as check
from ocp_sandbox.api.call import Call, Route
from ocp_sandbox.api.changing import ATTACH, done
from ocp_sandbox.api.listing import found_number
from ocp_sandbox.messages import Refusal, Response, answer
from ocp_sandbox.rules import sets
from ocp_sandbox.validation import Field


def create(call: Call) -> Response:
    """Makes an empty set."""
    with call.session() as session:
        return answer(sets.create(session, call.fields["name"], call.fields["groupId"]))


def list_sets(call: Call) -> Response:
    """The sets that this login may see, of one group when the path names one."""
    with call.session() as session:
        return answer(sets.in_sight(session, call.path.get("groupId")))


def get(call: Call) -> Response:
    """One set."""
    with call.session() as session:
        return answer(sets.one(session, call.path["setId"]))


def change(call: Call) -> Response:
    """Renames a set or gives it to another group."""
    if not call.fields:
        raise Refusal(400, "groupId, name: both missing; give at least one of them")
    with call.session() as session:
        sets.change(session, call.path["setId"], call.fields.get("name"), call.fields.get("groupId"))
    return done(f"Set {call.path['setId']} updated")


def content(call: Call) -> Response:
    """The numbers in a set, all at once."""
    with call.session() as session:
        rows = sets.members(session, session.number_set(call.path["setId"]))
        return answer([found_number(row) for row in call.store.numbers(row["id"] for row in rows)])


def put_in(call: Call) -> Response:
    """Puts numbers into a set."""
    with call.session() as session:
        sets.put_in(session, call.path["setId"], call.fields["numbers"])
    return done(f"{len(call.fields['numbers'])} number(s) added to set {call.path['setId']}")


def take_out(call: Call) -> Response:
    """Takes numbers out of a set."""
    with call.session() as session:
        sets.take_out(session, call.path["setId"], call.fields["numbers"])
    return done(f"{len(call.fields['numbers'])} number(s) removed from set {call.path['setId']}")


def attach(call: Call) -> Response:
    """Binds a set's numbers to a miniApp."""
    fields = call.fields
    with call.session() as session:
        count = sets.attach(
            session,
            call.path["setId"],
            fields.get("numbers"),
            fields["miniAppId"],
            fields["locale"],
            fields.get("applicationTag"),
        )
    return done(f"{count} number(s) attached to {fields['miniAppId']}")


def detach(call: Call) -> Response:
    """Frees a set's numbers from their miniApps."""
    with call.session() as session:
        count = sets.detach(session, call.path["setId"])
    return done(f"{count} number(s) detached")


def release(call: Call) -> Response:
    """Gives up the purchased numbers in a set for good."""
    with call.session() as session:
        count = sets.release(session, call.path["setId"])
    return done(f"{count} purchased number(s) deleted")


def delete(call: Call) -> Response:
    """Takes a set away."""
    with call.session() as session:
        sets.delete(session, call.path["setId"])
    return done(f"Set {call.path['setId']} deleted")


_CREATE = {"name": Field(check.name, required=True), "groupId": Field(check.name, required=True)}
_CHANGE = {"groupId": Field(check.name), "name": Field(check.name)}
_NUMBERS = {"numbers": Field(check.numbers, required=True)}
ROUTES = (
    Route("POST", "/api/numbers-set", create, body="json", shape=_CREATE),
    Route("GET", "/api/numbers-set", list_sets, "reader"),
    Route("GET", "/api/numbers-set/group/{groupId}", list_sets, "reader"),
    Route("GET", "/api/numbers-set/{setId}", get, "reader"),
    Route("PATCH", "/api/numbers-set/{setId}", change, body="json", shape=_CHANGE),
    Route("GET", "/api/numbers-set/{setId}/numbers", content, "reader"),
    Route("POST", "/api/numbers-set/{setId}/numbers", put_in, body="json", shape=_NUMBERS),
    Route("DELETE", "/api/numbers-set/{setId}/numbers", take_out, body="json", shape=_NUMBERS),
    Route("PUT", "/api/numbers-set/{setId}/attach", attach, body="json", shape=ATTACH),
    Route("PUT", "/api/numbers-set/{setId}/detach", detach),
    Route("DELETE", "/api/numbers-set/{setId}/delete", release),
    Route("DELETE", "/api/numbers-set/{setId}", delete),
)
