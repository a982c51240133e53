"""Limits of quality control, as the catalogue says them of a sensor or of one station."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Quantity = Literal[
    "air_temperature",
    "dew_point",
    "humidity",
    "pressure",
    "rain",
    "wind_speed",
    "wind_gust",
    "wind_direction",
    "solar_radiation",
    "par",
    "other",
]
RULES_VERSION: Final = 2  # grows when a rule finds other readings by the same limits
_MONTHS: Final = 12


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("write [least, greatest]")
    return bounds


def _growing(table: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    minutes = [each for each, _ in table]
    if not table or minutes != sorted(set(minutes)) or minutes[0] <= 0:
        raise ValueError("write [[minutes, limit], …] with increasing minutes")
    if any(limit <= 0 for _, limit in table):
        raise ValueError("a limit is greater than 0")
    return table


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Bounds = Annotated[tuple[Number, Number], AfterValidator(_ordered)]
Table = Annotated[tuple[tuple[Number, Number], ...], AfterValidator(_growing)]


class QualityLimits(BaseModel):
    """What quality control expects of a sensor, in its unit; ``data/quality.toml`` explains each
    key. A rule whose limit is None is not asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: Quantity | None = None
    climate: Annotated[tuple[Bounds, ...], Field(min_length=_MONTHS, max_length=_MONTHS)] | None = None
    step: Table | None = None
    spike: Table | None = None
    still_hours: Positive | None = None
    still_step: Positive | None = None
    quiet: Bounds | None = None
    quiet_hours: Positive | None = None
    variation: Positive | None = None
    variation_days: Annotated[int, Field(ge=1, le=31)] = 2
    neighbour: Positive | None = None
    neighbour_hours: Annotated[int, Field(ge=1, le=240)] = 6
    twin: Positive | None = None
    dark: Number | None = None
    night: Number | None = None

    def over(self, usual: QualityLimits) -> QualityLimits:
        """Return other limits with what is said here in their place."""
        if not self.model_fields_set:
            return usual
        return usual.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})
