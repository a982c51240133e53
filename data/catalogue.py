"""The catalogue: every sensor that the site knows, measured or derived, and where its stations
stand; read from TOML.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.derived_sensors import checked_formula, formula_line, made_of, positions
from data.file_columns import OWN_COLUMNS
from data.quality_limits import QualityLimits
from data.sensor import Aggregation, Drawing, Sensor
from data.station_metadata import StationMetadata
from data.time.epoch import MINUTE_MS
from data.user_formula import Definitions, formula_sensor, is_formula_name, no_definition
from errors import ConfigurationError, InvalidFormula, UnknownSensor

__all__ = ["DEFAULT_CATALOGUE", "Catalogue", "Sensor", "load_catalogue"]

DEFAULT_CATALOGUE = Path(__file__).with_name("sensors.toml")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_STATIONS, _FORMULAS = "stations", "formulas"  # the tables that are no sensors


@dataclass(frozen=True)
class Catalogue:
    """Sensors by name, in the order of the file, and what is known of stations by their names.

    ``stations`` is for looking up: which stations there are, only the inventory tells.
    ``definitions`` knows formulas of users by their names: each is a sensor of the catalogue, and
    listed with the others in the catalogue that is :meth:`knowing` it.
    """

    sensors: Mapping[str, Sensor]
    stations: Mapping[str, StationMetadata] = field(default_factory=dict)
    definitions: Definitions = field(default=no_definition, compare=False, repr=False)

    def knowing(self, names: Iterable[str]) -> Catalogue:
        """Return the catalogue with the users' formulas among some names listed, last."""
        found = {name: self[name] for name in names if name not in self.sensors and name in self}
        return replace(self, sensors={**self.sensors, **found}) if found else self

    @property
    def measured(self) -> Catalogue:
        """The catalogue without derived sensors: what tables have columns of, and files import."""
        own = {sensor.name: sensor for sensor in self if not sensor.formula}
        return replace(self, sensors=own, definitions=no_definition)

    @cached_property
    def derived(self) -> tuple[Sensor, ...]:
        """The derived sensors."""
        return tuple(sensor for sensor in self if sensor.formula)

    @cached_property
    def other_stations(self) -> frozenset[str]:
        """The stations that formulas read besides those that they stand at."""
        return frozenset(name for sensor in self.derived for name in sensor.other_stations)

    def __getitem__(self, name: str) -> Sensor:
        """The sensor of that name; raises :class:`UnknownSensor`."""
        if name in self.sensors:
            return self.sensors[name]
        if (found := self._of_user(name)) is not None:
            return found
        raise UnknownSensor(
            "There is no sensor {sensor} in the catalogue; it has {known}.",
            field="sensors",
            sensor=name,
            known=", ".join(self.sensors),
        )

    def __iter__(self) -> Iterator[Sensor]:
        return iter(self.sensors.values())

    def __contains__(self, name: object) -> bool:
        return name in self.sensors or self._of_user(name) is not None

    def _of_user(self, name: object) -> Sensor | None:
        """Return the sensor of a user's formula; None where it is not known, or reads a sensor that
        is not there any more.
        """
        if not is_formula_name(name) or (definition := self.definitions(str(name))) is None:
            return None
        if definition.sensor not in self._made:
            try:
                self._made[definition.sensor] = formula_sensor(definition, self._measured, self.stations)
            except InvalidFormula:
                return None
        return self._made[definition.sensor]

    @cached_property
    def _made(self) -> dict[str, Sensor]:
        return {}

    @cached_property
    def _measured(self) -> Mapping[str, Sensor]:
        return self.measured.sensors

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Names in the order of the file, which is the one that people see;
        names that it lacks are last, sorted.
        """
        places = {name: place for place, name in enumerate(self.sensors)}
        return sorted(names, key=lambda name: (places.get(name, len(places)), name))

    def zone_of(self, stations: Iterable[str], site_zone: str) -> str:
        """Return the time zone in which days of some stations are counted: their own where all
        keep the same, else the site's.
        """
        own = {self.stations[name].timezone if name in self.stations else None for name in stations}
        return (own.pop() if len(own) == 1 else None) or site_zone

    def with_origins(self, origins: Mapping[str, str]) -> Catalogue:
        """Return the catalogue with some sensors marked with where their values come from."""
        marked = {name: replace(self.sensors[name], origin=origin) for name, origin in origins.items()}
        known = {**self.sensors, **marked}
        return replace(self, sensors={**known, **{each.name: _made_of_known(each, known) for each in self.derived}})


def _made_of_known(sensor: Sensor, known: Mapping[str, Sensor]) -> Sensor:
    """Return a derived sensor with its inputs as they are known now."""
    return replace(sensor, inputs=tuple(replace(each, sensor=known[each.sensor.name]) for each in sensor.inputs))


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    label: str | dict[str, str]
    unit: str
    unit_code: str
    valid: tuple[float, float]
    aggregation: Aggregation
    drawing: Drawing
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
    day_start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    stamp: Literal["start", "end"] | None = None
    gap_minutes: Annotated[float, Field(gt=0)] | None = None
    decimals: Annotated[int, Field(ge=0, le=9)] = 1
    standard_name: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*)?$")] = ""
    quality: QualityLimits = QualityLimits()

    @field_validator("label")
    @classmethod
    def _by_language(cls, label: str | dict[str, str]) -> dict[str, str]:
        return {"en": label} if isinstance(label, str) else label

    @model_validator(mode="after")
    def _ordered(self) -> _Entry:
        if not self.valid[0] < self.valid[1]:
            raise ValueError("valid must be [least, greatest]")
        return self


class _DerivedEntry(_Entry):
    formula: Annotated[str, Field(min_length=1)]


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read a catalogue (default: the built-in sensors, which also go with a file that names
    stations and formulas alone).

    Raises:
        ConfigurationError: naming file, sensor or station, key and what was expected.
    """
    file = path or DEFAULT_CATALOGUE
    text = _text(file)
    tables = _tables(file, text)
    stations, formulas = (tables.pop(name, {}) for name in (_STATIONS, _FORMULAS))
    if not isinstance(stations, dict):
        raise ConfigurationError('{path}: write what is known of a station as a table [stations."NAME"].', path=file)
    if not isinstance(formulas, dict):
        raise ConfigurationError("{path}: write a derived sensor as a table [formulas.NAME].", path=file)
    known = {name: _station(file, name, table) for name, table in stations.items()}
    if not tables and not known and not formulas:
        raise ConfigurationError("The sensor catalogue {path} names no sensor.", path=file)
    sensors = {name: _sensor(file, name, table) for name, table in tables.items()}
    if not tables:
        built_in = load_catalogue()
        sensors, known = dict(built_in.sensors), known or dict(built_in.stations)
    for name, table in formulas.items():
        made = _derived(file, text, name, table, sensors, check=path is not None)
        sensors[name] = replace(made, origin=positions(known)) if made.constants else made
    _check_sensors(file, known, sensors)
    return Catalogue(sensors, known)


