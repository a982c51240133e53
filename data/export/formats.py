"""Rows of a request as a file: CSV, Parquet, Arrow and JSON as streams of bytes,
workbooks and NetCDF files on the disk; all in constant memory.

Columns: ``timestamp_utc``, ``timestamp_local`` (the request's zone), ``station``, then a column a
sensor in the catalogue's unit, empty where there is no value (data/export/columns.py). So
``manage.py import`` reads the CSV and the Parquet file again. Flags are a last column where
they are asked for; an import leaves that out and finds them anew. NetCDF files, which have
variables of their own (data/export/netcdf.py), have them always.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from config import VERSION
from data.export.columns import header_lines, schema, table, text_table
from data.export.flag_column import corrected_sensors, flag_column, has_flag_column
from data.export.json_rows import export_json
from data.export.netcdf import libraries, write_netcdf
from data.export.row_limits import check_rows, on_one_sheet
from data.export.rows import joined
from data.export.sheets import write_workbook
from data.export.xlsx import XLSX, ReportRows
from data.file_columns import Units
from data.flags_missing import unchecked_months
from data.overlay import flag_layer, overlaid_series
from data.range_rows import Span, published_months
from data.request import HistoryRequest
from data.site import Site
from data.tiles.series import SeriesKey
from errors import InvalidRequest
from escaping import safe_text

FILES_VERSION = 7  # of how files are written; another one makes clients fetch them again


def export_csv(
    site: Site,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    units: Units = "none",
    wrote: ReportRows = lambda *_: None,
    with_flags: bool = False,
) -> Iterator[bytes]:
    """UTF-8 with a header line; times ISO 8601 with Z or an offset;
    numbers with as few digits as give the same double again. Observations ``with_flags`` end with
    a column of them.

    No station's name becomes a formula (escaping.py); an import reads it back as it was.
    """
    with_flags = has_flag_column("csv", request, asked=with_flags)
    yield header_lines(site.catalogue, request.sensors, units, with_flags=with_flags)
    rows = 0
    for piece in joined(site, request, start_ms, end_ms):
        # Arrow quotes all text or none; a name without special characters needs none.
        special = any(character in safe_text(piece.station) for character in ',"\r\n')
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed" if special else "none")
        sink = io.BytesIO()
        flags = flag_column(site, request, piece) if with_flags else None
        pyarrow.csv.write_csv(text_table(request, piece, flags), sink, options)
        yield sink.getvalue()
        rows += len(piece.times)
        wrote(piece.station, int(piece.times[-1]), rows)


class _StreamingSink(io.RawIOBase):
    """A write-only file that cannot seek; it holds what was written since :meth:`drain`."""

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
        """Return the bytes written since the last call."""
        drained = b"".join(self._pieces)
        self._pieces.clear()
        return drained


def _typed(
    kind: str,
    open_writer: Callable[[Any, Any], Any],
    site: Site,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    _units: Units = "none",
    wrote: ReportRows = lambda *_: None,
    with_flags: bool = False,
) -> Iterator[bytes]:
    """A file with Arrow's types, streamed; times in milliseconds; each sensor's field carries its
    ``unit``, whatever is chosen for text, and its schema the months that no rule has looked at
    (``unchecked``), if any.
    """
    with_flags = has_flag_column(kind, request, asked=with_flags)
    sink, types, rows = _StreamingSink(), schema(site.catalogue, request, with_flags=with_flags), 0
    if unchecked := _unchecked(site, request, start_ms, end_ms):
        types = types.with_metadata({"unchecked": unchecked})
    with open_writer(sink, types) as writer:
        for piece in joined(site, request, start_ms, end_ms):
            flags = flag_column(site, request, piece) if with_flags else None
            writer.write_table(table(types, request, piece, flags))
            yield sink.drain()
            rows += len(piece.times)
            wrote(piece.station, int(piece.times[-1]), rows)
    yield sink.drain()


def _unchecked(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> str:
    """Names of months of a span that no rule has looked at, with commas."""
    return ", ".join(unchecked_months(site, replace(request, start_ms=start_ms, end_ms=end_ms)))


class RowCount:
    """How many rows are written by now, as a stream reports them."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, _station: str, _time_ms: int, rows: int) -> None:
        """Take note of what was written."""
        self.rows = rows


# Each gives the rows of [start_ms, end_ms), int ms UTC; units say where a text file names them.
STREAMS: Mapping[str, Callable[..., Iterator[bytes]]] = {
    "csv": export_csv,
    "parquet": partial(_typed, "parquet", partial(pyarrow.parquet.ParquetWriter, compression="zstd")),
    "arrow": partial(_typed, "arrow", pyarrow.ipc.new_stream),
    "json": export_json,
}
NETCDF = "netcdf"
WRITTEN = (XLSX, NETCDF)  # these are no streams
FORMATS = (*STREAMS, *WRITTEN)
_SUFFIXES = {NETCDF: "nc"}  # of the others it is their name


