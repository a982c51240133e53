"""What a job gives: its rows as a file, its figure, its statistics. Read from tiles, checked against today's grants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any, Final

import structlog
from flask import Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from access.audit import acting, request_subject
from access.grants import Purpose, Rights
from access.identity import authorise
from access.seen import seen_by, whole_window, without_raw
from api.jobs import Desk
from api.models import LEAST_PX, MOST_PX, DataQuery, Figure, FigureQuery, JobReceipt, Stats, StatsQuery, WindowQuery
from api.operations import Answer, Api
from api.sending import Sending
from api.workbooks import CONTENT_TYPE, cut, workbook_file, workbook_receipt
from data.drawn import SeriesStatistics
from data.export import STREAMS, XLSX, check_format, export_tag
from data.months import iso_utc
from data.plan import all_present
from data.request import HistoryRequest, parse_time
from data.site import Site
from data.view import view_request
from errors import Conflict, InvalidRequest, NotPermitted, RiwayatError, SourceUnavailable, UnknownStation
from figures.history import Span, history_figure
from figures.window import clip_window, lost_spans, pending_spans
from figures.words import file_name
from i18n import gettext as _
from i18n import set_language
from jobs.job import Job, Status
from jobs.policy import WORKBOOK
from jobs.visible import refuse_hidden

_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    XLSX: CONTENT_TYPE,
}
_MILLISECONDS: Final = re.compile(r"-?[0-9]{9,15}")  # shorter ones are dates such as 20130701

_ROWS: Final = {
    200: Answer(
        "The rows.",
        content_types=tuple(kind.partition(";")[0] for kind in _TYPES.values()),
        headers={"Content-Disposition": "Name of the file.", "ETag": "Changes when the rows do."},
    ),
    202: Answer(
        "xlsx only: the job that writes the file; ask again when it has completed.",
        JobReceipt,
        headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
    ),
    206: Answer("xlsx only: the part of the file that Range names.", content_types=(CONTENT_TYPE,)),
    304: Answer("The rows that If-None-Match names are still the same."),
}

log = structlog.get_logger(__name__)


def add_data_routes(api: Api, desk: Desk) -> None:
    """``/api/jobs/ID/figure``, ``stats`` and ``data``."""

    @api.get("/api/jobs/<job_id>/figure", {200: Answer("The figure.", Figure)}, 400, 404, scope="read", query=FigureQuery)
    def get_figure(job_id: str, query: FigureQuery) -> Response:
        """A window of a job as a Plotly figure; every extreme is in it, at any width."""
        asked = Asked.of(desk, job_id, query)
        if query.language is not None:
            set_language(query.language)
        return jsonify(_figure(asked, query))

    @api.get("/api/jobs/<job_id>/stats", {200: Answer("Statistics a series.", Stats)}, 400, 404, scope="read", query=StatsQuery)
    def get_stats(job_id: str, query: StatsQuery) -> Response:
        """Exact statistics of each series in a window."""
        asked = Asked.of(desk, job_id, query)
        return jsonify(_statistics(asked, query.flagged))

    @api.get("/api/jobs/<job_id>/data", _ROWS, 400, 404, 409, 413, 416, 429, scope="export", query=DataQuery)
    def get_data(job_id: str, query: DataQuery) -> Response:
        """All rows of a window; streamed, but an xlsx is written by a job.

        Refused (409) while the job loads, and when tiles of it have left the disk: a file lacks no rows in silence. A worksheet
        holds 1,048,575 rows; an xlsx of more is refused (413) before a job begins. Who may not have the rows any more while they
        are sent gets no end of the body: the connection is broken off.
        """
        asked = Asked.of(desk, job_id, query, Purpose.EXPORT)
        kind = query.format or (XLSX if asked.job.kind == WORKBOOK else "csv")
        check_format(kind)
        authorise(desk.identify(), asked.job.request, Purpose.EXPORT)
        answer = _workbook(desk, asked) if kind == XLSX else _rows(asked, kind)
        if request.method == "GET" and answer.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):  # rows go out
            subject = request_subject(cut(asked.job.request, asked.span), job=asked.job.id, format=kind)
            desk.access.audit.record("export", subject)
            _send_while_permitted(desk, asked, kind, answer)
        return answer


@dataclass(frozen=True)
class Asked:
    """A job that the one who asks may see, the window of it, and the site as it is seen with these rights."""

    site: Site
    job: Job
    span: Span
    rights: Rights

    @classmethod
    def of(cls, desk: Desk, job_id: str, query: WindowQuery, purpose: Purpose = Purpose.VIEW) -> Asked:
        """What a request asks for; where a floor of resolution is on it the window is made wider, so that it cuts no bucket.

        A floor may be on what leaves as a file only.

        Raises:
            JobNotFound, NotPermitted: as :meth:`api.jobs.Desk.job`.
            InvalidRequest: the window is not one of the job.
        """
        job, rights = desk.job(job_id), desk.identify().rights
        span = whole_window(rights, job.request, _window(job.request, query), purpose)
        return cls(seen_by(desk.site, rights), job, span, rights)


def _send_while_permitted(desk: Desk, asked: Asked, kind: str, answer: Response) -> None:
    """Have the body of an answer ask again while it is sent: sending may take hours, and rights end at once."""
    job, actor, again = asked.job, acting(), desk.later()
    told = {"method": request.method, "path": request.path, "job": job.id, "format": kind}

    def permit() -> None:
        identity = again()
        refuse_hidden(identity, job)
        authorise(identity, job.request, Purpose.EXPORT)
        if whole_window(identity.rights, job.request, asked.span, Purpose.EXPORT) != asked.span:  # a floor is on it by now
            raise NotPermitted

    def refused(error: RiwayatError, sent_bytes: int) -> None:
        subject = told | {"sent_bytes": sent_bytes, "error": error.message}
        desk.access.audit.refused(error, subject, of=job.id, actor=actor)

    answer.direct_passthrough = False  # of a file, too, each piece is looked at
    answer.response = Sending(answer.response, permit, refused)  # type: ignore[arg-type]  # bytes, as all of these are


def _workbook(desk: Desk, asked: Asked) -> Response:
    """The file, or the job that writes it. What a workbook job itself has written is there whatever its request lacks by now."""
    site, job, span = asked.site, asked.job, asked.span
    wanted = cut(job.request, span)
    if job.kind != WORKBOOK:
        _refuse_part(site, job)
    if answer := workbook_file(desk, wanted, _name(site, job, span)):
        return answer
    if job.kind == WORKBOOK and job.status.is_final:
        _refuse_part(site, job)
    return workbook_receipt(desk, wanted)


def _name(site: Site, job: Job, span: Span) -> str:
    sensors = site.catalogue.ordered(job.request.sensors)  # as in the name of the picture
    name = file_name(job.request.stations, sensors, *span, job.request.timezone)
    return name if _is_whole(site, job) else name + "_partial"


def _is_whole(site: Site, job: Job) -> bool:
    """Whether no row of the job can be missing. That a workbook was written says nothing of what it was written of."""
    return all_present(site, job.request) if job.kind == WORKBOOK else job.status is Status.COMPLETED


def _rows(asked: Asked, kind: str) -> Response:
    site, job, span = asked.site, asked.job, asked.span
    _refuse_part(site, job)
    tag = export_tag(site, job.request, *span, kind)
    response = Response(content_type=_TYPES[kind])
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"  # may be kept by who fetched it, and is asked for again
    if request.if_none_match.contains(tag):
        response.status_code = 304
        return response
    response.response = _begun(STREAMS[kind](site, job.request, *span))
    response.headers["Content-Disposition"] = f'attachment; filename="{_name(site, job, span)}.{kind}"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy must pass the stream on as it comes
    return response


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The stream with its first piece made: what keeps it from beginning is an answer, not a broken file."""
    return chain([next(pieces, b"")], pieces)


