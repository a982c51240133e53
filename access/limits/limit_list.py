"""The limits of a series with where each comes from. Times are int ms UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select

from access.identity import Identity
from access.limits.limit_changes import LIMIT_NAMES, check_limits_of, may_set_for_all
from access.limits.stored_limits import ALL_STATIONS, set_limits
from access.restricted_site import restricted_site
from access.store import AccessStore
from access.tables import quality_limit as table
from data.limit_overrides import LimitOverrides
from data.quality_limits import QualityLimits
from data.sensor import Sensor
from data.site import Site
from data.time.months import iso_utc_or_none
from data.usual_limits import LimitOrigin, layers_of, limits_of
from errors import InvalidRequest, RiwayatError, UnknownSensor

_SET: Final[Mapping[LimitOrigin, str]] = {"set": "sensor", "set_station": "station"}


@dataclass(frozen=True)
class ListedLimit:
    """A limit as it holds: ``value`` as JSON has it (None: its rule is not asked), what says it,
    what the catalogue says without what people have set, and of a set one by whom and when.
    """

    name: str
    value: Any
    origin: LimitOrigin
    catalogue: Any
    made_by: str | None = None
    made_ms: int | None = None


@dataclass(frozen=True)
class SeriesLimits:
    """The limits of a sensor at a station, or of a sensor as such (``station`` None); ``revision``
    is that of their latest change, 0 where there was none. ``may_set``, ``may_set_all``: whether
    who asks may set them for the station, for all stations.
    """

    station: str | None
    sensor: Sensor
    quantity: str
    limits: tuple[ListedLimit, ...]
    revision: int
    may_set: bool
    may_set_all: bool


def series_limits(store: AccessStore, site: Site, identity: Identity, station: str | None, sensor: str) -> SeriesLimits:
    """Return the limits of a series that exists for an identity.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
        InvalidRequest: the sensor is computed: no rule is asked of it.
    """
    seen = restricted_site(site, identity.rights)
    known = seen.catalogue[sensor]
    if station is not None and sensor not in seen.inventory.station(station).sensors:
        raise UnknownSensor("{station} has no sensor {sensor}.", field="sensor", station=station, sensor=sensor)
    if known.formula:
        raise InvalidRequest("{sensor} is computed. Set limits of what it is made of.", field="sensor", sensor=sensor)
    rows = _rows(store, station, sensor)
    own = station or ALL_STATIONS
    revision = max((row.revision for row in rows if row.station == own), default=0)
    listed = tuple(_listed(known, _metadata(site, station), rows))
    quantity = limits_of(known, _metadata(site, station)).quantity or "other"
    may_all = may_set_for_all(site, identity)
    may = may_all if station is None else _may_set(site, identity, station, sensor)
    return SeriesLimits(station, known, quantity, listed, revision, may, may_all)


def limits_json(found: SeriesLimits) -> dict[str, Any]:
    """Return the limits of a series as API and command line give them; times are ISO 8601."""
    listed = [
        {name: getattr(one, name) for name in ("name", "value", "origin", "catalogue", "made_by")}
        | {"made": iso_utc_or_none(one.made_ms)}
        for one in found.limits
    ]
    about = {name: getattr(found, name) for name in ("station", "quantity", "revision", "may_set", "may_set_all")}
    return about | {"sensor": found.sensor.name, "unit": found.sensor.unit, "limits": listed}


def _rows(store: AccessStore, station: str | None, sensor: str) -> list[Row[Any]]:
    stations = (ALL_STATIONS,) if station is None else (ALL_STATIONS, station)
    query = select(table).where(table.c.sensor == sensor, table.c.station.in_(stations))
    with store.engine.connect() as connection:
        return list(connection.execute(query))


def _metadata(site: Site, station: str | None) -> Any:
    return None if station is None else site.catalogue.stations.get(station)


def _listed(sensor: Sensor, metadata: Any, rows: list[Row[Any]]) -> Iterable[ListedLimit]:
    overrides = LimitOverrides(
        set_limits((row.name, row.value) for row in rows if row.station == ALL_STATIONS),
        set_limits((row.name, row.value) for row in rows if row.station != ALL_STATIONS),
    )
    layers = layers_of(sensor, metadata, overrides)
    holding = limits_of(sensor, metadata, overrides).model_dump(mode="json")
    catalogue = limits_of(sensor, metadata).model_dump(mode="json")
    for name in LIMIT_NAMES:
        origin = _origin(layers, name)
        row = next((each for each in rows if origin in _SET and each.name == name and _is_of(each, origin)), None)
        by = (row.made_by, row.made_ms) if row is not None else (None, None)
        yield ListedLimit(name, holding[name], origin, catalogue[name], *by)


def _origin(layers: Mapping[LimitOrigin, QualityLimits], name: str) -> LimitOrigin:
    return next((origin for origin in reversed(tuple(layers)) if name in layers[origin].model_fields_set), "built_in")


def _is_of(row: Row[Any], origin: LimitOrigin) -> bool:
    return bool(row.station == ALL_STATIONS) == (origin == "set")


def _may_set(site: Site, identity: Identity, station: str, sensor: str) -> bool:
    try:
        check_limits_of(site, identity, station, sensor)
    except RiwayatError:
        return False
    return True
