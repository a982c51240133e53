"""The HTML document around the page: language, theme before the first paint, icons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

# Runs before anything is painted; the layout then reads the cookie.
# The pages' policies hold its hash.
THEME_SCRIPT: Final = Path(__file__).parent.with_name("assets").joinpath("theme.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class DashParts:
    """What Dash puts into a document, as HTML."""

    metas: str
    css: str
    entry: str
    config: str
    scripts: str
    renderer: str


def document(
    parts: DashParts,
    *,
    title: str,
    language: str,
    shade: str,
    prefix: str,
    loading: str,
    unanswered: str,
    later: Mapping[str, str],
) -> str:
    """The document as HTML; ``loading`` is read while the page is fetched, ``unanswered`` where it
    cannot be, ``later`` are addresses of the scripts that come when they are first used.
    """
    icon, scripts = f"{prefix}assets/logo.svg", escape(json.dumps(later))
    return f"""<!DOCTYPE html>
<html lang="{escape(language)}" data-bs-theme="{escape(shade)}" data-prefix="{escape(prefix)}" data-later="{scripts}"
 data-unanswered="{escape(unanswered)}">
<head>
{parts.metas}
<title>{escape(title)}</title>
<link rel="icon" type="image/svg+xml" href="{escape(icon)}">
<script>{THEME_SCRIPT}</script>
{parts.css}
</head>
<body>
{parts.entry.replace("Loading...", escape(loading))}
<footer>
{parts.config}
{parts.scripts}
{parts.renderer}
</footer>
</body>
</html>"""
