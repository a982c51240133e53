"""Rows of files of text: by Arrow where all are alike, else one by one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from data.arrays import Integers
from data.ingest.layout import Layout, text_layout
from data.ingest.opening import opened
from data.ingest.text.header import TOA5, HeaderNames, plain
from data.ingest.text.sections import Chunk, Ragged, ReportFraction, Section
from data.ingest.text.text_stream import TextStream
from errors import ImportRejected

_BLOCK_BYTES = 1 << 20  # Arrow reads up to 32 blocks ahead
_ROWS = 20_000


def text_sections(layout: Layout, names: HeaderNames, report: ReportFraction) -> Iterator[Section]:
    """The parts of a file of text: another header begins another part.

    Raises:
        ImportRejected: when the file is damaged or a header is none, with file and line.
    """
    with opened(layout.path) as file:
        stream = TextStream(
            file.stream, layout.keys.encoding, header_needle(layout, names), partial(begins_header, layout, names)
        )
        while True:
            stream.skip_lines(layout.header_lines)
            read = _by_arrow if layout.keys.by_arrow else _one_by_one
            yield Section(layout, partial(read, layout, stream, lambda: report(file.fraction)))
            if not stream.at_header:
                return
            keys = layout.keys.model_copy(update={"skip_rows": 0})
            layout = text_layout(layout.path, stream.peek(), keys, names, stream.line - 1)


def header_needle(layout: Layout, names: HeaderNames) -> bytes:
    """Return what every further header of a file contains; empty: it has no further one."""
    return ("TOA5" if layout.kind == "toa5" else names.time[0] if names.time and layout.keys.header else "").encode()


def begins_header(layout: Layout, names: HeaderNames, line: str) -> bool:
    """Return whether a line is a header: of TOA5 the first of four,
    else one that names the time and another known column.

    The name of the time alone may stand in a note beside a row,
    unless it stands where the time does.
    """
    if layout.kind == "toa5":
        return line.lstrip().startswith(TOA5)
    try:
        cells = [plain(cell) for cell in layout.keys.cells(line)]
    except csv.Error:
        return False
    at = layout.columns.index(names.time[0]) if names.time[0] in layout.columns else len(cells)
    return names.are_in(cells) or (all(name in cells for name in names.time) and cells[at : at + 1] == [names.time[0]])


class _Lines:
    """Counts lines, though Arrow leaves out ragged rows."""

    def __init__(self, first: int) -> None:
        self._first = self._next = first
        self._ragged: list[tuple[int, int]] = []  # line, fields

    def ragged(self, row: Any) -> str:
        """Arrow's handler of a row with a wrong number of fields."""
        self._ragged.append((self._first + int(row.number) - 1, int(row.actual_columns)))
        return "skip"

    def take(self, count: int) -> tuple[Integers, list[tuple[int, int]]]:
        """The lines of the next ``count`` good rows, and the ragged ones (line, fields)
        before the last of them.
        """
        self._ragged.sort()
        left_out = 0
        while left_out < len(self._ragged) and self._ragged[left_out][0] < self._next + count + left_out:
            left_out += 1
        if not left_out:
            self._next += count
            return np.arange(self._next - count, self._next), []
        candidates = np.arange(self._next, self._next + count + left_out)
        lines = np.setdiff1d(candidates, [line for line, _ in self._ragged[:left_out]])
        passed, self._ragged = self._ragged[:left_out], self._ragged[left_out:]
        self._next += count + left_out
        return lines, passed

    def rest(self) -> list[tuple[int, int]]:
        """Ragged rows (line, fields) after the last good one."""
        return sorted(self._ragged)

    @property
    def next(self) -> int:
        """The line after all rows, if each took one."""
        return self._next + len(self._ragged)


def _chunk(
    layout: Layout, stream: TextStream, columns: Mapping[str, pa.Array], lines: Integers, ragged: Sequence[tuple[int, int]]
) -> Chunk:
    """A chunk, and what became of the rows (line, fields) that are not as long as the header."""
    width = len(layout.columns)
    short = [line for line, fields in ragged if fields < width]
    cut = stream.cut and stream.line in short
    ignored = len(short) - cut if layout.keys.short_rows == "ignore" else 0
    wrong = [(line, fields) for line, fields in ragged if not (cut and line == stream.line) and not (ignored and fields < width)]
    found = Ragged(len(wrong), *wrong[0], width) if wrong else None
    unended = stream.cut and len(lines) > 0 and int(lines[-1]) == stream.line
    return Chunk(columns, lines, found, ignored, cut, unended)


