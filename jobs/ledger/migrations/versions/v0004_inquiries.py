"""What a job of an analysis is asked, beside its request.

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
    """Jobs that are there are of no analysis."""
    op.add_column("job", sa.Column("inquiry", sa.Text))


def downgrade() -> None:
    """Jobs of analyses would be taken for loads, so they go."""
    op.execute("DELETE FROM job WHERE inquiry IS NOT NULL")
    op.drop_column("job", "inquiry")
