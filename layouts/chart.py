"""The chart as a whole: toolbar, graph, overview, statistics of the visible window."""

from __future__ import annotations

import json
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from figures.history import empty_figure
from figures.overview import OVERVIEW_PX
from i18n import gettext as _
from i18n import short_months
from layouts import ids
from layouts.controls import button, workbook_link
from layouts.report_menu import report_menu
from layouts.review import review_place
from layouts.views import view_tabs


def chart(language: str, theme: str = "light") -> Component:
    """Return the chart's place, empty; callbacks/view.py fills it, assets/chart.js moves it."""
    stores = (ids.SELECTION, ids.CHART_DRAWN, ids.CHART_WIDTH, ids.CHART_ANSWER, ids.OVERVIEW_VERSION)
    keys = {
        "aria-label": _(
            "Chart: arrow keys move, + and − zoom, 0 shows the whole range; Enter sets a cursor, which arrow keys then move; "
            "N writes a note"
        ),
        "aria-keyshortcuts": "ArrowLeft ArrowRight + - 0 Enter Escape N",
    }
    plot = html.Div(**{"data-config": json.dumps(chart_config(language))})  # how Plotly is to behave there
    drawn = [_trouble(), html.Div(plot, id=ids.CHART, className="chart-plot"), html.Div(id=ids.CHART_NOTE)]
    parts = [
        *(dcc.Store(id=name) for name in stores),
        view_tabs(),
        html.Div(id=ids.VIEW_CONTROLS),
        _rail_strip(),
        html.Div([html.P(id=ids.BADGE, className="badge-line", role="status"), _news(), _readout()], className="chart-head"),
        html.Div(drawn, id=ids.CHART_FRAME, className="chart-frame", tabIndex="0", role="group", **keys),
        _overview(language, theme),
        _between(),
        review_place(),
        html.Div(id=ids.VIEW_LISTS, className="view-lists"),
        _statistics(),
    ]
    return html.Div(parts, className="chart", **{"data-empty": "true"})


def _rail_strip() -> html.Button:
    """Return the names of the series on a small screen; a press opens the sheet with the rail."""
    opens = {"data-sheet": "series", "aria-controls": ids.FORM, "aria-expanded": "false"}
    return html.Button(id=ids.RAIL_STRIP, type="button", className="rail-strip", title=_("Series"), hidden=True, **opens)


def _news() -> html.Button:
    """Return the button that goes on to the newest readings; assets/follow.js shows it."""
    says = {"data-one": _("1 new reading"), "data-many": _("{n} new readings"), "data-changed": _("Readings have changed")}
    return button("", "btn btn-sm follow-news", ids.FOLLOW_NEWS, title=_("Show the newest readings"), hidden=True, **says)


def _readout() -> html.Div:
    """Return the line of the cursor's time, with what assets/cursors.js needs to write it."""
    says = {
        "data-months": json.dumps(short_months()),
        "data-units": json.dumps([_("d"), _("h"), _("min"), _("s")]),
        "data-closer": _("Zoom to A–B"),
        "data-clear": _("Clear A and B"),
        "data-decide": _("Decide…"),
        "data-note": _("Note"),
    }
    return html.Div(id=ids.READOUT, className="readout", role="status", **says)


def _between() -> html.Div:
    """Return the place of what lies between two cursors, with the words of assets/between.js."""
    heads = [_("Series"), "A", "B", "B − A", _("Mean or total"), _("Rows")]
    says = {
        "data-heads": json.dumps(heads),
        "data-title": _("Between A and B"),
        "data-mean": _("mean"),
        "data-total": _("total"),
        "data-trouble": _("The server does not answer; try again later."),
    }
    return html.Div(id=ids.BETWEEN, className="stats between", hidden=True, **says)


def _trouble() -> html.Div:
    """Return the line that assets/questions.js shows while the chart's question fails."""
    says = {
        "data-busy": _("The server is busy, so the chart is not up to date. Trying again."),
        "data-broken": _("The server could not draw this, so the chart is not up to date. Trying again."),
        "data-unreachable": _("The server does not answer, so the chart is not up to date. Trying again."),
        "data-refused": _("The server refused to draw this. Reload the page."),
    }
    return html.Div(
        [html.Span(), button(_("Try now"))], id=ids.CHART_TROUBLE, className="chart-trouble", role="alert", hidden=True, **says
    )


def chart_config(language: str) -> dict[str, Any]:
    """Plotly's configuration: words in the page's language, few buttons, shown on hover only;
    nothing leaves the site.
    """
    return {
        "locale": language,
        "responsive": False,  # assets/chart.js fits it
        "displaylogo": False,
        "displayModeBar": "hover",
        "modeBarButtons": [["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d"]],
        "doubleClick": "autosize",
        "showTips": False,
        "scrollZoom": False,
        "plotGlPixelRatio": 1,
    }


