"""Observations, their flags, the inventory, and the running totals of rain.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Station names differ by case and accent on every database, as they do in SQLite and PostgreSQL.
# SQLAlchemy reads the options under the name of the dialect in the URL: mysql or mariadb.
_BINARY = {"charset": "utf8mb4", "collate": "utf8mb4_bin", "engine": "InnoDB"}
_OPTIONS = {f"{dialect}_{name}": value for dialect in ("mysql", "mariadb") for name, value in _BINARY.items()}


def upgrade() -> None:
    """Make the tables; the observation table gets its sensor columns from the catalogue."""
    op.create_table(
        "observation",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
        **_OPTIONS,
    )
    op.create_table(
        "observation_flag",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sensor", sa.String(64), primary_key=True),
        sqlite_with_rowid=False,
        **_OPTIONS,
    )
    _inventory()
    _running_totals()


def _inventory() -> None:
    op.create_table(
        "station_inventory",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("sensors", sa.Text, nullable=False),
        sa.Column("step_ms", sa.BigInteger),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        **_OPTIONS,
    )
    op.create_table(
        "month_inventory",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        **_OPTIONS,
    )


def _running_totals() -> None:
    op.create_table(
        "running_total",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("sensor", sa.String(64), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("total", sa.Double, nullable=False),
        sqlite_with_rowid=False,
        **_OPTIONS,
    )


def downgrade() -> None:
    """History is never dropped."""
    raise NotImplementedError("The first revision has no way back: it would drop all observations.")
