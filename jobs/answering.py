"""An analysis of a job's window, for page and API alike: its answer at once, or the job that makes
it (docs/decisions/0031).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from access.grants import Purpose
from access.identity import authorise
from access.restricted_site import restricted_site_for
from analysis.answer import Answer
from analysis.inquiry import Inquiry
from analysis.quality.event_decisions import with_decisions
from analysis.question import ask, check_asked, refuse_unloaded
from analysis.registry import find
from data.request import HistoryRequest
from data.site import Site
from errors import Conflict, TooLarge
from jobs.job import Job, Status
from jobs.kinds.kept_answer import kept_answer, refuse_lost
from jobs.policy import ANALYSIS
from jobs.recent_end import ended_badly_just_now, why_failed
from jobs.services import Services
from jobs.start import log_job, submit_job


class AskedWindow(Protocol):
    """A job that the asker may see, a window of it, and the site with their rights."""

    @property
    def site(self) -> Site:
        """The site with these rights."""
        ...

    @property
    def job(self) -> Job:
        """The job whose request is loaded."""
        ...

    @property
    def span(self) -> tuple[int, int]:
        """The window [start, end), int ms UTC."""
        ...


def answer_or_job(
    services: Services,
    window: AskedWindow,
    name: str,
    options: Mapping[str, str],
    *,
    zone: str | None = None,
    flagged: bool = False,
) -> Answer | Job:
    """Return what an analysis finds in a window, where that takes a moment or is kept;
    else the asker's job that finds it, one that waits or runs, or a new one.

    ``window`` was checked against the asker's rights. ``zone`` is the zone of days and hours, by
    default the job's; ``options`` are texts as in the query string.

    Raises:
        NotPermitted: only whole steps may be seen.
        InvalidRequest: analysis, option or zone do not exist, or it does not fit these series.
        NotLoaded: it looks back on what was not loaded.
        Conflict: tiles are not there; or its job has failed or was cancelled a moment ago.
        TooLarge: a part of the range of an embedded chart is more than is answered at once.
        QueueFull: there is no room for another job, of this user or of all.
        TileDamaged: a tile is damaged; the next load reads it again.
    """
    analysis = find(name)
    chosen, whole = analysis.options(options), window.job.request
    timezone = zone or whole.timezone
    check_asked(window.site, timezone)
    request = replace(whole, resolution="raw", timezone=timezone)
    site = analysis.site(window.site)
    inquiry = Inquiry.of(name, window.span, chosen, flagged=flagged, flags=site.flags)
    kept = kept_answer(site, request, inquiry)
    if kept is not None:
        return with_decisions(kept, site.decisions)
    question = ask(site, request, window.span, include_flagged=flagged)
    readings = analysis.readings(question, chosen)
    if readings <= analysis.at_once:
        return with_decisions(analysis.answer(question, chosen), site.decisions)
    needs = (analysis.begins(options, window.span, timezone), window.span[1])
    refuse_unloaded(needs[0], whole.start_ms)
    if services.identify().via == "embed" and needs != (whole.start_ms, whole.end_ms):
        raise TooLarge(
            "This window holds {rows} readings, which is too much for an embedded chart. Choose a shorter window.",
            rows=f"{readings:,}",
        )
    return _job(services, window.site, request, inquiry, readings)


def _job(services: Services, site: Site, request: HistoryRequest, inquiry: Inquiry, readings: int) -> Job:
    identity = services.identify()
    authorise(identity, request, Purpose.VIEW)
    refuse_lost(restricted_site_for(site, identity.rights, request), request)
    text = inquiry.to_json()
    job = services.ledger.latest(identity.user, ANALYSIS, request, text)
    if job is not None and not job.status.is_final:
        return job
    if job is not None and ended_badly_just_now(job):
        raise _refusal(job)
    job = submit_job(services.site, services.ledger, identity, request, ANALYSIS, readings, inquiry=text)
    log_job("analysis submitted", job)
    services.wake()
    return job


def _refusal(job: Job) -> Conflict:
    if job.status is Status.CANCELLED:
        return Conflict("The analysis was cancelled. Try again in a minute.")
    return Conflict("The analysis could not be made. Try again in a minute. {why}", why=why_failed(job))
