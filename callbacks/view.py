"""The view: what the tiles hold of a job's request in a window.
First drawing, progress, zoom, theme: all the same path.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State
from dash.exceptions import PreventUpdate

from access.grants import Purpose
from access.notes.noted import Noted
from analysis.drawn_points import drawn_statistics, is_each_bucket_drawn
from analysis.question import ask
from analysis.summary import summarised
from callbacks.pictures import Picture, ViewQuery, picture_of
from callbacks.report_menu import reports_of
from callbacks.selection import Selection
from data.catalogue import Catalogue
from data.request import HistoryRequest
from data.time.resolution import RESOLUTIONS
from data.view.records import HistoryView
from data.view.view_request import view_request
from errors import RiwayatError
from figures.history import Figure, Span, empty_figure
from figures.job_window import JobWindow
from figures.overview import overview_figure, overview_request
from figures.rail import drawn_colours
from i18n import translate_error
from jobs.chromium import find_chromium
from jobs.services import Services
from layouts import ids
from layouts.report_menu import report_entries
from layouts.statistics import MOST_SUMMARISED, Summaries, drawn_statistics_table, statistics_table
from layouts.statistics_head import DRAWN, READINGS, statistics_choice, statistics_heading
from layouts.table import TABLE
from layouts.views import view_caption

NAMESPACE = "riwayat_chart"  # of assets/chart.js
_LEAST_PX, _MOST_PX = 120, 4000
_MOST_RATIO = 4  # of pixels of the screen to one of the page

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ViewAnswer:
    """What the page shows: figure with its sequence, badge, statistics and their heading,
    address of the rows as CSV.

    ``picture_hrefs`` are those of its picture as SVG, PDF and HTML. ``overview`` is the strip of
    the whole range, None where the page has it already; ``overview_version`` says which it is.
    """

    answer: dict[str, Any]
    badge: str
    statistics: Any
    rows_href: str | None
    heading: str = ""
    overview: Figure | None = None
    overview_version: str = ""
    lists: Any = None
    controls: Any = None
    note: Any = None
    picture_hrefs: tuple[str | None, ...] = (None, None, None)
    reports: Any = None

    @property
    def links(self) -> list[str | None]:
        """Return the addresses of the rows as CSV, Excel file, Parquet and NetCDF, of the last
        one's manifest, and of the picture.
        """
        csv = self.rows_href
        others = ("data?format=xlsx", "data?format=parquet", "data?format=netcdf", "manifest?format=netcdf")
        of_rows = [csv, *(csv and csv.replace("data?format=csv&units=name", path, 1) for path in others)]
        return [*of_rows, *self.picture_hrefs]

    @property
    def whole(self) -> dict[str, Any]:
        """Return all of it as one answer, which the page shows or drops together."""
        said = {"badge": self.badge, "statistics": self.statistics, "heading": self.heading}
        said |= {"lists": self.lists, "controls": self.controls, "note": self.note, "reports": self.reports}
        return {**self.answer, **said, "links": self.links, "overview": self.overview, "overview_version": self.overview_version}


def draw(services: Services, asked: ViewQuery) -> ViewAnswer:
    """The job's window from tiles. A job that is not there, or not the asking identity's,
    gives an empty figure and a sentence.

    Never reads the table of observations.
    """
    if not asked.job_id:
        return _nothing(asked, "")
    try:
        window = JobWindow.of(services, asked.job_id, asked.selection.span, flags=asked.selection.flags)
        gaps = window.gaps(asked.columns)
        noted = window.noted(services)
        picture = picture_of(services, window, asked, gaps, noted)
        version = asked.overview_version(window.job, noted.version)
        summaries = {} if gaps else _summaries(services, window, picture.view, flagged=asked.include_flagged)
        overview = None if asked.overview == version else _overview(services, window, asked, gaps or (), noted)
    except RiwayatError as error:
        services.note(error)
        return _nothing(asked, translate_error(error, services.settings.timezone))
    job = window.job
    caption = view_caption(job.request, window.span, window.site.catalogue, asked.selection.view)
    picture.figure["layout"]["meta"]["caption"] = caption
    part = f"from={window.span[0]}&to={window.span[1]}&flags={window.site.flags}"
    href = f"{services.path(job.id, 'data')}?format=csv&units=name&{part}"
    whole = job.status.is_final  # a file cannot say what it lacks
    rows_href = href if whole and window.rights.allows(job.request, Purpose.EXPORT) else None
    return ViewAnswer(
        {**_answer(asked, job.id, picture.figure), "waits": picture.waits, "table": picture.table, "review": picture.review},
        picture.badge,
        _statistics(picture, window.site.catalogue, asked, summaries),
        rows_href,
        statistics_heading(picture.view),
        overview,
        version,
        picture.lists,
        picture.controls,
        picture.note,
        _picture_hrefs(services, window, asked) if whole else (None, None, None),
        report_entries(reports_of(services, window)) if whole else [],
    )


def _picture_hrefs(services: Services, window: JobWindow, asked: ViewQuery) -> tuple[str | None, ...]:
    """Addresses of what is shown as SVG, PDF and HTML; None of what cannot be had: a table has no
    picture, and without Chromium there is only HTML.
    """
    view = asked.selection.view
    if view == TABLE:
        return None, None, None
    fields = {"from": window.span[0], "to": window.span[1], "flags": window.site.flags, "view": view}
    fields |= {"flagged": "1"} if asked.include_flagged else {}
    query = urlencode({**asked.selection.own_options, **fields})
    path = services.path(window.job.id, "picture")
    drawn = find_chromium(services.settings) is not None
    return tuple(f"{path}?format={kind}&{query}" if drawn or kind == "html" else None for kind in ("svg", "pdf", "html"))


def _summaries(services: Services, window: JobWindow, view: HistoryView, *, flagged: bool) -> Summaries | None:
    """What statistics tell beyond summaries of blocks; nothing where only whole steps may be seen,
    None where the window has more readings than are read at once.
    """
    if not view.statistics or window.site.floor != RESOLUTIONS[0] or not window.job.status.is_final:
        return {}
    if sum(each.rows for each in view.statistics) > MOST_SUMMARISED:
        return None
    known = {(each.station, each.sensor): each for each in view.statistics}
    request = replace(_only(window.job.request, known), resolution=RESOLUTIONS[0])
    with services.time_view("analysis"):
        question = ask(window.site, request, window.span, include_flagged=flagged)
        keys = ((each, (each.station, each.sensor.name)) for each in question.series)
        return {key: summarised(question, each, known[key]) for each, key in keys if key in known}


def _only(request: HistoryRequest, series: Collection[tuple[str, str]]) -> HistoryRequest:
    """The request for the stations and the sensors of some of its series alone."""
    stations, sensors = ({each[at] for each in series} for at in (0, 1))
    return replace(
        request,
        stations=tuple(name for name in request.stations if name in stations),
        sensors=tuple(name for name in request.sensors if name in sensors),
    )


def _statistics(picture: Picture, catalogue: Catalogue, asked: ViewQuery, summaries: Summaries | None) -> Any:
    """The statistics of readings, or of the buckets that are drawn of them where these are wanted;
    the choice, where there is one.
    """
    view, colours = picture.view, drawn_colours(picture.figure) if picture.charted else {}
    if not picture.charted or not is_each_bucket_drawn(view, asked.columns):
        return statistics_table(view, catalogue, colours, charted=picture.charted, summaries=summaries)
    chosen = asked.selection.options.get("stats", "")
    choice = statistics_choice(view, DRAWN if chosen == DRAWN else READINGS)
    if chosen != DRAWN:
        return [choice, statistics_table(view, catalogue, colours, summaries=summaries)]
    return [choice, drawn_statistics_table(drawn_statistics(view, catalogue, summaries or {}), catalogue, colours)]


def _answer(asked: ViewQuery, job_id: str | None, figure: Figure) -> dict[str, Any]:
    selection = asked.selection
    shown = {"view": selection.view, "options": dict(selection.options)}
    return {"job": job_id, "sequence": selection.sequence, **shown, "figure": figure}


def _overview(services: Services, window: JobWindow, asked: ViewQuery, gaps: tuple[Span, ...], noted: Noted) -> Figure:
    """The strip of the whole range, whatever the window."""
    site, job = window.site, window.job
    request = overview_request(job.request, site.catalogue)
    with services.time_view("overview"):
        view = view_request(site, request, request.start_ms, request.end_ms, asked.columns, with_statistics=False)
    return overview_figure(
        view,
        site.catalogue,
        width_px=asked.width_px,
        theme=asked.theme,
        pending=gaps,
        revision=job.id,
        stations=job.request.stations,
        noted=noted,
    )


def _nothing(asked: ViewQuery, sentence: str) -> ViewAnswer:
    empty = empty_figure(asked.theme)
    return ViewAnswer(_answer(asked, None, empty), sentence, None, None, overview=empty if asked.job_id else None)


def _size(measured: object) -> tuple[int, float]:
    """Return the measured width in px of the page, and how many of the screen's each is wide,
    within reason; without a width there is nothing to draw on.
    """
    width, ratio = measured if isinstance(measured, list) and len(measured) == 2 else (measured, 1)
    if not isinstance(width, (int, float)) or width <= 0:
        raise PreventUpdate
    is_ratio = isinstance(ratio, (int, float)) and 1 <= ratio <= _MOST_RATIO
    return int(min(max(width, _LEAST_PX), _MOST_PX)), float(ratio) if is_ratio else 1.0


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of chart, overview, badge and statistics."""
    _register_view(app, services)
    _register_page(app)


