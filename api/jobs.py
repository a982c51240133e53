"""Jobs over HTTP: start, list, look, cancel, retry. What the page does with a button, a program does here, by the same code."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Response, jsonify

from access.embeds import refuse_other_than_shown
from access.identity import Identity
from access.store import AccessStore
from api.models import JobAnswer, JobList, JobReceipt, JobsQuery, NewJob
from api.operations import Answer, Api
from data.request import request_of
from data.site import Site
from errors import InvalidRequest, JobNotFound, NotPermitted, RiwayatError
from i18n import translate_error
from jobs.job import Job, job_json
from jobs.ledger import Ledger
from jobs.start import cancel_job, retry_job, start_job
from jobs.visible import visible_job, visible_jobs

_ACCEPTED: Final = {
    202: Answer("The job, queued, or completed when all was there.", JobReceipt, headers={"Location": "The job."})
}


@dataclass(frozen=True)
class Desk:
    """What the routes need: the data layer, the ledger, who may see what, who asks now, a way to wake workers, the prefix.

    ``later`` takes down how the request in hand says who asks; what it returns asks that again, when the request is over.
    """

    site: Site
    ledger: Ledger
    access: AccessStore
    identify: Callable[[], Identity]
    later: Callable[[], Callable[[], Identity]]
    wake: Callable[[], None]
    prefix: str

    def job(self, job_id: str) -> Job:
        """A job that the one who asks may see.

        Raises:
            JobNotFound: there is none, it is somebody else's, or its stations are not granted; nobody can tell which.
            NotPermitted: its range, length or resolution is not granted any more.
        """
        return visible_job(self.ledger, self.identify(), job_id)

    def path(self, job_id: str, what: str = "") -> str:
        """Path of a job, or of what it gives."""
        return f"{self.prefix}api/jobs/{quote(job_id)}{'/' + what if what else ''}"

    def links(self, job_id: str) -> dict[str, str]:
        """As :class:`api.models.Links`."""
        parts = ("events", "figure", "stats", "data", "cancel", "retry")
        page = f"{self.prefix}?{urlencode({'job': job_id})}"
        return {"self": self.path(job_id), **{part: self.path(job_id, part) for part in parts}, "page": page}

    def answer(self, job: Job, position: int | None) -> dict[str, Any]:
        """As :class:`api.models.JobAnswer`."""
        return job_json(job) | {"position": position, "links": self.links(job.id)}

    def receipt(self, job: Job) -> Response:
        """202 with where to look, as :class:`api.models.JobReceipt`."""
        answer = jsonify(
            id=job.id,
            status=job.status.value,
            queue=job.queue,
            position=self.ledger.position(job),
            links=self.links(job.id),
        )
        answer.status_code = 202
        answer.headers["Location"] = self.path(job.id)
        return answer


def add_job_routes(api: Api, desk: Desk) -> None:
    """``/api/jobs`` and what changes a job."""

    @api.post("/api/jobs", _ACCEPTED, 400, 404, 429, scope="load", body=NewJob)
    def create_job(body: NewJob) -> Response:
        """Load a history.

        An equal request of the same user that waits or runs already is that job. Where every tile is there the job is
        completed at once.
        """
        timezone = body.timezone or desk.site.settings.timezone
        request = request_of(body.stations, body.sensors, body.start, body.end, body.resolution, timezone)
        identity = desk.identify()
        refuse_other_than_shown(desk.access, identity, request, time.time_ns() // 1_000_000)
        return desk.receipt(start_job(desk.site, desk.ledger, identity, request, desk.wake))

    @api.get("/api/jobs", {200: Answer("A page of the list.", JobList)}, 400, 403, scope="read", query=JobsQuery)
    def list_jobs(query: JobsQuery) -> Response:
        """One's own jobs, newest first, as far as what they show is granted today."""
        return jsonify(_page(desk, query))

    @api.get("/api/jobs/<job_id>", {200: Answer("The job.", JobAnswer)}, 404, scope="read")
    def get_job(job_id: str) -> Response:
        """Status, progress, times, attempts, error and metrics of a job."""
        job = desk.job(job_id)
        answer = desk.answer(job, desk.ledger.position(job))
        if answer["error"] and desk.identify().via == "embed":  # why it failed may name hosts and paths of the site
            answer["error"] |= {"message": translate_error(RiwayatError())}
        return jsonify(answer)

    @api.post("/api/jobs/<job_id>/cancel", _ACCEPTED, 404, 409, scope="load")
    def cancel(job_id: str) -> Response:
        """Stop a job that waits or runs; what it has read stays."""
        return desk.receipt(cancel_job(desk.ledger, desk.job(job_id), desk.wake))

    @api.post("/api/jobs/<job_id>/retry", _ACCEPTED, 404, 409, 429, scope="load")
    def retry(job_id: str) -> Response:
        """Queue a failed or cancelled job once more; it goes on where it stopped."""
        return desk.receipt(retry_job(desk.ledger, desk.identify(), desk.job(job_id), desk.wake))


def _page(desk: Desk, query: JobsQuery) -> dict[str, Any]:
    identity = desk.identify()
    if query.all and not identity.admin:
        raise NotPermitted("Only an administrator may see everybody's jobs.")
    _refuse_unknown(desk, query.before)
    owner = None if query.all else identity.user
    found = visible_jobs(desk.ledger, identity, owner, query.status, query.limit + 1, query.before)
    shown = found[: query.limit]
    positions = desk.ledger.positions(shown)
    return {
        "jobs": [desk.answer(job, positions.get(job.id)) for job in shown],
        "next": _next(desk, query, shown[-1].id) if found[len(shown) :] else None,
    }


def _refuse_unknown(desk: Desk, before: str | None) -> None:
    try:
        if before is not None:
            desk.job(before)
    except (JobNotFound, NotPermitted) as exc:
        raise InvalidRequest("There is no job {job_id}.", field="before", job_id=before[:40] if before else "") from exc


def _next(desk: Desk, query: JobsQuery, last_id: str) -> str:
    """Path of the page after the one that ends with ``last_id``."""
    fields = {"status": query.status.value if query.status else "", "all": "true" if query.all else ""}
    given = {name: value for name, value in fields.items() if value} | {"limit": query.limit, "before": last_id}
    return f"{desk.prefix}api/jobs?{urlencode(given)}"
