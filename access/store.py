"""Accounts, groups and grants in the database of jobs. Times are int ms UTC, by this machine's clock."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, insert, or_, select, union, update
from sqlalchemy.exc import IntegrityError

from access.actions import Action
from access.audit import AuditLog, write_entry
from access.grants import EVERYTHING, Grant, Rights
from access.names import LOCAL_USER, check_name
from access.tables import account, api_key, embed, grant_rule, member, proxy_member
from config import Settings
from data.drivers import SQLITE_BUSY_TIMEOUT_MS
from data.engine import make_engine, upgrade
from data.months import iso_utc
from data.silence import give_up_silent_servers
from errors import Conflict, InvalidRequest, NotFound

MIGRATIONS: Final = Path(__file__).with_name("migrations")
VERSION_TABLE: Final = "alembic_version_access"

SubjectKind = Literal["user", "group", "everyone"]
KINDS: Final[tuple[SubjectKind, ...]] = ("user", "group", "everyone")


@dataclass(frozen=True)
class Account:
    """A user that the site knows by name. ``session`` changes when all sessions of the account are to end."""

    name: str
    admin: bool
    disabled: bool
    session: str
    has_password: bool
    created_ms: int
    password_ms: int | None


@dataclass(frozen=True)
class GrantRow:
    """A grant as it is kept. ``kind`` is user, group or everyone; ``subject`` the name, empty for everyone."""

    id: int
    kind: SubjectKind
    subject: str
    grant: Grant
    note: str
    created_ms: int
    created_by: str


@dataclass(frozen=True)
class Standing:
    """What a user is to the site at this moment."""

    rights: Rights
    admin: bool = False
    disabled: bool = False
    account: Account | None = None


class AccessStore:
    """An engine of the database of jobs, with its audit log; opens no connection until used.

    ``admins`` are administrators besides those whose account says so; ``open_to_all``: a site without sign-in, where whoever
    reaches it has every right; ``zone``: the site's (see :class:`access.grants.Rights`); ``keep_admin``: nobody may take away
    the last administrator who can sign in. Every method may raise what SQLAlchemy does when the database does not answer.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        admins: Collection[str] = (),
        open_to_all: bool = False,
        zone: str | None = None,
        keep_admin: bool = False,
    ) -> None:
        self.engine = engine
        self.audit = AuditLog(engine)
        self._admins = frozenset(admins)
        self._open_to_all = open_to_all
        self._zone = zone
        self._keep_admin = keep_admin
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")

    # -- what somebody may -------------------------------------------------------------------------------------------------

    def standing(self, user: str, groups: Collection[str] | None = None) -> Standing:
        """What a user may now; a disabled account may nothing.

        ``groups`` are those that a proxy names in the request in hand. They are kept until it names others, so that the
        user's jobs, keys and embedded charts have them as well; None: as they were named last.
        """
        if self._open_to_all or user == LOCAL_USER:
            return Standing(EVERYTHING)
        with self.engine.connect() as connection:
            named = self._named_groups(connection, user) if groups is not None else frozenset()
            found = _account(connection, user)
            if groups is None or named == frozenset(groups):
                return self._standing(connection, user, found)
        self._name_groups(user, groups)
        return self.standing(user)

    def _standing(self, connection: Connection, user: str, known: Account | None) -> Standing:
        if known is not None and known.disabled:
            return Standing(Rights(), disabled=True, account=known)
        if user in self._admins or (known is not None and known.admin):
            return Standing(EVERYTHING, admin=True, account=known)
        query = select(grant_rule).where(_fits(user)).order_by(grant_rule.c.id)
        return Standing(Rights(tuple(_grant(row) for row in connection.execute(query)), zone=self._zone), account=known)

    def _named_groups(self, connection: Connection, user: str) -> frozenset[str]:
        return frozenset(connection.scalars(select(proxy_member.c.user_group).where(proxy_member.c.account == user)))

    def _name_groups(self, user: str, groups: Collection[str]) -> None:
        try:
            with self._write() as connection:
                connection.execute(delete(proxy_member).where(proxy_member.c.account == user))
                for group in sorted(set(groups)):
                    connection.execute(insert(proxy_member).values(account=user, user_group=group))
        except IntegrityError:  # another request of the same user wrote the same
            pass

    # -- accounts ----------------------------------------------------------------------------------------------------------

    def account(self, name: str) -> Account | None:
        """An account, or None."""
        with self.engine.connect() as connection:
            return _account(connection, name)

    def accounts(self) -> list[Account]:
        """All accounts by name."""
        with self.engine.connect() as connection:
            return [_account_of(row) for row in connection.execute(select(account).order_by(account.c.name))]

    def has_accounts(self) -> bool:
        """Whether there is any account."""
        with self.engine.connect() as connection:
            return connection.execute(select(account.c.name).limit(1)).first() is not None

    def password_hash(self, name: str) -> str | None:
        """The hash of an account's password; None without account or password."""
        with self.engine.connect() as connection:
            found: str | None = connection.scalar(select(account.c.password).where(account.c.name == name))
        return found

    def add_account(self, name: str, *, password_hash: str | None = None, admin: bool = False) -> Account:
        """Make an account.

        Raises:
            InvalidRequest: nobody may be called so.
            Conflict: there is one of that name.
        """
        values: dict[str, Any] = {
            "name": check_name(name),
            "password": password_hash,
            "admin": admin,
            "disabled": False,
            "session": _new_session(),
            "created_ms": _now_ms(),
            "password_ms": None if password_hash is None else _now_ms(),
        }
        try:
            with self._write() as connection:
                connection.execute(insert(account).values(values))
                write_entry(connection, "user_added", {"user": name, "admin": admin})
        except IntegrityError:
            raise Conflict("There is a user {name} already.", name=name) from None
        return self._known(name)

    def change_account(
        self,
        name: str,
        *,
        password_hash: str | None = None,
        admin: bool | None = None,
        disabled: bool | None = None,
        end_sessions: bool = False,
    ) -> Account:
        """Change what is given; a new password, disabling and ``end_sessions`` end all sessions of the account.

        Raises:
            NotFound: there is no such user.
            Conflict: it is the last administrator.
        """
        values: dict[str, Any] = {"admin": admin, "disabled": disabled, "password": password_hash}
        values = {column: value for column, value in values.items() if value is not None}
        told = {"user": name, **{column: value for column, value in values.items() if column != "password"}}
        if end_sessions:
            told["sessions_ended"] = True
        if password_hash is not None:
            values["password_ms"] = _now_ms()
        if end_sessions or disabled or password_hash is not None:
            values["session"] = _new_session()
        with self._write() as connection:
            _require_account(connection, name)
            if values:
                with self._keeping_an_admin(connection, name):
                    connection.execute(update(account).where(account.c.name == name).values(values))
                write_entry(connection, _change_of(told, password_hash), told)
        return self._known(name)

    def remove_account(self, name: str) -> None:
        """Forget an account with its groups and grants; its keys and embedded charts are revoked.

        Raises:
            NotFound: there is no such user.
            Conflict: it is the last administrator.
        """
        with self._write() as connection:
            _require_account(connection, name)
            with self._keeping_an_admin(connection, name):
                connection.execute(delete(account).where(account.c.name == name))
            for table in (member, proxy_member):
                connection.execute(delete(table).where(table.c.account == name))
            connection.execute(delete(grant_rule).where(grant_rule.c.subject_kind == "user", grant_rule.c.subject == name))
            for table in (api_key, embed):
                own = (table.c.owner == name, table.c.revoked_ms.is_(None))
                connection.execute(update(table).where(*own).values(revoked_ms=_now_ms()))
            write_entry(connection, "user_removed", {"user": name})

    @contextmanager
    def _keeping_an_admin(self, connection: Connection, name: str) -> Iterator[None]:
        """Refuses a change of an account after which no administrator could sign in, where one could before.

        The accounts of administrators are locked until the transaction ends, so that two who remove each other wait in line.
        """
        able = select(account.c.name).where(
            account.c.disabled.is_(False),
            account.c.password.is_not(None),
            or_(account.c.admin.is_(True), account.c.name.in_(self._admins)),
        )
        before = set(connection.scalars(able.with_for_update())) if self._keep_admin else set()
        yield
        if before == {name} and name not in set(connection.scalars(able)):
            raise Conflict("{name} is the last administrator who can sign in; make another one first.", name=name)

    def _known(self, name: str) -> Account:
        found = self.account(name)
        if found is None:
            raise NotFound("There is no user {name}.", name=name)
        return found

    # -- groups ------------------------------------------------------------------------------------------------------------

    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Groups and who is in them, both by name: also groups that have grants only, and those that the proxy named."""
        granted = select(grant_rule.c.subject).where(grant_rule.c.subject_kind == "group")
        named = select(proxy_member.c.user_group, proxy_member.c.account)
        with self.engine.connect() as connection:
            found: dict[str, set[str]] = {group: set() for group in connection.scalars(granted)}
            for group, user in [*connection.execute(select(member.c.user_group, member.c.account)), *connection.execute(named)]:
                found.setdefault(group, set()).add(user)
        return {group: tuple(sorted(found[group])) for group in sorted(found)}

    def join(self, group: str, user: str) -> None:
        """Put a user into a group; repeating it changes nothing. Behind a proxy the user needs no account.

        Raises:
            InvalidRequest: one of the names cannot be one.
        """
        try:
            with self._write() as connection:
                connection.execute(insert(member).values(user_group=check_name(group), account=check_name(user)))
                write_entry(connection, "group_joined", {"group": group, "user": user})
        except IntegrityError:
            pass

    def leave(self, group: str, user: str) -> None:
        """Take a user out of a group.

        Raises:
            NotFound: the user is not in it.
        """
        with self._write() as connection:
            this = (member.c.user_group == group, member.c.account == user)
            if not connection.execute(delete(member).where(*this)).rowcount:
                raise NotFound("{name} is not in the group {group}.", name=user, group=group)
            write_entry(connection, "group_left", {"group": group, "user": user})

    # -- grants ------------------------------------------------------------------------------------------------------------

    def grants(self) -> list[GrantRow]:
        """All grants, oldest first."""
        with self.engine.connect() as connection:
            return [_grant_row(row) for row in connection.execute(select(grant_rule).order_by(grant_rule.c.id))]

    def add_grant(self, kind: SubjectKind, subject: str, grant: Grant, *, note: str = "", by: str) -> int:
        """Grant something to a user, a group or everyone; the id of the grant.

        Raises:
            InvalidRequest: the subject cannot be one, or the grant would grant nothing.
        """
        _check_grant(kind, subject, grant)
        values = {
            "subject_kind": kind,
            "subject": subject,
            "stations": json.dumps(grant.stations, ensure_ascii=False),
            "sensors": json.dumps(grant.sensors, ensure_ascii=False),
            "from_ms": grant.from_ms,
            "to_ms": grant.to_ms,
            "longest_ms": grant.longest_ms,
            "finest": grant.finest,
            "may_export": grant.may_export,
            "may_embed": grant.may_embed,
            "note": note,
            "created_ms": _now_ms(),
            "created_by": by,
        }
        with self._write() as connection:
            key = connection.execute(insert(grant_rule).values(values)).inserted_primary_key
            made = int(key[0]) if key else 0
            write_entry(connection, "grant_added", {"grant": made, **_told(kind, subject, grant, note)})
        return made

    def remove_grant(self, grant_id: int) -> None:
        """Take a grant away.

        Raises:
            NotFound: there is no such grant.
        """
        with self._write() as connection:
            found = connection.execute(select(grant_rule).where(grant_rule.c.id == grant_id)).one_or_none()
            if found is None or not connection.execute(delete(grant_rule).where(grant_rule.c.id == grant_id)).rowcount:
                raise NotFound("There is no grant {number}.", number=grant_id)
            gone = _grant_row(found)
            write_entry(connection, "grant_removed", {"grant": grant_id, **_told(gone.kind, gone.subject, gone.grant, gone.note)})

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it takes the write lock at once."""
        with self._writing.begin() as connection:
            yield connection


