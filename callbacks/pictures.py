"""A window of a job in each of its views: the picture, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from dash.development.base_component import Component

from access.grants import Purpose
from access.identity import authorise
from access.notes.note_table import MOST_LISTED
from access.notes.noted import Noted
from analysis.answer import Answer
from analysis.inquiry import TREND
from analysis.registry import ANALYSES
from callbacks.job_words import QueueState, progress_words
from callbacks.presets import wall_clock
from callbacks.selection import Selection
from callbacks.thresholds import counted
from data.export.row_index import MOST_SORTED
from data.export.row_question import filter_columns, missing_columns
from data.export.table import open_table
from data.time.resolution import RESOLUTIONS
from data.view.nearest import nearest_readings
from data.view.records import HistoryView
from errors import Conflict, NotLoaded, RiwayatError
from figures.analysis_figure import analysis_figure, of_window
from figures.canvas import Canvas
from figures.history import Figure, Span, is_blank
from figures.job_window import JobWindow
from figures.notes import sentence_figure
from figures.rail import railed
from figures.subjects import subjects_in_order
from figures.template import style_of
from figures.trend_options import ALL, MOST_UNASKED
from figures.words import picture_name
from i18n import format_number, translate_error
from i18n import gettext as _
from jobs.answering import answer_or_job
from jobs.job import Job, Status
from jobs.services import Services
from layouts.badge import badge
from layouts.flags import with_flags
from layouts.nowhere import load_offer, no_data_here, too_many
from layouts.review import Reviewed, decisions_told, events_told
from layouts.table import TABLE, table_controls, table_told, table_view
from layouts.trend import crossings, trend_controls
from layouts.views import analysis_options, drawing_options, view_controls, view_lists

QUALITY: Final = "quality"
_STATISTICS_PX: Final = 120  # of the view that an analysis' statistics come with; its points are not drawn

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ViewQuery:
    """What the page wants drawn: all of it untrusted."""

    job_id: object
    selection: Selection
    include_flagged: bool
    theme: str
    width_px: int
    overview: object = None  # the version of the overview that the page shows
    ratio: float = 1.0  # how many of the screen's pixels each of ``width_px`` is wide

    @property
    def columns(self) -> int:
        """Pixels of the screen: each is a column of a line."""
        return round(self.width_px * self.ratio)

    def overview_version(self, job: Job, noted: str) -> str:
        """What the overview of a job depends on, ``noted`` being the version of what is noted;
        equal for equal pictures.
        """
        return f"{job.id} {job.version} {self.theme} {self.columns} {self.selection.flags} {noted}"


@dataclass(frozen=True)
class Picture:
    """A figure, what stands above and beneath it, and the window's statistics."""

    figure: Figure
    badge: str
    view: HistoryView
    lists: Any = None
    controls: Any = None
    note: Any = None  # over the picture, which has nothing to show
    waits: bool = False  # for a job that answers: the page is to ask again
    charted: bool = True  # the picture is of the view's points
    table: Any = None  # what the script of the table is told
    review: Any = None  # what the scripts of the review are told


def picture_of(services: Services, window: JobWindow, asked: ViewQuery, gaps: tuple[Span, ...] | None, noted: Noted) -> Picture:
    """Return what is shown of a window in the view that is asked for. ``gaps`` are its spans that
    are not loaded, None where that is not known; ``noted`` is what is noted of the job.
    """
    view = asked.selection.view
    if view == TREND:
        return _trend(services, window, asked, gaps, noted)
    picture = (_table if view == TABLE else _analysis)(services, window, asked, gaps)
    if view in ANALYSES and ANALYSES[view].finds_flags:
        return picture
    return replace(picture, controls=with_flags(picture.controls, picture.view, asked.selection.options, _decided(window)))


def _decided(window: JobWindow) -> int:
    """How many decisions about readings of the window are in force."""
    return sum(map(len, window.decided(window.job.request.series).values()))


