"""Periods of schedules as the table ``report_run`` has them: each once, whatever restarts. Times
are int ms UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, and_, insert, literal, select, union_all, update
from sqlalchemy.exc import IntegrityError

from access.audit.log import write_entry
from access.tables import report_run, report_schedule
from data.time.epoch import epoch_ms

MOST_AT_ONCE: Final = 100


@dataclass(frozen=True)
class ReportRun:
    """A period of a schedule. ``next_ms``: when it is looked at again, None when it has ended;
    ``looks``: how often it was tried again; ``note``: why it is not delivered.
    """

    schedule: str
    period: str
    job: str | None
    looks: int
    next_ms: int | None
    sending_ms: int | None
    sent_ms: int | None
    note: str


def anything_due(engine: Engine, now_ms: int) -> bool:
    """Return whether a period is due, or one that was entered is to be looked at; one statement."""
    schedules = select(literal(1)).where(report_schedule.c.next_ms <= now_ms)
    runs = select(literal(1)).where(report_run.c.next_ms <= now_ms)
    with engine.connect() as connection:
        return connection.execute(union_all(schedules, runs).limit(1)).first() is not None


def due_schedules(engine: Engine, now_ms: int) -> list[str]:
    """Return the ids of schedules of which a period is due, longest due first."""
    query = select(report_schedule.c.id).where(report_schedule.c.next_ms <= now_ms).order_by(report_schedule.c.next_ms)
    with engine.connect() as connection:
        return list(connection.scalars(query.limit(MOST_AT_ONCE)))


def enter_run(engine: Engine, schedule: str, period: str, *, was_ms: int, next_ms: int) -> bool:
    """Enter a period of a schedule that was due at ``was_ms``, and when the next one is; together
    or not at all. Return False where somebody else did.
    """
    values = {"schedule": schedule, "period": period, "looks": 0, "next_ms": was_ms, "note": ""}
    mine = and_(report_schedule.c.id == schedule, report_schedule.c.next_ms == was_ms)
    moved = update(report_schedule).where(mine).values(next_ms=next_ms)
    try:
        with engine.begin() as connection:
            if connection.execute(moved).rowcount != 1:
                return False
            connection.execute(insert(report_run).values(values))
            return True
    except IntegrityError:  # the period is there already: only the next one is still to be said
        with engine.begin() as connection:
            connection.execute(moved)
        return False


def due_runs(engine: Engine, now_ms: int) -> list[ReportRun]:
    """Return periods that are to be looked at, longest due first."""
    query = select(report_run).where(report_run.c.next_ms <= now_ms).order_by(report_run.c.next_ms)
    with engine.connect() as connection:
        return [ReportRun(**row._asdict()) for row in connection.execute(query.limit(MOST_AT_ONCE))]


def runs_of(engine: Engine, schedule: str) -> list[ReportRun]:
    """Return all periods of a schedule, the latest first."""
    query = select(report_run).where(report_run.c.schedule == schedule).order_by(report_run.c.period.desc())
    with engine.connect() as connection:
        return [ReportRun(**row._asdict()) for row in connection.execute(query)]


def find_run(engine: Engine, schedule: str, period: str) -> ReportRun | None:
    """Return a period of a schedule, or None."""
    with engine.connect() as connection:
        row = connection.execute(select(report_run).where(_is(schedule, period))).one_or_none()
    return None if row is None else ReportRun(**row._asdict())


def change_run(engine: Engine, run: ReportRun, **values: Any) -> None:
    """Change a period that is not delivered yet."""
    with engine.begin() as connection:
        undelivered = and_(_is(run.schedule, run.period), report_run.c.sent_ms.is_(None))
        connection.execute(update(report_run).where(undelivered).values(**values))


def begin_sending(engine: Engine, run: ReportRun) -> None:
    """Note that an attempt begins to deliver a period."""
    change_run(engine, run, sending_ms=epoch_ms())


def note_sent(engine: Engine, run: ReportRun, subject: Mapping[str, Any]) -> None:
    """Note that a period was delivered, and tell the audit log; together."""
    with engine.begin() as connection:
        done = {"sent_ms": epoch_ms(), "next_ms": None, "note": ""}
        connection.execute(update(report_run).where(_is(run.schedule, run.period)).values(done))
        write_entry(connection, "report_sent", {"schedule": run.schedule, "period": run.period, **subject})


def _is(schedule: str, period: str) -> ColumnElement[bool]:
    return and_(report_run.c.schedule == schedule, report_run.c.period == period)
