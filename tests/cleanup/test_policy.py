from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ocp_numbers.cleanup.policy import CleanupPolicy
from ocp_numbers.errors import InvalidInput
from ocp_numbers.models import PhoneNumber

SHIPPED = Path(__file__).parents[2] / "include" / "cleanup.yaml"


@pytest.fixture
def policy_file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "cleanup.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def faults(path: Path, overrides: dict[str, object] | None = None) -> tuple[str, ...]:
    with pytest.raises(InvalidInput) as caught:
        CleanupPolicy.load(path, overrides or {})
    return caught.value.problems


def test_the_shipped_file_is_careful_by_default():
    policy = CleanupPolicy.load(SHIPPED, {})
    assert policy.dry_run
    assert policy.require_approval
    assert policy.max_release_percent <= 5


def test_an_empty_file_is_the_careful_default(policy_file):
    assert CleanupPolicy.load(policy_file(""), {}) == CleanupPolicy()
    assert CleanupPolicy().dry_run


def test_parameters_override_single_fields_and_none_leaves_the_files_value(policy_file):
    path = policy_file("grace_days: 60\nmax_release: 7\nmax_release_percent: 2.5\n")
    policy = CleanupPolicy.load(path, {"grace_days": 90, "max_release": None, "groups": ["b", "a", "a"]})
    assert (policy.grace_days, policy.max_release, policy.max_release_percent) == (90, 7, Decimal("2.5"))
    assert policy.groups == ("a", "b")


def test_a_run_can_protect_more_but_never_less(policy_file):
    policy = CleanupPolicy.load(policy_file("protect: ['note:*vip*']"), {"protect": ["group:banking-*"]})
    assert policy.protect == ("group:banking-*", "note:*vip*")
    assert CleanupPolicy.load(policy_file("protect: ['note:*vip*']"), {"protect": []}).protect == ("note:*vip*",)


def test_every_fault_of_file_and_parameters_is_named_at_once(policy_file):
    path = policy_file("grace_days: 0\nmax_release: many\nmaximum: 3\nprotect: ['vip']\nrequire_approval: 'no'\n")
    named = faults(path, {"max_release_percent": 101, "groups": ["", "a"]})
    wanted = ("grace_days", "max_release", "maximum", "protect", "require_approval", "max_release_percent", "groups")
    assert len(named) == len(wanted)
    for field in wanted:
        assert any(f"{field}: " in problem for problem in named), field
    assert sum(problem.startswith("cleanup.yaml: ") for problem in named) == 5


@pytest.mark.parametrize(
    "value", ["true", "'30'", "30.5", ".nan", "[]", "-1", "3651"], ids=lambda value: f"grace_days={value}"
)
def test_a_grace_period_is_a_whole_number_of_days(policy_file, value):
    assert "grace_days" in faults(policy_file(f"grace_days: {value}"))[0]


@pytest.mark.parametrize("value", ["true", ".nan", ".inf", "-1", "100.01", "lots"])
def test_a_percentage_lies_between_0_and_100(policy_file, value):
    assert "max_release_percent" in faults(policy_file(f"max_release_percent: {value}"))[0]


@pytest.mark.parametrize(("written", "read"), [("0.1", "0.1"), ("2.5", "2.5"), ("33.333333", "33.333333"), ("7", "7")])
def test_a_percentage_is_the_one_that_was_written_not_the_nearest_binary_fraction(policy_file, written, read):
    policy = CleanupPolicy.load(policy_file(f"max_release_percent: {written}"), {})
    assert policy.max_release_percent == Decimal(read)


def test_a_switch_is_no_percentage(policy_file):
    assert "write a number" in faults(policy_file("max_release_percent: yes"))[0]


