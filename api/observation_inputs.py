"""Bodies of observations that programs send."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field, FiniteFloat, StringConstraints

from api.inputs import GivenBody, GivenTime, Name

MOST_OBSERVATIONS: Final = 50_000


class GivenObservation(GivenBody):
    """What a station sent for one time; values stand beside station and time, by sensor."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[Annotated[str, StringConstraints(max_length=255)], FiniteFloat | None]

    station: Name
    time: GivenTime


class NewObservations(GivenBody):
    """Observations, in the units of the catalogue; null removes a value."""

    observations: Annotated[list[GivenObservation], Field(min_length=1, max_length=MOST_OBSERVATIONS)]
    timezone: Annotated[str | None, Field(description="Of times without an offset; default: the site's.")] = None
