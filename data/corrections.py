"""Corrections that people decided, applied to readings of a series (docs/decisions/0041). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from data.arrays import Bools, Floats, Integers
from data.decision import CORRECTIONS, Decision
from data.decision_reach import shift_ms
from data.readings import FLAG_RANGE, FLAG_SOURCE
from data.sensor import Sensor

_MORE_DECIMALS: Final = 6  # than are shown: what adding and multiplying leave in the last digits goes
_CIRCLE: Final = 360.0


@dataclass(frozen=True)
class CorrectedRows:
    """Readings of a series by time: stamps i8[n] ms UTC, strictly increasing, values f8[n], finite,
    flags u1[n] (data/readings.py), and ``by`` i8[n]: the number of the decision that corrected or
    filled in each last, 0 where it is as measured.
    """

    times: Integers
    values: Floats
    flags: npt.NDArray[np.uint8]
    by: Integers

    def chosen(self, which: Bools | Integers | slice) -> CorrectedRows:
        """Return some of them."""
        return CorrectedRows(self.times[which], self.values[which], self.flags[which], self.by[which])

    def between(self, start_ms: int, end_ms: int) -> CorrectedRows:
        """Return those stamped in [start_ms, end_ms)."""
        return self.chosen(slice(*np.searchsorted(self.times, [start_ms, end_ms]).tolist()))


Good = tuple[Integers, Floats]
"""Stamps and values, in the unit of the series that they fill, of readings without a flag."""


def measured(times: Integers, values: Floats, flags: npt.NDArray[np.uint8]) -> CorrectedRows:
    """Return readings as they were measured."""
    return CorrectedRows(times, values, flags, np.zeros(len(times), np.int64))


def corrected(
    rows: CorrectedRows, decisions: Sequence[Decision], sensor: Sensor, others: Mapping[int, Good] | None = None
) -> CorrectedRows:
    """Return readings after the corrections among some decisions, one after the other by number;
    ``others`` has by the number of a decision what it fills in.

    A span is of the stamps as they are when its turn comes. Whatever was corrected is asked anew
    whether it is in the sensor's valid range, and stays bad by its source where it was.

    - ``offset`` adds, ``factor`` multiplies; a direction stays within the circle.
    - ``shift`` moves stamps. Where it meets a reading that is not moved, that one stays and the
      moved one is left out: nothing outside the span changes.
    - ``delete`` takes readings out.
    - ``fill`` takes the readings of ``others`` in the span at whose stamps this series has none, or
      a flagged one, which is replaced.
    """
    for one in sorted(decisions, key=lambda one: one.number):
        if one.kind in CORRECTIONS:
            rows = _after(rows, one, sensor, (others or {}).get(one.number))
    return rows


def _after(rows: CorrectedRows, one: Decision, sensor: Sensor, other: Good | None) -> CorrectedRows:
    low, high = np.searchsorted(rows.times, one.start_ms), np.searchsorted(rows.times, one.end_ms, "right")
    part = slice(int(low), int(high))
    if one.kind == "fill":
        return rows if other is None else _filled(rows, part, one, sensor, other)
    if part.start == part.stop:
        return rows
    if one.kind == "delete":
        return rows.chosen(np.delete(np.arange(len(rows.times)), part))
    if one.kind == "shift":
        return _shifted(rows, part, one)
    return _recomputed(rows, part, one, sensor)


def _recomputed(rows: CorrectedRows, part: slice, one: Decision, sensor: Sensor) -> CorrectedRows:
    amount = one.amount or 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        found = rows.values[part] + amount if one.kind == "offset" else rows.values[part] * amount
        found = np.round(found, sensor.decimals + _MORE_DECIMALS) + 0.0  # no negative zero
        if sensor.is_direction:
            found = np.where((found < 0) | (found > _CIRCLE), found % _CIRCLE, found)
    values, flags, by = rows.values.copy(), rows.flags.copy(), rows.by.copy()
    values[part], by[part] = found, one.number
    flags[part] = (flags[part] & FLAG_SOURCE) | _out_of_range(found, sensor)
    after = CorrectedRows(rows.times, values, flags, by)
    finite = np.isfinite(values)  # too large a number is none
    return after if finite.all() else after.chosen(finite)


def _shifted(rows: CorrectedRows, part: slice, one: Decision) -> CorrectedRows:
    moved = rows.chosen(part)
    moved = CorrectedRows(moved.times + shift_ms(one), moved.values, moved.flags, np.full(len(moved.times), one.number))
    stay = rows.chosen(np.delete(np.arange(len(rows.times)), part))
    return _joined(stay, moved.chosen(~np.isin(moved.times, stay.times, assume_unique=True)))


def _filled(rows: CorrectedRows, part: slice, one: Decision, sensor: Sensor, other: Good) -> CorrectedRows:
    low, high = np.searchsorted(other[0], one.start_ms), np.searchsorted(other[0], one.end_ms, "right")
    times, values = other[0][low:high], other[1][low:high]
    own = rows.chosen(part)
    fresh = ~np.isin(times, own.times[own.flags == 0], assume_unique=True)
    times, values = times[fresh], values[fresh]
    new = CorrectedRows(times, values, _out_of_range(values, sensor), np.full(len(times), one.number))
    replaced = np.isin(rows.times, times, assume_unique=True)
    return _joined(rows.chosen(~replaced), new)


def _joined(some: CorrectedRows, others: CorrectedRows) -> CorrectedRows:
    """Return readings that have no stamp in common, by time."""
    names = ("times", "values", "flags", "by")
    both = CorrectedRows(*(np.concatenate([getattr(some, name), getattr(others, name)]) for name in names))
    return both.chosen(np.argsort(both.times, kind="stable"))


def _out_of_range(values: Floats, sensor: Sensor) -> npt.NDArray[np.uint8]:
    found: npt.NDArray[np.uint8] = ((values < sensor.valid_min) | (values > sensor.valid_max)).view(np.uint8) * np.uint8(
        FLAG_RANGE
    )
    return found