def open_access(
    settings: Settings, *, engine: Engine | None = None, busy_ms: int = SQLITE_BUSY_TIMEOUT_MS, impatient: bool = False
) -> AccessStore:
    """Who may see what on a site; opens no connection yet. ``engine`` is one of the database of jobs that is open already.

    ``busy_ms``: how long to wait for a SQLite file that somebody else writes to. ``impatient``: for the web process, which no
    server may hold up (data/silence.py).
    """
    engine = engine or make_engine(settings.jobs_url, application_name="riwayat-access", busy_ms=busy_ms)
    if impatient:
        give_up_silent_servers(engine, "accounts and grants")
    return AccessStore(
        engine,
        admins=settings.administrators,
        open_to_all=settings.auth == "none",
        zone=settings.timezone,
        keep_admin=settings.auth == "login",
    )


def migrate_access(engine: Engine) -> None:
    """Bring the tables of who may see what up to date (Alembic). Safe to repeat."""
    upgrade(engine, MIGRATIONS, VERSION_TABLE)


def _fits(user: str) -> ColumnElement[bool]:
    """Grants that are about a user: everyone's, the user's own, and those of the groups."""
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
            raise InvalidRequest("What is granted to everyone names nobody.", field="subject")
    else:
        check_name(subject)
    if not grant.stations or not grant.sensors or not all((*grant.stations, *grant.sensors)):
        raise InvalidRequest("Name at least one pattern of stations and one of sensors, such as *.", field="stations")
    if grant.from_ms is not None and grant.to_ms is not None and grant.from_ms >= grant.to_ms:
        raise InvalidRequest("The start must lie before the end.", field="to")
    if grant.longest_ms is not None and grant.longest_ms <= 0:
        raise InvalidRequest("The longest range must be longer than nothing.", field="longest")


