"""Starting a load: check, plan, then either nothing is missing or a job goes into the line."""

from __future__ import annotations

import contextlib

from access.identity import Identity, authorise, may_see
from callbacks.services import Services
from callbacks.states import no_worker
from data.plan import plan
from data.request import HistoryRequest
from errors import Conflict, JobNotFound, NoData, RiwayatError
from i18n import translate_error
from jobs.job import Job
from layouts.status import Notice


def start_load(services: Services, identity: Identity, request: HistoryRequest) -> Job | Notice:
    """A job for the request, or the notice that says why there is none.

    When every tile is there the job is completed from the start. An equal request that waits or runs is that job.

    Raises:
        RiwayatError: unknown station or sensor, no data in range, no permission.
    """
    authorise(identity, request)
    found = plan(services.site, request)
    if not found.rows_total and not found.missing:
        raise NoData("There is no observation of these sensors in this range.", field="start")
    if not found.missing:
        metrics = {"rows": found.rows_total, "tiles_read": 0, "tiles_reused": found.tiles_present}
        return services.ledger.record_completed(identity.user, request, metrics)
    if not services.ledger.workers():
        return no_worker()
    settings = services.settings
    job = services.ledger.submit(
        identity.user, request, rows_estimate=found.rows_missing, tries=settings.job_tries, timeout_s=settings.job_timeout
    )
    services.wake()
    return job


def start_again(services: Services, identity: Identity, job: Job) -> Job | Notice:
    """A failed or cancelled job queued once more; what it had read stays read. Any other job: its request anew."""
    if job.status.is_final and services.ledger.workers():
        with contextlib.suppress(Conflict):  # it completed, or an equal one is on its way: then submitting joins it
            authorise(identity, job.request)
            again = services.ledger.retry(job.id)
            services.wake()
            return again
    return start_load(services, identity, job.request)


def leave(services: Services, identity: Identity, previous: object, now: Job, page: str) -> None:
    """Cancel the job that this tab showed until now, unless another page still asks for it."""
    if not isinstance(previous, str) or previous == now.id:
        return
    with contextlib.suppress(JobNotFound, Conflict):
        job = services.ledger.get(previous)
        if job.status.is_final or not may_see(identity, job.owner) or services.ledger.watched(job.id, except_page=page):
            return
        services.ledger.cancel(job.id)


def refusal(error: RiwayatError, timezone: str) -> Notice:
    """The notice of an error that kept a load from starting; its times in ``timezone``."""
    elsewhere = isinstance(error, NoData) and error.field == "start"  # the range is wrong, not the choice
    return Notice("warning", translate_error(error, timezone), action="jump" if elsewhere else None)