def _trend(services: Services, window: JobWindow, asked: ViewQuery, gaps: tuple[Span, ...] | None, noted: Noted) -> Picture:
    texts, sequence = asked.selection.own_options, asked.selection.sequence
    whole, window = window, window.only(texts.get("only", ""))
    if len(window.job.request.series) > MOST_UNASKED and texts.get("only") != ALL:
        return _asked_first(window, asked)
    flagged, catalogue = asked.include_flagged, window.site.catalogue
    with services.time_view("page"):
        drawn = window.trend_view(texts, asked.columns, include_flagged=flagged)
    view, options = drawn.view, drawn.options
    log.debug("view drawn", rows=view.total_rows)
    look: dict[str, Any] = {"theme": asked.theme, "width_px": asked.width_px, "sequence": sequence}
    figure = window.figure(view, gaps, options=options, noted=noted, **look)
    figure = railed(figure, view, catalogue, theme=asked.theme, alone=options.panel in ("own", "shared"))
    thresholds = options.thresholds
    events, uncounted = counted(services, window, thresholds, flagged=flagged, whole=not gaps) if thresholds else ([], ())
    controls = trend_controls(texts, catalogue, whole.job.request, (*drawn.problems, *uncounted, *_more_notes(noted)))
    said = badge(view, partial=bool(gaps) and not window.job.status.is_final, decided=_decided(window))
    lists = crossings(events, catalogue)
    told = decisions_told(_reviewable(window))
    return Picture(figure, said, view, lists, controls, note=_nowhere(window, view, gaps), review=told)


def _more_notes(noted: Noted) -> tuple[str, ...]:
    """What is said where there may be more notes than the chart takes."""
    if len(noted.notes) < MOST_LISTED:
        return ()
    words = _("The first {count} notes of this load are shown; there may be more. Load a shorter range to see them.")
    return (words.format(count=format_number(MOST_LISTED)),)


def _asked_first(window: JobWindow, asked: ViewQuery) -> Picture:
    """What is to be drawn of more series than a chart can show; nothing is read before."""
    request, canvas = window.job.request, Canvas(style_of(asked.theme), asked.width_px)
    view = HistoryView(*window.span, request.timezone, request.resolution, (), (), 0, 0)
    picture = picture_name(view, window.site.catalogue)
    drawn = of_window(sentence_figure("", canvas), request, window.span, asked.selection.sequence, canvas.style.ground, picture)
    return Picture(drawn, "", view, note=too_many(request, window.site.catalogue), charted=False)


def _nowhere(window: JobWindow, view: HistoryView, gaps: tuple[Span, ...] | None) -> Component | None:
    """Where there is data, of a window of which nothing is drawn; None where something is, or is
    still to come.
    """
    if gaps or not all(map(is_blank, view.series)):
        return None
    nearest = nearest_readings(window.site, window.job.request, *window.span)
    return no_data_here(*window.span, window.job.request.timezone, *nearest)


def _analysis(services: Services, window: JobWindow, asked: ViewQuery, gaps: tuple[Span, ...] | None) -> Picture:
    """The answer of an analysis, or why there is none in its place: the window and its statistics
    stay.
    """
    canvas = Canvas(style_of(asked.theme), asked.width_px)
    view = window.view(_STATISTICS_PX, include_flagged=asked.include_flagged)
    lists, note, review, said, waits = None, None, None, "", False
    try:
        found = _answered(services, window, asked, gaps)
        if isinstance(found, Job):
            figure, waits = sentence_figure(_waiting(services, found), canvas), True
        else:
            figure = _drawn(found, window, asked)
            lists = view_lists(found, window.site.catalogue)
            review = _reviewed(found, window, asked)
            rows = sum(subject.rows for subject in found.subjects)
            said = _("from all {rows} readings").format(rows=format_number(rows))
    except NotLoaded as error:
        figure = sentence_figure("", canvas)
        note = load_offer(translate_error(error, window.job.request.timezone), error.start_ms, window.job.request.timezone)
    except RiwayatError as error:
        services.note(error)
        figure = sentence_figure(translate_error(error, services.settings.timezone), canvas)
    picture = f"{picture_name(view, window.site.catalogue)}_{asked.selection.view}"
    drawn = of_window(figure, window.job.request, window.span, asked.selection.sequence, canvas.style.ground, picture)
    controls = view_controls(asked.selection.view, asked.selection.own_options, window.job.request, window.site.catalogue)
    return Picture(drawn, said, view, lists, controls, note=note, waits=waits, charted=False, review=review)


