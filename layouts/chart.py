"""The chart as a whole: badge, toolbar, graph, overview and, beneath, the statistics of the visible window."""

from __future__ import annotations

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from data.drawn import HistoryView
from figures.history import empty_figure
from figures.overview import OVERVIEW_PX
from figures.words import bucket_name
from i18n import format_number
from i18n import gettext as _
from layouts import ids
from layouts.statistics import share_text
from layouts.workbooks import workbook_link

_NO_BREAK: Final = "\u00a0"
_ADJECTIVES: Final = ("1min", "10min", "1h", "1d", "1mo")


def chart(language: str, theme: str = "light") -> Component:
    """The chart's place in the page, still empty; callbacks/view.py fills it, assets/chart.js moves it."""
    return html.Div(
        [
            dcc.Store(id=ids.CHART_WINDOW),
            dcc.Store(id=ids.CHART_WIDTH),
            dcc.Store(id=ids.CHART_ANSWER),
            html.Div([html.P(id=ids.BADGE, className="badge-line", role="status"), _toolbar()], className="chart-head"),
            html.Div(
                dcc.Graph(id=ids.CHART, figure=empty_figure(theme), config=chart_config(language), responsive="auto"),
                id=ids.CHART_FRAME,
                className="chart-frame",
                tabIndex="0",
                role="group",
                **{
                    "aria-label": _("Chart: arrow keys move, + and − zoom, 0 shows the whole range"),
                    "aria-keyshortcuts": "ArrowLeft ArrowRight + - 0",
                },
            ),
            _overview(language, theme),
            _statistics(),
        ],
        className="chart",
        **{"data-empty": "true"},
    )


def chart_config(language: str) -> dict[str, Any]:
    """Plotly's configuration: words in the page's language, few buttons, shown on hover only; nothing leaves the site."""
    return {
        "locale": language,
        "responsive": True,
        "displaylogo": False,
        "displayModeBar": "hover",
        "modeBarButtons": [["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d"]],
        "doubleClick": "autosize",
        "showTips": False,
        "scrollZoom": False,
        "plotGlPixelRatio": 1,
    }


def badge(view: HistoryView, *, partial: bool = False) -> str:
    """What is drawn, in one line: ``every min and max of 10 518 912 rows · 99.1 % complete · 214 flagged``.

    ``partial`` says that tiles are still to come: then nothing is called complete or incomplete.
    """
    if partial:
        return _("{rows} rows so far").format(rows=format_number(view.total_rows))
    parts = [_drawn(view)]
    sums = sorted({bucket_name(series.bucket) for series in view.series if series.kind == "bars" and series.bucket != "raw"})
    if view.resolution == "raw" and sums and not all(series.kind == "bars" for series in view.series):
        parts.append(_("rain as {bucket} sums").format(bucket=", ".join(sums)))
    complete = completeness(view)
    if complete is not None:
        parts.append(_("{share} complete").format(share=share_text(complete)))
    if view.total_flagged:
        parts.append(_("{count} flagged").format(count=format_number(view.total_flagged)))
    return " · ".join([parts[0], *(part.replace(" ", _NO_BREAK) for part in parts[1:])])


def completeness(view: HistoryView) -> float | None:
    """Rows of all series against the rows expected of them, 0..1; None where no series has a usual step."""
    known = [one for one in view.statistics if one.completeness is not None]
    expected = sum(one.rows / one.completeness for one in known if one.completeness)
    if not known:
        return None
    return sum(one.rows for one in known) / expected if expected else 0.0


def _drawn(view: HistoryView) -> str:
    rows = format_number(view.total_rows)
    if not view.total_rows:
        return _("no rows in this window")
    if view.resolution in _ADJECTIVES:
        return _aggregated(view).format(bucket=_adjective(view.resolution), rows=rows)
    if all(series.exact for series in view.series):
        return _("all {rows} rows drawn").format(rows=rows)
    if all(series.kind == "bars" for series in view.series):
        return _("sums of {rows} rows").format(rows=rows)
    return _("every min and max of {rows} rows").format(rows=rows)


def _aggregated(view: HistoryView) -> str:
    bars = [series.kind == "bars" for series in view.series]
    if all(bars):
        return _("{bucket} sums of {rows} rows")
    return _("{bucket} means and sums of {rows} rows") if any(bars) else _("{bucket} means of {rows} rows")


def _adjective(resolution: str) -> str:
    return {
        "1min": _("1-minute"),
        "10min": _("10-minute"),
        "1h": _("hourly"),
        "1d": _("daily"),
        "1mo": _("monthly"),
    }[resolution]


def _toolbar() -> html.Div:
    buttons: list[Component] = [
        html.Button(_("Whole range"), id=ids.CHART_RESET, type="button", n_clicks=0, className="btn btn-sm chart-reset"),
        dbc.Switch(id=ids.FLAGGED, value=False, label=_("Include flagged"), className="flagged-switch"),
        html.Button(
            "PNG", id=ids.CHART_PICTURE, type="button", n_clicks=0, className="btn btn-sm", title=_("Download the picture")
        ),
        html.A("CSV", id=ids.DOWNLOAD_CSV, className="btn btn-sm", title=_("Download the rows of this window"), download=""),
        html.A(
            "XLSX",
            id=ids.DOWNLOAD_XLSX,
            className="btn btn-sm",
            title=_("Download the rows of this window as an Excel file"),
            **workbook_link(ids.ALERT),
        ),
        html.Button(
            _("Embed"),
            id=ids.EMBED_OPEN,
            type="button",
            n_clicks=0,
            className="btn btn-sm",
            title=_("Embed this chart in another page"),
            hidden=True,  # until a chart is shown that may be embedded (callbacks/embedding.py)
            **{"aria-haspopup": "dialog"},
        ),
    ]
    return html.Div(buttons, className="chart-tools", role="toolbar", **{"aria-label": _("Chart tools")})


def _statistics() -> html.Div:
    copy = html.Button(
        _("Copy statistics"),
        id=ids.STATS_COPY,
        type="button",
        n_clicks=0,
        className="btn btn-sm",
        **{"data-done": _("Copied")},
    )
    head = html.Div([html.H2(_("Statistics of the visible window")), copy], className="stats-head")
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