def _by_arrow(layout: Layout, stream: TextStream, report: Callable[[], None], wanted: Sequence[str]) -> Iterator[Chunk]:
    # Columns are known to Arrow by number: names in a file may be empty or doubled.
    numbers = {name: f"c{layout.columns.index(name)}" for name in wanted}
    first = stream.line
    lines = _Lines(first)
    try:
        reader = arrow_csv.open_csv(stream, *_options(layout, list(numbers.values()), lines))
    except (pa.ArrowInvalid, UnicodeDecodeError) as exc:
        if "Empty CSV" in str(exc):  # nothing follows the header
            return
        raise _damaged(layout, exc) from exc
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            break
        except (pa.ArrowInvalid, UnicodeDecodeError) as exc:
            raise _damaged(layout, exc) from exc
        report()
        columns = {name: batch.column(number) for name, number in numbers.items()}
        yield _chunk(layout, stream, columns, *lines.take(batch.num_rows))
    rest = lines.rest()
    if lines.next != stream.line + stream.cut:
        raise _open_quote(layout, first)
    if rest:
        yield _chunk(layout, stream, {name: pa.array([], pa.string()) for name in wanted}, np.empty(0, np.int64), rest)


def _options(layout: Layout, include: list[str], lines: _Lines) -> tuple[Any, Any, Any]:
    names = [f"c{number}" for number in range(len(layout.columns))]
    return (
        # One thread: only then does Arrow number ragged rows.
        arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES, use_threads=False),
        arrow_csv.ParseOptions(
            delimiter=layout.keys.delimiter,
            ignore_empty_lines=False,
            invalid_row_handler=lines.ragged,
            newlines_in_values=False,
        ),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(include, pa.string()),
            include_columns=include,
            # an empty cell is null: then the others may be read without another look for it
            strings_can_be_null=True,
            null_values=[""],
        ),
    )


def _one_by_one(layout: Layout, stream: TextStream, report: Callable[[], None], wanted: Sequence[str]) -> Iterator[Chunk]:
    """Read rows whose lengths differ, or that are cut by blanks or widths, with comments."""
    places = {name: layout.columns.index(name) for name in wanted}
    width = len(layout.columns)
    for numbers, rows in _numbered(layout, stream):
        report()
        ragged: list[tuple[int, int]] = []
        if any(len(row) != width for row in rows):
            cut = stream.line if stream.cut else None  # what is lacking there is no empty cell
            fitted = [_fitted(row, layout, whole=line != cut) for line, row in zip(numbers, rows, strict=True)]
            ragged = [(line, len(row)) for line, row, fits in zip(numbers, rows, fitted, strict=True) if fits is None]
            numbers = [line for line, fits in zip(numbers, fitted, strict=True) if fits is not None]
            rows = [fits for fits in fitted if fits is not None]
        columns = {name: pa.array([row[at] for row in rows], pa.string()) for name, at in places.items()}
        yield _chunk(layout, stream, columns, np.array(numbers, np.int64), ragged)


def _numbered(layout: Layout, stream: TextStream) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yield some thousand rows at a time with their lines, without comments."""
    at, comment = stream.line, layout.keys.comment
    lines = stream.lines()
    try:
        while part := list(islice(lines, _ROWS)):
            numbers = list(range(at, at + len(part)))
            at += len(part)
            if comment is not None:
                numbers = [line for line, text in zip(numbers, part, strict=True) if not text.startswith(comment)]
                part = [text for text in part if not text.startswith(comment)]
            rows = list(layout.keys.rows(part))
            if len(rows) != len(part):
                raise _open_quote(layout, numbers[0])
            yield numbers, rows
    except (csv.Error, UnicodeDecodeError) as exc:
        raise _damaged(layout, exc) from exc


def _fitted(row: list[str], layout: Layout, *, whole: bool) -> list[str] | None:
    """A row as long as the header, as far as the keys allow; None where it is not.
    ``whole``: its line has an end.
    """
    lacking = len(layout.columns) - len(row)
    if lacking == 0:
        return row
    if not row:  # a blank line is a row without anything, as Arrow has it
        return [""] * len(layout.columns)
    if lacking < 0:
        no_loss = layout.keys.extra_fields == "ignore" or not any(cell.strip() for cell in row[lacking:])
        return row[:lacking] if no_loss else None
    return [*row, *[""] * lacking] if layout.keys.short_rows == "missing" and whole else None


def _open_quote(layout: Layout, first: int) -> ImportRejected:
    """Return the refusal of a quote that takes the following lines into its cell."""
    with opened(layout.path) as file:
        stream = TextStream(file.stream, layout.keys.encoding, b"", lambda _: False)
        stream.skip_lines(first - 1)
        for line, text in enumerate(stream.lines(), first):
            if text.count('"') % 2:
                why = "a quote is not closed on its line"
            elif "\r" in text.rstrip("\r\n"):
                why = "there is a carriage return within the line"
            else:
                continue
            return ImportRejected("{file}, line {line}: {why}; expected one line per row.", file=layout.path, line=line, why=why)
    return ImportRejected("{file}: lines and rows differ; expected one line per row.", file=layout.path)


def _damaged(layout: Layout, exc: Exception) -> ImportRejected:
    if "straddl" in str(exc):
        return ImportRejected(
            "{file} has a line of more than {mb:.0f} MB; expected one line per row, and every quotation mark closed.",
            file=layout.path,
            mb=_BLOCK_BYTES / 1e6,
        )
    return ImportRejected("{file} is damaged: {why}.", file=layout.path, why=str(exc).splitlines()[0])