def _table(services: Services, window: JobWindow, asked: ViewQuery, gaps: tuple[Span, ...] | None) -> Picture:
    """The place of the rows, which the page fetches by itself; or why there is none."""
    canvas, request = Canvas(style_of(asked.theme), asked.width_px), window.job.request
    options = _of_these_columns(asked.selection.options, window)
    view = window.view(_STATISTICS_PX, include_flagged=asked.include_flagged)
    told, sentence, catalogue = None, "", window.site.catalogue
    try:
        if gaps:
            raise _incomplete(window.job)
        authorise(services.identify(), request, Purpose.EXPORT)
        open_table(window.site, request, *window.span)  # raises what the rows would be refused for
        rows = f"{services.path(window.job.id, 'rows')}?from={window.span[0]}&to={window.span[1]}&flags={window.site.flags}"
        by_value = request.resolution != "raw" or bool(options.get("where")) or view.total_rows <= MOST_SORTED
        if view.total_rows:
            told = table_told(request, catalogue, options, rows=rows, job=window.job.id, by_value=by_value)
    except RiwayatError as error:
        services.note(error)
        sentence = translate_error(error, services.settings.timezone)
    figure = of_window(
        sentence_figure(sentence, canvas), request, window.span, asked.selection.sequence, canvas.style.ground, TABLE
    )
    if told is None:
        return Picture(figure, "", view, note=_nowhere(window, view, gaps), charted=False)
    controls = table_controls(options, request, catalogue, wall_clock(window.span[0], request.timezone))
    return Picture(figure, "", view, table_view(told["grid"]), controls, charted=False, table=told)


def _of_these_columns(options: Mapping[str, str], window: JobWindow) -> dict[str, str]:
    """Options of a table without a filter and an order by columns that only another job has."""
    site, kept = window.site, dict(options)
    names = {"where": filter_columns(options.get("where", "")), "sort": [options.get("sort", "").strip().removeprefix("-")]}
    for option, named in names.items():
        missing = missing_columns(named, window.job.request.series, site.catalogue.sensors)
        if missing and all(site.inventory.known([station]).stations for station, _sensor in missing if station):
            del kept[option]
    return kept


def _answered(services: Services, window: JobWindow, asked: ViewQuery, gaps: tuple[Span, ...] | None) -> Answer | Job:
    """Raises Conflict while the window is not whole, InvalidRequest where the analysis does not
    fit it.
    """
    selection = asked.selection
    options = analysis_options(selection.view, selection.own_options)
    if gaps:
        raise _incomplete(window.job)
    with services.time_view("analysis"):
        return answer_or_job(services, window, selection.view, options, flagged=asked.include_flagged)


def _drawn(answer: Answer, window: JobWindow, asked: ViewQuery) -> Figure:
    drawing = drawing_options(asked.selection.view, asked.selection.own_options)
    return analysis_figure(answer, window.site.catalogue, Canvas(style_of(asked.theme), asked.width_px, drawing))


def _reviewed(answer: Answer, window: JobWindow, asked: ViewQuery) -> dict[str, Any] | None:
    """What is told of the events of quality control; None of another analysis."""
    if answer.analysis != QUALITY:
        return None
    ordered = subjects_in_order(answer, window.site.catalogue)
    return events_told(ordered, _reviewable(window), drawing_options(QUALITY, asked.selection.own_options))


def _reviewable(window: JobWindow) -> Reviewed:
    """The window with what was decided about its series; may be decided what is granted whole."""
    request = replace(window.job.request, start_ms=window.span[0], end_ms=window.span[1], resolution=RESOLUTIONS[0])
    rights = window.rights
    may_any = rights.everything or any(grant.may_review for grant in rights.grants)  # most people have no such grant

    def may_review(series: tuple[str, str]) -> bool:
        one = replace(request, stations=(series[0],), sensors=(series[1],))
        return may_any and rights.allows(one, Purpose.REVIEW)

    return Reviewed(request, window.site.catalogue, tuple(window.decided(request.series)), may_review)


def _waiting(services: Services, job: Job) -> str:
    """How far the job is that answers, and where it can be cancelled."""
    ledger = services.ledger
    state = QueueState(ledger.position(job) if job.status is Status.QUEUED else None, len(ledger.workers(job.queue)))
    if not state.workers:
        return _("No worker is running, so nothing can be loaded now.")
    return f"{progress_words(job, state).rstrip('.')}. {_('The answer comes by itself; the Jobs page can cancel it.')}"


def _incomplete(job: Job) -> Conflict:
    if not job.status.is_final:
        return Conflict("The answer comes when everything is loaded.")
    return Conflict("Parts of this window are not loaded. Load it again to get an answer.")
