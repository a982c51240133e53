"""Who did what: the table ``audit``, to which the program only appends.
Times are int ms UTC, by this machine's clock.

Who acts is a context variable, as the language is: bound once a request (api/guard.py) or once a
command (manage.py), and read when an entry is written. No entry holds a password, a key, a token or
a secret.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import structlog
from sqlalchemy import Connection, Delete, Engine, Executable, Update, delete, event, insert
from sqlalchemy.exc import SQLAlchemyError

from access.audit.actions import LEAST_AGE_DAYS, Action
from access.audit.entries import ALL, AuditFilter, Entry, entry_of, select_entries
from access.tables import audit
from data.request import HistoryRequest
from data.time.epoch import DAY_MS, MINUTE_MS, epoch_ms
from data.time.months import iso_utc
from errors import (
    EmbedExpired,
    EmbedInvalid,
    EmbedRevoked,
    InvalidKey,
    InvalidRequest,
    NotFound,
    NotPermitted,
    RiwayatError,
    UnknownSensor,
    UnknownStation,
)

Outcome = Literal["done", "refused"]

# different refusals that one process writes down; what is alike is counted
MOST_A_MINUTE: Final = 60
_PAGE: Final = 1_000  # rows of one query when all are read
_LIST_BYTES: Final = 16_000  # of names in one entry; MariaDB's TEXT holds 65,535
_LONGEST_TEXT: Final = 500
_LATEST: Final = 10  # entries of an embedded chart among which a job is looked for
_PRUNES: Final = {"audit_prunes": True}

# Nobody can tell what is not granted from what does not exist, so the log tells of both.
REFUSALS: Final = (NotPermitted, NotFound, UnknownStation, UnknownSensor, InvalidKey, EmbedExpired, EmbedInvalid, EmbedRevoked)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Actor:
    """Who acts: a user's name, or ``embed:ID``, empty where no user is known; how we know;
    the address, empty on this machine.
    """

    name: str = ""
    via: str = "command"
    address: str = ""


_actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 - it is frozen


def act_as(actor: Actor) -> None:
    """Set the actor of this thread's request, or of this command."""
    _actor.set(actor)


def acting() -> Actor:
    """Return the actor of the current request or command."""
    return _actor.get()


def write_entry(
    connection: Connection,
    action: Action,
    subject: Mapping[str, Any],
    *,
    outcome: Outcome = "done",
    actor: Actor | None = None,
) -> None:
    """Append an entry within a transaction that is open, so that both or neither is kept."""
    who = actor or acting()
    values = {
        "at_ms": epoch_ms(),
        "actor": who.name[:255],
        "via": who.via[:16],
        "address": who.address[:64],
        "action": action,
        "outcome": outcome,
        "subject": json.dumps(_bounded(subject), ensure_ascii=False),
    }
    connection.execute(insert(audit).values(values))


def request_subject(request: HistoryRequest, **more: Any) -> dict[str, Any]:
    """Return the subject of an entry about a request; ``more`` comes first and wins."""
    found = {
        "stations": list(request.stations),
        "sensors": list(request.sensors),
        "from": iso_utc(request.start_ms),
        "to": iso_utc(request.end_ms),
        "resolution": request.resolution,
    }
    return more | {name: value for name, value in found.items() if name not in more}


def record(engine: Engine, action: Action, subject: Mapping[str, Any]) -> None:
    """Record an entry as :meth:`AuditLog.record`,
    for a caller that has only an engine of the database of jobs.
    """
    _append(engine, [_Line(action, "done", acting(), subject)])


def record_view(engine: Engine, job_id: str, subject: Mapping[str, Any]) -> None:
    """Append that an embedded chart was viewed, unless its latest entries say so already."""
    try:
        with engine.connect() as connection:
            latest = connection.execute(select_entries(AuditFilter(acting().name, "embed_viewed")).limit(_LATEST)).all()
    except SQLAlchemyError as error:
        log.error("an entry of the audit log is lost", actions=["embed_viewed"], error=str(error))
        return
    if all(entry_of(row).subject.get("job") != job_id for row in latest):
        record(engine, "embed_viewed", subject)


