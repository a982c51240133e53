"""Rows of a request as a file: CSV, Parquet, Arrow, or a workbook; each a stream of bytes, in constant memory.

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
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from data.drain import Drain
from data.joined import Piece, joined
from data.request import HistoryRequest
from data.series import SeriesKey
from data.site import Site
from data.workbook import SHEET_ROWS, workbook
from errors import InvalidRequest, TooLarge

_VERSION = 1  # of how files are written; another one makes clients fetch them again

Stream = Callable[[Site, HistoryRequest, int, int], Iterator[bytes]]


def export_csv(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """UTF-8 with a header line; times ISO 8601 with Z; numbers with as few digits as give the same double again."""
    yield (",".join(["timestamp_utc", "station", *request.sensors]) + "\n").encode()
    for piece in joined(site, request, start_ms, end_ms):
        # Arrow quotes all text or none; a name without special characters needs none.
        special = any(character in piece.station for character in ',"\r\n')
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


def export_xlsx(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """A workbook of one sheet (data/workbook.py).

    Raises:
        TooLarge: there are more rows than a worksheet holds; before anything is sent.
    """
    rows = _refuse_long(site, request, start_ms, end_ms)
    header = ["timestamp_utc", "station", *request.sensors]
    yield from workbook(header, joined(site, request, start_ms, end_ms), rows)


STREAMS: Mapping[str, Stream] = {"csv": export_csv, "parquet": export_parquet, "arrow": export_arrow, "xlsx": export_xlsx}
FORMATS = tuple(STREAMS)


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


def _refuse_long(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> int:
    """How many rows there are, exactly where it matters.

    Raises:
        TooLarge: they are more than a worksheet holds.
    """
    if request.resolution == "raw":
        counts = [
            [site.tiles.open_series(SeriesKey(site.source.id, station, name), start_ms, end_ms).rows for name in request.sensors]
            for station in request.stations
        ]
        least, most = sum(map(max, counts)), sum(map(sum, counts))
        if least >= SHEET_ROWS:
            raise _too_many(least)
        if most < SHEET_ROWS:
            return most
    rows = 0
    for piece in joined(site, request, start_ms, end_ms):
        rows += len(piece.times)
        if rows >= SHEET_ROWS:
            raise _too_many(rows)
    return rows


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
    stations = pa.repeat(piece.station, len(piece.times))
    values = [pa.array(np.asarray(column), from_pandas=True) for column in piece.values]  # NaN becomes null
    return pa.table([times, stations, *values], names=["timestamp_utc", "station", *request.sensors])
