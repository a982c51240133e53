"""Workbooks (XLSX), written by XlsxWriter row by row: memory does not grow with the rows.

Text is text: nothing in it can become a formula or a link.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from data.time.epoch import DAY_MS
from data.time.months import iso_utc

XLSX: Final = "xlsx"
SHEET_ROWS: Final = 1_048_576  # of a worksheet, its header included
TIME: Final = r"yyyy\-mm\-dd\ hh:mm:ss"
DAY: Final = r"yyyy\-mm\-dd"
MONTH: Final = r"yyyy\-mm"

_EPOCH_DAYS: Final = 25_569  # 1970-01-01 in the workbook's calendar
_FIRST_DAY: Final = 61  # 1900-03-01; before it that calendar is wrong
_SAME_TIME: Final = datetime(1980, 1, 1, tzinfo=UTC)  # when it was made stands in About
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "use_zip64": True,  # only what is longer than 2 GB makes use of it
}


# Hears of rows: the last one's station and time (int ms UTC), and how many are written by now.
ReportRows = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Moment:
    """A cell that is a time of the workbook's calendar:
    what a clock shows (ms since 1970 on it), and how it is written.
    """

    wall_ms: int
    form: str = TIME


Cell = str | float | int | Moment | None


class _Sheet(Worksheet):  # type: ignore[misc]  # it ships no types
    """Numbers with all their digits: the 16 that XlsxWriter writes would change some of them."""

    def _xml_number_element(self, number: float, attributes: Sequence[tuple[str, object]] = ()) -> None:
        told = "".join(f' {name}="{value}"' for name, value in attributes)
        self.fh.write(f"<c{told}><v>{number!r}</v></c>")


class Sheet:
    """A worksheet that is written row by row, from the top."""

    def __init__(self, book: Any, name: str, header: Sequence[str], widths: Sequence[int]) -> None:
        self._book = book
        self._sheet = book.add_worksheet(name, _Sheet)
        self._forms: dict[str, Any] = {}
        self.rows = 0
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)
        if header:
            self._sheet.freeze_panes(1, 0)
            self.add(header)

    def add(self, cells: Sequence[Cell]) -> None:
        """Write the next row; None and NaN are empty cells."""
        sheet, row = self._sheet, self.rows
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell)
            elif isinstance(cell, Moment):
                self._add_moment(column, cell)
            elif cell is not None and math.isfinite(cell):
                sheet.write_number(row, column, cell)
        self.rows += 1

    def close(self) -> None:
        """Close its temporary file, where the book was not put together."""
        self._sheet.row_data_fh.close()

    def _add_moment(self, column: int, moment: Moment) -> None:
        """A date of the workbook's calendar, or text before that begins to be right."""
        day = moment.wall_ms / DAY_MS + _EPOCH_DAYS
        if day < _FIRST_DAY:
            offset = moment.form.split('"')[1] if '"' in moment.form else "Z" if moment.form == TIME else ""
            self._sheet.write_string(self.rows, column, iso_utc(moment.wall_ms).removesuffix("Z") + offset)
            return
        if moment.form not in self._forms:
            self._forms[moment.form] = self._book.add_format({"num_format": moment.form})
        self._sheet.write_number(self.rows, column, day, self._forms[moment.form])


def with_offset(text: str) -> str:
    """How a time is written whose clock is so far from UTC: ``2020-01-01 07:00:00 +07:00``."""
    return f'{TIME}\\ "{text}"'


class Book:
    """A workbook in the making: worksheets in the order in which they are added."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self.sheets: list[Sheet] = []

    def sheet(self, name: str, header: Sequence[str] = (), widths: Sequence[int] = ()) -> Sheet:
        """A new worksheet; a header stays in sight."""
        self.sheets.append(Sheet(self._book, name, header, widths))
        return self.sheets[-1]


@contextmanager
def new_book(path: Path) -> Iterator[Book]:
    """A workbook that is put together at the end;
    temporary files lie beside it, in a folder that must be the caller's own.

    Raises:
        OSError: it cannot be written, such as on a full disk.
    """
    workbook = Workbook(str(path), _OPTIONS | {"tmpdir": str(path.parent)})
    workbook.set_properties({"created": _SAME_TIME})
    book = Book(workbook)
    try:
        yield book
        workbook.close()
    except FileCreateError as exc:  # what XlsxWriter makes of an error of the disk
        raise exc.__context__ or exc from exc
    finally:
        for sheet in book.sheets:
            sheet.close()
