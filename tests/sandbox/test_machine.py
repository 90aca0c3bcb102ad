"""Random histories against a model of a few lines: whatever is done in whatever order, the books agree."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ocp_sandbox import Sandbox, Settings, User
from ocp_sandbox.messages import Request

GROUPS = ("retail-us", "ocp-qa", "banking-eu")
OFFERED = {f"+1212555{place:04}": Decimal(place % 4) / 2 for place in range(8)}
DIRECT = tuple(f"+1305555{place:04}" for place in range(4))
UNKNOWN = "+15550000000"

some = st.lists(st.sampled_from([*OFFERED, *DIRECT, UNKNOWN]), min_size=1, max_size=4, unique=True)
group_ids = st.sampled_from(GROUPS)
places = st.integers(0, 2)


@dataclass(frozen=True)
class Number:
    group: str
    purchased: bool
    app: str | None = None
    locale: str | None = None
    note: str | None = None
    home: str | None = None


class Platform(RuleBasedStateMachine):
    """What the rules say must happen, beside what the sandbox does; statuses and states must be the same."""

    @initialize()
    def begin(self) -> None:
        self.box = Sandbox(Settings(numbers=0, stock=0, users=[User("ops", "secret", pat="pat")]))
        for number, price in OFFERED.items():
            self.box.edit.add_offer(number, "telnova", "US", price)
        self.apps = [app["id"] for app in self.box.miniapps()[:2]]
        self.owned: dict[str, Number] = {}
        self.sold: Counter[str] = Counter()
        self.sets: dict[str, tuple[str, str]] = {}
        self.released = 0

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"x-ocp-personal-access-token": "pat", "content-type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        response = self.box.application.handle(Request(method, f"/integrations/api/{path}", headers, data))
        return response.status, json.loads(response.body)

    def some_set(self, place: int) -> str:
        return sorted(self.sets)[place % len(self.sets)] if self.sets else "none"

    def change(self, numbers: list[str], **fields: Any) -> None:
        self.owned |= {number: replace(self.owned[number], **fields) for number in numbers}

    def known(self, numbers: list[str]) -> bool:
        return self.owned.keys() >= set(numbers)

    def members(self, set_id: str) -> list[str]:
        return sorted(number for number, row in self.owned.items() if row.home == set_id)

    @rule(numbers=some, group=group_ids, note=st.text(max_size=5))
    def buy(self, numbers: list[str], group: str, note: str) -> None:
        wish = {"provider": "telnova", "numbers": numbers, "group": group, "note": note}
        status, answer = self.call("PUT", "numbers", wish)
        fit = [number for number in numbers if number in OFFERED and not self.sold[number] and number not in self.owned]
        assert status == 200
        assert [bought["number"] for bought in answer["purchasedNumbers"]] == fit
        assert answer["failedNumbers"] == [number for number in numbers if number not in fit]
        self.sold.update(fit)
        self.owned |= {number: Number(group, True, note=note) for number in fit}

    @rule(numbers=some, group=group_ids)
    def add(self, numbers: list[str], group: str) -> None:
        status, _ = self.call("POST", "numbers/direct", {"numbers": numbers, "group": group})
        assert status == (409 if self.owned.keys() & set(numbers) else 200)
        if status == 200:
            self.owned |= {number: Number(group, False) for number in numbers}

    @rule(number=st.sampled_from([*OFFERED, *DIRECT]))
    def delete(self, number: str) -> None:
        status, _ = self.call("DELETE", f"numbers/delete/%2B{number[1:]}")
        row = self.owned.get(number)
        assert status == (404 if row is None else 409 if row.purchased else 200)
        if status == 200:
            del self.owned[number]

    @rule(numbers=some, group=group_ids)
    def move(self, numbers: list[str], group: str) -> None:
        status, _ = self.call("PUT", "numbers/group", {"numbers": numbers, "group": group})
        rows = [self.owned[number] for number in numbers if number in self.owned]
        held = any(row.home and row.group != group for row in rows)
        assert status == (404 if not self.known(numbers) else 409 if held else 200)
        if status == 200:
            self.change(numbers, group=group)

    @rule(numbers=some, place=places)
    def attach(self, numbers: list[str], place: int) -> None:
        app = [*self.apps, "no.app"][place]
        status, _ = self.call("PUT", "numbers/attach", {"numbers": numbers, "miniAppId": app, "locale": "en-US"})
        assert status == (200 if app in self.apps and self.known(numbers) else 404)
        if status == 200:
            self.change(numbers, app=app, locale="en-US")

    @rule(numbers=some)
    def detach(self, numbers: list[str]) -> None:
        status, _ = self.call("PUT", "numbers/detach", {"numbers": numbers})
        assert status == (200 if self.known(numbers) else 404)
        if status == 200:
            self.change(numbers, app=None, locale=None)

    @rule(number=st.sampled_from([*OFFERED, *DIRECT]), note=st.text(max_size=20))
    def annotate(self, number: str, note: str) -> None:
        status, _ = self.call("PUT", "number/note", {"number": number, "note": note})
        assert status == (200 if number in self.owned else 404)
        if status == 200:
            self.change([number], note=note)

    @rule(name=st.sampled_from(["a", "b"]), group=group_ids)
    def create_set(self, name: str, group: str) -> None:
        status, answer = self.call("POST", "numbers-set", {"name": name, "groupId": group})
        assert status == (409 if (name, group) in self.sets.values() else 200)
        if status == 200:
            self.sets[answer["id"]] = (name, group)

    @rule(place=places, name=st.sampled_from(["a", "b", None]), group=st.sampled_from([*GROUPS, None]))
    def change_set(self, place: int, name: str | None, group: str | None) -> None:
        set_id = self.some_set(place)
        status, _ = self.call("PATCH", f"numbers-set/{set_id}", {"name": name, "groupId": group})
        if name is group is None:
            assert status == 400
        elif set_id not in self.sets:
            assert status == 404
        else:
            wanted = (name or self.sets[set_id][0], group or self.sets[set_id][1])
            taken = wanted in [self.sets[other] for other in self.sets if other != set_id]
            assert status == (409 if taken else 200)
            if status == 200:
                self.sets[set_id] = wanted
                self.change(self.members(set_id), group=wanted[1])

    @rule(place=places, numbers=some)
    def put_in(self, place: int, numbers: list[str]) -> None:
        set_id = self.some_set(place)
        status, _ = self.call("POST", f"numbers-set/{set_id}/numbers", {"numbers": numbers})
        if set_id not in self.sets or not self.known(numbers):
            assert status == 404
            return
        rows = [self.owned[number] for number in numbers]
        fit = all(row.group == self.sets[set_id][1] and row.home in (None, set_id) for row in rows)
        assert status == (200 if fit else 409)
        if fit:
            self.change(numbers, home=set_id)

    @rule(place=places, numbers=some)
    def take_out(self, place: int, numbers: list[str]) -> None:
        set_id = self.some_set(place)
        status, _ = self.call("DELETE", f"numbers-set/{set_id}/numbers", {"numbers": numbers})
        assert status == (200 if set_id in self.sets and self.known(numbers) else 404)
        if status == 200:
            self.change([number for number in numbers if self.owned[number].home == set_id], home=None)

    @rule(place=places, attached=st.booleans())
    def bind_set(self, place: int, attached: bool) -> None:
        set_id = self.some_set(place)
        if attached:
            body = {"miniAppId": self.apps[0], "locale": "en-GB"}
            status, _ = self.call("PUT", f"numbers-set/{set_id}/attach", body)
        else:
            status, _ = self.call("PUT", f"numbers-set/{set_id}/detach")
        assert status == (200 if set_id in self.sets else 404)
        self.change(self.members(set_id), app=self.apps[0] if attached else None, locale="en-GB" if attached else None)

    @rule(place=places)
    def release(self, place: int) -> None:
        set_id = self.some_set(place)
        status, _ = self.call("DELETE", f"numbers-set/{set_id}/delete")
        assert status == (200 if set_id in self.sets else 404)
        for number in self.members(set_id):
            if self.owned[number].purchased:
                del self.owned[number]
                self.released += 1

    @rule(place=places)
    def delete_set(self, place: int) -> None:
        set_id = self.some_set(place)
        status, _ = self.call("DELETE", f"numbers-set/{set_id}")
        assert status == (200 if set_id in self.sets else 404)
        self.change(self.members(set_id), home=None)
        self.sets.pop(set_id, None)

    @invariant()
    def the_ledger_adds_up_and_no_number_was_bought_twice(self) -> None:
        totals = self.box.ledger()["totals"]
        assert max(self.sold.values(), default=0) <= 1
        assert (totals["bought"], totals["released"]) == (sum(self.sold.values()), self.released)
        assert Decimal(totals["spent"]) == sum(OFFERED[number] for number in self.sold)

    @invariant()
    def the_list_shows_the_model(self) -> None:
        status, page = self.call("GET", "numbers?orderBy=number&pageSize=100")
        assert status == 200
        assert page["allNumbers"] == len(self.owned)
        shown = {
            row["number"]: (row["groupId"], row["miniAppId"], row["locale"], row["note"], row["phoneNumbersSetId"])
            for row in page["numbers"]
        }
        assert list(shown) == sorted(self.owned)
        assert shown == {
            number: (row.group, row.app, row.locale, row.note, row.home) for number, row in self.owned.items()
        }

    @invariant()
    def sets_count_their_members(self) -> None:
        _, sets = self.call("GET", "numbers-set")
        assert {row["id"]: (row["name"], row["groupId"]) for row in sets} == self.sets
        for row in sets:
            _, content = self.call("GET", f"numbers-set/{row['id']}/numbers")
            assert [each["number"] for each in content] == self.members(row["id"])
            assert row["phoneNumberCount"] == len(content)

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.box.stop()


TestPlatform = Platform.TestCase
TestPlatform.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
