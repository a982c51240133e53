"""A window beside one of the same length that begins a day, week, month, year or any offset
earlier.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator

from analysis.answer import Method, Moment, Table
from analysis.days import Periods, between, refuse_many
from analysis.question import Observed, Question, refuse_unloaded
from data.arrays import Floats, Integers
from data.time.epoch import DAY_MS, EARLIEST_MS, HOUR_MS, MINUTE_MS
from data.time.zones import ZoneOffsets
from data.view.statistics import statistics
from errors import InvalidRequest

_UNITS: Final = {"min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_MONTHS: Final = {"mo": 1, "y": 12}
_NAMED: Final = {"day": "1d", "week": "1w", "month": "1mo", "year": "1y"}
_OFFSET: Final = re.compile(r"([1-9]\d{0,3})(min|h|d|w|mo|y)", re.ASCII)
_STEPS: Final = {
    "1min": MINUTE_MS,
    "10min": 10 * MINUTE_MS,
    "30min": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "3h": 3 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "1d": DAY_MS,
    "7d": 7 * DAY_MS,
}
MOST_STEPS: Final = 1000  # of a window, where they are not chosen


class Options(BaseModel):
    """``offset``: ``window`` (the one just before), ``day``, ``week``, ``month``, ``year``, or a
    number of ``min``, ``h``, ``d``, ``w``, ``mo``, ``y`` such as ``3d``.

    ``bucket`` is what readings are brought together to; ``auto``: the shortest of which the window
    has a thousand or fewer.
    """

    model_config = ConfigDict(extra="forbid")

    offset: str = "window"
    bucket: Literal["auto", "1min", "10min", "30min", "1h", "3h", "6h", "1d", "7d"] = "auto"

    @field_validator("offset")
    @classmethod
    def _known(cls, value: str) -> str:
        if value != "window" and not _OFFSET.fullmatch(_NAMED.get(value, value)):
            raise ValueError("give window, day, week, month, year, or a number of min, h, d, w, mo, y such as 3d")
        return value


@dataclass(frozen=True)
class Side:
    """One of two windows: ``value`` by the sensor's rule over all its rows; null without rows.
    ``complete`` is the share of the readings due (0..1).
    """

    from_: Moment
    to_: Moment
    rows: int
    complete: float
    value: float
    min: float
    max: float


@dataclass(frozen=True)
class Earlier:
    """Steps of both windows: ``minutes`` i8[n] since the beginning, on the clock; ``starts`` of
    this window's steps; ``values`` and ``before`` f8[n] in the sensor's unit; ``difference`` this
    minus the earlier one (of a direction -180 to 180 degrees).

    ``rows`` and ``rows_before`` i8[n]. ``note`` says when there is nothing to compare with.
    """

    bucket: str
    minutes: Integers
    starts: tuple[Moment, ...]
    values: Floats
    before: Floats
    difference: Floats
    rows: Integers
    rows_before: Integers
    this: Side
    earlier: Side
    change: float
    note: str


METHOD = (
    Method("earlier window", "the same time of the clock, an offset earlier; the 31st of a shorter month is its last day"),
    Method("value", "mean, sum or mean direction of all readings of a step or window, by the sensor's rule"),
    Method("change", "value of this window minus that of the earlier one"),
)


def run(question: Question, observed: Observed, options: Options) -> Earlier:
    """Return one series beside itself.

    Raises:
        NotLoaded: the earlier window begins before what was loaded; says from when to load.
    """
    span = (question.start_ms, question.end_ms)
    clock = _Clock.of(span, question.timezone, options.offset)
    refuse_unloaded(clock.before[0], question.loaded[0])
    bucket = _bucket(observed, clock.length_ms, options)
    steps = np.arange(0, clock.length_ms, _STEPS[bucket], dtype=np.int64)
    other = question.opened(observed, clock.before)
    here, there = (
        between(observed, clock.edges(steps, span), span),
        between(other, clock.edges(steps, clock.before), clock.before),
    )
    this, earlier = _side(observed, span, here), _side(other, clock.before, there)
    minus = turned if observed.sensor.is_direction else np.subtract
    return Earlier(
        bucket=bucket,
        minutes=steps // MINUTE_MS,
        starts=tuple(map(Moment, here.start.tolist())),
        values=here.value,
        before=there.value,
        difference=minus(here.value, there.value),
        rows=here.rows,
        rows_before=there.rows,
        this=this,
        earlier=earlier,
        change=float(minus(np.array(this.value), np.array(earlier.value))),
        note="" if this.rows and earlier.rows else f"no readings in {'the earlier' if this.rows else 'this'} window",
    )


def begins(options: Options, span: tuple[int, int], timezone: str) -> int:
    """Return when the earlier window of a span begins, ms UTC.

    Raises:
        InvalidRequest: before the year 1.
    """
    return _Clock.of(span, timezone, options.offset).before[0]


@dataclass(frozen=True)
class _Clock:
    """The earlier window ``before`` in ms UTC, and the windows' length on the clock."""

    before: tuple[int, int]
    length_ms: int
    offsets: ZoneOffsets

    @classmethod
    def of(cls, span: tuple[int, int], timezone: str, offset: str) -> _Clock:
        zone = ZoneInfo(timezone)
        start, end = ZoneOffsets(zone, *span).to_wall(np.array(span)).tolist()
        # a window may lie within an hour that the clock shows twice
        length = end - start if end > start else span[1] - span[0]
        shifted = start - length if offset == "window" else _shifted(start, offset)
        if shifted < EARLIEST_MS + 2 * DAY_MS:
            raise InvalidRequest("The earlier window would begin before the year 1. Choose a shorter offset.", field="offset")
        offsets = ZoneOffsets(zone, shifted - 2 * DAY_MS, span[1])
        before = offsets.to_utc(np.array([shifted, shifted + length])).tolist()
        return cls((before[0], before[1]), length, offsets)

    def edges(self, steps: Integers, span: tuple[int, int]) -> Integers:
        """Edges i8[n+1] ms UTC of steps of the clock since a window's beginning."""
        edges = self.offsets.to_utc(self.offsets.to_wall(np.array([span[0]])) + np.append(steps, self.length_ms))
        edges[0], edges[-1] = span
        return np.maximum.accumulate(np.minimum(edges, span[1]))


