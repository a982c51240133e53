"""Decisions in force, for all who draw, compute or make flags."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, select

from access.decisions.made_decision import PLAIN, plain_decision
from access.revision_look import KeptByRevision, RevisionLook, rows_of
from access.tables import quality_decision as table
from data.decision import Decision

_BySeries = Mapping[tuple[str, str], tuple[Decision, ...]]


class StoredDecisions(KeptByRevision):
    """Finds the decisions in force about a series, as :data:`data.decision.Decisions`."""

    def __init__(self, engine: Engine, look: RevisionLook | None = None) -> None:
        super().__init__(engine, look)
        self._found: _BySeries = {}

    def __call__(self, station: str, sensor: str) -> tuple[Decision, ...]:
        """Return the decisions in force about a station's sensor, by number.

        Raises:
            LedgerUnavailable: the database does not answer.
            SQLAlchemyError: it is not up to date with the program.
        """
        self._keep_up()
        return self._found.get((station, sensor), ())

    def _read_changes(self) -> None:
        query = select(*PLAIN, table.c.undone_ms, table.c.revision).where(table.c.revision > self._revision)
        if not self._revision:
            query = query.where(table.c.undone_ms.is_(None))
        rows = rows_of(self._engine, query.order_by(table.c.number))
        if not rows:
            return
        changed: dict[tuple[str, str], dict[int, Decision]] = {}
        for *cells, undone_ms, revision in rows:
            number, *series = cells[:3]
            of_series = changed.get(key := tuple(series))
            if of_series is None:
                of_series = changed[key] = {one.number: one for one in self._found.get(key, ())}
            of_series.pop(number, None)
            if undone_ms is None and (made := plain_decision(cells)) is not None:
                of_series[number] = made
            self._revision = max(self._revision, revision)
        self._found = {**self._found, **{key: tuple(each[at] for at in sorted(each)) for key, each in changed.items()}}
