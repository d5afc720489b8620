"""Options of the server room: where it listens, and what it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from luthier.config import LocalPath, ModelName
from luthier.models.options import LoadOptions
from luthier.store.options import StoreOptions

KEY = "LUTHIER_KEY"
FILE_LIMIT = 512 * 2**20
UPLOAD_LIMIT = 8 * 2**30
PART_LIMIT = 64 * 2**20
BODY_LIMIT = 64 * 2**20


class ServerOptions(LoadOptions):
    """Where the API listens, and which models it serves."""

    title: ClassVar[str] = "Server"
    hints: ClassVar[Mapping[str, str]] = {"served_model_name": "write catalogue, a file that names models"}

    host: str = Field(
        default="127.0.0.1", description=f"address to listen on; beyond this machine only with ${KEY} set"
    )
    port: int = Field(default=8000, ge=0, le=65_535, description="port to listen on; 0 takes a free one")
    model: ModelName = Field(
        default="fiddle", description="the base model to serve and to tune: fiddle (embedded), a folder, or a hub name"
    )
    catalogue: LocalPath | None = Field(
        default=None, description="YAML file of models, with aliases, prices and remote servers; see docs/serving.md"
    )
    base64_results: bool = Field(
        default=True, description="give a job's result file in base64, as the hosted API does; false gives plain CSV"
    )
    loaded_models: int = Field(
        default=4, ge=1, le=1000, description="models kept in memory at once; the one unused the longest goes first"
    )
    workers: int = Field(default=1, ge=0, le=64, description="worker processes, each for one job at a time")


class WorkerOptions(ServerOptions, StoreOptions):
    """What a worker must know of the server it works for."""
