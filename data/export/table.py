"""Rows of a window as one wide table: a row a time, a column a series, flags beside the values.

Of each station they are the rows of its CSV file, in the same order (data/export/rows.py): there
stations stand one after the other, here beside each other. A table is read by spans of time, so
that a part of ten million rows is found without the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.catalogue import Sensor
from data.export.rows import (
    PIECE_ROWS,
    Span,
    joined_times,
    open_whole,
    permitted_sensors,
    read_columns,
    read_times,
    spans_of,
    spread,
)
from data.range_rows import published_months
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.series import Series
from errors import TooLarge

MOST_COLUMNS = 100


@dataclass(frozen=True)
class RowBlock:
    """Some rows of a table: ``times`` i8[n] ms UTC, ``values`` f8[columns, n], NaN where there is
    none, ``flagged`` bool[columns, n].
    """

    times: Integers
    values: Floats
    flagged: Bools

    def take(self, which: Integers | Bools | slice) -> RowBlock:
        """Return some of the rows."""
        return RowBlock(self.times[which], self.values[:, which], self.flagged[:, which])

    @property
    def cells(self) -> int:
        """Return how many values it has room for."""
        return self.values.size


def concatenated(parts: Sequence[RowBlock], columns: int) -> RowBlock:
    """Return rows one after the other."""
    empty = RowBlock(np.empty(0, np.int64), np.empty((columns, 0)), np.empty((columns, 0), bool))
    found = [empty, *parts]
    return RowBlock(
        np.concatenate([part.times for part in found]),
        np.concatenate([part.values for part in found], axis=1),
        np.concatenate([part.flagged for part in found], axis=1),
    )


@dataclass(frozen=True)
class Table:
    """The rows of a window, open for reading: a column for each of ``series``."""

    request: HistoryRequest
    series: tuple[Series, ...]
    sensors: tuple[Sensor, ...]
    spans: tuple[Span, ...]

    @property
    def least_rows(self) -> int:
        """Return how many rows it has at least, of observations."""
        return max((each.rows for each in self.series), default=0)

    def read(self, number: int) -> RowBlock:
        """Return the rows of a span.

        Raises:
            TileDamaged: a tile is damaged, or was removed meanwhile.
        """
        columns = read_columns(self.series, self.sensors, self.request, self.spans[number])
        times = joined_times([own for own, _, _ in columns])
        values = [spread(times, own, values, np.nan) for own, values, _ in columns]
        flags = [spread(times, own, flags, 0) for own, _, flags in columns]
        return RowBlock(times, np.stack(values), np.stack(flags) != 0)

    def size(self, number: int) -> int:
        """Return how many rows a span has; raises as :meth:`read`."""
        return len(joined_times(read_times(self.series, self.sensors, self.request, self.spans[number])))

    def counts(self) -> list[int] | None:
        """Return how many rows each span has; None where they must be read to know that."""
        if len(self.series) > 1 or self.request.resolution != "raw":
            return None
        (series,) = self.series
        # what is stamped in a span is of moments that are as much earlier
        edges = np.array([edge for span in self.spans for edge in (span.start_ms, span.end_ms)], np.int64) - series.lag_ms
        rows = series.locate(edges)[0].row_in_series
        found: list[int] = (rows[1::2] - rows[0::2]).tolist()
        return found


def _piece_rows(columns: int) -> int:
    """Return how many rows of a series a span may have: where the series have no time in common,
    its table has so many rows of each of them.
    """
    return max(min(PIECE_ROWS, 10 * PIECE_ROWS // columns) // columns, 100)


def open_table(site: SiteLike, request: HistoryRequest, start_ms: int, end_ms: int) -> Table:
    """Return the rows in [start_ms, end_ms) ∩ the request's range, int ms UTC, as
    :func:`data.export.rows.joined` has them.

    Raises:
        UnknownSensor, NotPermitted, TileDamaged: as there.
        TooLarge: it would have more than MOST_COLUMNS columns.
    """
    if len(request.series) > MOST_COLUMNS:
        raise TooLarge(
            "A table has at most {most} columns, and this would have {columns}. Choose fewer stations or sensors.",
            field="sensors",
            most=MOST_COLUMNS,
            columns=len(request.series),
        )
    window = max(start_ms, request.start_ms), min(end_ms, request.end_ms)
    sensors = permitted_sensors(site, request)
    there = [published_months(site, request, *key, window) for key in request.series]
    series = [open_whole(site, request, key, window, months) for key, months in zip(request.series, there, strict=True)]
    spans = spans_of(series, raw=request.resolution == "raw", piece_rows=_piece_rows(len(series)))
    return Table(request, tuple(series), tuple(sensors) * len(request.stations), tuple(spans))
