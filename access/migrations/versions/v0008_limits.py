"""Limits of quality control that people set.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "quality_limit",
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("sensor", sa.String(255), primary_key=True),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("quality_limit_revision", "quality_limit", ["revision"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("quality_limit")
