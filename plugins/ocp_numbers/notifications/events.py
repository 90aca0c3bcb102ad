"""The events that people can be told of, and what is said about one."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "marked", "approval_needed", "unknown_purchase", "drift", "late_export", "anomalous_export", "balance_broken"
]

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "marked": "numbers were marked as unused, and will be given up after their grace period",
        "approval_needed": "a plan waits for a person's answer",
        "unknown_purchase": "a purchase, or a call that cannot be undone, may have taken effect",
        "drift": "a declared region is not as it is declared",
        "late_export": "the nightly export is late",
        "anomalous_export": "an export has unbelievably many or few numbers, and waits for a person",
        "balance_broken": "orders, inventory and releases do not add up",
    }
)
"""Each kind of event, with when it happens."""


@dataclass(frozen=True)
class Event:
    """Something that people are told.

    :param environment: the connection's id.
    :param subject: a line.
    :param text: what happened, what was and was not done, what to do.
    :param link: where to see it, or to answer.
    """

    kind: Kind
    environment: str
    subject: str
    text: str
    link: str = ""

    @property
    def message(self) -> str:
        """Subject, text and link as plain text."""
        return "\n\n".join(filter(None, (self.subject, self.text, self.link)))

    @property
    def html(self) -> str:
        """The same as HTML; what came from outside stays text."""
        paragraphs = [f"<b>{_escaped(self.subject)}</b>", _escaped(self.text)]
        if self.link:
            paragraphs.append(f'<a href="{html.escape(self.link)}">{html.escape(self.link)}</a>')
        return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")
