"""The import profile: a TOML file that says how a site's files are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from data.cells.times import TimeKeys
from data.cells.values import CellKeys, ValueKeys
from data.ingest.profile_file import bundled_files, read_profile
from data.ingest.text.header import HeaderNames
from data.ingest.text.layout_keys import TextKeys
from data.time.zones import zone_of

SITE_ZONE = "site"  # the zone of the setting RIWAYAT_TIMEZONE
REQUIRED_ZONE = "required"  # the caller's
HEADER = "header"  # what the file's header says
BUNDLED = Path(__file__).parent.parent / "profiles"


def _several(names: Any) -> Any:
    return [names] if isinstance(names, str) else names


Names = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]  # one or several


class ValueRule(ValueKeys):
    """A column with values of a sensor; ``station`` is that of the column where each
    station has columns of its own.
    """

    sensor: str
    station: str | None = None


class QualityRule(BaseModel):
    """A column with the source's own quality code of one or several sensors;
    a code not in ``good`` flags their values.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    flags: Names
    good: list[int | float | str] = [0]


class TallRule(BaseModel):
    """Columns of a file of one value a row; several columns of the tag are joined by a space."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tag: Names
    value: str
    flags: str | None = None
    good: list[int | float | str] = [0]


class SplitRule(BaseModel):
    """How a cell that holds several things is taken apart:
    ``at`` a character, or by the named groups of a ``pattern``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    names: list[str] = []
    pattern: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> SplitRule:
        if (self.pattern is None) == (self.at is None) or (self.at is None) == bool(self.names):
            raise ValueError("expected at = CHARACTER with names = [NAME, …], or pattern = REGULAR EXPRESSION with named groups")
        if self.pattern is not None:
            check_pattern(self.pattern)
        if not any(self.columns):
            raise ValueError("expected at least one name")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it makes; an empty name leaves a part out."""
        return tuple(self.names) if self.pattern is None else tuple(re.compile(self.pattern).groupindex)


def _kind(rule: object) -> str:
    return "quality" if isinstance(rule, QualityRule) or (isinstance(rule, dict) and "flags" in rule) else "value"


Rule = Annotated[Annotated[ValueRule, Tag("value")] | Annotated[QualityRule, Tag("quality")], Discriminator(_kind)]


class Profile(TextKeys, TimeKeys, CellKeys):
    """How a file is read; docs/importing.md describes every key."""

    time: Names = ("timestamp_utc",)
    timezone: str = "UTC"
    station: str | None = None
    station_name: str | None = None
    only: dict[str, list[int | float | str]] = Field(default_factory=dict)
    some_columns: bool = False
    layout: Literal["wide", "tall", "station_columns"] = "wide"
    tall: TallRule | None = None
    split: dict[str, SplitRule] = Field(default_factory=dict)
    columns: dict[str, Rule]

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in {SITE_ZONE, REQUIRED_ZONE, HEADER}:
            zone_of(name)
        return name

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {name: {"sensor": rule} if isinstance(rule, str) else rule for name, rule in columns.items()}

    @model_validator(mode="after")
    def _whole(self) -> Profile:
        if (self.decimal or ".") == self.delimiter:
            raise ValueError("decimal and delimiter must differ")
        if self.station is not None and self.station_name is not None:
            raise ValueError("give either station (a column) or station_name, not both")
        if not self.values:
            raise ValueError("[columns] must map at least one column to a sensor")
        if self.time_parts is not None and "time" in self.model_fields_set:
            raise ValueError("give either time or time_parts, not both")
        if self.time_unit is not None and len(self.time_columns) > 1:
            raise ValueError(f"time_unit is of one column of numbers, not of {len(self.time_columns)}")
        self._check_layout()
        places = [(rule.station, rule.sensor) for rule in self.values.values()]
        twice = sorted({sensor for station, sensor in places if places.count((station, sensor)) > 1})
        if twice and not self.some_columns and self.layout == "wide":
            raise ValueError(f"[columns] maps two columns to {', '.join(twice)}")
        lost = sorted({sensor for rule in self.quality.values() for sensor in rule.flags} - {sensor for _, sensor in places})
        if lost:
            raise ValueError(f"[columns] flags {', '.join(lost)}, which no column gives")
        return self

    def _check_layout(self) -> None:
        if self.layout == "tall" and any(rule.counts == "rate" and rule.step_s is None for rule in self.values.values()):
            raise ValueError('counts = "rate" in a tall file needs step_s, since each tag has an interval of its own')
        if (self.layout == "tall") != (self.tall is not None):
            raise ValueError('[tall] with tag and value goes together with layout = "tall"')
        if self.layout != "wide" and (self.quality or self.some_columns):
            raise ValueError(f'layout = "{self.layout}" has no some_columns, and flags only in [tall]')
        if self.layout == "station_columns":
            if self.station is not None or self.station_name is not None:
                raise ValueError('layout = "station_columns" takes stations from the columns; leave out station and station_name')
        elif any(rule.station is not None for rule in self.values.values()):
            raise ValueError('station of a single column needs layout = "station_columns"')

    @property
    def time_columns(self) -> tuple[str, ...]:
        """The columns that make up the time, in order."""
        return self.time if self.time_parts is None else tuple(self.time_parts.values())

    @property
    def header_names(self) -> HeaderNames:
        """What the file's header names."""
        return HeaderNames(self.time_columns, self.value_columns if self.tall else (*self.columns, *self.split))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns of values and of what tells about them: codes, and a tall file's tags."""
        return (*self.tall.tag, self.tall.value) if self.tall else tuple(self.columns)

    @property
    def made_columns(self) -> dict[str, str]:
        """The columns that are taken out of others, each with the one that it is taken out of."""
        return {name: column for column, rule in self.split.items() for name in rule.columns if name}

    @property
    def values(self) -> dict[str, ValueRule]:
        """Columns with values (of a tall file: tags), in the profile's order."""
        return {name: rule for name, rule in self.columns.items() if isinstance(rule, ValueRule)}

    @property
    def quality(self) -> dict[str, QualityRule]:
        """Columns with quality codes, in the profile's order."""
        return {name: rule for name, rule in self.columns.items() if isinstance(rule, QualityRule)}


def check_pattern(pattern: str) -> None:
    """Refuse what is no regular expression, for Python and for Arrow, or names no group.

    Raises:
        ValueError: saying what was expected.
    """
    try:
        groups = re.compile(pattern).groupindex
        pc.extract_regex(pa.array([""]), pattern)
    except (re.error, pa.ArrowInvalid) as exc:
        raise ValueError(f"not a regular expression with named groups such as (?P<value>…): {exc}") from exc
    if not groups:
        raise ValueError("expected a named group such as (?P<value>…)")


def bundled_profiles() -> dict[str, Path]:
    """The profiles that come with Riwayat, by name."""
    return bundled_files(BUNDLED)


def load_profile(name: str | Path) -> Profile:
    """Read a profile: the path of a TOML file, or the name of one that comes with Riwayat.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    return read_profile(name, BUNDLED, Profile)
