"""What a job gives: rows and statistics. Read from tiles, checked against today's grants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from http import HTTPStatus
from itertools import chain
from typing import Any, Final

from flask import Response, jsonify, request

from access.audit.log import acting, request_subject
from access.grants import Purpose
from access.identity import authorise
from access.notes.file_notes import with_file_notes
from access.restricted_site import restricted_site_for, whole_window
from api.concurrency import limit_key
from api.drawn_inputs import LEAST_PX
from api.export_files import CONTENT_TYPES, cut, export_answer, export_receipt
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import JobReceipt, Stats
from api.revocable_stream import RevocableStream
from api.window_inputs import DataQuery, StatsQuery, WindowQuery
from data.export.formats import STREAMS, check_format, export_tag
from data.export_names import export_names
from data.file_columns import Units
from data.flag_choice import USUAL_FLAGS
from data.load_plan import all_present
from data.request import HistoryRequest, parse_time
from data.site import Site
from data.time.months import iso_utc, iso_utc_or_none
from data.view.records import SeriesStatistics
from data.view.window import clip_window
from errors import Conflict, InvalidRequest, NotPermitted, RiwayatError
from figures.history import Span
from figures.job_window import JobWindow
from figures.words import file_name
from jobs.authorized import refuse_hidden
from jobs.job import Job, Status, file_flags
from jobs.policy import FILE_FORMATS, WORKBOOK

DATA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "json": "application/json",
    **{FILE_FORMATS[kind]: content_type for kind, content_type in CONTENT_TYPES.items()},
}
SMALL_BYTES: Final = 1 << 20  # less is sent without a place among the downloads
MILLISECONDS: Final = re.compile(r"-?[0-9]{9,15}")  # shorter ones are dates such as 20130701

_ROWS: Final = {
    200: Answer(
        "The rows.",
        content_types=tuple(kind.partition(";")[0] for kind in DATA_TYPES.values()),
        headers={"Content-Disposition": "Name of the file.", "ETag": "Changes when the rows do."},
    ),
    202: Answer(
        "xlsx and netcdf only: the job that writes the file; ask again when it has completed.",
        JobReceipt,
        headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
    ),
    206: Answer("xlsx and netcdf only: the part of the file that Range names.", content_types=tuple(CONTENT_TYPES.values())),
    304: Answer("The rows that If-None-Match names are still the same."),
}


def add_data_routes(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/stats`` and ``data``."""

    @api.get("/api/jobs/<job_id>/stats", {200: Answer("Statistics a series.", Stats)}, 400, 404, scope="read", query=StatsQuery)
    def get_stats(job_id: str, query: StatsQuery) -> Response:
        """Exact statistics of each series in a window."""
        asked = asked_window(services, job_id, query)
        return jsonify(_statistics(asked, query.flagged))

    @api.get("/api/jobs/<job_id>/data", _ROWS, 400, 404, 409, 413, 416, 429, 503, scope="export", query=DataQuery)
    def get_data(job_id: str, query: DataQuery) -> Response:
        """All rows of a window; streamed, but xlsx and netcdf are written by a job.

        Refused (409) while the job loads, and when tiles of it have left the disk: a file lacks no
        rows in silence. A worksheet holds 1,048,575 rows; an xlsx of more is refused (413) before a
        job begins. Who may not have the rows any more while they are sent gets no end of the body:
        the connection is broken off. Downloads are few at a time, of one user and of all; more of
        them are answered 429 or 503 with Retry-After.
        """
        asked = asked_file(services, job_id, query)
        kind = query.format or FILE_FORMATS.get(asked.job.kind, "csv")
        check_format(kind)
        authorise(services.identify(), asked.job.request, Purpose.EXPORT)
        if kind in STREAMS:
            return stream_rows(services, asked, kind, query.units, with_flags=query.flags is not None)
        return _sent(services, asked, kind, *_written(services, asked, kind))


def stream_rows(services: ApiServices, asked: JobWindow, kind: str, units: Units = "none", *, with_flags: bool) -> Response:
    """Return the rows of a window in a format of STREAMS, as they are read; raises as
    :func:`refuse_part`, and where there are too many downloads.
    """
    return _sent(services, asked, kind, *_rows(asked, kind, units, with_flags=with_flags))


