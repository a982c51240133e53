"""Rules of alarms as the table ``alarm_rule`` has them. Times are int ms UTC."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row, delete, func, insert, literal, select, update

from access.alarm_rules.alarm_removal import alarm_subject, delete_alarms
from access.alarm_rules.quiet_hours import QuietHours, read_quiet_hours
from access.audit.log import write_entry
from access.grants import Grant
from access.identity import Identity
from access.schedules.report_schedule import MOST_RECIPIENTS, check_address
from access.store import AccessStore
from access.tables import alarm_event, alarm_message, alarm_rule, alarm_state
from analysis.alarms import AlarmCondition
from data.time.epoch import epoch_ms
from errors import Conflict, InvalidRequest, NotFound

MOST_ALARMS: Final = 50  # of one user


@dataclass(frozen=True)
class AlarmWishes:
    """What an alarm is to be: of which stations (shell patterns) and sensor, when it fires, and to
    whom mails go, except in quiet hours (``22:00-06:00`` in ``timezone``).
    """

    name: str
    stations: tuple[str, ...]
    sensor: str
    condition: AlarmCondition
    recipients: tuple[str, ...]
    quiet: str | None = None
    timezone: str = "UTC"
    language: str = "en"

    @property
    def quiet_hours(self) -> QuietHours | None:
        """The hours in which mails are held back."""
        return read_quiet_hours(self.quiet, self.timezone) if self.quiet else None

    def names(self, station: str) -> bool:
        """Return whether it is about a station."""
        return Grant(stations=self.stations).names(station)

    def check(self) -> None:
        """Raise InvalidRequest, naming the field, where it cannot be so."""
        if not self.name.strip() or len(self.name) > 120:
            raise InvalidRequest("Give the alarm a name of up to 120 characters.", field="name")
        if not self.stations or not all(self.stations):
            raise InvalidRequest("Choose at least one station.", field="stations")
        if not self.recipients or len(self.recipients) > MOST_RECIPIENTS:
            raise InvalidRequest("Say who gets mails: 1 to {most} addresses.", field="to", most=MOST_RECIPIENTS)
        for address in self.recipients:
            check_address(address)
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise InvalidRequest("There is no time zone {timezone}.", field="timezone", timezone=self.timezone) from None
        _ = self.quiet_hours


@dataclass(frozen=True)
class AlarmRule:
    """An alarm of a user; it sees what its owner may. ``note``: why it could not be looked at."""

    id: str
    owner: str
    wishes: AlarmWishes
    created_ms: int
    note: str


def any_alarm(engine: Engine) -> bool:
    """Return whether there is any rule; one statement."""
    with engine.connect() as connection:
        return connection.execute(select(literal(1)).select_from(alarm_rule).limit(1)).first() is not None


def add_alarm(store: AccessStore, owner: str, wishes: AlarmWishes) -> AlarmRule:
    """Enter an alarm; readings from before raise none.

    Raises:
        InvalidRequest: it cannot be so.
        Conflict: the owner has too many.
    """
    wishes.check()
    values: dict[str, Any] = {"id": secrets.token_hex(8), "owner": owner, "created_ms": epoch_ms(), **_columns(wishes)}
    with store.engine.begin() as connection:
        own = select(func.count()).select_from(alarm_rule).where(alarm_rule.c.owner == owner)
        if connection.execute(own).scalar_one() >= MOST_ALARMS:
            raise Conflict("{name} has {most} alarms; remove some first.", name=owner, most=MOST_ALARMS)
        connection.execute(insert(alarm_rule).values(values))
        write_entry(connection, "alarm_added", alarm_subject(values))
        return _rule(connection.execute(select(alarm_rule).where(alarm_rule.c.id == values["id"])).one())


def change_alarm(store: AccessStore, rule: AlarmRule, wishes: AlarmWishes) -> AlarmRule:
    """Make a rule another. Where its sensor or condition is another, it begins anew: readings from
    before raise no alarm, and its states and events are forgotten but by the audit log.

    Raises:
        InvalidRequest: it cannot be so.
        NotFound: it was removed meanwhile.
    """
    wishes.check()
    values, anew = _columns(wishes), (wishes.sensor, wishes.condition) != (rule.wishes.sensor, rule.wishes.condition)
    values |= {"created_ms": max(epoch_ms(), rule.created_ms + 1)} if anew else {}
    with store.engine.begin() as connection:
        if connection.execute(update(alarm_rule).where(alarm_rule.c.id == rule.id).values(values)).rowcount != 1:
            raise _unknown(rule.id)
        for table in (alarm_state, alarm_event, alarm_message) if anew else ():
            connection.execute(delete(table).where(table.c.rule == rule.id))
        row = connection.execute(select(alarm_rule).where(alarm_rule.c.id == rule.id)).one()
        write_entry(connection, "alarm_changed", alarm_subject(row._asdict()))
    return _rule(row)


def all_alarms(engine: Engine) -> list[AlarmRule]:
    """Return all rules, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(alarm_rule).order_by(alarm_rule.c.name, alarm_rule.c.id))
        return [_rule(row) for row in rows]


