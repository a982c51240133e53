"""The rules that look at all sensors of a station together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from analysis.quality import consistency, silence
from analysis.quality.consistency import frozen_rows, frozen_spans
from analysis.quality.series_checks import JOIN_MS, JOIN_NIGHTS_MS, SeriesChecks
from analysis.quality.spans import NONE, Spans, concatenated, joined, spans_of, without_inside
from analysis.quality.station_months import MonthRows, blowing, station_months
from analysis.quality.stuck import is_quiet
from analysis.question import Observed
from data.arrays import Floats, Integers
from data.quality_limits import QualityLimits, Quantity
from data.time.epoch import HOUR_MS
from data.view.gaps import steps_at

STATION: Final = ""  # the place of a sensor, of what all of them have
_SILENT_ROWS: Final = 6
_FROZEN_ROWS: Final = 6
_ONE_AND_A_HALF: Final = 1.5
_JUMP_STEPS: Final = 6  # within which all sensors go on after a station was frozen
_RARE: Final = 0.5  # a sensor with fewer readings than this part of the station's sends when it has something to say
_DEW_ALLOWED, _GUST_ALLOWED = 0.5, 0.5  # degC, m/s: rounding and two instruments
_RAIN_MM, _DRY_PERCENT = 0.5, 25.0

Found = dict[tuple[str, str], Spans]  # by sensor and rule


class StationChecks:
    """Asks the rules of one station's measured series."""

    def __init__(
        self, observed: Sequence[Observed], limits: Sequence[QualityLimits], position: tuple[float, float] | None
    ) -> None:
        """Take the series with the limits of each, and where the station stands."""
        self._observed, self._limits = observed, limits
        self._checks = [
            SeriesChecks(each.sensor, each.step_ms, limit, position) for each, limit in zip(observed, limits, strict=True)
        ]
        self._of = {limit.quantity: place for place, limit in reversed(list(enumerate(limits)))}
        self._reference = max(observed, key=lambda each: each.series.rows)
        self._step = min((each.step_ms for each in observed if each.step_ms), default=0)
        self._parts: dict[tuple[str, str], list[Spans]] = defaultdict(list)
        self._last: Integers = np.empty(0, np.int64)
        self._before: list[Floats] = []

    def run(self) -> Found:
        """Return what each rule found in each sensor."""
        for rows in station_months(self._observed):
            self._month(rows)
        found = {key: self._joined(key[1], parts) for key, parts in self._parts.items()}
        for each, checks in zip(self._observed, self._checks, strict=True):
            found |= {(each.sensor.name, rule): spans for rule, spans in checks.found().items()}
        return {key: spans for key, spans in self._unexplained(found).items() if len(spans)}

    def _unexplained(self, found: Found) -> Found:
        """Return what is found without what something longer explains: a sensor that stands still
        in a frozen station, and the jump with which readings go on after that.
        """
        frozen = found.get((STATION, "frozen"), NONE)
        after = _JUMP_STEPS * self._step
        kept = dict(found)
        for (sensor, rule), spans in found.items():
            if rule in ("stuck", "variation"):
                kept[sensor, rule] = without_inside(spans, frozen, after)
            elif rule in ("step", "spike"):
                still = concatenated([frozen, found.get((sensor, "stuck"), NONE)])
                kept[sensor, rule] = without_inside(spans, still, after)
        return kept

    def _month(self, rows: list[MonthRows]) -> None:
        speed = self._of.get("wind_speed")
        for place, (checks, limits) in enumerate(zip(self._checks, self._limits, strict=True)):
            blows = None
            if limits.quantity == "wind_direction" and speed is not None:
                quiet = self._limits[speed].quiet
                blows = blowing(rows[speed].any_at(rows[place].good[0]), quiet[1] if quiet else 0.0)
            checks.add(rows[place], blows)
        stamps = silence.union([each.times for each in rows])
        self._times(stamps, rows)
        self._frozen(stamps, rows)
        self._contradictions(rows)
        self._last = stamps[-1:]

    def _times(self, stamps: Integers, rows: list[MonthRows]) -> None:
        """Pauses of the station, readings out of step, and sensors that are silent."""
        if not self._step:
            return
        times = np.concatenate([self._last, stamps])
        odd = np.flatnonzero(np.diff(times) != self._step)
        if len(odd):
            ends = np.stack([times[odd], times[odd + 1]])
            usual = np.maximum(*(steps_at(self._reference.series, each, self._step) for each in ends))
            steps = np.full(len(times) - 1, self._step)
            steps[odd] = np.maximum(usual, self._step)
            self._parts[STATION, "gap"].append(silence.gaps(times, steps))
            self._parts[STATION, "irregular"].append(silence.irregular(times, steps, JOIN_MS))
        for place, (each, own) in enumerate(zip(self._observed, rows, strict=True)):
            often = each.series.rows >= _RARE * self._reference.series.rows
            if often and (each.step_ms or 0) <= self._step:
                known = each.series.table  # before its first reading and after its last it was not there
                low, high = np.searchsorted(stamps, [known.first_ms, known.last_ms + 1])
                due = self._due(place, stamps[low:high], rows)
                self._parts[each.sensor.name, "silent"].append(silence.silent(own.times, due, self._step, 1))

    def _due(self, place: int, stamps: Integers, rows: list[MonthRows]) -> Integers:
        """Return the stamps at which a sensor owes a reading: a wind direction none in a calm."""
        speed = self._of.get("wind_speed")
        if self._limits[place].quantity != "wind_direction" or speed is None:
            return stamps
        quiet = self._limits[speed].quiet
        blows = blowing(rows[speed].any_at(stamps), quiet[1] if quiet else 0.0)
        return stamps[blows | np.isin(stamps, rows[place].times)]

    def _frozen(self, stamps: Integers, rows: list[MonthRows]) -> None:
        kept = [place for place, limits in enumerate(self._limits) if limits.quantity != "rain"]
        if len(kept) < consistency.LIVELY or not len(stamps):
            return
        values = [rows[place].any_at(stamps) for place in kept]
        if self._before:
            stamps = np.concatenate([self._last, stamps])
            values = [np.concatenate([before, each]) for before, each in zip(self._before, values, strict=True)]
        quiet = [is_quiet(each, self._limits[place].quiet) for place, each in zip(kept, values, strict=True)]
        self._parts[STATION, "frozen"].append(frozen_spans(stamps, frozen_rows(values, quiet)))
        self._before = [each[-1:] for each in values]

    def _contradictions(self, rows: list[MonthRows]) -> None:
        for lower, upper, rule, allowed in (
            ("dew_point", "air_temperature", "dew_point", _DEW_ALLOWED),
            ("wind_speed", "wind_gust", "gust", _GUST_ALLOWED),
        ):
            both = self._both(rows, lower, upper)  # type: ignore[arg-type]
            if both:
                name, times, one, other = both
                found = consistency.above(one, other, allowed)
                self._parts[name, rule].append(spans_of(times, one, found.at, found.limit, found.excess, JOIN_MS))
        both = self._both(rows, "rain", "humidity")
        if both:
            name, times, one, other = both
            found = consistency.rain_in_dry_air(one, other, _RAIN_MM, _DRY_PERCENT)
            self._parts[name, "dry_rain"].append(spans_of(times, one, found.at, found.limit, found.excess, JOIN_MS))
        self._lonely_direction(rows)

    def _lonely_direction(self, rows: list[MonthRows]) -> None:
        direction, speed = self._of.get("wind_direction"), self._of.get("wind_speed")
        if direction is None or speed is None or not len(rows[direction].times):
            return
        times, values = rows[direction].good
        at = np.flatnonzero(consistency.without(values, rows[speed].any_at(times), _SILENT_ROWS))
        name = self._observed[direction].sensor.name
        self._parts[name, "no_speed"].append(spans_of(times, values, at, np.nan, join_ms=JOIN_MS))

    def _both(self, rows: list[MonthRows], one: Quantity, other: Quantity) -> tuple[str, Integers, Floats, Floats] | None:
        """Return a sensor's name, its stamps and values, and another one's at the same stamps."""
        first, second = self._of.get(one), self._of.get(other)
        if first is None or second is None or not len(rows[first].times):
            return None
        times, values = rows[first].good
        return self._observed[first].sensor.name, times, values, rows[second].at(times)

    def _joined(self, rule: str, parts: list[Spans]) -> Spans:
        spans = concatenated(parts)
        if not len(spans):
            return NONE
        if rule == "gap":
            return spans
        if rule == "silent":
            spans = joined(spans, round(_ONE_AND_A_HALF * self._step))
            number = spans.rows.astype(np.float64)
            spans = replace(spans, value=number, limit=np.full(len(spans), float(_SILENT_ROWS)), excess=number / _SILENT_ROWS)
            return spans.chosen(spans.rows >= _SILENT_ROWS)
        if rule == "frozen":
            spans = joined(spans, 0)  # those that go on in the next month
            spans = replace(spans, value=(spans.end - spans.start) / HOUR_MS)
            return spans.chosen((spans.value >= consistency.FROZEN_HOURS) & (spans.rows >= _FROZEN_ROWS))
        return joined(spans, JOIN_NIGHTS_MS if rule == "irregular" else JOIN_MS)
