"""Columns of exported rows: UTC, the wall clock with its offset, station, and a column a sensor.
One table for all formats.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Integers
from data.catalogue import Catalogue
from data.export.rows import Piece
from data.export_names import export_names
from data.file_columns import OWN_FLAG, OWN_LOCAL, OWN_STATION, OWN_TIME, Units
from data.ingest.own_files import named
from data.request import HistoryRequest
from data.time.zones import ZoneOffsets, offset_text
from escaping import safe_text

FIRST_COLUMNS: Final = (OWN_TIME, OWN_LOCAL, OWN_STATION)


def header(catalogue: Catalogue, sensors: Sequence[str], units: Units, *, with_flags: bool = False) -> list[str]:
    """Return the columns' names; with ``name`` those of sensors have units:
    ``temperature (°C)``.
    """
    found = zip(export_names(catalogue, sensors), sensors, strict=True)
    own = [named(column, catalogue[name].unit) if units == "name" else column for column, name in found]
    return [*FIRST_COLUMNS, *own, *([OWN_FLAG] if with_flags else [])]


def header_lines(catalogue: Catalogue, sensors: Sequence[str], units: Units, *, with_flags: bool = False) -> bytes:
    """The beginning of a CSV file: the names, and with ``row`` a line of units beneath them."""
    lines = [header(catalogue, sensors, units, with_flags=with_flags)]
    if units == "row":
        lines.append(["" for _ in FIRST_COLUMNS] + [catalogue[name].unit for name in sensors] + [""] * with_flags)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def schema(catalogue: Catalogue, request: HistoryRequest, *, with_flags: bool = False) -> Any:
    """Types of Arrow and Parquet; both times are instants in ms,
    and each sensor's field carries its ``unit``.
    """
    columns = zip(export_names(catalogue, request.sensors), request.sensors, strict=True)
    sensors = [pa.field(column, pa.float64(), metadata={"unit": catalogue[name].unit}) for column, name in columns]
    times = [pa.field(OWN_TIME, pa.timestamp("ms", "UTC")), pa.field(OWN_LOCAL, pa.timestamp("ms", request.timezone))]
    flags = [pa.field(OWN_FLAG, pa.string())] if with_flags else []
    return pa.schema([*times, pa.field(OWN_STATION, pa.string()), *sensors, *flags])


def table(types: Any, request: HistoryRequest, piece: Piece, flags: Any = None) -> Any:
    """The rows of a piece with the ``types`` of :func:`schema`; ``flags``: the column of flags."""
    times = pa.array(piece.times).cast(pa.timestamp("ms", "UTC"))
    local = times.cast(pa.timestamp("ms", request.timezone))
    rows = _table(request, [times, local, pa.repeat(piece.station, len(piece.times))], piece, flags)
    return rows.rename_columns(types.names).cast(types)


def text_table(request: HistoryRequest, piece: Piece, flags: Any = None) -> Any:
    """Return the columns of a piece with both times and the station as text, for CSV; ``flags`` is
    the column of flags.
    """
    utc, local = time_texts(piece.times, request.timezone)
    return _table(request, [utc, local, pa.repeat(safe_text(piece.station), len(piece.times))], piece, flags)


def time_texts(times: Integers, timezone: str) -> tuple[Any, Any]:
    """Return times (int64 ms UTC) as ISO 8601 in UTC, and as clocks of a zone show them with their
    offset: two Arrow arrays of text.
    """
    offsets = offsets_ms(times, timezone)
    kinds, which = np.unique(offsets, return_inverse=True)
    ends = pa.array([offset_text(offset) for offset in kinds.tolist()], pa.string()).take(pa.array(which))
    local = pc.binary_join_element_wise(_clock(times + offsets), ends, "")
    return pc.binary_join_element_wise(_clock(times), pa.scalar("Z"), ""), local


def offsets_ms(times: Integers, timezone: str) -> Integers:
    """Return how far clocks are ahead of UTC at some times (int64 ms UTC), int64 ms."""
    if not len(times):
        return np.empty(0, np.int64)
    return ZoneOffsets(ZoneInfo(timezone), int(times.min()), int(times.max())).at(times)


def _clock(times: Integers) -> Any:
    """ISO 8601 without a zone; milliseconds only where some time of the piece has any."""
    unit = "ms" if (times % 1000).any() else "s"
    stamps = pa.array(times).cast(pa.timestamp("ms")).cast(pa.timestamp(unit))
    return pc.replace_substring(stamps.cast(pa.string()), " ", "T")


def _table(request: HistoryRequest, first: Iterable[Any], piece: Piece, flags: Any) -> Any:
    # NaN becomes null
    values = [pa.array(np.asarray(column), from_pandas=True) for column in piece.values]
    last = {} if flags is None else {OWN_FLAG: flags}
    return pa.table([*first, *values, *last.values()], names=[*FIRST_COLUMNS, *request.sensors, *last])
