"""The HTML document around the page: language, theme before the first paint, icons."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

# Runs before anything is painted, so that a dark page never flashes white; the layout then reads the cookie.
THEME_SCRIPT = """(function () {
  var found = document.cookie.match(/(?:^|; )riwayat_theme=(light|dark|auto)/);
  var choice = found ? found[1] : "auto";
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var shade = choice === "auto" ? (dark ? "dark" : "light") : choice;
  document.documentElement.setAttribute("data-bs-theme", shade);
  document.documentElement.setAttribute("data-theme-choice", choice);
  var secure = /^https/.test(location.protocol) ? "; Secure" : "";
  document.cookie = "riwayat_shade=" + shade + "; path=PREFIX; SameSite=Lax; max-age=31536000" + secure;
})();"""


def theme_script(prefix: str) -> str:
    """The script of the theme for a site below a prefix."""
    return THEME_SCRIPT.replace("PREFIX", prefix)


@dataclass(frozen=True)
class DashParts:
    """What Dash puts into a document, as HTML."""

    metas: str
    css: str
    entry: str
    config: str
    scripts: str
    renderer: str


def document(parts: DashParts, *, title: str, language: str, shade: str, prefix: str, loading: str) -> str:
    """The document as HTML; ``loading`` is read while the page is fetched."""
    icon = f"{prefix}assets/logo.svg"
    return f"""<!DOCTYPE html>
<html lang="{escape(language)}" data-bs-theme="{escape(shade)}" data-prefix="{escape(prefix)}">
<head>
{parts.metas}
<title>{escape(title)}</title>
<link rel="icon" type="image/svg+xml" href="{escape(icon)}">
<script>{theme_script(prefix)}</script>
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
