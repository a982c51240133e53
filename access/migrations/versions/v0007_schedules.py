"""Reports that are sent by themselves, and the periods of which they were.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "report_schedule",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("every", sa.String(8), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("folder", sa.Text),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("next_ms", sa.BigInteger, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("report_schedule_next", "report_schedule", ["next_ms"])
    op.create_table(
        "report_run",
        sa.Column("schedule", sa.String(32), primary_key=True),
        sa.Column("period", sa.String(20), primary_key=True),
        sa.Column("job", sa.String(32)),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("next_ms", sa.BigInteger),
        sa.Column("sending_ms", sa.BigInteger),
        sa.Column("sent_ms", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
        **exact_text(op.get_context().dialect),
    )
    op.create_index("report_run_next", "report_run", ["next_ms"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("report_run")
    op.drop_table("report_schedule")
