"""Alarms: rules, their states and events, and mails about these.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.database.drivers import exact_text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    exact = exact_text(op.get_context().dialect)
    op.create_table(
        "alarm_rule",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("stations", sa.Text, nullable=False),
        sa.Column("sensor", sa.String(64), nullable=False),
        sa.Column("holds", sa.Text, nullable=False),
        sa.Column("quiet", sa.String(16)),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("recipients", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        **exact,
    )
    op.create_index("alarm_rule_owner", "alarm_rule", ["owner"])
    op.create_table(
        "alarm_state",
        sa.Column("rule", sa.String(32), primary_key=True),
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_by", sa.String(255)),
        sa.Column("acknowledged_ms", sa.BigInteger),
        **exact,
    )
    op.create_table(
        "alarm_event",
        sa.Column("rule", sa.String(32), primary_key=True),
        sa.Column("station", sa.String(255), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("status", sa.String(16), primary_key=True),
        sa.Column("value", sa.Double),
        sa.Column("noted_ms", sa.BigInteger, nullable=False),
        **exact,
    )
    op.create_table(
        "alarm_message",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("station", sa.String(255), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("mail", sa.String(32)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_ms", sa.BigInteger),
        sa.Column("sent_ms", sa.BigInteger),
        sa.Column("note", sa.Text, nullable=False),
        **exact,
    )
    op.create_index("alarm_message_next", "alarm_message", ["next_ms"])
    op.create_index("alarm_message_mail", "alarm_message", ["mail"])
    op.create_index("alarm_message_rule", "alarm_message", ["rule"])


def downgrade() -> None:
    """Forget them."""
    for name in ("alarm_message", "alarm_event", "alarm_state", "alarm_rule"):
        op.drop_table(name)
