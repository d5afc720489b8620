"""Options of the access room: what a key allows."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from luthier.config import Options

PROJECT = "default"
VARIABLE = "LUTHIER_KEY"
"""An environment variable that holds one more key, of the project `default` and without limits."""
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class Limits(Options):
    """How much may be asked with one key. What is None has no limit."""

    title: ClassVar[str] = "Limits"

    requests_per_minute: int | None = Field(default=None, ge=1, le=10**9, description="requests in a minute")
    tokens_per_minute: int | None = Field(
        default=None, ge=1, le=10**12, description="tokens in a minute, read and written together"
    )
    monthly_budget: float | None = Field(
        default=None,
        ge=0,
        le=1e12,
        description="money in a calendar month (UTC), by the prices of the catalogue and in its currency",
    )
