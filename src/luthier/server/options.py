"""Options of the server room: where it listens, and what it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from luthier.config import LocalPath, ModelName, Outside
from luthier.generation.options import BatchingOptions
from luthier.models.options import LoadOptions
from luthier.store.options import StoreOptions

FILE_LIMIT = 512 * 2**20
UPLOAD_LIMIT = 8 * 2**30
PART_LIMIT = 64 * 2**20
BATCH_LIMIT = 200 * 2**20
BODY_LIMIT = 64 * 2**20


class WorkerOptions(LoadOptions, StoreOptions):
    """The models that jobs and requests may name, and how they are loaded."""

    title: ClassVar[str] = "Server"
    hints: ClassVar[Mapping[str, str]] = {"served_model_name": "write catalogue, a file that names models"}

    model: ModelName = Field(
        default="fiddle", description="the base model to serve and to tune: fiddle (embedded), a folder, or a hub name"
    )
    catalogue: LocalPath | None = Field(
        default=None, description="YAML file of models, with aliases and prices; see docs/server.md"
    )
    upstream: Annotated[str, Outside("url")] | None = Field(
        default=None,
        pattern=r"^https?://",
        description="another server that has the model (vLLM, SGLang, llama-server, Ollama), with its /v1; model is "
        "what it is called there, by default the only one it has",
    )
    upstream_key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds the upstream's key"
    )
    base64_results: bool = Field(
        default=True, description="give a job's result file in base64, as the hosted API does; false gives plain CSV"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.upstream is not None and self.catalogue is not None:
            raise ValueError("upstream and catalogue exclude each other; write the url of the model into the catalogue")
        if self.upstream is None and self.upstream_key_variable is not None:
            raise ValueError("upstream_key_variable has no effect without upstream; name the server too")
        return self

    def loading(self, place: str) -> LoadOptions:
        """Returns how the model at `place` is loaded; the revision is that of `model` alone."""
        revision = self.revision if place == self.model else None
        given = {name: getattr(self, name) for name in LoadOptions.model_fields}
        return LoadOptions(**given | {"revision": revision})


class ServerOptions(WorkerOptions, BatchingOptions):
    """Where the API listens, and how much it does at once."""

    title: ClassVar[str] = "Listening"

    host: str = Field(
        default="127.0.0.1", description="address to listen on; beyond this machine only where there is a key"
    )
    port: int = Field(default=8000, ge=0, le=65_535, description="port to listen on; 0 takes a free one")
    loaded_models: int = Field(
        default=4,
        ge=1,
        le=1000,
        description="models of each kind kept in memory at once; the one unused the longest goes first",
    )
    loaded_adapters: int = Field(
        default=16,
        ge=1,
        le=10_000,
        description="adapters over each model kept loaded at once; an unused one goes first",
    )
    max_queue: int = Field(
        default=512, ge=1, le=100_000, description="replies of a model that are written or waited for; more get a 429"
    )
    request_timeout_s: float = Field(
        default=600.0, ge=0, le=86_400, description="seconds that a reply may take from the request on; 0 is no limit"
    )
    log: LocalPath | None = Field(
        default=None,
        description="file of the log, a JSON object a line; - is standard output; default: logs/server.jsonl in home",
    )
    client_timeout_s: float = Field(
        default=30.0,
        gt=0,
        le=86_400,
        description="seconds that a client may be silent in the middle of a request, or take nothing of its answer",
    )
    workers: int = Field(default=1, ge=0, le=64, description="worker processes, each for one job at a time")
