"""What a request still needs: told from the inventory and the tiles' indices alone, so that a form may ask at every change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from data.freshness import look_is_due
from data.inventory import Integers, MonthTable, StationInventory
from data.months import iso_utc
from data.request import HistoryRequest
from data.site import Site
from data.tileindex import Marks
from data.tiles import SeriesKey
from errors import NoData

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Missing:
    """Tiles to be read together: some sensors of a station's UTC month. ``rows`` are the month's (of one sensor)."""

    station: str
    month: int
    sensors: tuple[str, ...]
    generation: int
    rows: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class Plan:
    """Tiles of a request, and which of them must be read.

    ``months`` has a row for each month that the range touches; ``recorded`` [stations, sensors] says which sensors a station has
    ever had a value of, and ``lacking`` [months, sensors] whose tile is absent or stale. ``rows_total`` estimates
    observations × sensors in the range, the months at its ends in proportion. ``look_due`` says that a mapped table may hold
    more than the inventory knows: only a job finds out.
    """

    source: str
    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    months: MonthTable
    recorded: Bools
    lacking: Bools
    rows_total: int
    look_due: bool = False

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """What must be read, a month of a station each."""
        return tuple(self._missing(row) for row in np.flatnonzero(self.lacking.any(axis=1)).tolist())

    @cached_property
    def keys(self) -> tuple[tuple[SeriesKey, int], ...]:
        """All tiles, present or not."""
        return tuple((key, month) for key, months in self.series() for month in months.tolist())

    def series(self) -> Iterator[tuple[SeriesKey, Integers]]:
        """Every series of the request that was ever recorded, and its months."""
        for position, name in enumerate(self.stations):
            months = self.months.month[_of(self.months, position)]
            for sensor in _chosen(self.sensors, self.recorded[position]):
                yield SeriesKey(self.source, name, sensor), months

    @property
    def is_complete(self) -> bool:
        """Whether nothing must be read."""
        return not self.lacking.any()

    @property
    def missing_months(self) -> set[int]:
        """UTC months of which some tile must be read."""
        return set(self.months.month[self.lacking.any(axis=1)].tolist())

    @property
    def tiles_total(self) -> int:
        """How many tiles the request is made of."""
        return int(self._sensors_of().sum())

    @property
    def tiles_present(self) -> int:
        """How many of them are there and fresh."""
        return self.tiles_total - int(self.lacking.sum())

    @property
    def rows_missing(self) -> int:
        """Observations × sensors of the tiles that must be read, whole months."""
        return int((self.months.rows * self.lacking.sum(axis=1)).sum())

    @property
    def rows_tiles(self) -> int:
        """The same of all tiles."""
        return int((self.months.rows * self._sensors_of()).sum())

    def _sensors_of(self) -> Integers:
        """How many tiles each month has."""
        of_station: Integers = self.recorded.sum(axis=1, dtype=np.int64)
        return of_station[self.months.station]

    def _missing(self, row: int) -> Missing:
        months = self.months
        return Missing(
            station=self.stations[months.station[row]],
            month=int(months.month[row]),
            sensors=_chosen(self.sensors, self.lacking[row]),
            generation=int(months.generation[row]),
            rows=int(months.rows[row]),
            first_ms=int(months.first_ms[row]),
            last_ms=int(months.last_ms[row]),
        )


def plan(site: Site, request: HistoryRequest, *, looked: bool = False) -> Plan:
    """Compare the inventory with the tiles. Opens no table of observations and no tile; asks for all stations at once.

    ``looked`` says that a mapped table has just been looked at.

    Raises:
        UnknownStation, UnknownSensor: naming known ones.
        NoData: the stations have nothing in the range, or none of the sensors; names what there is.
    """
    for sensor in request.sensors:
        site.catalogue[sensor]
    stations = site.inventory.named(request.stations)
    found = site.inventory.month_table(request.stations, request.months[0], request.months[-1])
    months = found.only(_share(found, request, np.zeros(len(found), np.int64)) > 0)
    recorded = np.array([[sensor in station.sensors for sensor in request.sensors] for station in stations])
    due = not looked and look_is_due(site, request)
    if not due:
        _refuse_nothing(request, stations, months, recorded)
    steps = np.array([station.step_ms or 0 for station in stations])
    shares = _share(months, request, steps[months.station]) * recorded.sum(axis=1)[months.station]
    return Plan(
        source=site.source.id,
        stations=request.stations,
        sensors=request.sensors,
        months=months,
        recorded=recorded,
        lacking=_lacking(site, request, months, recorded),
        rows_total=round(float((months.rows * shares).sum())),
        look_due=due,
    )


def all_present(site: Site, request: HistoryRequest) -> bool:
    """Whether every tile of the request is on the disk, fresh or not; exports and statistics need no rollup.

    Raises:
        UnknownStation, UnknownSensor: the site has lost one of them.
    """
    return not months_absent(site, request)


def months_absent(site: Site, request: HistoryRequest) -> set[int]:
    """Months of the request of which some tile is not on the disk; a stale one is.

    Raises:
        UnknownStation, UnknownSensor: as :func:`all_present`.
    """
    try:
        planned = plan(site, request)
    except NoData:
        return set()
    absent: set[int] = set()
    for key, months in planned.series():
        absent.update(np.setdiff1d(months, site.tiles.marks(key).month).tolist())
    return absent


def recorded(sensors: Iterable[str], station: StationInventory) -> tuple[str, ...]:
    """Those of the sensors that the station has ever had a value of: the others need no tile."""
    return tuple(sensor for sensor in sensors if sensor in station.sensors)


def _of(months: MonthTable, position: int) -> slice:
    """Which rows are those of a station."""
    begin, end = np.searchsorted(months.station, [position, position + 1])
    return slice(int(begin), int(end))


def _chosen(names: Sequence[str], which: Bools) -> tuple[str, ...]:
    return tuple(name for name, chosen in zip(names, which.tolist(), strict=True) if chosen)


def _lacking(site: Site, request: HistoryRequest, months: MonthTable, recorded: Bools) -> Bools:
    """[months, sensors]: whether the tile is absent or stale."""
    lacking = recorded[months.station]
    prints = [site.catalogue[sensor].fingerprint for sensor in request.sensors]
    for position, station in enumerate(request.stations):
        of = _of(months, position)
        for column, sensor in enumerate(request.sensors):
            if recorded[position, column] and of.start < of.stop:
                marks = site.tiles.marks(SeriesKey(site.source.id, station, sensor))
                if len(marks.month):
                    lacking[of, column] = ~_fresh(marks, months.month[of], months.generation[of], prints[column])
    return lacking


def _fresh(marks: Marks, months: Integers, generations: Integers, fingerprint: int) -> Bools:
    """Whether there are tiles of these months that hold what the table holds (its generation), by today's rules (fingerprint)."""
    at = np.searchsorted(marks.month, months)
    at[at == len(marks.month)] = 0
    there: Bools = marks.month[at] == months
    same: Bools = (marks.generation[at] == generations) & (marks.fingerprint[at] == fingerprint)
    return there & same


