"""Batches: every import and every deletion has a number, a state and, for a while,
what its rows were before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from data.batches.journal import Journal
from data.database.tables import batch, batch_change
from data.time.epoch import DAY_MS, epoch_ms
from errors import NotFound

KEPT_DAYS: Final = 90  # that a batch can be undone; then its rows stay and its journal goes


@dataclass(frozen=True)
class Batch:
    """An import, a demo or a deletion. ``what`` names its files, or what was deleted;
    times are int ms UTC.

    ``state``: ``unfinished`` (it runs, or was ended by force), ``done``, ``undoing`` (being taken
    back, or ended by force while it was), ``undone``, or ``forgotten`` (it stays as it is).
    """

    id: int
    kind: str
    state: str
    begun_ms: int
    ended_ms: int | None
    what: Mapping[str, Any]
    stored: int
    replaced: int
    removed: int


def begin(engine: Engine, kind: str, what: Mapping[str, Any]) -> Journal:
    """A new batch, and the journal of what it will change;
    batches that are older than KEPT_DAYS are forgotten.
    """
    values = {"kind": kind, "state": "unfinished", "begun": epoch_ms(), "what": json.dumps(what, ensure_ascii=False)}
    _forget_old(engine)
    with writing(engine) as connection:
        made = connection.execute(insert(batch).values(**values, pieces=0, stored=0, replaced=0, removed=0))
        return Journal(int(made.inserted_primary_key[0]))  # type: ignore[index]


def finish(engine: Engine, journal: Journal) -> None:
    """The batch is complete."""
    with writing(engine) as connection:
        journal.flush(connection)
        set_state(connection, journal.id, "done")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, on SQLite with the lock from the start."""
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        yield connection


def set_state(connection: Connection, number: int, state: str) -> None:
    """Change a batch's state; it ends with ``done`` and ``undone``."""
    ended = {"ended": epoch_ms()} if state in {"done", "undone"} else {}
    connection.execute(update(batch).where(batch.c.id == number).values(state=state, **ended))


def list_batches(engine: Engine, limit: int | None = None) -> list[Batch]:
    """Batches, newest first."""
    with engine.connect() as connection:
        return [_batch(row) for row in connection.execute(select(batch).order_by(batch.c.id.desc()).limit(limit))]


def get_batch(engine: Engine, number: int) -> Batch:
    """Return one batch by its number.

    Raises:
        NotFound: there is none of that number.
    """
    with engine.connect() as connection:
        row = connection.execute(select(batch).where(batch.c.id == number)).first()
    if row is None:
        raise NotFound("There is no batch {batch}; manage.py import list shows all batches.", batch=number)
    return _batch(row)


def forget(engine: Engine, number: int) -> int:
    """Let a batch and all before it stay as they are, and drop what they were kept with;
    how many batches that were.

    Older ones go with it: what a later batch has changed since must be known for as long as an
    earlier one may be undone.

    Raises:
        NotFound: there is none of that number.
    """
    get_batch(engine, number)
    with engine.connect() as connection:
        kept = (batch.c.id <= number, batch.c.state.in_(("unfinished", "done", "undoing")))
        numbers = connection.execute(select(batch.c.id).where(*kept).order_by(batch.c.id)).scalars().all()
    for each in numbers:
        with writing(engine) as connection:
            connection.execute(delete(batch_change).where(batch_change.c.batch == each))
            set_state(connection, each, "forgotten")
    return len(numbers)


def _forget_old(engine: Engine) -> None:
    old = select(batch.c.id).where(batch.c.begun < epoch_ms() - KEPT_DAYS * DAY_MS, batch.c.state != "forgotten")
    with engine.connect() as connection:
        newest = connection.execute(old.where(batch.c.state != "undone").order_by(batch.c.id.desc()).limit(1)).scalar()
    if newest is not None:
        forget(engine, newest)


def _batch(row: Any) -> Batch:
    what = json.loads(row.what)
    return Batch(row.id, row.kind, row.state, row.begun, row.ended, what, row.stored, row.replaced, row.removed)
