"""What a request still needs: told from the inventory and the tiles' indices alone, so that a form may ask at every change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data.freshness import look_is_due
from data.inventory import MonthInventory, StationInventory
from data.months import iso_utc
from data.request import HistoryRequest
from data.site import Site
from data.tiles import SeriesKey, TileEntry
from errors import NoData


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

    ``keys`` are all tiles, present or not. ``rows_total`` estimates observations × sensors in the range, the months at its
    ends in proportion; ``rows_missing`` and ``rows_tiles`` count whole months, as they are read. ``look_due`` says that a mapped
    table may hold more than the inventory knows: only a job finds out.
    """

    missing: tuple[Missing, ...]
    keys: tuple[tuple[SeriesKey, int], ...]
    tiles_present: int
    rows_total: int
    rows_missing: int
    rows_tiles: int
    look_due: bool = False

    @property
    def tiles_total(self) -> int:
        """How many tiles the request is made of."""
        return len(self.keys)


def plan(site: Site, request: HistoryRequest, *, looked: bool = False) -> Plan:
    """Compare the inventory with the tiles. Opens no table of observations and no tile.

    ``looked`` says that a mapped table has just been looked at.

    Raises:
        UnknownStation, UnknownSensor: naming known ones.
        NoData: the stations have nothing in the range, or none of the sensors; names what there is.
    """
    for sensor in request.sensors:
        site.catalogue[sensor]
    stations = [site.inventory.station(name) for name in request.stations]
    months, last = request.months, request.months[-1]
    found = {station.name: site.inventory.months(station.name, months[0], last) for station in stations}
    touched = {
        name: {number: month for number, month in of.items() if _share(month, request, 0) > 0} for name, of in found.items()
    }
    due = not looked and look_is_due(site, request)
    if not due:
        _refuse_nothing(request, stations, touched)
    return _sum_up(site, request, stations, touched, look_due=due)


def is_fresh(entry: TileEntry | None, generation: int, fingerprint: int) -> bool:
    """Whether a tile holds what the table holds (its month's generation), by today's rules for the sensor (fingerprint)."""
    return entry is not None and entry.generation == generation and entry.fingerprint == fingerprint


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
        keys = plan(site, request).keys
    except NoData:
        return set()
    there = {key: site.tiles.entries(key).keys() for key in {key for key, _ in keys}}
    return {month for key, month in keys if month not in there[key]}


def _sum_up(
    site: Site,
    request: HistoryRequest,
    stations: Sequence[StationInventory],
    touched: Mapping[str, Mapping[int, MonthInventory]],
    *,
    look_due: bool,
) -> Plan:
    missing: list[Missing] = []
    keys: list[tuple[SeriesKey, int]] = []
    rows_total = 0.0
    for station in stations:
        sensors = recorded(request.sensors, station)
        months = touched[station.name]
        lacking = _lacking(site, station.name, sensors, months)
        for number, month in months.items():
            keys += [(SeriesKey(site.source.id, station.name, sensor), number) for sensor in sensors]
            rows_total += month.rows * len(sensors) * _share(month, request, station.step_ms or 0)
            if lacking[number]:
                missing.append(_missing(station.name, month, lacking[number]))
    rows_missing = sum(each.rows * len(each.sensors) for each in missing)
    rows_tiles = sum(touched[key.station][number].rows for key, number in keys)
    present = len(keys) - sum(len(each.sensors) for each in missing)
    return Plan(tuple(missing), tuple(keys), present, round(rows_total), rows_missing, rows_tiles, look_due)


def recorded(sensors: Iterable[str], station: StationInventory) -> tuple[str, ...]:
    """Those of the sensors that the station has ever had a value of: the others need no tile."""
    return tuple(sensor for sensor in sensors if sensor in station.sensors)


def _lacking(
    site: Site, station: str, sensors: Iterable[str], months: Mapping[int, MonthInventory]
) -> Mapping[int, tuple[str, ...]]:
    """By month the sensors whose tile is absent or stale."""
    lacking: dict[int, tuple[str, ...]] = dict.fromkeys(months, ())
    for sensor in sensors:
        entries = site.tiles.entries(SeriesKey(site.source.id, station, sensor))
        fingerprint = site.catalogue[sensor].fingerprint
        for number, month in months.items():
            if not is_fresh(entries.get(number), month.generation, fingerprint):
                lacking[number] += (sensor,)
    return lacking


def _missing(station: str, month: MonthInventory, sensors: tuple[str, ...]) -> Missing:
    return Missing(station, month.month, sensors, month.generation, month.rows, month.first_ms, month.last_ms)


def _share(month: MonthInventory, request: HistoryRequest, step_ms: int) -> float:
    """The part of a month's rows that lies in the range, 0..1, as if they were spread evenly from first to last."""
    begin, end = max(month.first_ms, request.start_ms), min(month.last_ms + 1, request.end_ms)
    if begin >= end:
        return 0.0
    return min(1.0, (end - begin + step_ms) / (month.last_ms + 1 - month.first_ms + step_ms))


def _refuse_nothing(
    request: HistoryRequest, stations: Sequence[StationInventory], touched: Mapping[str, Mapping[int, MonthInventory]]
) -> None:
    if not any(recorded(request.sensors, station) for station in stations):
        raise NoData(
            "{stations} never recorded {sensors}; there is {known}.",
            field="sensors",
            stations=", ".join(request.stations),
            sensors=", ".join(request.sensors),
            known=", ".join(sorted({sensor for station in stations for sensor in station.sensors})) or "–",
        )
    if any(touched[station.name] for station in stations if recorded(request.sensors, station)):
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
