"""Whose turn it is: the number of each claim, by which users take turns.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has had a turn yet."""
    op.add_column("job", sa.Column("turn", sa.BigInteger))
    op.create_index("job_turn", "job", ["turn"])
    op.create_index("job_turn_of_owner", "job", ["owner", "queue", "turn"])


def downgrade() -> None:
    """First come, first served again."""
    op.drop_index("job_turn_of_owner", "job")
    op.drop_index("job_turn", "job")
    op.drop_column("job", "turn")
