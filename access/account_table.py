"""Accounts as the table ``account`` has them, and what goes with one.
Times are int ms UTC, by this machine's clock.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, inspect, select, update

from access.alarm_rules.alarm_removal import delete_alarms
from access.audit.log import write_entry
from access.names import check_name, name_of_removed
from access.schedules.schedule_removal import delete_schedules
from access.tables import (
    account,
    alarm_rule,
    api_key,
    embed,
    grant_rule,
    left_job,
    member,
    note,
    own_formula,
    proxy_member,
    quality_decision,
    quality_limit,
    report_schedule,
    saved_view,
)
from data.time.epoch import epoch_ms
from errors import NotFound


@dataclass(frozen=True)
class Account:
    """A user that the site knows by name. A new ``session`` ends all the account's sessions."""

    name: str
    admin: bool
    disabled: bool
    session: str
    has_password: bool
    created_ms: int
    password_ms: int | None


def find_account(connection: Connection, name: str) -> Account | None:
    """An account, or None."""
    row = connection.execute(select(account).where(account.c.name == name)).one_or_none()
    return None if row is None else _account_of(row)


def require_account(connection: Connection, name: str) -> Account:
    """An account; raises NotFound where there is none."""
    if (found := find_account(connection, name)) is None:
        raise NotFound("There is no user {name}.", name=name)
    return found


def all_accounts(connection: Connection) -> list[Account]:
    """Return all accounts by name."""
    return [_account_of(row) for row in connection.execute(select(account).order_by(account.c.name))]


def insert_account(connection: Connection, name: str, password_hash: str | None, admin: bool) -> None:
    """Enter an account; raises InvalidRequest where no user may be called so, and the driver's
    IntegrityError where there is one of that name.
    """
    values: dict[str, Any] = {
        "name": check_name(name),
        "password": password_hash,
        "admin": admin,
        "disabled": False,
        "session": secrets.token_hex(16),
        "created_ms": epoch_ms(),
        "password_ms": None if password_hash is None else epoch_ms(),
    }
    connection.execute(insert(account).values(values))
    write_entry(connection, "user_added", {"user": name, "admin": admin})


def update_account(
    connection: Connection, name: str, password_hash: str | None, admin: bool | None, disabled: bool | None, end_sessions: bool
) -> None:
    """Change what is given, as :meth:`access.store.AccessStore.change_account`."""
    given: dict[str, Any] = {"admin": admin, "disabled": disabled, "password": password_hash}
    values = {column: value for column, value in given.items() if value is not None}
    told = {"user": name, **{column: value for column, value in values.items() if column != "password"}}
    told |= {"sessions_ended": True} if end_sessions else {}
    if password_hash is not None:
        values["password_ms"] = epoch_ms()
    if end_sessions or disabled or password_hash is not None:
        values["session"] = secrets.token_hex(16)
    if values:
        connection.execute(update(account).where(account.c.name == name).values(values))
        only_password = password_hash is not None and told.keys() == {"user"}
        write_entry(connection, "password" if only_password else "user_changed", told)


def forget_account(connection: Connection, name: str) -> None:
    """Take out an account and what goes with it,
    as :meth:`access.store.AccessStore.remove_account`.
    """
    connection.execute(delete(account).where(account.c.name == name))
    for table in (member, proxy_member):
        connection.execute(delete(table).where(table.c.account == name))
    connection.execute(delete(grant_rule).where(grant_rule.c.subject_kind == "user", grant_rule.c.subject == name))
    connection.execute(delete(saved_view).where(saved_view.c.owner == name))
    connection.execute(delete(own_formula).where(own_formula.c.owner == name))
    connection.execute(delete(note).where(note.c.owner == name, note.c.shared.is_(False)))
    delete_schedules(connection, report_schedule.c.owner == name)
    delete_alarms(connection, alarm_rule.c.owner == name)
    left_as = name_of_removed(name)
    connection.execute(update(note).where(note.c.owner == name).values(owner=left_as))
    for table in (api_key, embed):
        own = (table.c.owner == name, table.c.revoked_ms.is_(None))
        connection.execute(update(table).where(*own).values(revoked_ms=epoch_ms()))
        connection.execute(update(table).where(table.c.owner == name).values(owner=left_as))
    for column in (quality_decision.c.made_by, quality_decision.c.undone_by):
        connection.execute(update(quality_decision).where(column == name).values({column: left_as}))
    connection.execute(update(quality_limit).where(quality_limit.c.made_by == name).values(made_by=left_as))
    _leave_jobs(connection, name, left_as)
    write_entry(connection, "user_removed", {"user": name})


def _leave_jobs(connection: Connection, name: str, left_as: str) -> None:
    """End the jobs of a removed user, and have them go by another name; where there is a ledger."""
    if not inspect(connection).has_table(left_job.name):
        return
    jobs = left_job.c
    ended = {"status": "cancelled", "version": jobs.version + 1, "finished_ms": epoch_ms(), "worker": None}
    active = jobs.status.in_(("queued", "running"))
    connection.execute(update(left_job).where(jobs.owner == name, active).values(**ended, lease_until_ms=None, active_key=None))
    connection.execute(update(left_job).where(jobs.owner == name).values(owner=left_as))
    connection.execute(update(left_job).where(jobs.share == name).values(share=left_as))


def _account_of(row: Row[Any]) -> Account:
    return Account(row.name, row.admin, row.disabled, row.session, row.password is not None, row.created_ms, row.password_ms)
