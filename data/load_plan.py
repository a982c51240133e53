"""What a request still needs: told from the inventory and the tiles' indices alone,
so that a form may ask at every change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.derived_plan import DerivedSeries, InputMonths, fresh, generations_looked_at
from data.inventory import MonthTable, StationInventory
from data.load_plan_records import Missing, Plan, rows_of
from data.range_rows import lag_ms, months_looked_at, stamped_months, stations_looked_at
from data.request import HistoryRequest
from data.sensor import FormulaInput, Sensor
from data.site import Site
from data.sync_due import sync_is_due
from data.tiles.tile_store import SeriesKey
from data.time.epoch import LATEST_MS
from data.time.months import iso_utc
from errors import NoData

__all__ = ["Missing", "Plan", "all_present", "is_filled", "months_absent", "plan", "stations_without_data"]

_ALWAYS = (-(2**62), 2**62)


def plan(site: Site, request: HistoryRequest, *, synced: bool = False) -> Plan:
    """Compare the inventory with the tiles. Opens no table of observations and no tile;
    asks for all stations at once.

    ``synced`` says that the inventory of a mapped table has just been synced.

    Raises:
        UnknownStation, UnknownSensor: naming known ones.
        NoData: the stations have nothing in the range, or none of the sensors; names what there is.
        SourceMismatch: the file of a mapped table has changed since this process read it.
    """
    site = site.knowing(request.sensors)
    sensors = [site.catalogue[sensor] for sensor in request.sensors]
    if site.mapped is not None:
        site.mapped.mapping.require_unchanged()
    stations = site.inventory.named(request.stations)
    touched = stamped_months(site.catalogue, request)
    looked_at_first = months_looked_at(site.catalogue, request)[0]
    places = stations_looked_at(site.catalogue, request)
    site.tiles.look(site.source_id, places)
    every = site.inventory.month_table(places, looked_at_first, touched[-1], emptied=True)
    asked = (every.month >= touched[0]) & (every.station < len(stations))
    found = every.only(asked)
    recorded = np.array([[sensor in station.sensors for sensor in request.sensors] for station in stations])
    lags = [lag_ms(sensor) for sensor in sensors]
    spans = _spans(stations, request.sensors) if site.mapped is None else None
    touching, wanted = _of_months(found, request, lags, spans, recorded)
    due = site.mapped is not None and not synced and sync_is_due(site, request)
    if not due and not is_filled(site, request):
        _refuse_nothing(request, stations, wanted, recorded)
    generations = np.stack([_generations(every, places, sensor) for sensor in sensors], axis=1)
    lacking = _lacking(site, request, found, generations[asked], touching, wanted)
    rows = np.zeros((len(every), len(sensors)), np.bool_)
    rows[asked] = lacking
    derived = tuple(_derived(site, request, every, generations, rows))
    # Of a month whose rows have all gone nothing is read, unless a tile still shows them.
    kept: Bools = np.asarray(touching.any(axis=1)) & ((found.rows > 0) | np.asarray(lacking.any(axis=1)))
    months, lacking, wanted = found.only(kept), lacking[kept], (wanted | lacking)[kept]
    return Plan(
        source=site.source_id,
        stations=request.stations,
        sensors=request.sensors,
        months=months,
        wanted=wanted,
        lacking=lacking,
        rows_total=_rows_total(stations, months, wanted, request, lags, spans),
        sync_due=due,
        derived=derived,
        rows_of_inputs=_rows_of_inputs(request, places, every, rows, derived),
    )


def is_filled(site: Site, request: HistoryRequest) -> bool:
    """Return whether people fill or shift readings into the range, which may have none of its
    own.
    """
    made = (one for series in request.series for one in site.decisions(*series) if one.kind in ("fill", "shift"))
    return any(one.touched_ms[0] <= request.end_ms and one.touched_ms[1] >= request.start_ms for one in made)


def stations_without_data(site: Site, request: HistoryRequest) -> tuple[str, ...]:
    """Stations that have nothing of a request's sensors in its range;
    none while only a look at the table could tell.
    """
    try:
        planned = plan(site, request)
    except NoData:
        return request.stations
    return () if planned.sync_due else planned.without_data


def all_present(site: Site, request: HistoryRequest) -> bool:
    """Return whether every tile of the request is on the disk, fresh or not;
    exports and statistics need no rollup.

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


