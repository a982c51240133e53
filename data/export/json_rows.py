"""Rows as JSON: a list of objects, one a row, with the columns of a CSV file by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from data.export.columns import header, text_table
from data.export.flag_column import flag_column, has_flag_column
from data.export.rows import Piece, joined
from data.export.xlsx import ReportRows
from data.file_columns import Units
from data.range_rows import open_observations
from data.request import HistoryRequest
from data.site import Site

_ROWS_AT_ONCE: Final = 5_000  # some milliseconds, after which others have a turn


def export_json(
    site: Site,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    _units: Units = "none",
    wrote: ReportRows = lambda *_: None,
    with_flags: bool = False,
) -> Iterator[bytes]:
    """Yield a list of rows, UTF-8; times and numbers as in a CSV file, null where there is no
    value. It is never whole where it was broken off: the list does not end.
    """
    with_flags = has_flag_column("json", request, asked=with_flags)
    begin, rows, columns = b"[", 0, header(site.catalogue, request.sensors, "none", with_flags=with_flags)
    for piece in joined(site, request, start_ms, end_ms):
        flags = flag_column(site, request, piece) if with_flags else None
        made = text_table(request, piece, flags).rename_columns(columns)
        for at in range(0, len(made), _ROWS_AT_ONCE):
            yield begin + _objects(made.slice(at, _ROWS_AT_ONCE).to_pylist())
            begin = b",\n"
        rows += len(piece.times)
        wrote(piece.station, int(piece.times[-1]), rows)
    yield b"]\n" if rows else b"[]\n"


def latest_rows(site: Site, request: HistoryRequest) -> list[dict[str, Any]]:
    """Return the last row of each station in a request's range, as :func:`export_json` has it;
    none of a station without one.
    """
    columns, found = header(site.catalogue, request.sensors, "none"), []
    for station in request.stations:
        pieces = joined(site, replace(request, stations=(station,)), _last_ms(site, request, station), request.end_ms)
        last = _last(pieces)
        if last is not None:
            found += text_table(request, last).rename_columns(columns).to_pylist()
    return found


def _last_ms(site: Site, request: HistoryRequest, station: str) -> int:
    """Return a time (ms UTC) from which on there is the last row of a station: just before that
    of readings, as a span has no row stamped at its start of a sensor that stamps the end of its
    interval; of buckets the beginning of the range.
    """
    if request.resolution != "raw":
        return request.start_ms
    series = [open_observations(site, request, station, sensor) for sensor in request.sensors]
    last_ms = max((each.last_ms for each in series if each.rows), default=request.start_ms)
    return last_ms - 1 if request.start_ms < last_ms < request.end_ms else request.start_ms


def _last(pieces: Iterable[Piece]) -> Piece | None:
    last = None
    for piece in pieces:
        last = piece
    if last is None:
        return None
    return Piece(last.station, last.times[-1:], tuple(each[-1:] for each in last.values), tuple(each[-1:] for each in last.flags))


def _objects(rows: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps(rows, ensure_ascii=False, allow_nan=False, separators=(",", ":"))[1:-1].encode()
