"""Logbooks of stations: CSV files of what was done there, read as a log profile says."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from data.arrays import Integers
from data.ingest.log_profile import STATION_ZONE, LogProfile
from data.ingest.opening import opened
from data.time.zones import ZoneOffsets, zone_of
from errors import ImportRejected
from escaping import original_text

MOST_BYTES: Final = 50_000_000  # of a logbook, which is read at once

_YES: Final = frozenset({"true", "yes", "1"})


@dataclass(frozen=True)
class LogRow:
    """A row of a logbook, at a line of the file; [start_ms, end_ms) in int ms UTC, equal where it
    is about a moment. ``sensor``: None, the station as a whole; what the file does not say is None.
    """

    line: int
    station: str
    sensor: str | None
    start_ms: int
    end_ms: int
    kind: str
    text: str
    shared: bool | None = None
    owner: str | None = None
    id: str | None = None


def read_log(path: Path, profile: LogProfile, known: Collection[str], zone_of_station: Callable[[str], str]) -> list[LogRow]:
    """Return the rows of a logbook in its order; blank lines are none.

    ``known`` are the sensors of the catalogue, ``zone_of_station`` names the zone of a station's
    clock.

    Raises:
        ImportRejected: for the first thing that is wrong, with file, line, column and what was
            expected.
    """
    lines, rows = _rows(path, profile)
    stations = [row[profile.station] if profile.station else str(profile.station_name) for row in rows]
    cells = _Cells(path, profile, lines, rows, stations, zone_of_station)
    starts = cells.times(profile.begins, required=True)
    ends = starts if profile.end is None else cells.times(profile.end, required=False)
    found = []
    for at, (line, row) in enumerate(zip(lines, rows, strict=True)):
        start, end = int(starts[at]), int(starts[at] if ends[at] == _NONE else ends[at])
        if not stations[at]:
            raise cells.wrong(at, (str(profile.station),), "the name of a station")
        if end < start:
            raise cells.wrong(at, profile.end or (), "a time that is not before the start")
        found.append(_row(cells, at, line, row, stations[at], (start, end), known))
    return found


_NONE: Final = np.iinfo(np.int64).min  # a time that is not there


@dataclass(frozen=True)
class _Cells:
    """The cells of a logbook, by row and column."""

    path: Path
    profile: LogProfile
    lines: list[int]
    rows: list[dict[str, str]]
    stations: list[str]
    zone_of_station: Callable[[str], str]

    def times(self, columns: Sequence[str], *, required: bool) -> Integers:
        """Return the times of some columns, int64 ms UTC; ``_NONE`` where a cell is empty."""
        if not self.rows:
            return np.empty(0, np.int64)
        read = self.profile.reader().read([pa.array([row[name] for row in self.rows]) for name in columns])
        if len(read.unreadable):
            raise self.wrong(int(read.unreadable[0]), columns, self.profile.reader().expected)
        if required and not read.present.all():
            raise self.wrong(int(np.argmin(read.present)), columns, self.profile.reader().expected)
        utc = read.ms.copy()
        own = self.profile.timezone
        zones = np.asarray([self.zone_of_station(name) if own == STATION_ZONE else own for name in self.stations], dtype=object)
        for zone in dict.fromkeys(zones.tolist()):
            at = np.flatnonzero((zones == zone) & read.present & ~read.utc)
            if len(at):
                utc[at] = self._on_clock(at, read.ms[at], zone, columns)
        return np.where(read.present, utc, _NONE)

    def _on_clock(self, at: Integers, wall_ms: Integers, zone: str, columns: Sequence[str]) -> Integers:
        """Return times of a zone's clock, int64 ms UTC: the first where it shows one twice."""
        first, second = ZoneOffsets(zone_of(zone), int(wall_ms.min()), int(wall_ms.max())).passes(wall_ms)
        if (first > second).any():
            raise self.wrong(int(at[np.argmax(first > second)]), columns, f"a time that the clocks of {zone} show")
        return first

    def wrong(self, at: int, columns: Sequence[str], expected: str) -> ImportRejected:
        """Return the refusal of cells of a row."""
        return ImportRejected(
            "{file}, {place} {line}, column {column}: {text} is not {expected}.",
            file=self.path,
            place="line",
            line=self.lines[at],
            column=" + ".join(columns),
            text=repr(" ".join(self.rows[at].get(name, "") for name in columns))[:80],
            expected=expected,
        )


