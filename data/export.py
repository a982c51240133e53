"""Rows of a request as a file: CSV, Parquet and Arrow as streams of bytes, and a workbook on the disk; all in constant memory.

Columns: ``timestamp_utc``, ``station``, then a column a sensor in the catalogue's unit, empty where there is no value. So
``manage.py import`` reads the CSV and the Parquet file again. Flags are not exported: an import finds them anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from data.buckets import BY_NAME
from data.drain import Drain
from data.joined import Piece, joined
from data.request import HistoryRequest
from data.series import SeriesKey
from data.site import Site
from data.spreadsheet import safe_text
from data.workbook import SHEET_ROWS, Wrote, write_workbook
from errors import InvalidRequest, TooLarge

_DAY_MS = 86_400_000
_SHORTEST_MONTH_MS = 28 * _DAY_MS - 7_200_000
_CLOCK_CHANGES_MS = 30 * _DAY_MS  # no zone changes its clocks more often

_VERSION = 3  # of how files are written; another one makes clients fetch them again

Stream = Callable[[Site, HistoryRequest, int, int], Iterator[bytes]]


def export_csv(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """UTF-8 with a header line; times ISO 8601 with Z; numbers with as few digits as give the same double again.

    No station's name becomes a formula (data/spreadsheet.py); an import reads it back as it was.
    """
    yield (",".join(["timestamp_utc", "station", *request.sensors]) + "\n").encode()
    for piece in joined(site, request, start_ms, end_ms):
        # Arrow quotes all text or none; a name without special characters needs none.
        special = any(character in safe_text(piece.station) for character in ',"\r\n')
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed" if special else "none")
        sink = io.BytesIO()
        pyarrow.csv.write_csv(_table(request, piece, as_text=True), sink, options)
        yield sink.getvalue()


def export_parquet(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """Parquet; times as UTC milliseconds; each sensor's field carries its ``unit``."""
    sink, schema = Drain(), _schema(site, request)
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for piece in joined(site, request, start_ms, end_ms):
            writer.write_table(_table(request, piece).cast(schema))
            yield sink.drain()
    yield sink.drain()


