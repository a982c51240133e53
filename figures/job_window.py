"""A window of a job, what of it is not loaded, and its figure: the one way for page, API,
embedded charts and their preview.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from access.grants import Purpose, Rights
from access.notes.noted import Noted, noted
from access.restricted_site import restricted_site_for, whole_window
from data.decision import Decision
from data.flag_choice import USUAL_FLAGS, FlagChoice
from data.flags_missing import unchecked_months
from data.load_plan import months_absent, plan
from data.request import HistoryRequest
from data.site import Site
from data.time.months import month_bounds_ms
from data.time.resolution import RESOLUTIONS
from data.view.records import Smoothing
from data.view.resampled import needs_rollup
from data.view.rollup import rollups_missing
from data.view.view_request import HistoryView, view_request
from errors import NoData, SourceUnavailable, UnknownStation
from figures.flag_words import flag_words
from figures.history import NOTHING_NOTED, Figure, Span, history_figure
from figures.trend_options import (
    AUTOMATIC,
    TrendOptions,
    read_smoothing,
    read_trend_options,
    smoothing_problems,
    threshold_problems,
)
from i18n import gettext as _
from jobs.job import Job, Status
from jobs.services import Services

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TrendView:
    """A window as Trend draws it, with the options that it is drawn with, and what is wrong with
    those that were asked for, in sentences.
    """

    view: HistoryView
    options: TrendOptions
    problems: tuple[str, ...]


@dataclass(frozen=True)
class JobWindow:
    """A job that the asker may see, a window of it, and the site with these rights."""

    site: Site
    job: Job
    span: Span
    rights: Rights

    @classmethod
    def of(
        cls,
        services: Services,
        job_id: object,
        window: Callable[[Job], Span],
        purpose: Purpose = Purpose.VIEW,
        flags: FlagChoice = USUAL_FLAGS,
    ) -> JobWindow:
        """Return what may be seen of a job; ``window`` gives the window that is asked for,
        which lies inside its request; ``flags`` of rules are those that count.

        Where a floor of resolution is on it the window is made wider, so that it cuts no bucket. A
        floor may be on what leaves as a file only.

        Raises:
            JobNotFound, NotPermitted: as :meth:`jobs.services.Services.job`.
        """
        job, rights = services.job(job_id), services.identify().rights
        span = whole_window(rights, job.request, window(job), purpose)
        site = replace(restricted_site_for(services.site, rights, job.request, purpose), flags=flags)
        return cls(site, job, span, rights)

    def only(self, sensor: str) -> JobWindow:
        """Return the window with one sensor of the job, where it has that; else as it is."""
        request = self.job.request
        if sensor not in request.sensors:
            return self
        return replace(self, job=replace(self.job, request=replace(request, sensors=(sensor,))))

    def unchecked(self) -> list[str]:
        """Return names of the UTC months of the window that no rule has looked at yet."""
        return unchecked_months(self.site, replace(self.job.request, start_ms=self.span[0], end_ms=self.span[1]))

    def decided(self, series: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Decision]]:
        """Return the decisions in force about readings of the window, by series; nothing of those
        without any, nor where only whole steps may be seen.
        """
        start, end = self.span
        if self.site.floor != RESOLUTIONS[0]:
            return {}
        found = {key: [one for one in self.site.decisions(*key) if one.start_ms < end and one.end_ms >= start] for key in series}
        return {key: made for key, made in found.items() if made}

    def view(
        self,
        width_px: int,
        *,
        include_flagged: bool = False,
        with_statistics: bool = True,
        smoothing: Smoothing | None = None,
    ) -> HistoryView:
        """Return the window as ``view_request`` draws it; of a job that loads it does not tell that
        flags are not made yet, which come a moment after the tiles. Asks no database.
        """
        view = view_request(
            self.site,
            self.job.request,
            *self.span,
            width_px,
            include_flagged=include_flagged,
            with_statistics=with_statistics,
            smoothing=smoothing,
        )
        if self.job.status.is_final:
            return view
        return replace(view, marks=tuple(replace(each, unmade=False) for each in view.marks))

    def trend_view(
        self, texts: Mapping[str, str], width_px: int, *, include_flagged: bool = False, with_statistics: bool = True
    ) -> TrendView:
        """Return :meth:`view` with the options that an address names; ``texts`` are untrusted."""
        smoothing, wrong = read_smoothing(texts)
        view = self.view(width_px, include_flagged=include_flagged, with_statistics=with_statistics, smoothing=smoothing)
        read = read_trend_options(texts, self.site.catalogue, view)
        problems = (*read.problems, *wrong, *smoothing_problems(view, smoothing))
        problems += threshold_problems(read.options.thresholds, view, self.site.catalogue)
        return TrendView(view, read.options, problems)

    def gaps(self, width_px: int) -> tuple[Span, ...] | None:
        """Return the spans of the job that are not there (yet, or any more),
        as far as they are drawn.

        None: the inventory does not say; tiles draw all the same.
        """
        if self.job.status is not Status.COMPLETED:
            return pending_spans(self.site, self.job.request)
        try:
            return _lost_spans(self.site, self.job.request, self.span, width_px)
        except (UnknownStation, SourceUnavailable, SQLAlchemyError) as error:
            log.warning("it is not known whether a figure is whole", error=str(error))
            return None

    def noted(self, services: Services, purpose: Purpose = Purpose.VIEW) -> Noted:
        """Return what is noted of the job's series in its range, as far as it is for the asker and
        the purpose.
        """
        zone = services.settings.timezone
        return noted(services.access, services.site.catalogue, services.identify(), self.job.request, zone, purpose)

    def figure(
        self,
        view: HistoryView,
        gaps: tuple[Span, ...] | None,
        *,
        theme: str,
        width_px: int,
        height_px: int | None = None,
        sequence: int = 0,
        options: TrendOptions = AUTOMATIC,
        noted: Noted = NOTHING_NOTED,
    ) -> Figure:
        """Return a view of the window as :func:`figures.history.history_figure`,
        with its gaps tinted and named.
        """
        figure = history_figure(
            view,
            self.site.catalogue,
            theme=theme,
            width_px=width_px,
            height_px=height_px,
            whole=(self.job.request.start_ms, self.job.request.end_ms),
            pending=gaps or (),
            pending_text=_gap_words(self.job.status),
            revision=self.job.id,
            sequence=sequence,
            options=options,
            decisions=self.decided((one.station, one.sensor) for one in view.series),
            noted=noted.only(self.job.request.sensors),
            why=partial(flag_words, self.site, self.job.request.timezone),
        )
        left_out, suspect = (sum(getattr(one, name) for one in view.marks) for name in ("left_out", "suspect"))
        figure["layout"]["meta"] |= {"flags": self.site.flags, "left_out": left_out, "suspect": suspect}
        return figure


def _gap_words(status: Status) -> str:
    if status is Status.COMPLETED:
        return _("no longer cached; load again")
    return _("not loaded") if status.is_final else _("not loaded yet")


def pending_spans(site: Site, request: HistoryRequest) -> tuple[Span, ...]:
    """Spans of the request (int ms UTC, sorted, apart) of which some tile or rollup is missing.

    Reads inventory and indices only. While the inventory does not answer,
    nothing is known to be missing.
    """
    try:
        missing = plan(site, request).missing_months
    except (NoData, SourceUnavailable):
        return ()
    return _spans(request, missing | rollups_missing(site, request))


def _lost_spans(site: Site, request: HistoryRequest, window: Span, width_px: int) -> tuple[Span, ...]:
    """Spans of a request that was loaded once of which part has left the disk,
    as far as it is drawn.

    Of months outside of the window, too; a rollup counts where this window is drawn from rollups.
    Months that are there, but have new data, do not.

    Raises:
        UnknownStation, UnknownSensor: the site has lost one of them.
    """
    lost = months_absent(site, request)
    if needs_rollup(request.resolution, window[1] - window[0], width_px):
        lost |= rollups_missing(site, request)
    return _spans(request, lost)


def _spans(request: HistoryRequest, months: Collection[int]) -> tuple[Span, ...]:
    """Months as spans of the request, those that touch as one.

    A month may begin where the request ends: then its first row,
    stamped at the end of its interval, is the request's last.
    """
    spans: list[Span] = []
    for month in sorted(months):
        start, end = month_bounds_ms(month)
        start, end = min(max(start, request.start_ms), request.end_ms - 1), min(end, request.end_ms)
        if spans and spans[-1][1] >= start:
            spans[-1] = (spans[-1][0], end)
        elif start < end:
            spans.append((start, end))
    return tuple(spans)
