"""Operators that bring numbers into a state.

Lists are given as lists, or as strings with a JSON list where Jinja made them (``{{ ... | tojson }}``). Each operator
looks first, changes only what is missing and reads back: a second run finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ocp_numbers.models import PhoneNumber
from ocp_numbers.note_marks import with_marks_of
from ocp_numbers.operators import rendered
from ocp_numbers.operators.base import OcpOperator
from ocp_numbers.operators.converge import converge, subjects
from ocp_numbers.operators.guards import attached_as, refuse_other_groups, refuse_other_mini_apps, refuse_stealing

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from ocp_numbers.journal import NumberEdit


UNATTACHED: dict[str, str | None] = {"mini_app_id": None, "locale": None, "application_tag": None}
"""How a number shows itself that no miniApp answers."""


class ChangeNumbersOperator(OcpOperator):
    """Base of the operators that bring a list of numbers into a state.

    Returns ``{"changed", "unchanged"}``, as counts.

    :param numbers: numbers in E.164 (templated).
    """

    def __init__(self, *, numbers: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbers = numbers

    def look(self) -> dict[str, PhoneNumber]:
        """The numbers as OCP shows them now; those it does not show are absent."""
        return self.client.numbers.find(self.numbers)

    def edits(
        self, *, unless: Callable[[PhoneNumber], object], seen: Mapping[str, PhoneNumber], **fields: str | None
    ) -> list[NumberEdit]:
        """The edits that give ``fields`` to those of the numbers that are not so yet, or that OCP does not show."""
        from ocp_numbers.journal import NumberEdit

        return [
            NumberEdit.of(seen[number], **fields) if number in seen else NumberEdit.unseen(number, **fields)
            for number in self.numbers
            if number not in seen or not unless(seen[number])
        ]

    def counts(self, changed: int) -> dict[str, int]:
        """What is returned."""
        return {"changed": changed, "unchanged": len(self.numbers) - changed}


class UpdateNumbersGroupOperator(ChangeNumbersOperator):
    """Move numbers into a group (``PUT /api/numbers/group``).

    Returns ``{"changed", "unchanged"}``, as counts.

    :param numbers: numbers in E.164 (templated).
    :param group: the group that they are to be in (templated).
    """

    readers = rendered.inputs(numbers=rendered.numbers, group=rendered.text)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, numbers: Sequence[str] | str, group: str, **kwargs: Any) -> None:
        super().__init__(numbers=numbers, **kwargs)
        self.group = group
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Move the numbers that are elsewhere."""
        self.read_inputs()
        changed = converge(
            self,
            f"move to group {self.group}",
            operation="group",
            todo=self._elsewhere,
            change=lambda batch: self.client.numbers.update_group(subjects(batch), group=self.group),
        )
        return self.counts(changed)

    def _elsewhere(self) -> list[NumberEdit]:
        return self.edits(unless=lambda row: row.group_id == self.group, seen=self.look(), group_id=self.group)


