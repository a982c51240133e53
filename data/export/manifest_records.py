"""The parts of a manifest: request, stations, sensors, series, decisions and notes, as they are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from data.decision import Decision, DecisionKind
from data.derived_flags import DerivedFlags
from data.file_note import FileNote
from data.flag_layer import FlagLayer, within
from data.flags_missing import months_with_flags
from data.overlay import flag_layer
from data.range_rows import open_observations, published_months
from data.request import HistoryRequest, request_of
from data.site import Site
from data.tiles.format import TileEntry
from data.tiles.series import SeriesKey
from data.time.months import iso_utc, month_name
from data.time.resolution import Resolution


class ManifestRecord(BaseModel):
    """A part of a manifest: what we do not know of is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RequestRecord(ManifestRecord):
    """What was asked for: HistoryRequest, with times as ISO 8601 in UTC."""

    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    start: str
    end: str
    resolution: Resolution
    timezone: str

    @classmethod
    def of(cls, request: HistoryRequest) -> RequestRecord:
        """The record of a request; :attr:`request` is the inverse."""
        start, end = iso_utc(request.start_ms), iso_utc(request.end_ms)
        what = {"stations": request.stations, "sensors": request.sensors}
        return cls(**what, start=start, end=end, resolution=request.resolution, timezone=request.timezone)

    @property
    def request(self) -> HistoryRequest:
        """Return the request; raises InvalidRequest where it is none."""
        return request_of(self.stations, self.sensors, self.start, self.end, self.resolution, self.timezone)


class StationRecord(ManifestRecord):
    """Where a station stands, as the catalogue says."""

    name: str
    latitude: float | None
    longitude: float | None
    elevation: float | None


class SensorRecord(ManifestRecord):
    """What the catalogue says of a sensor; ``fingerprint`` is of all that decides its values."""

    name: str
    label: str
    unit: str
    standard_name: str
    aggregation: str
    stamp: str
    day_start_min: int
    formula: str
    fingerprint: str


class SeriesRecord(ManifestRecord):
    """A series: how many observations it has in the range, and for each UTC month the generation
    and the checksum of its tile, and behind them that of its flags of rules where these
    count or the file has a column of them. ``limits`` is a digest of rules and limits, there where
    these flags are; empty where they do not count, and in manifests of older versions.
    """

    station: str
    sensor: str
    rows: int
    months: dict[str, str]
    limits: str = ""


class DecisionRecord(ManifestRecord):
    """What a person decided about readings of the file, by its number (docs/decisions/0041)."""

    number: int
    station: str
    sensor: str
    kind: DecisionKind
    start: str
    end: str
    rule: str | None = None
    amount: float | None = None
    filled_from: tuple[str, str] | None = None


class NoteRecord(ManifestRecord):
    """What was noted of the series in the range, as far as the maker of the manifest might take it
    away; no row depends on it.
    """

    station: str
    sensor: str | None
    start: str
    end: str | None
    kind: str
    text: str
    owner: str


def note_record(one: FileNote) -> NoteRecord:
    """Return what is told of a note."""
    end = None if one.end_ms is None else iso_utc(one.end_ms)
    same = {name: getattr(one, name) for name in ("station", "sensor", "kind", "text", "owner")}
    return NoteRecord(start=iso_utc(one.start_ms), end=end, **same)


def station_record(site: Site, name: str) -> StationRecord:
    """Return where a station stands, as the catalogue says, or null."""
    known = site.catalogue.stations.get(name)
    latitude, longitude = (known.position if known else None) or (None, None)
    return StationRecord(name=name, latitude=latitude, longitude=longitude, elevation=known.elevation if known else None)


def sensor_record(site: Site, name: str) -> SensorRecord:
    """Return what the catalogue says of a sensor; its label is the English one."""
    sensor = site.catalogue[name]
    said = {each: getattr(sensor, each) for each in ("unit", "standard_name", "aggregation", "stamp", "day_start_min", "formula")}
    return SensorRecord(name=name, label=sensor.label("en"), fingerprint=f"{sensor.fingerprint:08x}", **said)


def series_record(site: Site, request: HistoryRequest, station: str, name: str, *, with_flags: bool) -> SeriesRecord:
    """Return of what a series of the request is made now; ``with_flags``: checksums of flags too,
    whether or not they count.

    Raises:
        TileDamaged: a tile is damaged.
    """
    entries = site.tiles.entries(SeriesKey(site.source_id, station, name))
    there = [(month, entries[month]) for month in sorted(published_months(site, request, station, name))]
    layer = flag_layer(site, station, name) if with_flags or site.flags != "none" else None
    if layer is not None and not layer.is_plain:  # months that are filled alone have no tile of readings
        filled = within(layer.entries(), months_with_flags(request))
        there = sorted([*there, *((month, entry) for month, entry in filled.items() if month not in entries)])
    months = {month_name(month): f"{entry.generation} {entry.crc:08x}{_flags(layer, entry)}" for month, entry in there}
    rows = open_observations(site, request, station, name).rows
    limits = f"{layer.rules:08x}" if layer else ""
    return SeriesRecord(station=station, sensor=name, rows=rows, months=months, limits=limits)


def decision_records(site: Site, request: HistoryRequest, *, with_flags: bool) -> tuple[DecisionRecord, ...]:
    """Return what bears on readings of the request, by number; nothing where none counts."""
    found: dict[int, Decision] = {}
    for key in request.series if with_flags or site.flags != "none" else ():
        layer = flag_layer(site, *key)
        for each in (layer, *layer.inputs) if isinstance(layer, DerivedFlags) else (layer,):
            if each.decisions:
                bearing = (one for month in months_with_flags(request) for one in each.reach_in(month).decisions)
                found |= {one.number: one for one in bearing}
    return tuple(_decision(found[number]) for number in sorted(found))


def _decision(one: Decision) -> DecisionRecord:
    about = {name: getattr(one, name) for name in ("number", "station", "sensor", "kind", "rule", "amount", "filled_from")}
    return DecisionRecord(start=iso_utc(one.start_ms), end=iso_utc(one.end_ms), **about)


def _flags(layer: FlagLayer | None, entry: TileEntry) -> str:
    """Return the checksum of the flags of a tile of readings."""
    if layer is None:
        return ""
    made = layer.made({entry.month: entry}).get(entry.month)
    return f" {made.crc:08x}" if made else " –"
