"""Reports over HTTP: the file when it is there, else the job that makes it."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from access.audit.log import request_subject
from access.embeds.embed_token import refuse_other_than_shown
from access.grants import Purpose
from access.identity import Identity, authorise
from access.restricted_site import own_zone
from api.concurrency import limit_key
from api.data import SMALL_BYTES
from api.error_answers import RETRY_AFTER_S
from api.guard import refuse_other_sites
from api.jobs import ApiServices
from api.kept_file import kept_file
from api.operations import Answer, Api
from api.outputs import JobReceipt
from api.report_inputs import GivenDefinition, NewReport, ReportQuery
from data.time.epoch import MINUTE_MS, epoch_ms
from data.time.months import iso_utc
from errors import Conflict, NotPermitted
from i18n import current_language
from jobs.job import Job, Status
from jobs.policy import REPORT
from jobs.recent_end import ended_badly_just_now, why_failed
from reports.definition import ReportDefinition, make_definition
from reports.file_name import report_file_name
from reports.inquiry import REPORT_TYPES, ReportInquiry
from reports.starting import start_report
from reports.writing import fresh_report, report_of_job

_FRESH_MS: Final = 10 * MINUTE_MS  # so long a file answers an equal question; readings of earlier years may change later

_BY_JOB: Final = Answer(
    "The job that makes it; ask its `report` when it has completed.",
    JobReceipt,
    headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
)
_FILE: Final = {
    200: Answer("The report.", content_types=tuple(REPORT_TYPES.values()), headers={"Content-Disposition": "Name of the file."}),
    202: _BY_JOB,
}


def add_report_routes(api: Api, services: ApiServices) -> None:
    """``/api/reports`` and ``/api/jobs/ID/report``."""

    @api.post("/api/reports", {202: _BY_JOB}, 400, 403, 404, 429, scope="export", body=NewReport)
    def create_report(body: NewReport) -> Response:
        """Make a report of stations and a period.

        The whole period must be granted with the right to export, at raw. The job loads what it
        lacks. An equal one of the same user that waits or runs already is that job.
        """
        identity = services.identify()
        definition = given_definition(services, identity, body)
        return _receipt(services, _start(services, identity, ReportInquiry(definition, body.period, body.format)))

    @api.get("/api/jobs/<job_id>/report", _FILE, 400, 403, 404, 409, 416, 429, 503, scope="export", query=ReportQuery)
    def get_report(job_id: str, query: ReportQuery) -> Response:
        """The report that a job has made; of any other job one of its stations and sensors, made
        by a job.

        Refused (409) when the job failed or was cancelled, and when its file is no longer kept.
        """
        identity, job = services.identify(), services.job(job_id)
        if identity.via == "embed":
            raise NotPermitted
        authorise(identity, job.request, Purpose.EXPORT)
        if job.kind == REPORT:
            return _of_job(services, job)
        inquiry = ReportInquiry(_definition(job, query), query.period or _range(job), query.format)
        made = services.ledger.latest(
            identity.user, REPORT, inquiry.definition.request(inquiry.named_period.span), inquiry.to_json()
        )
        if made is not None and made.status is Status.COMPLETED and epoch_ms() - (made.finished_ms or 0) < _FRESH_MS:
            path = fresh_report(services.site, services.access, identity, made)
            if path is not None:
                return _sent(services, made)
        refuse_other_sites(request)
        if made is not None and ended_badly_just_now(made):
            raise _refusal(made)
        return _receipt(services, _start(services, identity, inquiry))


def given_definition(services: ApiServices, identity: Identity, body: GivenDefinition) -> ReportDefinition:
    """Return the definition that a body means.

    Raises:
        InvalidRequest: it means none.
    """
    zone = body.timezone or own_zone(services.site.catalogue, identity.rights, body.stations, services.settings.timezone)
    parts = body.model_dump(include=set(ReportDefinition.model_fields), exclude={"timezone"}, exclude_none=True)
    return make_definition("body", **{"language": current_language(), **parts, "timezone": zone})


def _definition(job: Job, query: ReportQuery) -> ReportDefinition:
    of = job.request
    return make_definition(
        "job",
        stations=of.stations,
        sensors=of.sensors,
        timezone=of.timezone,
        language=query.language or current_language(),
        flags=query.flags,
    )


def _range(job: Job) -> str:
    return f"{iso_utc(job.request.start_ms)}..{iso_utc(job.request.end_ms)}"


def _start(services: ApiServices, identity: Identity, inquiry: ReportInquiry) -> Job:
    refuse_other_than_shown(services.access, identity, inquiry.definition.request(inquiry.named_period.span), epoch_ms())
    return start_report(services.site, services.ledger, identity, inquiry, services.wake)


def _of_job(services: ApiServices, job: Job) -> Response:
    if not job.status.is_final:
        return _receipt(services, job)
    if job.status is not Status.COMPLETED:
        raise _refusal(job)
    return _sent(services, job)


def _receipt(services: ApiServices, job: Job) -> Response:
    receipt = services.receipt(job)
    receipt.headers["Retry-After"] = str(RETRY_AFTER_S)
    return receipt


def _refusal(job: Job) -> Conflict:
    if job.status is Status.CANCELLED:
        return Conflict("The report was cancelled. Try again in a minute.")
    return Conflict("The report could not be made. Try again in a minute. {why}", why=why_failed(job))


def _sent(services: ApiServices, job: Job) -> Response:
    form = ReportInquiry.from_json(job.inquiry or "").format
    sent = kept_file(report_of_job(services.site, job), REPORT_TYPES[form], report_file_name(job.request, form))
    if sent is None:
        raise Conflict("The report is no longer kept. Make it again.")
    if request.method == "GET":
        if (sent.content_length or 0) > SMALL_BYTES:
            services.downloads.hold(limit_key(services.identify()), sent)
        services.access.audit.record("export", request_subject(job.request, job=job.id, format=f"report {form}"))
    return sent
