"""Importing decisions that another site, or this one, has exported: all of a file or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from access.audit.log import write_entry
from access.decisions.deciding import changed
from access.decisions.decision_checks import IsRecorded, Series, check_decision, checked_reason, is_recorded
from access.decisions.decision_reading import ReadDecision, refused
from access.decisions.made_decision import MadeDecision, columns_of, decision_of_row
from access.identity import Identity
from access.names import name_before_removal
from access.store import AccessStore
from access.tables import quality_decision as table
from access.tables import quality_revision
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
    recorded = _AskedOnce()
    checked = [_checked(site, identity, one, recorded) for one in found]

    def keep(connection: Connection, revision: int) -> ImportedDecisions:
        known = _known(connection, checked)
        made: dict[Any, MadeDecision] = {}
        undone = dict[int, MadeDecision]()
        for one in checked:
            there = known.get(_said(one))
            if there is None and _said(one) not in made:
                number = revision + len(made)
                made[_said(one)] = replace(one, decision=replace(one.decision, number=number))
            elif there is not None and there.undone_ms is None and one.undone_ms is not None:
                undone[there.decision.number] = one
        last = _keep(connection, revision, list(made.values()), undone)
        connection.execute(update(quality_revision).values(revision=last))
        done = ImportedDecisions(len(made), len(undone), len(checked) - len(made) - len(undone))
        write_entry(connection, "decisions_imported", {"file": name, **asdict(done)})
        return done

    return changed(store, keep)


def _keep(connection: Connection, revision: int, made: Sequence[MadeDecision], undone: Mapping[int, MadeDecision]) -> int:
    """Write decisions that are new, then those that are undone, by number; return the last
    revision. Nobody else writes to the database of jobs meanwhile, so it must not take long.
    """
    if made:
        connection.execute(insert(table), [columns_of(one) for one in made])
    revision += len(made)
    for number, one in undone.items():
        by = {"undone_by": one.undone_by, "undone_ms": one.undone_ms, "revision": revision}
        connection.execute(update(table).where(table.c.number == number).values(by))
        revision += 1
    return revision


class _AskedOnce:
    """Asks the inventory once for each series, however many decisions are about it."""

    def __init__(self) -> None:
        self._found: dict[Series, bool] = {}

    def __call__(self, seen: Site, series: Series) -> bool:
        """Return whether it is recorded."""
        if series not in self._found:
            self._found[series] = is_recorded(seen, series)
        return self._found[series]


def _checked(site: Site, identity: Identity, one: ReadDecision, recorded: IsRecorded) -> MadeDecision:
    try:
        check_decision(site, identity, one.made.decision, recorded)
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
    """Return what tells a decision from others: all but its number and its undoing. Its author is
    the same after that user was removed, or it would be made, and correct, a second time.
    """
    return replace(made.decision, number=0), made.reason, name_before_removal(made.made_by), made.made_ms
