"""From where something comes: readings of another sensor by the wind's sector."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from analysis.bins import Keys, tally
from analysis.pairs import Rows
from analysis.quantiles import grouped_quantiles, quantiles_of_parts
from analysis.question import Observed, Question
from data.arrays import Floats, Integers
from errors import InvalidRequest

_LIMITS: Final = (0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class OtherGroup:
    """A part of the rows, such as a season: ``counts`` i8[sector][class], ``calm`` i8[class]."""

    name: str
    rows: int
    counts: Integers
    calm: Integers


@dataclass(frozen=True)
class OtherRose:
    """Readings of ``sensor`` with the time of a reading of wind: ``rows`` of them, calms too.

    ``classes`` are upper limits in its unit, the last null (open); equal ones stand once. All
    stations have the same.
    ``counts`` i8[sector][class], ``mean`` and ``median`` f8[sector], null without rows. ``calm``
    i8[class] and ``calm_mean`` are of calms. ``unpaired`` readings of wind have none of it.
    Of a sum only readings above 0 are told, for most of rain is none: ``dry`` are the others.
    ``groups`` are those of the rose.
    """

    sensor: str
    unit: str
    classes: tuple[float, ...]
    counts: Integers
    mean: Floats
    median: Floats
    calm: Integers
    calm_mean: float
    rows: int
    unpaired: int
    dry: int = 0
    groups: tuple[OtherGroup, ...] = ()


class OtherRows:
    """Gathers the readings of another sensor while those of wind are gone through."""

    def __init__(self, question: Question, station: str, name: str, sectors: int) -> None:
        """Find the sensor.

        Raises:
            InvalidRequest: the question has none of the name, or it is a direction.
        """
        found = [each for each in question.series if each.station == station and each.sensor.name == name]
        if not found or found[0].sensor.is_direction:
            known = [each.sensor.name for each in question.series if each.station == station]
            raise InvalidRequest(
                "A rose of {sensor} needs that sensor of {station} beside speed and direction; there is {known}.",
                field="of",
                sensor=name,
                station=station,
                known=", ".join(known),
            )
        self.observed = found[0]
        self._limits = _shared_limits(question, name)
        self._sectors = sectors
        self._values: list[Floats] = []
        self._keys: list[Keys] = []
        self._unpaired = self._dry = 0

    def add(self, rows: Rows, stamps: Integers, sector: Keys, part: Keys) -> None:
        """Take readings of wind, increasing in time, each with its sector (of calms the number of
        sectors) and its part of the year or day; ``rows`` are those of the other sensor around that
        time.
        """
        at = np.minimum(np.searchsorted(rows[0], stamps), max(len(rows[0]) - 1, 0))
        same = rows[0][at] == stamps if len(rows[0]) else np.zeros(len(stamps), bool)
        self._unpaired += len(stamps) - int(same.sum())
        if self.observed.sensor.aggregation == "sum" and same.any():
            dry = same & ~(rows[1][at] > 0)
            self._dry, same = self._dry + int(dry.sum()), same & ~dry
        self._values.append(rows[1][at[same]])
        self._keys.append(part[same].astype(np.int32) * np.int32(self._sectors + 1) + sector[same].astype(np.int32))

    def rose(self, parts: int) -> OtherRose:
        """Return the rose of all that were taken, in so many parts, which have no names yet."""
        values = np.concatenate([np.empty(0), *self._values])
        cell = np.concatenate([np.empty(0, np.int32), *self._keys])
        key = cell % np.int32(self._sectors + 1)
        limits = self._limits
        classes = len(limits) + 1
        klass = np.searchsorted(limits, values, "right").astype(np.int32)
        by_part = tally(cell * np.int32(classes) + klass, parts * (self._sectors + 1) * classes)
        by_part = by_part.reshape(parts, self._sectors + 1, classes)
        counts = by_part.sum(axis=0)
        rows, sums = tally(key, self._sectors + 1), tally(key, self._sectors + 1, values)
        means = np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)
        return OtherRose(
            sensor=self.observed.sensor.name,
            unit=self.observed.sensor.unit,
            classes=(*limits.tolist(), math.inf),
            counts=counts[:-1],
            mean=means[:-1],
            median=grouped_quantiles(values, key, self._sectors + 1, (0.5,))[:-1, 0],
            calm=counts[-1],
            calm_mean=float(means[-1]),
            rows=len(values),
            unpaired=self._unpaired,
            dry=self._dry,
            groups=tuple(OtherGroup("", int(each.sum()), each[:-1], each[-1]) for each in by_part) if parts > 1 else (),
        )


def _shared_limits(question: Question, name: str) -> Floats:
    """Return the limits of the classes of a sensor, increasing: quantiles of the readings of all
    stations together, so that their roses compare; worked out once a question.
    """
    key = ("limits of classes", name)
    if key not in question.worked_out:
        series = [each for each in question.series if each.sensor.name == name]
        least, *limits = quantiles_of_parts(partial(_told, series), (0, *_LIMITS))
        question.worked_out[key] = np.unique([each for each in limits if each > least])  # below the least there is nothing
    found: Floats = question.worked_out[key]
    return found


def _told(series: Sequence[Observed]) -> Iterator[Floats]:
    """The readings of some series of one sensor, a month at a time; of a sum those above 0."""
    for observed in series:
        for _moments, values in observed.chunks():
            yield values[values > 0] if observed.sensor.aggregation == "sum" else values