class AuditLog:
    """The log on an engine of the database of jobs; opens no connection until used.
    ``now_ms`` is the clock of what is alike.
    """

    def __init__(self, engine: Engine, now_ms: Callable[[], int] | None = None) -> None:
        self.engine = engine
        self._repeats = Repeats()
        self.epoch_ms = now_ms or epoch_ms
        if not event.contains(engine, "before_execute", _refuse_changes):
            event.listen(engine, "before_execute", _refuse_changes)

    def record(
        self, action: Action, subject: Mapping[str, Any], *, outcome: Outcome = "done", actor: Actor | None = None
    ) -> None:
        """Append an entry. Where it cannot be written the log of the program says so,
        and what was done stays done.
        """
        _append(self.engine, [_Line(action, outcome, actor or acting(), subject)])

    def refused(
        self,
        error: RiwayatError,
        subject: Mapping[str, Any],
        *,
        action: Action = "refused",
        of: str = "",
        actor: Actor | None = None,
    ) -> None:
        """Append that something was refused.

        Of refusals of one actor and address for one reason only the first of a minute is written,
        and later how many followed; so no user can fill the disk by asking. ``of`` tells apart what
        else is alike, and is not written.
        """
        line = _Line(action, "refused", actor or acting(), {"reason": error.code, **subject}, of)
        followed, is_new = self._repeats.add(line, self.epoch_ms())
        _append(self.engine, [*followed, *([line] if is_new else [])])

    def note(self, error: RiwayatError, **where: Any) -> None:
        """:meth:`refused`, if the error is a refusal at all; ``where`` it was met."""
        if isinstance(error, REFUSALS):
            self.refused(error, {**where, "error": error.message})

    def entries(self, wanted: AuditFilter = ALL, *, limit: int, before: int | None = None) -> list[Entry]:
        """Return at most ``limit`` entries, newest first; ``before``: older than that number."""
        query = select_entries(wanted).limit(limit)
        if before is not None:
            query = query.where(audit.c.number < before)
        with self.engine.connect() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def every(self, wanted: AuditFilter = ALL) -> Iterator[Entry]:
        """Yield all entries, newest first, a page at a time:
        no more is in memory, and no connection is held between.
        """
        before = None
        while found := self.entries(wanted, limit=_PAGE, before=before):
            yield from found
            before = found[-1].number

    def prune(self, before_ms: int) -> int:
        """Forget entries older than a time, and write down that it was done; how many there were.
        For the command line only.

        Raises:
            InvalidRequest: the time is less than LEAST_AGE_DAYS ago.
        """
        if before_ms > self.epoch_ms() - LEAST_AGE_DAYS * DAY_MS:
            raise InvalidRequest("Entries of the last {days} days are kept.", field="days", days=LEAST_AGE_DAYS)
        old = delete(audit).where(audit.c.at_ms < before_ms).execution_options(**_PRUNES)
        with self.engine.begin() as connection:
            gone = int(connection.execute(old).rowcount)
            write_entry(connection, "pruned", {"before": iso_utc(before_ms), "entries": gone})
        return gone


@dataclass(frozen=True)
class _Line:
    action: Action
    outcome: Outcome
    actor: Actor
    subject: Mapping[str, Any]
    of: str = ""

    @property
    def alike(self) -> tuple[object, ...]:
        """Return the key of lines that are counted together: actor, action, reason, user."""
        return (self.actor, self.action, self.subject.get("reason"), self.of or self.subject.get("user"))


@dataclass
class Repeats:
    """Counts lines that are alike within a minute, and all where too many differ."""

    _minute: int = 0
    _counts: dict[tuple[object, ...], tuple[_Line, int]] = field(default_factory=dict)
    _others: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, line: _Line, now_ms: int) -> tuple[list[_Line], bool]:
        """Lines that tell what the last minute was too full for,
        and whether this one is to be written as it is.
        """
        with self._lock:
            followed = self._turn(now_ms // MINUTE_MS)
            kept, count = self._counts.get(line.alike, (line, 0))
            if not count and len(self._counts) >= MOST_A_MINUTE:
                self._others += 1
                return followed, False
            self._counts[line.alike] = (kept, count + 1)
            return followed, not count

    def _turn(self, minute: int) -> list[_Line]:
        if minute == self._minute:
            return []
        told = [_repeated(line, count - 1) for line, count in self._counts.values() if count > 1]
        if self._others:
            told.append(_Line("refused", "refused", Actor("", "", ""), {"reason": "many", "repeated": self._others}))
        self._minute, self._counts, self._others = minute, {}, 0
        return told


def _repeated(line: _Line, count: int) -> _Line:
    kept = {name: line.subject[name] for name in ("reason", "user") if name in line.subject}
    return replace(line, subject=kept | {"repeated": count})


def _append(engine: Engine, lines: Sequence[_Line]) -> None:
    if not lines:
        return
    try:
        with engine.begin() as connection:
            for line in lines:
                write_entry(connection, line.action, line.subject, outcome=line.outcome, actor=line.actor)
    except SQLAlchemyError as error:
        log.error("an entry of the audit log is lost", actions=[line.action for line in lines], error=str(error))


def _refuse_changes(
    _connection: Connection, statement: Executable, _multi: Any, _params: Any, options: Mapping[str, Any]
) -> None:
    """Whatever the program does through this engine, it changes no entry,
    and removes some only by :meth:`AuditLog.prune`.
    """
    if not isinstance(statement, Update | Delete) or statement.table is not audit:
        return
    if isinstance(statement, Delete) and options.get("audit_prunes"):
        return
    raise RuntimeError("the audit log is only appended to")


def _bounded(subject: Mapping[str, Any]) -> dict[str, Any]:
    """A subject that fits into the table: long texts and lists are cut,
    and the count of what is left out is told.
    """
    found: dict[str, Any] = {}
    for name, value in subject.items():
        if isinstance(value, str):
            found[name] = value[:_LONGEST_TEXT]
        elif isinstance(value, list | tuple):
            kept = _fitting([str(each) for each in value])
            found[name] = kept
            if len(kept) < len(value):
                found[f"{name}_left_out"] = len(value) - len(kept)
        else:
            found[name] = value
    return found


def _fitting(names: Sequence[str]) -> list[str]:
    kept, size = [], 0
    for name in names:
        size += len(name.encode("utf-8", "replace")) + 4
        if size > _LIST_BYTES:
            break
        kept.append(name)
    return kept
