"""Grants as the table ``grant_rule`` has them. Times are int ms UTC, by this machine's clock."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, union

from access.audit.log import write_entry
from access.grants import Grant
from access.names import check_name
from access.tables import grant_rule, member, proxy_member
from data.time.epoch import epoch_ms
from data.time.months import iso_utc
from data.time.resolution import RESOLUTIONS
from errors import InvalidRequest, NotFound

SubjectKind = Literal["user", "group", "everyone"]
KINDS: Final[tuple[SubjectKind, ...]] = ("user", "group", "everyone")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GrantRow:
    """A grant as it is kept, for a user, a group or everyone (then ``subject`` is empty)."""

    id: int
    kind: SubjectKind
    subject: str
    grant: Grant
    note: str
    created_ms: int
    created_by: str


def all_grants(connection: Connection) -> list[GrantRow]:
    """Return all grants, oldest first."""
    return [_grant_row(row) for row in connection.execute(select(grant_rule).order_by(grant_rule.c.id))]


def grants_of(connection: Connection, user: str) -> tuple[Grant, ...]:
    """Return grants that are about a user, oldest first."""
    query = select(grant_rule).where(_is_about(user)).order_by(grant_rule.c.id)
    return tuple(_grant(row) for row in connection.execute(query))


def insert_grant(connection: Connection, kind: SubjectKind, subject: str, grant: Grant, note: str, by: str) -> int:
    """Enter a grant, and return its id; raises as :meth:`access.store.AccessStore.add_grant`."""
    _check_grant(kind, subject, grant)
    about = {"subject_kind": kind, "subject": subject, "note": note, "created_ms": epoch_ms(), "created_by": by}
    key = connection.execute(insert(grant_rule).values(_columns_of(grant) | about)).inserted_primary_key
    made = int(key[0]) if key else 0
    write_entry(connection, "grant_added", {"grant": made, **_audit_fields(kind, subject, grant, note)})
    return made


def delete_grant(connection: Connection, grant_id: int) -> None:
    """Take a grant out; raises NotFound where there is none."""
    found = connection.execute(select(grant_rule).where(grant_rule.c.id == grant_id)).one_or_none()
    if found is None or not connection.execute(delete(grant_rule).where(grant_rule.c.id == grant_id)).rowcount:
        raise NotFound("There is no grant {number}.", number=grant_id)
    gone = _grant_row(found)
    subject = _audit_fields(gone.kind, gone.subject, gone.grant, gone.note)
    write_entry(connection, "grant_removed", {"grant": grant_id, **subject})


def _is_about(user: str) -> ColumnElement[bool]:
    """Return the test for grants about a user: everyone's, the user's own, those of the groups."""
    rule = grant_rule.c
    groups = union(
        select(member.c.user_group).where(member.c.account == user),
        select(proxy_member.c.user_group).where(proxy_member.c.account == user),
    )
    return or_(
        rule.subject_kind == "everyone",
        and_(rule.subject_kind == "user", rule.subject == user),
        and_(rule.subject_kind == "group", rule.subject.in_(groups)),
    )


def _check_grant(kind: SubjectKind, subject: str, grant: Grant) -> None:
    if kind == "everyone":
        if subject:
            raise InvalidRequest("A grant to everyone cannot name a user or group.", field="subject")
    else:
        check_name(subject)
    if not grant.stations or not grant.sensors or not all((*grant.stations, *grant.sensors)):
        raise InvalidRequest("Name at least one pattern of stations and one of sensors, such as *.", field="stations")
    if grant.from_ms is not None and grant.to_ms is not None and grant.from_ms >= grant.to_ms:
        raise InvalidRequest("The start must be before the end.", field="to")
    if grant.longest_ms is not None and grant.longest_ms <= 0:
        raise InvalidRequest("The longest range must be longer than zero.", field="longest")


def _grant_row(row: Row[Any]) -> GrantRow:
    return GrantRow(row.id, row.subject_kind, row.subject, _grant(row), row.note, row.created_ms, row.created_by)


def _grant(row: Row[Any]) -> Grant:
    """Return a row's grant; of nothing where it cannot be read, so that others still count."""
    try:
        stations, sensors = (tuple(map(str, json.loads(text))) for text in (row.stations, row.sensors))
        RESOLUTIONS.index(row.finest)
    except (ValueError, TypeError) as exc:
        log.warning("a grant cannot be read", grant=row.id, reason=str(exc))
        return Grant(stations=(), sensors=(), may_export=False)
    found = {one.name: getattr(row, one.name) for one in fields(Grant)}
    return Grant(**found | {"stations": stations, "sensors": sensors})


def _columns_of(grant: Grant) -> dict[str, Any]:
    """Return the inverse of :func:`_grant`."""
    patterns = {name: json.dumps(getattr(grant, name), ensure_ascii=False) for name in ("stations", "sensors")}
    return asdict(grant) | patterns


def _audit_fields(kind: SubjectKind, subject: str, grant: Grant, note: str) -> dict[str, Any]:
    """Return a grant as the audit log tells it."""
    times = {name: iso_utc(at) for name, at in (("from", grant.from_ms), ("to", grant.to_ms)) if at is not None}
    return {
        "for": f"{kind} {subject}".strip(),
        "stations": list(grant.stations),
        "sensors": list(grant.sensors),
        **times,
        **({} if grant.longest_ms is None else {"longest_ms": grant.longest_ms}),
        "finest": grant.finest,
        "export": grant.may_export,
        "embed": grant.may_embed,
        "review": grant.may_review,
        **({"note": note} if note else {}),
    }
