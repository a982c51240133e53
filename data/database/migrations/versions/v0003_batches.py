"""Imports and deletions as batches, and the journal from which they are taken back.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("what", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("pieces", "stored", "replaced", "removed")),
        **exact_text(op.get_context().dialect),
    )
    op.create_table(
        "batch_change",
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("station", sa.String(255), nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary(2**24 - 1), nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("batch_change_station", "batch_change", ["station", "batch"])


def downgrade() -> None:
    """Forget the batches; what they stored stays, and can no longer be taken back."""
    op.drop_table("batch_change")
    op.drop_table("batch")