def _sent(services: ApiServices, asked: JobWindow, kind: str, answer: Response, is_small: bool) -> Response:
    """Return an answer whose rows, if it has any, go out: with a place among the downloads, an
    entry in the audit, and rights that are looked at again.
    """
    if request.method == "GET" and answer.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        if not is_small:
            services.downloads.hold(limit_key(services.identify()), answer)
        subject = request_subject(cut(asked.job.request, asked.span), job=asked.job.id, format=kind)
        services.access.audit.record("export", subject)
        send_while_permitted(services, asked, kind, answer)
    return answer


def asked_window(services: ApiServices, job_id: str, query: WindowQuery, purpose: Purpose = Purpose.VIEW) -> JobWindow:
    """What a request asks for.

    Raises:
        JobNotFound, NotPermitted: as :meth:`api.jobs.ApiServices.job`.
        InvalidRequest: the window is not one of the job.
    """
    flags = getattr(query, "flags", None) or USUAL_FLAGS
    return JobWindow.of(services, job_id, lambda job: _window(job.request, query), purpose, flags)


def asked_file(services: ApiServices, job_id: str, query: DataQuery) -> JobWindow:
    """What a request for a file asks for: of a job that writes one, with the flags that count in
    it where the request names none; raises as :func:`asked_window`.
    """
    asked = asked_window(services, job_id, query, Purpose.EXPORT)
    flags = query.flags or file_flags(asked.job) or asked.site.flags
    return replace(asked, site=replace(asked.site, flags=flags))


def send_while_permitted(services: ApiServices, asked: JobWindow, kind: str, answer: Response) -> None:
    """Check rights again while a body is sent: it may take hours, and rights end at once."""
    job, actor, again = asked.job, acting(), services.reauthenticator()
    told = {"method": request.method, "path": request.path, "job": job.id, "format": kind}

    def permit() -> None:
        identity = again()
        refuse_hidden(identity, job)
        authorise(identity, job.request, Purpose.EXPORT)
        span = whole_window(identity.rights, job.request, asked.span, Purpose.EXPORT)
        if (span, restricted_site_for(services.site, identity.rights, job.request, Purpose.EXPORT).floor) != (
            asked.span,
            asked.site.floor,
        ):
            raise NotPermitted  # a floor is on it by now

    def refused(error: RiwayatError, sent_bytes: int) -> None:
        subject = told | {"sent_bytes": sent_bytes, "error": error.message}
        services.access.audit.refused(error, subject, of=job.id, actor=actor)

    answer.direct_passthrough = False  # of a file, too, each piece is looked at
    answer.response = RevocableStream(answer.response, permit, refused)  # type: ignore[arg-type]  # bytes, as all of these are


def _written(services: ApiServices, asked: JobWindow, kind: str) -> tuple[Response, bool]:
    """The file of a format, or the job that writes it; and whether it is small."""
    job, span = asked.job, asked.span
    own = next(of for of, name in FILE_FORMATS.items() if name == kind)
    wanted = cut(job.request, span)
    # as the job that writes it will see it
    site = replace(restricted_site_for(services.site, asked.rights, wanted, Purpose.EXPORT), flags=asked.site.flags)
    if own == WORKBOOK:
        site = with_file_notes(site, services.access, services.identify(), wanted)
    if not writes(job, kind):
        refuse_part(site, job)
    if answer := export_answer(site, wanted, own, download_name(site, job, span)):
        return answer, (answer.content_length or 0) <= SMALL_BYTES
    return file_receipt(services, site, job, wanted, own), True


def writes(job: Job, kind: str) -> bool:
    """Return whether a job itself writes a file of a format, which is there whatever its request
    lacks by now.
    """
    return FILE_FORMATS.get(job.kind) == kind


def file_receipt(services: ApiServices, site: Site, job: Job, wanted: HistoryRequest, kind: str) -> Response:
    """202 with the job of a kind that writes a file that a job is asked for and that is not there;
    raises as :func:`refuse_part` and :func:`api.export_files.export_receipt`.
    """
    if job.kind == kind and job.status.is_final:  # what it has written is gone
        refuse_part(site, job)
    return export_receipt(services, site, wanted, kind)


