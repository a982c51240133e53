"""The first or last time of some rows that can be read:
30 February, ``24:00`` or a word may stand before or after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from data.source.mapped.changes import instants
from data.source.mapped.reflected import ReflectedTable

MOST_UNREADABLE = 10_000
_LIMITS = (1, 100, MOST_UNREADABLE)


@dataclass(frozen=True)
class EndTime:
    """``ms`` (UTC): None where no row has a time that can be read.
    ``example`` is a time beyond it that cannot (None: none is).

    ``too_far``: more than :data:`MOST_UNREADABLE` rows would have to be passed over.
    """

    ms: int | None
    example: Any = None
    too_far: bool = False


def end_time(
    connection: Connection,
    reflected: ReflectedTable,
    where: Sequence[ColumnElement[bool]],
    *,
    last: bool = False,
    least_ms: int | None = None,
) -> EndTime:
    """Return the first time of some rows of one table, or the last:
    by one step of an index in the usual case.

    ``least_ms`` (UTC): rows before it are passed over, too;
    a window of texts holds some of the day before.
    """
    order = [column.desc() if last else column for column in reflected.by_time]
    query = select(reflected.time).where(*where).order_by(*order)
    shown: list[Any] = []
    for limit in _LIMITS:
        shown = list(connection.execute(query.limit(limit)).scalars())
        times = instants(reflected, shown)
        if least_ms is not None:
            times = times[times >= least_ms]
        if len(times):
            return EndTime(int(times[0]), shown[0] if limit > 1 else None)
        if len(shown) < limit:
            return EndTime(None, next(iter(shown), None))
    return EndTime(None, shown[0], too_far=True)
