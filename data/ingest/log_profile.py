"""The log profile: a TOML file that says how a logbook is read. Times are read as those of
observations (data/cells/times.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from data.cells.times import TimeKeys
from data.ingest.profile import Names
from data.ingest.profile_file import bundled_files, read_profile
from data.time.zones import zone_of

STATION_ZONE: Final = "station"  # each station's own, else the site's
LOGBOOKS: Final = Path(__file__).parent.parent / "logbooks"


class LogProfile(TimeKeys):
    """How a logbook is read; docs/importing.md describes every key."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    time: Names | None = None
    start: Annotated[Names | None, Field(alias="from")] = None
    end: Annotated[Names | None, Field(alias="to")] = None
    timezone: str = "UTC"
    station: str | None = None
    station_name: str | None = None
    sensor: str | None = None
    sensors: dict[str, str] = Field(default_factory=dict)
    other_sensors: Literal["refuse", "station"] = "refuse"
    kind: str | None = None
    kind_name: str = "event"
    kinds: dict[str, str] = Field(default_factory=dict)
    kinds_by_text: dict[str, str] = Field(default_factory=dict)
    text: Names
    shared: str | None = None
    owner: str | None = None
    id: str | None = None
    escaped: bool = False

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name != STATION_ZONE:
            zone_of(name)
        return name

    @model_validator(mode="after")
    def _whole(self) -> LogProfile:
        if (self.time is None) == (self.start is None):
            raise ValueError("give either time, or from (with to, where there is one)")
        if self.end is not None and self.start is None:
            raise ValueError("to goes with from")
        if (self.station is None) == (self.station_name is None):
            raise ValueError("give either station (a column) or station_name")
        if self.time_parts is not None:
            raise ValueError("time_parts is of observations; give the columns of the time")
        return self

    @property
    def begins(self) -> tuple[str, ...]:
        """The columns of the time at which a row begins."""
        return self.time or self.start or ()

    @property
    def columns(self) -> list[str]:
        """The columns that a file must have."""
        single = (self.station, self.sensor, self.kind, self.shared, self.owner, self.id)
        return [*self.begins, *(self.end or ()), *self.text, *(name for name in single if name is not None)]


def bundled_logbooks() -> dict[str, Path]:
    """Return the log profiles that come with Riwayat, by name."""
    return bundled_files(LOGBOOKS)


def load_log_profile(name: str | Path) -> LogProfile:
    """Read a log profile: the path of a TOML file, or the name of one that comes with Riwayat.

    Raises:
        ConfigurationError: naming file, key and what was expected.
    """
    return read_profile(name, LOGBOOKS, LogProfile)
