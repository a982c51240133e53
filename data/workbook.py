"""A workbook (XLSX) of one sheet, written by XlsxWriter row by row: memory does not grow with the rows.

Text is text: nothing in it can become a formula or a link.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from data.joined import Piece
from data.months import iso_utc

SHEET_ROWS: Final = 1_048_576  # of a worksheet, its header included

_EPOCH_DAYS: Final = 25_569  # 1970-01-01 in the workbook's calendar
_FIRST_DAY: Final = 61  # 1900-03-01; before it that calendar is wrong
_DAY_MS: Final = 86_400_000
_ROWS_AT_ONCE: Final = 5_000
_SAME_TIME: Final = datetime(1980, 1, 1, tzinfo=UTC)  # so that equal rows are equal bytes
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "use_zip64": True,  # only what is longer than 2 GB makes use of it
}

Wrote = Callable[[str, int, int], None]


class _Sheet(Worksheet):  # type: ignore[misc]  # it ships no types
    """Numbers with all their digits: the 16 that XlsxWriter writes would change some of them."""

    def _xml_number_element(self, number: float, attributes: Sequence[tuple[str, object]] = ()) -> None:
        told = "".join(f' {name}="{value}"' for name, value in attributes)
        self.fh.write(f"<c{told}><v>{number!r}</v></c>")


def write_workbook(path: Path, header: Sequence[str], pieces: Iterable[Piece], wrote: Wrote) -> int:
    """Write a header and the rows of the pieces; returns how many rows there are below the header.

    Times are UTC, as dates of the workbook's calendar (as text before March 1900); NaN is an empty cell. Temporary files
    lie beside ``path``, in a folder that must be the caller's own. ``wrote(station, time_ms, rows)`` is called every
    5,000 rows: the last row's station and time (int ms UTC), and how many there are by now.

    Raises:
        OSError: it cannot be written, such as on a full disk.
    """
    book = Workbook(str(path), _OPTIONS | {"tmpdir": str(path.parent)})
    book.set_properties({"created": _SAME_TIME})
    sheet = book.add_worksheet("history", _Sheet)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, 20)
    for column, name in enumerate(header):
        sheet.write_string(0, column, name)
    as_time = book.add_format({"num_format": r"yyyy\-mm\-dd\ hh:mm:ss"})
    rows = 0
    try:
        for piece in pieces:
            for start in range(0, len(piece.times), _ROWS_AT_ONCE):
                some = slice(start, start + _ROWS_AT_ONCE)
                times = piece.times[some].tolist()
                columns = [column[some].tolist() for column in piece.values]
                for row, (time_ms, *values) in enumerate(zip(times, *columns, strict=True), rows + 1):
                    _write_row(sheet, row, time_ms, piece.station, values, as_time)
                rows += len(times)
                wrote(piece.station, times[-1], rows)
        book.close()
    except FileCreateError as exc:  # what XlsxWriter makes of an error of the disk
        raise exc.__context__ or exc from exc
    finally:
        sheet.row_data_fh.close()
    return rows


def _write_row(sheet: Any, row: int, time_ms: int, station: str, values: Iterable[float], as_time: Any) -> None:
    day = time_ms / _DAY_MS + _EPOCH_DAYS
    if day >= _FIRST_DAY:
        sheet.write_number(row, 0, day, as_time)
    else:
        sheet.write_string(row, 0, iso_utc(time_ms))
    sheet.write_string(row, 1, station)
    for column, value in enumerate(values, 2):
        if math.isfinite(value):
            sheet.write_number(row, column, value)
