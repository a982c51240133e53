"""Where a user is signed in (AUTH=login), for that user to see and to end.
Times are int ms UTC, by this machine's clock.

A session is a signed cookie (api/sign_in/session_cookie.py).
What stands here opens nothing, and without it a session goes on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from access.account_table import Account
from access.store import AccessStore
from access.tables import session as session_table

_LONGEST_BROWSER: Final = 255
_LONGEST_ADDRESS: Final = 64

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Session:
    """A live session: ``sid`` is the id in its cookie, ``browser`` what that says of itself."""

    sid: str
    began_ms: int
    seen_ms: int
    address: str
    browser: str

    @property
    def shown_id(self) -> str:
        """What it is called on a page: not what its cookie holds."""
        return shown_id(self.sid)


def shown_id(sid: str) -> str:
    """Return the id by which a page names a session."""
    return hashlib.sha256(sid.encode()).hexdigest()[:16]


def note_session(access: AccessStore, account: Account, noted: Session, oldest_ms: int) -> None:
    """Enter a session that begins, and forget those of the account that have ended
    or began before ``oldest_ms``.
    """
    columns = session_table.c
    with access.engine.begin() as connection:
        over = (columns.word != account.session) | (columns.began_ms < oldest_ms)
        connection.execute(delete(session_table).where(columns.account == account.name, over))
        connection.execute(insert(session_table).values(_row_of(account, noted)))


def note_use(access: AccessStore, account: Account, noted: Session) -> None:
    """Note that a session was used, and enter one that is from before there was a list.

    Where it cannot be written, the log says so and the session goes on.
    """
    used = {"seen_ms": noted.seen_ms, "address": noted.address[:_LONGEST_ADDRESS]}
    try:
        with access.engine.begin() as connection:
            found = connection.execute(update(session_table).where(session_table.c.id == noted.sid).values(used))
            if not found.rowcount:
                connection.execute(insert(session_table).values(_row_of(account, noted)))
    except SQLAlchemyError as error:
        log.warning("the use of a session could not be noted", error=str(error))


def _row_of(account: Account, noted: Session) -> dict[str, Any]:
    return {
        "id": noted.sid,
        "account": account.name,
        "word": account.session,
        "began_ms": noted.began_ms,
        "seen_ms": noted.seen_ms,
        "address": noted.address[:_LONGEST_ADDRESS],
        "browser": noted.browser[:_LONGEST_BROWSER],
    }


def forget_session(access: AccessStore, sid: str) -> None:
    """Take a session that has ended from the list."""
    with access.engine.begin() as connection:
        connection.execute(delete(session_table).where(session_table.c.id == sid))


def sessions_of(access: AccessStore, account: Account, began_after_ms: int, seen_after_ms: int) -> list[Session]:
    """The sessions of an account that are alive, the one that was used last first."""
    columns = session_table.c
    alive = (columns.word == account.session, columns.began_ms > began_after_ms, columns.seen_ms > seen_after_ms)
    query = select(session_table).where(columns.account == account.name, *alive).order_by(columns.seen_ms.desc(), columns.id)
    with access.engine.connect() as connection:
        return [Session(row.id, row.began_ms, row.seen_ms, row.address, row.browser) for row in connection.execute(query)]
