"""Tables of the jobs database: job, worker, job_page. Times are int ms UTC of the database's clock.

jobs/migrations makes them (on MariaDB with a binary collation, so that ``Bob`` is not ``bob``).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

metadata = MetaData()


job = Table(
    "job",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="order of arrival"),
    Column("id", String(32), nullable=False, unique=True, comment="unguessable; what users and URLs see"),
    Column("owner", String(255), nullable=False),
    Column("share", String(255), nullable=False, comment="the user with whom it counts: its owner, or who made its chart"),
    Column("kind", String(32), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("request", Text, nullable=False, comment="HistoryRequest as JSON"),
    Column("inquiry", Text, comment="of the kind analysis: Inquiry as JSON, else null"),
    Column(
        "active_key",
        String(32),
        unique=True,
        comment="digest of owner, kind, request and inquiry while queued or running, else null",
    ),
    Column("status", String(16), nullable=False),
    Column("progress", Text, comment="Progress as JSON"),
    Column("version", Integer, nullable=False, comment="grows with every published progress and change of status"),
    Column("attempt", Integer, nullable=False, comment="number of claims; older attempts may not write"),
    Column("failures", Integer, nullable=False, comment="failed attempts; at tries the job fails for good"),
    Column("tries", Integer, nullable=False),
    Column("timeout_s", Double, nullable=False, comment="wall-clock limit of one attempt, s"),
    Column("rows_estimate", BigInteger, nullable=False, comment="observations × sensors that the plan expected to read"),
    Column("created_ms", BigInteger, nullable=False),
    Column("queued_ms", BigInteger, nullable=False, comment="when it took its place in the line"),
    Column("not_before_ms", BigInteger, nullable=False, comment="end of the back-off"),
    Column("started_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column(
        "turn",
        BigInteger,
        comment="number of the claim among all, while it counts as its owner's turn: see jobs/ledger/fair_order.py",
    ),
    Column("worker", String(64), comment="who holds it while running"),
    Column("lease_until_ms", BigInteger, comment="after this the worker is taken for dead"),
    Column("error", Text, comment="JobError as JSON: the last attempt's"),
    Column("metrics", Text, nullable=False, comment="JSON object of numbers"),
    Index("job_line", "status", "queued_ms", "number"),
    Index("job_of_owner", "owner", "number"),
    Index("job_turn", "turn"),
    Index("job_turn_of_share", "share", "queue", "turn"),
    Index("job_of_share", "share", "status"),
    comment="The ledger: one run of load_history for one request and one owner.",
)

worker = Table(
    "worker",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("queues", Text, nullable=False, comment="JSON list"),
    Column("slots", Integer, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("restart", Boolean, nullable=False, comment="asked to finish its jobs and begin anew"),
    comment="Workers and their last sign of life.",
)

# in place of a page: the job was begun by a page, so it ends when that goes on;
# no digest looks like this
BY_PAGE = "*"

job_page = Table(
    "job_page",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("page", String(64), primary_key=True, comment="digest of one page load"),
    Column("seen_ms", BigInteger, nullable=False),
    comment="Which pages asked for which job, and when last.",
)


class now_ms(GenericFunction[int]):  # noqa: N801 - named like the SQL function that it is
    """The database's clock, int ms UTC: the one clock that all workers share."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _now_sqlite(_element: now_ms, _compiler: Any, **_options: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(now_ms, "postgresql")
def _now_postgresql(_element: now_ms, _compiler: Any, **_options: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(now_ms, "mysql")
@compiles(now_ms, "mariadb")
def _now_mariadb(_element: now_ms, _compiler: Any, **_options: Any) -> str:
    return "CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)"
