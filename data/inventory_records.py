"""What an inventory tells: stations, and months with rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from operator import itemgetter
from typing import Any

import numpy as np

from data.arrays import Bools, Integers
from data.catalogue import Catalogue
from data.outlying import Outlying
from data.sensor import Sensor
from data.sensor_spans import NOWHERE, Span, Spans, hull, meet


@dataclass(frozen=True)
class StationInventory:
    """A station: its sensors that have ever had a value (sorted), first and last time (ms UTC),
    rows, usual step.

    ``spans``: first and last time of each sensor's values;
    of one that is None or not in it they are not known.
    """

    name: str
    sensors: tuple[str, ...]
    first_ms: int | None
    last_ms: int | None
    rows: int
    step_ms: int | None
    synthetic: bool
    outlying: Outlying | None = None
    spans: Spans = field(default_factory=dict)

    @property
    def span(self) -> Span | None:
        """First and last time (ms UTC); None without data."""
        return None if self.first_ms is None or self.last_ms is None else (self.first_ms, self.last_ms)

    def within(self, spans: Iterable[Span]) -> StationInventory:
        """The station as far as one of some spans (ms UTC, both ends included) holds it;
        its rows are an estimate then.
        """
        whole, found = self.span, hull(spans)
        part = hull([meet(whole, found)]) if whole and found else None
        if whole is None or part is None:
            return replace(self, first_ms=None, last_ms=None, rows=0, outlying=None)
        if part == whole:
            return self
        rows = max(1, round(self.rows * (part[1] + 1 - part[0]) / (whole[1] + 1 - whole[0])))
        outlying = self.outlying
        if outlying is not None and outlying.usual is not None:  # as far as the part holds others
            usual = hull([meet(part, outlying.usual)])
            outlying = replace(outlying, usual=usual) if usual else None
        return replace(self, first_ms=part[0], last_ms=part[1], rows=rows, outlying=outlying)

    def of(self, sensors: Iterable[str]) -> StationInventory:
        """The station as if it had some of its sensors alone;
        where it is not known when one had values, when the station did.
        """
        wanted = set(sensors)
        names = tuple(name for name in self.sensors if name in wanted)
        part = replace(self, sensors=names, spans={name: self.spans.get(name) for name in names})
        return part.within(self.span_of(name) or NOWHERE for name in names)

    def span_of(self, sensor: str) -> Span | None:
        """Return first and last time (ms UTC) of a sensor's values, else of the station's rows."""
        return self.spans.get(sensor) or self.span

    def with_derived(self, catalogue: Catalogue, others: Mapping[str, StationInventory]) -> StationInventory:
        """The station with each derived sensor of which there are all inputs, its own and those of
        ``others``, at times that meet, and all that is taken of the station; told each time and
        never stored, so that no import or sync knows of them.
        """
        spans: dict[str, Span | None] = dict(self.spans)
        names = set(self.sensors)
        for sensor in catalogue.derived:
            inputs = self._inputs_of(sensor, others)
            if inputs is not None and sensor.has_constants(catalogue.stations.get(self.name)):
                span = _span_of_derived(sensor, inputs)
                if span is None or span[0] <= span[1]:
                    names.add(sensor.name)
                    spans[sensor.name] = span
        return self if len(names) == len(self.sensors) else replace(self, sensors=tuple(sorted(names)), spans=spans)

    def _inputs_of(self, sensor: Sensor, others: Mapping[str, StationInventory]) -> list[Span | None] | None:
        """Return the spans of a derived sensor's inputs; None where the station cannot have it, or
        one of them was never measured.
        """
        if not sensor.may_stand_at(self.name):
            return None
        found = []
        for each in sensor.inputs:
            at = self if each.station in (None, self.name) else others.get(str(each.station))
            if at is None or each.sensor.name not in at.sensors:
                return None
            found.append(at.spans.get(each.sensor.name))
        return found

    @property
    def usual(self) -> tuple[int, int] | None:
        """First and last time (ms UTC) without the outlying rows; None where there is no other."""
        if self.outlying is not None:
            return self.outlying.usual
        return self.span


def _span_of_derived(sensor: Sensor, inputs: Sequence[Span | None]) -> Span | None:
    """Return where a derived sensor can have values (ms UTC), its first after its last where
    nowhere; None where it is not known of an input. One that looks back may have values so much
    longer than an input.
    """
    known = [(span[0], span[1] + sensor.back_ms) for span in inputs if span is not None]
    return reduce(meet, known) if len(known) == len(inputs) else None


@dataclass(frozen=True)
class MonthInventory:
    """A station's UTC month: rows, first and last time (ms UTC);
    ``generation`` grows whenever a row of it changes.
    """

    month: int
    rows: int
    first_ms: int
    last_ms: int
    generation: int


@dataclass(frozen=True)
class KnownStations:
    """The stations as far as they are known; ``away`` says that the database does not answer."""

    stations: tuple[StationInventory, ...]
    away: bool = False


@dataclass(frozen=True)
class MonthTable:
    """Months with rows of several stations, a row each;
    ``station`` is the position among those asked for.

    Sorted by station and month. Arrays of int64 of one length;
    times in ms UTC, and the rest as :class:`MonthInventory`. ``appended_since`` is the generation
    since which rows were only added after the last one.
    """

    station: Integers
    month: Integers
    rows: Integers
    first_ms: Integers
    last_ms: Integers
    generation: Integers
    appended_since: Integers

    def __len__(self) -> int:
        return len(self.month)

    def only(self, chosen: Bools | slice) -> MonthTable:
        """Return the table of some of its rows."""
        return MonthTable(*(getattr(self, field.name)[chosen] for field in fields(self)))


def month_table_of(stations: Sequence[str], found: Sequence[Sequence[Any]]) -> MonthTable:
    """Return the table of rows (station, month, rows, first, last, generation,
    appended since) in any order.
    """
    positions = {name: position for position, name in enumerate(stations)}
    station = np.fromiter((positions[row[0]] for row in found), np.int64, len(found))
    columns = [np.fromiter(map(itemgetter(column), found), np.int64, len(found)) for column in range(1, 7)]
    order = np.lexsort((columns[0], station))
    return MonthTable(station[order], *(column[order] for column in columns))
