"""Who may see what: accounts, members of groups, grants, keys, embedded charts, audit.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from data.database.drivers import exact_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    # TEXT holds 64 KiB there
    long_text = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    exact = exact_text(op.get_context().dialect)
    op.create_table(
        "account",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("password", sa.Text),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("password_ms", sa.BigInteger),
        **exact,
    )
    op.create_table(
        "member",
        sa.Column("user_group", sa.String(255), primary_key=True),
        sa.Column("account", sa.String(255), primary_key=True),
        **exact,
    )
    op.create_table(
        "proxy_member",
        sa.Column("account", sa.String(255), primary_key=True),
        sa.Column("user_group", sa.String(255), primary_key=True),
        **exact,
    )
    op.create_table(
        "grant_rule",
        sa.Column("id", number, primary_key=True),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("stations", long_text, nullable=False),
        sa.Column("sensors", long_text, nullable=False),
        sa.Column("from_ms", sa.BigInteger),
        sa.Column("to_ms", sa.BigInteger),
        sa.Column("longest_ms", sa.BigInteger),
        sa.Column("finest", sa.String(8), nullable=False),
        sa.Column("may_export", sa.Boolean, nullable=False),
        sa.Column("may_embed", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        **exact,
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.Column("used_ms", sa.BigInteger),
        **exact,
    )
    op.create_table(
        "embed",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("shows", long_text, nullable=False),
        sa.Column("origin", sa.String(255), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("revoked_ms", sa.BigInteger),
        **exact,
    )
    op.create_table(
        "audit",
        sa.Column("number", number, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        **exact,
    )
    op.create_index("member_account", "member", ["account"])
    op.create_index("grant_subject", "grant_rule", ["subject_kind", "subject"])
    op.create_index("api_key_owner", "api_key", ["owner"])
    op.create_index("embed_owner", "embed", ["owner"])
    op.create_index("audit_at", "audit", ["at_ms"])
    op.create_index("audit_actor", "audit", ["actor", "number"])


def downgrade() -> None:
    """Forget who may see what."""
    for table in ("audit", "embed", "api_key", "grant_rule", "proxy_member", "member", "account"):
        op.drop_table(table)