def _row(
    cells: _Cells, at: int, line: int, row: dict[str, str], station: str, span: tuple[int, int], known: Collection[str]
) -> LogRow:
    profile = cells.profile
    text = ": ".join(filter(None, (row[name] for name in profile.text)))
    word = row[profile.sensor] if profile.sensor else ""
    sensor = profile.sensors.get(word, word) or None
    if sensor is not None and sensor not in known:
        if profile.other_sensors == "refuse":
            raise cells.wrong(at, (str(profile.sensor),), f"a sensor: {', '.join(known)}")
        sensor, text = None, f"{word}: {text}"
    return LogRow(
        line,
        station,
        sensor,
        *span,
        _kind(profile, row, text),
        text,
        shared=row[profile.shared].lower() in _YES if profile.shared else None,
        owner=(row[profile.owner] or None) if profile.owner else None,
        id=(row[profile.id] or None) if profile.id else None,
    )


def _kind(profile: LogProfile, row: dict[str, str], text: str) -> str:
    word = row[profile.kind] if profile.kind else ""
    by_text = next((kind for part, kind in profile.kinds_by_text.items() if part.lower() in text.lower()), profile.kind_name)
    return profile.kinds.get(word, word) or by_text


def _rows(path: Path, profile: LogProfile) -> tuple[list[int], list[dict[str, str]]]:
    """Return the line of each row, and its cells by column."""
    reader = csv.reader(io.StringIO(_text(path, profile.encoding), newline=""), delimiter=profile.delimiter)
    try:
        return _cut(path, profile, _numbered(reader))
    except csv.Error as exc:
        raise ImportRejected(
            "{file}, line {line}: {why}; expected one line per row.", file=path, line=reader.line_num, why=exc
        ) from exc


def _cut(path: Path, profile: LogProfile, numbered: Iterator[tuple[int, list[str]]]) -> tuple[list[int], list[dict[str, str]]]:
    header_line, header = next(numbered, (1, []))
    missing = [name for name in profile.columns if name not in header]
    if missing:
        raise ImportRejected(
            "{file}, line {line}: column {column} is missing; expected it beside {columns}.",
            file=path,
            line=header_line,
            column=", ".join(missing),
            columns=", ".join(header),
        )
    lines, rows = [], []
    for line, cells in numbered:
        if len(cells) != len(header):
            raise ImportRejected(
                "{file}, line {line}: {found} cells, but the header has {expected}.",
                file=path,
                line=line,
                found=len(cells),
                expected=len(header),
            )
        lines.append(line)
        whole = map(original_text, cells) if profile.escaped else cells
        rows.append(dict(zip(header, whole, strict=True)))
    return lines, rows


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a cell, trimmed, each with its first line."""
    line = 1
    for cells in reader:
        if any(map(str.strip, cells)):
            yield line, [cell.strip() for cell in cells]
        line = reader.line_num + 1  # type: ignore[attr-defined]  # of csv.reader


def _text(path: Path, encoding: str) -> str:
    with opened(path) as file:
        data = file.stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ImportRejected("{file} has more than {mb:.0f} MB; a logbook is read at once.", file=path, mb=MOST_BYTES / 1e6)
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        raise ImportRejected(
            "{file}, line {line}: this is not {encoding}; set encoding in the log profile.",
            file=path,
            line=line,
            encoding=encoding,
        ) from exc
