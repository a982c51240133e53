"""The view: what the tiles hold of a job's request in a window. First drawing, progress, zoom, theme: all the same path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from access.grants import Purpose
from access.seen import seen_by, whole_window, without_raw
from callbacks.services import Services
from data.site import Site
from data.view import HistoryView, view_request
from errors import RiwayatError
from figures.history import Figure, Span, empty_figure, history_figure
from figures.overview import overview_figure, overview_request
from figures.window import clip_window, pending_spans
from i18n import gettext as _
from i18n import translate_error
from jobs.job import Job, Status
from jobs.visible import visible_job
from layouts import ids
from layouts.chart import badge
from layouts.statistics import statistics_table

NAMESPACE = "riwayat_chart"  # of assets/chart.js
_LEAST_PX, _MOST_PX = 120, 4000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Asked:
    """What the page wants drawn: all of it untrusted. Times int ms UTC; ``sequence`` numbers the user's gestures."""

    job_id: object
    window: object
    include_flagged: bool
    theme: str
    width_px: int

    @property
    def sequence(self) -> int:
        """The number of the latest gesture; 0 before the first."""
        number = self.window.get("sequence") if isinstance(self.window, dict) else 0
        return number if isinstance(number, int) else 0

    def span(self, job: Job) -> Span:
        """The window, if it is one of this job; else the whole request."""
        window = self.window if isinstance(self.window, dict) and self.window.get("job") == job.id else {}
        return clip_window(job.request, window.get("start"), window.get("end"))


@dataclass(frozen=True)
class Drawn:
    """What the page shows: the figure with its sequence, the badge, the statistics, the address of the rows as CSV."""

    answer: dict[str, Any]
    badge: str
    statistics: Any
    rows_href: str | None

    @property
    def workbook_href(self) -> str | None:
        """The same as an Excel file."""
        return self.rows_href and self.rows_href.replace("?format=csv", "?format=xlsx", 1)


def draw(services: Services, asked: Asked) -> Drawn:
    """The job's window from tiles. A job that is not there, or not the asking identity's, gives an empty figure and a sentence.

    Never reads the table of observations.
    """
    if not asked.job_id:
        return _nothing(asked, "")
    try:
        identity = services.identify()
        job, site = visible_job(services.ledger, identity, asked.job_id), seen_by(services.site, identity.rights)
        start, end = whole_window(identity.rights, job.request, asked.span(job))
        with services.time_view("page"):
            view = view_request(site, job.request, start, end, asked.width_px, include_flagged=asked.include_flagged)
        view = without_raw(identity.rights, job.request, view)
        log.debug("view drawn", rows=view.total_rows)
        spans, words = _pending(site, job)
        figure = _figure(site, job, view, asked, spans, words)
    except RiwayatError as error:
        services.note(error)
        return _nothing(asked, translate_error(error, services.settings.timezone))
    href = f"{services.settings.url_prefix}api/jobs/{quote(job.id)}/data?format=csv&from={start}&to={end}"
    whole = job.status.is_final  # a file cannot say what it lacks
    rows_href = href if whole and identity.rights.allows(job.request, Purpose.EXPORT) else None
    answer = {"job": job.id, "sequence": asked.sequence, "figure": figure}
    return Drawn(
        answer,
        badge(view, partial=bool(spans) and not job.status.is_final),
        statistics_table(view, site.catalogue, asked.theme),
        rows_href,
    )


def draw_overview(services: Services, job_id: object, theme: str, width_px: int) -> Figure:
    """The strip of the whole range; empty for a job that is not the asking identity's."""
    try:
        identity = services.identify()
        job, site = visible_job(services.ledger, identity, job_id), seen_by(services.site, identity.rights)
        request = overview_request(job.request, site.catalogue)
        with services.time_view("overview"):
            view = view_request(site, request, request.start_ms, request.end_ms, width_px, with_statistics=False)
        return overview_figure(
            view, site.catalogue, width_px=width_px, theme=theme, pending=_pending(site, job)[0], revision=job.id
        )
    except RiwayatError:
        return empty_figure(theme)