def _refuse_part(site: Site, job: Job) -> None:
    """Raises Conflict where rows would be missing: a job that loads, or one that completed and lost tiles since."""
    if not job.status.is_final:
        raise Conflict("This job is still loading; its rows can be downloaded when it has finished.")
    if job.status is Status.COMPLETED and not all_present(site, job.request):
        raise Conflict("Parts of this result have left the disk; load it again.")


def _figure(asked: Asked, query: FigureQuery) -> dict[str, Any]:
    site, job = asked.site, asked.job
    width_px = min(max(query.width, LEAST_PX), MOST_PX)
    view = view_request(site, job.request, *asked.span, width_px, include_flagged=query.flagged, with_statistics=False)
    gaps = _gaps(site, job, asked.span, width_px)
    figure = history_figure(
        without_raw(asked.rights, job.request, view),
        site.catalogue,
        theme=query.theme,
        width_px=width_px,
        height_px=None if query.height is None else min(query.height, MOST_PX),
        whole=(job.request.start_ms, job.request.end_ms),
        pending=gaps or (),
        pending_text=_("no longer on the disk; load again") if job.status is Status.COMPLETED else "",
        revision=job.id,
    )
    figure["layout"]["meta"]["complete"] = job.status is Status.COMPLETED and gaps == ()
    return figure


