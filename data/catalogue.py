"""The catalogue: every sensor that the site knows, read from TOML."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from errors import ConfigurationError, UnknownSensor

Aggregation = Literal["mean", "sum", "direction"]
Drawing = Literal["line", "bars", "dots"]

DEFAULT_CATALOGUE = Path(__file__).with_name("sensors.toml")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Sensor:
    """A measured quantity of a station.

    ``labels`` are by language; ``unit`` is shown, ``unit_code`` is pint's; ``valid_min``/``valid_max`` in ``unit``
    (inclusive); ``day_start_min`` minutes after local midnight; ``gap_ms`` a longer pause breaks the line (None: three
    times the usual step); ``origin`` says where a mapped source has the values from (data/source/mapping.py).
    """

    name: str
    labels: Mapping[str, str]
    unit: str
    unit_code: str
    valid_min: float
    valid_max: float
    aggregation: Aggregation
    drawing: Drawing
    color: str
    day_start_min: int = 0
    stamp: Literal["start", "end"] = "start"
    gap_ms: int | None = None
    decimals: int = 1
    origin: str = ""

    def label(self, language: str) -> str:
        """The label in a language, else in English, else the name."""
        return self.labels.get(language) or self.labels.get("en") or self.name

    @property
    def fingerprint(self) -> int:
        """32 bits of all that decides a tile's content: valid range, unit, aggregation, origin. A change makes tiles stale."""
        text = f"{self.valid_min!r}|{self.valid_max!r}|{self.unit_code}|{self.aggregation}"
        text += f"|{self.origin}" if self.origin else ""
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")


@dataclass(frozen=True)
class Catalogue:
    """Sensors by name, in the order of the file."""

    sensors: Mapping[str, Sensor]

    def __getitem__(self, name: str) -> Sensor:
        """The sensor of that name; raises :class:`UnknownSensor`."""
        try:
            return self.sensors[name]
        except KeyError:
            raise UnknownSensor(
                "There is no sensor {sensor} in the catalogue; it has {known}.",
                field="sensors",
                sensor=name,
                known=", ".join(self.sensors),
            ) from None

    def __iter__(self) -> Iterator[Sensor]:
        return iter(self.sensors.values())

    def __contains__(self, name: object) -> bool:
        return name in self.sensors

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Names in the order of the file, which is the one that people see; names that it lacks are last, sorted."""
        places = {name: place for place, name in enumerate(self.sensors)}
        return sorted(names, key=lambda name: (places.get(name, len(places)), name))

    def with_origins(self, origins: Mapping[str, str]) -> Catalogue:
        """The same sensors, those named marked with where their values come from."""
        marked = {name: replace(self.sensors[name], origin=origin) for name, origin in origins.items()}
        return Catalogue({**self.sensors, **marked})


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
    stamp: Literal["start", "end"] = "start"
    gap_minutes: Annotated[float, Field(gt=0)] | None = None
    decimals: Annotated[int, Field(ge=0, le=9)] = 1

    @field_validator("label")
    @classmethod
    def _by_language(cls, label: str | dict[str, str]) -> dict[str, str]:
        return {"en": label} if isinstance(label, str) else label

    @model_validator(mode="after")
    def _ordered(self) -> _Entry:
        if not self.valid[0] < self.valid[1]:
            raise ValueError("valid must be [least, greatest]")
        return self


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Read a catalogue (default: the eight built-in sensors).

    Raises:
        ConfigurationError: naming file, sensor, key and what was expected.
    """
    path = path or DEFAULT_CATALOGUE
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError("Cannot read the sensor catalogue {path}: {why}.", path=path, why=exc.strerror) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError("The sensor catalogue {path} is not TOML: {why}.", path=path, why=exc) from exc
    if not tables:
        raise ConfigurationError("The sensor catalogue {path} names no sensor.", path=path)
    return Catalogue({name: _sensor(path, name, table) for name, table in tables.items()})


def _sensor(path: Path, name: str, table: object) -> Sensor:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "{path}: {name} is not a sensor name; use small letters, digits and _, beginning with a letter.", path=path, name=name
        )
    try:
        entry = _Entry.model_validate(table)
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, error['loc'])) or '*'}: {error['msg']}" for error in exc.errors())
        raise ConfigurationError("{path}: sensor {name}: {wrong}.", path=path, name=name, wrong=wrong) from exc
    hours, minutes = entry.day_start.split(":")
    assert isinstance(entry.label, dict)  # noqa: S101 - the validator made it so # nosec B101
    return Sensor(
        name=name,
        labels=entry.label,
        unit=entry.unit,
        unit_code=entry.unit_code,
        valid_min=entry.valid[0],
        valid_max=entry.valid[1],
        aggregation=entry.aggregation,
        drawing=entry.drawing,
        color=entry.color,
        day_start_min=int(hours) * 60 + int(minutes),
        stamp=entry.stamp,
        gap_ms=round(entry.gap_minutes * 60_000) if entry.gap_minutes else None,
        decimals=entry.decimals,
    )
