"""The history page as a whole, and the plain pages for whoever may not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from dash import dcc, html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.inventory import StationInventory
from data.request import RESOLUTIONS, Resolution
from i18n import gettext as _
from layouts import ids
from layouts.embedding import embed_dialog
from layouts.form import form
from layouts.header import NO_MENU, Menu, header
from layouts.start import start
from layouts.status import alert, nothing_granted, observations_away, offline, run_panel

# What the other pages look like, in few words: colours of assets/tokens.css
_PLAIN_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.6 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 24px;color:#1c2530;background:#fff}"
    "h1{margin:0 0 8px;font-size:18px}p{margin:0 0 16px;color:#55616e}a{color:#0b6e99}"
    "@media(prefers-color-scheme:dark){body{color:#dfe5eb;background:#14181d}p{color:#9ba7b4}a{color:#5ab4dc}}"
)


@dataclass(frozen=True)
class PageContext:
    """What decides the first state of a page: site, language, theme, who is asking, what there is.

    ``shade`` is light or dark, ``theme_choice`` also auto; ``start`` and ``end`` are wall-clock times of ``timezone``.
    ``away``: the database does not answer, and ``stations`` are those that were known last. ``nothing_granted``: there may
    be stations, but the user sees none. ``finest``: the finest resolution that the user may choose.
    """

    prefix: str
    language: str
    theme_choice: str
    shade: str
    user: str
    timezone: str
    zone: str
    stations: Sequence[StationInventory]
    away: bool = False
    start: str = ""
    end: str = ""
    nothing_granted: bool = False
    finest: Resolution = RESOLUTIONS[0]
    menu: Menu = NO_MENU


def page(context: PageContext, catalogue: Catalogue, chart: Component) -> html.Div:
    """The history page; ``chart`` is the chart with its overview and statistics."""
    return html.Div(
        [
            *_stores(context),
            html.A(_("Skip to the chart"), href=f"#{ids.CHART_AREA}", className="skip-link"),
            header(
                prefix=context.prefix,
                language=context.language,
                theme_choice=context.theme_choice,
                user=context.user,
                menu=context.menu,
            ),
            offline(context.menu.sign_in),
            embed_dialog(context.language),
            html.Div(
                [
                    form(
                        context.stations,
                        catalogue,
                        timezone=context.timezone,
                        zone=context.zone,
                        start=context.start,
                        end=context.end,
                        hidden=context.nothing_granted,
                        finest=context.finest,
                    ),
                    html.Div(className="drawer-backdrop"),
                    html.Main(
                        [
                            html.H1(id=ids.TITLE, className="job-title"),
                            html.Div(alert(observations_away(context.stations)) if context.away else None, id=ids.ALERT),
                            html.Div(_start(context, catalogue), id=ids.STATE, className="first-visit"),
                            run_panel(),
                            html.Div(chart, id=ids.CHART_AREA, className="chart-area"),
                        ],
                        id=ids.MAIN,
                        className="main",
                        **{"data-status": ""},
                    ),
                ],
                className="columns",
            ),
        ],
        className="page",
    )


def _start(context: PageContext, catalogue: Catalogue) -> Component | None:
    if context.nothing_granted:
        return alert(nothing_granted())
    if context.away and not context.stations:  # nobody can say that there are none
        return None
    return start(context.stations, catalogue, context.timezone)


def _stores(context: PageContext) -> list[Component]:
    return [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.JOB_ID),
        dcc.Store(id=ids.POLL_ID),
        dcc.Store(id=ids.JOB_BEAT),
        dcc.Store(id=ids.JOB_VERSION),
        dcc.Store(id=ids.JOB_STATE),
        dcc.Store(id=ids.URL_JOB),
        dcc.Store(id=ids.RANGE_OF_PRESET, data=[context.start, context.end]),
        dcc.Store(id=ids.THEME, data=context.shade),
        dcc.Store(id=ids.LANGUAGE, data=context.language),
    ]


def plain_page(language: str, title: str, sentence: str, link: str | None = None) -> str:
    """A page that needs nothing from elsewhere: title, one sentence, one link (HTML text)."""
    anchor = f'<p><a href="{escape(link)}">{escape(_("Go to the history page"))}</a></p>' if link else ""
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>{escape(title)} · Riwayat</title>'
        f"<style>{_PLAIN_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>{escape(sentence)}</p>{anchor}</body></html>"
    )
