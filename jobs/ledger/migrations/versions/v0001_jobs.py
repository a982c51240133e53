"""The ledger: jobs, workers, and which page asked for which job.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from data.database.drivers import exact_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _long_text() -> sa.types.TypeEngine[str]:
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    """Make the tables."""
    _job()
    op.create_table(
        "worker",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("queues", sa.Text, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("restart", sa.Boolean, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_table(
        "job_page",
        sa.Column("job", sa.String(32), primary_key=True),
        sa.Column("page", sa.String(64), primary_key=True),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("request", _long_text(), nullable=False),
        sa.Column("active_key", sa.String(32), unique=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("timeout_s", sa.Double, nullable=False),
        sa.Column("rows_estimate", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("queued_ms", sa.BigInteger, nullable=False),
        sa.Column("not_before_ms", sa.BigInteger, nullable=False),
        sa.Column("started_ms", sa.BigInteger),
        sa.Column("finished_ms", sa.BigInteger),
        sa.Column("worker", sa.String(64)),
        sa.Column("lease_until_ms", sa.BigInteger),
        sa.Column("error", _long_text()),
        sa.Column("metrics", sa.Text, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("job_line", "job", ["status", "queued_ms", "number"])
    op.create_index("job_of_owner", "job", ["owner", "number"])


def downgrade() -> None:
    """Drop the ledger; jobs can be asked for again."""
    for table in ("job_page", "worker", "job"):
        op.drop_table(table)
