"""The passages of documents in vector stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passages",
        sa.Column("store", sa.String(200), sa.ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("document", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("headings", sa.JSON, nullable=False),
        sa.Column("first_page", sa.String(200), nullable=False),
        sa.Column("last_page", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("passages")
