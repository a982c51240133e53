"""Starting a load from the page: a job (jobs/start.py), or the notice that says why there is none."""

from __future__ import annotations

import contextlib

from access.grants import Purpose
from access.identity import Identity
from access.seen import permit
from callbacks.services import Services
from callbacks.states import no_worker
from data.freshness import reload
from data.plan import plan
from data.request import HistoryRequest
from errors import Conflict, JobNotFound, NoData, NotPermitted, NoWorker, RiwayatError
from i18n import translate_error
from jobs.job import Job
from jobs.policy import queue_of
from jobs.start import retry_job, start_job
from layouts.status import ActionName, Notice


def start_load(services: Services, identity: Identity, request: HistoryRequest) -> Job | Notice:
    """A job for the request, or the notice that says why there is none.

    Raises:
        RiwayatError: as :func:`jobs.start.start_job`.
    """
    try:
        return start_job(services.site, services.ledger, identity, request, services.wake, by_page=True)
    except NoWorker:
        return no_worker()


def start_again(services: Services, identity: Identity, job: Job) -> Job | Notice:
    """A failed or cancelled job queued once more; what it had read stays read. Any other job: its request anew."""
    if job.status.is_final and services.ledger.workers(job.queue):
        with contextlib.suppress(Conflict):  # it completed, or an equal one is on its way: then submitting joins it
            return retry_job(services.ledger, identity, job, services.wake, by_page=True)
    return start_load(services, identity, job.request)


def start_reload(services: Services, identity: Identity, job: Job) -> Job | Notice:
    """The job's months read from the database again, whatever the tiles hold.

    Where nothing would run it, or there is no room for another job (QueueFull), nothing changes.
    """
    seen = permit(services.site, identity, job.request, Purpose.LOAD)
    whole_months = plan(seen, job.request).rows_tiles  # all of them will be missing
    if not services.ledger.workers(queue_of(whole_months, services.site.settings.large_job_rows)):
        return no_worker()
    services.ledger.check_room(identity.user, job.request)
    reload(services.site, job.request)
    return start_load(services, identity, job.request)


def leave(services: Services, identity: Identity, previous: object, now: Job, page: str) -> None:
    """Cancel the job of one's own that this tab showed until now, unless another page still asks for it.

    An administrator who has looked at somebody's job and goes on ends nothing; only Cancel does. Nor does who has looked at a
    job of the API's or the command line's: nobody but its program knows whether it is still wanted.
    """
    if not isinstance(previous, str) or previous == now.id:
        return
    with contextlib.suppress(JobNotFound, Conflict):
        ledger, job = services.ledger, services.ledger.get(previous)
        mine = identity.user == job.owner and ledger.is_of_page(job.id)
        if job.status.is_final or not mine or ledger.watched(job.id, except_page=page):
            return
        ledger.cancel(job.id)
        services.wake()


def refusal(error: RiwayatError, timezone: str) -> Notice:
    """The notice of an error that kept a load from starting; its times in ``timezone``."""
    action: ActionName | None = None
    if isinstance(error, NoData | NotPermitted):
        action = "jump" if error.field == "start" else "form" if isinstance(error, NotPermitted) and error.field else None
    return Notice("warning", translate_error(error, timezone), action=action)
