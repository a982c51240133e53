"""A change of limits and the job that makes flags by them: for page, API and command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from access.grants import Purpose
from access.limits.limit_changes import LimitChange, change_limits
from data.overlay import with_derived
from data.request import HistoryRequest
from data.tiles.series import SeriesKey
from data.time.months import month_start_ms
from errors import RiwayatError
from jobs.decision_job import Reviewing
from jobs.job import Job
from jobs.start import start_job

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LimitsChanged:
    """The revision of a change, and the job that makes flags by it; None where none was started:
    then the next load of each month does.
    """

    revision: int
    job: Job | None


def change_and_load(
    reviewing: Reviewing, change: LimitChange, *, seen: int | None = None, load: HistoryRequest | None = None
) -> LimitsChanged:
    """Change limits, and start the job that makes flags by them.

    ``load`` is what is made anew; None: of a station's series its latest months that are loaded
    without a gap, of all stations nothing. Raises as
    :func:`access.limits.limit_changes.change_limits`.
    """
    revision = change_limits(reviewing.access, reviewing.site, reviewing.identity, change, seen=seen)
    wanted = load or _loaded(reviewing, change)
    if wanted is None:
        return LimitsChanged(revision, None)
    site, ledger, identity = reviewing.site, reviewing.ledger, reviewing.identity
    try:
        job = start_job(site, ledger, identity, wanted, reviewing.wake, anew=True, must_flag=True)
    except (RiwayatError, SQLAlchemyError) as exc:  # what is set stays set
        log.warning("no job makes flags by other limits", revision=revision, reason=str(exc))
        return LimitsChanged(revision, None)
    return LimitsChanged(revision, job)


def _loaded(reviewing: Reviewing, change: LimitChange) -> HistoryRequest | None:
    if change.station is None:
        return None
    key = SeriesKey(reviewing.site.source_id, change.station, change.sensor)
    months = latest_run(sorted(reviewing.site.tiles.entries(key)))
    if not months:
        return None
    start_ms, end_ms = month_start_ms(months[0]), month_start_ms(months[-1] + 1)
    own = HistoryRequest((change.station,), (change.sensor,), start_ms, end_ms)
    more = with_derived(reviewing.site, own)
    return more if reviewing.identity.rights.allows(more, Purpose.LOAD) else own


def latest_run(months: Sequence[int]) -> Sequence[int]:
    """Return the last of some increasing months that follow each other without a gap."""
    at = len(months)
    while at and (at == len(months) or months[at - 1] == months[at] - 1):
        at -= 1
    return months[at:]