def _account(connection: Connection, name: str) -> Account | None:
    row = connection.execute(select(account).where(account.c.name == name)).one_or_none()
    return None if row is None else _account_of(row)


def _require_account(connection: Connection, name: str) -> None:
    if _account(connection, name) is None:
        raise NotFound("There is no user {name}.", name=name)


def _account_of(row: Row[Any]) -> Account:
    return Account(row.name, row.admin, row.disabled, row.session, row.password is not None, row.created_ms, row.password_ms)


def _grant_row(row: Row[Any]) -> GrantRow:
    return GrantRow(row.id, row.subject_kind, row.subject, _grant(row), row.note, row.created_ms, row.created_by)


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        stations=_patterns(json.loads(row.stations)),
        sensors=_patterns(json.loads(row.sensors)),
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        longest_ms=row.longest_ms,
        finest=row.finest,
        may_export=row.may_export,
        may_embed=row.may_embed,
    )


def _change_of(told: Mapping[str, Any], password_hash: str | None) -> Action:
    """What a change of an account is called in the audit log."""
    return "password" if password_hash is not None and told.keys() == {"user"} else "user_changed"


def _told(kind: SubjectKind, subject: str, grant: Grant, note: str) -> dict[str, Any]:
    """A grant as the audit log tells it."""
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
        **({"note": note} if note else {}),
    }


def _patterns(found: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(pattern) for pattern in found)


def _new_session() -> str:
    return secrets.token_hex(16)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
