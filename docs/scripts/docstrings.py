"""Turns the reStructuredText of our docstrings into Markdown, which the reference's renderer reads."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|attr|data|mod):`(?P<short>~?)(?P<path>[\w.]+)`")
LITERAL_BLOCK = re.compile(r"::$", re.MULTILINE)
RAISES = re.compile(
    r"^(?P<indent>\s*):raises (?P<kinds>\w+(?:, \w+)+):(?P<text>[^\n]*(?:\n(?!\s*:|\s*$)[^\n]*)*)", re.MULTILINE
)


class Docstrings(griffe.Extension):
    """Roles become cross-references, literal blocks code, and several errors of one ``:raises:`` an entry each."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute, before it is parsed."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value, obj)


def markdown(text: str, obj: griffe.Object) -> str:
    """``text`` of ``obj``'s docstring, with links to where its names are documented."""
    text = RAISES.sub(_one_each, text)
    text = LITERAL_BLOCK.sub(":\n", text)
    return ROLE.sub(lambda role: _link(role, obj), text)


def _one_each(raises: re.Match[str]) -> str:
    return "\n".join(f"{raises['indent']}:raises {kind}:{raises['text']}" for kind in raises["kinds"].split(", "))


def _link(role: re.Match[str], obj: griffe.Object) -> str:
    path = role["path"]
    shown = path.rsplit(".", 1)[-1] if role["short"] else path
    try:
        target = path if "." in path and path.startswith("ocp_numbers") else obj.resolve(path)
    except griffe.NameResolutionError:
        return f"`{shown}`"
    # autorefs turns it into a link where the target has a page of its own, and into plain text elsewhere.
    return f'<autoref identifier="{target}" optional><code>{shown}</code></autoref>'
