"""Chunks of cells become rows of observations: times in UTC, values in the catalogue's units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.ingest import cells
from data.ingest.chunks import Chunk, read_chunks
from data.ingest.plan import FilePlan, same_code
from data.ingest.times import expected, read_times
from data.ingest.zones import Clock, zone_of
from data.spreadsheet import read_text
from data.tables import NAME_LENGTH
from errors import ImportRejected

RAGGED = "wrong number of fields"

# Years 1 to 9999, less a day, so that every zone's time has a year, too.
_EARLIEST_MS, _LATEST_MS = -62_135_596_800_000 + 86_400_000, 253_402_300_799_999 - 86_400_000


@dataclass(frozen=True)
class Rows:
    """Observations of a chunk in the file's order.

    ``stations``: object[n] of str; ``times``: int64[n] ms UTC; ``values``: float64[n, sensors], NaN where missing; ``bad``:
    bool[n, judged sensors], or None when the file carries no quality codes.
    """

    stations: npt.NDArray[np.object_]
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    bad: npt.NDArray[np.bool_] | None


class RowReader:
    """Reads one file once; counts what it read, rejected (rows) and left out (values), by reason."""

    def __init__(self, plan: FilePlan) -> None:
        self.plan = plan
        self.read = 0
        self.rejected: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._clock = Clock(zone_of(plan.timezone))

    def rows(self, report: Callable[[float], None] = lambda _: None) -> Iterator[Rows]:
        """All good rows, in order.

        Raises:
            ImportRejected: for the first bad cell, with file, line, column and what was expected.
        """
        for chunk in read_chunks(self.plan.layout, self.plan.wanted, report):
            if chunk.ragged:
                self.read += chunk.ragged
                self.rejected[RAGGED] += chunk.ragged
            if len(chunk.lines):
                self.read += len(chunk.lines)
                yield self._rows(chunk)

    def _rows(self, chunk: Chunk) -> Rows:
        count = len(chunk.lines)
        values = np.column_stack([self._values(chunk, number) for number in range(len(self.plan.values))])
        wall, utc, has_time = self._times(chunk)
        stations = self._stations(chunk)
        lengths = np.fromiter((len(name) for name in stations), np.int64, count)
        has_values = np.isfinite(values).any(axis=1)
        good = np.ones(count, np.bool_)
        # The first reason that holds is the one that counts.
        for reason, wrong in (
            ("empty row", ~has_values & ~has_time),
            ("no time", ~has_time),
            ("no station", lengths == 0),
            ("station name too long", lengths > NAME_LENGTH),
            ("no value", ~has_values),
            ("year not between 1 and 9999", has_time & ((wall < _EARLIEST_MS) | (wall > _LATEST_MS))),
        ):
            good = self._reject(good, wrong, reason)
        times, exists = self._to_utc(wall, utc, good, stations)
        good = self._reject(good, ~exists, f"time does not exist in {self.plan.timezone} (clocks went forward)")
        bad = self._bad(chunk)
        return Rows(stations[good], times[good], values[good], bad[good] if bad is not None else None)

    def _reject(self, good: npt.NDArray[np.bool_], wrong: Any, reason: str) -> npt.NDArray[np.bool_]:
        count = int((good & wrong).sum())
        if count:
            self.rejected[reason] += count
        return np.asarray(good & ~wrong, dtype=np.bool_)

    def _values(self, chunk: Chunk, number: int) -> npt.NDArray[np.float64]:
        column, profile = self.plan.values[number], self.plan.profile
        try:
            values = cells.numbers(chunk.columns[column.column], profile.missing, profile.decimal)
        except cells.BadCell as exc:
            raise self._bad_cell(chunk, exc, column.column, "a number") from exc
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
            raise self._bad_cell(chunk, cells.BadCell(0, exc), column.column, "numbers") from exc
        infinite = np.isinf(values)
        if infinite.any():
            self.left_out[f"infinite {column.sensor}"] += int(infinite.sum())
            values[infinite] = np.nan
        return column.convert(values)

    def _times(self, chunk: Chunk) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        profile = self.plan.profile
        try:
            return read_times([chunk.columns[name] for name in profile.time_columns], profile.time_format, profile.time_unit)
        except cells.BadCell as exc:
            wanted = expected(profile.time_format, profile.time_unit)
            raise self._bad_cell(chunk, exc, " + ".join(profile.time_columns), wanted) from exc

    def _to_utc(
        self,
        wall: npt.NDArray[np.int64],
        utc: npt.NDArray[np.bool_],
        good: npt.NDArray[np.bool_],
        stations: npt.NDArray[np.object_],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        times, exists = wall.copy(), np.ones(len(wall), np.bool_)
        local = np.flatnonzero(good & ~utc)
        if len(local):
            times[local], exists[local] = self._clock.to_utc(wall[local], stations[local])
        return times, exists

    def _stations(self, chunk: Chunk) -> npt.NDArray[np.object_]:
        if self.plan.station is None:
            return np.full(len(chunk.lines), self.plan.station_name, dtype=object)
        encoded = cells.texts(chunk.columns[self.plan.station]).dictionary_encode()
        texts = encoded.dictionary.to_pylist()  # one str a station
        if self.plan.layout.kind == "csv":
            texts = [read_text(text) for text in texts]
        names: npt.NDArray[np.object_] = np.array(texts, dtype=object)
        return np.asarray(names[encoded.indices.to_numpy()], dtype=object)

    def _bad(self, chunk: Chunk) -> npt.NDArray[np.bool_] | None:
        if not self.plan.quality:
            return None
        bad = np.zeros((len(chunk.lines), len(self.plan.judged)), np.bool_)
        for column in self.plan.quality:
            encoded = cells.texts(chunk.columns[column.column]).dictionary_encode()
            # No code at all says nothing against the value.
            wrong = np.array([text != "" and same_code(text) not in column.good for text in encoded.dictionary.to_pylist()])
            if len(wrong):
                bad[:, self.plan.judged.index(column.sensor)] |= wrong[encoded.indices.to_numpy()]
        return bad

    def _bad_cell(self, chunk: Chunk, exc: cells.BadCell, column: str, wanted: str) -> ImportRejected:
        layout = self.plan.layout
        return ImportRejected(
            "{file}, {place} {line}, column {column}: {text} is not {expected}.",
            file=layout.path,
            place=layout.place,
            line=int(chunk.lines[exc.index]),
            column=column,
            text=repr(str(exc.text)),
            expected=wanted,
        )
