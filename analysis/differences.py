"""Stations beside each other: one sensor of several stations, step by step, and how each differs
from the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.answer import Method, Moment, Table
from analysis.bins import product
from analysis.days import periods
from analysis.earlier import turned
from analysis.question import Observed, Question
from data.arrays import Floats, Integers
from data.time.buckets import BY_NAME
from errors import InvalidRequest

_STEPS: Final = ("1min", "10min", "1h", "1d", "1mo")
_MOST: Final = 2000  # steps of a window, where they are not chosen


class Options(BaseModel):
    """``bucket``: what readings are brought together to; ``auto``: the shortest of which the window
    has two thousand or fewer. ``base``: the station that others are compared with; default:
    the first.
    """

    model_config = ConfigDict(extra="forbid")

    bucket: Literal["auto", "1min", "10min", "1h", "1d", "1mo"] = "auto"
    base: str = ""


@dataclass(frozen=True)
class Offset:
    """A station against the one compared with, of the ``steps`` in which both have readings:
    ``mean`` and standard deviation (n - 1) of the difference, and Pearson's correlation; of a
    direction only the mean.
    """

    station: str
    steps: int
    mean: float
    deviation: float
    correlation: float


@dataclass(frozen=True)
class Differences:
    """``starts`` of the steps; ``values`` f8[station][step] by the sensor's rule, null without
    readings, ``rows`` i8[station][step] behind them; ``difference`` f8[station][step] to the
    station ``base`` (of a direction -180 to 180 degrees).
    """

    bucket: str
    base: str
    stations: tuple[str, ...]
    starts: tuple[Moment, ...]
    values: Floats
    rows: Integers
    difference: Floats
    offsets: tuple[Offset, ...]


METHOD = (
    Method("value", "mean, sum or mean direction of all readings of a step, by the sensor's rule"),
    Method("difference", "station minus the one compared with, where both have readings in a step"),
)


def run(question: Question, *asked: Any) -> Differences:
    """Return one sensor of several stations: the series, and the options last."""
    observed: tuple[Observed, ...] = asked[:-1]
    options: Options = asked[-1]
    stations = tuple(each.station for each in observed)
    base = options.base or stations[0]
    if base not in stations:
        raise InvalidRequest("The station {station} is not among those compared.", field="base", station=base)
    bucket = _bucket(question, observed) if options.bucket == "auto" else options.bucket
    held = [periods(question, each, bucket) for each in observed]
    values = np.array([each.value for each in held])
    own = values[stations.index(base)]
    is_direction = observed[0].sensor.is_direction
    difference = turned(values, own) if is_direction else values - own
    return Differences(
        bucket=bucket,
        base=base,
        stations=stations,
        starts=tuple(map(Moment, np.maximum(held[0].start, question.start_ms).tolist())),
        values=values,
        rows=np.array([each.rows for each in held]),
        difference=difference,
        offsets=tuple(
            _offset(station, each, own, apart, is_direction=is_direction)
            for station, each, apart in zip(stations, values, difference, strict=True)
            if station != base
        ),
    )


def _bucket(question: Question, observed: tuple[Observed, ...]) -> str:
    step = max((each.step_ms or 0 for each in observed), default=0)
    length = question.end_ms - question.start_ms
    lengths = {name: BY_NAME[name].usual_ms for name in _STEPS}
    return next((name for name, ms in lengths.items() if ms >= step and length <= _MOST * ms), _STEPS[-1])


def _offset(station: str, own: Floats, base: Floats, difference: Floats, *, is_direction: bool) -> Offset:
    both = np.isfinite(difference)
    steps, apart = int(both.sum()), difference[both]
    if not steps:
        return Offset(station, 0, math.nan, math.nan, math.nan)
    if is_direction:
        mean = np.exp(1j * np.deg2rad(apart)).mean()
        return Offset(station, steps, math.degrees(math.atan2(mean.imag, mean.real)), math.nan, math.nan)
    deviation = float(apart.std(ddof=1)) if steps > 1 else math.nan
    one, other = own[both] - own[both].mean(), base[both] - base[both].mean()
    spread = math.sqrt(product(one, one) * product(other, other))
    return Offset(station, steps, float(apart.mean()), deviation, product(one, other) / spread if spread > 0 else math.nan)


def table(result: Differences, unit: str) -> Table:
    """Return a row a step: the value of each station, then its difference."""
    others = [place for place, station in enumerate(result.stations) if station != result.base]
    columns = np.concatenate([result.values, result.difference[others]]).T.tolist()
    rows: list[list[Any]] = [[start, *row] for start, row in zip(result.starts, columns, strict=True)]
    names = (*result.stations, *(f"{result.stations[place]} - {result.base}" for place in others))
    return Table(("start", *(f"{name} [{unit}]" for name in names)), rows)
