"""Sessions, so that people see and end their own; and the addresses from which a key may be used.

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
    """Keys that are there may be used from anywhere, as until now."""
    op.create_table(
        "session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("word", sa.String(32), nullable=False),
        sa.Column("began_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(255), nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("session_account", "session", ["account"])
    op.add_column("api_key", sa.Column("addresses", sa.Text))


def downgrade() -> None:
    """Forget both."""
    op.drop_column("api_key", "addresses")
    op.drop_table("session")
