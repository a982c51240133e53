"""Manifests: what a file of rows was made of, so that it can be cited, checked and made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config import VERSION
from data.decision import Decision, DecisionKind
from data.export.flag_column import has_flag_column
from data.export.formats import FILES_VERSION, NETCDF, STREAMS, check_format, export_file, export_tag, format_of
from data.export.netcdf import libraries
from data.file_columns import Units
from data.file_note import FileNote
from data.flag_choice import FlagChoice
from data.flag_layer import FlagLayer, flag_layer, within
from data.flags_missing import months_with_flags
from data.range_rows import open_observations, published_months
from data.request import HistoryRequest, request_of
from data.site import Site
from data.tiles.format import TileEntry
from data.tiles.series import SeriesKey
from data.time.months import iso_utc, month_name
from data.time.resolution import Resolution
from errors import InvalidRequest, RowsChanged

ENDING: Final = ".manifest.json"  # after the whole name of the file
_WITH_MANIFEST: Final = (*STREAMS, NETCDF)
_PIECE_BYTES: Final = 1 << 20


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileRecord(_Record):
    """A file: its format as the API calls it, where it names units, its length and its digest;
    ``flag_column``: its rows end with what is flagged.
    """

    name: str
    format: str
    units: Units
    bytes: int
    rows: int
    sha256: str
    flag_column: bool = False


class RequestRecord(_Record):
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


class StationRecord(_Record):
    """Where a station stands, as the catalogue says."""

    name: str
    latitude: float | None
    longitude: float | None
    elevation: float | None


class SensorRecord(_Record):
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


class SeriesRecord(_Record):
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


class DecisionRecord(_Record):
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


class NoteRecord(_Record):
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


class Manifest(_Record):
    """What a file was made of; ``floor`` are the finest steps that its maker may see, ``flags`` are
    those of rules that count, ``decisions`` those in force about its readings where they count.
    ``notes`` are no part of the file.
    """

    manifest: Literal[1] = 1
    file: FileRecord
    request: RequestRecord
    software: dict[str, str]
    source: str
    institution: str = ""
    floor: Resolution = "raw"
    flags: FlagChoice = "none"
    stations: tuple[StationRecord, ...]
    sensors: tuple[SensorRecord, ...]
    series: tuple[SeriesRecord, ...] = Field(description="By station, then sensor.")
    decisions: tuple[DecisionRecord, ...] = ()
    notes: tuple[NoteRecord, ...] = ()

    @model_validator(mode="after")
    def _of_its_request(self) -> Manifest:
        wanted = self.request.request
        names = tuple(each.name for each in self.stations), tuple(each.name for each in self.sensors)
        series = tuple((each.station, each.sensor) for each in self.series)
        if (names, series) != ((wanted.stations, wanted.sensors), wanted.series):
            raise ValueError("stations, sensors and series are not those of the request")
        return self

    def to_json(self) -> str:
        """JSON for people and programs; :func:`read_manifest` is the inverse."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file.

    Raises:
        InvalidRequest: it is none; says where and why.
        OSError: the file cannot be read.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "JSON"
        raise InvalidRequest(
            "{file} is no manifest of Riwayat ({where}: {why}). Give the file that was written beside an export.",
            file=path,
            where=where,
            why=first["msg"],
        ) from exc


def manifest_of(site: Site, request: HistoryRequest, file: FileRecord) -> Manifest:
    """Return the manifest of a file that was made of a request's rows as they are now.

    Raises:
        TileDamaged: a tile is damaged.
    """
    return Manifest(
        file=file,
        request=RequestRecord.of(request),
        software=_software(file.format),
        source=site.source.id,
        institution=site.settings.institution,
        floor=site.floor,
        flags=site.flags,
        stations=tuple(_station(site, name) for name in request.stations),
        sensors=tuple(_sensor(site, name) for name in request.sensors),
        series=tuple(_series(site, request, *key, with_flags=file.flag_column) for key in request.series),
        decisions=_decisions(site, request, with_flags=file.flag_column),
        notes=tuple(_note(one) for one in site.notes),
    )


def digested(
    pieces: Iterable[bytes],
    site: Site,
    request: HistoryRequest,
    name: str,
    kind: str,
    units: Units,
    rows: Callable[[], int],
    *,
    tag: str,
    with_flags: bool = False,
) -> Iterator[bytes]:
    """Yield the manifest of a file as JSON, given its bytes; before it a space for each of the
    pieces, so that who waits sees that it goes on. ``rows`` is asked after the last one;
    ``tag`` is the :func:`manifest_tag` from before the file was begun; ``with_flags``: a column of
    them is asked for.

    Raises:
        RowsChanged: the rows changed meanwhile, so that nobody can say what the file is made of.
    """
    digest, length = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        length += len(piece)
        yield b" "
    told = {"name": name, "format": kind, "units": units, "flag_column": has_flag_column(kind, request, asked=with_flags)}
    file = FileRecord(**told, bytes=length, rows=rows(), sha256=digest.hexdigest())
    made = manifest_of(site, request, file)
    if manifest_tag(site, request, kind, units, with_flags=with_flags) != tag:
        raise RowsChanged
    yield made.to_json().encode()