def chart_tools() -> html.Div:
    """Return the buttons of the chart, which stand beside its title."""
    buttons: list[Component] = [
        *_touch_buttons(),
        dbc.Switch(id=ids.FLAGGED, value=False, label=_("Use flagged values"), className="flagged-switch"),
        _exports(),
    ]
    return html.Div(buttons, className="chart-tools", role="toolbar", **{"aria-label": _("Chart tools")})


def _exports() -> html.Div:
    """Return what leaves the page: on a small screen a sheet, which its bar opens."""
    buttons: list[Component] = [
        _picture_menu(),
        _rows_menu(),
        report_menu(),
        button(
            _("Embed"),
            "btn btn-sm",
            ids.EMBED_OPEN,
            title=_("Embed this chart in another page"),
            hidden=True,  # until a chart is shown that may be embedded (callbacks/embedding.py)
            **{"aria-haspopup": "dialog"},
        ),
    ]
    return html.Div(buttons, id=ids.EXPORTS, className="chart-exports", role="group", **{"aria-label": _("Export")})


def _picture_menu() -> html.Details:
    """Return the menu of what the chart can be had as: a PNG, which the page draws by itself, and
    what the server makes; without Chromium there that is less (callbacks/view.py).
    """
    drawn = {"data-picture": "", **workbook_link(ids.ALERT)}
    entries = [
        button("PNG", "", ids.CHART_PICTURE),
        html.A("SVG", id=ids.PICTURE_SVG, **drawn),
        html.A("PDF", id=ids.PICTURE_PDF, **drawn),
        html.A("HTML", id=ids.PICTURE_HTML, title=_("One file to open in any browser, also without a network"), **drawn),
    ]
    name = html.Summary(_("Picture"), className="btn btn-sm", title=_("Download the picture"))
    return html.Details([name, html.Div(entries, className="menu-entries")], id=ids.PICTURE_MENU, className="menu")


def _rows_menu() -> html.Details:
    """Return the menu of the files that the window's rows can be had as."""
    written = workbook_link(ids.ALERT)
    as_netcdf = _("With units, places and flags, by the CF conventions")
    of_netcdf = _("What the NetCDF file is made of, with its checksum: to be cited beside it")
    entries = [
        html.A("CSV", id=ids.DOWNLOAD_CSV, download=""),
        html.A("Excel", id=ids.DOWNLOAD_XLSX, **written),
        html.A("Parquet", id=ids.DOWNLOAD_PARQUET, download=""),
        html.A("NetCDF", id=ids.DOWNLOAD_NETCDF, title=as_netcdf, **written),
        html.A(_("Manifest (NetCDF)"), id=ids.DOWNLOAD_MANIFEST, title=of_netcdf, **written),
    ]
    name = html.Summary(_("Rows"), className="btn btn-sm", title=_("Download the rows of this window"))
    return html.Details([name, html.Div(entries, className="menu-entries")], className="menu")


def _touch_buttons() -> list[Component]:
    """Return buttons for fingers, which scroll the page where a mouse drags."""
    named = (("−", 2, _("Show a longer range")), ("+", 0.5, _("Show a shorter range")))
    return [button(sign, "btn btn-sm touch", label=name, **{"data-zoom": str(factor)}) for sign, factor, name in named]


def _statistics() -> html.Div:
    says = {"data-copy-from": f"#{ids.STATS} [data-tsv]", "data-copied": _("Copied")}
    copy = button(_("Copy statistics"), "btn btn-sm", ids.STATS_COPY, **says)
    head = html.Div([html.H2(id=ids.STATS_HEAD), copy], className="stats-head")
    return html.Div([head, html.Div(id=ids.STATS, className="stats")], className="stats-block")


def _overview(language: str, theme: str) -> html.Div:
    figure = empty_figure(theme)
    figure["layout"]["height"] = OVERVIEW_PX
    config = {"staticPlot": True, "locale": language, "responsive": True}
    handles = [html.Span(className=f"brush-handle brush-{side}", **{"data-part": side}) for side in ("start", "end")]
    return html.Div(
        [
            dcc.Graph(id=ids.OVERVIEW, figure=figure, config=config, responsive="auto"),
            html.Div(handles, id=ids.OVERVIEW_BRUSH, className="brush", hidden=True, **{"data-part": "middle"}),
        ],
        id=ids.OVERVIEW_FRAME,
        className="overview-frame",
        title=_("Drag to choose a window; double-click for the whole range"),
        style={"height": f"{OVERVIEW_PX}px"},
    )
