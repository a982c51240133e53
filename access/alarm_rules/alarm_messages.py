"""Mails about alarms: gathered, taken by one sender at a time, and noted when the server has them.
Times are int ms UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from access.alarm_rules.alarm_rule import AlarmRule, find_alarm
from access.audit.log import write_entry
from access.tables import alarm_message
from analysis.alarms import AlarmChange
from data.time.epoch import HOUR_MS, MINUTE_MS
from errors import Conflict, NotFound

MOST_TRIES: Final = 12  # after 1, 2, 4 … minutes, 12 hours at most: some two days in all
_SENDING_MS: Final = 10 * MINUTE_MS  # after which a sender that said no more is taken for dead
_TEST: Final = "test"
_MOST_TOGETHER: Final = 200  # events of one mail


@dataclass(frozen=True)
class AlarmNews:
    """An event that a mail tells."""

    rule: AlarmRule
    station: str
    change: AlarmChange


@dataclass(frozen=True)
class AlarmMail:
    """A mail of one address; ``id`` is the same however often it is sent."""

    id: str
    address: str
    tries: int
    news: Sequence[AlarmNews]
    is_test: bool = False


def gather(engine: Engine, now_ms: int) -> None:
    """Put what is due for each address into mails, once and for all."""
    waiting = and_(alarm_message.c.mail.is_(None), alarm_message.c.next_ms <= now_ms)
    query = select(alarm_message.c.id, alarm_message.c.address).where(waiting).order_by(alarm_message.c.id)
    with engine.begin() as connection:
        by_address: dict[str, list[str]] = {}
        for row in connection.execute(query.with_for_update()):
            by_address.setdefault(row.address, []).append(row.id)
        for ids in by_address.values():
            for begin in range(0, len(ids), _MOST_TOGETHER):
                part = ids[begin : begin + _MOST_TOGETHER]
                mail = hashlib.sha256("\n".join(part).encode()).hexdigest()[:32]
                mine = and_(alarm_message.c.id.in_(part), alarm_message.c.mail.is_(None))
                connection.execute(update(alarm_message).where(mine).values(mail=mail))


def queue_test(engine: Engine, rule: AlarmRule, now_ms: int) -> None:
    """Have each recipient of a rule sent a test mail with the next look.

    Raises:
        Conflict: that was asked for within the minute.
    """
    test = {"rule": rule.id, "station": "", "at_ms": now_ms, "status": _TEST, "tries": 0, "next_ms": now_ms, "note": ""}
    try:
        with engine.begin() as connection:
            for address in dict.fromkeys(rule.wishes.recipients):
                named = "\n".join((rule.id, _TEST, str(now_ms // MINUTE_MS), address))
                mail = hashlib.sha256(named.encode()).hexdigest()[:32]
                connection.execute(insert(alarm_message).values(**test, id=mail, mail=mail, address=address))
    except IntegrityError:
        raise Conflict("A test was sent a moment ago.") from None


def due_mails(engine: Engine, now_ms: int) -> list[str]:
    """Return the ids of mails that are to be sent, or tried again."""
    due = and_(alarm_message.c.mail.is_not(None), alarm_message.c.next_ms <= now_ms)
    with engine.connect() as connection:
        return list(connection.scalars(select(alarm_message.c.mail).where(due).distinct()))


def take_mail(engine: Engine, mail_id: str, now_ms: int) -> AlarmMail | None:
    """Take a mail to send it, so that nobody else does; None where somebody has, or nothing of it
    is left.
    """
    due = and_(alarm_message.c.mail == mail_id, alarm_message.c.next_ms <= now_ms)
    taken = {"next_ms": now_ms + _SENDING_MS, "tries": alarm_message.c.tries + 1}
    query = select(alarm_message).where(alarm_message.c.mail == mail_id).order_by(alarm_message.c.at_ms, alarm_message.c.id)
    with engine.begin() as connection:
        if not connection.execute(update(alarm_message).where(due).values(taken)).rowcount:
            return None
        rows = connection.execute(query).all()
    news = [found for row in rows if (found := _news(engine, row)) is not None]
    return AlarmMail(mail_id, rows[0].address, rows[0].tries, news, rows[0].status == _TEST) if news else None


def note_sent_mail(engine: Engine, mail: AlarmMail, now_ms: int) -> None:
    """Note that the server has a mail, and tell the audit log; together."""
    with engine.begin() as connection:
        sent = {"sent_ms": now_ms, "next_ms": None, "note": ""}
        connection.execute(update(alarm_message).where(alarm_message.c.mail == mail.id).values(sent))
        told = {"mail": mail.id, "to": mail.address, "events": len(mail.news), "again": mail.tries > 1}
        write_entry(connection, "alarm_sent", {**told, "alarms": sorted({each.rule.id for each in mail.news})})


def note_unsent_mail(engine: Engine, mail: AlarmMail, why: str, now_ms: int) -> None:
    """Try a mail again later and later; never, where that was done often enough."""
    pause_ms = min(MINUTE_MS << (mail.tries - 1), 12 * HOUR_MS)
    later = {"next_ms": None if mail.tries >= MOST_TRIES else now_ms + pause_ms, "note": why}
    with engine.begin() as connection:
        connection.execute(update(alarm_message).where(alarm_message.c.mail == mail.id).values(later))


def unsent_of(engine: Engine, rule_id: str) -> list[str]:
    """Return why mails of a rule are not sent, each reason once."""
    columns = alarm_message.c
    unsent = select(columns.note).where(columns.rule == rule_id, columns.sent_ms.is_(None), columns.note != "")
    with engine.connect() as connection:
        return sorted(set(connection.scalars(unsent.distinct())))


def _news(engine: Engine, row: Any) -> AlarmNews | None:
    try:
        return AlarmNews(find_alarm(engine, row.rule), row.station, AlarmChange(row.at_ms, row.status, row.value))
    except NotFound:
        return None
