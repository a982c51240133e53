"""What happened to a station: where it stood, and what it measured with, as the catalogue says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data.time.epoch import ms_of
from data.time.zones import zone_of

LONGEST_WORDS = 1_000  # characters of a text

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
        if self.end is not None and _utc_ms(self.start, "UTC") >= _utc_ms(self.end, "UTC"):
            raise ValueError("from must be before to")
        return self


@dataclass(frozen=True)
class HistoryEntry:
    """What is known of a station (``sensor`` is None) or a sensor of it from ``start_ms`` on, int
    ms UTC; ``end_ms`` is exclusive, None where nobody has said.
    """

    station: str
    sensor: str | None
    start_ms: int
    end_ms: int | None
    latitude: float | None
    longitude: float | None
    elevation: float | None
    instrument: str
    text: str

    @property
    def id(self) -> str:
        """Equal for what says the same: 16 hexadecimal digits."""
        return hashlib.sha256(repr(self).encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def place(self) -> str:
        """Where it stood, as degrees and metres; empty where that is not said."""
        at = "" if self.latitude is None or self.longitude is None else f"{self.latitude:g}, {self.longitude:g}"
        return ", ".join(part for part in (at, "" if self.elevation is None else f"{self.elevation:g} m") if part)


def entries_of(station: str, past: tuple[StationPast, ...], timezone: str) -> list[HistoryEntry]:
    """Return a station's history by time, on the clock of a zone."""
    found = [
        HistoryEntry(
            station,
            each.sensor,
            _utc_ms(each.start, timezone),
            None if each.end is None else _utc_ms(each.end, timezone),
            each.latitude,
            each.longitude,
            each.elevation,
            each.instrument,
            each.text,
        )
        for each in past
    ]
    return sorted(found, key=lambda one: (one.start_ms, one.sensor or ""))


def _utc_ms(when: datetime | date, timezone: str) -> int:
    moment = when if isinstance(when, datetime) else datetime.combine(when, time())
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(timezone))
    return ms_of(aware.astimezone(UTC))
