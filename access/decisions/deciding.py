"""Making and undoing decisions. Times are int ms UTC, by this machine's clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from access.audit.log import write_entry
from access.decisions.decision_checks import check_decision, checked_reason, reviewed_span
from access.decisions.decision_list import may_see_decision
from access.decisions.made_decision import MadeDecision, audit_fields, decision_of_row, insert_decision, next_revision
from access.grants import Purpose
from access.identity import Identity, authorise
from access.store import AccessStore
from access.tables import quality_decision as table
from data.database.serialization_failure import retry_on_serialization_failure
from data.decision import Decision
from data.site import Site
from data.time.epoch import epoch_ms
from errors import Conflict, DecidedMeanwhile, NotFound

Found = TypeVar("Found")

MOST_SHOWN: Final = 100  # newer decisions that a refusal carries


def decide(
    store: AccessStore, site: Site, identity: Identity, draft: Decision, reason: str = "", *, seen: int | None = None
) -> MadeDecision:
    """Make a decision of a draft, whose number does not count.

    ``seen`` is the highest number that whoever decides has seen; None: nothing is compared.

    Raises:
        InvalidRequest, UnknownStation, UnknownSensor, NotPermitted: as
            :func:`access.decisions.decision_checks.check_decision` and ``checked_reason``.
        DecidedMeanwhile: somebody else has decided about some of the readings since ``seen``, or
            the latest decision about them is just this one.
    """
    check_decision(site, identity, draft)
    why = checked_reason(draft.kind, reason)

    def make(connection: Connection, revision: int) -> MadeDecision:
        made = MadeDecision(replace(draft, number=revision), why, identity.user, epoch_ms())
        others = _overlapping(connection, draft)
        _refuse_repeated(draft, others)
        _refuse_newer(identity, others, seen)
        insert_decision(connection, made)
        write_entry(connection, "decision_made", audit_fields(made))
        return made

    return changed(store, make)


def undo(store: AccessStore, identity: Identity, number: int, *, seen: int | None = None) -> MadeDecision:
    """Undo a decision, anybody's; ``seen`` as in :func:`decide`.

    Raises:
        NotFound: there is none of that number, or its series is not granted.
        NotPermitted: the identity may not review all that it touches.
        Conflict: it is undone already.
        DecidedMeanwhile: as :func:`decide`.
    """

    def end(connection: Connection, revision: int) -> MadeDecision:
        row = connection.execute(select(table).where(table.c.number == number)).one_or_none()
        found = None if row is None else decision_of_row(row)
        if found is None or not may_see_decision(identity.rights, found.decision):
            raise no_decision(number)
        authorise(identity, reviewed_span(found.decision), Purpose.REVIEW)
        if found.undone_ms is not None:
            raise Conflict("Decision {number} is undone already, by {name}.", number=number, name=found.undone_by)
        _refuse_newer(identity, [one for one in _overlapping(connection, found.decision) if one.decision.number != number], seen)
        by = {"undone_by": identity.user, "undone_ms": epoch_ms()}
        connection.execute(update(table).where(table.c.number == number).values(by | {"revision": revision}))
        write_entry(connection, "decision_undone", {**audit_fields(found), "by": found.made_by})
        return replace(found, **by)  # type: ignore[arg-type]  # as the columns are called

    return changed(store, end)


@retry_on_serialization_failure
def changed(store: AccessStore, change: Callable[[Connection, int], Found]) -> Found:
    """Return what a change of decisions makes, in one transaction, given the revision that it is;
    others wait for its end. The process knows of it at once.
    """
    writing = store.engine.execution_options(sqlite_begin="IMMEDIATE")
    try:
        with writing.begin() as connection:
            found = change(connection, next_revision(connection))
    except IntegrityError:  # another process made the very first one meanwhile
        with writing.begin() as connection:
            found = change(connection, next_revision(connection))
    store.decisions.look_again()
    return found


def no_decision(number: object) -> NotFound:
    """Return what is said of a decision that is not there, or not for whoever asks."""
    return NotFound("There is no decision {number}.", number=str(number)[:20])


def _overlapping(connection: Connection, draft: Decision) -> list[MadeDecision]:
    """Return the decisions in force about some of the readings, the newest first."""
    columns = table.c
    of_series = (columns.station == draft.station, columns.sensor == draft.sensor, columns.undone_ms.is_(None))
    meets = (columns.from_ms <= draft.end_ms, columns.to_ms >= draft.start_ms)
    query = select(table).where(*of_series, *meets).order_by(columns.number.desc()).limit(MOST_SHOWN)
    rows: list[Any] = list(connection.execute(query))
    return [one for row in rows if (one := decision_of_row(row)) is not None]


def _refuse_repeated(draft: Decision, others: list[MadeDecision]) -> None:
    """Refuse what is decided just so: a press that came twice would correct twice."""
    if others and replace(others[0].decision, number=draft.number) == draft:
        number = others[0].decision.number
        raise DecidedMeanwhile("This is decided already: decision {number}.", number=number, newer=others[:1])


def _refuse_newer(identity: Identity, others: list[MadeDecision], seen: int | None) -> None:
    if seen is None:
        return
    newer = [one for one in others if one.decision.number > seen and one.made_by != identity.user]
    if newer:
        raise DecidedMeanwhile(newer=newer[::-1])
