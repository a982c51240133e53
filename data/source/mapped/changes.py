"""What has changed in a mapped table: by high-water marks that name the changed months,
or by fingerprints of months.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, case, func, select

from data.source.connection.session import STREAMED
from data.source.mapped import sql
from data.source.mapped.digest import digests
from data.source.mapped.high_water_marks import HighWaterMark, rows_since
from data.source.mapped.reflected import SEPARATOR, ReflectedTable
from data.time.epoch import DAY_MS
from data.time.months import month_of, months_of


@dataclass(frozen=True)
class TableChange:
    """Rows of a month that are new or corrected: how many, first and last (ms UTC).
    0 rows: some are no longer of the source.
    """

    rows: int
    first_ms: int
    last_ms: int


Changes = Mapping[tuple[str, int], TableChange]  # by station and month


def changes(
    connection: Connection, reflected: ReflectedTable, before: tuple[HighWaterMark, ...]
) -> dict[tuple[str, int], TableChange]:
    """Months that have new or corrected rows since some marks."""
    found: dict[tuple[str, int], TableChange] = {}
    for mark in before:
        if mark.column not in reflected.types:
            continue
        condition = rows_since(connection, reflected, mark)
        for key, change in _changed(connection, reflected, condition):
            found[key] = _merged(found.get(key), change)
        if mark.column == reflected.updated and reflected.mapping.where:
            for key, change in _changed(connection, reflected, condition, kept=False):
                found[key] = _merged(found.get(key), TableChange(0, change.first_ms, change.last_ms))
    return found


def rows_between(
    connection: Connection, reflected: ReflectedTable, start_ms: int, end_ms: int, station: str | None = None
) -> dict[tuple[str, int], TableChange]:
    """Return months with rows in [start, end), of one station or all; bounds may be wider."""
    where = [reflected.between(start_ms, end_ms)]
    found: dict[tuple[str, int], TableChange] = {}
    for key, change in _changed(connection, reflected, [*where, *([sql.of_station(reflected, station)] if station else [])]):
        if start_ms <= change.last_ms and change.first_ms < end_ms:
            found[key] = _sum(found[key], change) if key in found else change
    return found


def fingerprints(
    connection: Connection, reflected: ReflectedTable, stations: Sequence[str], start_ms: int, end_ms: int
) -> dict[str, str]:
    """Return, by station, a text that any change of its rows in [start, end) changes."""
    parts: dict[str, list[str]] = {station: [] for station in stations}
    for segment in reflected.clock.segments(start_ms, end_ms):
        where = [
            reflected.within(segment.start_ms, segment.end_ms),
            sql.kept(reflected),
            sql.tagged(reflected, reflected.mapping.sensors),
        ]
        for station, digest in digests(connection, reflected, where, stations).items():
            parts[station].append(digest)
    return {station: json.dumps(held) for station, held in parts.items()}


def station_of(reflected: ReflectedTable, values: tuple[Any, ...]) -> str | None:
    """The name of a station from its columns; None where a part is NULL or holds the separator."""
    if not reflected.mapping.station:
        return reflected.mapping.station_name
    parts = [None if value is None else str(value) for value in values]
    if None in parts or (len(parts) > 1 and any(SEPARATOR in str(part) for part in parts)):
        return None
    return SEPARATOR.join(str(part) for part in parts)


def _changed(
    connection: Connection, reflected: ReflectedTable, condition: list[ColumnElement[bool]], *, kept: bool = True
) -> Iterator[tuple[tuple[str, int], TableChange]]:
    """The changed months of each station; a station whose rows span
    several months is read row by row.

    ``kept``: of rows that the mapping's filters keep;
    else of those that they leave out, NULL included.
    """
    time = reflected.time
    station = [reflected.table.c[name] for name in reflected.mapping.station]
    chosen = sql.kept(reflected) if kept else case((sql.kept(reflected), 0), else_=1) == 1
    where = [*condition, chosen, sql.listed(reflected), sql.tagged(reflected, reflected.mapping.sensors)]
    if reflected.clock.sorts:
        where.append(reflected.timed())
        query = select(*station, func.count(), func.min(time), func.max(time)).where(*where).group_by(*station)
        found = [(station_of(reflected, tuple(row[:-3])), row[-3], row[-2], row[-1]) for row in connection.execute(query)]
    else:
        query = select(*station, func.count()).where(*where).group_by(*station)
        found = [(station_of(reflected, tuple(row[:-1])), row[-1], None, None) for row in connection.execute(query)]
    for name, rows, first, last in found:
        bounds = instants(reflected, [first, last])
        if name is None or not rows:
            continue
        if len(bounds) == 2 and month_of(int(bounds[0])) == month_of(int(bounds[1])):
            yield (name, int(month_of(int(bounds[0])))), TableChange(int(rows), int(bounds[0]), int(bounds[1]))
            continue
        times = select(time).where(*where, sql.of_station(reflected, name))
        by_month: dict[tuple[str, int], TableChange] = {}
        for chunk in connection.execute(times, execution_options=STREAMED).partitions():
            for key, change in _by_month(name, instants(reflected, [row[0] for row in chunk])):
                by_month[key] = _sum(by_month[key], change) if key in by_month else change
        yield from by_month.items()


def instants(reflected: ReflectedTable, column: list[Any]) -> Any:
    """Instants (int64 ms UTC, of doubled hours the first) of what the time column shows;
    values without a time are left out.
    """
    shown, valid = reflected.clock.milliseconds(column)
    shown = shown[valid]
    if not len(shown):
        return shown
    utc = np.zeros(len(shown), np.int64)
    for segment in reflected.clock.segments(int(shown.min()) - DAY_MS, int(shown.max()) + DAY_MS):
        inside = (shown >= segment.start_ms) & (shown < segment.end_ms)
        utc[inside] = shown[inside] - segment.offset_ms
    return utc


def _by_month(name: str, times: Any) -> Iterator[tuple[tuple[str, int], TableChange]]:
    numbers = months_of(times)
    for month in np.unique(numbers).tolist():
        part = times[numbers == month]
        yield (name, month), TableChange(len(part), int(part.min()), int(part.max()))


def _merged(one: TableChange | None, other: TableChange) -> TableChange:
    if one is None:
        return other
    return TableChange(max(one.rows, other.rows), min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms))


def _sum(one: TableChange, other: TableChange) -> TableChange:
    return TableChange(one.rows + other.rows, min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms))
