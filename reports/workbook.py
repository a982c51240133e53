"""A document as a workbook: all its numbers with all their digits, a worksheet a kind of table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from data.export.xlsx import Book, Moment, Sheet, new_book, with_offset
from data.export.xlsx import Cell as SheetCell
from data.time.zones import offset_text, zone_of, zone_offset_ms
from i18n import gettext as _
from reports.document import Amount, Cell, Document, Instant, ReportTable

_LONGEST: Final = 31  # of a worksheet's name
_FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\']")
_WIDTHS: Final = (22, 26, *[16] * 14)


def write_report_workbook(document: Document, path: Path) -> None:
    """Write it in a folder that is the caller's own.

    Raises:
        OSError: it cannot be written.
    """
    with new_book(path) as book:
        sheet = book.sheet(_name(_("Report")), (), (26, 60))
        for what, said in ((document.title, document.subtitle), *document.facts):
            sheet.add((what, said))
        for chapter in document.chapters:
            sheet.add(())
            for what, said in ((_("Station"), chapter.station), *chapter.facts):
                sheet.add((what, said))
        _tables(book, document)


def _tables(book: Book, document: Document) -> None:
    sheets: dict[str, Sheet] = {}
    heads: dict[str, tuple[str, ...]] = {}
    for station, table in document.tables:
        name = _name(table.name)
        if name not in sheets:
            sheets[name] = book.sheet(name, (), _WIDTHS)
        sheet, head = sheets[name], (table.caption, *table.header)
        if heads.get(name) != head:
            _begin(sheet, station, table)
            heads[name] = head
        for row in table.rows:
            cells = [_cell(cell, document.timezone) for cell in row]
            sheet.add([station, *cells] if station else cells)


def _begin(sheet: Sheet, station: str, table: ReportTable) -> None:
    if sheet.rows:
        sheet.add(())
    sheet.add((table.caption,))
    sheet.add((_("Station"), *table.header) if station else tuple(table.header))


def _cell(cell: Cell, timezone: str) -> SheetCell:
    if isinstance(cell, Amount):
        return cell.value
    if isinstance(cell, Instant):
        offset = zone_offset_ms(zone_of(timezone), cell.time_ms)
        return Moment(cell.time_ms + offset, with_offset(offset_text(offset)))
    return cell


def _name(text: str) -> str:
    return _FORBIDDEN.sub(" ", text)[:_LONGEST]
