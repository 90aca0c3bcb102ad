"""``check``, ``search``, ``export`` and ``plan`` against a sandbox."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from commands.conftest import Shell
from commands.test_main import CALLS, REGION
from dashboard import records
from dashboard.records import numbers
from ocp_numbers.commands.export import FILTERS, _tell
from ocp_numbers.commands.screen import Screen
from ocp_numbers.data_root import DataRoot
from ocp_numbers.inventory import latest
from ocp_numbers.inventory.filters import FIELDS
from operators.world import World, connect

SEARCH = CALLS["search"]


class TestCheck:
    def test_says_that_it_works_and_how_much_is_seen(self, world: World, shell: Shell) -> None:
        assert shell("check") == 0
        assert f"{len(world.all())} numbers are visible" in shell.out

    def test_a_wrong_password_is_found_and_its_field_named(
        self, world: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, world.sandbox, "other", password="wrong")

        assert shell("check", "--conn-id", "other") == 1
        assert shell.out.startswith("Password or Login: wrong")

    def test_is_a_document_for_programs(self, world: World, shell: Shell) -> None:
        document = shell.json("check")

        assert (document["conn_id"], document["works"]) == ("ocp_default", True)


class TestSearch:
    def test_the_cheapest_come_first(self, world: World, shell: Shell) -> None:
        prices = [Decimal(offer["price"]) for offer in shell.json("search", *SEARCH)["offers"]]

        assert prices == sorted(prices)
        assert len(prices) == 20

    def test_more_are_counted_not_hidden(self, world: World, shell: Shell) -> None:
        assert shell("search", *SEARCH, "--limit", "2") == 0
        assert len(shell.out.splitlines()) == 4
        assert "The 2 cheapest of " in shell.out

    def test_where_all_are_shown_none_are_counted(self, world: World, shell: Shell) -> None:
        assert shell("search", *SEARCH, "--limit", "100000") == 0
        assert "cheapest of" not in shell.out

    def test_nothing_on_offer_says_what_to_try(self, world: World, shell: Shell) -> None:
        assert shell("search", *SEARCH, "--prefix", "+1999999") == 0
        assert "Try a shorter prefix" in shell.out

    @pytest.mark.parametrize("limit", ["0", "-1", "many"])
    def test_a_limit_that_is_none_is_refused(
        self, shell: Shell, capsys: pytest.CaptureFixture[str], limit: str
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            shell("search", *SEARCH, "--limit", limit)

        assert ended.value.code == 2
        assert f"{limit!r} is not a whole number of at least 1" in capsys.readouterr().err


class TestExport:
    def test_publishes_what_the_nightly_run_would(self, world: World, shell: Shell) -> None:
        document = shell.json("export", "--date", "2026-03-31")

        snapshot = latest(DataRoot.from_environment(), "ocp_default")
        assert snapshot is not None
        assert (snapshot.digest, snapshot.rows) == (document["digest"], len(world.all()))
        assert set(snapshot.manifest.files) >= {"numbers.parquet", "numbers.csv.gz"}

    def test_says_what_is_new_since_the_last_one(self, world: World, shell: Shell) -> None:
        shell("export", "--date", "2026-03-30")
        world.add(2)

        assert shell("export", "--date", "2026-03-31") == 0
        assert "Since 2026-03-30: 2 added" in shell.out
        assert "The books do not balance: 2 orphans; each is in findings.csv." in shell.out

    def test_says_what_was_left_out_and_what_went_out_of_sight(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = [*numbers(3), {"number": "+12125550199", "note": ["a list"]}]
        snapshot = records.export(DataRoot(tmp_path), rows, max_reject_percent=50)
        gone = "2 groups are out of this login's sight"
        _tell(Screen(), replace(snapshot, manifest=snapshot.manifest.model_copy(update={"notices": (gone,)})))

        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("3 numbers of ocp_default, complete")
        assert gone in lines
        assert "1 rows are not records of numbers: see rejects.jsonl" in lines

    def test_an_unbelievable_inventory_is_a_stop_that_a_person_can_lift(self, world: World, shell: Shell) -> None:
        shell("export", "--date", "2026-03-30")
        world.add(60)

        assert shell("export", "--date", "2026-03-31") == 4
        assert shell.err.rstrip().endswith(f"If that is right, accept it: --accept-rows {len(world.all())}")
        assert shell("export", "--date", "2026-03-31", "--accept-rows", str(len(world.all()))) == 0

    def test_some_numbers_are_exported_beside_the_inventory(self, world: World, shell: Shell) -> None:
        shell("export", "--date", "2026-03-30")
        path = shell.json("export", "--date", "2026-03-31", "--group", "retail-us", "--number", "+1", "--set-id", "")[
            "path"
        ]

        assert path.endswith("environment=ocp_default/groups=retail-us/filters=number~%252B1/date=2026-03-31")
        newest = latest(DataRoot.from_environment(), "ocp_default")
        assert newest is not None
        assert f"{newest.date}" == "2026-03-30"

    def test_a_group_that_is_not_there_is_no_fault_of_the_connection(self, world: World, shell: Shell) -> None:
        assert shell("export", "--group", "nosuch") == 3
        assert "404: Group nosuch not found" in shell.err
        assert "address of OCP" not in shell.err

    def test_a_search_that_finds_nothing_can_be_accepted(self, world: World, shell: Shell) -> None:
        nothing = ("export", "--note", "there is no such note")

        assert shell(*nothing) == 4
        assert shell.err.rstrip().endswith("accept it: --accept-rows 0")
        assert shell(*nothing, "--accept-rows", "0") == 0

    def test_everything_that_can_be_searched_can_be_asked_for(self) -> None:
        assert set(FILTERS) == set(FIELDS)

    def test_a_date_that_is_none_is_refused(self, shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            shell("export", "--date", "31.3.2026")

        assert "is not a date; write 2026-03-31" in capsys.readouterr().err


class TestPlan:
    def test_shows_what_the_dag_would_ask_about(self, world: World, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "desk.yaml").write_text(REGION)

        assert shell("plan", str(tmp_path / "desk.yaml")) == 0
        assert "**Total: at most" in shell.out

    def test_another_connection_than_the_files_can_be_planned_for(
        self, world: World, shell: Shell, tmp_path: Path
    ) -> None:
        (tmp_path / "desk.yaml").write_text(REGION.replace("ocp_default", "nowhere"))

        assert shell("plan", str(tmp_path / "desk.yaml")) == 2
        assert shell("plan", str(tmp_path / "desk.yaml"), "--conn-id", "ocp_default") == 0
        assert "`ocp_default`" in shell.out

    def test_writes_nothing_anywhere(self, world: World, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "desk.yaml").write_text(REGION)

        plan = shell.json("plan", str(tmp_path / "desk.yaml"))

        assert plan["region"]["set_name"] == "desk"
        assert DataRoot.from_environment().keys() == []

    def test_names_every_fault_of_the_file(self, world: World, shell: Shell, tmp_path: Path) -> None:
        (tmp_path / "desk.yaml").write_text(REGION.replace("quantity: 3", "quantity: many").replace("group", "grp"))

        assert shell("plan", str(tmp_path / "desk.yaml")) == 2
        assert all(field in shell.err for field in ("quantity:", "group:", "grp:"))
