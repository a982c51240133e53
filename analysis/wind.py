"""The wind rose: how often the wind blows from each sector, by speed class, with calms apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from analysis.angles import sines
from analysis.answer import Method, Table
from analysis.bins import Keys, product, slices
from analysis.other_rose import OtherRose, OtherRows
from analysis.pairs import months, paired
from analysis.question import Observed, Question, parts_of
from data.arrays import Floats, Integers
from errors import InvalidRequest

SECTORS: Final = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
_SECTOR_DEG: Final = 360 / len(SECTORS)
_TENS: Final = np.array([3, 2, 2, 2] * 4)  # whole tens of degrees in each sector
_VANISHING: Final = 1e-3  # of the mean speed
_NOISE: Final = 1e-9  # of adding up squares, against the mean


class Options(BaseModel):
    """``classes`` are upper limits of the speed classes, the last class being open; below
    ``calm`` wind has no direction. ``of`` is another sensor of the station, such as rain or dust:
    from where it comes.
    """

    model_config = ConfigDict(extra="forbid")

    classes: Annotated[tuple[float, ...], Field(min_length=1, max_length=20)] = (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)
    calm: Annotated[float, Field(ge=0)] = 0.5
    by: Literal["none", "season", "month", "hour", "year"] = "none"
    of: str = ""

    @field_validator("classes", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return tuple(part for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("classes")
    @classmethod
    def _increasing(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not math.isfinite(low) or low >= high for low, high in pairwise((*value, math.inf))):
            raise ValueError("classes must increase")
        return value


@dataclass(frozen=True)
class Group:
    """A part of the rows, such as a season: ``counts`` i8[sector][class] without calms."""

    name: str
    rows: int
    calm: int
    counts: Integers
    mean: float


@dataclass(frozen=True)
class Wind:
    """A rose of speeds in ``unit`` of the speed sensor.

    ``counts`` [16 sectors][classes], without calms, which are in ``calm``; ``classes`` upper
    limits, the last null (open). ``prevailing`` the sector with most rows; where directions are
    ``whole_tens`` of degrees, with most rows for each ten that it holds. ``constancy`` the length
    of the mean vector in percent of the mean speed, 0..100; ``mean_direction`` degrees of the mean
    vector, null where it vanishes; ``weibull`` shape and scale (unit of speed). ``other`` is the
    rose of another sensor, null where none is asked for.
    """

    sectors: tuple[str, ...]
    classes: tuple[float, ...]
    counts: Integers
    calm: int
    calm_below: float
    rows: int
    unpaired: int
    prevailing: str | None
    mean: float
    max: float
    mean_direction: float
    constancy: float
    weibull: dict[str, float] | None
    groups: tuple[Group, ...]
    other: OtherRose | None = None
    whole_tens: bool = False


METHOD = (
    Method("sectors", "16 of 22.5 degrees, centred on north; readings of speed and direction with the same time"),
    Method(
        "prevailing",
        "the sector with most readings; where every direction is a whole ten of degrees, with most of them for each ten that"
        " it holds, three of N, E, S and W, two of others (the bias: doi:10.3155/1047-3289.58.7.913)",
    ),
    Method("calm", "speed below the limit (1 kn, 0.5 m/s): WMO-No. 8, Volume I, chapter 5; counted apart, not as north"),
    Method("constancy", "mean vector wind speed divided by mean scalar wind speed: Singer, J. Appl. Meteorol. 6 (1967), 1033"),
    Method(
        "rose of another sensor",
        "its readings of the same times, of a sum those above 0; classes at the 25, 50, 75, 90 % quantiles of all stations",
    ),
    Method("Weibull", "k = (s / mean)^-1.086, c = mean / gamma(1 + 1/k): Justus et al., J. Appl. Meteorol. 17 (1978), 350"),
)


def beside(question: Question, options: Options) -> list[Observed]:
    """Return what is read beside speeds and directions: the other sensor of all stations, three
    times for the limits of its classes and once for their rows.
    """
    return 4 * [each for each in question.series if each.sensor.name == options.of]


def run(question: Question, speed: Observed, direction: Observed, options: Options) -> Wind:
    """Return the rose of one station: readings of speed and direction that have the same time;
    calms need no direction.
    """
    other = OtherRows(question, speed.station, options.of, len(SECTORS)) if options.of else None
    rose = _Rose(question, speed, options)
    for rows in months([speed, direction, *([other.observed] if other else [])]):
        found = paired(rows[0], rows[1])
        if min(found.one.min(initial=0), found.alone[1].min(initial=0)) < 0:
            raise InvalidRequest("There are values below 0; a rose of them would be wrong.", field="sensors")
        rose.unpaired += found.unpaired
        still = found.alone[1] < options.calm  # calms need no direction
        calm = found.alone[0][still], found.alone[1][still]
        rose.unpaired -= len(calm[0])
        rose.add_calms(rose.part_of(calm[0]), calm[1])
        key = rose.part_of(found.stamps)
        sectors = [rose.add(key[part], found.one[part], found.other[part]) for part in slices(len(key))]
        if other:
            other.add(rows[2], found.stamps, np.concatenate([np.empty(0, np.int64), *sectors]), key)
            other.add(rows[2], calm[0], np.full(len(calm[0]), len(SECTORS)), rose.part_of(calm[0]))
    return rose.wind(other)


class _Rose:
    """What is counted and added up while rows are gone through."""

    def __init__(self, question: Question, speed: Observed, options: Options) -> None:
        self._question, self._speed, self._options = question, speed, options
        self._names = [""] if options.by == "none" else parts_of(question, np.empty(0, np.int64), options.by)[1]
        self._classes = len(options.classes) + 1
        # of each part: rows by sector and class, after them the calms
        self._width = len(SECTORS) * self._classes + 1
        self._counts = np.zeros(len(self._names) * self._width, np.int64)
        self._sums = np.zeros(len(self._names))
        self._about: float | None = None  # a speed near the mean, so that squares lose nothing
        self._apart = self._squares = self._east = self._north = 0.0
        self._max = math.nan
        self._whole_tens = True  # as far as directions were seen
        self.unpaired = 0

    def part_of(self, stamps: Integers) -> Keys:
        """Return the part of the year or day of increasing stamps; where there are no parts, 0."""
        if self._options.by == "none":
            return np.zeros(len(stamps), np.int16)
        return parts_of(self._question, stamps - self._speed.series.lag_ms, self._options.by)[0]

    def add(self, key: Keys, speeds: Floats, angles: Floats) -> Keys:
        """Take pairs of some parts, and return the sector of each (of calms the number of
        sectors).
        """
        sector = np.floor(angles / _SECTOR_DEG + 0.5).astype(np.int64) & (len(SECTORS) - 1)
        cell = sector * self._classes
        for limit in self._options.classes:  # a class has its lower limit, not its upper one
            cell += speeds >= limit
        still = np.flatnonzero(speeds < self._options.calm)
        cell[still], sector[still] = self._width - 1, len(SECTORS)
        self._whole_tens = self._whole_tens and _are_whole_tens(angles)
        sin, cos = sines(angles)
        sin[still] = cos[still] = 0.0
        self._east, self._north = self._east + product(speeds, sin), self._north + product(speeds, cos)
        self._add(key, speeds, cell)
        return sector

    def add_calms(self, key: Keys, speeds: Floats) -> None:
        """Take calms that have no direction."""
        self._add(key, speeds, np.full(len(speeds), self._width - 1))

    def _add(self, key: Keys, speeds: Floats, cell: Integers) -> None:
        if not len(speeds):
            return
        if self._options.by == "none":
            self._sums[0] += speeds.sum()
        else:
            cell = cell + key.astype(np.int64) * self._width
            self._sums += np.bincount(key, speeds, len(self._sums))
        self._counts += np.bincount(cell, minlength=len(self._counts))
        if self._about is None:
            self._about = float(speeds.mean())
        apart = speeds - self._about
        self._apart, self._squares = self._apart + float(apart.sum()), self._squares + product(apart, apart)
        self._max = float(np.fmax(self._max, speeds.max()))

    def wind(self, other: OtherRows | None) -> Wind:
        """Return the rose of all rows, and that of the other sensor."""
        parts = self._counts.reshape(len(self._names), self._width)
        counts, calm, rows = parts.sum(axis=0)[:-1].reshape(len(SECTORS), -1), int(parts[:, -1].sum()), int(parts.sum())
        mean = float(self._sums.sum()) / rows if rows else math.nan
        sectors, whole_tens = counts.sum(axis=1), self._whole_tens and bool(counts.any())
        return Wind(
            sectors=SECTORS,
            classes=(*self._options.classes, math.inf),
            counts=counts,
            calm=calm,
            calm_below=self._options.calm,
            rows=rows,
            unpaired=self.unpaired,
            prevailing=SECTORS[int((sectors / _TENS if whole_tens else sectors).argmax())] if counts.any() else None,
            mean=mean,
            max=self._max,
            **_vector(self._east, self._north, rows, mean),
            weibull=_weibull(mean, self._deviation(rows)),
            groups=self._groups(parts) if self._options.by != "none" and rows else (),
            other=self._other(other.rose(len(self._names)), parts) if other else None,
            whole_tens=whole_tens,
        )

    def _deviation(self, rows: int) -> float:
        spread = self._squares - self._apart**2 / max(rows, 1)
        return math.sqrt(max(0.0, spread) / (rows - 1)) if rows > 1 else math.nan

    def _other(self, found: OtherRose, parts: Integers) -> OtherRose:
        """The rose of the other sensor with the parts that this one has."""
        if self._options.by == "none" or not parts.any():
            return replace(found, groups=())
        return replace(found, groups=tuple(replace(found.groups[at], name=self._names[at]) for at in self._every(parts)))

    def _every(self, parts: Integers) -> range:
        """Which parts are told: all, but of years only those between the first and the last."""
        there = np.flatnonzero(parts.sum(axis=1))
        return range(len(parts)) if self._options.by != "year" else range(int(there[0]), int(there[-1]) + 1)

    def _groups(self, parts: Integers) -> tuple[Group, ...]:
        rows = parts.sum(axis=1)
        return tuple(
            Group(
                name=self._names[at],
                rows=int(rows[at]),
                calm=int(parts[at, -1]),
                counts=parts[at, :-1].reshape(len(SECTORS), -1),
                mean=float(self._sums[at] / rows[at]) if rows[at] else math.nan,
            )
            for at in self._every(parts)
        )


def _are_whole_tens(angles: Floats) -> bool:
    tens = angles / 10
    return bool((np.rint(tens) == tens).all())


def _vector(east: float, north: float, rows: int, mean: float) -> dict[str, float]:
    """Direction from which the mean vector blows, and its length against the mean of every
    speed, calms too; of sums of components.
    """
    if not mean > 0:
        return {"mean_direction": math.nan, "constancy": math.nan}
    share = math.hypot(east, north) / rows / mean
    direction = math.degrees(math.atan2(east, north)) % 360.0
    return {"mean_direction": direction if share > _VANISHING else math.nan, "constancy": min(100.0, 100.0 * share)}


def _weibull(mean: float, deviation: float) -> dict[str, float] | None:
    if not mean > 0 or not deviation > _NOISE * mean:
        return None
    shape = (deviation / mean) ** -1.086
    return {"shape": shape, "scale": mean / math.gamma(1 + 1 / shape)}


def table(result: Wind, unit: str) -> Table:
    """Return the rose as a frequency table: a row a sector, a column a speed class, in rows."""
    lows = (result.calm_below, *result.classes[:-1])
    header = [f"{low:g} to {high:g} {unit}" for low, high in zip(lows, result.classes, strict=True)]
    header[-1] = f"{lows[-1]:g} {unit} or more"
    rows = [[sector, *counts.tolist()] for sector, counts in zip(result.sectors, result.counts, strict=True)]
    rows.append(["calm", result.calm, *[""] * (len(header) - 1)])
    if result.other is not None:
        header, rows = _with_other(header, rows, result.other)
    return Table(("sector", *header), rows)


def _with_other(header: list[str], rows: list[list[Any]], other: OtherRose) -> tuple[list[str], list[list[Any]]]:
    """The table with how many readings of the other sensor there are from each sector, their mean
    and median.
    """
    more = [f"{other.sensor} rows", *(f"{other.sensor} {what} [{other.unit}]" for what in ("mean", "median"))]
    counts = [*other.counts.sum(axis=1).tolist(), int(other.calm.sum())]
    columns = zip(rows, counts, [*other.mean.tolist(), other.calm_mean], [*other.median.tolist(), math.nan], strict=True)
    return [*header, *more], [[*row, *numbers] for row, *numbers in columns]
