"""Telling alarms, as API and command line give them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from access.alarm_rules.alarm_messages import unsent_of
from access.alarm_rules.alarm_rule import AlarmRule
from access.alarm_rules.alarm_states import AlarmEvent, StationAlarm, stations_of
from analysis.alarms import AlarmCondition
from data.time.epoch import MINUTE_MS
from data.time.months import iso_utc, iso_utc_or_none


def told_alarm(engine: Engine, rule: AlarmRule) -> dict[str, Any]:
    """Return a rule with its state at each station, and what keeps it from being looked at, or its
    mails from being sent.
    """
    wishes = rule.wishes
    return {
        "id": rule.id,
        "name": wishes.name,
        "owner": rule.owner,
        "stations": list(wishes.stations),
        "sensor": wishes.sensor,
        "when": _words(wishes.condition),
        "condition": _condition(wishes.condition),
        "quiet": wishes.quiet,
        "timezone": wishes.timezone,
        "language": wishes.language,
        "to": list(wishes.recipients),
        "created": iso_utc(rule.created_ms),
        "states": [_state(each) for each in stations_of(engine, rule.id)],
        "trouble": [*([rule.note] if rule.note else []), *unsent_of(engine, rule.id)],
    }


def told_event(event: AlarmEvent) -> dict[str, Any]:
    """Return a change of an alarm."""
    at = {"at": iso_utc(event.change.at_ms), "noted": iso_utc(event.noted_ms)}
    return {"station": event.station, "status": event.change.status, "value": event.change.value, **at}


def _state(found: StationAlarm) -> dict[str, Any]:
    return {
        "station": found.station,
        "status": found.state.status,
        "since": iso_utc(found.state.since_ms),
        "acknowledged_by": found.acknowledged_by,
        "acknowledged": iso_utc_or_none(found.acknowledged_ms),
    }


def _condition(condition: AlarmCondition) -> dict[str, Any]:
    fields = asdict(condition)
    spans = {"within": fields.pop("within_ms") / MINUTE_MS, "for": fields.pop("for_ms") / MINUTE_MS}
    return {**fields, **spans}


def _words(condition: AlarmCondition) -> str:
    """Return a condition in short, spans in minutes."""
    within = f" {condition.within_ms / MINUTE_MS:g} min" if condition.within_ms else ""
    limit = "" if condition.kind in ("silent", "flagged") else f" {condition.limit:g}"
    lasting = f" for {condition.for_ms / MINUTE_MS:g} min" if condition.for_ms else ""
    return f"{condition.kind}{limit}{within}{lasting}"