def _figure(site: Site, job: Job, view: HistoryView, asked: Asked, spans: tuple[Span, ...], words: str) -> Figure:
    return history_figure(
        view,
        site.catalogue,
        theme=asked.theme,
        width_px=asked.width_px,
        whole=(job.request.start_ms, job.request.end_ms),
        pending=spans,
        pending_text=words,
        revision=job.id,
        sequence=asked.sequence,
    )


def _pending(site: Site, job: Job) -> tuple[tuple[Span, ...], str]:
    """Where data is still to come, and the words for it; nothing once the job has completed."""
    if job.status is Status.COMPLETED:
        return (), ""
    return pending_spans(site, job.request), _("not loaded") if job.status.is_final else _("still to come")


def _nothing(asked: Asked, sentence: str) -> Drawn:
    return Drawn({"job": None, "sequence": asked.sequence, "figure": empty_figure(asked.theme)}, sentence, None, None)


def _px(width: object) -> int:
    """The measured width, kept within reason; no width yet means that there is nothing to draw on."""
    if not isinstance(width, (int, float)) or width <= 0:
        raise PreventUpdate
    return int(min(max(width, _LEAST_PX), _MOST_PX))


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of chart, overview, badge and statistics."""
    _register_view(app, services)
    _register_overview(app, services)
    _register_page(app)


def _register_view(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.CHART_ANSWER, "data"),
        Output(ids.BADGE, "children"),
        Output(ids.STATS, "children"),
        Output(ids.DOWNLOAD_CSV, "href"),
        Output(ids.DOWNLOAD_XLSX, "href"),
        Input(ids.JOB_ID, "data"),
        Input(ids.JOB_VERSION, "data"),
        Input(ids.CHART_WINDOW, "data"),
        Input(ids.FLAGGED, "value"),
        Input(ids.THEME, "data"),
        Input(ids.LANGUAGE, "data"),
        Input(ids.CHART_WIDTH, "data"),
    )
    def view(
        job_id: Any, _version: Any, window: Any, flagged: Any, theme: Any, _language: Any, width: Any
    ) -> tuple[dict[str, Any], str, Any, str | None, str | None]:
        drawn = draw(services, Asked(job_id, window, bool(flagged), str(theme), _px(width)))
        return drawn.answer, drawn.badge, drawn.statistics, drawn.rows_href, drawn.workbook_href


def _register_overview(app: Dash, services: Services) -> None:
    # Not an Input: the window. A zoom must not draw the overview again.
    @app.callback(
        Output(ids.OVERVIEW, "figure"),
        Input(ids.JOB_ID, "data"),
        Input(ids.JOB_VERSION, "data"),
        Input(ids.THEME, "data"),
        Input(ids.CHART_WIDTH, "data"),
    )
    def overview(job_id: Any, _version: Any, theme: Any, width: Any) -> Any:
        return draw_overview(services, job_id, str(theme), _px(width)) if job_id else no_update


def _register_page(app: Dash) -> None:
    """What happens in the browser alone; assets/chart.js says how."""

    def in_browser(function: str, *dependencies: Any, prevent: bool = True) -> None:
        app.clientside_callback(ClientsideFunction(NAMESPACE, function), *dependencies, prevent_initial_call=prevent)

    in_browser("draw", Output(ids.CHART, "figure"), Input(ids.CHART_ANSWER, "data"))
    in_browser("mounted", Output(ids.CHART_WIDTH, "data"), Input(ids.CHART, "id"), prevent=False)
    in_browser("overviewDrawn", Input(ids.OVERVIEW, "figure"))
    in_browser("relayout", Input(ids.CHART, "relayoutData"))
    in_browser("wholeRange", Input(ids.CHART_RESET, "n_clicks"))
    in_browser("picture", Input(ids.CHART_PICTURE, "n_clicks"))
    in_browser("copyStatistics", Input(ids.STATS_COPY, "n_clicks"), State(ids.STATS_COPY, "id"))
