"""Start of a load, for page, API and command line:
check, plan, then either nothing is missing or a job goes into the line.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from access.audit.log import record, record_view, request_subject
from access.grants import Purpose
from access.identity import Identity, authorise
from access.restricted_site import require_permission
from data.flags_missing import rows_beside, rows_without_flags
from data.load_plan import Plan, is_filled, plan
from data.request import HistoryRequest
from data.site import Site
from data.view.rollup import rollups_missing
from errors import NoData, NoWorker
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger
from jobs.policy import HISTORY, purpose_of, queue_of

log = structlog.get_logger(__name__)


def start_job(
    site: Site,
    ledger: Ledger,
    identity: Identity,
    request: HistoryRequest,
    wake: Callable[[], None],
    *,
    by_page: bool = False,
    reuse: bool = False,
    anew: bool = False,
    must_flag: bool = False,
) -> Job:
    """The identity's job for a request: completed from the start when every tile (rollup, and flags
    of rules) is there, else queued.

    An equal request of the same owner that waits or runs is that job; with ``reuse`` a completed
    one is as well, as it is for those who look at an embedded chart. ``by_page`` refuses what
    nothing would run now, and the job ends when the page goes on to another (release_job of
    callbacks/submit.py). With ``anew`` a job that runs already is none that would do. With
    ``must_flag`` a job is queued for flags alone also where no worker is alive: one will be.

    Raises:
        NotPermitted: it is not granted so; says what is.
        UnknownStation, UnknownSensor, NoData: then no job is started.
        NoWorker: tiles are missing, no worker of the job's queue is alive, and ``by_page``.
        QueueFull: there is no room for another job, of this user or of all.
    """
    seen = require_permission(site, identity, request, Purpose.LOAD)
    planned = _planned(site, seen, request)
    unflagged = rows_without_flags(site, request) + rows_beside(site, request)
    rows = planned.rows_missing + unflagged
    queue = queue_of(rows, site.settings.large_job_rows)
    is_complete = planned.is_complete and not planned.sync_due and not rollups_missing(site, request)
    # Where nothing would make flags, what is there is shown without, which is said.
    if is_complete and not (unflagged and (must_flag or ledger.workers(queue))):
        metrics = {"rows": planned.rows_total, "tiles_read": 0, "tiles_reused": planned.tiles_present}
        reuse = reuse or identity.via == "embed"
        done = (_completed(ledger, identity, request) if reuse else None) or ledger.record_completed(
            identity.user, request, metrics
        )
        _record("job needed no reading", ledger, identity, done)
        return done
    if by_page and not ledger.workers(queue):
        raise NoWorker
    job = submit_job(site, ledger, identity, request, HISTORY, rows, by_page=by_page, anew=anew)
    _record("job submitted", ledger, identity, job)
    wake()
    return job


def _planned(site: Site, seen: Site, request: HistoryRequest) -> Plan:
    """What a request that has data lacks of the tiles that are in fact on the disk."""
    planned = plan(seen, request)
    if planned.is_complete and site.tiles.drop_lost({key for key, _ in planned.series()}):
        planned = plan(seen, request)
    if not planned.rows_total and planned.is_complete and not planned.sync_due and not is_filled(site, request):
        raise NoData("These sensors have no data in this range.", field="start")
    return planned


def submit_job(
    site: Site,
    ledger: Ledger,
    identity: Identity,
    request: HistoryRequest,
    kind: str,
    rows: int,
    *,
    inquiry: str | None = None,
    by_page: bool = False,
    anew: bool = False,
) -> Job:
    """Put a job of a kind into its queue; ``rows`` is how many it has to read or to look at,
    ``inquiry`` what an analysis is asked.

    Raises:
        QueueFull: as :func:`start_job`.
    """
    settings = site.settings
    return ledger.submit(
        identity.user,
        request,
        kind=kind,
        inquiry=inquiry,
        queue=queue_of(rows, settings.large_job_rows),
        rows_estimate=rows,
        tries=settings.job_tries,
        timeout_s=settings.job_timeout,
        by_page=by_page,
        anew=anew,
        share=identity.counts_with,
    )


def retry_job(ledger: Ledger, identity: Identity, job: Job, wake: Callable[[], None], *, by_page: bool = False) -> Job:
    """A failed or cancelled job queued once more; what it had read stays read.
    ``by_page`` as :func:`start_job`.

    Raises:
        NotPermitted: it is no longer granted.
        Conflict: the job is in another state, or an equal one is on its way.
        QueueFull: as :func:`start_job`.
    """
    authorise(identity, job.request, purpose_of(job.kind))
    again = ledger.retry(job.id, by_page=by_page)
    _record("job submitted again", ledger, identity, again)
    wake()
    return again


def cancel_job(ledger: Ledger, job: Job, wake: Callable[[], None]) -> Job:
    """Stop a job that waits or runs.

    Raises:
        Conflict: it has ended already.
    """
    stopped = ledger.cancel(job.id)
    log_job("job cancelled", stopped)
    wake()
    return stopped


def _completed(ledger: Ledger, identity: Identity, request: HistoryRequest) -> Job | None:
    """The completed job that the identity has of a request, or None."""
    latest = ledger.latest(identity.user, HISTORY, request)
    return latest if latest is not None and latest.status is Status.COMPLETED else None


def _record(event: str, ledger: Ledger, identity: Identity, job: Job) -> None:
    """Log and audit a load; of an embedded chart audit only that it was viewed, once."""
    log_job(event, job)
    subject = request_subject(job.request, job=job.id)
    if identity.via == "embed":
        record_view(ledger.engine, job.id, subject)
    else:
        record(ledger.engine, "load", subject)


def log_job(event: str, job: Job) -> None:
    """Log one line, and bind the job's id to all that follow in this request."""
    structlog.contextvars.bind_contextvars(job=job.id)
    log.info(event, owner=job.owner, queue=job.queue, request=job.request.describe())
