"""What a job gives: its rows as a file, its figure, its statistics. Read from tiles, checked against today's grants."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from access.identity import Identity, may_see
from data.drawn import SeriesStatistics
from data.export import STREAMS, check_format, write_xlsx
from data.months import iso_utc
from data.request import HistoryRequest, parse_time
from data.site import Site
from data.view import view_request
from errors import Conflict, InvalidRequest, JobNotFound
from figures.history import Span, history_figure
from figures.window import clip_window, pending_spans
from figures.words import file_name
from jobs.job import Job, Status
from jobs.ledger import Ledger

_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PIECE_BYTES: Final = 1 << 16
_DEFAULT_PX, _LEAST_PX, _MOST_PX = 1200, 50, 4000


def data_blueprint(site: Site, ledger: Ledger, identify: Callable[[], Identity], prefix: str) -> Blueprint:
    """Routes below ``/api/jobs/ID``; ``identify`` answers for the request in hand."""
    blueprint = Blueprint("data", __name__, url_prefix=prefix.rstrip("/") or None)

    def asked(job_id: str) -> tuple[Job, Span]:
        job = ledger.get(job_id)
        if not may_see(identify(), job.owner):
            raise JobNotFound("There is no job {job_id}.", job_id=job_id[:40])
        return job, _window(job.request)

    @blueprint.get("/api/jobs/<job_id>/data")
    def rows(job_id: str) -> Response:
        job, span = asked(job_id)
        return _rows(site, job, span)

    @blueprint.get("/api/jobs/<job_id>/figure")
    def figure(job_id: str) -> Response:
        job, span = asked(job_id)
        return jsonify(_figure(site, job, span))

    @blueprint.get("/api/jobs/<job_id>/stats")
    def stats(job_id: str) -> Response:
        job, span = asked(job_id)
        return jsonify(_statistics(site, job, span))

    return blueprint


def _rows(site: Site, job: Job, span: Span) -> Response:
    """All rows of the window, streamed. A job that still runs has not all of them yet, so it is refused."""
    kind = request.args.get("format", "csv").lower()
    check_format(kind)
    if not job.status.is_final:
        raise Conflict("This job is still loading; its rows can be downloaded when it has finished.")
    name = file_name(job.request.stations, job.request.sensors, *span, job.request.timezone)
    if job.status is not Status.COMPLETED:
        name += "_partial"
    body = _workbook(site, job.request, span) if kind == "xlsx" else STREAMS[kind](site, job.request, *span)
    response = Response(body, content_type=_TYPES[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy must pass the stream on as it comes
    return response


def _workbook(site: Site, of: HistoryRequest, span: Span) -> Iterator[bytes]:
    """A workbook in pieces; its file is gone from the disk before the first of them is sent."""
    with tempfile.TemporaryDirectory(prefix="riwayat-") as folder:
        path = Path(folder) / "history.xlsx"
        write_xlsx(site, of, *span, path)
        file = path.open("rb")

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE_BYTES):
                yield piece

    return pieces()


def _figure(site: Site, job: Job, span: Span) -> dict[str, Any]:
    width_px = min(max(_number("width", _DEFAULT_PX), _LEAST_PX), _MOST_PX)
    view = view_request(site, job.request, *span, width_px, include_flagged=_switch("flagged"), with_statistics=False)
    return history_figure(
        view,
        site.catalogue,
        theme=request.args.get("theme", "light"),
        width_px=width_px,
        whole=(job.request.start_ms, job.request.end_ms),
        pending=() if job.status is Status.COMPLETED else pending_spans(site, job.request),
        revision=job.id,
    )


def _statistics(site: Site, job: Job, span: Span) -> dict[str, Any]:
    view = view_request(site, job.request, *span, _LEAST_PX, include_flagged=_switch("flagged"))
    return {
        "job": job.id,
        "from": iso_utc(span[0]),
        "to": iso_utc(span[1]),
        "series": [_one(statistics, site) for statistics in view.statistics],
    }


def _one(statistics: SeriesStatistics, site: Site) -> dict[str, Any]:
    fields = asdict(statistics) | {"unit": site.catalogue[statistics.sensor].unit}
    for name in ("min_time", "max_time", "last_time"):
        fields[name] = None if fields[name] is None else iso_utc(fields[name])
    return fields


def _window(of: HistoryRequest) -> Span:
    """The window of the query string, inside the request; where one end is absent, the request's."""
    start = _time("from", of.timezone, of.start_ms)
    end = _time("to", of.timezone, of.end_ms)
    if start >= end:
        raise InvalidRequest("The start must lie before the end.", field="to")
    return clip_window(of, start, end)


def _time(field: str, timezone: str, default: int) -> int:
    """A time of the query string: int ms UTC, or ISO 8601 (without an offset: of the request's zone)."""
    text = request.args.get(field, "").strip()
    if not text:
        return default
    return int(text) if text.lstrip("-").isdecimal() and len(text) > 8 else parse_time(text, timezone, field=field)


def _number(field: str, default: int) -> int:
    text = request.args.get(field, "")
    if text and not (text.isdecimal() and len(text) < 8):
        raise InvalidRequest("{text} is not a whole number.", field=field, text=repr(text[:20]))
    return int(text) if text else default


def _switch(field: str) -> bool:
    return request.args.get(field, "").lower() in ("1", "true", "yes", "on")
