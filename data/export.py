"""Rows of a request as a file: CSV, Parquet, Arrow, or a workbook. Everything but the workbook is a stream of bytes.

Columns: ``timestamp_utc``, ``station``, then a column a sensor in the catalogue's unit, empty where there is no value. So
``manage.py import`` reads the CSV and the Parquet file again. Flags are not exported: an import finds them anew.
"""

from __future__ import annotations

import io
import math
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

from data.joined import Piece, joined
from data.months import iso_utc
from data.request import HistoryRequest
from data.series import SeriesKey
from data.site import Site
from errors import InvalidRequest

SHEET_ROWS = 1_048_576  # of a worksheet, its header included
_EXCEL_EPOCH_DAYS = 25_569  # 1970-01-01
_EXCEL_FIRST_DAY = 61  # 1900-03-01; before it the calendar of workbooks is wrong
_DAY_MS = 86_400_000

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
    sink, schema = _Drain(), _schema(site, request)
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for piece in joined(site, request, start_ms, end_ms):
            writer.write_table(_table(request, piece).cast(schema))
            yield sink.drain()
    yield sink.drain()


def export_arrow(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """An Arrow IPC stream of the same columns."""
    sink, schema = _Drain(), _schema(site, request)
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        for piece in joined(site, request, start_ms, end_ms):
            writer.write_table(_table(request, piece).cast(schema))
            yield sink.drain()
    yield sink.drain()


STREAMS: Mapping[str, Stream] = {"csv": export_csv, "parquet": export_parquet, "arrow": export_arrow}
FORMATS = (*STREAMS, "xlsx")


def export_file(site: Site, request: HistoryRequest, path: Path, start_ms: int | None = None, end_ms: int | None = None) -> None:
    """Write a file of the kind that its name ends in; whole or not at all.

    Raises:
        InvalidRequest: an unknown kind, or more rows than a worksheet holds.
        OSError: the file cannot be written.
    """
    kind = path.suffix.lower().lstrip(".")
    check_format(kind)
    start, end = request.start_ms if start_ms is None else start_ms, request.end_ms if end_ms is None else end_ms
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        if kind == "xlsx":
            write_xlsx(site, request, start, end, draft)
        else:
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


def write_xlsx(site: Site, request: HistoryRequest, start_ms: int, end_ms: int, path: Path) -> None:
    """A workbook of one sheet; times are UTC, as dates of the workbook's calendar (as text before March 1900).

    Raises:
        InvalidRequest: there are more rows than a worksheet holds; before anything is written, as far as can be told.
    """
    import xlsxwriter  # slow to import, seldom needed

    least = sum(
        max(site.tiles.open_series(SeriesKey(site.source.id, station, name), start_ms, end_ms).rows for name in request.sensors)
        for station in request.stations
    )
    if request.resolution == "raw" and least >= SHEET_ROWS:
        raise _too_many(least)
    workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    try:
        sheet = workbook.add_worksheet("history")
        sheet.write_row(0, 0, ["timestamp_utc", "station", *request.sensors])
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 0, 20, workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}))
        row = 1
        for piece in joined(site, request, start_ms, end_ms):
            if row + len(piece.times) > SHEET_ROWS:
                raise _too_many(row + len(piece.times))
            row = _write_rows(sheet, row, piece)
    finally:
        workbook.close()


def _write_rows(sheet: Any, row: int, piece: Piece) -> int:
    for time_ms, *values in zip(piece.times.tolist(), *(column.tolist() for column in piece.values), strict=True):
        day = time_ms / _DAY_MS + _EXCEL_EPOCH_DAYS
        if day >= _EXCEL_FIRST_DAY:
            sheet.write_number(row, 0, day)
        else:
            sheet.write_string(row, 0, iso_utc(time_ms))
        sheet.write_string(row, 1, piece.station)
        for column, value in enumerate(values, 2):
            if not math.isnan(value):
                sheet.write_number(row, column, value)
        row += 1
    return row


def _too_many(rows: int) -> InvalidRequest:
    return InvalidRequest(
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


class _Drain(io.RawIOBase):
    """A sink that gives away what was written to it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._written += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._written

    def drain(self) -> bytes:
        """Everything since the last time."""
        drained = b"".join(self._pieces)
        self._pieces.clear()
        return drained