def _check_sensors(path: Path, stations: Mapping[str, StationMetadata], sensors: Mapping[str, Sensor]) -> None:
    for name, station in stations.items():
        named = [("quality", sensor) for sensor in station.quality]
        named += [("history", each.sensor) for each in station.history if each.sensor is not None]
        for key, sensor in named:
            if sensor not in sensors:
                raise ConfigurationError(
                    "{path}: station {name}: {key}.{sensor}: there is no sensor of this name.",
                    path=path,
                    name=name,
                    key=key,
                    sensor=sensor,
                )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigurationError("Cannot read the sensor catalogue {path}: {why}.", path=path, why=exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise ConfigurationError("The sensor catalogue {path} is not TOML: {why}.", path=path, why=exc) from exc


def _tables(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError("The sensor catalogue {path} is not TOML: {why}.", path=path, why=exc) from exc


def _station(path: Path, name: str, table: object) -> StationMetadata:
    try:
        return StationMetadata.model_validate(table)
    except ValidationError as exc:
        raise ConfigurationError("{path}: station {name}: {wrong}.", path=path, name=name, wrong=_wrong(exc)) from exc


def _wrong(error: ValidationError) -> str:
    """Return each wrong key with what was expected."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or '*'}: {each['msg']}" for each in error.errors())


def _derived(path: Path, text: str, name: str, table: object, known: Mapping[str, Sensor], *, check: bool) -> Sensor:
    """Return a derived sensor; ``check``: with its units (of the built-in ones tests do)."""
    if name in known and not known[name].formula:
        raise ConfigurationError("{path}: formula {name}: a measured sensor has this name.", path=path, name=name)
    sensor, stamp = _sensor(path, name, table, _DerivedEntry), table.get("stamp") if isinstance(table, dict) else None
    try:
        made = made_of(sensor, stamp, known)
        if check:
            checked_formula(made)
    except InvalidFormula as exc:
        line = formula_line(text, name)
        raise ConfigurationError(
            "{path}, line {line}: formula {name}: {wrong}", path=path, line=line, name=name, wrong=exc.message
        ) from exc
    return made


def _sensor(path: Path, name: str, table: object, kind: type[_Entry] = _Entry) -> Sensor:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "{path}: {name} is not a sensor name; use small letters, digits and _, beginning with a letter.", path=path, name=name
        )
    if name in OWN_COLUMNS:
        raise ConfigurationError(
            "{path}: a sensor cannot be called {name}, as another column of exported files is; choose another name.",
            path=path,
            name=name,
        )
    try:
        entry = kind.model_validate(table)
    except ValidationError as exc:
        raise ConfigurationError("{path}: sensor {name}: {wrong}.", path=path, name=name, wrong=_wrong(exc)) from exc
    hours, minutes = entry.day_start.split(":")
    assert isinstance(entry.label, dict)  # noqa: S101 - the validator made it so # nosec B101
    same = {"unit", "unit_code", "aggregation", "drawing", "color", "decimals", "formula", "standard_name"}
    return Sensor(
        name=name,
        labels=entry.label,
        valid_min=entry.valid[0],
        valid_max=entry.valid[1],
        day_start_min=int(hours) * 60 + int(minutes),
        stamp=entry.stamp or "start",
        quality=entry.quality,
        gap_ms=round(entry.gap_minutes * MINUTE_MS) if entry.gap_minutes else None,
        **entry.model_dump(include=same),
    )
