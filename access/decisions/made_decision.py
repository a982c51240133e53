"""A decision with why, by whom and when, and as a row of the table ``quality_decision``.
Times are int ms UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, insert, select, update

from access.tables import quality_decision, quality_revision
from data.decision import DECISION_KINDS, Decision
from data.time.months import iso_utc, iso_utc_or_none

# The columns of a decision itself, in the order of its fields; they are the table's first.
PLAIN: Final = tuple(quality_decision.c)[:10]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MadeDecision:
    """A decision, why it was made, by whom and when; ``undone_ms``: None while it is in force."""

    decision: Decision
    reason: str
    made_by: str
    made_ms: int
    undone_by: str | None = None
    undone_ms: int | None = None


def next_revision(connection: Connection) -> int:
    """Return the next revision in a transaction that writes. Others wait for its end, so that
    revisions are seen in their order, and nobody decides about what they could not see.

    Call it before anything is read: MariaDB shows a transaction what was there at its first read.

    Raises:
        IntegrityError: another transaction makes the very first one; try again.
    """
    table = quality_revision
    if not connection.execute(update(table).values(revision=table.c.revision + 1)).rowcount:
        connection.execute(insert(table).values(only=1, revision=1))
    return int(connection.execute(select(table.c.revision)).scalar_one())


def columns_of(made: MadeDecision) -> dict[str, Any]:
    """Return the row of a decision that has just been made, as :func:`decision_of_row` reads it."""
    one = made.decision
    filled_station, filled_sensor = one.filled_from or (None, None)
    about = {name: getattr(one, name) for name in ("number", "station", "sensor", "kind", "rule", "amount")}
    by = {name: getattr(made, name) for name in ("reason", "made_by", "made_ms", "undone_by", "undone_ms")}
    span = {"from_ms": one.start_ms, "to_ms": one.end_ms}
    return about | span | by | {"filled_station": filled_station, "filled_sensor": filled_sensor, "revision": one.number}


def insert_decision(connection: Connection, made: MadeDecision) -> None:
    """Enter a decision whose number is the revision in hand."""
    connection.execute(insert(quality_decision).values(columns_of(made)))


def decision_of_row(row: Row[Any]) -> MadeDecision | None:
    """Return a row as a decision; None of a kind that another version of the program knows."""
    decision = plain_decision(row[: len(PLAIN)])
    if decision is None:
        return None
    return MadeDecision(decision, row.reason, row.made_by, row.made_ms, row.undone_by, row.undone_ms)


def plain_decision(cells: Sequence[Any]) -> Decision | None:
    """Return what the columns PLAIN of a row say; None of a kind that another version knows."""
    number, station, sensor, kind, start_ms, end_ms, rule, amount, filled_station, filled_sensor = cells
    if kind not in DECISION_KINDS:
        log.warning("a decision cannot be read", number=number, kind=kind)
        return None
    filled_from = None if filled_sensor is None else (filled_station, filled_sensor)
    return Decision(number, station, sensor, kind, start_ms, end_ms, rule, amount, filled_from)


def decision_json(made: MadeDecision) -> dict[str, Any]:
    """Return a decision as API and command line give it; times are ISO 8601 in UTC."""
    one = made.decision
    return {
        **{name: getattr(one, name) for name in ("number", "station", "sensor", "kind")},
        "from": iso_utc(one.start_ms),
        "to": iso_utc(one.end_ms),
        "rule": one.rule,
        "amount": one.amount,
        "filled_from": one.filled_from and dict(zip(("station", "sensor"), one.filled_from, strict=True)),
        **{name: getattr(made, name) for name in ("reason", "made_by")},
        "made": iso_utc(made.made_ms),
        "undone_by": made.undone_by,
        "undone": iso_utc_or_none(made.undone_ms),
    }


def audit_fields(made: MadeDecision) -> Mapping[str, Any]:
    """Return a decision as the audit log tells it."""
    one = made.decision
    more = {"rule": one.rule, "amount": one.amount, "filled_from": one.filled_from and " ".join(one.filled_from)}
    return {
        "decision": one.number,
        "station": one.station,
        "sensor": one.sensor,
        "kind": one.kind,
        "from": iso_utc(one.start_ms),
        "to": iso_utc(one.end_ms),
        **{name: value for name, value in more.items() if value is not None},
        **({"reason": made.reason} if made.reason else {}),
    }
