"""Manifests: what a file of rows was made of, so that it can be cited, checked and made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
from pydantic import Field, ValidationError, model_validator

from config import VERSION
from data.export.formats import FILES_VERSION, NETCDF
from data.export.manifest_records import (
    DecisionRecord,
    ManifestRecord,
    NoteRecord,
    RequestRecord,
    SensorRecord,
    SeriesRecord,
    StationRecord,
    decision_records,
    note_record,
    sensor_record,
    series_record,
    station_record,
)
from data.export.netcdf import libraries
from data.file_columns import Units
from data.flag_choice import FlagChoice
from data.flags_missing import unchecked_months
from data.request import HistoryRequest
from data.site import Site
from data.time.resolution import Resolution
from errors import InvalidRequest

ENDING: Final = ".manifest.json"  # after the whole name of the file


class FileRecord(ManifestRecord):
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


class Manifest(ManifestRecord):
    """What a file was made of; ``floor`` are the finest steps that its maker may see, ``flags`` are
    those of rules that count, ``decisions`` those in force about its readings where they count.
    ``unchecked`` are months (UTC) at whose readings no rule has looked yet, where flags of rules
    count; ``notes`` are no part of the file.
    """

    manifest: Literal[1] = 1
    file: FileRecord
    request: RequestRecord
    software: dict[str, str]
    source: str
    institution: str = ""
    floor: Resolution = "raw"
    flags: FlagChoice = "none"
    unchecked: tuple[str, ...] = ()
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
        source=site.source_id,
        institution=site.settings.institution,
        floor=site.floor,
        flags=site.flags,
        unchecked=tuple(unchecked_months(site, request)),
        stations=tuple(station_record(site, name) for name in request.stations),
        sensors=tuple(sensor_record(site, name) for name in request.sensors),
        series=tuple(series_record(site, request, *key, with_flags=file.flag_column) for key in request.series),
        decisions=decision_records(site, request, with_flags=file.flag_column),
        notes=tuple(note_record(one) for one in site.notes),
    )


def _software(kind: str) -> dict[str, str]:
    found = {"riwayat": VERSION, "files": str(FILES_VERSION)}
    return found | (libraries() if kind == NETCDF else {"pyarrow": pa.__version__})
