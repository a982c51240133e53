"""A station as programs are told of it: what it records, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data.catalogue import Catalogue
from data.inventory_records import StationInventory
from data.station_history import HistoryEntry
from data.station_metadata import StationMetadata
from data.time.months import iso_utc, iso_utc_or_none


def listed_station(station: StationInventory, catalogue: Catalogue, history: Iterable[HistoryEntry] = ()) -> dict[str, Any]:
    """Return what is known of a station, as JSON has it: None where the inventory or the
    catalogue does not say. ``history`` is what is told of its past.
    """
    where = catalogue.stations.get(station.name, StationMetadata())
    return {
        "station": station.name,
        "sensors": list(station.sensors),
        "first": iso_utc_or_none(station.first_ms),
        "last": iso_utc_or_none(station.last_ms),
        "rows": station.rows,
        "step_seconds": station.step_ms / 1000 if station.step_ms is not None else None,
        "synthetic": station.synthetic,
        **where.model_dump(include={"latitude", "longitude", "elevation", "timezone"}),
        "history": [listed_history(each) for each in history],
    }


def listed_history(found: HistoryEntry) -> dict[str, Any]:
    """Return what is known of a station's past, as JSON has it."""
    names = ("id", "station", "sensor", "latitude", "longitude", "elevation", "instrument", "text")
    times = {"from": iso_utc(found.start_ms), "to": iso_utc_or_none(found.end_ms)}
    return {name: getattr(found, name) for name in names} | times
