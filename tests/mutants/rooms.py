"""What is mutated, and by which tests: the modules that decide about money and numbers, and the quick tests of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """Modules of a package that decide, and the tests that have to notice a wrong decision.

    A survivor meets all of ``tests``, so there are only those that take seconds: what each crash of each step leads to
    is for the prover.
    """

    package: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "cleanup-rules": Room(
        "cleanup",
        ("marks", "plan", "policy", "selection"),
        ("test_marks.py", "test_plan.py", "test_policy.py", "test_selection.py"),
    ),
    "cleanup-records": Room("cleanup", ("history", "planning"), ("test_history.py", "test_planning.py")),
    "cleanup-deeds": Room(
        "cleanup",
        ("marking", "placing", "releasing", "verifying"),
        (
            "test_carrying_out.py",
            "test_marking.py",
            "test_placing.py",
            "test_releasing.py",
            "test_verifying.py",
        ),
    ),
    "ordering-rules": Room(
        "ordering",
        ("caps", "offers", "opening", "order", "stamps", "steps", "transitions", "wishes"),
        (
            "test_caps.py",
            "test_offers.py",
            "test_opening.py",
            "test_order.py",
            "test_stamps.py",
            "test_steps.py",
            "test_transitions.py",
            "test_wishes.py",
        ),
    ),
    "ordering-deeds": Room(
        "ordering", ("attempt", "book", "buyer"), ("test_attempt.py", "test_book.py", "test_buyer.py")
    ),
    "inventory-rules": Room(
        "inventory",
        ("attribution", "changes", "closing", "cross_check", "manifest", "retention", "snapshot", "tally"),
        (
            "test_attribution.py",
            "test_changes.py",
            "test_closing.py",
            "test_cross_check.py",
            "test_filters.py",
            "test_history.py",
            "test_manifest.py",
            "test_retention.py",
            "test_sight.py",
            "test_snapshot.py",
            "test_tally.py",
        ),
    ),
    "inventory-reading": Room("inventory", ("reader",), ("test_export.py", "test_reader.py")),
}

NO_DECISION = (
    r'^(?:[^"]*"[^"]*")*[^"]*"[^"]*\w[,;:.]? [^"]*"',  # a text of several words: a sentence for a person
    r"^\s*log\.\w+\(",  # what is logged
    r"\bshown\(",  # a list of numbers within such a sentence
    r"encoding=",  # UTF-8, which is the default on every machine that this runs on
    r"^\s*return Field\(",  # runs when the module is imported, before a mutant awakes
)
"""Lines of which nothing is mutated, as regular expressions."""
