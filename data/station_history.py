"""What happened to a station: where it stood, and what it measured with, as the catalogue says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from data.catalogue import Catalogue
from data.station_past import StationPast, wall_time
from data.time.epoch import ms_of
from data.time.zones import zone_of


@dataclass(frozen=True)
class HistoryEntry:
    """What is known of a station (``sensor`` is None) or a sensor of it from ``start_ms`` on, int
    ms UTC; ``end_ms`` is exclusive, None where nobody has said.
    """

    station: str
    sensor: str | None
    start_ms: int
    end_ms: int | None
    latitude: float | None
    longitude: float | None
    elevation: float | None
    instrument: str
    text: str

    @property
    def id(self) -> str:
        """Equal for what says the same: 16 hexadecimal digits."""
        return hashlib.sha256(repr(self).encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def place(self) -> str:
        """Where it stood, as degrees and metres; empty where that is not said."""
        at = "" if self.latitude is None or self.longitude is None else f"{self.latitude:g}, {self.longitude:g}"
        return ", ".join(part for part in (at, "" if self.elevation is None else f"{self.elevation:g} m") if part)


def history_of(catalogue: Catalogue, stations: Iterable[str], site_zone: str) -> list[HistoryEntry]:
    """Return what the catalogue knows of the past of some stations, by time; dates are on each
    station's clock, the site's where it has none.
    """
    known = ((name, catalogue.stations[name]) for name in stations if name in catalogue.stations)
    found = [_entry(name, each, one.timezone or site_zone) for name, one in known for each in one.history]
    return sorted(found, key=lambda one: (one.start_ms, one.station, one.sensor or ""))


def _entry(station: str, each: StationPast, timezone: str) -> HistoryEntry:
    return HistoryEntry(
        station,
        each.sensor,
        _utc_ms(each.start, timezone),
        None if each.end is None else _utc_ms(each.end, timezone),
        each.latitude,
        each.longitude,
        each.elevation,
        each.instrument,
        each.text,
    )


def _utc_ms(when: datetime | date, timezone: str) -> int:
    moment = wall_time(when)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(timezone))
    return ms_of(aware.astimezone(UTC))
