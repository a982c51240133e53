"""What comes out of the API of alarms, as the document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from analysis.alarms import AlarmKind, AlarmStatus
from api.outputs import Time, _Out


class AlarmConditionAnswer(_Out):
    """When an alarm holds; spans in minutes, the rest in the sensor's unit."""

    kind: AlarmKind
    limit: float
    within: float
    lasting: Annotated[float, Field(alias="for")]
    hysteresis: float


class AlarmStateAnswer(_Out):
    """Where an alarm stands at a station."""

    station: str
    status: AlarmStatus
    since: Time
    acknowledged_by: str | None
    acknowledged: Time | None


class AlarmAnswer(_Out):
    """An alarm."""

    id: str
    name: str
    owner: str
    stations: list[str]
    sensor: str
    when: Annotated[str, Field(description="The condition in short.", examples=["above 30 for 10 min"])]
    condition: AlarmConditionAnswer
    quiet: str | None
    timezone: str
    language: str
    to: list[str]
    created: Annotated[Time, Field(description="Readings from before raise no alarm.")]
    states: Annotated[list[AlarmStateAnswer], Field(description="Of stations with a new reading since then.")]
    trouble: Annotated[list[str], Field(description="Why it cannot be looked at, or its mails cannot be sent.")]


class AlarmList(_Out):
    """Alarms by name."""

    mail: Annotated[bool, Field(description="Whether this site can send mail.")]
    alarms: list[AlarmAnswer]


class AlarmEventAnswer(_Out):
    """A change of an alarm at a station."""

    station: str
    status: AlarmStatus
    value: Annotated[float | None, Field(description="Of the reading that shows it; null where there is none.")]
    at: Annotated[Time, Field(description="Of that reading.")]
    noted: Time


class AlarmEventList(_Out):
    """Changes, newest first."""

    events: list[AlarmEventAnswer]
