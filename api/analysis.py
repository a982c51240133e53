"""Analyses of a job's window over HTTP: as JSON, or as the table that belongs to it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from flask import Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from access.audit.log import request_subject
from access.grants import Purpose
from analysis.answer import as_csv
from analysis.registry import ANALYSES, find
from api.data import asked_window, refuse_part
from api.error_answers import RETRY_AFTER_S
from api.export_files import cut
from api.guard import refuse_other_sites
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import JobReceipt
from api.window_inputs import StatsQuery
from errors import NotFound
from jobs.answering import answer_or_job
from jobs.job import Job


class AnalysisQuery(StatsQuery):
    """A window of a job, the zone of its days and hours, and the options of the analysis
    (docs/analyses.md).
    """

    zone: Annotated[str | None, Field(description="IANA name of the zone of days and hours; default: the job's.")] = None
    format: Annotated[Literal["json", "csv"], Field(description="JSON has everything, CSV the table.")] = "json"


class AnalysisAnswer(BaseModel):
    """What an analysis found. Times are ISO 8601; a number that there is not is null."""

    model_config = ConfigDict(extra="forbid", json_schema_mode_override="serialization")

    analysis: str
    window: Annotated[dict[str, str], Field(description="from and to.")]
    zone: Annotated[str, Field(description="Of days and hours.")]
    options: dict[str, Any]
    series: Annotated[list[dict[str, Any]], Field(description="What was asked: a series, or series of a station.")]
    result: Annotated[dict[str, Any] | None, Field(description="Of the only one of `series`; null where there are several.")]
    results: Annotated[list[dict[str, Any]], Field(description="Of each of `series`.")]
    method: Annotated[list[dict[str, str]], Field(description="How numbers are made: name and source.")]


ANSWERED_BY_JOB: Final = Answer(
    "Too much for a moment: the job that answers; ask again when it has completed.",
    JobReceipt,
    headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
)
_FOUND: Final = {
    200: Answer("What was found.", AnalysisAnswer, content_types=("text/csv",)),
    202: ANSWERED_BY_JOB,
}


def add_analysis_routes(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/analysis/NAME``."""

    @api.get("/api/jobs/<job_id>/analysis/<name>", _FOUND, 400, 404, 409, 413, 429, scope="read", query=AnalysisQuery)
    def get_analysis(job_id: str, name: str, query: AnalysisQuery) -> Response:
        """Answer a question about a window of a job, from all its readings.

        Options of the analysis are further names of the query string; one that it does not have is
        refused. Refused (409) while the job loads, when tiles of it have left the disk, and where
        the job that answers has failed a moment ago. More than five million readings (of some
        analyses, more or fewer) are answered by a job (202), whose answer is kept for those who ask
        again.
        """
        if name not in ANALYSES:
            raise NotFound("There is no analysis {analysis}; there is {known}.", analysis=name[:80], known=", ".join(ANALYSES))
        analysis = find(name)
        given = other_options(AnalysisQuery)
        analysis.options(given)  # what is wrong is said before the job is looked for
        asked = asked_window(services, job_id, query, Purpose.EXPORT if query.format == "csv" else Purpose.VIEW)
        refuse_part(asked.site, asked.job)
        refuse_other_sites(request)  # it may start a job
        found = answer_or_job(services, asked, name, given, zone=query.zone, flagged=query.flagged)
        if isinstance(found, Job):
            return answer_receipt(services, found)
        answer = found
        if query.format == "csv":
            table = as_csv(analysis.csv_table(answer))
            subject = request_subject(cut(asked.job.request, asked.span), job=asked.job.id, format="csv", analysis=name)
            services.access.audit.record("export", subject)
            return Response(table, content_type="text/csv; charset=utf-8")
        return jsonify(answer.as_json())


def other_options(known: type[BaseModel]) -> dict[str, str]:
    """Return names of the query string that a model does not know: options of an analysis."""
    names = {field.alias or name for name, field in known.model_fields.items()}
    return {name: text for name, text in request.args.items() if name not in names and text.strip()}


def answer_receipt(services: ApiServices, job: Job) -> Response:
    """Return 202 with the job that answers an analysis."""
    receipt = services.receipt(job)
    receipt.headers["Retry-After"] = str(RETRY_AFTER_S)
    return receipt
