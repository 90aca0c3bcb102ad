from __future__ import annotations

from ocp_numbers.dashboard.recent import Recent


class Asked(list[str]):
    """What was really asked for; the answer tells the how-manieth question it was."""

    def answer(self, key: str) -> str:
        self.append(key)
        return f"{key}, {len(self)}"


def test_an_answer_is_known_for_its_time_and_asked_for_again_after_it() -> None:
    now, asked = [0.0], Asked()
    recent: Recent[str] = Recent(5, clock=lambda: now[0])
    told = []
    for now[0] in (0.0, 4.9, 5.0, 9.9):
        told.append(recent.get("a", lambda: asked.answer("a")))
    assert told == ["a, 1", "a, 1", "a, 2", "a, 2"]


def test_only_the_last_answers_are_kept_so_that_names_out_of_addresses_fill_no_memory() -> None:
    asked = Asked()
    recent: Recent[str] = Recent(5, clock=lambda: 0, most=2)
    for key in ("a", "b", "c", "b", "c", "a"):
        recent.get(key, lambda key=key: asked.answer(key))  # type: ignore[misc]
    assert asked == ["a", "b", "c", "a"]


def test_a_question_that_failed_is_asked_again() -> None:
    asked = Asked()
    recent: Recent[str] = Recent(5, clock=lambda: 0)
    for ask in (lambda: str(1 / 0), lambda: asked.answer("a")):
        try:
            told = recent.get("a", ask)
        except ZeroDivisionError:
            told = "failed"
    assert told == "a, 1"