def _share(months: MonthTable, request: HistoryRequest, steps_ms: Integers) -> npt.NDArray[np.float64]:
    """The part of each month's rows that lies in the range, 0..1, as if they were spread evenly from first to last."""
    begin, end = np.maximum(months.first_ms, request.start_ms), np.minimum(months.last_ms + 1, request.end_ms)
    shares = (end - begin + steps_ms) / np.maximum(1, months.last_ms + 1 - months.first_ms + steps_ms)
    return np.where(begin < end, np.minimum(1.0, shares), 0.0)


def _refuse_nothing(request: HistoryRequest, stations: Sequence[StationInventory], months: MonthTable, recorded: Bools) -> None:
    if not recorded.any():
        raise NoData(
            "{stations} never recorded {sensors}; there is {known}.",
            field="sensors",
            stations=", ".join(request.stations),
            sensors=", ".join(request.sensors),
            known=", ".join(sorted({sensor for station in stations for sensor in station.sensors})) or "–",
        )
    of_station: Bools = np.asarray(recorded.any(axis=1))
    if of_station[months.station].any():
        return
    firsts = [station.first_ms for station in stations if station.first_ms is not None]
    lasts = [station.last_ms for station in stations if station.last_ms is not None]
    if not firsts or not lasts:
        raise NoData("{stations} has no data yet.", field="stations", stations=", ".join(request.stations))
    raise NoData(
        "{stations} has no data between {start} and {end}; there is data from {first} to {last}.",
        field="start",
        stations=", ".join(request.stations),
        start=iso_utc(request.start_ms),
        end=iso_utc(min(request.end_ms, 253_402_300_799_999)),
        first=iso_utc(min(firsts)),
        last=iso_utc(max(lasts)),
    )
