"""Jobs over HTTP: start, list, look, cancel, retry.
What the page does with a button, a program does here, by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, jsonify

from access.embeds.embed_token import refuse_other_than_shown
from access.identity import Identity
from access.restricted_site import usual_zone
from api.audit_inputs import AuditQuery
from api.concurrency import ConcurrencyLimit
from api.job_inputs import JobsQuery, NewJob
from api.operations import Answer, Api
from api.outputs import JobAnswer, JobList, JobReceipt
from data.load_plan import stations_without_data
from data.request import HistoryRequest, request_of
from data.time.epoch import epoch_ms
from errors import InvalidRequest, JobNotFound, NotPermitted, RiwayatError
from i18n import translate_error
from jobs.authorized import authorized_jobs
from jobs.job import Job, job_json
from jobs.services import Services
from jobs.start import cancel_job, retry_job, start_job

_ACCEPTED: Final = {
    202: Answer("The job, queued, or completed when all was there.", JobReceipt, headers={"Location": "The job."})
}


@dataclass(frozen=True, kw_only=True)
class ApiServices(Services):
    """What routes need beyond what pages do.

    ``reauthenticator`` returns a function that finds the identity again when the request is over.
    ``downloads`` are the places of those who fetch files.
    """

    reauthenticator: Callable[[], Callable[[], Identity]]
    downloads: ConcurrencyLimit

    def links(self, job_id: str) -> dict[str, str]:
        """Return the links of a job as :class:`api.outputs.Links` describes them."""
        parts = ("events", "figure", "stats", "data", "cancel", "retry")
        page = f"{self.prefix}?{urlencode({'job': job_id})}"
        return {"self": self.path(job_id), **{part: self.path(job_id, part) for part in parts}, "page": page}

    def page_after(self, path: str, query: JobsQuery | AuditQuery, last: str | int) -> str:
        """Return the path of the page of a list after the one that ends with ``last``."""
        given = query.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"limit": query.limit, "before": last}
        fields = {name: "true" if value is True else value for name, value in given.items()}
        return f"{self.prefix}{path}?{urlencode(fields)}"

    def answer(self, job: Job, position: int | None) -> dict[str, Any]:
        """Return a job as :class:`api.outputs.JobAnswer` describes it."""
        return job_json(job) | {"position": position, "links": self.links(job.id)}

    def receipt(self, job: Job, without_data: Sequence[str] = ()) -> Response:
        """202 with where to look, as :class:`api.outputs.JobReceipt`."""
        answer = jsonify(
            without_data=list(without_data),
            id=job.id,
            status=job.status.value,
            queue=job.queue,
            position=self.ledger.position(job),
            links=self.links(job.id),
        )
        answer.status_code = 202
        answer.headers["Location"] = self.path(job.id)
        return answer


def add_job_routes(api: Api, services: ApiServices) -> None:
    """``/api/jobs`` and what changes a job."""

    @api.post("/api/jobs", _ACCEPTED, 400, 404, 429, scope="load", body=NewJob)
    def create_job(body: NewJob) -> Response:
        """Load a history.

        An equal request of the same user that waits or runs already is that job.
        Where every tile is there the job is completed at once.
        """
        identity = services.identify()
        request = _request(services, identity, body)
        refuse_other_than_shown(services.access, identity, request, epoch_ms())
        job = start_job(services.site, services.ledger, identity, request, services.wake)
        return services.receipt(job, stations_without_data(services.site, request))

    @api.get("/api/jobs", {200: Answer("A page of the list.", JobList)}, 400, 403, scope="read", query=JobsQuery)
    def list_jobs(query: JobsQuery) -> Response:
        """One's own jobs, newest first, as far as what they show is granted today."""
        return jsonify(_page(services, query))

    @api.get("/api/jobs/<job_id>", {200: Answer("The job.", JobAnswer)}, 404, scope="read")
    def get_job(job_id: str) -> Response:
        """Status, progress, times, attempts, error and metrics of a job."""
        job = services.job(job_id)
        answer = services.answer(job, services.ledger.position(job))
        # why it failed may name hosts and paths of the site
        if answer["error"] and services.identify().via == "embed":
            answer["error"] |= {"message": translate_error(RiwayatError())}
        return jsonify(answer)

    @api.post("/api/jobs/<job_id>/cancel", _ACCEPTED, 404, 409, scope="load")
    def cancel(job_id: str) -> Response:
        """Stop a job that waits or runs; what it has read stays."""
        return services.receipt(cancel_job(services.ledger, services.job(job_id), services.wake))

    @api.post("/api/jobs/<job_id>/retry", _ACCEPTED, 404, 409, 429, scope="load")
    def retry(job_id: str) -> Response:
        """Queue a failed or cancelled job once more; it goes on where it stopped."""
        return services.receipt(retry_job(services.ledger, services.identify(), services.job(job_id), services.wake))


def _request(services: ApiServices, identity: Identity, body: NewJob) -> HistoryRequest:
    """The request; without a zone in the stations' own, under a floor in the one that counts."""

    def in_zone(zone: str) -> HistoryRequest:
        return request_of(body.stations, body.sensors, body.start, body.end, body.resolution, zone)

    if body.timezone:
        return in_zone(body.timezone)
    return in_zone(usual_zone(services.site.catalogue, identity.rights, body.stations, services.settings.timezone, in_zone))


def _page(services: ApiServices, query: JobsQuery) -> dict[str, Any]:
    identity = services.identify()
    if query.all and not identity.admin:
        raise NotPermitted("Only an administrator can see other users' jobs.")
    _refuse_unknown(services, query.before)
    owner = None if query.all else identity.user
    found = authorized_jobs(services.ledger, identity, owner, query.status, query.limit + 1, query.before)
    shown = found[: query.limit]
    positions = services.ledger.positions(shown)
    return {
        "jobs": [services.answer(job, positions.get(job.id)) for job in shown],
        "next": services.page_after("api/jobs", query, shown[-1].id) if found[len(shown) :] else None,
    }


def _refuse_unknown(services: ApiServices, before: str | None) -> None:
    try:
        if before is not None:
            services.job(before)
    except (JobNotFound, NotPermitted) as exc:
        raise InvalidRequest("There is no job {job_id}.", field="before", job_id=before[:40] if before else "") from exc
