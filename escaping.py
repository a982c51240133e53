"""Names as they are shown: what a terminal, a page, a log or a spreadsheet would obey
instead of showing is written out.

A station may have any name, and the names come from files and databases of others. Escape sequences
move a terminal's cursor and change its colours; bidirectional controls turn the text after them
around, also that of a neighbour; a line break makes one line of a log two.

A cell of CSV that could begin a formula gets an apostrophe before it, which spreadsheets take for
"this is text". So that a file can be read back exactly, a text that already begins with apostrophes
and then such a character gets one more. Numbers are never touched: −5 stays −5. Workbooks and
Parquet need none of this: there, text is text by its type.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Final

_BIDIRECTIONAL: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# controls, halves of characters, breaks of lines and paragraphs
_OBEYED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_MARKED: Final = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


@lru_cache(maxsize=4096)
def visible(text: str, keep: str = "") -> str:
    r"""The text with its control and bidirectional characters as ``\u202e``,
    but for those to ``keep``.

    The notation is also JSON's, so that JSON which is written for a terminal stays the same data.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each in keep or not _is_obeyed(each) else f"\\u{ord(each):04x}" for each in text)


def _is_obeyed(character: str) -> bool:
    return character in _BIDIRECTIONAL or unicodedata.category(character) in _OBEYED


def toml_string(text: str) -> str:
    """Text as TOML's basic string, in one line, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{visible(escaped)}"'  # its \u202e is TOML's notation as well


def safe_text(text: str) -> str:
    """A text as a cell of CSV or of tab-separated lines."""
    return f"'{text}" if _FORMULA.match(text) else text


def original_text(cell: str) -> str:
    """What :func:`safe_text` was given; a cell that it did not write stays as it is."""
    return cell[1:] if _MARKED.match(cell) else cell


def show_names(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog for lines of text: no value tells the terminal anything;
    tracebacks keep their lines.
    """
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = visible(value, keep="\n\t" if name in ("exception", "stack") else "")
        elif not isinstance(value, (int, float, type(None))):
            event[name] = visible(str(value))
    return event
