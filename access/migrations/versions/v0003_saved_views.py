"""Saved views.

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
    """Make the table."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("shows", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("home", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("saved_view_name", "saved_view", ["owner", "name"], unique=True)
    op.create_index("saved_view_shared", "saved_view", ["shared"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("saved_view")
