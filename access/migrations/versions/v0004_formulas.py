"""Formulas of users.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "formula_definition",
        sa.Column("sensor", sa.String(64), primary_key=True),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("formula", sa.Text, nullable=False),
        sa.Column("unit", sa.String(25), nullable=False),
        sa.Column("sums", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_table(
        "own_formula",
        sa.Column("owner", sa.String(255), primary_key=True),
        sa.Column("sensor", sa.String(64), primary_key=True),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("own_formula_label", "own_formula", ["owner", "label"], unique=True)


def downgrade() -> None:
    """Forget them."""
    op.drop_table("own_formula")
    op.drop_table("formula_definition")
