"""Accounts, groups and grants as a store. Times are int ms UTC, by this machine's clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from access.account_table import (
    Account,
    all_accounts,
    find_account,
    forget_account,
    insert_account,
    require_account,
    update_account,
)
from access.audit.log import AuditLog, write_entry
from access.decisions.stored_decisions import StoredDecisions
from access.formulas.formula_definitions import FormulaDefinitions
from access.grant_table import GrantRow, SubjectKind, all_grants, delete_grant, grants_of, insert_grant
from access.grants import EVERYTHING, Grant, Rights
from access.limits.stored_limits import StoredLimits
from access.made_of import MadeOf, made_of
from access.names import LOCAL_USER, check_name
from access.revision_look import RevisionLook
from access.tables import account, grant_rule, member, proxy_member
from config import Settings
from data.catalogue import load_catalogue
from data.database.drivers import SQLITE_BUSY_TIMEOUT_MS
from data.database.engine import make_engine, upgrade
from data.database.network_timeouts import install_network_timeouts
from errors import Conflict, NotFound

MIGRATIONS: Final = Path(__file__).with_name("migrations")
VERSION_TABLE: Final = "alembic_version_access"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AccountRights:
    """What a user is to the site at this moment."""

    rights: Rights
    admin: bool = False
    disabled: bool = False
    account: Account | None = None


class AccessStore:
    """An engine of the database of jobs, with its audit log; opens no connection until used.

    ``admins`` are administrators besides those whose account says so; ``open_to_all``: a site
    without sign-in, where whoever reaches it has every right; ``zone``: the site's (see
    :class:`access.grants.Rights`), ``derived`` tells what its derived sensors are made of;
    ``keep_admin``: nobody may take away the last administrator who can sign in. Every method may
    raise what SQLAlchemy does when the database does not answer.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        admins: Collection[str] = (),
        open_to_all: bool = False,
        zone: str | None = None,
        keep_admin: bool = False,
        derived: Callable[[], Mapping[str, MadeOf]] = dict,
        definitions: FormulaDefinitions | None = None,
    ) -> None:
        self.engine = engine
        self.audit = AuditLog(engine)
        self.definitions = definitions or FormulaDefinitions(engine)
        look = RevisionLook(engine)
        self.decisions, self.limits = StoredDecisions(engine, look), StoredLimits(engine, look)
        self._admins = frozenset(admins)
        self._open_to_all = open_to_all
        self._zone = zone
        self._keep_admin = keep_admin
        self._derived = derived
        self._writing = engine.execution_options(sqlite_begin="IMMEDIATE")

    # -- what somebody may -------------------------------------------------------------------------

    def account_rights(self, user: str, groups: Collection[str] | None = None) -> AccountRights:
        """Return what a user may do now; a disabled account may do nothing.

        ``groups`` are those that a proxy names in the request in hand. They are kept until it names
        others, so that the user's jobs, keys and embedded charts have them as well; None: as they
        were named last.
        """
        if self._open_to_all or user == LOCAL_USER:
            return AccountRights(EVERYTHING)
        with self.engine.connect() as connection:
            named = self._named_groups(connection, user) if groups is not None else frozenset()
            found = find_account(connection, user)
            if groups is None or named == frozenset(groups):
                return self._account_rights(connection, user, found)
        self._name_groups(user, groups)
        return self.account_rights(user)

    def _account_rights(self, connection: Connection, user: str, known: Account | None) -> AccountRights:
        if known is not None and known.disabled:
            return AccountRights(Rights(), disabled=True, account=known)
        if user in self._admins or (known is not None and known.admin):
            return AccountRights(EVERYTHING, admin=True, account=known)
        return AccountRights(Rights(grants_of(connection, user), zone=self._zone, derived=self._derived()), account=known)

    def _named_groups(self, connection: Connection, user: str) -> frozenset[str]:
        return frozenset(connection.scalars(select(proxy_member.c.user_group).where(proxy_member.c.account == user)))

    def _name_groups(self, user: str, groups: Collection[str]) -> None:
        # another request of the same user may write the same
        with suppress(IntegrityError), self._write() as connection:
            connection.execute(delete(proxy_member).where(proxy_member.c.account == user))
            for group in sorted(set(groups)):
                connection.execute(insert(proxy_member).values(account=user, user_group=group))

    # -- accounts ----------------------------------------------------------------------------------

    def account(self, name: str) -> Account | None:
        """An account, or None."""
        with self.engine.connect() as connection:
            return find_account(connection, name)

    def accounts(self) -> list[Account]:
        """Return all accounts by name."""
        with self.engine.connect() as connection:
            return all_accounts(connection)

    def has_accounts(self) -> bool:
        """Return whether there is any account."""
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
            InvalidRequest: no user may be called so.
            Conflict: there is one of that name.
        """
        try:
            with self._write() as connection:
                insert_account(connection, name, password_hash, admin)
        except IntegrityError:
            raise Conflict("There is a user {name} already.", name=name) from None
        return self._required(name)

    def change_account(
        self,
        name: str,
        *,
        password_hash: str | None = None,
        admin: bool | None = None,
        disabled: bool | None = None,
        end_sessions: bool = False,
    ) -> Account:
        """Change what is given; a new password, disabling and ``end_sessions``
        end all sessions of the account.

        Raises:
            NotFound: there is no such user.
            Conflict: it is the last administrator.
        """
        with self._write() as connection:
            require_account(connection, name)
            with self._keeping_an_admin(connection, name):
                update_account(connection, name, password_hash, admin, disabled, end_sessions)
        return self._required(name)

    def remove_account(self, name: str) -> None:
        """Forget an account with its groups, grants, saved views, schedules and private notes;
        its keys and embedded charts are revoked, its jobs end.

        What is left of these is not for the next user of that name:
        it goes by another one from then on.

        Raises:
            NotFound: there is no such user.
            Conflict: it is the last administrator.
        """
        with self._write() as connection:
            require_account(connection, name)
            with self._keeping_an_admin(connection, name):
                forget_account(connection, name)

    def _required(self, name: str) -> Account:
        with self.engine.connect() as connection:
            return require_account(connection, name)

    @contextmanager
    def _keeping_an_admin(self, connection: Connection, name: str) -> Iterator[None]:
        """Refuses a change of an account after which no administrator could sign in,
        where one could before.

        The accounts of administrators are locked until the transaction ends,
        so that two who remove each other wait in line.
        """
        able = select(account.c.name).where(
            account.c.disabled.is_(False),
            account.c.password.is_not(None),
            or_(account.c.admin.is_(True), account.c.name.in_(self._admins)),
        )
        before = set(connection.scalars(able.with_for_update())) if self._keep_admin else set()
        yield
        if before == {name} and name not in set(connection.scalars(able)):
            raise Conflict("{name} is the last administrator who can sign in; appoint another one first.", name=name)

    # -- groups ------------------------------------------------------------------------------------

    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Groups and who is in them, both by name:
        also groups that have grants only, and those that the proxy named.
        """
        granted = select(grant_rule.c.subject).where(grant_rule.c.subject_kind == "group")
        named = select(proxy_member.c.user_group, proxy_member.c.account)
        with self.engine.connect() as connection:
            found: dict[str, set[str]] = {group: set() for group in connection.scalars(granted)}
            for group, user in [*connection.execute(select(member.c.user_group, member.c.account)), *connection.execute(named)]:
                found.setdefault(group, set()).add(user)
        return {group: tuple(sorted(found[group])) for group in sorted(found)}

    def join(self, group: str, user: str) -> None:
        """Put a user into a group; repeating it changes nothing.
        Behind a proxy the user needs no account.

        Raises:
            InvalidRequest: one of the names cannot be one.
        """
        with suppress(IntegrityError), self._write() as connection:
            connection.execute(insert(member).values(user_group=check_name(group), account=check_name(user)))
            write_entry(connection, "group_joined", {"group": group, "user": user})

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

    # -- grants ------------------------------------------------------------------------------------

    def grants(self) -> list[GrantRow]:
        """Return all grants, oldest first."""
        with self.engine.connect() as connection:
            return all_grants(connection)

    def add_grant(self, kind: SubjectKind, subject: str, grant: Grant, *, note: str = "", by: str) -> int:
        """Grant something to a user, a group or everyone; the id of the grant.

        Raises:
            InvalidRequest: the subject cannot be one, or the grant would grant nothing.
        """
        with self._write() as connection:
            return insert_grant(connection, kind, subject, grant, note, by)

    def remove_grant(self, grant_id: int) -> None:
        """Take a grant away.

        Raises:
            NotFound: there is no such grant.
        """
        with self._write() as connection:
            delete_grant(connection, grant_id)

    def _write(self) -> AbstractContextManager[Connection]:
        """A transaction that writes; on SQLite it takes the write lock at once."""
        return self._writing.begin()


def open_access(
    settings: Settings, *, engine: Engine | None = None, busy_ms: int = SQLITE_BUSY_TIMEOUT_MS, impatient: bool = False
) -> AccessStore:
    """Open the store of who may see what; it connects when it is first asked. ``engine`` is one of
    the database of jobs that is open already.

    ``busy_ms``: how long to wait for a SQLite file that another process writes to. ``impatient``:
    for the web process, which no server may hold up (data/database/network_timeouts.py).
    """
    engine = engine or make_engine(settings.jobs_url, application_name="riwayat-access", busy_ms=busy_ms)
    if impatient:
        install_network_timeouts(engine, "accounts and grants")
    definitions = FormulaDefinitions(engine)
    return AccessStore(
        engine,
        admins=settings.administrators,
        open_to_all=settings.auth == "none",
        zone=settings.timezone,
        keep_admin=settings.auth == "login",
        derived=cache(lambda: made_of(replace(load_catalogue(settings.sensors), definitions=definitions))),
        definitions=definitions,
    )


def migrate_access(engine: Engine) -> None:
    """Bring the tables of who may see what up to date (Alembic). Safe to repeat."""
    upgrade(engine, MIGRATIONS, VERSION_TABLE)
