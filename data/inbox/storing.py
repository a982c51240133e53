"""Deliveries into the own table: the same writer as for imports, without a batch to undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError

from data.arrays import Integers
from data.catalogue import Catalogue
from data.inbox.arrivals import Arrivals, StationRows, joined_arrivals, rows_by_station
from data.inbox.spool import Delivery, Spool
from data.ingest.writer import ObservationWriter
from data.inventory import OWN_SOURCE, Inventory
from data.sensor_spans import spans_of

ROWS_AT_ONCE: Final = 100_000
_ROWS_FOR_A_STEP: Final = 10  # times of fewer do not tell a station's usual step anew
# What a delivery itself brings about; anything else is the database's or the machine's, and passes.
_OF_THE_DELIVERY: Final = (ArithmeticError, DataError, LookupError, TypeError, ValueError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Stored:
    """What was taken: deliveries, their observations, and how many of these were new."""

    deliveries: int
    rows: int
    new: int


class Storekeeper:
    """Stores what waits in a spool; one process a spool."""

    def __init__(self, engine: Engine, catalogue: Catalogue, spool: Spool) -> None:
        self._spool, self._catalogue = spool, catalogue
        self._inventory = Inventory(engine, OWN_SOURCE)
        self._writer = cache(partial(ObservationWriter, engine, catalogue))
        self._engine = engine.execution_options(sqlite_begin="IMMEDIATE")

    def store(self, most_rows: int = ROWS_AT_ONCE) -> Stored:
        """Store the oldest deliveries in one transaction, then remove them. Killed between the two,
        the next call stores them again, which changes nothing. One that cannot be stored whatever
        one does is set aside, so that the others go on.

        Raises:
            SQLAlchemyError: the database does not take them; they wait.
        """
        taken = list(self._spool.take(most_rows))
        if not taken:
            return Stored(0, 0, 0)
        try:
            return self._store(taken)
        except _OF_THE_DELIVERY as exc:
            if len(taken) > 1:  # which of them, each alone will tell
                return self.store(most_rows=1)
            self._spool.set_aside(taken[0][0], f"{type(exc).__name__}: {exc}")
            return Stored(1, 0, 0)

    def _store(self, taken: Sequence[tuple[Delivery, Arrivals]]) -> Stored:
        arrivals = self._known(joined_arrivals([each for _, each in taken]))
        steps_ms = {each.name: each.step_ms for each in self._inventory.known(set(arrivals.stations.tolist())).stations}
        new = 0
        with self._engine.begin() as connection:
            for rows in rows_by_station(arrivals):
                new += self._write(connection, rows, steps_ms)
        self._spool.remove([delivery for delivery, _ in taken])
        return Stored(len(taken), len(arrivals), new)

    def _known(self, arrivals: Arrivals) -> Arrivals:
        """Leave out sensors that the catalogue has lost since they arrived."""
        at = [number for number, name in enumerate(arrivals.sensors) if name in self._catalogue]
        if len(at) < len(arrivals.sensors):
            lost = [name for name in arrivals.sensors if name not in self._catalogue]
            log.warning("values of sensors that the catalogue no longer has are not stored", sensors=lost)
        names = tuple(arrivals.sensors[number] for number in at)
        return Arrivals(names, arrivals.stations, arrivals.times, arrivals.values[:, at], arrivals.given[:, at])

    def _write(self, connection: Connection, rows: StationRows, steps_ms: Mapping[str, int | None]) -> int:
        writer = self._writer(rows.sensors)
        writer.inventory.lock(connection, rows.station)
        written = writer.write(connection, rows.station, rows.times, rows.values)
        given = spans_of(rows.sensors, rows.times, rows.values)
        step_ms = usual_step_ms(rows.times, steps_ms.get(rows.station))
        writer.inventory.describe(connection, rows.station, sensors=given, step_ms=step_ms)
        return written.stored


def usual_step_ms(times: Integers, known_ms: int | None) -> int | None:
    """Return the most frequent pause between times (int64[n] ms UTC, sorted, unique), where there
    are enough of them to tell, or any while none is known; else None.
    """
    if len(times) < (_ROWS_FOR_A_STEP if known_ms is not None else 2):
        return None
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[counts.argmax()])
