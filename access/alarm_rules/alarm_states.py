"""Where alarms stand, what became of them, and the mails about it: written together, or not at
all. Times are int ms UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from access.alarm_rules.alarm_rule import AlarmRule
from access.audit.actions import Action
from access.audit.log import write_entry
from access.store import AccessStore
from access.tables import alarm_event, alarm_message, alarm_rule, alarm_state
from analysis.alarms import AlarmChange, AlarmState, AlarmStatus
from data.time.epoch import epoch_ms
from data.time.months import iso_utc
from errors import Conflict

_TOLD: Final[Mapping[AlarmStatus, Action]] = {"firing": "alarm_fired", "resolved": "alarm_resolved"}


@dataclass(frozen=True)
class StationAlarm:
    """Where a rule stands at a station; None of ``acknowledged_ms``: nobody has seen it."""

    station: str
    state: AlarmState
    acknowledged_by: str | None = None
    acknowledged_ms: int | None = None


@dataclass(frozen=True)
class AlarmStep:
    """What an evaluation found at a station: from which state (None: the first) to which."""

    station: str
    before: AlarmState | None
    after: AlarmState
    changes: Sequence[AlarmChange]


@dataclass(frozen=True)
class AlarmEvent:
    """A change of an alarm at a station, and when it was noted."""

    station: str
    change: AlarmChange
    noted_ms: int


class _ChangedMeanwhileError(Exception):
    """Somebody else has evaluated, or removed, the rule."""


def stations_of(engine: Engine, rule_id: str) -> list[StationAlarm]:
    """Return where a rule stands at each station that was looked at, by name."""
    query = select(alarm_state).where(alarm_state.c.rule == rule_id).order_by(alarm_state.c.station)
    with engine.connect() as connection:
        return [
            StationAlarm(row.station, AlarmState(row.status, row.since_ms, row.seen_ms), row.acknowledged_by, row.acknowledged_ms)
            for row in connection.execute(query)
        ]


def events_of(engine: Engine, rule_id: str, limit: int) -> list[AlarmEvent]:
    """Return the latest changes of a rule, newest first."""
    columns = alarm_event.c
    query = select(alarm_event).where(columns.rule == rule_id).order_by(columns.at_ms.desc(), columns.station).limit(limit)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [AlarmEvent(row.station, AlarmChange(row.at_ms, row.status, row.value), row.noted_ms) for row in rows]


def note_step(engine: Engine, rule: AlarmRule, step: AlarmStep, now_ms: int) -> bool:
    """Write a step: state, events, entries of the audit log and mails to be sent. Return False,
    with nothing written, where somebody else was faster.
    """
    try:
        with engine.begin() as connection:
            same = and_(alarm_rule.c.id == rule.id, alarm_rule.c.created_ms == rule.created_ms)
            there = select(alarm_rule.c.id).where(same).with_for_update()
            if connection.execute(there).first() is None:
                return False
            _write_state(connection, rule, step)
            for change in step.changes:
                _write_change(connection, rule, step.station, change, now_ms)
    except (IntegrityError, _ChangedMeanwhileError):
        return False
    return True


def acknowledge(store: AccessStore, rule: AlarmRule, station: str, by: str) -> None:
    """Note that somebody has seen that an alarm fires; it is forgotten when that ends.

    Raises:
        Conflict: it does not fire there.
    """
    firing = and_(_is(rule.id, station), alarm_state.c.status == "firing")
    seen = update(alarm_state).where(firing).values(acknowledged_by=by, acknowledged_ms=epoch_ms())
    with store.engine.begin() as connection:
        if connection.execute(seen).rowcount != 1:
            raise Conflict("The alarm does not fire at {station}.", station=station[:80])
        write_entry(connection, "alarm_acknowledged", {"alarm": rule.id, "name": rule.wishes.name, "station": station})


def _write_state(connection: Connection, rule: AlarmRule, step: AlarmStep) -> None:
    after = {"status": step.after.status, "since_ms": step.after.since_ms, "seen_ms": step.after.seen_ms}
    if step.before is None:
        connection.execute(insert(alarm_state).values(rule=rule.id, station=step.station, **after))
        return
    before = alarm_state.c.status == step.before.status, alarm_state.c.since_ms == step.before.since_ms
    mine = and_(_is(rule.id, step.station), *before, alarm_state.c.seen_ms == step.before.seen_ms)
    forgotten = {"acknowledged_by": None, "acknowledged_ms": None} if step.changes else {}
    if connection.execute(update(alarm_state).where(mine).values(**after, **forgotten)).rowcount != 1:
        raise _ChangedMeanwhileError


def _write_change(connection: Connection, rule: AlarmRule, station: str, change: AlarmChange, now_ms: int) -> None:
    event: dict[str, Any] = {"rule": rule.id, "station": station, "at_ms": change.at_ms, "status": change.status}
    event["value"] = change.value
    connection.execute(insert(alarm_event).values(**event, noted_ms=now_ms))
    if change.status not in _TOLD:
        return
    told = {"alarm": rule.id, "owner": rule.owner, "name": rule.wishes.name, "station": station}
    write_entry(connection, _TOLD[change.status], {**told, "at": iso_utc(change.at_ms), "value": change.value})
    quiet = rule.wishes.quiet_hours
    pending = {"tries": 0, "next_ms": quiet.end_ms(now_ms) if quiet else now_ms, "note": ""}
    for address in dict.fromkeys(rule.wishes.recipients):
        named = "\n".join((rule.id, station, str(change.at_ms), change.status, address))
        message = {**event, **pending, "id": hashlib.sha256(named.encode()).hexdigest()[:32], "address": address}
        connection.execute(insert(alarm_message).values(message))


def _is(rule_id: str, station: str) -> Any:
    return and_(alarm_state.c.rule == rule_id, alarm_state.c.station == station)
