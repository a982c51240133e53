"""Running totals as they were sent, kept so that increments never depend on the order or the borders of files.

The increment of a row is always taken against the nearest earlier total that is known, of whichever file. When an import
brings a total between two known ones, the later one's increment is corrected in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, Column, Connection, Double, MetaData, String, Table, and_, delete, func, or_, select

from data.ingest.rain import days_of, increments
from data.tables import NAME_LENGTH
from data.upsert import upsert

running_total = Table(
    "running_total",
    MetaData(),
    Column("station", String(NAME_LENGTH), primary_key=True),
    Column("sensor", String(64), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("total", Double, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True)
class Increments:
    """``values``: float64 for each time asked; ``later_times``, ``later_values``: known rows whose increment is another now."""

    values: npt.NDArray[np.float64]
    later_times: npt.NDArray[np.int64]
    later_values: npt.NDArray[np.float64]


def add_totals(
    connection: Connection,
    station: str,
    sensor: str,
    times: npt.NDArray[np.int64],
    totals: npt.NDArray[np.float64],
    day_zone: tzinfo | None,
) -> Increments:
    """Keep the totals of a station (sorted, unique int64 ms UTC; float64, NaN where there is none) and give the increments.

    ``day_zone``: the zone whose midnight resets the total; None for a total since the last reset.
    """
    old_times, old_totals = _around(connection, station, sensor, int(times[0]), int(times[-1]))
    kept = ~np.isin(old_times, times)
    here = np.isfinite(totals)
    merged = np.concatenate([old_times[kept], times[here]])
    order = np.argsort(merged, kind="stable")
    after = _by_time(merged[order], np.concatenate([old_totals[kept], totals[here]])[order], day_zone)
    before = _by_time(old_times, old_totals, day_zone)
    values = np.full(len(times), np.nan)
    values[here] = after[np.searchsorted(merged[order], times[here])]
    rest = old_times[kept]
    now, then = after[np.searchsorted(merged[order], rest)], before[kept]
    # The first of the old ones is only the predecessor: its own increment stands on totals that were not fetched.
    changed = ~((now == then) | (np.isnan(now) & np.isnan(then))) & (rest > times[0])
    _keep(connection, station, sensor, times, totals, old_times, old_totals)
    return Increments(values, rest[changed], now[changed])


def _by_time(times: npt.NDArray[np.int64], totals: npt.NDArray[np.float64], day_zone: tzinfo | None) -> npt.NDArray[np.float64]:
    return increments(totals, None if day_zone is None else days_of(times, day_zone))


def _around(
    connection: Connection, station: str, sensor: str, first: int, last: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Known totals from the one before ``first`` to the one after ``last``."""
    columns = running_total.c
    of = and_(columns.station == station, columns.sensor == sensor)
    before = select(func.max(columns.time)).where(of, columns.time < first).scalar_subquery()
    after = select(func.min(columns.time)).where(of, columns.time > last).scalar_subquery()
    inside = or_(columns.time.between(first, last), columns.time == before, columns.time == after)
    rows = connection.execute(select(columns.time, columns.total).where(of, inside).order_by(columns.time)).all()
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)


def _keep(
    connection: Connection,
    station: str,
    sensor: str,
    times: npt.NDArray[np.int64],
    totals: npt.NDArray[np.float64],
    old_times: npt.NDArray[np.int64],
    old_totals: npt.NDArray[np.float64],
) -> None:
    known = dict(zip(old_times.tolist(), old_totals.tolist(), strict=True))
    pairs = list(zip(times.tolist(), totals.tolist(), strict=True))
    new = [
        {"station": station, "sensor": sensor, "time": time, "total": total}
        for time, total in pairs
        if total == total and known.get(time) != total
    ]
    if new:
        connection.execute(upsert(connection.dialect, running_total, ["total"]), new)
    gone = [time for time, total in pairs if total != total and time in known]
    for start in range(0, len(gone), 500):
        some = gone[start : start + 500]
        columns = running_total.c
        connection.execute(
            delete(running_total).where(columns.station == station, columns.sensor == sensor, columns.time.in_(some))
        )
