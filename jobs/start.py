"""Starting a load, whoever asks: check, plan, then either nothing is missing or a job goes into the line."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from access.audit import record, record_view, request_subject
from access.grants import Purpose
from access.identity import Identity, authorise
from access.seen import permit
from data.plan import plan
from data.request import HistoryRequest
from data.rollup import rollups_missing
from data.site import Site
from errors import NoData, NoWorker
from jobs.job import Job, Status
from jobs.ledger import Ledger
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
) -> Job:
    """The identity's job for a request: completed from the start when every tile (and rollup) is there, else queued.

    An equal request of the same owner that waits or runs is that job; those who look at an embedded chart share a completed
    one as well, however many they are. ``by_page`` refuses what nothing would run now, and the job ends when the page goes on
    to another (callbacks/start.py: leave).

    Raises:
        NotPermitted: it is not granted so; says what is.
        UnknownStation, UnknownSensor, NoData: then no job is started.
        NoWorker: tiles are missing, no worker of the job's queue is alive, and ``by_page``.
        QueueFull: there is no room for another job, of this user or of all.
    """
    planned = plan(permit(site, identity, request, Purpose.LOAD), request)
    if not planned.rows_total and planned.is_complete and not planned.look_due:
        raise NoData("There is no observation of these sensors in this range.", field="start")
    if planned.is_complete and not planned.look_due and not _lacks_rollups(site, request):
        metrics = {"rows": planned.rows_total, "tiles_read": 0, "tiles_reused": planned.tiles_present}
        done = _shared(ledger, identity, request) or ledger.record_completed(identity.user, request, metrics)
        _say("job needed no reading", done)
        _tell(ledger, identity, done)
        return done
    settings = site.settings
    queue = queue_of(planned.rows_missing, settings.large_job_rows)
    if by_page and not ledger.workers(queue):
        raise NoWorker
    job = ledger.submit(
        identity.user,
        request,
        queue=queue,
        rows_estimate=planned.rows_missing,
        tries=settings.job_tries,
        timeout_s=settings.job_timeout,
        by_page=by_page,
    )
    _say("job submitted", job)
    _tell(ledger, identity, job)
    wake()
    return job


def retry_job(ledger: Ledger, identity: Identity, job: Job, wake: Callable[[], None], *, by_page: bool = False) -> Job:
    """A failed or cancelled job queued once more; what it had read stays read. ``by_page`` as :func:`start_job`.

    Raises:
        NotPermitted: it is no longer granted.
        Conflict: the job is in another state, or an equal one is on its way.
        QueueFull: as :func:`start_job`.
    """
    authorise(identity, job.request, purpose_of(job.kind))
    again = ledger.retry(job.id, by_page=by_page)
    _say("job submitted again", again)
    _tell(ledger, identity, again)
    wake()
    return again


def cancel_job(ledger: Ledger, job: Job, wake: Callable[[], None]) -> Job:
    """Stop a job that waits or runs.

    Raises:
        Conflict: it has ended already.
    """
    stopped = ledger.cancel(job.id)
    _say("job cancelled", stopped)
    wake()
    return stopped


def _lacks_rollups(site: Site, request: HistoryRequest) -> bool:
    return bool(rollups_missing(site.tiles, site.catalogue, site.source.id, request))


def _shared(ledger: Ledger, identity: Identity, request: HistoryRequest) -> Job | None:
    """The completed job that another viewer of the same embedded chart has."""
    latest = ledger.latest(identity.user, HISTORY, request) if identity.via == "embed" else None
    return latest if latest is not None and latest.status is Status.COMPLETED else None


def _tell(ledger: Ledger, identity: Identity, job: Job) -> None:
    """The audit log: of an embedded chart only that a job was looked at, once, however many look."""
    subject = request_subject(job.request, job=job.id)
    if identity.via == "embed":
        record_view(ledger.engine, job.id, subject)
    else:
        record(ledger.engine, "load", subject)


def _say(event: str, job: Job) -> None:
    """One line, and the job's id in all that follow in this request."""
    structlog.contextvars.bind_contextvars(job=job.id)
    log.info(event, owner=job.owner, queue=job.queue, request=job.request.describe())