def _register_view(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.CHART_ANSWER, "data"),
        Input(ids.JOB_ID, "data"),
        Input(ids.JOB_VERSION, "data"),
        Input(ids.SELECTION, "data"),
        Input(ids.FLAGGED, "value"),
        Input(ids.THEME, "data"),
        Input(ids.LANGUAGE, "data"),
        Input(ids.CHART_WIDTH, "data"),
        State(ids.OVERVIEW_VERSION, "data"),
    )
    def view(
        job_id: Any, _version: Any, selection: Any, flagged: Any, theme: Any, _language: Any, width: Any, overview: Any
    ) -> dict[str, Any]:
        width_px, ratio = _size(width)
        asked = ViewQuery(job_id, Selection.of(selection), bool(flagged), str(theme), width_px, overview, ratio)
        return draw(services, asked).whole


def _register_page(app: Dash) -> None:
    """What happens in the browser alone; assets/chart.js says how."""

    def in_browser(function: str, *dependencies: Any, prevent: bool = True) -> None:
        app.clientside_callback(ClientsideFunction(NAMESPACE, function), *dependencies, prevent_initial_call=prevent)

    shown = (
        Output(ids.BADGE, "children"),
        Output(ids.STATS_HEAD, "children"),
        Output(ids.VIEW_LISTS, "children"),
        Output(ids.VIEW_CONTROLS, "children"),
        Output(ids.CHART_NOTE, "children"),
        Output(ids.REPORT_LIST, "children"),
        Output(ids.DOWNLOAD_CSV, "href"),
        Output(ids.DOWNLOAD_XLSX, "href"),
        Output(ids.DOWNLOAD_PARQUET, "href"),
        Output(ids.DOWNLOAD_NETCDF, "href"),
        Output(ids.DOWNLOAD_MANIFEST, "href"),
        Output(ids.PICTURE_SVG, "href"),
        Output(ids.PICTURE_PDF, "href"),
        Output(ids.PICTURE_HTML, "href"),
        Output(ids.OVERVIEW, "figure"),
        Output(ids.OVERVIEW_VERSION, "data"),
        Output(ids.CHART_DRAWN, "data"),
    )
    in_browser("draw", *shown, Input(ids.CHART_ANSWER, "data"))
    in_browser("mounted", Output(ids.CHART_WIDTH, "data"), Input(ids.CHART, "id"), prevent=False)
    in_browser("overviewDrawn", Input(ids.OVERVIEW, "figure"))
    in_browser("wholeRange", Input(ids.CHART_RESET, "n_clicks"))
    in_browser("picture", Input(ids.CHART_PICTURE, "n_clicks"))
