"""The header of a file of text: names of columns, units, and how many lines all of it takes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from data.ingest.text.layout_keys import BLANK, TextKeys

_SEARCHED_LINES = 200
TOA5 = ('"TOA5"', "TOA5,")


class NoHeader(ValueError):
    """Raised without a header; ``line`` is where it should be (from 1)."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True)
class Header:
    """``lines`` before the first row are the header's; ``units`` by column, as written."""

    columns: tuple[str, ...]
    lines: int
    units: Mapping[str, str] = field(default_factory=dict)
    station_name: str | None = None
    toa5: bool = False


def plain(name: str) -> str:
    """Return a column's name with single spaces, without the line breaks a cell may have."""
    return " ".join(name.split())


@dataclass(frozen=True)
class HeaderNames:
    """What a header names: all columns of the ``time`` and one of the ``others``, if any."""

    time: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def are_in(self, cells: Sequence[str]) -> bool:
        """Return whether the cells of a line are those of a header."""
        return (
            bool(self.time)
            and all(meant(name, cells) for name in self.time)
            and (not self.others or any(meant(name, cells) for name in self.others))
        )


def meant(name: str, columns: Iterable[str]) -> list[str]:
    """The columns, once each, that a name means: blanks count once,
    and * stands for any text unless a column is called so.
    """
    known = [column for column in dict.fromkeys(columns) if column]
    for exact in (name, plain(name)):
        if exact in known:
            return [exact]
    if "*" not in name:
        return []
    pattern = re.compile(".*".join(map(re.escape, plain(name).split("*"))), re.DOTALL)
    return [column for column in known if pattern.fullmatch(column)]


def read_header(text: str, keys: TextKeys, names: HeaderNames) -> Header:
    """Read the beginning of a file, or of a part of it.

    Args:
        text: some first lines.
        keys: where the header is.
        names: what it names; the first such line is the header where the keys do not say
            how many lines come before it.

    Raises:
        NoHeader: saying where it should be.
    """
    if keys.header and keys.widths is None and keys.delimiter != BLANK and text.lstrip().startswith(TOA5):
        return _toa5(text)
    lines = list(islice(io.StringIO(text, newline="\n"), _before(keys) + 2 * _SEARCHED_LINES))
    if not keys.header:
        return Header(tuple(map(plain, keys.names)), _before(keys))
    start = _start(lines, keys, names)
    if start >= len(lines):
        raise NoHeader(start + 1, "no such line")
    numbers = count()  # as many as lines were taken
    rows = keys.rows(line for line, _ in zip(lines[start:], numbers, strict=False))
    try:
        found = [next(rows, []) for _ in range(keys.header_rows)]
        units = next(rows, []) if keys.units_row else []
        taken = next(numbers)
    except csv.Error as exc:
        raise NoHeader(start + 1, str(exc)) from exc
    columns = _as_long_as(_joined(found), _first_row(lines[start + taken :], keys), keys)
    named = {name: plain(unit) for name, unit in zip(columns, units, strict=False) if plain(unit)}
    return Header(tuple(columns), start + taken, named)


def _before(keys: TextKeys) -> int:
    return keys.skip_rows if isinstance(keys.skip_rows, int) else 0


def _start(lines: Sequence[str], keys: TextKeys, names: HeaderNames) -> int:
    """Return how many lines come before the header."""
    if isinstance(keys.skip_rows, int):
        return keys.skip_rows
    first = None
    for at, line in enumerate(lines[:_SEARCHED_LINES]):
        is_comment = keys.comment is not None and line.startswith(keys.comment)
        first = at if first is None and not is_comment else first
        try:
            cells = _joined(list(islice(keys.rows(lines[at:]), keys.header_rows)))
        except csv.Error:
            continue
        if names.are_in(cells):  # also where it begins as comments do
            return at
        if at == first and cells and cells[0].lower().startswith("sep="):
            first = None  # what a spreadsheet is told of the delimiter
    if keys.skip_rows == "header":
        raise NoHeader(1, "header")
    return first or 0


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of columns, of one or several lines."""
    width = max(map(len, rows), default=0)
    return [plain(" ".join(row[at] for row in rows if at < len(row))) for at in range(width)]


def _first_row(lines: Sequence[str], keys: TextKeys) -> list[str] | None:
    rows = keys.rows(line for line in lines[:_SEARCHED_LINES] if not (keys.comment and line.startswith(keys.comment)))
    try:
        return next((row for row in rows if row), None)
    except csv.Error:
        return None


def _as_long_as(columns: list[str], first: Sequence[str] | None, keys: TextKeys) -> list[str]:
    """The columns, with or without one that has no name:
    a delimiter at the end of rows or of the header alone adds none.
    """
    if first is None or keys.widths is not None or keys.delimiter == BLANK:
        return columns
    if len(first) == len(columns) + 1 and not first[-1].strip():
        return [*columns, ""]
    if len(first) == len(columns) - 1 and not columns[-1]:
        return columns[:-1]
    return columns


def _toa5(text: str) -> Header:
    """Campbell's table of ASCII, version 5: environment, names, units and processing, then rows."""
    try:
        rows = list(islice(csv.reader(io.StringIO(text)), 4))
    except csv.Error:
        rows = []
    # where units or processing are lacking
    is_row = any(row[0][:1].isdigit() for row in rows[2:] if row)
    if len(rows) < 4 or len(rows[2]) != len(rows[1]) or len(rows[1]) < 2 or is_row:
        raise NoHeader(1, "toa5")
    columns = tuple(plain(name) for name in rows[1])
    units = {name: unit.strip() for name, unit in zip(columns, rows[2], strict=True)}
    station = rows[0][1].strip() if len(rows[0]) > 1 else ""
    return Header(columns, 4, units, station or None, toa5=True)
