"""The history page as a whole, and the plain pages for whoever may not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.inventory import StationInventory
from data.time.resolution import RESOLUTIONS, Resolution
from i18n import gettext as _
from layouts import ids
from layouts.chart import chart_tools
from layouts.controls import button
from layouts.embedding import embed_dialog
from layouts.form import form
from layouts.formulas import formula_dialog
from layouts.header import Chrome
from layouts.notices import alert, nothing_granted, observations_away, run_panel
from layouts.saved import saved_dialog, saved_star
from layouts.shell import shell
from layouts.start import start

# What the other pages look like, in few words: colours of assets/tokens.css
_PLAIN_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.6 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 24px;color:#1c2530;background:#fff}"
    "h1{margin:0 0 8px;font-size:18px}p{margin:0 0 16px;color:#55616e}a{color:#0b6e99}"
    "@media(prefers-color-scheme:dark){body{color:#dfe5eb;background:#14181d}p{color:#9ba7b4}a{color:#5ab4dc}}"
)


@dataclass(frozen=True)
class PageContext:
    """What decides the first state of the history page:
    what all pages know, and what data there is.

    ``start`` and ``end`` are wall-clock times of the station that is chosen at first; ``timezone``
    is the site's, ``zones`` are the clocks to choose from.
    ``away``: the database does not answer, and ``stations`` are those that were known last.
    ``nothing_granted``: there may be stations, but the user sees none. ``lists`` are what stands
    beneath the form. ``finest``: the finest resolution that the user may choose.
    """

    chrome: Chrome
    timezone: str
    zones: Sequence[dict[str, str]]
    stations: Sequence[StationInventory]
    away: bool = False
    start: str = ""
    end: str = ""
    nothing_granted: bool = False
    lists: Any = None
    finest: Resolution = RESOLUTIONS[0]


def page(context: PageContext, catalogue: Catalogue, chart: Component) -> html.Div:
    """The history page; ``chart`` is the chart with its overview and statistics."""
    choice = form(
        context.stations,
        catalogue,
        timezone=context.timezone,
        zones=context.zones,
        start=context.start,
        end=context.end,
        hidden=context.nothing_granted,
        finest=context.finest,
        lists=context.lists,
    )
    title = html.H1(_("Stations"), id=ids.TITLE, className="job-title")
    parts = [
        html.Div([title, saved_star(), chart_tools()], className="title-line"),
        html.Div(alert(observations_away(context.stations)) if context.away else None, id=ids.ALERT),
        html.Div(_start(context, catalogue), id=ids.STATE, className="first-visit"),
        run_panel(),
        html.Div(chart, id=ids.CHART_AREA, className="chart-area"),
    ]
    main = html.Main(parts, id=ids.MAIN, className="main", **{"data-status": ""})
    columns = html.Div([choice, html.Div(className="sheet-backdrop"), main], className="columns")
    skip = (_("Skip to the chart"), ids.CHART_AREA)
    dialogs = [embed_dialog(context.chrome.language), saved_dialog(), formula_dialog()]
    return shell(context.chrome, "history", _stores(context), skip, [*dialogs, columns, _sheet_bar()])


def _sheet_bar() -> html.Nav:
    """Return the bar at the foot of a small screen; its buttons open sheets (assets/sheets.js)."""
    names = (("series", _("Series"), ids.FORM), ("range", _("Range"), ids.FORM), ("export", _("Export"), ids.EXPORTS))
    buttons = [
        button(
            words,
            "sheet-button",
            ids.FORM_TOGGLE if name == "series" else None,
            **{"data-sheet": name, "aria-controls": what, "aria-expanded": "false"},
        )
        for name, words, what in names
    ]
    return html.Nav(buttons, className="sheet-bar", **{"aria-label": _("Data and files")})


def _start(context: PageContext, catalogue: Catalogue) -> Component | None:
    if context.nothing_granted:
        return alert(nothing_granted())
    if context.away and not context.stations:  # nobody can say that there are none
        return None
    return start(context.stations, catalogue, context.timezone)


def _stores(context: PageContext) -> list[Component]:
    of_follow = (ids.FOLLOWED, ids.FOLLOW_STEP, ids.FOLLOW_NEXT)
    empty = (
        *of_follow,
        ids.JOB_ID,
        ids.POLL_ID,
        ids.JOB_BEAT,
        ids.JOB_VERSION,
        ids.JOB_STATE,
        ids.JOB_ENDED,
        ids.LINK,
        ids.URL_JOB,
    )
    return [
        dcc.Location(id=ids.URL, refresh=False),
        *(dcc.Store(id=name) for name in empty),
        dcc.Store(id=ids.ROLLING, storage_type="session"),  # a reload goes on
        dcc.Store(id=ids.RANGE_OF_PRESET, data=[context.start, context.end]),
    ]


def plain_page(language: str, title: str, sentence: str, link: str | None = None) -> str:
    """A page that needs nothing from elsewhere: title, one sentence, one link (HTML text)."""
    anchor = f'<p><a href="{escape(link)}">{escape(_("Go to the history page"))}</a></p>' if link else ""
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>{escape(title)} · Riwayat</title>'
        f"<style>{_PLAIN_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(sentence)}</p>{anchor}</main></body></html>"
    )
