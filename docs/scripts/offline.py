"""Refuses a built page that would load anything from another host: the documentation is read behind firewalls, too."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

LOADS = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//[^\s"'>]+"""
    r"""|<link\b(?=[^>]*rel=["']?(?:stylesheet|preconnect|preload|icon))[^>]*href=["']?(?:https?:)?//[^\s"'>]+"""
    r"""|@import\s+["'](?:https?:)?//[^"']+|url\(["']?(?:https?:)?//[^)]+"""
)


def on_post_build(config: MkDocsConfig) -> None:
    """Look through every page and style sheet that was written."""
    site = Path(config.site_dir)
    found = [
        f"{path.relative_to(site)}: {load[:120]}"
        for path in sorted([*site.rglob("*.html"), *site.rglob("*.css")])
        for load in LOADS.findall(path.read_text(encoding="utf-8"))
    ]
    if found:
        raise PluginError("pages that load from other hosts:\n" + "\n".join(found))
