"""The first tables: resources with their parts, jobs with their events, labels of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _resources()
    _jobs()


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(200), nullable=False, unique=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("project", sa.String(80), nullable=False),
        sa.Column("parent", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("body", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_resources_listed", "resources", ["project", "kind", "parent", "position"])
    op.create_index("ix_resources_expires_at", "resources", ["expires_at"])
    op.create_table(
        "parts",
        sa.Column("resource", sa.String(200), sa.ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String(300), primary_key=True),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_parts_blob", "parts", ["blob"])
    op.create_table(
        "labels",
        sa.Column("owner", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("value", sa.String(600), nullable=False),
    )
    op.create_index("ix_labels_found", "labels", ["name", "value"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(80), nullable=False, unique=True),
        sa.Column("project", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("wanted", sa.String(10), nullable=False),
        sa.Column("owner", sa.String(80)),
        sa.Column("lease_until", sa.Float(53)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.JSON),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_listed", "jobs", ["project", "kind", "position"])
    op.create_index("ix_jobs_status", "jobs", ["status", "position"])
    op.create_table(
        "events",
        sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(80), nullable=False, unique=True),
        sa.Column("job", sa.String(80), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.String(120)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("data", sa.JSON),
        sa.UniqueConstraint("job", "key", name="uq_events_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_listed", "events", ["job", "position"])


def downgrade() -> None:
    for table in ("events", "jobs", "labels", "parts", "resources"):
        op.drop_table(table)
