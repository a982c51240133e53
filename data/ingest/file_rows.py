"""Chunks of cells become rows of observations: times in UTC, values in the catalogue's units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Bools, Floats, Integers
from data.cells.times import ReadTimes, joined
from data.cells.values import encoded_texts, trimmed
from data.database.tables import NAME_LENGTH
from data.ingest.chunks import read_sections
from data.ingest.file_clock import FileClock
from data.ingest.file_observations import FileRows, StationColumn
from data.ingest.file_parts import Part, ValueColumn, same_code
from data.ingest.file_plan import FilePlan
from data.ingest.layout import Layout
from data.ingest.text.sections import Chunk, Ragged
from data.ingest.text.split_columns import BadSplit, split_columns
from data.time.epoch import DAY_MS, EARLIEST_MS, LATEST_MS
from data.time.zones import zone_of
from errors import ImportRejected, RiwayatError
from escaping import original_text

RAGGED = "wrong number of fields"
CUT = "last line cut off"
DAMAGED = "in a damaged or cut-off frame"
OTHER_TAG = "tag that the profile does not name"

# Years 1 to 9999, less a day, so that every zone's time has a year, too.
_EARLIEST_MS, _LATEST_MS = EARLIEST_MS + DAY_MS, LATEST_MS - DAY_MS
_TOLD_APART = 8  # different texts of a watched column that are kept


class RowReader:
    """Reads one file once; counts what it read, rejected (rows) and left out (values), by reason.

    ``ragged``: rows of another length than the header, which ``rejected`` counts, too; ``seen``:
    some texts of watched columns; ``unended``: whether the last row's line has no end; ``plan``:
    that of the part of the file at hand.
    """

    def __init__(self, plan: FilePlan) -> None:
        self.plan = plan
        self.read = 0
        self.rejected: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.ragged: Ragged | None = None
        self.seen: dict[str, set[str]] = {}
        self.tags: set[str] = set()
        self.unended = False
        self.notes = plan.notes
        self._clocks: dict[object, FileClock] = {}

    def rows(self, report: Callable[[float], None] = lambda _: None) -> Iterator[FileRows]:
        """Yield all good rows, in order.

        Raises:
            ImportRejected: for the first bad cell, with file, line, column and what was expected.
        """
        for section in read_sections(self.plan.layout, self.plan.profile.header_names, report):
            if section.layout is not self.plan.layout:
                self._go_on(section.layout)
            for chunk in section.read(self.plan.wanted):
                self._count(chunk)
                if len(chunk.lines):
                    yield from self._rows(chunk)

    @property
    def guessed_hours(self) -> int:
        """Return how many rows are of an hour that clocks showed twice,
        with nothing that tells which of the two it is.
        """
        return sum(clock.guessed.total() for clock in self._clocks.values())

    def _go_on(self, layout: Layout) -> None:
        """Read what follows another header by that one."""
        try:
            self.plan = self.plan.planner.plan(layout)
        except RiwayatError as exc:
            raise ImportRejected(
                "{file}, line {line}: another header begins here, which the import profile does not fit. {why}",
                file=layout.path,
                line=layout.offset + 1,
                why=exc.message,
            ) from exc
        self.notes = tuple(dict.fromkeys((*self.notes, *self.plan.notes)))

    def _count(self, chunk: Chunk) -> None:
        self.unended |= chunk.unended
        if chunk.ragged is not None:
            self.ragged = replace(
                self.ragged or chunk.ragged, count=chunk.ragged.count + (self.ragged.count if self.ragged else 0)
            )
        ragged = chunk.ragged.count if chunk.ragged else 0
        for reason, count in ((RAGGED, ragged + chunk.short), (CUT, int(chunk.cut)), (DAMAGED, chunk.damaged)):
            if count:
                self.read += count
                self.rejected[reason] += count

    def _rows(self, chunk: Chunk) -> Iterator[FileRows]:
        chunk = self._with_split(chunk)
        for name in self.plan.watched:
            seen = self.seen.setdefault(name, set())
            if len(seen) < _TOLD_APART:
                seen.update(text for text in pc.unique(trimmed(chunk.columns[name])).to_pylist()[:_TOLD_APART] if text)
        times = self._times(chunk)
        for part, rows in self._by_part(chunk, times.present):
            of_part, at = chunk, times
            if rows is not None:
                columns = {name: column.take(pa.array(rows)) for name, column in chunk.columns.items()}
                of_part = Chunk(columns, chunk.lines[rows])
                at = ReadTimes(times.ms[rows], times.utc[rows], times.present[rows], times.unreadable[:0])
            self.read += len(of_part.lines)
            yield self._rows_of(part, of_part, at)

    def _by_part(self, chunk: Chunk, has_time: Bools) -> Iterator[tuple[Part, Integers | None]]:
        """Each part with its rows; None for all of them."""
        if not self.plan.tag_columns:
            yield from ((part, None) for part in self.plan.parts)
            return
        encoded = joined([chunk.columns[name] for name in self.plan.tag_columns]).dictionary_encode()
        tags, places = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
        self.tags.update(tags)
        known = {part.tag: part for part in self.plan.parts}
        for place, tag in enumerate(tags):
            rows = np.flatnonzero(places == place)
            if tag in known:
                yield known[tag], rows
            else:
                self.read += len(rows)
                empty = int(np.count_nonzero(~has_time[rows])) if not tag else 0
                for reason, count in ((OTHER_TAG if tag else "no tag", len(rows) - empty), ("empty row", empty)):
                    if count:
                        self.rejected[reason] += count

    def _rows_of(self, part: Part, chunk: Chunk, read: ReadTimes) -> FileRows:
        values = np.column_stack([self._values(chunk, column) for column in part.values])
        wall, has_time = read.ms, read.present
        stations = self._stations(part, chunk)
        lengths = stations.lengths
        has_values = np.isfinite(values).any(axis=1)
        good = self._only(chunk)
        has_year = (wall >= _EARLIEST_MS) & (wall <= _LATEST_MS)
        # those without a value tell the order of the others, too
        placed = good & has_time & has_year & (lengths > 0)
        # The first reason that holds is the one that counts.
        for reason, wrong in (
            ("empty row", ~has_values & ~has_time),
            ("no time", ~has_time),
            ("no station", lengths == 0),
            ("station name too long", lengths > NAME_LENGTH),
            ("no value", ~has_values),
            ("year not between 1 and 9999", has_time & ~has_year),
        ):
            good = self._reject(good, wrong, reason)
        times, exists = self._to_utc(part, wall, read.utc, placed, stations)
        good = self._reject(good, ~exists, f"time does not exist in {self.plan.timezone} (clocks went forward)")
        bad = self._bad(part, chunk)
        return FileRows(part, stations[good], times[good], values[good], bad[good] if bad is not None else None)

    def _only(self, chunk: Chunk) -> Bools:
        """Rows that the profile reads at all, by the codes of its ``only``."""
        good = np.ones(len(chunk.lines), np.bool_)
        for column, codes in self.plan.profile.only.items():
            known = {same_code(code) for code in codes}
            other = _has_other_code(chunk.columns[column], known)
            wanted = " or ".join(str(code) for code in codes)
            good = self._reject(good, other, f"{column} is not {wanted}")
        return good

    def _reject(self, good: Bools, wrong: Any, reason: str) -> Bools:
        count = int((good & wrong).sum())
        if count:
            self.rejected[reason] += count
        return np.asarray(good & ~wrong, dtype=np.bool_)

    def _with_split(self, chunk: Chunk) -> Chunk:
        """The chunk with the columns that are taken out of others."""
        profile = self.plan.profile
        columns = dict(chunk.columns)
        for name, rule in profile.split.items():
            if name in columns:
                try:
                    columns |= split_columns(columns[name], rule, [str(text) for text in profile.missing])
                except BadSplit as exc:
                    raise self._bad_cell(chunk, exc.row, [name], exc.expected) from exc
        return replace(chunk, columns=columns)

    def _values(self, chunk: Chunk, column: ValueColumn) -> Floats:
        read = column.reader.read(chunk.columns[column.column])
        if len(read.unreadable):
            row = int(read.unreadable[0])
            raise self._bad_cell(chunk, row, [column.column], column.reader.explain(self._text(chunk, row, [column.column])))
        infinite = np.isinf(read.values)
        if infinite.any():
            self.left_out[f"infinite {column.sensor}"] += int(infinite.sum())
            return np.where(infinite, np.nan, read.values)
        return read.values

    def _times(self, chunk: Chunk) -> ReadTimes:
        columns = self.plan.profile.time_columns
        read = self.plan.time.read([chunk.columns[name] for name in columns])
        if len(read.unreadable):
            row = int(read.unreadable[0])
            raise self._bad_cell(chunk, row, columns, self.plan.time.explain(self._text(chunk, row, columns)))
        return read

    def _to_utc(self, part: Part, wall: Integers, utc: Bools, placed: Bools, stations: StationColumn) -> tuple[Integers, Bools]:
        times, exists = wall.copy(), np.ones(len(wall), np.bool_)
        local = np.flatnonzero(placed & ~utc)
        if len(local):
            # Rows of each tag have an order of their own, by which a doubled hour is told apart.
            clock = self._clocks.setdefault(part.tag, FileClock(zone_of(self.plan.timezone)))
            times[local], exists[local] = clock.to_utc(wall[local], stations[local])
        return times, exists

    def _stations(self, part: Part, chunk: Chunk) -> StationColumn:
        if part.station is None:
            return StationColumn((str(part.station_name),), np.zeros(len(chunk.lines), np.int32))
        encoded = encoded_texts(chunk.columns[part.station])
        texts = encoded.dictionary.to_pylist()  # one str a station
        # which PostgreSQL could not store
        damaged = [at for at, text in enumerate(texts) if "\0" in text]
        if damaged:
            row = int(np.flatnonzero(encoded.indices.to_numpy() == damaged[0])[0])
            raise self._bad_cell(
                chunk, row, [part.station], "a name: it holds characters of code 0, as files damaged by a power cut do"
            )
        if self.plan.layout.kind == "csv":
            texts = [original_text(text) for text in texts]
        return StationColumn.of(texts, encoded.indices.to_numpy())

    def _bad(self, part: Part, chunk: Chunk) -> Bools | None:
        if not part.quality:
            return None
        bad = np.zeros((len(chunk.lines), len(part.judged)), np.bool_)
        for column in part.quality:
            # No code at all says nothing against the value.
            wrong = _has_other_code(chunk.columns[column.column], column.good | {""})
            bad[:, part.judged.index(column.sensor)] |= wrong
        return bad

    def _bad_cell(self, chunk: Chunk, row: int, columns: Sequence[str], wanted: str) -> ImportRejected:
        layout = self.plan.layout
        return ImportRejected(
            "{file}, {place} {line}, column {column}: {text} is not {expected}.",
            file=layout.path,
            place=layout.place,
            line=int(chunk.lines[row]),
            column=" + ".join(columns),
            text=repr(self._text(chunk, row, columns)),
            expected=wanted,
        )

    def _text(self, chunk: Chunk, row: int, columns: Sequence[str]) -> str:
        # of Parquet, perhaps no text at all
        cells = (chunk.columns[name][row].as_py() for name in columns)
        return " ".join(str(cell).strip() for cell in cells if cell is not None)


def _has_other_code(column: pa.Array, known: Collection[str]) -> Bools:
    """Return whether the code in each cell is none of some; looked up once a text."""
    encoded = encoded_texts(column)
    found = np.array([same_code(text) not in known for text in encoded.dictionary.to_pylist()], np.bool_)
    return np.asarray(found[encoded.indices.to_numpy()], np.bool_)
