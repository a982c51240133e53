"""Rows of a workbook, as a spreadsheet would show them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import IO, Any

import openpyxl


def sheet_rows(workbook: Path | IO[bytes]) -> list[tuple[Any, ...]]:
    """Every row of the first sheet, its header first.

    A workbook that is opened for reading alone keeps its file open until it is closed."""
    with closing(openpyxl.load_workbook(workbook, read_only=True)) as book:
        return list(book.worksheets[0].values)


def sheets_of(workbook: Path) -> dict[str, list[list[Any]]]:
    """Every row of every sheet, by its name."""
    with closing(openpyxl.load_workbook(workbook, read_only=True)) as book:
        return {sheet.title: [list(row) for row in sheet.values] for sheet in book.worksheets}
