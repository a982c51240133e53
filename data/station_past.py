"""An entry of a station's history as the catalogue has it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LONGEST_WORDS: Final = 1_000  # characters of a text

Words = Annotated[str, Field(max_length=LONGEST_WORDS)]


class StationPast(BaseModel):
    """A table ``[[stations."NAME".history]]`` of the catalogue.

    ``from`` and ``to`` (exclusive; None: until the next, or now) are dates or times of TOML;
    without an offset they are on the station's clock. ``sensor`` is None where it is about the
    station as a whole; the place is as in :class:`data.station_metadata.StationMetadata`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    start: Annotated[datetime | date, Field(alias="from")]
    end: Annotated[datetime | date | None, Field(alias="to")] = None
    sensor: str | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    elevation: Annotated[float, Field(ge=-500, le=9000)] | None = None
    instrument: Words = ""
    text: Words = ""

    @field_validator("instrument", "text")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("expected one line of printable characters")
        return text.strip()

    @model_validator(mode="after")
    def _says_something(self) -> StationPast:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude belong together")
        if self.latitude is None and self.elevation is None and not self.instrument and not self.text:
            raise ValueError("expected a place, an elevation, an instrument or a text")
        if self.end is not None and _moment(self.start) >= _moment(self.end):
            raise ValueError("from must be before to")
        return self


def wall_time(when: datetime | date) -> datetime:
    """Return a date or time of TOML as a time; of a date its midnight."""
    return when if isinstance(when, datetime) else datetime.combine(when, time())


def _moment(when: datetime | date) -> datetime:
    moment = wall_time(when)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
