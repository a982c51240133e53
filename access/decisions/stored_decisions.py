"""Decisions in force, for all who draw, compute or make flags."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from access.decisions.made_decision import PLAIN, plain_decision
from access.tables import quality_decision as table
from data.database.engine import lacks_tables
from data.decision import Decision
from errors import LedgerUnavailable

LOOK_EVERY_S: Final = 0.5

_BySeries = Mapping[tuple[str, str], tuple[Decision, ...]]


class StoredDecisions:
    """Finds the decisions in force about a series, as :data:`data.decision.Decisions`.

    All of them are kept in the process. Whether any was made or undone since is asked at most every
    LOOK_EVERY_S seconds, by one statement that answers with these alone; and never while nobody
    asks. ``clock``: seconds.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._look_s = float("-inf")  # when to look again
        self._revision = 0  # the latest that was read
        self._found: _BySeries = {}

    def __call__(self, station: str, sensor: str) -> tuple[Decision, ...]:
        """Return the decisions in force about a station's sensor, by number.

        Raises:
            LedgerUnavailable: the database does not answer.
            SQLAlchemyError: it is not up to date with the program.
        """
        if self._clock() >= self._look_s:
            with self._lock:
                if self._clock() >= self._look_s:  # else another thread has looked meanwhile
                    self._read_changes()
        return self._found.get((station, sensor), ())

    def look_again(self) -> None:
        """Have the next question look for changes: this process has made one."""
        with self._lock:  # who is reading may have begun before the change
            self._look_s = float("-inf")

    def _read_changes(self) -> None:
        query = select(*PLAIN, table.c.undone_ms, table.c.revision).where(table.c.revision > self._revision)
        if not self._revision:
            query = query.where(table.c.undone_ms.is_(None))
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query.order_by(table.c.number)).all()
        except SQLAlchemyError as exc:
            if lacks_tables(exc):
                raise  # whoever answers says what to do
            raise LedgerUnavailable from exc
        self._look_s = self._clock() + LOOK_EVERY_S
        if not rows:
            return
        changed: dict[tuple[str, str], dict[int, Decision]] = {}
        for *cells, undone_ms, revision in rows:
            number, *series = cells[:3]
            of_series = changed.get(key := tuple(series))
            if of_series is None:
                of_series = changed[key] = {one.number: one for one in self._found.get(key, ())}
            of_series.pop(number, None)
            if undone_ms is None and (made := plain_decision(cells)) is not None:
                of_series[number] = made
            self._revision = max(self._revision, revision)
        self._found = {**self._found, **{key: tuple(each[at] for at in sorted(each)) for key, each in changed.items()}}
