"""Bodies of observations that programs send."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints

from api.inputs import LONGEST_NAME, GivenBody, GivenTime, Name, refuse_bool

MOST_OBSERVATIONS: Final = 50_000
_SensorName = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
_Value = Annotated[FiniteFloat | None, BeforeValidator(refuse_bool)]


class GivenObservation(GivenBody):
    """What a station sent for one time; values stand beside station and time, by sensor."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[_SensorName, _Value]

    station: Name
    time: GivenTime


class NewObservations(GivenBody):
    """Observations, in the units of the catalogue; null removes a value."""

    observations: Annotated[list[GivenObservation], Field(min_length=1, max_length=MOST_OBSERVATIONS)]
    timezone: Annotated[str | None, Field(description="Of times without an offset; default: the site's.")] = None
