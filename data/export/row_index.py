"""Where the rows of a table are: how many each span has, counted a little at a time.

A part of a table is asked for by the number of its first row. Of one series the tiles tell how many
rows each span has; of several, and of rows that fit a condition, that takes reading them, which for
ten million rows is longer than a web process may be busy. So each answer counts for a moment, and
what is counted is kept for the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from data.arrays import Integers
from data.export.row_question import RowQuestion
from data.export.table import RowBlock, Table, concatenated
from errors import InvalidRequest, TooLarge

MOST_SORTED: Final = 1_000_000  # values of a table that is sorted by one of its columns
MOST_KEPT: Final = 500_000  # values of rows that fit a condition, kept so that they are not looked for again
_DENSE: Final = 1_000  # rows of a span; so many are read again

OutOfTime = Callable[[], bool]


class RowIndex:
    """The rows of one question about one table, which does not change; threads may share it.

    ``counted`` is how many rows are known so far, ``total`` how many there are, once that is known.
    """

    def __init__(self, question: RowQuestion) -> None:
        self.question = question
        self.total: int | None = None
        self._lock = threading.Lock()
        self._counts: list[int] = []
        self._kept: dict[int, RowBlock] = {}
        self._kept_cells = 0
        self._sorted: RowBlock | None = None
        self._too_many = False

    @property
    def is_small(self) -> bool:
        """Return whether it keeps numbers only, and no rows."""
        return self.question.is_whole and self.question.sort is None

    @property
    def counted(self) -> int:
        """Return how many rows are known so far, whatever their order."""
        return sum(self._counts)

    def count(self, table: Table, out_of_time: OutOfTime) -> None:
        """Count on, until all is counted or there is no time left; at least a little.

        Raises:
            TooLarge: rows are to be sorted by a column, and are too many.
            TileDamaged: a tile is damaged, or was removed meanwhile.
        """
        if self.total is not None:
            return
        with self._lock:
            if self._too_many or (self.question.sort is not None and self._least_cells(table) > MOST_SORTED):
                raise _refusal()
            self._count(table, out_of_time)

    def rows(self, table: Table, offset: int, limit: int, out_of_time: OutOfTime) -> RowBlock:
        """Return the rows from number ``offset`` on, at most ``limit``; fewer where the others are
        not counted yet or there is no time left, then at least one span's part of them.
        """
        with self._lock:
            if self.question.sort is not None:
                found = self._sorted.take(slice(offset, offset + limit)) if self._sorted else None
                return found or concatenated([], len(table.series))
            if self.question.descending:
                if self.total is None:
                    return concatenated([], len(table.series))
                stop = max(self.total - offset, 0)
                parts = reversed(list(self._parts(max(stop - limit, 0), stop)))
            else:
                parts = self._parts(offset, min(offset + limit, self.counted))
            return self._read(table, parts, out_of_time)

    def number_at(self, table: Table, time_ms: int) -> int | None:
        """Return the number of the first row at or after a time (ms UTC), in the other order at or
        before it; the number of all rows where there is none, None where that is not known yet.

        Raises:
            InvalidRequest: rows are sorted by a column.
        """
        if self.question.sort is not None:
            raise InvalidRequest("Go to a time in a table that is sorted by time.", field="at")
        with self._lock:
            if self.total is None:
                ends = [span.end_ms for span in table.spans[: len(self._counts)]]
                if self.question.descending or not ends or time_ms >= ends[-1]:
                    return None
            if self.question.descending:
                return (self.total or 0) - self._before(table, time_ms + 1)
            return self._before(table, time_ms)

    # -- counting ----------------------------------------------------------------------------------

    def _least_cells(self, table: Table) -> int:
        """Return how many values there are to sort at least; of rows that fit a condition that is
        not known.
        """
        return table.least_rows * len(table.series) if self.question.is_whole else 0

    def _count(self, table: Table, out_of_time: OutOfTime) -> None:
        if not self._counts and self.is_small:
            self._counts = table.counts() or []
        while len(self._counts) < len(table.spans):
            number = len(self._counts)
            self._counts.append(self._size(table, number))
            if out_of_time():
                break
        if len(self._counts) < len(table.spans) or self.total is not None:
            return
        if self.question.sort is not None:
            self._sort(len(table.series))
        self.total = self.counted

    def _size(self, table: Table, number: int) -> int:
        if self.is_small:
            return table.size(number)
        rows = self.question.wanted(table.read(number))
        self._keep(number, rows)
        return len(rows.times)

    def _keep(self, number: int, rows: RowBlock) -> None:
        is_sorted = self.question.sort is not None
        if is_sorted and self._kept_cells + rows.cells > MOST_SORTED:
            self._kept, self._too_many = {}, True
            raise _refusal()
        sparse = len(rows.times) < _DENSE and self._kept_cells + rows.cells <= MOST_KEPT
        if is_sorted or sparse:
            self._kept[number] = rows
            self._kept_cells += rows.cells

    def _sort(self, columns: int) -> None:
        """Sort by a column; what has no value is last, and what is equal is by time."""
        rows = concatenated([self._kept[number] for number in sorted(self._kept)], columns)
        self._kept = {}
        keys = rows.values[self.question.sort]
        self._sorted = rows.take(np.argsort(-keys if self.question.descending else keys, kind="stable"))

    # -- finding -----------------------------------------------------------------------------------

    @property
    def _ends(self) -> Integers:
        """How many rows there are up to the end of each span."""
        return np.cumsum(self._counts, dtype=np.int64)

    def _parts(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Yield (span, begin, end) of rows start to stop by time: parts of the spans' rows."""
        ends = self._ends
        number = int(np.searchsorted(ends, start, "right"))
        while start < stop:
            first, last = int(ends[number]) - self._counts[number], int(ends[number])
            if last > start:
                yield number, start - first, min(stop, last) - first
                start = last
            number += 1

    def _read(self, table: Table, parts: Iterator[tuple[int, int, int]], out_of_time: OutOfTime) -> RowBlock:
        step = -1 if self.question.descending else 1
        found: list[RowBlock] = []
        for number, begin, end in parts:
            found.append(self._of(table, number).take(slice(begin, end)).take(slice(None, None, step)))
            if out_of_time():
                break
        return concatenated(found, len(table.series))

    def _of(self, table: Table, number: int) -> RowBlock:
        return self._kept.get(number) or self.question.wanted(table.read(number))

    def _before(self, table: Table, time_ms: int) -> int:
        """Return how many of the counted rows are before a time."""
        number = int(np.searchsorted([span.end_ms for span in table.spans], time_ms, "right"))
        before = sum(self._counts[:number])
        if number < len(self._counts) and table.spans[number].start_ms < time_ms:
            before += int(np.searchsorted(self._of(table, number).times, time_ms))
        return before


def _refusal() -> TooLarge:
    return TooLarge(
        "There are too many rows to sort them by a value. Choose a shorter window or fewer series, or sort by time.",
        field="sort",
    )
