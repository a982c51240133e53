"""Observations, their flags, the inventory, and the running totals of rain.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; the observation table gets its sensor columns from the catalogue."""
    op.create_table(
        "observation",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
        **exact_text(op.get_context().dialect),
    )
    op.create_table(
        "observation_flag",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sensor", sa.String(64), primary_key=True),
        sqlite_with_rowid=False,
        **exact_text(op.get_context().dialect),
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
        **exact_text(op.get_context().dialect),
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
        **exact_text(op.get_context().dialect),
    )


def _running_totals() -> None:
    op.create_table(
        "running_total",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("sensor", sa.String(64), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("total", sa.Double, nullable=False),
        sqlite_with_rowid=False,
        **exact_text(op.get_context().dialect),
    )


def downgrade() -> None:
    """History is never dropped."""
    raise NotImplementedError("The first revision has no way back: it would drop all observations.")