def export_arrow(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """An Arrow IPC stream of the same columns."""
    sink, schema = Drain(), _schema(site, request)
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        for piece in joined(site, request, start_ms, end_ms):
            writer.write_table(_table(request, piece).cast(schema))
            yield sink.drain()
    yield sink.drain()


STREAMS: Mapping[str, Stream] = {"csv": export_csv, "parquet": export_parquet, "arrow": export_arrow}
XLSX = "xlsx"
FORMATS = (*STREAMS, XLSX)


def _say_nothing(_station: str, _time_ms: int, _rows: int) -> None:
    """Nobody waits for it."""


def write_xlsx(site: Site, request: HistoryRequest, start_ms: int, end_ms: int, path: Path, wrote: Wrote = _say_nothing) -> int:
    """Write a workbook of one sheet (data/workbook.py) in a folder that is the caller's own; returns how many rows it has.

    Raises:
        TooLarge: there are more rows than a worksheet holds.
        OSError: the file cannot be written.
    """
    check_rows(site, request, start_ms, end_ms)
    header = ["timestamp_utc", "station", *request.sensors]
    return write_workbook(path, header, _on_one_sheet(joined(site, request, start_ms, end_ms)), wrote)


def export_tag(site: Site, request: HistoryRequest, start_ms: int, end_ms: int, kind: str) -> str:
    """32 hexadecimal digits that differ whenever the bytes of the export may; told from the tiles' indices alone."""
    digest = hashlib.blake2b(
        f"{_VERSION} {pa.__version__} {kind} {start_ms} {end_ms} {request.to_json()}".encode(), digest_size=16
    )
    for station, sensor in request.series:
        digest.update(repr(site.catalogue[sensor]).encode())
        entries = site.tiles.entries(SeriesKey(site.source.id, station, sensor))
        for month in sorted(entries.keys() & set(request.months)):
            digest.update(repr(entries[month]).encode())
    return digest.hexdigest()


def export_file(site: Site, request: HistoryRequest, path: Path, start_ms: int | None = None, end_ms: int | None = None) -> None:
    """Write a file of the kind that its name ends in; whole or not at all.

    Raises:
        InvalidRequest: an unknown kind.
        TooLarge: more rows than a worksheet holds.
        OSError: the file cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    check_format(kind)
    start, end = request.start_ms if start_ms is None else start_ms, request.end_ms if end_ms is None else end_ms
    if kind == XLSX:
        with TemporaryDirectory(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent) as folder:
            draft = Path(folder) / "workbook"
            write_xlsx(site, request, start, end, draft)
            draft.replace(path)
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            file.writelines(STREAMS[kind](site, request, start, end))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def check_format(kind: str) -> None:
    """Raises InvalidRequest when there is no such format."""
    if kind not in FORMATS:
        raise InvalidRequest(
            "There is no format {format}; use one of {known}.", field="format", format=kind[:20] or "–", known=", ".join(FORMATS)
        )


def check_rows(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> int:
    """About how many rows a workbook would have; told from the tiles' indices unless it may be too many.

    Raises:
        TooLarge: they are more than a worksheet holds.
    """
    raw = request.resolution == "raw"
    counts = [
        [site.tiles.open_series(SeriesKey(site.source.id, station, name), start_ms, end_ms).rows for name in request.sensors]
        for station in request.stations
    ]
    least, most = sum(map(max, counts)), sum(map(sum, counts))
    if raw and least >= SHEET_ROWS:
        raise _too_many(least)
    buckets = most if raw else _most_buckets(site, request, start_ms, end_ms)
    if min(most, buckets) < SHEET_ROWS:
        return least if raw else min(most, buckets)
    return sum(len(piece.times) for piece in _on_one_sheet(joined(site, request, start_ms, end_ms)))


def _most_buckets(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> int:
    """As many buckets as there can be, days of several beginnings and hours that a change of the clock splits included."""
    bucket = BY_NAME[request.resolution]
    shortest_ms = bucket.usual_ms if bucket.unit == "ms" else _SHORTEST_MONTH_MS
    beginnings = len({site.catalogue[name].day_start_min for name in request.sensors}) if shortest_ms >= _DAY_MS else 1
    span_ms = end_ms - start_ms
    return len(request.stations) * beginnings * (span_ms // shortest_ms + span_ms // _CLOCK_CHANGES_MS + 4)


def _on_one_sheet(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces, as long as a worksheet holds them.

    Raises:
        TooLarge: it does not.
    """
    rows = 0
    for piece in pieces:
        rows += len(piece.times)
        if rows >= SHEET_ROWS:
            raise _too_many(rows)
        yield piece


def _too_many(rows: int) -> TooLarge:
    return TooLarge(
        "A worksheet holds {most} rows and these are at least {rows}; choose CSV or Parquet, a shorter range or a coarser"
        " resolution.",
        field="format",
        most=f"{SHEET_ROWS - 1:,}",
        rows=f"{rows:,}",
    )


def _schema(site: Site, request: HistoryRequest) -> Any:
    sensors = [pa.field(name, pa.float64(), metadata={"unit": site.catalogue[name].unit}) for name in request.sensors]
    return pa.schema([pa.field("timestamp_utc", pa.timestamp("ms", "UTC")), pa.field("station", pa.string()), *sensors])


def _table(request: HistoryRequest, piece: Piece, *, as_text: bool = False) -> Any:
    times = pa.array(piece.times).cast(pa.timestamp("ms", "UTC"))
    if as_text:
        whole = not (piece.times % 1000).any()
        times = pc.replace_substring((times.cast(pa.timestamp("s", "UTC")) if whole else times).cast(pa.string()), " ", "T")
    stations = pa.repeat(safe_text(piece.station) if as_text else piece.station, len(piece.times))
    values = [pa.array(np.asarray(column), from_pandas=True) for column in piece.values]  # NaN becomes null
    return pa.table([times, stations, *values], names=["timestamp_utc", "station", *request.sensors])
