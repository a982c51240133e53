"""Rows of a file, some ten thousand at a time, in constant memory: columns as text (CSV, TOA5, JSON) or as stored (Parquet)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from data.ingest.layout import Layout
from data.ingest.opening import opened
from data.ingest.receiver import read_items
from errors import ImportRejected

_BLOCK_BYTES = 1 << 20  # Arrow reads up to 32 blocks ahead
_NO_ROWS = ("Empty CSV", "Could not skip initial")  # what Arrow says when nothing follows the header
_PARQUET_ROWS = 50_000

ReportFraction = Callable[[float], None]


@dataclass(frozen=True)
class Chunk:
    """``columns``: Arrow arrays of equal length; ``lines``: each row's line in the file (int64, from 1).

    ``ragged``: how many rows were passed over since the chunk before, as they have too many or too few fields.
    """

    columns: Mapping[str, pa.Array]
    lines: npt.NDArray[np.int64]
    ragged: int = 0


def read_chunks(layout: Layout, wanted: Sequence[str], report: ReportFraction = lambda _: None) -> Iterator[Chunk]:
    """All rows of a file, in order; only the ``wanted`` columns.

    Raises:
        ImportRejected: when the file is damaged, with file and place.
    """
    readers = {"parquet": _parquet, "json": _json}
    return readers.get(layout.kind, _text)(layout, wanted, report)


class _Lines:
    """Counts lines, though Arrow leaves out ragged rows."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._ragged: list[int] = []

    def ragged(self, row: Any) -> str:
        """Arrow's handler of a row with a wrong number of fields."""
        self._ragged.append(int(row.number))
        return "skip"

    def take(self, count: int) -> tuple[npt.NDArray[np.int64], int]:
        """The lines of the next ``count`` good rows, and how many ragged ones lay before the last of them."""
        self._ragged.sort()
        left_out = 0
        while left_out < len(self._ragged) and self._ragged[left_out] < self._next + count + left_out:
            left_out += 1
        candidates = np.arange(self._next, self._next + count + left_out)
        lines = np.setdiff1d(candidates, self._ragged[:left_out])
        del self._ragged[:left_out]
        self._next += count + left_out
        return lines, left_out

    def rest(self) -> int:
        """Ragged rows after the last good one."""
        return len(self._ragged)


def _text(layout: Layout, wanted: Sequence[str], report: ReportFraction) -> Iterator[Chunk]:
    # Columns are known to Arrow by number: names in a file may be empty or doubled.
    numbers = {name: f"c{layout.columns.index(name)}" for name in wanted}
    lines = _Lines(layout.header_lines + 1)
    with opened(layout.path) as file:
        try:
            reader = arrow_csv.open_csv(file.stream, *_options(layout, list(numbers.values()), lines))
        except pa.ArrowInvalid as exc:
            if any(words in str(exc) for words in _NO_ROWS):
                return
            raise _damaged(layout, exc) from exc
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                break
            except (pa.ArrowInvalid, UnicodeDecodeError) as exc:
                raise _damaged(layout, exc) from exc
            numbered, ragged = lines.take(batch.num_rows)
            report(file.fraction)
            yield Chunk({name: batch.column(number) for name, number in numbers.items()}, numbered, ragged)
        if lines.rest():
            yield Chunk({name: pa.array([], pa.string()) for name in wanted}, np.empty(0, np.int64), lines.rest())


def _options(layout: Layout, include: list[str], lines: _Lines) -> tuple[Any, Any, Any]:
    names = [f"c{number}" for number in range(len(layout.columns))]
    return (
        # One thread: only then does Arrow number ragged rows.
        arrow_csv.ReadOptions(
            skip_rows=layout.header_lines,
            column_names=names,
            block_size=_BLOCK_BYTES,
            use_threads=False,
            encoding=layout.encoding,
        ),
        arrow_csv.ParseOptions(
            delimiter=layout.delimiter, ignore_empty_lines=False, invalid_row_handler=lines.ragged, newlines_in_values=False
        ),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(include, pa.string()), include_columns=include, strings_can_be_null=False
        ),
    )


def _parquet(layout: Layout, wanted: Sequence[str], report: ReportFraction) -> Iterator[Chunk]:
    try:
        with pq.ParquetFile(layout.path) as file:
            total, done = max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(_PARQUET_ROWS, columns=list(wanted)):
                lines = np.arange(done + 1, done + batch.num_rows + 1)
                done += batch.num_rows
                report(done / total)
                yield Chunk({name: batch.column(name) for name in wanted}, lines)
    except (pa.ArrowException, OSError) as exc:
        raise _damaged(layout, exc) from exc


def _json(layout: Layout, wanted: Sequence[str], report: ReportFraction) -> Iterator[Chunk]:
    items = read_items(layout.path)
    columns = {name: pa.array([_cell(item.get(name)) for item in items], pa.string()) for name in wanted}
    report(1.0)
    yield Chunk(columns, np.arange(1, len(items) + 1))


def _cell(value: object) -> str | None:
    return None if value is None else str(value)


def _damaged(layout: Layout, exc: Exception) -> ImportRejected:
    if "straddl" in str(exc):
        return ImportRejected(
            "{file} has a line of more than {mb:.0f} MB; expected one line a row, and every quote that opens to close.",
            file=layout.path,
            mb=_BLOCK_BYTES / 1e6,
        )
    return ImportRejected("{file} is damaged: {why}.", file=layout.path, why=str(exc).splitlines()[0])
