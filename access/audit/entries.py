"""Entries of the audit log as they are read. Times are int ms UTC."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, lt
from typing import Any, Final

from sqlalchemy import Column, Row, Select, select

from access.audit.actions import ACTIONS
from access.tables import audit
from data.request import parse_time
from data.time.months import iso_utc
from errors import InvalidRequest


@dataclass(frozen=True)
class Entry:
    """A line of the log; ``subject`` is what it was about."""

    number: int
    at_ms: int
    actor: str
    via: str
    address: str
    action: str
    outcome: str
    subject: Mapping[str, Any]


@dataclass(frozen=True)
class AuditFilter:
    """Which entries: of one actor, of one action, in [from_ms, to_ms); None is any."""

    actor: str | None = None
    action: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


ALL: Final = AuditFilter()


def parse_audit_filter(zone: str, actor: str | None, action: str | None, since: str | None, until: str | None) -> AuditFilter:
    """What people and programs ask for, checked; times are ISO 8601, without an offset in a zone;
    empty is absent.

    Raises:
        InvalidRequest: there is no such action, or a time is none.
    """
    if action and action not in ACTIONS:
        raise InvalidRequest(
            "There is no action {action}; use one of {known}.",
            field="action",
            action=repr(action[:40]),
            known=", ".join(ACTIONS),
        )
    start, end = (parse_time(text, zone, field=name) if text else None for name, text in (("from", since), ("to", until)))
    return AuditFilter(actor or None, action or None, start, end)


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as JSON; its time is ISO 8601 in UTC."""
    others = ("actor", "via", "address", "action", "outcome", "subject")
    return {"number": entry.number, "time": iso_utc(entry.at_ms), **{name: getattr(entry, name) for name in others}}


def select_entries(wanted: AuditFilter) -> Select[Any]:
    """Return the query of some entries, newest first."""
    columns = audit.c
    limits: tuple[tuple[Column[Any], Callable[[Any, Any], Any], str | int | None], ...] = (
        (columns.actor, eq, wanted.actor),
        (columns.action, eq, wanted.action),
        (columns.at_ms, ge, wanted.from_ms),
        (columns.at_ms, lt, wanted.to_ms),
    )
    given = (compare(column, value) for column, compare, value in limits if value is not None)
    return select(audit).where(*given).order_by(columns.number.desc())


def entry_of(row: Row[Any]) -> Entry:
    """Return a row as an entry; what cannot be read of it is told as it is."""
    try:
        subject = dict(json.loads(row.subject))
    except (ValueError, TypeError):  # no reason to hide the others
        subject = {"unreadable": str(row.subject)}
    return Entry(row.number, row.at_ms, row.actor, row.via, row.address, row.action, row.outcome, subject)
