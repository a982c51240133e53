"""Decisions in force, as a process keeps them, in each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, update
from sqlalchemy.exc import SQLAlchemyError

from access.decisions.made_decision import MadeDecision, insert_decision, next_revision
from access.decisions.stored_decisions import StoredDecisions
from access.revision_look import LOOK_EVERY_S, RevisionLook
from access.tables import quality_decision as table
from data.database.engine import make_engine
from data.decision import Decision
from errors import LedgerUnavailable


@pytest.fixture
def engine(migrated_url: str) -> Iterator[Engine]:
    made = make_engine(migrated_url)
    yield made
    made.dispose()


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def make(engine: Engine, sensor: str = "temperature", **more: Any) -> Decision:
    """Enter a decision as :mod:`access.decisions` does."""
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        fields: dict[str, Any] = {"station": "JFK", "kind": "wrong", "start_ms": 1, "end_ms": 9} | more
        made = Decision(next_revision(connection), sensor=sensor, **fields)
        insert_decision(connection, MadeDecision(made, "", "sari", 5))
    return made


def undo(engine: Engine, number: int) -> None:
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        values = {"undone_by": "budi", "undone_ms": 7, "revision": next_revision(connection)}
        connection.execute(update(table).where(table.c.number == number).values(values))


def test_decisions_come_back_exactly_as_they_were_made_and_by_number(engine):
    found = StoredDecisions(engine)
    assert found("JFK", "temperature") == ()
    first = make(engine, kind="offset", amount=-0.1 + 0.3, start_ms=-(2**53), end_ms=253_402_300_799_999)
    second = make(engine, kind="fill", filled_from=("LGA", "temperature"))
    other = make(engine, "humidity", kind="right", rule="stuck")
    found.look_again()
    assert found("JFK", "temperature") == (first, second)
    assert (found("JFK", "humidity"), found("jfk", "temperature")) == ((other,), ())
    assert first.number < second.number < other.number


def test_what_others_decide_and_undo_is_there_half_a_second_later_by_one_statement_of_what_is_new(engine):
    clock, statements = Clock(), list[str]()
    found = StoredDecisions(engine, RevisionLook(engine, clock))
    first = make(engine)
    assert found("JFK", "temperature") == (first,)
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    second = make(engine)
    statements.clear()
    clock.now_s += 0.9 * LOOK_EVERY_S
    assert found("JFK", "temperature") == (first,)
    assert statements == []
    clock.now_s += 0.2 * LOOK_EVERY_S
    assert [found("JFK", name) for name in ("temperature", "humidity")] == [(first, second), ()]
    assert len([each for each in statements if "quality_decision" in each]) == 1
    undo(engine, first.number)
    clock.now_s += 2 * LOOK_EVERY_S
    assert found("JFK", "temperature") == (second,)
    assert StoredDecisions(engine)("JFK", "temperature") == (second,)


def test_a_decision_of_this_process_is_there_at_once(engine):
    found = StoredDecisions(engine, RevisionLook(engine, Clock()))
    assert found("JFK", "temperature") == ()
    made = make(engine)
    assert found("JFK", "temperature") == ()
    found.look_again()
    assert found("JFK", "temperature") == (made,)


def test_what_another_version_decided_hides_nothing_else(engine):
    make(engine, kind="smoothed")
    made = make(engine)
    assert StoredDecisions(engine)("JFK", "temperature") == (made,)


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_a_database_that_is_away_is_not_taken_for_one_without_decisions(engine, tmp_path):
    away = make_engine(f"sqlite:///{tmp_path}/nowhere/jobs.sqlite")
    with pytest.raises(LedgerUnavailable):
        StoredDecisions(away)("JFK", "temperature")
    empty = make_engine(f"sqlite:///{tmp_path}/old.sqlite")
    with pytest.raises(SQLAlchemyError, match="no such table"):
        StoredDecisions(empty)("JFK", "temperature")
