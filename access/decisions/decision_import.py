"""Importing decisions that another site, or this one, has exported: all of a file or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, update

from access.audit.log import write_entry
from access.decisions.deciding import changed
from access.decisions.decision_checks import check_decision, checked_reason
from access.decisions.decision_reading import ReadDecision, refused
from access.decisions.made_decision import MadeDecision, decision_of_row, insert_decision, next_revision
from access.identity import Identity
from access.store import AccessStore
from access.tables import quality_decision as table
from data.site import Site
from errors import RiwayatError


@dataclass(frozen=True)
class ImportedDecisions:
    """How many decisions of a file are ``made``, how many that were in force are ``undone`` as the
    file has them, and how many were ``known`` already.
    """

    made: int = 0
    undone: int = 0
    known: int = 0


def import_decisions(
    store: AccessStore, site: Site, identity: Identity, found: Sequence[ReadDecision], name: str
) -> ImportedDecisions:
    """Keep decisions of a file with their authors and times, in their order, after those that are
    there. ``name`` is what the audit log calls the file.

    One that is there already is not made again; where it is in force and the file has it undone, it
    is undone.

    Raises:
        ImportRejected: a decision cannot be made here, or not by the identity; names the line.
    """
    checked = [_checked(site, identity, one) for one in found]

    def keep(connection: Connection, revision: int) -> ImportedDecisions:
        known = _known(connection, checked)
        count = {"made": 0, "undone": 0, "known": 0}
        for one in checked:
            there = known.get(_said(one))
            if there is None:
                made = replace(one, decision=replace(one.decision, number=revision))
                insert_decision(connection, made)
                known[_said(one)], what = made, "made"
            elif one.undone_ms is not None and there.undone_ms is None:
                by = {"undone_by": one.undone_by, "undone_ms": one.undone_ms, "revision": revision}
                connection.execute(update(table).where(table.c.number == there.decision.number).values(by))
                known[_said(one)], what = one, "undone"
            else:
                what = "known"
            count[what] += 1
            if what != "known":
                revision = next_revision(connection)
        write_entry(connection, "decisions_imported", {"file": name, **count})
        return ImportedDecisions(**count)

    return changed(store, keep)


def _checked(site: Site, identity: Identity, one: ReadDecision) -> MadeDecision:
    try:
        check_decision(site, identity, one.made.decision)
        return replace(one.made, reason=checked_reason(one.made.decision.kind, one.made.reason))
    except RiwayatError as exc:
        raise refused(one.line, "{why}", why=exc.message) from exc


def _known(connection: Connection, wanted: Iterable[MadeDecision]) -> dict[Any, MadeDecision]:
    """Return the decisions that are there about the series of some, by what they say."""
    known = {}
    for station in sorted({one.decision.station for one in wanted}):
        for row in connection.execute(select(table).where(table.c.station == station)):
            one = decision_of_row(row)
            if one is not None:
                known[_said(one)] = one
    return known


def _said(made: MadeDecision) -> tuple[object, ...]:
    """Return what tells a decision from others: all but its number and its undoing."""
    return replace(made.decision, number=0), made.reason, made.made_by, made.made_ms
