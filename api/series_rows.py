"""Readings by one address, for programs that ask again and again: Grafana, Excel, notebooks.
What is not on the disk is loaded by a job first, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Response, jsonify, request

from access.audit.log import request_subject
from access.embeds.embed_token import refuse_other_than_shown
from access.grants import Purpose
from access.identity import Identity
from access.restricted_site import require_permission, usual_zone
from api.data import DATA_TYPES, MILLISECONDS, stream_rows
from api.guard import refuse_other_sites
from api.jobs import ApiServices
from api.operations import Answer, Api, require_scope
from api.outputs import JobReceipt
from api.series_inputs import SeriesQuery
from data.export.json_rows import latest_rows
from data.load_plan import all_present
from data.request import HistoryRequest, written_time
from data.time.epoch import MINUTE_MS, epoch_ms
from errors import InvalidRequest, StillLoading
from figures.job_window import JobWindow
from jobs.job import Job, Status
from jobs.start import start_job

AGAIN_S: Final = 2  # after which a load may have ended
_FIELDS: Final = {"start": "from", "end": "to"}

_ROWS: Final = {
    200: Answer(
        "The rows.", content_types=tuple(DATA_TYPES[kind].partition(";")[0] for kind in ("json", "csv", "arrow", "parquet"))
    ),
    202: Answer(
        "json only: rows are missing on the disk; the job that loads them. Ask again.",
        JobReceipt,
        headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
    ),
    304: Answer("The rows that If-None-Match names are still the same."),
}


def add_series_route(api: Api, services: ApiServices) -> None:
    """``/api/series``."""

    @api.get("/api/series", _ROWS, 400, 404, 429, 503, scope="export", query=SeriesQuery)
    def get_series(query: SeriesQuery) -> Response:
        """Readings, or buckets of them, of stations × sensors in a range; or the last row of each
        station.

        While something is loaded first, csv, arrow and parquet are refused (503) with Retry-After.
        `now` is that of the server, in whole minutes. A key needs the scope `export`, and `load`
        where something is to be loaded first.
        """
        refuse_other_sites(request)  # it may start a job
        identity = services.identify()
        wanted = _request(services, identity, query)
        refuse_other_than_shown(services.access, identity, wanted, epoch_ms())
        require_permission(services.site, identity, wanted, Purpose.EXPORT)
        if not all_present(services.site, wanted):
            require_scope(identity, "load")
        job = start_job(services.site, services.ledger, identity, wanted, services.wake, reuse=True)
        if job.status is not Status.COMPLETED:
            if query.format != "json":  # what reads tables would take a job for one
                raise StillLoading
            answer = services.receipt(job)
            answer.headers["Retry-After"] = str(AGAIN_S)
            return answer
        whole: partial[tuple[int, int]] = partial(_whole, wanted)
        asked = JobWindow.of(services, job.id, whole, Purpose.EXPORT, query.flags)
        if query.latest:
            return _latest(services, asked)
        return stream_rows(services, asked, query.format, with_flags=False)


def _whole(wanted: HistoryRequest, _job: Job) -> tuple[int, int]:
    return wanted.start_ms, wanted.end_ms


def _latest(services: ApiServices, asked: JobWindow) -> Response:
    rows = latest_rows(asked.site, asked.job.request)
    if request.method == "GET":
        services.access.audit.record("export", request_subject(asked.job.request, job=asked.job.id, format="json"))
    return jsonify(rows)


def _request(services: ApiServices, identity: Identity, query: SeriesQuery) -> HistoryRequest:
    """Return what is asked for; raises InvalidRequest, naming the field."""
    if query.latest and query.format != "json":
        raise InvalidRequest("The last row of each station is JSON only.", field="format")
    stations, sensors = tuple(dict.fromkeys(query.station)), tuple(dict.fromkeys(query.sensor))
    known = services.seen().inventory.known(stations).stations

    def newest() -> int:
        return max((each.last_ms for each in known if each.last_ms is not None), default=epoch_ms())

    def in_zone(zone: str) -> HistoryRequest:
        start = _time(query.start, zone, "start", newest)
        end = _time(query.end, zone, "end", newest)
        return HistoryRequest(stations, sensors, start, end, query.resolution, zone)  # type: ignore[arg-type] # it is checked there

    if query.timezone:
        return in_zone(query.timezone)
    return in_zone(usual_zone(services.site.catalogue, identity.rights, stations, services.settings.timezone, in_zone))


def _time(text: str, zone: str, field: str, newest: Callable[[], int]) -> int:
    """Return the time (int ms UTC) that an end of the range means; raises InvalidRequest."""
    try:
        found = int(text) if MILLISECONDS.fullmatch(text.strip()) else written_time(text, zone, field=field, newest=newest)
    except InvalidRequest as exc:
        raise InvalidRequest(exc.template, field=_FIELDS.get(exc.field or "", exc.field), **exc.params) from None
    # who asks each few seconds up to now asks for one job a minute
    return found // MINUTE_MS * MINUTE_MS if "now" in text.casefold() else found
