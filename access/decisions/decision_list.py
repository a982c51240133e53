"""Decisions as they are listed: those of series that somebody may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import Select, func, select

from access.decisions.made_decision import MadeDecision, decision_of_row
from access.grants import Rights
from access.store import AccessStore
from access.tables import quality_decision as table
from data.decision import Decision

_PAGE: Final = 1_000  # rows of one query


@dataclass(frozen=True)
class DecisionFilter:
    """Which decisions: of some stations and sensors (empty: all), about readings stamped in
    [from_ms, to_ms), int ms UTC (None is any), undone or in force (None: both).
    """

    stations: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    undone: bool | None = None


def may_see_decision(rights: Rights, decision: Decision) -> bool:
    """Return whether a decision exists for somebody: its series does, and some time that it is
    about is granted.
    """
    if rights.everything:
        return True
    if not rights.knows(decision.station, decision.sensor):
        return False
    start_ms, end_ms = decision.touched_ms
    spans = (grant.span for grant in rights.grants if grant.names(decision.station, decision.sensor))
    return any(from_ms <= end_ms and start_ms < to_ms for from_ms, to_ms in spans)


def visible_decisions(
    store: AccessStore, rights: Rights, wanted: DecisionFilter, *, limit: int | None = None, before: int | None = None
) -> list[MadeDecision]:
    """Return the newest ``limit`` decisions that are there for somebody, by number; ``before``:
    older than that number.
    """
    return list(islice(_visible(store, rights, wanted, before, newest_first=True), limit))[::-1]


def every_visible_decision(store: AccessStore, rights: Rights, wanted: DecisionFilter) -> Iterator[MadeDecision]:
    """Yield all decisions that are there for somebody, by number, a page at a time: no more is in
    memory, and no connection is held between.
    """
    return _visible(store, rights, wanted, None, newest_first=False)


def last_number(store: AccessStore, rights: Rights, wanted: DecisionFilter) -> int:
    """Return the highest number of any decision, whenever and undone or not, about the series of a
    filter that exist for somebody; 0 where there is none.
    """
    of_series = select(table.c.station, table.c.sensor, func.max(table.c.number).label("last"))
    query = _of_series(of_series, wanted).group_by(table.c.station, table.c.sensor)
    with store.engine.connect() as connection:
        rows = connection.execute(query).all()
    return max((row.last for row in rows if rights.knows(row.station, row.sensor)), default=0)


def _known_stations(store: AccessStore, rights: Rights) -> tuple[str, ...]:
    """Return the stations that exist for somebody, of those with decisions."""
    with store.engine.connect() as connection:
        return tuple(rights.stations(connection.scalars(select(table.c.station).distinct())))


def _visible(
    store: AccessStore, rights: Rights, wanted: DecisionFilter, beyond: int | None, *, newest_first: bool
) -> Iterator[MadeDecision]:
    if not (rights.everything or wanted.stations):
        wanted = replace(wanted, stations=_known_stations(store, rights))
        if not wanted.stations:
            return
    for one in _by_number(store, wanted, beyond, newest_first=newest_first):
        if may_see_decision(rights, one.decision):
            yield one


def _by_number(store: AccessStore, wanted: DecisionFilter, beyond: int | None, *, newest_first: bool) -> Iterator[MadeDecision]:
    """Yield decisions beyond a number a page at a time; no connection is held between."""
    number = table.c.number
    query = _of_series(select(table), wanted).order_by(number.desc() if newest_first else number).limit(_PAGE)
    if wanted.from_ms is not None:
        query = query.where(table.c.to_ms >= wanted.from_ms)
    if wanted.to_ms is not None:
        query = query.where(table.c.from_ms < wanted.to_ms)
    if wanted.undone is not None:
        query = query.where(table.c.undone_ms.is_not(None) if wanted.undone else table.c.undone_ms.is_(None))
    while True:
        left = query if beyond is None else query.where(number < beyond if newest_first else number > beyond)
        with store.engine.connect() as connection:
            rows = connection.execute(left).all()
        yield from (one for one in map(decision_of_row, rows) if one is not None)
        if len(rows) < _PAGE:
            return
        beyond = rows[-1].number


def _of_series(query: Select[Any], wanted: DecisionFilter) -> Select[Any]:
    if wanted.stations:
        query = query.where(table.c.station.in_(wanted.stations))
    return query.where(table.c.sensor.in_(wanted.sensors)) if wanted.sensors else query
