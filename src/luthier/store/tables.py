"""The tables, as the newest migration leaves them. Times are Unix seconds."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

_POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

RESOURCES = sa.Table(
    "resources",
    METADATA,
    sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(200), nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("project", sa.String(80), nullable=False),
    sa.Column("parent", sa.String(200), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("deleted_at", sa.BigInteger),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index("ix_resources_listed", "project", "kind", "parent", "position"),
    sa.Index("ix_resources_expires_at", "expires_at"),
    sqlite_autoincrement=True,
)
"""Everything that is created, listed and deleted by an id. A deleted row keeps its place, so that a list can go on
after it, and loses its body and blobs. `parent` is empty for what stands alone."""

PARTS = sa.Table(
    "parts",
    METADATA,
    sa.Column("resource", sa.String(200), sa.ForeignKey("resources.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(300), primary_key=True),
    sa.Column("blob", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Index("ix_parts_blob", "blob"),
)
"""The blobs of a resource by name: one for a file, several for the folder of a model."""

LABELS = sa.Table(
    "labels",
    METADATA,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("value", sa.String(600), nullable=False),
    sa.Index("ix_labels_found", "name", "value"),
)
"""What rows and jobs are found by, beside their ids: a file's purpose, the metadata people gave."""

JOBS = sa.Table(
    "jobs",
    METADATA,
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
    sa.Index("ix_jobs_listed", "project", "kind", "position"),
    sa.Index("ix_jobs_status", "status", "position"),
    sqlite_autoincrement=True,
)

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("position", _POSITION, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(80), nullable=False, unique=True),
    sa.Column("job", sa.String(80), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key", sa.String(120)),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", sa.JSON),
    sa.UniqueConstraint("job", "key", name="uq_events_key"),
    sa.Index("ix_events_listed", "job", "position"),
    sqlite_autoincrement=True,
)
"""What a job said. An event with a `key` is kept once per job: a job that is run again after a fault says it again."""

KEYS = sa.Table(
    "keys",
    METADATA,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("project", sa.String(80), nullable=False),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("ending", sa.String(8), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("requests_per_minute", sa.Integer),
    sa.Column("tokens_per_minute", sa.Integer),
    sa.Column("monthly_budget", sa.Float(53)),
    sa.Index("ix_keys_project", "project"),
)
"""Who may ask, for which project and how much. Of a key there is its SHA-256 and its last letters."""

USAGE = sa.Table(
    "usage",
    METADATA,
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(40), primary_key=True),
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("project", sa.String(80), nullable=False),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.Float(53), nullable=False),
    sa.Index("ix_usage_key", "key", "hour"),
    sa.Index("ix_usage_project", "project", "hour"),
)
"""What was used, summed up by the hour (its first second). `cached_tokens` are those of the input that had been read
before."""

PARCELS = sa.Table(
    "parcels",
    METADATA,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("ix_parcels_at", "at"),
)
"""What was counted lately as used, by its id: what is written again after a fault counts once."""

PASSAGES = sa.Table(
    "passages",
    METADATA,
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
"""What the documents of a vector store were cut into: `number` counts those of a document from 0."""
