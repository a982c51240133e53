"""A workbook (XLSX) as a stream: one sheet, written row by row, in constant memory and without a file on the disk.

The parts are those that ECMA-376 (Office Open XML) asks for at least; a reader that finds a cell without a reference takes
the next column. Text is text: nothing in it can become a formula or a link.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from data.drain import Drain
from data.joined import Piece
from data.months import iso_utc

SHEET_ROWS: Final = 1_048_576  # of a worksheet, its header included

_EPOCH_DAYS: Final = 25_569  # 1970-01-01 in the workbook's calendar
_FIRST_DAY: Final = 61  # 1900-03-01; before it that calendar is wrong
_DAY_MS: Final = 86_400_000
_ZIP64_CELLS: Final = 40_000_000  # from here on the sheet may have more than 2 GB before it is compressed
_ROWS_AT_ONCE: Final = 5_000
_SAME_TIME: Final = (1980, 1, 1, 0, 0, 0)  # so that equal rows are equal bytes

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="history" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_SHEET_HEAD: Final = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    '<cols><col min="1" max="1" width="20" customWidth="1"/></cols><sheetData>'
)
_SHEET_TAIL: Final = "</sheetData></worksheet>"
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def workbook(header: Sequence[str], pieces: Iterable[Piece], rows: int) -> Iterator[bytes]:
    """Bytes of a workbook of a header and the rows of the pieces, of which there are about ``rows``.

    Times are UTC, as dates of the workbook's calendar (as text before March 1900); NaN is an empty cell.
    """
    sink = Drain()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as package:
        for name, text in _PARTS.items():
            package.writestr(_entry(name), _XML + text)
        huge = rows * len(header) > _ZIP64_CELLS
        with package.open(_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=huge) as sheet:
            head = f"<row>{''.join(_text(name) for name in header)}</row>"
            sheet.write((_XML + _SHEET_HEAD + head).encode())
            yield sink.drain()
            for piece in pieces:
                for start in range(0, len(piece.times), _ROWS_AT_ONCE):
                    sheet.write("".join(_rows(piece, slice(start, start + _ROWS_AT_ONCE))).encode())
                    yield sink.drain()
            sheet.write(_SHEET_TAIL.encode())
    yield sink.drain()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _SAME_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _rows(piece: Piece, some: slice) -> Iterator[str]:
    station = _text(piece.station)
    columns = [[_number(value) for value in column[some].tolist()] for column in piece.values]
    for time_ms, *cells in zip(piece.times[some].tolist(), *columns, strict=True):
        yield f"<row>{_time(time_ms)}{station}{''.join(cells)}</row>"


def _time(time_ms: int) -> str:
    day = time_ms / _DAY_MS + _EPOCH_DAYS
    return f'<c s="1"><v>{day!r}</v></c>' if day >= _FIRST_DAY else _text(iso_utc(time_ms))


def _number(value: float) -> str:
    return f"<c><v>{value!r}</v></c>" if value == value else "<c/>"  # NaN alone differs from itself


def _text(text: str) -> str:
    """A cell of text; what XML cannot hold is written as workbooks do, ``_x0007_``."""
    safe = escape(_UNPRINTABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{safe}</t></is></c>'
