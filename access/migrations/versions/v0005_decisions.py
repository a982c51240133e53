"""Decisions of people about readings, and the right to make them.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the column."""
    exact = exact_text(op.get_context().dialect)
    op.create_table(
        "quality_decision",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("station", sa.String(255), nullable=False),
        sa.Column("sensor", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.Column("rule", sa.String(32)),
        sa.Column("amount", sa.Double),
        sa.Column("filled_station", sa.String(255)),
        sa.Column("filled_sensor", sa.String(255)),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("undone_by", sa.String(255)),
        sa.Column("undone_ms", sa.BigInteger),
        sa.Column("revision", sa.BigInteger, nullable=False),
        **exact,
    )
    op.create_index("quality_decision_series", "quality_decision", ["station", "sensor"])
    op.create_index("quality_decision_revision", "quality_decision", ["revision"])
    op.create_table(
        "quality_revision",
        sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        **exact,
    )
    op.add_column("grant_rule", sa.Column("may_review", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("grant_rule", "may_review")
    op.drop_table("quality_revision")
    op.drop_table("quality_decision")