class AttachNumbersOperator(ChangeNumbersOperator):
    """Attach numbers to a miniApp (``PUT /api/numbers/attach``); never takes a number from another miniApp unasked.

    Returns ``{"changed", "unchanged"}``, as counts.

    :param numbers: numbers in E.164 (templated).
    :param mini_app_id: id of the miniApp (templated).
    :param locale: locale of the form language-REGION (templated).
    :param application_tag: tag of the miniApp; left out, tags are not compared and newly attached numbers get none
        (templated).
    :param allow_reassign: numbers that may be taken from another miniApp, or ids of the miniApps that numbers may be
    taken
        from (templated).
    :raises NumberInUse: when a number is attached to another miniApp that ``allow_reassign`` does not name.
    """

    readers = rendered.inputs(
        numbers=rendered.numbers,
        mini_app_id=rendered.text,
        locale=rendered.locale,
        application_tag=rendered.optional(rendered.text),
        allow_reassign=rendered.names,
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        numbers: Sequence[str] | str,
        mini_app_id: str,
        locale: str,
        application_tag: str | None = None,
        allow_reassign: Sequence[str] | str = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(numbers=numbers, **kwargs)
        self.mini_app_id = mini_app_id
        self.locale = locale
        self.application_tag = application_tag
        self.allow_reassign = allow_reassign
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Attach the numbers that are not yet attached so."""
        self.read_inputs()
        changed = converge(
            self,
            f"attach to miniApp {self.mini_app_id} in {self.locale}",
            operation="attach",
            todo=self._unattached,
            change=lambda batch: self.client.numbers.attach(
                subjects(batch), mini_app_id=self.mini_app_id, locale=self.locale, application_tag=self.application_tag
            ),
        )
        return self.counts(changed)

    def _unattached(self) -> list[NumberEdit]:
        seen = self.look()
        refuse_stealing(seen.values(), mini_app_id=self.mini_app_id, allow_reassign=self.allow_reassign)
        return self.edits(
            unless=lambda row: attached_as(row, self.mini_app_id, self.locale, self.application_tag),
            seen=seen,
            mini_app_id=self.mini_app_id,
            locale=self.locale,
            application_tag=self.application_tag,
        )


class DetachNumbersOperator(ChangeNumbersOperator):
    """Detach numbers from their miniApp (``PUT /api/numbers/detach``).

    Returns ``{"changed", "unchanged"}``, as counts.

    :param numbers: numbers in E.164 (templated).
    :param expected_mini_app_id: where given, the only miniApp that they may be detached from (templated).
    :raises NumberInUse: when a number serves another miniApp than the expected one.
    """

    readers = rendered.inputs(numbers=rendered.numbers, expected_mini_app_id=rendered.optional(rendered.text))
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, numbers: Sequence[str] | str, expected_mini_app_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(numbers=numbers, **kwargs)
        self.expected_mini_app_id = expected_mini_app_id
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Detach the numbers that are attached."""
        self.read_inputs()
        changed = converge(
            self,
            "detach",
            operation="detach",
            todo=self._attached,
            change=lambda batch: self.client.numbers.detach(subjects(batch)),
        )
        return self.counts(changed)

    def _attached(self) -> list[NumberEdit]:
        seen = self.look()
        if self.expected_mini_app_id:
            refuse_other_mini_apps(seen.values(), mini_app_id=self.expected_mini_app_id)
        return self.edits(unless=lambda row: not row.mini_app_id, seen=seen, **UNATTACHED)


class AddNumbersOperator(ChangeNumbersOperator):
    """Put numbers that you have from elsewhere into the inventory (``POST /api/numbers/direct``). Buys nothing.

    Returns ``{"changed", "unchanged"}``, as counts.

    :param numbers: numbers in E.164 (templated).
    :param group: the group that they are to be in (templated).
    :param country: two-letter country code (templated).
    :param mini_app_id: id of the miniApp to attach them to (templated).
    :param locale: locale of the form language-REGION (templated).
    :param log_ani: whether the caller's number is logged (templated).
    :param log_dnis: whether the called number is logged (templated).
    :param note: the note of each number (templated).
    :param application_tag: tag of the miniApp (templated).
    :raises NumberInUse: when a number is in the inventory already, but in another group or attached to another miniApp.
    """

    readers = rendered.inputs(
        numbers=rendered.numbers,
        group=rendered.text,
        country=rendered.optional(rendered.country_code),
        mini_app_id=rendered.optional(rendered.text),
        locale=rendered.optional(rendered.locale),
        log_ani=rendered.optional(rendered.flag),
        log_dnis=rendered.optional(rendered.flag),
        note=rendered.optional(rendered.text),
        application_tag=rendered.optional(rendered.text),
    )
    template_fields = ("ocp_conn_id", *readers)

    def __init__(
        self,
        *,
        numbers: Sequence[str] | str,
        group: str,
        country: str | None = None,
        mini_app_id: str | None = None,
        locale: str | None = None,
        log_ani: bool | str | None = None,
        log_dnis: bool | str | None = None,
        note: str | None = None,
        application_tag: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(numbers=numbers, **kwargs)
        self.group = group
        self.country = country
        self.mini_app_id = mini_app_id
        self.locale = locale
        self.log_ani: Any = log_ani
        self.log_dnis: Any = log_dnis
        self.note = note
        self.application_tag = application_tag
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Add the numbers that the inventory does not hold yet."""
        self.read_inputs()
        changed = converge(
            self,
            f"add to group {self.group}",
            operation="add",
            todo=self._absent,
            change=lambda batch: self._add(subjects(batch)),
        )
        return self.counts(changed)

    def _absent(self) -> list[NumberEdit]:
        seen = self.look()
        refuse_other_groups(seen.values(), group=self.group)
        if self.mini_app_id:
            refuse_stealing(seen.values(), mini_app_id=self.mini_app_id, allow_reassign=())
        return self.edits(
            unless=lambda row: True,
            seen=seen,
            group_id=self.group,
            mini_app_id=self.mini_app_id,
            locale=self.locale,
            note=self.note,
            application_tag=self.application_tag,
        )

    def _add(self, batch: Sequence[str]) -> object:
        return self.client.numbers.add_direct(
            batch,
            group=self.group,
            country=self.country,
            mini_app_id=self.mini_app_id,
            locale=self.locale,
            log_ani=self.log_ani,
            log_dnis=self.log_dnis,
            note=self.note,
            application_tag=self.application_tag,
        )


class UpdateNumberNoteOperator(OcpOperator):
    """Write a number's note (``PUT /api/number/note``).

    Marks of ours behind the old text (which order bought the number, since when it is unused) are kept behind the new
    one: the truth about money is rebuilt from them. Returns ``{"changed", "unchanged"}``, as counts.

    :param number: the number in E.164 (templated).
    :param note: the new text, empty to clear the old one (templated).
    """

    readers = rendered.inputs(number=rendered.number, note=rendered.any_text)
    template_fields = ("ocp_conn_id", *readers)

    def __init__(self, *, number: str, note: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.number = number
        self.note = note
        self.check_literals()

    def execute(self, context: Context) -> dict[str, int]:
        """Write the note, unless it reads so already."""
        self.read_inputs()
        changed = converge(
            self, f"write the note of {self.number}", operation="note", todo=self._unwritten, change=self._write
        )
        return {"changed": changed, "unchanged": 1 - changed}

    def _unwritten(self) -> list[NumberEdit]:
        from ocp_numbers.journal import NumberEdit

        seen = self.client.numbers.find([self.number]).get(self.number)
        current = (seen.note if seen else None) or ""
        wanted = with_marks_of(current, self.note)
        if seen is None:
            return [NumberEdit.unseen(self.number, note=wanted)]
        return [] if current == wanted else [NumberEdit.of(seen, note=wanted)]

    def _write(self, edits: Sequence[NumberEdit]) -> object:
        return self.client.numbers.update_note(self.number, note=(edits[0].after or {}).get("note") or "")
