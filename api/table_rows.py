"""Rows of a job's window as a table, a part at a time: what the page's table shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from flask import Response, jsonify

from access.audit.log import request_subject
from access.grants import Purpose
from access.identity import authorise
from api.concurrency import limit_key
from api.data import MILLISECONDS, asked_window, refuse_part
from api.export_files import cut
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import TableRows
from api.window_inputs import RowsQuery
from data.export.columns import time_texts
from data.export.formats import export_tag
from data.export.row_index import RowIndex
from data.export.row_question import read_question
from data.export.table import RowBlock, Table, open_table
from data.request import HistoryRequest, written_time
from data.tiles.cache import Lru
from data.time.months import iso_utc
from errors import InvalidRequest
from figures.job_window import JobWindow

BUSY_S: Final = 0.12  # as long as an answer reads; what is left is for the next one
_KEPT: Final = 64  # indexes of a web process; one that keeps rows counts as eight
_CELLS: Final = 100_000  # of one answer


def add_row_routes(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/rows``."""
    indexes: Lru[RowIndex] = Lru(_KEPT, lambda index: 1 if index.is_small else 8)

    @api.get(
        "/api/jobs/<job_id>/rows", {200: Answer("The rows.", TableRows)}, 400, 404, 409, 413, scope="export", query=RowsQuery
    )
    def get_rows(job_id: str, query: RowsQuery) -> Response:
        """A part of the rows of a window, a column a series.

        Of each station they are the rows of its CSV file. An answer reads for a moment only: it may
        have fewer rows than were asked for, and `total` is null until all are counted. Ask again,
        from the next row on. Refused as the file is: while the job loads, and when tiles of it have
        left the disk (409). Sorted by a value is what has at most a million values (else 413).
        """
        asked = asked_window(services, job_id, query, Purpose.EXPORT)
        authorise(services.identify(), asked.job.request, Purpose.EXPORT)
        refuse_part(asked.site, asked.job)
        out_of_time = _timer()
        table = open_table(asked.site, asked.job.request, *asked.span)
        index = _index(services, indexes, asked, query, table)
        index.count(table, out_of_time)
        return jsonify(_part(asked, table, index, query, out_of_time))


def _timer() -> Callable[[], bool]:
    end_s = time.monotonic() + BUSY_S
    return lambda: time.monotonic() > end_s


def _index(services: ApiServices, indexes: Lru[RowIndex], asked: JobWindow, query: RowsQuery, table: Table) -> RowIndex:
    """What is counted already for whoever asks; the audit log has an entry of who begins to read a
    table.
    """
    site, request = asked.site, asked.job.request
    question = read_question(query.flagged, query.where, query.sort, request.series, site.catalogue.sensors)

    def begin() -> RowIndex:
        subject = request_subject(cut(request, asked.span), job=asked.job.id, format="table")
        services.access.audit.record("export", subject)
        return RowIndex(question)

    tag = export_tag(site, request, *asked.span, "table")
    # the spans, too: tiles may have been replaced since the table was opened
    identity = services.identify()
    return indexes.get((limit_key(identity), identity.via, asked.job.id, tag, table.spans, question), begin)


def _part(asked: JobWindow, table: Table, index: RowIndex, query: RowsQuery, out_of_time: Callable[[], bool]) -> dict[str, Any]:
    request, site = asked.job.request, asked.site
    offset: int | None = query.offset
    if query.at is not None:
        offset = index.number_at(table, _jump(query.at.strip(), request))
    limit = min(query.limit, max(_CELLS // len(table.series), 1))
    rows = index.rows(table, offset or 0, 0 if offset is None else limit, out_of_time)
    return {
        "job": asked.job.id,
        "from": iso_utc(asked.span[0]),
        "to": iso_utc(asked.span[1]),
        "zone": request.timezone,
        "resolution": request.resolution,
        "columns": [{"station": station, "sensor": name, "unit": site.catalogue[name].unit} for station, name in request.series],
        "offset": offset,
        "total": index.total,
        "counted": index.counted,
        "rows": _rows(rows, request.timezone),
    }


def _jump(text: str, request: HistoryRequest) -> int:
    """Return the time (int ms UTC) that ``at`` means: int ms UTC, or what From takes, too; raises
    InvalidRequest. Words without a year are of the end of the request.
    """
    if MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        return written_time(text, request.timezone, field="start", newest=lambda: request.end_ms - 1)
    except InvalidRequest as exc:
        raise InvalidRequest(exc.template, field="at", **exc.params) from None


def _rows(rows: RowBlock, timezone: str) -> list[dict[str, Any]]:
    utc, local = (texts.to_pylist() for texts in time_texts(rows.times, timezone))
    cells = rows.values.astype(object)
    cells[np.isnan(rows.values)] = None
    flagged: list[list[int]] = [[] for _ in utc]
    for row, column in zip(*(places.tolist() for places in np.nonzero(rows.flagged.T)), strict=True):
        flagged[row].append(column)
    told = zip(utc, local, cells.T.tolist(), flagged, strict=True)
    return [{"time": at, "local": here, "values": values, "flagged": marks} for at, here, values, marks in told]
