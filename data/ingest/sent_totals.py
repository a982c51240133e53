"""Running totals as they were sent, kept so that increments never depend on the
order or the borders of files.

The increment of a row is always taken against the nearest earlier total that is known, of whichever
file, and of a day's total against all that is known of that day. When an import changes what is
known of others, their increments are corrected in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
from sqlalchemy import BigInteger, Column, Connection, Double, MetaData, String, Table, and_, delete, func, or_, select

from data.arrays import Floats, Integers, differ
from data.cells.running_totals import context_ms, increments
from data.database.tables import NAME_LENGTH
from data.database.upsert import upsert

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
    """``values``: float64 for each time asked; ``other_times``,
    ``other_values``: known rows whose increment is another now.

    ``changed``: positions of the times whose total is another than before, ``totals_before`` those,
    NaN where there was none.
    """

    values: Floats
    other_times: Integers
    other_values: Floats
    changed: Integers
    totals_before: Floats


def add_totals(
    connection: Connection, station: str, sensor: str, times: Integers, totals: Floats, day_zone: tzinfo | None
) -> Increments:
    """Keep the totals of a station (sorted, unique int64 ms UTC;
    float64, NaN where there is none) and give the increments.

    ``day_zone``: the zone in which the total is a day's; None for a total since the last reset.
    """
    start, old_times, old_totals = _around(connection, station, sensor, int(times[0]), int(times[-1]), day_zone)
    kept = ~np.isin(old_times, times)
    here = np.isfinite(totals)
    merged = np.concatenate([old_times[kept], times[here]])
    order = np.argsort(merged, kind="stable")
    after = increments(merged[order], np.concatenate([old_totals[kept], totals[here]])[order], day_zone)
    before = increments(old_times, old_totals, day_zone)
    values = np.full(len(times), np.nan)
    values[here] = after[np.searchsorted(merged[order], times[here])]
    rest = old_times[kept]
    now, then = after[np.searchsorted(merged[order], rest)], before[kept]
    # The one before the start is only a predecessor:
    # its own increment stands on totals that were not fetched.
    changed = differ(now, then) & (rest >= start)
    was = np.full(len(times), np.nan)
    was[np.searchsorted(times, old_times[~kept])] = old_totals[~kept]
    other = np.flatnonzero(differ(was, totals))
    _keep(connection, station, sensor, times[other], totals[other])
    return Increments(values, rest[changed], now[changed], other, was[other])


def _around(
    connection: Connection, station: str, sensor: str, first: int, last: int, day_zone: tzinfo | None
) -> tuple[int, Integers, Floats]:
    """Return where increments may change from, and the known totals that they depend on."""
    columns = running_total.c
    of = and_(columns.station == station, columns.sensor == sensor)
    following = connection.execute(select(func.min(columns.time)).where(of, columns.time > last)).scalar()
    start, end = context_ms(first, last if following is None else following, day_zone)
    before = select(func.max(columns.time)).where(of, columns.time < start).scalar_subquery()
    after = select(func.min(columns.time)).where(of, columns.time > end).scalar_subquery()
    inside = or_(columns.time.between(start, end), columns.time == before, columns.time == after)
    rows = connection.execute(select(columns.time, columns.total).where(of, inside).order_by(columns.time)).all()
    return start, np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)


def _keep(connection: Connection, station: str, sensor: str, times: Integers, totals: Floats) -> None:
    """Store totals in place of what is known at their times; NaN: there is none."""
    gone, columns = np.isnan(totals), running_total.c
    new = [
        {"station": station, "sensor": sensor, "time": time, "total": total}
        for time, total in zip(times[~gone].tolist(), totals[~gone].tolist(), strict=True)
    ]
    if new:
        connection.execute(upsert(connection.dialect, running_total, ["total"]), new)
    of = and_(columns.station == station, columns.sensor == sensor)
    for start in range(0, int(gone.sum()), 500):
        some = times[gone][start : start + 500].tolist()
        connection.execute(delete(running_total).where(of, columns.time.in_(some)))