@pytest.mark.parametrize("pattern", ["vip", "note", "note:", ":vip", "colour:red", "Note:vip"])
def test_a_pattern_names_its_field(policy_file, pattern):
    assert "field:pattern" in faults(policy_file(""), {"protect": [pattern]})[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: [", "not readable as YAML"), ("- a\n- b", "field: value"), ("just text", "field: value")],
)
def test_a_file_that_is_no_policy_is_refused(policy_file, text, said):
    assert said in faults(policy_file(text))[0]


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.yaml" in faults(tmp_path / "nowhere.yaml")[0]


def test_only_the_file_can_switch_the_approval_off(policy_file):
    assert "cleanup.yaml alone" in faults(policy_file(""), {"require_approval": False})[0]
    without = policy_file("require_approval: false\nmax_release_percent: 1\n")
    assert not CleanupPolicy.load(without, {}).require_approval
    assert CleanupPolicy.load(without, {"require_approval": True}).require_approval


def test_without_an_approval_the_file_must_name_a_percentage_and_a_run_cannot_raise_the_limits(policy_file):
    assert "max_release_percent: missing" in faults(policy_file("require_approval: false"))[0]
    path = policy_file("require_approval: false\nmax_release_percent: 1\nmax_release: 10\n")
    assert len(faults(path, {"max_release_percent": 2, "max_release": 11})) == 2
    assert CleanupPolicy.load(path, {"max_release": 5}).max_release == 5


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("number:+1212*", True),
        ("number:+1212", False),
        ("note:*FRONT*", True),
        ("note:*desk", True),
        ("note:*unused*", False),
        ("note:line\n?wo", False),
        ("group:retail-??", True),
        ("set:west*", True),
        ("set:[w]est", True),
        ("set:*", True),
        ("group:west*", False),
        ("group:?*", True),
    ],
)
def test_patterns_cover_whole_fields_and_never_our_own_marker(pattern, covers):
    row = PhoneNumber(number="+12125550123", note="front\ndesk [unused since 2026-01-01]", group_id="retail-us")
    found = CleanupPolicy(protect=(pattern,)).protection(row, "west")
    assert (found == pattern) is covers


def test_a_pattern_may_hold_colons_of_its_own() -> None:
    policy = CleanupPolicy(protect=("note:sip:*",))
    row = PhoneNumber(number="+12125550000", note="sip:desk")
    assert policy.protection(row, None) == "note:sip:*"
    assert policy.protection(row.model_copy(update={"note": "desk"}), None) is None


@pytest.mark.parametrize("field", ["note", "group", "set"])
def test_a_pattern_of_any_text_covers_no_number_without_one(field: str) -> None:
    """``set:?*`` protects what is in a set, whichever it is."""
    policy = CleanupPolicy(protect=(f"{field}:?*",))
    assert policy.protection(PhoneNumber(number="+12125550000"), None) is None


def test_a_fault_of_a_run_begins_with_its_field_and_one_of_the_file_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "cleanup.yaml"
    path.write_text("max_release: -1\n")
    with pytest.raises(InvalidInput) as caught:
        CleanupPolicy.load(path, {"grace_days": 0, "nonsense": 1})
    file, *run = caught.value.problems
    assert file.startswith("cleanup.yaml: max_release: -1 cannot be used: ")
    assert [fault.partition(" ")[0] for fault in sorted(run)] == ["grace_days:", "nonsense:"]
    assert any(fault.startswith("nonsense: is unknown; use one of groups, protect,") for fault in run)


def test_every_field_of_the_form_may_be_left_empty_and_says_what_that_means() -> None:
    form = CleanupPolicy.form()
    assert set(form) == set(CleanupPolicy.model_fields) - {"dry_run", "max_snapshot_age_hours"}
    for field, schema in form.items():
        assert schema["type"][0] == "null", field
        assert schema["default"] is None, field
        assert schema["description"].endswith(" Empty: as in the policy file."), field
    assert form["grace_days"]["type"] == ["null", "integer"]
    assert (form["grace_days"]["minimum"], form["grace_days"]["maximum"]) == (1, 3650)
