"""Wall-clock times of a logger become UTC, also where clocks change."""

from __future__ import annotations

from collections import Counter
from datetime import tzinfo

import numpy as np

from data.arrays import Bools, Integers
from data.ingest.file_observations import StationColumn
from data.time.epoch import HOUR_MS
from data.time.zones import ZoneOffsets


class FileClock:
    """Wall-clock times of one zone, row after row of one file.

    An hour that occurs twice (clocks went back) is told by order: a row takes the first occurrence
    that is later than the station's row before; where neither is, the first. Of a station whose
    newest rows come first it is the other way round. An hour that does not exist (clocks went
    forward) gives no time.

    ``guessed``: by station, how many rows of such an hour had nothing before them
    that tells which of the two it is.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._latest: dict[str, int] = {}  # station -> UTC ms of its last row of the chunks before
        self._newest_first: dict[str, bool] = {}
        self._sure: set[str] = set()  # stations with a time that is no guess
        self.guessed: Counter[str] = Counter()

    def to_utc(self, wall_ms: Integers, stations: StationColumn) -> tuple[Integers, Bools]:
        """int64 ms UTC, and which rows have a time at all.

        Args:
            wall_ms: int64 ms since 1970-01-01 on the wall clock, in the file's order.
            stations: the station of each row.
        """
        if not len(wall_ms):
            return wall_ms, np.ones(0, np.bool_)
        offsets = ZoneOffsets(self._zone, int(wall_ms.min()), int(wall_ms.max()))
        first, second = offsets.passes(wall_ms)
        exists, utc = first <= second, first.copy()
        twice = first < second
        for station in sorted(stations.present(twice)):
            rows = np.flatnonzero((stations.codes == stations.names.index(station)) & exists)
            self._note_order(station, first[rows], sure=not twice[rows].all())
            self._choose_pass(station, rows, utc, first, second)
        last = np.full(len(stations.names), -1)
        last[stations.codes[exists]] = np.flatnonzero(exists)  # of several rows the last one stays
        self._latest.update({name: int(utc[row]) for name, row in zip(stations.names, last.tolist(), strict=True) if row >= 0})
        self._sure |= stations.present(exists & ~twice)
        return utc, exists

    def _note_order(self, station: str, readings: Integers, *, sure: bool) -> None:
        """Return whether a station's newest rows come first, by first readings (UTC ms);
        ``sure``: some have no second one.
        """
        ends = [*([self._latest[station]] if station in self._latest else []), int(readings[0]), int(readings[-1])]
        if sure or abs(ends[-1] - ends[0]) > HOUR_MS:
            self._newest_first[station] = ends[-1] < ends[0]

    def _choose_pass(self, station: str, rows: Integers, utc: Integers, first: Integers, second: Integers) -> None:
        """Set ``utc`` of the rows (positions) of one station that have two readings."""
        newest_first, sure = self._newest_first.get(station, False), station in self._sure
        before = self._latest.get(station)
        for row in rows.tolist():
            early, late = int(first[row]), int(second[row])
            if early < late:
                usual, other = (late, early) if newest_first else (early, late)
                passed = before is not None and ((early < before <= late) if newest_first else (early <= before < late))
                utc[row] = other if passed else usual
                if passed:  # the hour goes by for the second time, so what was guessed is right
                    self.guessed.pop(station, None)
                    sure = True
                elif not sure:
                    self.guessed[station] += 1
            else:
                sure = True
            before = int(utc[row])