def _shifted(wall_ms: int, offset: str) -> int:
    """A time on the clock, an offset earlier."""
    match = _OFFSET.fullmatch(_NAMED.get(offset, offset))
    assert match  # noqa: S101 - the options were checked # nosec B101
    number, unit = int(match[1]), match[2]
    if unit in _UNITS:
        return wall_ms - number * _UNITS[unit]
    day, rest = divmod(wall_ms, DAY_MS)
    date = np.datetime64(day, "D")
    month = date.astype("datetime64[M]")
    target = month - number * _MONTHS[unit]
    last = (target + 1).astype("datetime64[D]") - 1
    moved = min(target.astype("datetime64[D]") + (date - month.astype("datetime64[D]")), last)
    return int(moved.astype(np.int64)) * DAY_MS + rest


def _bucket(observed: Observed, length_ms: int, options: Options) -> str:
    """Raises TooLarge where a chosen bucket has too many steps."""
    if options.bucket != "auto":
        refuse_many(length_ms // _STEPS[options.bucket])
        return options.bucket
    step = observed.step_ms or 0
    return next((name for name, ms in _STEPS.items() if ms >= step and length_ms <= MOST_STEPS * ms), "7d")


def _side(observed: Observed, span: tuple[int, int], held: Periods) -> Side:
    flagged = observed.rows == "all"
    found = statistics(observed.series, observed.sensor, *span, step_ms=observed.step_ms, include_flagged=flagged)
    value = found.sum if observed.sensor.aggregation == "sum" else found.mean
    numbers = (math.nan if each is None else float(each) for each in (found.completeness, value, found.min, found.max))
    return Side(Moment(span[0]), Moment(span[1]), int(held.rows.sum()), *numbers)


def turned(one: Floats, other: Floats) -> Floats:
    """Return how far directions are turned from others, by the shorter way: -180 to 180 degrees."""
    return (one - other + 180.0) % 360.0 - 180.0


def table(result: Earlier, unit: str) -> Table:
    """Return a row a step of both windows."""
    columns = (result.values, result.before, result.difference)
    numbers = zip(*(each.tolist() for each in columns), result.rows.tolist(), result.rows_before.tolist(), strict=True)
    rows: list[tuple[Any, ...]] = [
        (start, minutes, *row) for start, minutes, row in zip(result.starts, result.minutes.tolist(), numbers, strict=True)
    ]
    header = ("start", "minutes", f"value [{unit}]", f"earlier [{unit}]", f"difference [{unit}]", "rows", "earlier rows")
    return Table(header, rows)
