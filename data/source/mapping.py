"""A source mapping (``RIWAYAT_SOURCE``): a TOML file that says where in an existing table what is."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from config import outside_value
from data.catalogue import Catalogue, Sensor
from data.ingest.units import UNCHANGED, Conversion, UnitError, conversion
from data.ingest.zones import zone_of
from errors import ConfigurationError

ISO = "ISO8601"
Scalar = int | float | str | bool

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


@dataclass(frozen=True)
class Quality:
    """A column of quality codes; those in ``good``, and NULL, are good."""

    column: str
    good: tuple[int | str, ...]


@dataclass(frozen=True)
class MappedSensor:
    """A sensor's place: a column (wide) or a tag (tall), how its values become the catalogue's unit, its quality code."""

    name: str
    place: str
    conversion: Conversion = UNCHANGED
    quality: Quality | None = None

    @property
    def origin(self) -> str:
        """All that decides the values, as text; part of the sensor's fingerprint."""
        return repr((self.place, self.conversion, self.quality))


@dataclass(frozen=True)
class Condition:
    """Only rows whose column equals one of these values, or is NULL (``equals`` empty)."""

    column: str
    equals: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class SourceMapping:
    """A mapping, checked as far as that goes without the database.

    ``station`` are columns, empty where ``station_name`` names the only one; ``stations``, if any, are all that there are.
    ``timezone`` is of times without a zone.
    ``order`` tells in which order rows of equal time were written; ``high_water`` grows with every new row, ``updated`` with
    every change (None: found by reflection). ``check_minutes``: how long closed months are trusted; None: for ever.
    """

    file: Path
    url: URL
    schema: str | None
    table: str
    time: str
    time_unit: Literal["s", "ms", "us"] | None
    time_format: str | None
    timezone: tzinfo
    station: tuple[str, ...]
    station_name: str | None
    stations: tuple[str, ...]
    sensors: tuple[MappedSensor, ...]
    where: tuple[Condition, ...]
    tag: str | None
    value: str | None
    order: str | None
    high_water: str | None
    updated: str | None
    check_minutes: float | None

    @property
    def tall(self) -> bool:
        """Whether a row holds one value and says by a tag of which sensor."""
        return self.tag is not None

    @property
    def source_id(self) -> str:
        """Names the source among inventory and tiles: a fingerprint of all that decides which rows there are, and when."""
        url = self.url
        place = (url.get_backend_name(), url.host, url.port, url.database, self.schema, self.table)
        rows = (self.time, self.time_unit, self.time_format, str(self.timezone), self.station, self.station_name)
        text = repr((place, rows, self.where, self.tag, self.value, self.order))
        return "m-" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def catalogue_of(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue, its sensors marked with where their values come from."""
        origins = {sensor.name: sensor.origin for sensor in self.sensors}
        return catalogue.with_origins(origins)


class _Quality(BaseModel):
    model_config = ConfigDict(extra="forbid")
    column: Name
    good: list[int | str] = Field(min_length=1)


class _Sensor(BaseModel):
    model_config = ConfigDict(extra="forbid")
    column: Name | None = None
    tag: Name | None = None
    unit: str | None = None
    quality: Name | None = None
    good: list[int | str] | None = None


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid")
    column: Name
    equals: Scalar | list[Scalar] | None = None
    is_null: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> _Condition:
        if (self.equals is None) == (self.is_null is None) or self.equals == []:
            raise ValueError("expected equals = VALUE, equals = [VALUE, …] or is_null = true")
        return self


class _Tall(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tag: Name
    value: Name


class _Freshness(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Name | None = None
    updated: Name | None = None
    check: Literal["always", "never"] | Annotated[float, Field(gt=0)] = 10.0


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str | None = None
    url_env: str | None = None
    schema_: Name | None = Field(default=None, alias="schema")
    table: Name
    layout: Literal["wide", "tall"] = "wide"
    time: Name
    time_unit: Literal["s", "ms", "us"] | None = None
    time_format: str | None = None
    timezone: str | None = None
    station: Name | list[Name] | None = None
    station_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    stations: Annotated[list[Annotated[str, Field(min_length=1, max_length=255)]], Field(min_length=1)] | None = None
    order: Name | None = None
    sensors: dict[str, Name | _Sensor] = Field(min_length=1)
    quality: _Quality | None = None
    where: list[_Condition] = []
    tall: _Tall | None = None
    freshness: _Freshness = _Freshness()

    @model_validator(mode="after")
    def _consistent(self) -> _File:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("expected either url or url_env")
        if (self.station is None) == (self.station_name is None) or self.station == []:
            raise ValueError("expected either station (a column, or several) or station_name")
        if self.stations and self.station is None:
            raise ValueError("expected stations only beside station")
        if (self.layout == "tall") != (self.tall is not None):
            raise ValueError('expected the table [tall] with tag and value where layout = "tall", and only there')
        if self.time_unit and self.time_format:
            raise ValueError("expected time_unit (integers) or time_format (text), not both")
        return self


def load_mapping(path: Path, catalogue: Catalogue, timezone: str = "UTC") -> SourceMapping:
    """Read a mapping; ``timezone`` is the site's, for times without a zone where the file names none.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    try:
        return parse_mapping(path, path.read_text(encoding="utf-8"), catalogue, timezone)
    except OSError as exc:
        raise ConfigurationError("Cannot read the source mapping {path}: {why}.", path=path, why=exc.strerror or exc) from exc
    except UnicodeDecodeError as exc:
        raise ConfigurationError("The source mapping {path} is not TOML: {why}.", path=path, why=exc) from exc


def parse_mapping(path: Path, text: str, catalogue: Catalogue, timezone: str = "UTC") -> SourceMapping:
    """As :func:`load_mapping`, of the file's text."""
    try:
        file = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError("The source mapping {path} is not TOML: {why}.", path=path, why=exc) from exc
    except ValidationError as exc:
        wrong = "; ".join(f"{_key(error['loc'])}: {error['msg'].removeprefix('Value error, ')}" for error in exc.errors())
        raise ConfigurationError("The source mapping {path} is wrong: {wrong}.", path=path, wrong=wrong) from exc
    check = file.freshness.check
    return SourceMapping(
        file=path,
        url=_url(path, file),
        schema=file.schema_,
        table=file.table,
        time=file.time,
        time_unit=file.time_unit,
        time_format=file.time_format,
        timezone=_zone(path, file.timezone or timezone),
        station=(file.station,) if isinstance(file.station, str) else tuple(file.station or ()),
        station_name=file.station_name,
        stations=tuple(dict.fromkeys(file.stations or ())),
        sensors=tuple(_sensor(path, file, name, entry, catalogue) for name, entry in file.sensors.items()),
        where=tuple(_condition(each) for each in file.where),
        tag=file.tall.tag if file.tall else None,
        value=file.tall.value if file.tall else None,
        order=file.order,
        high_water=file.freshness.id,
        updated=file.freshness.updated,
        check_minutes=None if check == "never" else 0.0 if check == "always" else float(check),
    )


def _key(location: tuple[int | str, ...]) -> str:
    kinds = {"str", "_Sensor", "_Condition", "float", "int"}  # pydantic names the branch of a union, too
    parts = [str(part) for part in location if str(part) not in kinds and "[" not in str(part)]
    return ".".join(parts) or "the file"


def _wrong(path: Path, key: str, why: object) -> ConfigurationError:
    return ConfigurationError("The source mapping {path} is wrong: {wrong}.", path=path, wrong=f"{key}: {why}")


def _url(path: Path, file: _File) -> URL:
    text = file.url
    if file.url_env is not None:
        text = outside_value(file.url_env)
        if not text:
            raise _wrong(path, "url_env", f"expected the variable {file.url_env} to hold the database's URL; it is not set")
    try:
        return make_url(str(text))
    except (ArgumentError, ValueError) as exc:  # what was written may hold a password
        example = "postgresql://reader:secret@db.example/scada"
        raise _wrong(path, "url_env" if file.url_env else "url", f"expected a URL such as {example}") from exc


def _zone(path: Path, name: str) -> tzinfo:
    try:
        return zone_of(name)
    except ValueError as exc:
        raise _wrong(path, "timezone", exc) from exc


def _sensor(path: Path, file: _File, name: str, entry: str | _Sensor, catalogue: Catalogue) -> MappedSensor:
    key = f"sensors.{name}"
    if name not in catalogue:
        known = ", ".join(sensor.name for sensor in catalogue)
        raise _wrong(path, key, f"expected a sensor of the catalogue ({known}); RIWAYAT_SENSORS may add others")
    if isinstance(entry, str):
        entry = _Sensor(tag=entry) if file.layout == "tall" else _Sensor(column=entry)
    place, other = (entry.tag, entry.column) if file.layout == "tall" else (entry.column, entry.tag)
    if place is None or other is not None:
        raise _wrong(path, key, f"expected {'tag' if file.layout == 'tall' else 'column'} = NAME")
    return MappedSensor(name, place, _conversion(path, key, entry.unit, catalogue[name]), _quality(path, key, file, entry))


def _conversion(path: Path, key: str, unit: str | None, sensor: Sensor) -> Conversion:
    if unit is None:
        return UNCHANGED
    try:
        return conversion(unit, sensor.unit_code)
    except UnitError as exc:
        raise _wrong(path, f"{key}.unit", exc) from exc


def _quality(path: Path, key: str, file: _File, entry: _Sensor) -> Quality | None:
    if (entry.quality is None) != (entry.good is None) or entry.good == []:
        raise _wrong(path, key, "expected quality = COLUMN together with good = [CODE, …]")
    if entry.quality is not None:
        return Quality(entry.quality, tuple(entry.good or ()))
    return Quality(file.quality.column, tuple(file.quality.good)) if file.quality else None


def _condition(each: _Condition) -> Condition:
    if each.is_null:
        return Condition(each.column)
    return Condition(each.column, tuple(each.equals) if isinstance(each.equals, list) else (each.equals,))  # type: ignore[arg-type]
