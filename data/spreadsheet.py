"""Texts in files that spreadsheets open: none may become a formula there.

A cell of text that could begin a formula gets an apostrophe before it, which spreadsheets take for "this is text". So that a
file can be read back exactly, a text that already begins with apostrophes and then such a character gets one more.
Numbers are never touched: −5 stays −5. Workbooks and Parquet need none of this: there, text is text by its type.
"""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_MARKED: Final = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def safe_text(text: str) -> str:
    """A text as a cell of CSV or of tab-separated lines."""
    return f"'{text}" if _FORMULA.match(text) else text


def read_text(cell: str) -> str:
    """What :func:`safe_text` was given; a cell that it did not write stays as it is."""
    return cell[1:] if _MARKED.match(cell) else cell
