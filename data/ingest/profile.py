"""The import profile: a TOML file that says how a site's files are read."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from data.ingest.zones import zone_of
from errors import ConfigurationError

Counts = Literal["interval", "since_reset", "day_total", "rate"]

SITE_ZONE = "site"  # the zone of the setting RIWAYAT_TIMEZONE
BUNDLED = Path(__file__).parent.parent / "profiles"


class ValueRule(BaseModel):
    """A column with values of a sensor. ``unit`` defaults to the file's own (TOA5), else to the catalogue's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sensor: str
    unit: str | None = None
    counts: Counts = "interval"
    step_s: Annotated[float, Field(gt=0)] | None = None


class QualityRule(BaseModel):
    """A column with the source's own quality code of a sensor; a code that is not in ``good`` flags the value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flags: str
    good: list[int | float | str] = [0]


def _kind(rule: object) -> str:
    return "quality" if isinstance(rule, QualityRule) or (isinstance(rule, dict) and "flags" in rule) else "value"


Rule = Annotated[Annotated[ValueRule, Tag("value")] | Annotated[QualityRule, Tag("quality")], Discriminator(_kind)]


class Profile(BaseModel):
    """How a file is read; docs/importing.md describes every key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: str | list[str] = "timestamp_utc"
    time_format: str = "ISO8601"
    time_unit: Literal["s", "ms", "us"] | None = None
    timezone: str = "UTC"
    station: str | None = None
    station_name: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    skip_rows: Annotated[int, Field(ge=0)] = 0
    missing: list[str] = []
    some_columns: bool = False
    columns: dict[str, Rule]

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name != SITE_ZONE:
            zone_of(name)
        return name

    @field_validator("time_format")
    @classmethod
    def _known_format(cls, time_format: str) -> str:
        try:
            datetime.strptime("", time_format)  # noqa: DTZ007 - only the format is looked at
        except ValueError as exc:
            if "directive" in str(exc) or "stray" in str(exc):
                raise ValueError(f"{exc}; expected ISO8601 or a strptime format such as %d/%m/%Y %H:%M") from exc
        return time_format

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError as exc:
            raise ValueError(f"{name!r} is not a known encoding such as utf-8 or latin-1") from exc
        return name

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {name: {"sensor": rule} if isinstance(rule, str) else rule for name, rule in columns.items()}

    @model_validator(mode="after")
    def _whole(self) -> Profile:
        if self.decimal == self.delimiter:
            raise ValueError("decimal and delimiter must differ")
        if self.station is not None and self.station_name is not None:
            raise ValueError("give either station (a column) or station_name, not both")
        if not self.values:
            raise ValueError("[columns] must map at least one column to a sensor")
        sensors = [rule.sensor for rule in self.values.values()]
        twice = sorted({name for name in sensors if sensors.count(name) > 1})
        if twice and not self.some_columns:
            raise ValueError(f"[columns] maps two columns to {', '.join(twice)}")
        lost = sorted({rule.flags for rule in self.quality.values()} - set(sensors))
        if lost:
            raise ValueError(f"[columns] flags {', '.join(lost)}, which no column gives")
        return self

    @property
    def time_columns(self) -> tuple[str, ...]:
        """The columns that make up the time, in order."""
        return (self.time,) if isinstance(self.time, str) else tuple(self.time)

    @property
    def values(self) -> dict[str, ValueRule]:
        """Columns with values, in the profile's order."""
        return {name: rule for name, rule in self.columns.items() if isinstance(rule, ValueRule)}

    @property
    def quality(self) -> dict[str, QualityRule]:
        """Columns with quality codes, in the profile's order."""
        return {name: rule for name, rule in self.columns.items() if isinstance(rule, QualityRule)}


def bundled_profiles() -> dict[str, Path]:
    """The profiles that come with Riwayat, by name."""
    return {path.stem: path for path in sorted(BUNDLED.glob("*.toml"))}


def load_profile(name: str | Path) -> Profile:
    """Read a profile: the path of a TOML file, or the name of one that comes with Riwayat.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    path = Path(name)
    if not path.exists():
        path = bundled_profiles().get(str(name), path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(
            "Cannot read the import profile {path}: {why}. It may be a file or one of {known}.",
            path=path,
            why=exc.strerror,
            known=", ".join(bundled_profiles()),
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError("The import profile {path} is not TOML: {why}.", path=path, why=exc) from exc
    try:
        return Profile.model_validate(table)
    except ValidationError as exc:
        wrong = "; ".join(_describe(error["loc"], error["msg"], error.get("input")) for error in exc.errors())
        raise ConfigurationError("The import profile {path} is wrong: {wrong}.", path=path, wrong=wrong) from exc


def _describe(place: tuple[int | str, ...], message: str, given: object) -> str:
    keys = [str(part) for part in place if part not in {"value", "quality"}]
    short = f" (given {given!r})" if isinstance(given, str | int | float) else ""
    return f"{'.'.join(keys) or 'profile'}: {message.removeprefix('Value error, ')}{short}"
