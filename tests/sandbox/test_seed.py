from __future__ import annotations

from collections import Counter
from pathlib import Path

import phonenumbers
import pytest

from ocp_sandbox import Sandbox, Settings, User
from ocp_sandbox.numbering import AREAS, country_of, key_of
from ocp_sandbox.seed import GROUPS, PROVIDERS, STORE_LOCATOR


def world(**settings: object) -> Sandbox:
    return Sandbox(Settings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("numbers", [0, 1, 49, 50, 51, 5000])
def test_it_has_exactly_as_many_numbers_as_asked(numbers: int) -> None:
    found = [row["number"] for row in world(numbers=numbers).numbers()]
    assert len(set(found)) == numbers
    assert found == sorted(found)


def test_the_same_seed_is_the_same_world_and_another_is_not() -> None:
    first, again, other = world(numbers=300), world(numbers=300), world(numbers=300, seed=2)
    assert first.numbers() == again.numbers() != other.numbers()
    assert first.stock() == again.stock() != other.stock()
    assert first.miniapps() == other.miniapps()


def test_numbers_are_valid_and_of_their_country() -> None:
    box = world(numbers=3000)
    for row in box.numbers() + box.stock():
        parsed = phonenumbers.parse(row["number"])
        assert phonenumbers.is_valid_number(parsed), row
        assert phonenumbers.region_code_for_number(parsed) == row["country"] == country_of(row["number"])


def test_even_the_ends_of_every_area_are_valid() -> None:
    for area in AREAS:
        for local in (area.low, area.low + area.span // 3, area.low + area.span - 1):
            assert phonenumbers.is_valid_number(phonenumbers.parse(f"{area.prefix}{local}")), (area, local)


def test_the_stock_and_the_inventory_have_nothing_in_common() -> None:
    box = world(numbers=20_000, stock=1000)
    owned, offered = ({row["number"] for row in rows} for rows in (box.numbers(), box.stock()))
    assert not owned & offered
    per_market = Counter((row["provider"], row["country"]) for row in box.stock())
    assert set(per_market.values()) == {1000}
    assert len(per_market) == len(PROVIDERS) * 11


def test_the_estate_is_believable() -> None:
    rows = world(numbers=5000).numbers()
    assert {row["groupId"] for row in rows} == set(GROUPS)
    assert 0.75 < sum(row["miniAppId"] is not None for row in rows) / 5000 < 0.85
    assert 0.5 < sum(row["purchased"] for row in rows) / 5000 < 0.7
    for row in rows:
        assert row["country"] in GROUPS[row["groupId"]]
        assert (row["miniAppId"] is None) is (row["locale"] is None)
        assert row["miniAppGroup"] in (None, row["groupId"])
    notes = "".join(row["note"] or "" for row in rows)
    assert all(piece in notes for piece in (",", '"', "\n", "📞", "πελατών", "лінія"))
    assert any(row["miniAppId"] is None and row["setId"] is None for row in rows)


def test_the_world_of_the_demonstration_is_there_whatever_the_size() -> None:
    for numbers in (0, 500):
        box = world(numbers=numbers)
        assert STORE_LOCATOR in {app["id"] for app in box.miniapps()}
        offers = [row for row in box.stock("telnova", "US") if row["number"].startswith("+1212")]
        assert len(offers) >= 50
        assert all(isinstance(row["price"], int) for row in offers)
    assert STORE_LOCATOR.endswith(".Store_Locator.Flow.retail-us@Store_Locator.retail-us")


def test_every_set_lies_in_one_group() -> None:
    box = world(numbers=2000)
    home = {row["id"]: row["groupId"] for row in box.sets()}
    members = Counter()  # type: ignore[var-annotated]
    for row in box.numbers():
        if row["setId"]:
            assert home[row["setId"]] == row["groupId"]
            members[row["setId"]] += 1
    assert {row["id"]: row["phoneNumberCount"] for row in box.sets()} == dict(members)


def test_keys_stand_in_the_order_of_the_numbers() -> None:
    numbers = ["+1201", "+12015550100", "+120155501000", "+12", "+1200", "+302101234567", "+3", "+999999999999999"]
    assert sorted(numbers, key=key_of) == sorted(numbers)
    assert key_of("+999999999999999") < 2**63


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"numbers": -1}, "numbers: -1"),
        ({"numbers": 1_000_001}, "1000001"),
        ({"port": 70_000}, "port"),
        ({"token_ttl": 0}, "token_ttl"),
        ({"page_cap": 0}, "page_cap"),
        ({"unpriced": 1.5}, "unpriced"),
        ({"csv_limits": {"rename": 1}}, "rename"),
        ({"csv_limits": {"create": -1}}, "csv_limits create"),
        ({"users": []}, "users"),
        ({"users": [User("a", "x"), User("a", "y")]}, "a stands there more than once"),
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Settings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "named"),
    [(("", "x"), "name"), (("a", ""), "password"), (("a", "x", "boss"), "boss"), (("a", "x", "owner", ()), "groups")],
)
def test_logins_that_make_no_sense_are_named(fields: tuple[str, ...], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        User(*fields)  # type: ignore[arg-type]


def test_a_sandbox_that_was_not_started_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = world(numbers=0).url


def test_a_state_half_seeded_is_seeded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"

    def interrupted(settings: Settings) -> object:
        yield from ()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ocp_sandbox.seed._stock", interrupted)
        with pytest.raises(KeyboardInterrupt):
            world(numbers=100, state=state)
    assert len(world(numbers=100, state=state).numbers()) == 100
