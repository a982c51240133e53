"""A window of a job as a picture: drawn by a job where Chromium is needed for it, else at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, request

from access.addresses import site_address
from access.grants import Purpose
from analysis.inquiry import TREND
from api.analysis import ANSWERED_BY_JOB, answer_receipt
from api.data import refuse_part
from api.drawn_inputs import PictureQuery
from api.figure import asked_answer, asked_view
from api.guard import refuse_other_sites
from api.gzip_page import gzip_page
from api.headers import lower_headers
from api.jobs import ApiServices
from api.kept_file import CACHE, kept_file, unchanged
from api.operations import Answer, Api
from api.outputs import JobReceipt
from data.export_names import export_names
from errors import Conflict, NotPermitted
from figures.job_window import JobWindow
from figures.standalone import standalone_parts
from figures.words import file_name
from i18n import current_language
from jobs.job import Job, Status
from jobs.kinds.draw_picture import drawn_by, picture_inquiry, picture_tag, start_picture
from jobs.policy import PICTURE
from jobs.recent_end import ended_badly_just_now, why_failed
from layouts.framing import Frame, caption_of, framed_answer, framed_trend

PICTURE_TYPES: Final = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "html": "text/html"}

_PICTURE: Final = {
    200: Answer(
        "The picture.",
        content_types=tuple(PICTURE_TYPES.values()),
        headers={"Content-Disposition": "Name of the file.", "ETag": "Changes when the picture does."},
    ),
    202: Answer(
        "png, svg and pdf only: the job that draws it; ask again when it has completed. "
        f"And of an analysis: {ANSWERED_BY_JOB.description[0].lower()}{ANSWERED_BY_JOB.description[1:]}",
        JobReceipt,
        headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
    ),
    304: Answer("The picture that If-None-Match names is still the same."),
}


def add_picture_route(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/picture``."""

    @api.get("/api/jobs/<job_id>/picture", _PICTURE, 400, 403, 404, 409, 413, 429, scope="read", query=PictureQuery)
    def get_picture(job_id: str, query: PictureQuery) -> Response:
        """A window of a job as a picture: on white, with its title, range, zone, source and date.

        png, svg and pdf are drawn by a job with Chromium, which the server must have (else 409);
        html is one file that draws itself without a network. Refused (409) while the job loads and
        when tiles of it have left the disk. Of a job that draws a picture it is that picture.
        """
        if services.identify().via == "embed":  # its own page draws it
            raise NotPermitted
        job = services.job(job_id)
        if job.kind == PICTURE:
            return _drawn_before(services, job)
        asked, options = asked_view(services, job_id, query)
        refuse_part(asked.site, asked.job)
        frame = Frame(_host(services), query.width_px, request.args.getlist("hidden"), query.format == "png")
        if query.view == TREND:
            figure = framed_trend(asked, options, frame, flagged=query.flagged, noted=asked.noted(services, Purpose.EXPORT))
        else:
            found = asked_answer(services, asked, query, options)
            if isinstance(found, Job):
                return answer_receipt(services, found)
            figure = framed_answer(asked, found, options, frame)
        if query.format != "html":
            return _by_job(services, asked, figure, query)
        title = caption_of(asked, query.view, frame).title
        return _page(figure, title, picture_file_name(asked, query.view))


def picture_file_name(window: JobWindow, view: str) -> str:
    """Return what the file of a window's picture is called, without its ending."""
    of, catalogue = window.job.request, window.site.catalogue
    name = file_name(of.stations, export_names(catalogue, catalogue.ordered(of.sensors)), *window.span, of.timezone)
    return name if view == TREND else f"{name}_{view}"


def _host(services: ApiServices) -> str:
    headers = lower_headers(request)
    return urlsplit(site_address(services.settings, request.remote_addr, headers, request.scheme, request.host)).netloc


def _page(figure: Mapping[str, Any], title: str, name: str) -> Response:
    language = current_language()
    tag = picture_tag(figure, language)
    if _has(tag):
        return unchanged(tag)
    parts = standalone_parts(dict(figure), title, language)
    zipped = request.accept_encodings["gzip"] > 0
    answer = Response(gzip_page(*parts) if zipped else b"".join(parts), content_type="text/html; charset=utf-8")
    # also where it is plain: to compress 5 MB anew takes half a second each time
    answer.headers["Content-Encoding"] = "gzip" if zipped else "identity"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.html"'
    answer.headers["Cache-Control"] = CACHE
    answer.set_etag(f"{tag}:gzip" if zipped else tag)
    return answer


def _by_job(services: ApiServices, asked: JobWindow, figure: Mapping[str, Any], query: PictureQuery) -> Response:
    """The picture where it is drawn already, else the job that draws it."""
    language, kind, identity = current_language(), query.format, services.identify()
    tag = picture_tag(figure, language)
    if _has(tag):
        return unchanged(tag)
    if sent := _sent(services, tag, kind, picture_file_name(asked, query.view)):
        return sent
    refuse_other_sites(request)
    of = asked.job.request
    job = services.ledger.latest(identity.user, PICTURE, of, picture_inquiry(tag, kind, language))
    if job is not None and ended_badly_just_now(job):
        raise _refusal(job)
    if job is None or job.status.is_final:
        job = start_picture(services.site, services.ledger, identity, of, figure, kind, language, services.wake)
    return answer_receipt(services, job)


def _refusal(job: Job) -> Conflict:
    if job.status is Status.CANCELLED:
        return Conflict("Drawing the picture was cancelled. Try again in a minute.")
    return Conflict("The picture could not be drawn. Try again in a minute. {why}", why=why_failed(job))


def _drawn_before(services: ApiServices, job: Job) -> Response:
    """What a job has drawn."""
    if not job.status.is_final:
        raise Conflict("This picture is still being drawn.")
    tag, kind = drawn_by(job)
    catalogue, of = services.site.catalogue, job.request
    name = file_name(of.stations, export_names(catalogue, catalogue.ordered(of.sensors)), of.start_ms, of.end_ms, of.timezone)
    sent = unchanged(tag) if _has(tag) else _sent(services, tag, kind, name)
    if sent is None:
        raise Conflict("This picture is no longer kept. Open the chart and ask for it again.")
    return sent


def _sent(services: ApiServices, tag: str, kind: str, name: str) -> Response | None:
    return kept_file(services.site.shelf.find(tag, kind), PICTURE_TYPES[kind], f"{name}.{kind}", tag)


def _has(tag: str) -> bool:
    """Whether the asker has the picture of a tag; what came compressed came with a longer one."""
    return any(each.partition(":")[0] == tag for each in request.if_none_match.as_set())