def _gaps(site: Site, job: Job, span: Span, width_px: int) -> tuple[Span, ...] | None:
    """Spans of the job that are not there (yet, or any more). None: the inventory does not say; tiles draw all the same."""
    if job.status is not Status.COMPLETED:
        return pending_spans(site, job.request)
    try:
        return lost_spans(site, job.request, span, width_px)
    except (UnknownStation, SourceUnavailable, SQLAlchemyError) as error:
        log.warning("it is not known whether a figure is whole", error=str(error))
        return None


def _statistics(asked: Asked, flagged: bool) -> dict[str, Any]:
    site, job, span = asked.site, asked.job, asked.span
    view = view_request(site, job.request, *span, LEAST_PX, include_flagged=flagged)
    return {
        "job": job.id,
        "from": iso_utc(span[0]),
        "to": iso_utc(span[1]),
        "complete": job.status is Status.COMPLETED and all_present(site, job.request),
        "series": [_one(statistics, site) for statistics in view.statistics],
    }


def _one(statistics: SeriesStatistics, site: Site) -> dict[str, Any]:
    fields = asdict(statistics) | {"unit": site.catalogue[statistics.sensor].unit}
    for name in ("min_time", "max_time", "last_time"):
        fields[name] = None if fields[name] is None else iso_utc(fields[name])
    return fields


def _window(of: HistoryRequest, query: WindowQuery) -> Span:
    """The window of the query string, inside the request; where one end is absent, the request's.

    Raises:
        InvalidRequest: an end is no time, the start is not before the end, or both lie outside of the request.
    """
    start = _time("from", query.start, of.timezone, of.start_ms)
    end = _time("to", query.end, of.timezone, of.end_ms)
    if start >= end:
        raise InvalidRequest("The start must lie before the end.", field="to")
    if end <= of.start_ms or start >= of.end_ms:
        raise InvalidRequest(
            "The job is from {start} to {end}, and the window outside of it.",
            field="to" if end <= of.start_ms else "from",
            start=iso_utc(of.start_ms),
            end=iso_utc(of.end_ms),
        )
    return clip_window(of, start, end)


def _time(field: str, text: str | None, timezone: str, default: int) -> int:
    """A time of the query string: int ms UTC, or ISO 8601 (without an offset: of the request's zone)."""
    if text is None:
        return default
    text = text.strip()
    return int(text) if _MILLISECONDS.fullmatch(text) else parse_time(text, timezone, field=field)
