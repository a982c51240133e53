"""The keys of a mapping file, as pydantic checks them;
:mod:`data.source.mapped.mapping` makes a mapping of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data.cells.time_format import ISO
from data.cells.time_parts import format_of, in_order
from data.cells.times import TimeKeys
from data.cells.values import CellKeys, ValueKeys
from data.source.mapped.table_names import pattern_of

Scalar = int | float | str | bool
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Tag = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$")]
Tags = Annotated[list[Tag], Field(min_length=1)]


class QualityEntry(BaseModel):
    """``[quality]``."""

    model_config = ConfigDict(extra="forbid")
    column: Name
    good: list[int | str] = Field(min_length=1)


class SensorEntry(ValueKeys):
    """A sensor that is a table of its own."""

    column: Name | None = None
    tag: Tag | Tags | None = None
    quality: Name | None = None
    good: list[int | str] | None = None


class ConditionEntry(BaseModel):
    """One of ``where``."""

    model_config = ConfigDict(extra="forbid")
    column: Name
    equals: Scalar | list[Scalar] | None = None
    is_null: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> ConditionEntry:
        if (self.equals is None) == (self.is_null is None) or self.equals == []:
            raise ValueError("expected equals = VALUE, equals = [VALUE, …] or is_null = true")
        return self


class TallEntry(BaseModel):
    """``[tall]``."""

    model_config = ConfigDict(extra="forbid")
    tag: Name
    value: Name | Annotated[list[Name], Field(min_length=1)]


class NamesEntry(BaseModel):
    """``[names]``: the table in which the tags of a tall table stand by name."""

    model_config = ConfigDict(extra="forbid")
    table: Name
    key: Name
    name: Name


class FreshnessEntry(BaseModel):
    """``[freshness]``."""

    model_config = ConfigDict(extra="forbid")
    id: Name | None = None
    updated: Name | None = None
    check: Literal["always", "never"] | Annotated[float, Field(gt=0)] = 10.0


class MappingFile(CellKeys, TimeKeys):
    """The whole file."""

    url: str | None = None
    url_env: str | None = None
    parquet: Annotated[str, Field(pattern=r"^/.+", max_length=1_000)] | None = None
    schema_: Name | None = Field(default=None, alias="schema")
    table: Name | None = None
    query: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    tables: Name | None = None
    layout: Literal["wide", "tall"] = "wide"
    time: Name | Annotated[list[Name], Field(min_length=1)] | None = None
    timezone: str | None = None
    station: Name | list[Name] | None = None
    station_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    stations: Annotated[list[Annotated[str, Field(min_length=1, max_length=255)]], Field(min_length=1)] | None = None
    order: Name | None = None
    sensors: dict[str, Tag | Tags | SensorEntry] = Field(min_length=1)
    quality: QualityEntry | None = None
    where: list[ConditionEntry] = Field(default=[])
    tall: TallEntry | None = None
    names: NamesEntry | None = None
    freshness: FreshnessEntry = FreshnessEntry()

    @field_validator("tables")
    @classmethod
    def _is_pattern(cls, tables: str | None) -> str | None:
        if tables is not None:
            pattern_of(tables)
        return tables

    def with_time(self) -> MappingFile:
        """Return the keys with ``time`` and a format of it in place of ``time_parts``: a
        database compares times as one text.
        """
        if self.time_parts is None:
            return self
        parts = in_order(self.time_parts)
        dated = {"date": self.time_format} if self.time_format not in {None, ISO} else {}
        formats = [dated.get(part) or format_of(part) for part in parts]
        return self.model_copy(update={"time": list(parts.values()), "time_format": " ".join(formats), "time_parts": None})

    def _tags(self) -> list[str]:
        entries = (entry.tag or [] if isinstance(entry, SensorEntry) else entry for entry in self.sensors.values())
        return [tag for entry in entries for tag in ([entry] if isinstance(entry, str) else entry)]

    @model_validator(mode="after")
    def _consistent(self) -> MappingFile:
        if sum(each is not None for each in (self.url, self.url_env, self.parquet)) != 1:
            raise ValueError("expected one of url, url_env and parquet")
        if sum(each is not None for each in (self.table, self.query, self.tables, self.parquet)) != 1:
            raise ValueError("expected one of table, query and tables, and none of them beside parquet")
        if (self.station is None) == (self.station_name is None) or self.station == []:
            raise ValueError("expected either station (a column, or several) or station_name")
        if self.stations and self.station is None:
            raise ValueError("expected stations only beside station")
        if (self.time is None) == (self.time_parts is None):
            raise ValueError("expected time, one or several columns, or time_parts, and not both")
        if self.time_parts is not None and self.hour24 and not any("%H" in format_of(part) for part in self.time_parts):
            raise ValueError("hour24 = true needs a part that holds the hour")
        if self.time_unit and isinstance(self.time, list):
            raise ValueError("expected time_unit only where time is one column")
        if self.tables and self.freshness.id:
            raise ValueError("expected no freshness.id beside tables: each of them numbers its own rows")
        return self

    @model_validator(mode="after")
    def _tall_where_it_says_so(self) -> MappingFile:
        if (self.layout == "tall") != (self.tall is not None):
            raise ValueError('expected the table [tall] with tag and value where layout = "tall", and only there')
        if self.names and self.tall is None:
            raise ValueError('expected the table [names] only where layout = "tall"')
        if self.tall and len(set(tags := self._tags())) < len(tags):
            raise ValueError(f"expected each tag once, but {max(tags, key=tags.count)!r} is there twice")
        return self
