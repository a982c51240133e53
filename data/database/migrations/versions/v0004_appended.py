"""Since when a month only grew at its end, so that a load reads no more than that.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of months that are there nothing is known."""
    op.add_column("month_inventory", sa.Column("appended_since", sa.BigInteger))


def downgrade() -> None:
    """Read changed months whole again."""
    op.drop_column("month_inventory", "appended_since")
