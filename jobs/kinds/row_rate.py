"""How long it will still take: rows a second, smoothed. Pure; the time is passed in."""

from __future__ import annotations

import math

_MEMORY_S = 6.0  # what happened so long ago weighs 1/e
_FIRST_GUESS_S = 0.8  # sooner, a rate says little


class RowRate:
    """A smoothed rate of rows. Times are seconds of a monotonic clock."""

    def __init__(self, now: float) -> None:
        self._began = self._then = now
        self._rows = 0
        self._rate: float | None = None

    def update(self, now: float, rows: int) -> None:
        """``rows`` have been read by now, since the beginning."""
        passed = now - self._then
        if passed <= 0 or (rows == 0 and self._rate is None):
            return
        rate = (rows - self._rows) / passed
        weight = 1.0 if self._rate is None else 1 - math.exp(-passed / _MEMORY_S)
        self._rate = rate * weight + (self._rate or 0.0) * (1 - weight)
        self._then, self._rows = now, rows

    def seconds_left(self, rows: int) -> float | None:
        """Seconds for that many more rows; None when nobody can tell yet."""
        if self._rate is None or self._rate <= 0 or self._then - self._began < _FIRST_GUESS_S:
            return None
        return rows / self._rate
