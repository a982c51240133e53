"""Taking a batch back: its rows become what they were before it, newest change first,
a piece a transaction.

A piece leaves the journal in the transaction that undoes it.
So whatever ends this by force, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, select, update

from data.batches.batch_records import Batch, get_batch, set_state, writing
from data.batches.journal import Change, Integers, Mask, pack, unpack
from data.batches.restoring import Restorer
from data.database.tables import batch, batch_change
from errors import Conflict

_COUNTS = ("unfinished", "done", "undoing")  # states of batches whose changes are there


@dataclass(frozen=True)
class UndoResult:
    """What undoing a batch did: rows removed, and rows that are as they were before."""

    batch: int
    removed: int
    restored: int


def undo(engine: Engine, number: int, report: Callable[[float], None] = lambda _: None) -> UndoResult:
    """Take a batch back. ``report`` gets the fraction done.

    Raises:
        NotFound: there is no such batch.
        Conflict: it has been undone, or is kept no longer, or a later batch has changed the
            same values since. In the last case nothing was changed, unless the later batch was
            written meanwhile: then what is done is done, and goes on later.
    """
    found = get_batch(engine, number)
    _refuse_ended(found)
    _refuse_changed(engine, number)
    with writing(engine) as connection:
        set_state(connection, number, "undoing")
    restorer = Restorer(engine)
    with engine.connect() as connection:
        pieces = select(func.count()).select_from(batch_change).where(batch_change.c.batch == number)
        total = max(1, int(connection.execute(pieces).scalar_one()))
    done = 0
    while _undo_last(engine, restorer, number):
        done += 1
        report(done / total)
    with writing(engine) as connection:
        set_state(connection, number, "undone")
    return UndoResult(number, restorer.removed, restorer.restored)


def _refuse_ended(found: Batch) -> None:
    if found.state == "undone":
        if found.kind == "delete":
            raise Conflict(
                ("Batch {batch} has already been undone, and its rows are back. To remove them, delete them again."),
                batch=found.id,
            )
        raise Conflict("Batch {batch} has already been undone. To get its rows back, import its files again.", batch=found.id)
    if found.state == "forgotten":
        raise Conflict("Batch {batch} can no longer be undone: the values before it are no longer kept.", batch=found.id)


def _refuse_changed(engine: Engine, number: int) -> None:
    """Look at all pieces before the first is undone."""
    with engine.connect() as connection:
        numbers = connection.execute(select(batch_change.c.number).where(batch_change.c.batch == number)).scalars().all()
    for each in numbers:
        with engine.connect() as connection:
            _refuse_piece(connection, number, _piece(connection, number, each))


def _refuse_piece(connection: Connection, number: int, change: Change) -> None:
    changed, by = 0, 0
    for later, _, other in later_changes(connection, number, change):
        if set(change.sensors) & set(other.sensors):
            count = int(np.isin(change.times, other.times, assume_unique=True).sum())
            changed, by = (changed + count, by or later) if count else (changed, by)
    if changed:
        raise Conflict(
            "Batch {batch} cannot be undone yet: batch {later} has since changed {count} of the same "
            "rows of {station}. Undo that one first: manage.py import undo {later}.",
            batch=number,
            later=by,
            count=changed,
            station=change.station,
        )


def later_changes(connection: Connection, number: int, change: Change) -> Iterator[tuple[int, int, Change]]:
    """(batch, piece, change) of what later batches did to the same kind of thing between
    a change's first and last time.
    """
    if not len(change.times):
        return
    columns = batch_change.c
    here = and_(columns.station == change.station, columns.kind == change.kind, columns.batch > number)
    overlaps = and_(columns.first <= int(change.times[-1]), columns.last >= int(change.times[0]))
    counts = select(batch.c.id).where(batch.c.state.in_(_COUNTS))
    which = select(columns.batch, columns.number).where(here, overlaps, columns.batch.in_(counts))
    for later, piece in connection.execute(which.order_by(columns.batch, columns.number)).all():
        yield later, piece, _piece(connection, later, piece)


def _undo_last(engine: Engine, restorer: Restorer, number: int) -> bool:
    """Undo the newest piece that is left; False when there is none."""
    columns = batch_change.c
    with writing(engine) as connection:
        last = connection.execute(select(func.max(columns.number)).where(columns.batch == number)).scalar()
        if last is None:
            return False
        change = _piece(connection, number, last)
        restorer.inventory.lock(connection, change.station)
        _refuse_piece(connection, number, change)
        left = restorer.restore(connection, change, lambda times: _set_later(connection, number, change, times))
        _reassign_rows(connection, number, change, left)
        connection.execute(delete(batch_change).where(columns.batch == number, columns.number == last))
    return True


def _set_later(connection: Connection, number: int, change: Change, times: Integers) -> Mask:
    """Which of some times later batches have changed the same thing at."""
    found = np.zeros(len(times), np.bool_)
    for _, _, other in later_changes(connection, number, replace(change, times=times)):
        found |= np.isin(times, other.times) & (set(other.sensors) == set(change.sensors))
    return found


def _reassign_rows(connection: Connection, number: int, change: Change, left: Integers) -> None:
    """Rows that the batch had made stay where a later one has set other sensors of them:
    from now on that one made them.
    """
    if not len(left):
        return
    for later, piece, other in later_changes(connection, number, change):
        mine = np.isin(other.times, left, assume_unique=True)
        if mine.any():
            made = replace(other, there=other.there & ~mine)
            which = _which(later, piece)
            connection.execute(update(batch_change).where(which).values(data=pack(made)))
            left = np.setdiff1d(left, other.times, assume_unique=True)


def _piece(connection: Connection, number: int, piece: int) -> Change:
    columns = batch_change.c
    query = select(columns.kind, columns.station, columns.what, columns.data).where(_which(number, piece))
    return unpack(*connection.execute(query).one())


def _which(number: int, piece: int) -> ColumnElement[bool]:
    return and_(batch_change.c.batch == number, batch_change.c.number == piece)