def download_name(site: Site, job: Job, span: Span) -> str:
    """What a file of a window is called, without its ending; tells where rows may be missing."""
    sensors = export_names(site.catalogue, site.catalogue.ordered(job.request.sensors))  # as in the name of the picture
    name = file_name(job.request.stations, sensors, *span, job.request.timezone)
    return name if _is_whole(site, job) else name + "_partial"


def _is_whole(site: Site, job: Job) -> bool:
    """Whether no row of the job can be missing. That a file was written says
    nothing of what it was written of.
    """
    return all_present(site, job.request) if job.kind in FILE_FORMATS else job.status is Status.COMPLETED


def _rows(asked: JobWindow, kind: str, units: Units, *, with_flags: bool) -> tuple[Response, bool]:
    """The rows as a stream, and whether they are few."""
    site, job, span = asked.site, asked.job, asked.span
    refuse_part(site, job)
    tag = export_tag(site, job.request, *span, kind, units, with_flags)
    response = Response(content_type=DATA_TYPES[kind])
    response.set_etag(tag)
    # may be kept by who fetched it, and is asked for again
    response.headers["Cache-Control"] = "private, no-cache"
    if request.if_none_match.contains(tag):
        response.status_code = 304
        return response, True
    response.response, is_small = begun(STREAMS[kind](site, job.request, *span, units, with_flags=with_flags))
    response.headers["Content-Disposition"] = f'attachment; filename="{download_name(site, job, span)}.{kind}"'
    return response, is_small


def begun(pieces: Iterator[bytes]) -> tuple[Iterator[bytes], bool]:
    """The stream with its first pieces made, and whether these are all.

    What keeps it from beginning is an answer then, not a broken file;
    and what is small needs no place among the downloads.
    """
    made = [next(pieces, b"")]
    size = len(made[0])
    for piece in pieces:
        made.append(piece)
        size += len(piece)
        if size > SMALL_BYTES:
            return chain(made, pieces), False
    return iter(made), True


def refuse_part(site: Site, job: Job) -> None:
    """Raises Conflict where rows would be missing:
    a job that loads, or one that completed and lost tiles since.
    """
    if not job.status.is_final:
        raise Conflict("This job is still loading; its rows can be downloaded when it has finished.")
    if job.status is Status.COMPLETED and not all_present(site, job.request):
        raise Conflict("Parts of this result are no longer cached. Load it again.")


def _statistics(asked: JobWindow, flagged: bool) -> dict[str, Any]:
    site, job, span = asked.site, asked.job, asked.span
    before, unchecked = all_present(site, job.request), asked.unchecked()
    view = asked.view(LEAST_PX, include_flagged=flagged)
    return {
        "job": job.id,
        "from": iso_utc(span[0]),
        "to": iso_utc(span[1]),
        "complete": job.status is Status.COMPLETED and before and all_present(site, job.request),
        "unchecked": unchecked,
        "of": "observations",
        "series": [_series_json(statistics, site) for statistics in view.statistics],
    }


def _series_json(statistics: SeriesStatistics, site: Site) -> dict[str, Any]:
    fields = asdict(statistics) | {"unit": site.catalogue[statistics.sensor].unit}
    return fields | {name: iso_utc_or_none(fields[name]) for name in ("min_time", "max_time", "last_time")}


def _window(of: HistoryRequest, query: WindowQuery) -> Span:
    """The window of the query string, inside the request; where one end is absent, the request's.

    Raises:
        InvalidRequest: an end is no time, the start is not before the end,
            or both lie outside of the request.
    """
    start = window_time("from", query.start, of.timezone, of.start_ms)
    end = window_time("to", query.end, of.timezone, of.end_ms)
    if start >= end:
        raise InvalidRequest("The start must be before the end.", field="to")
    if end <= of.start_ms or start >= of.end_ms:
        raise InvalidRequest(
            "The window is outside the job, which runs from {start} to {end}.",
            field="to" if end <= of.start_ms else "from",
            start=iso_utc(of.start_ms),
            end=iso_utc(of.end_ms),
        )
    return clip_window(of, start, end)


def window_time(field: str, text: str | None, timezone: str, default: int) -> int:
    """Parse a time of the query string: int ms UTC,
    or ISO 8601 (by default of the request's zone).
    """
    if text is None:
        return default
    text = text.strip()
    return int(text) if MILLISECONDS.fullmatch(text) else parse_time(text, timezone, field=field)