def _lacking(
    site: Site, request: HistoryRequest, months: MonthTable, generations: Integers, touching: Bools, wanted: Bools
) -> Bools:
    """[months, sensors]: whether a tile is stale, or absent where it is wanted; ``generations``:
    [months, sensors].
    """
    lacking = wanted.copy()
    prints = [site.catalogue[sensor].fingerprint for sensor in request.sensors]
    for position, station in enumerate(request.stations):
        of = rows_of(months, position)
        for column, sensor in enumerate(request.sensors):
            if of.start < of.stop:
                marks = site.tiles.marks(SeriesKey(site.source_id, station, sensor))
                if len(marks.month):
                    is_fresh = fresh(marks, months.month[of], generations[of, column], prints[column])
                    there = touching[of, column] & np.isin(months.month[of], marks.month)
                    lacking[of, column] = ~is_fresh & (wanted[of, column] | there)
    return lacking


def _generations(every: MonthTable, places: Sequence[str], sensor: Sensor) -> Integers:
    """Return the generations of a sensor's tiles, by row of the months of some stations."""
    if not sensor.back_ms and not sensor.other_stations:
        return every.generation
    tables = [every.only(rows_of(every, position)) for position in range(len(places))]
    others = [tables[places.index(name)] for name in sensor.other_stations]
    return np.concatenate([generations_looked_at(table, sensor, others) for table in tables])


def _derived(
    site: Site, request: HistoryRequest, every: MonthTable, generations: Integers, lacking: Bools
) -> Iterator[DerivedSeries]:
    """Yield the derived series of which a tile is lacking; ``every`` has the months of all stations
    that a request looks at, and those before that formulas look back to; ``generations`` and
    ``lacking``, whose tile is, [of them, sensors].
    """
    sensors = [site.catalogue[name] for name in request.sensors]
    derived = [column for column in np.flatnonzero(lacking.any(axis=0)).tolist() if sensors[column].formula]
    if not derived:
        return
    places = stations_looked_at(site.catalogue, request)
    # The inputs of what one may see need not be seen by oneself: an embedded chart shows no more.
    known = site.inventory.whole.known(places).stations
    input_at = partial(_input_at, site, {each.name: each for each in known}, places, every)
    for position, station in enumerate(request.stations):
        of = rows_of(every, position)
        for column in derived:
            sensor = sensors[column]
            if lacking[of, column].any():
                inputs = {each.reference: input_at(station, each) for each in sensor.inputs if sensor.may_stand_at(station)}
                yield DerivedSeries(station, sensor, every.only(of), generations[of, column], lacking[of, column], inputs)


def _input_at(
    site: Site,
    known: Mapping[str, StationInventory],
    places: Sequence[str],
    every: MonthTable,
    station: str,
    wanted: FormulaInput,
) -> InputMonths:
    """Return an input of a formula that stands at a station."""
    name, sensor = wanted.station or station, wanted.sensor
    months = every.only(rows_of(every, places.index(name)))
    marks = site.tiles.marks(SeriesKey(site.source_id, name, sensor.name))
    is_fresh = fresh(marks, months.month, months.generation, sensor.fingerprint)
    # Spans of a mapped table are what tiles tell, and no reason to read no other.
    span = None if site.mapped is not None or name not in known else known[name].spans.get(sensor.name)
    if span is None:
        was_measured = name in known and sensor.name in known[name].sensors
        return InputMonths(name, sensor.name, months, np.full(len(months), was_measured), is_fresh)
    return InputMonths(name, sensor.name, months, (months.last_ms >= span[0]) & (months.first_ms <= span[1]), is_fresh)