def export_with_manifest(site: Site, request: HistoryRequest, path: Path, units: Units, *, with_flags: bool = False) -> Manifest:
    """Write a file as :func:`export_file` does; returns its manifest.

    Raises:
        InvalidRequest, TooLarge, OSError: as :func:`export_file`.
        RowsChanged: as :func:`digested`; the file is there.
    """
    kind = format_of(path)
    units = units_of(kind, units)
    tag = manifest_tag(site, request, kind, units, with_flags=with_flags)
    rows = export_file(site, request, path, units=units, with_flags=with_flags)
    pieces, what = file_pieces(path), (path.name, kind, units)
    *_, text = digested(pieces, site, request, *what, lambda: rows, tag=tag, with_flags=with_flags)
    return Manifest.model_validate_json(text)


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def refuse_without_manifest(kind: str) -> None:
    """Raise InvalidRequest where files of a format are never the same bytes twice, or there is
    none.
    """
    check_format(kind)
    if kind not in _WITH_MANIFEST:
        raise InvalidRequest(
            "There is no manifest of {format}, which says when it was made. Choose one of {known}.",
            field="format",
            format=kind,
            known=", ".join(_WITH_MANIFEST),
        )


def units_of(kind: str, units: Units) -> Units:
    """Return where a file of a format names units: a choice of CSV alone."""
    return units if kind == "csv" else "none"


def manifest_tag(site: Site, request: HistoryRequest, kind: str, units: Units, *, with_flags: bool = False) -> str:
    """Return the tag of the file of a whole request (:func:`export_tag`), and of what is noted."""
    tag = export_tag(site, request, request.start_ms, request.end_ms, kind, units, with_flags)
    if not site.notes:
        return tag
    return f"{tag}-{hashlib.sha256(repr(site.notes).encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"


def _software(kind: str) -> dict[str, str]:
    found = {"riwayat": VERSION, "files": str(FILES_VERSION)}
    return found | (libraries() if kind == NETCDF else {"pyarrow": pa.__version__})


def _note(one: FileNote) -> NoteRecord:
    end = None if one.end_ms is None else iso_utc(one.end_ms)
    same = {name: getattr(one, name) for name in ("station", "sensor", "kind", "text", "owner")}
    return NoteRecord(start=iso_utc(one.start_ms), end=end, **same)


def _station(site: Site, name: str) -> StationRecord:
    known = site.catalogue.stations.get(name)
    latitude, longitude = (known.position if known else None) or (None, None)
    return StationRecord(name=name, latitude=latitude, longitude=longitude, elevation=known.elevation if known else None)


def _sensor(site: Site, name: str) -> SensorRecord:
    sensor = site.catalogue[name]
    said = {each: getattr(sensor, each) for each in ("unit", "standard_name", "aggregation", "stamp", "day_start_min", "formula")}
    return SensorRecord(name=name, label=sensor.label("en"), fingerprint=f"{sensor.fingerprint:08x}", **said)


def _series(site: Site, request: HistoryRequest, station: str, name: str, *, with_flags: bool) -> SeriesRecord:
    entries = site.tiles.entries(SeriesKey(site.source.id, station, name))
    there = [(month, entries[month]) for month in sorted(published_months(site, request, station, name))]
    layer = flag_layer(site, station, name) if with_flags or site.flags != "none" else None
    if layer is not None and layer.decisions:  # months that are filled alone have no tile of readings
        filled = within(layer.entries(), months_with_flags(request))
        there = sorted([*there, *((month, entry) for month, entry in filled.items() if month not in entries)])
    months = {month_name(month): f"{entry.generation} {entry.crc:08x}{_flags(layer, entry)}" for month, entry in there}
    rows = open_observations(site, request, station, name).rows
    limits = f"{layer.rules:08x}" if layer else ""
    return SeriesRecord(station=station, sensor=name, rows=rows, months=months, limits=limits)


def _decisions(site: Site, request: HistoryRequest, *, with_flags: bool) -> tuple[DecisionRecord, ...]:
    """Return what bears on readings of the request, by number; nothing where none counts."""
    found: dict[int, Decision] = {}
    for key in request.series if with_flags or site.flags != "none" else ():
        layer = flag_layer(site, *key)
        if layer is not None and layer.decisions:
            bearing = (one for month in months_with_flags(request) for one in layer.reach_in(month).decisions)
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
