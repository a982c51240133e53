"""The rules of one series, asked a month at a time, so that memory does not grow with the range."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Final

import numpy as np

from analysis.quality import jumps, plausible, radiation, stuck
from analysis.quality.jumps import Beyond
from analysis.quality.spans import Spans, concatenated, joined, spans_of
from analysis.quality.station_months import MonthRows
from data.arrays import Bools, Floats, Integers
from data.quality_limits import QualityLimits
from data.readings import FLAG_SOURCE
from data.sensor import Sensor
from data.time.epoch import DAY_MS, HOUR_MS

JOIN_MS: Final = DAY_MS  # what a rule finds within a day is one event
JOIN_NIGHTS_MS: Final = 36 * HOUR_MS  # what it finds every night
_SPIKE_ROWS: Final = 3
_PAUSE_STEPS: Final = 3
_POLAR_DEGREES: Final = 60.0  # from here on a clouded day in winter may stay below 10 W/m2
_UNKNOWN_PAUSE_MS: Final = 3 * HOUR_MS


class SeriesChecks:
    """Takes the rows of one series by month and tells what each rule found in them."""

    def __init__(
        self,
        sensor: Sensor,
        step_ms: int | None,
        limits: QualityLimits,
        position: tuple[float, float] | None,
        *,
        as_events: bool = True,
    ) -> None:
        """Take what the rules need: the usual step in ms and the station's ``position``, degrees
        north and east. Without ``as_events`` each stretch of readings is a span of its own.
        """
        self._sensor, self._limits, self._position = sensor, limits, position
        self._join_ms, self._join_nights_ms = (JOIN_MS, JOIN_NIGHTS_MS) if as_events else (0, 0)
        self._half_step = (step_ms or 0) // 2 * (1 if sensor.stamp == "start" else -1)
        self._pause = _PAUSE_STEPS * step_ms if step_ms else _UNKNOWN_PAUSE_MS
        self._last = (np.empty(0, np.int64), np.empty(0))
        self._parts: dict[str, list[Spans]] = defaultdict(list)
        self._daily = stuck.DailyRange()

    def add(self, rows: MonthRows, blows: Bools | None = None) -> None:
        """Take the next month; ``blows`` bool[good rows] is, of a wind direction, where there is
        wind.
        """
        times, values = rows.good
        if rows.flags.any():
            self._flagged(rows)
        if not len(times):
            return
        if self._limits.climate is not None:
            self._parts["climate"].append(plausible.beyond_climate(times, values, self._limits.climate, self._join_ms))
        self._jumps(times, values)
        if len(self._last[0]):  # from the last month to this one
            self._jumps(*(np.concatenate([before, each[:1]]) for before, each in zip(self._last, (times, values), strict=True)))
        self._last = times[-1:], values[-1:]
        self._still(times, values, blows)
        self._radiation(times, values)

    def found(self) -> dict[str, Spans]:
        """Return what each rule found; those within a day are one span."""
        found = {
            rule: joined(_by_start(concatenated(parts)), self._join_nights_ms if rule in ("dark", "sun") else self._join_ms)
            for rule, parts in self._parts.items()
            if rule != "stuck"
        }
        if self._limits.still_hours is not None:
            found["stuck"] = self._stuck()
        if self._limits.variation is not None and not self._is_polar_night():
            found["variation"] = self._daily.still(self._limits.variation, self._limits.variation_days)
        return found

    def _is_polar_night(self) -> bool:
        """Return whether days may be dark by nature: radiation at a high latitude."""
        return self._limits.night is not None and self._position is not None and abs(self._position[0]) > _POLAR_DEGREES

    def _flagged(self, rows: MonthRows) -> None:
        bounds = (self._sensor.valid_min, self._sensor.valid_max)
        self._parts["range"].append(plausible.beyond_range(rows.times, rows.values, bounds, self._join_ms))
        at = np.flatnonzero(rows.flags & FLAG_SOURCE)
        self._parts["source"].append(spans_of(rows.times, rows.values, at, np.nan, join_ms=self._join_ms))

    def _jumps(self, times: Integers, values: Floats) -> None:
        spiking = np.empty(0, np.int64)
        if self._limits.spike is not None and len(times) >= _SPIKE_ROWS:
            spikes = jumps.spikes(times, values, self._limits.spike)
            spiking = np.concatenate([spikes.at, spikes.at + 1])  # to a spike and back is no step
            self._beyond("spike", times, values, spikes)
        if self._limits.step is not None and len(times) > 1:
            steps = jumps.steps(times, values, self._limits.step)
            self._beyond("step", times, values, steps.without(spiking))

    def _radiation(self, times: Integers, values: Floats) -> None:
        if self._limits.dark is not None:
            self._beyond("dark", times, values, radiation.below_dark(values, self._limits.dark), nights=True)
        if self._limits.night is not None and self._position is not None:
            par = self._limits.quantity == "par"
            middle = times + self._half_step
            lit = radiation.against_sun(middle, values, self._position, self._limits.night, par=par)
            self._beyond("sun", times, values, lit, nights=True)

    def _beyond(self, rule: str, times: Integers, values: Floats, found: Beyond, *, nights: bool = False) -> None:
        join_ms = self._join_nights_ms if nights else self._join_ms
        spans = spans_of(times, values, found.at, found.limit, found.excess, join_ms)
        if rule == "step" and len(spans):  # either of two readings may be the wrong one
            before = times[np.searchsorted(times, spans.start) - 1]
            spans = replace(spans, start=before, value=spans.excess * spans.limit)  # how large the change is
        self._parts[rule].append(spans)

    def _still(self, times: Integers, values: Floats, blows: Bools | None) -> None:
        if self._limits.variation is not None:
            self._daily.add(times, values)
        if self._limits.still_hours is None:
            return
        runs = stuck.equal_runs(times, values, round(self._limits.still_hours * HOUR_MS), self._pause)
        runs = runs.chosen(self._may_be_stuck(runs, times))
        if blows is not None:
            wind = np.concatenate([[0], np.cumsum(blows)])
            low, high = np.searchsorted(times, runs.start), np.searchsorted(times, runs.end, "right")
            runs = runs.chosen((wind[high] - wind[low]) * 2 >= runs.rows)
        resolution = stuck.resolution_around(times, values, runs)
        self._parts["stuck"].append(Spans(runs.start, runs.end, runs.rows, runs.value, resolution, runs.excess))

    def _may_be_stuck(self, runs: Spans, times: Integers) -> Bools:
        """Return which runs may last too long: those that stand still by nature only where that is
        told for them, or where they go on in another month.
        """
        quiet_ms = np.inf if self._limits.quiet_hours is None else self._limits.quiet_hours * HOUR_MS
        at_edge = (runs.start == times[0]) | (runs.end == times[-1])
        found: Bools = at_edge | (runs.end - runs.start >= quiet_ms) | ~stuck.is_quiet(runs.value, self._limits.quiet)
        return found

    def _stuck(self) -> Spans:
        runs = stuck.continued(self._parts["stuck"], self._pause)
        limits = self._limits
        still_ms = round((limits.still_hours or 0) * HOUR_MS)
        quiet = stuck.is_quiet(runs.value, limits.quiet)
        lively = runs.chosen(~quiet)
        found = [stuck.too_long(lively, lively.limit, still_ms, limits.still_step or np.inf)]
        if limits.quiet_hours is not None:
            calm = runs.chosen(quiet)
            found.append(stuck.too_long(calm, np.full(len(calm), np.nan), round(limits.quiet_hours * HOUR_MS), 1.0))
        return _by_start(concatenated(found))


def _by_start(spans: Spans) -> Spans:
    return spans.chosen(np.argsort(spans.start, kind="stable"))
