"""A plan says what would change and what cannot be, all of it at once, and changes nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from bulk.conftest import MakeScene
from bulk.scene import ENVIRONMENT, Scene, table
from ocp_numbers.bulk import ChangePlan, Limits, load_plan, looking, planning, pricing
from ocp_numbers.bulk.page import page, subject, summary
from ocp_numbers.client import OcpClient
from ocp_numbers.errors import IncompleteSnapshot, InvalidInput, OverBudget, PlanChanged
from ocp_sandbox import Fault


def refusal(scene: Scene, *wishes: dict[str, str]) -> str:
    with pytest.raises(InvalidInput) as refused:
        scene.plan(wishes)
    assert scene.writes() == []
    return "\n".join(refused.value.problems)


class TestFaults:
    def test_of_cells_and_of_numbers_are_named_together_and_all_listed(self, scene: Scene) -> None:
        found = refusal(
            scene,
            scene.wish("Frobnicate", "free"),
            scene.wish("Update", "+12125559999", NOTE="desk"),
            scene.wish("Attach", "free", MINIAPP_ID=scene.sales),
            scene.wish("Delete", "in front"),
            scene.wish("Attach", "+12125559998", MINIAPP_ID=scene.sales, LOCALE="en-US"),
        )
        assert "upload: faults: 5. Nothing was changed." in found
        assert "row 6, NUMBER: '+12125559998' is not in the inventory" in found
        assert "row 2, OPERATION: 'Frobnicate' is none of Create, Update" in found
        assert "row 3, NUMBER: '+12125559999' is not in the inventory; correct it, or write Create" in found
        assert "row 4, LOCALE: is missing" in found
        assert "row 5, NUMBER: '+12125550003' is in the set front; take it out first, by Update" in found

    def test_are_capped_in_the_message_and_whole_in_a_file(self, scene: Scene) -> None:
        wishes = [scene.wish("Update", f"+1646555{place:04}", NOTE="=evil()") for place in range(130)]
        found = refusal(scene, *wishes)
        assert found.count("is not in the inventory") == 20
        where = f"bulk/environment={ENVIRONMENT}/run/faults.csv"
        assert f"and 110 more; all 130 are in {where} of the data root" in found
        lines = (scene.root.read(where) or b"").decode("utf-8-sig").splitlines()
        assert len(lines) == 131
        assert lines[1].startswith("2,+16465550000,NUMBER,'+16465550000',\"is not in the inventory")

    def test_a_number_without_its_plus_that_is_not_there_may_be_half_a_number(self, scene: Scene) -> None:
        assert "its + was missing, so it may be half a number" in refusal(scene, scene.wish("Detach", "2125550000"))

    def test_of_rows_that_contradict_each_other_name_both(self, scene: Scene) -> None:
        found = refusal(
            scene,
            scene.wish("Update", "free", NOTE="desk"),
            scene.wish("Update", "free", NOTE="hall"),
            scene.wish("Detach", "attached"),
            scene.wish("Attach", "attached", MINIAPP_ID=scene.support, LOCALE="en-US"),
            scene.wish("Delete", "spare"),
            scene.wish("Update", "spare", NOTE="gone"),
        )
        assert "row 3: asks for another Update than row 2 of +12125550000" in found
        assert "row 5: asks for Attach, and row 4 for Detach of +12125550002" in found
        assert "row 7: asks for Update, and row 6 for Delete of +12125550006" in found

    @pytest.mark.parametrize(
        ("operation", "case", "cells", "why"),
        [
            ("Update", "attached", {"MINIAPP_ID": "another"}, "MINIAPP_ID: 'another' is not what OCP shows"),
            (
                "Attach",
                "free",
                {"NOTE": "last week's"},
                "NOTE: \"last week's\" is not what OCP shows ('lobby'), and Attach",
            ),
            ("Detach", "attached", {"MINIAPP_ID": "another"}, "Detach does not set it; blank the cell"),
            ("Delete", "spare", {"NOTE": "last week's"}, "Delete does not change it"),
            ("Update", "free", {"LOCALE": "en-US"}, "the number is attached to no miniApp; write Attach"),
            ("Update", "free", {"PHONE_NUMBER_SET_ID": "nowhere"}, "is not a set that this connection sees"),
            ("Update", "in front", {"GROUP_ID": "eu"}, "is in the set front, whose group decides; write PHONE_NUMBER"),
            ("Update", "free", {"NOTE": "mine [order 000000000000]"}, "is the stamp of an order that did not buy"),
            ("Delete", "attached", {}, "is attached to Sales; detach it first"),
            ("Delete", "kept", {}, "has the word 'keep' in its note"),
            (
                "Create",
                "free",
                {"GROUP_ID": "us", "NOTE": "x"},
                "is in the inventory already, in group us; write Update",
            ),
            ("Create", "+16465550001", {}, "GROUP_ID: is missing; a new number needs a group"),
            ("Create", "+16465550001", {"GROUP_ID": "us", "MINIAPP_ID": "a"}, "LOCALE: is missing"),
            ("Create", "+16465550001", {"GROUP_ID": "us", "LOCALE": "en-US"}, "is of use only with a miniApp"),
        ],
    )
    def test_name_the_field_the_value_and_the_fix(
        self, scene: Scene, operation: str, case: str, cells: dict[str, str], why: str
    ) -> None:
        assert why in refusal(scene, scene.wish(operation, case, **cells))

    def test_of_a_set_of_another_group(self, scene: Scene) -> None:
        wish = scene.wish("Update", "free", PHONE_NUMBER_SET_ID=scene.abroad)
        assert "belongs to group eu, and the number to us" in refusal(scene, wish)

    def test_can_be_passed_over_when_that_is_asked_for(self, scene: Scene) -> None:
        wishes = [scene.wish("Update", "free", NOTE="desk"), scene.wish("Delete", "kept")]
        plan = scene.plan(wishes, skip_faulty=True)
        assert (plan.total, plan.refused) == (1, 1)
        assert "'keep' in its note" in plan.first_refused[0]
        account = scene.apply(plan)
        assert (account.done, account.refused, account.left_alone, account.problem) == (1, 0, 1, None)
        assert account.summary.endswith("refused: 0; different: 0; left alone by the plan, see faults.csv: 1.")

    def test_of_a_table_that_is_cut_off_are_never_passed_over(self, scene: Scene) -> None:
        content = table(scene.wish("Update", "free", NOTE="desk")) + b'Update,"+1212'
        with pytest.raises(InvalidInput, match="Nothing behind it was read"):
            scene.plan(content, skip_faulty=True)

    def test_a_table_that_asks_for_nothing_is_one(self, scene: Scene) -> None:
        assert "OPERATION: is blank in all 1 rows" in refusal(scene, scene.wish("", "free"))


class TestPlan:
    def test_counts_what_is_so_already_repeated_or_asks_for_nothing(self, scene: Scene) -> None:
        plan = scene.plan(
            [
                scene.wish("Update", "free", NOTE="desk"),
                scene.wish("update", "free", NOTE="desk"),
                scene.wish("Update", "kept", NOTE="please keep"),
                scene.wish("Delete", "+16465550001"),
                scene.wish("", "attached", NOTE="ignored"),
            ]
        )
        assert plan.counts == {"update": 1}
        assert (plan.unchanged, plan.repeated, plan.without_operation) == (2, 1, 1)

    def test_an_export_with_a_few_edits_changes_just_those(self, scene: Scene) -> None:
        export = scene.client.numbers.export_csv(order_by="number").splitlines()
        header = export[0].split(",")
        rows = [dict(zip(header, line.split(","), strict=True)) | {"OPERATION": "Update"} for line in export[1:]]
        rows[0]["NOTE"] = "desk"
        plan = scene.plan(rows)
        assert [(change.number, change.after) for change in plan.first] == [(scene["free"], {"note": "desk"})]
        assert plan.unchanged == len(rows) - 1

    def test_says_that_a_blank_cell_is_no_wish(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="", GROUP_ID="us")])
        assert plan.total == 0
        assert "1 blank cells of Update stand where OCP has a note, a tag or a set" in plan.remarks[0]

    def test_is_the_same_for_the_same_and_another_for_another_value(self, scene: Scene) -> None:
        first, again = (scene.plan([scene.wish("Update", "free", NOTE="desk")]) for _ in range(2))
        other = scene.plan([scene.wish("Update", "free", NOTE="hall")])
        assert first.digest == again.digest != other.digest

    def test_is_found_again_by_its_digest_alone(self, scene: Scene) -> None:
        plan = scene.plan([scene.wish("Update", "free", NOTE="desk")])
        assert load_plan(scene.root, plan.key, digest=plan.digest) == plan
        for key, digest in ((plan.key, "0" * 64), ("bulk/elsewhere", plan.digest)):
            with pytest.raises(PlanChanged, match="Nothing was changed"):
                load_plan(scene.root, key, digest=digest)

    def test_of_many_numbers_is_read_off_the_listing_and_knows_their_places(self, scene: Scene) -> None:
        numbers = [f"+1646555{place:04}" for place in range(150)]
        for number in numbers:
            scene.sandbox.edit.add_number(number, "us")
        plan = scene.plan([scene.wish("Update", number, NOTE="desk") for number in reversed(numbers)])
        assert [change.place for change in plan.changes(scene.root)] == list(range(7, 157))
        searched = [call for call in scene.sandbox.calls() if call["path"].endswith("/search")]
        assert len(searched) <= 3

    def test_of_many_numbers_is_searched_where_the_listing_never_holds_still(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(planning, "FEW", 2)
        turns = []

        def moving(look: looking.Look) -> Iterator[list[looking.Seen]]:
            turns.append(look)
            yield [(row, place) for place, row in enumerate(scene.client.numbers.iterate()) if place < 2]
            raise IncompleteSnapshot("the listing moved")

        monkeypatch.setattr(looking.Look, "pages", moving)
        plan = scene.plan([scene.wish("Update", case, NOTE="desk") for case in ("free", "blank", "attached", "kept")])

        assert plan.counts == {"update": 4}
        assert len(turns) == looking.READINGS

    def test_of_many_numbers_is_read_page_by_page(self, make_scene: MakeScene) -> None:
        with make_scene() as scene:
            numbers = [f"+1646555{place:04}" for place in range(130)]
            for number in numbers:
                scene.sandbox.edit.add_number(number, "us")
            settings = scene.client.settings.model_copy(update={"page_size": 50})
            with OcpClient(settings) as client:
                pages = list(looking.Look(lambda: client).pages())
                found = looking.Look(lambda: client).find(numbers)

        assert [len(page) for page in pages] == [50, 50, len(scene.numbers) + 130 - 100]
        assert [place for page in pages for _, place in page] == list(range(len(scene.numbers) + 130))
        assert list(found) == numbers


class TestPage:
    def test_shows_before_and_after_what_is_final_and_the_digest(self, scene: Scene) -> None:
        plan = scene.plan(
            [
                scene.wish("Update", "free", NOTE="[click](http://evil)", PHONE_NUMBER_SET_ID=scene.front),
                scene.wish("Attach", "attached", MINIAPP_ID=scene.support, LOCALE="en-US"),
                scene.wish("Delete", "spare"),
            ]
        )
        shown = page(plan)
        assert "| **Delete from the database** | 1 | **no**" in shown
        assert "| **Take over from another miniApp**, which loses them | 1 | yes |" in shown
        assert "NOTE `lobby` → `[click](http://evil)`, PHONE_NUMBER_SET_ID empty → `front`" in shown
        assert "MINIAPP_ID `Sales" in shown
        assert f"Plan `{plan.digest[:12]}`" in shown
        assert subject(plan) == "Make 3 changes in ocp_default (1 deleted, 1 taken over)?"
        assert summary(plan) == "To do: 1 update, 1 attach, 1 delete; so already: 0; cannot be done: 0."
        assert plan.needs_a_person

    def test_what_can_be_taken_back_may_go_unasked(self, scene: Scene) -> None:
        assert not scene.plan([scene.wish("Update", "free", NOTE="desk")]).needs_a_person


class TestPurchases:
    def buying(self, scene: Scene, *places: int, **cells: str) -> list[dict[str, str]]:
        offers = sorted(scene.sandbox.stock("telnova", "US"), key=lambda offer: Decimal(offer["price"]))
        about = {"PROVIDER": "telnova", "GROUP_ID": "us", "COUNTRY": "US", **cells}
        return [scene.wish("Create", offers[place]["number"], **about) for place in places]

    def bought(self, scene: Scene) -> int:
        return int(scene.sandbox.ledger()["totals"]["bought"])

    def test_are_orders_with_exactly_these_numbers_at_these_prices(self, scene: Scene) -> None:
        plan = scene.plan(self.buying(scene, 0, 1, NOTE="desk", MINIAPP_ID=scene.sales, LOCALE="en-US"))
        prices = {offer["number"]: Decimal(offer["price"]) for offer in scene.sandbox.stock()}
        (order,) = plan.purchases
        assert {offer.number: offer.price for offer in order.offers} == {
            offer.number: prices[offer.number] for offer in order.offers
        }
        assert f"**Buy** from `telnova` for group `us`, at most {plan.cost:f} together | 2 | **no** |" in page(plan)

        account = scene.apply(plan)
        assert (account.done, account.bought, account.spent, account.problem) == (2, 2, plan.cost, None)
        for offer in order.offers:
            now = scene.now(offer.number)
            assert (now["miniAppId"], now["groupId"]) == (scene.sales, "us")
            assert now["note"].startswith("desk [order ")
        assert scene.apply(plan).done == 2
        assert self.bought(scene) == 2
        assert "PROVIDER" not in "".join(scene.files)

    def test_that_an_earlier_run_left_half_done_are_completed_by_the_same_table(self, scene: Scene) -> None:
        rows = self.buying(scene, 0, NOTE="desk", MINIAPP_ID=scene.sales, LOCALE="en-US")
        scene.sandbox.edit.add_number(rows[0]["NUMBER"], "us", note="[order 7f3a9c2e1b40]", purchased=True)
        plan = scene.plan(rows)
        assert (plan.counts, plan.bought) == ({"update": 1, "attach": 1}, 0)
        scene.apply(plan)
        now = scene.now(rows[0]["NUMBER"])
        assert (now["note"], now["miniAppId"]) == ("desk [order 7f3a9c2e1b40]", scene.sales)
        assert scene.plan(rows, run="again").unchanged == 1

    def test_need_both_limits(self, scene: Scene) -> None:
        with pytest.raises(InvalidInput, match=r"row 2, PROVIDER: 'telnova' buys a number; give max_unit_price and"):
            scene.plan(self.buying(scene, 0), limits=Limits(max_unit_price=Decimal(5)))

    @pytest.mark.parametrize(
        ("limits", "why"),
        [
            (Limits(Decimal("0.01"), Decimal(100)), "dearer than max_unit_price 0.01"),
            (Limits(Decimal(100), Decimal("0.01")), "more than max_total_price 0.01"),
        ],
    )
    def test_over_a_limit_refuse_the_whole_table(self, scene: Scene, limits: Limits, why: str) -> None:
        with pytest.raises(OverBudget, match=why):
            scene.plan(self.buying(scene, 0, 1), limits=limits)

    def test_of_what_is_not_on_offer_are_faults(self, scene: Scene) -> None:
        about = {"PROVIDER": "telnova", "GROUP_ID": "us"}
        found = refusal(
            scene,
            scene.wish("Create", "+12129990001", COUNTRY="US", **about),
            scene.wish("Create", "+12129990002", COUNTRY="US", **(about | {"PROVIDER": "nobody"})),
            scene.wish("Create", "+12129990003", **about),
        )
        assert "row 2, PROVIDER: 'telnova' does not offer +12129990001" in found
        assert "row 3, PROVIDER: 'nobody' " in found
        assert "row 4, COUNTRY: is missing; a number that is bought needs its country" in found

    def test_are_no_more_than_a_table_can_buy(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pricing, "MOST_PURCHASES", 1)
        about = {"PROVIDER": "telnova", "GROUP_ID": "us", "COUNTRY": "US"}
        found = refusal(scene, *(scene.wish("Create", f"+1212555900{place}", **about) for place in range(2)))
        assert "is one of 2 purchases; a table buys 1 at most: use provision_region" in found

    def test_that_somebody_else_made_first_are_reported_and_nothing_else_is_bought(self, scene: Scene) -> None:
        plan = scene.plan([*self.buying(scene, 0, 1), scene.wish("Update", "free", NOTE="desk")])
        scene.sandbox.edit.remove_offer(plan.purchases[0].offers[0].number)
        account = scene.apply(plan)
        assert (account.done, account.refused, account.bought) == (1, 2, 0)
        assert "(not on offer)" in account.wrong[0]
        assert self.bought(scene) == 0

    def test_whose_answer_is_lost_are_made_once(self, scene: Scene) -> None:
        plan = scene.plan(self.buying(scene, 0, 1))
        scene.sandbox.faults.add(Fault("PUT", "/api/numbers", kind="drop_after", nth=1))
        account = scene.apply(plan)
        assert account.bought == self.bought(scene) == 2

    def test_stand_in_the_plan_for_what_they_cost(self, scene: Scene) -> None:
        plan: ChangePlan = scene.plan([*self.buying(scene, 0), scene.wish("Update", "free", NOTE="desk")])
        assert subject(plan) == f"Make 2 changes in ocp_default (1 bought for at most {plan.cost:f})?"
        assert plan.needs_a_person
