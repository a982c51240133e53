"""What is known of mapped sources: the last look at each,
and fingerprints of months that were read.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "source_look",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("looked", sa.BigInteger, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_table(
        "source_month",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.Text),
        sa.Column("checked", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )


def downgrade() -> None:
    """Forget what is known of mapped sources; they are looked at anew."""
    op.drop_table("source_month")
    op.drop_table("source_look")
