"""Schedules as the table ``report_schedule`` has them. Times are int ms UTC."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, Row, func, insert, select

from access.audit.log import write_entry
from access.identity import Identity
from access.schedules.schedule_removal import delete_schedules, schedule_subject
from access.store import AccessStore
from access.tables import report_schedule
from data.time.epoch import epoch_ms
from errors import Conflict, InvalidRequest, NotFound

MOST_RECIPIENTS: Final = 50
MOST_SCHEDULES: Final = 50  # of one user
# what stands before and after the sign is narrower than RFC 5322, and can hold no second header
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


@dataclass(frozen=True)
class ReportSchedule:
    """A report of a definition (JSON), every month or week, as a format; to ``recipients`` by mail
    and into a ``folder``. It runs with the rights of its owner.
    """

    id: str
    owner: str
    name: str
    definition: str
    every: str
    format: str
    recipients: tuple[str, ...]
    folder: str | None
    created_ms: int
    next_ms: int


def add_schedule(
    store: AccessStore,
    owner: str,
    name: str,
    definition: str,
    *,
    every: str,
    form: str,
    recipients: Sequence[str] = (),
    folder: str | None = None,
    next_ms: int,
) -> ReportSchedule:
    """Enter a schedule; ``next_ms`` is when its first report is due.

    Raises:
        InvalidRequest: an address cannot be one, there are too many, or it goes nowhere.
        Conflict: the owner has too many schedules.
    """
    if not recipients and folder is None:
        raise InvalidRequest("Say where reports go: a mail address, or a folder.", field="to")
    if len(recipients) > MOST_RECIPIENTS:
        raise InvalidRequest("A report goes to {most} addresses at most.", field="to", most=MOST_RECIPIENTS)
    for address in recipients:
        check_address(address)
    values: dict[str, Any] = {"id": secrets.token_hex(8), "owner": owner, "name": name, "definition": definition}
    values |= {"every": every, "format": form, "recipients": json.dumps(list(recipients)), "folder": folder}
    values |= {"created_ms": epoch_ms(), "next_ms": next_ms}
    with store.engine.begin() as connection:
        own = select(func.count()).select_from(report_schedule).where(report_schedule.c.owner == owner)
        if connection.execute(own).scalar_one() >= MOST_SCHEDULES:
            raise Conflict("{name} has {most} schedules; remove some first.", name=owner, most=MOST_SCHEDULES)
        connection.execute(insert(report_schedule).values(values))
        write_entry(connection, "schedule_added", schedule_subject(values))
        return _schedule(connection.execute(select(report_schedule).where(report_schedule.c.id == values["id"])).one())


def check_address(text: str) -> str:
    """Return an address to which a mail can go.

    Raises:
        InvalidRequest: it is none.
    """
    if not _ADDRESS.fullmatch(text):
        raise InvalidRequest("{address} is not a mail address.", field="to", address=repr(text)[:80])
    return text


def remove_schedule(store: AccessStore, schedule_id: str) -> None:
    """Remove a schedule, and what is known of its periods; a report that is being made is not sent.

    Raises:
        NotFound: there is none.
    """
    with store.engine.begin() as connection:
        if not delete_schedules(connection, report_schedule.c.id == schedule_id):
            raise NotFound("There is no schedule {name}.", name=schedule_id[:40])


def remove_own_schedule(store: AccessStore, identity: Identity, schedule_id: str) -> None:
    """Remove a schedule of the identity's; an administrator may remove any.

    Raises:
        NotFound: there is none, or it is somebody else's; both alike.
    """
    found = find_schedule(store.engine, schedule_id)
    if found is None or (found.owner != identity.user and not identity.admin):
        raise NotFound("There is no schedule {name}.", name=schedule_id[:40])
    remove_schedule(store, schedule_id)


def visible_schedules(engine: Engine, identity: Identity) -> list[ReportSchedule]:
    """Return the schedules of the identity, of an administrator those of all, by name."""
    return [each for each in all_schedules(engine) if identity.admin or each.owner == identity.user]


def all_schedules(engine: Engine) -> list[ReportSchedule]:
    """Return all schedules, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(report_schedule).order_by(report_schedule.c.name, report_schedule.c.id))
        return [_schedule(row) for row in rows]


def find_schedule(engine: Engine, schedule_id: str) -> ReportSchedule | None:
    """Return a schedule, or None."""
    with engine.connect() as connection:
        row = connection.execute(select(report_schedule).where(report_schedule.c.id == schedule_id)).one_or_none()
    return None if row is None else _schedule(row)


def _schedule(row: Row[Any]) -> ReportSchedule:
    fields = row._asdict()
    return ReportSchedule(**{**fields, "recipients": tuple(json.loads(fields["recipients"]))})