def suffix(kind: str) -> str:
    """Return what the name of a file of a format ends in, without the point."""
    return _SUFFIXES.get(kind, kind)


def format_of(path: Path) -> str:
    """Return the format that a file's name ends in.

    Raises:
        InvalidRequest: there is none.
    """
    ending = path.suffix.lower().lstrip(".")
    found = next((kind for kind in FORMATS if suffix(kind) == ending), None)
    if found is None:
        known = ", ".join(suffix(kind) for kind in FORMATS)
        raise _unknown(ending, known)
    return found


def write_file(
    site: Site,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    path: Path,
    kind: str,
    wrote: ReportRows = lambda *_: None,
) -> int:
    """Write a workbook (data/export/sheets.py) or a NetCDF file (data/export/netcdf.py) in a folder
    that is the caller's own; returns how many rows it has.

    Raises:
        TooLarge: there are more rows than a worksheet holds.
        OSError: the file cannot be written.
    """
    check_rows(site, request, start_ms, end_ms, kind)
    pieces, span = joined(site, request, start_ms, end_ms), (start_ms, end_ms)
    if kind == NETCDF:
        return write_netcdf(site, request, span, pieces, path, wrote)
    return write_workbook(site, request, span, on_one_sheet(pieces), path, wrote)


def export_tag(
    site: Site,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    kind: str,
    units: Units = "none",
    with_flags: bool = False,
) -> str:
    """32 hexadecimal digits that differ whenever the bytes of the export may;
    told from the tiles' indices alone. Tiles are those of the whole request, whatever the window.
    ``with_flags``: a column of them is asked for.
    """
    with_flags = has_flag_column(kind, request, asked=with_flags)
    seen = f"{start_ms} {end_ms} {site.floor} {site.flags} {request.to_json()}"
    digest = hashlib.blake2b(f"{FILES_VERSION} {pa.__version__} {kind} {units} {with_flags} {seen}".encode(), digest_size=16)
    if kind == NETCDF:
        known = [site.catalogue.stations.get(station) for station in request.stations]
        about = f"{VERSION} {site.settings.institution} {known!r} {corrected_sensors(site, request)}"
        digest.update(f"{libraries()} {about}".encode())
    if kind not in ("csv", "json"):
        digest.update(_unchecked(site, request, start_ms, end_ms).encode())
    if kind == XLSX:
        digest.update(repr(site.notes).encode("utf-8", "backslashreplace"))
    for station, sensor in request.series:
        digest.update(repr(site.catalogue[sensor]).encode())
        entries = site.tiles.entries(SeriesKey(site.source_id, station, sensor))
        for month in sorted(published_months(site, request, station, sensor)):
            digest.update(repr(entries[month]).encode())
        overlaid = overlaid_series(site, station, sensor)
        if overlaid is not None:
            digest.update(overlaid.digest())
        layer = flag_layer(site, station, sensor) if with_flags or kind == XLSX else None
        if layer is not None:  # the column tells of flags that do not count, too
            digest.update(repr(sorted(layer.made(entries).items())).encode())
    return digest.hexdigest()


def export_file(
    site: Site,
    request: HistoryRequest,
    path: Path,
    start_ms: int | None = None,
    end_ms: int | None = None,
    units: Units = "none",
    with_flags: bool = False,
) -> int:
    """Write a file of the kind that its name ends in, whole or not at all; returns how many rows it
    has. ``with_flags``: a column of them is asked for, which not every file has
    (:func:`has_flag_column`).

    Raises:
        InvalidRequest: an unknown kind.
        TooLarge: more rows than a worksheet holds.
        OSError: the file cannot be written.
    """
    kind = format_of(path)
    start, end = request.start_ms if start_ms is None else start_ms, request.end_ms if end_ms is None else end_ms
    with TemporaryDirectory(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent) as folder:
        draft = Path(folder) / "draft"
        if kind in WRITTEN:
            rows = write_file(site, request, start, end, draft, kind)
        else:
            rows = _write_stream(site, request, (start, end), draft, kind, units, with_flags)
        draft.replace(path)
    return rows


def _write_stream(site: Site, request: HistoryRequest, span: Span, path: Path, kind: str, units: Units, with_flags: bool) -> int:
    count = RowCount()
    with path.open("xb") as file:
        file.writelines(STREAMS[kind](site, request, *span, units, count, with_flags))
    return count.rows


def check_format(kind: str) -> None:
    """Raises InvalidRequest when there is no such format."""
    if kind not in FORMATS:
        raise _unknown(kind, ", ".join(FORMATS))


def _unknown(kind: str, known: str) -> InvalidRequest:
    return InvalidRequest(
        "There is no format {format}; use one of {known}.", field="format", format=kind[:20] or "–", known=known
    )
