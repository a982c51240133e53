"""Where a station stands: what the catalogue says of it beside what it records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data.quality_limits import QualityLimits
from data.station_past import StationPast


class StationMetadata(BaseModel):
    """A table ``[stations."NAME"]`` of the catalogue; every key may be left out.

    ``latitude`` (north) and ``longitude`` (east) in degrees of WGS 84, both or neither;
    ``elevation`` in metres above sea level; ``timezone`` the station's own, an IANA name;
    ``quality`` limits of quality control that are the station's own, by sensor; ``history`` what
    was before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    elevation: Annotated[float, Field(ge=-500, le=9000)] | None = None
    timezone: str | None = None
    quality: Mapping[str, QualityLimits] = Field(default_factory=dict)
    # TOML has lists where the others are strict
    history: Annotated[tuple[StationPast, ...], Field(strict=False)] = ()

    @property
    def position(self) -> tuple[float, float] | None:
        """Return latitude and longitude (degrees), or None where they are not known."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            if name is not None:
                ZoneInfo(name)
        except (KeyError, ValueError, OSError) as exc:
            raise ValueError(f"{name!r} is not an IANA time zone such as Asia/Jakarta") from exc
        return name

    @model_validator(mode="after")
    def _whole_position(self) -> StationMetadata:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude belong together")
        return self