def _rows_of_inputs(
    request: HistoryRequest, places: Sequence[str], every: MonthTable, lacking: Bools, derived: Iterable[DerivedSeries]
) -> int:
    """Return the observations × sensors that are read for derived tiles besides those that the
    request itself lacks.
    """
    stale: dict[tuple[str, str], Bools] = {}
    for series in derived:
        for reference, rows in series.stale.items():
            key = series.inputs[reference].station, reference.sensor
            stale[key] = stale[key] | rows if key in stale else rows
    found = 0
    for (station, name), rows in stale.items():
        of = rows_of(every, places.index(station))
        own = lacking[of, request.sensors.index(name)] if name in request.sensors else False
        found += int(every.rows[of][rows & ~np.asarray(own)].sum())
    return found


def _spans(stations: Sequence[StationInventory], sensors: Sequence[str]) -> Integers:
    """Return [2, stations, sensors]: first and last time (ms UTC); all time if unknown."""
    known = [[station.spans.get(sensor) or _ALWAYS for sensor in sensors] for station in stations]
    return np.moveaxis(np.array(known, np.int64).reshape(len(stations), len(sensors), 2), 2, 0)


def _of_months(
    months: MonthTable, request: HistoryRequest, lags_ms: Sequence[int], spans: Integers | None, recorded: Bools
) -> tuple[Bools, Bools]:
    """Return of each month and sensor, [months, sensors], whether a tile of it lies in the range,
    and whether it has rows there, of a sensor that is ``recorded`` at its station.
    """
    no_steps = np.zeros(len(months), np.int64)
    touching = (_shares(months, request, lags_ms, no_steps) > 0) | (months.rows == 0)[:, None]
    within = _shares(months, request, lags_ms, no_steps, spans) > 0
    return touching, within & recorded[months.station] & (months.rows > 0)[:, None]


def _rows_total(
    stations: Sequence[StationInventory],
    months: MonthTable,
    wanted: Bools,
    request: HistoryRequest,
    lags_ms: Sequence[int],
    spans: Integers | None,
) -> int:
    """Return the observations × sensors of the months that are wanted, as far as they lie in the
    range.
    """
    steps = np.array([station.step_ms or 0 for station in stations])
    shares = np.where(wanted, _shares(months, request, lags_ms, steps[months.station], spans), 0.0).sum(axis=1)
    return round(float((months.rows * shares).sum()))


def _shares(
    months: MonthTable, request: HistoryRequest, lags_ms: Sequence[int], steps_ms: Integers, spans: Integers | None = None
) -> Floats:
    """The part of each month's rows that lies in the range, 0..1,
    as if they were spread evenly from first to last.

    [months, sensors]; ``lags_ms`` is each sensor's. ``spans``: of each sensor only rows within its
    own count (those of a mapped table are what tiles tell, and no reason to read no other).
    """
    lags, first, stop = np.array(lags_ms), months.first_ms[:, None], months.last_ms[:, None] + 1
    begin, end = np.maximum(first, request.start_ms + lags), np.minimum(stop, request.end_ms + lags)
    if spans is not None:
        begin, end = np.maximum(begin, spans[0, months.station]), np.minimum(end, spans[1, months.station] + 1)
    shares = (end - begin + steps_ms[:, None]) / np.maximum(1, stop - first + steps_ms[:, None])
    return np.where(begin < end, np.minimum(1.0, shares), 0.0)


def _refuse_nothing(request: HistoryRequest, stations: Sequence[StationInventory], wanted: Bools, recorded: Bools) -> None:
    if not recorded.any():
        raise NoData(
            "No {sensors} for {stations}. Available: {known}.",
            field="sensors",
            stations=", ".join(request.stations),
            sensors=", ".join(request.sensors),
            known=", ".join(sorted({sensor for station in stations for sensor in station.sensors})) or "–",
        )
    if wanted.any():
        return
    spans = [span for station in stations if (span := station.of(request.sensors).span) is not None]
    if not spans:
        raise NoData("No data yet for: {stations}.", field="stations", stations=", ".join(request.stations))
    raise NoData(
        "No data for {stations} between {start} and {end}. Data is available from {first} to {last}.",
        field="start",
        stations=", ".join(request.stations),
        start=iso_utc(request.start_ms),
        end=iso_utc(min(request.end_ms, LATEST_MS)),
        first=iso_utc(min(first for first, _ in spans)),
        last=iso_utc(max(last for _, last in spans)),
    )
