"""With whom a job counts: who looks at an embedded chart takes turns and
places of the user who made it.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Jobs that are there count with their owner."""
    op.add_column("job", sa.Column("share", sa.String(255), nullable=False, server_default=""))
    op.execute("UPDATE job SET share = owner")
    op.drop_index("job_turn_of_owner", "job")
    op.create_index("job_turn_of_share", "job", ["share", "queue", "turn"])
    op.create_index("job_of_share", "job", ["share", "status"])


def downgrade() -> None:
    """Each owner counts alone."""
    op.drop_index("job_of_share", "job")
    op.drop_index("job_turn_of_share", "job")
    op.create_index("job_turn_of_owner", "job", ["owner", "queue", "turn"])
    op.drop_column("job", "share")