def visible_alarms(engine: Engine, identity: Identity) -> list[AlarmRule]:
    """Return the alarms of the identity, of an administrator those of all, by name."""
    return [each for each in all_alarms(engine) if identity.admin or each.owner == identity.user]


def find_alarm(engine: Engine, alarm_id: str) -> AlarmRule:
    """Return a rule.

    Raises:
        NotFound: there is none.
    """
    with engine.connect() as connection:
        row = connection.execute(select(alarm_rule).where(alarm_rule.c.id == alarm_id)).one_or_none()
    if row is None:
        raise _unknown(alarm_id)
    return _rule(row)


def find_own_alarm(engine: Engine, identity: Identity, alarm_id: str, *, alone: bool = False) -> AlarmRule:
    """Return a rule of the identity's; an administrator's may be any, unless it is to be one's own
    ``alone``.

    Raises:
        NotFound: there is none, or it is somebody else's; both alike.
    """
    found = find_alarm(engine, alarm_id)
    if found.owner != identity.user and (alone or not identity.admin):
        raise _unknown(alarm_id)
    return found


def remove_alarm(store: AccessStore, alarm_id: str) -> None:
    """Remove a rule, and what is known of it; mails that were not sent yet are not sent.

    Raises:
        NotFound: there is none.
    """
    with store.engine.begin() as connection:
        if not delete_alarms(connection, alarm_rule.c.id == alarm_id):
            raise _unknown(alarm_id)


def note_trouble(engine: Engine, rule: AlarmRule, note: str) -> None:
    """Note why a rule could not be looked at; empty: it could."""
    if note != rule.note:
        with engine.begin() as connection:
            connection.execute(update(alarm_rule).where(alarm_rule.c.id == rule.id).values(note=note))


def _rule(row: Row[Any]) -> AlarmRule:
    stations, recipients = (tuple(json.loads(each)) for each in (row.stations, row.recipients))
    condition = AlarmCondition(**json.loads(row.holds))
    wishes = AlarmWishes(row.name, stations, row.sensor, condition, recipients, row.quiet, row.timezone, row.language)
    return AlarmRule(row.id, row.owner, wishes, row.created_ms, row.note)


def _columns(wishes: AlarmWishes) -> dict[str, Any]:
    lists = {"stations": _listed(wishes.stations), "recipients": _listed(wishes.recipients)}
    when = {"holds": json.dumps(asdict(wishes.condition)), "quiet": wishes.quiet, "timezone": wishes.timezone}
    return {"name": wishes.name.strip(), "sensor": wishes.sensor, "language": wishes.language, "note": "", **lists, **when}


def _listed(names: Sequence[str]) -> str:
    return json.dumps(list(names), ensure_ascii=False)


def _unknown(alarm_id: str) -> NotFound:
    return NotFound("There is no alarm {name}.", name=alarm_id[:40])
