"""The page of an embedded chart, without Dash; and the HTML that puts it into another page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from access.embeds.embed_table import Embed
from data.catalogue import Catalogue
from i18n import current_language
from i18n import gettext as _
from layouts.views import view_title

FRAME_PX = 420  # of the frame until the page around it learns a better one


@dataclass(frozen=True)
class FramePage:
    """What the page knows before anybody has shown a token;
    all of it may be seen by everybody who knows the public id.

    ``files`` are addresses by name; ``origin`` is the page around it, which may be told the size.
    ``preview``: JSON of what is shown to whoever is signed in, without a token
    (api/embed_preview.py).
    """

    embed_id: str
    origin: str
    theme: str
    transparent: bool
    prefix: str
    files: Mapping[str, str]
    preview: str = ""


def frame_page(page: FramePage) -> str:
    """The page in the current language (HTML text); assets/embed.js does the rest."""
    data = {
        "api": f"{page.prefix}api/",
        "embed": page.embed_id,
        "origin": page.origin,
        "picture": page.files["picture.js"],
        "plotly": page.files["plotly.js"],
        "words": json.dumps(_words(), ensure_ascii=False),
    }
    if page.preview:
        data["preview"] = page.preview
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    ground = "transparent" if page.transparent else "own"
    return f"""<!DOCTYPE html>
<html lang="{escape(current_language())}" data-theme="{escape(page.theme)}" data-ground="{ground}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Riwayat</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{escape(page.files["tokens.css"])}">
<link rel="stylesheet" href="{escape(page.files["embed.css"])}">
<link rel="preload" as="script" href="{escape(page.files["plotly.js"])}">
<script src="{escape(page.files["locale.js"])}" defer></script>
<script src="{escape(page.files["view.js"])}" defer></script>
<script src="{escape(page.files["embed.js"])}" defer></script>
</head>
<body {attributes}>
<main class="frame" data-state="loading">
{_tools()}
<progress id="progress" max="1" value="0" aria-label="{escape(_("Loading"))}" hidden></progress>
<div id="chart" class="chart" tabindex="0" role="group" hidden
 aria-label="{escape(_("Chart: arrow keys move, + and − zoom, 0 shows the whole range"))}"></div>
<p id="note" class="note" role="status"></p>
<div id="message" class="message" role="status"><p>{escape(_("Loading the chart …"))}</p></div>
</main>
<noscript><p class="message">{escape(_("This chart needs JavaScript."))}</p></noscript>
</body>
</html>"""


def _tools() -> str:
    """The title of the chart, and its buttons."""
    return f"""<header class="head">
<h1 id="title"></h1>
<div id="tools" class="tools" role="toolbar" aria-label="{escape(_("Chart tools"))}" hidden>
<button type="button" id="wider" class="touch" aria-label="{escape(_("Show a longer range"))}">−</button>
<button type="button" id="closer" class="touch" aria-label="{escape(_("Show a shorter range"))}">+</button>
<button type="button" id="whole" hidden>{escape(_("Reset zoom"))}</button>
<button type="button" id="picture" title="{escape(_("Download the picture"))}">PNG</button>
<button type="button" id="rows" title="{escape(_("Download the rows of this window"))}" hidden>CSV</button>
<a id="open" target="_blank" rel="noopener" aria-label="{escape(_("Open in Riwayat"))}"
 title="{escape(_("Open in Riwayat"))}">↗</a>
</div>
</header>"""


def iframe_line(url: str, title: str, *, theme: str, transparent: bool) -> str:
    """The line of HTML that shows a chart in another page."""
    style = "border:0"
    if transparent and theme != "auto":
        # a frame of another scheme than its page is painted opaque
        style += f";color-scheme:{theme}"
    attributes = {
        "src": url,
        "title": title,
        "width": "100%",
        "height": str(FRAME_PX),
        "style": style,
        "loading": "lazy",
        "sandbox": "allow-scripts allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox",
        "referrerpolicy": "origin",
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<iframe {written}></iframe>"


def frame_url(base: str, prefix: str, embed_id: str, token: str) -> str:
    """The address of a chart; ``base`` is scheme and host.
    The token is in the fragment, which no server is sent.
    """
    return f"{base}{prefix}embed/trend?{urlencode({'id': embed_id})}#token={token}"


def embed_link(found: Embed, token: str, base: str, prefix: str, catalogue: Catalogue) -> dict[str, str]:
    """What opens an embed, as :class:`api.outputs.EmbedLink`, in the current language;
    ``base`` is scheme and host.
    """
    url, spec = frame_url(base, prefix, found.id, token), found.spec
    title = found.label or view_title(spec.stations, spec.sensors, catalogue, spec.view)
    line = iframe_line(url, title, theme=spec.theme, transparent=spec.transparent)
    return {"id": found.id, "url": url, "token": token, "iframe": line}


def _words() -> dict[str, str]:
    """What assets/embed.js says; fields in braces are its to fill."""
    return {
        "loading": _("Loading the chart …"),
        "queued": _("Queued at position {position}"),
        "reading": _("Reading {station}, {month}"),
        "percent": _("{percent} % loaded"),
        "nothing": _("There is no data in this range."),
        "failed": _("The chart could not be loaded: {cause}"),
        "invalid": _("The link to this chart is invalid; ask its owner for a new one."),
        "unreachable": _("The server does not answer; trying again."),
        "busy": _("The server is busy; trying again."),
        "stale": _("Not updated since {time}."),
        "stopped": _("the load was stopped"),
        "again": _("Try again"),
        "saving": _("Fetching the rows …"),
        "notSaved": _("The rows could not be fetched: {cause}"),
    }
