"""What goes into the API of alarms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from access.alarm_rules.alarm_rule import AlarmWishes
from access.schedules.report_schedule import MOST_RECIPIENTS
from analysis.alarms import LONGEST_MS, AlarmCondition, AlarmKind
from api.inputs import GivenBody, GivenQuery, Name
from data.time.epoch import MINUTE_MS

_NO_NULL = r"^[^\u0000]*$"
_Minutes = Annotated[float, Field(ge=0, le=LONGEST_MS / MINUTE_MS, allow_inf_nan=False)]


class NewAlarm(GivenBody):
    """A rule on new readings of a sensor at stations."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_NO_NULL)]
    stations: Annotated[
        list[Name], Field(min_length=1, max_length=100, description="Names or shell patterns.", examples=[["JFK"]])
    ]
    sensor: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NULL), Field(examples=["temperature"])]
    kind: AlarmKind
    limit: Annotated[float, Field(allow_inf_nan=False, description="Of above, below and change; in the sensor's unit.")] = 0
    within: Annotated[_Minutes, Field(description="Minutes of change and silent.")] = 0
    lasting: Annotated[_Minutes, Field(alias="for", description="Minutes for which it must hold.")] = 0
    hysteresis: Annotated[float, Field(ge=0, allow_inf_nan=False, description="How far a value must come back.")] = 0
    quiet: Annotated[
        str | None, StringConstraints(max_length=16), Field(description="When mails are held back.", examples=["22:00-06:00"])
    ] = None
    timezone: Annotated[
        str | None, StringConstraints(max_length=64), Field(description="Of quiet hours and mails. Default: the site's.")
    ] = None
    language: Annotated[Literal["en", "id"] | None, Field(description="Of mails. Default: as the request's.")] = None
    to: Annotated[
        list[Annotated[str, StringConstraints(max_length=320)]],
        Field(min_length=1, max_length=MOST_RECIPIENTS, description="Mail addresses.", examples=[["duty@example.org"]]),
    ]

    def wishes(self, timezone: str, language: str) -> AlarmWishes:
        """Return what is wished, with a zone and language for where none is given."""
        spans = round(self.within * MINUTE_MS), round(self.lasting * MINUTE_MS)
        condition = AlarmCondition(self.kind, self.limit, *spans, self.hysteresis)
        where = self.name, tuple(self.stations), self.sensor
        return AlarmWishes(
            *where, condition, tuple(self.to), self.quiet or None, self.timezone or timezone, self.language or language
        )


class AlarmSeen(GivenBody):
    """Where somebody has seen that an alarm fires."""

    station: Name


class AlarmEventsQuery(GivenQuery):
    """How many events."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
