"""Options of the retrieval room: how passages are embedded and indexed, and how they are searched."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from luthier.config import ModelName, Options

Similarity = Literal["cosine", "inner-product", "euclidean"]
Mode = Literal["auto", "hybrid", "vector", "text"]


class EmbedderOptions(Options):
    """What makes vectors of passages and questions."""

    title: ClassVar[str] = "Embedder"

    embedder: ModelName | None = Field(
        default=None,
        min_length=1,
        description="an embedding model: a folder, a hub name, a static one, URL#MODEL of an OpenAI-compatible server, "
        "or none (words alone); default: that of the index, else all-minilm-l6-v2 where it is installed",
    )
    key_variable: str | None = Field(
        default=None, min_length=1, description="the environment variable that holds the key of the embedder's server"
    )
    query_prefix: str | None = Field(
        default=None, description="what stands before a question when it is embedded; default: as the model wants it"
    )
    passage_prefix: str | None = Field(
        default=None, description="what stands before a passage when it is embedded; default: as the model wants it"
    )


class IndexOptions(Options):
    """How passages are cut and compared."""

    title: ClassVar[str] = "Index"

    similarity: Similarity | None = Field(
        default=None, description="how vectors are compared; default: that of the index, else cosine"
    )
    passage_tokens: int | None = Field(
        default=None,
        ge=16,
        le=8192,
        description="tokens of a passage at most, as the embedder counts them; default: 220, or what it reads "
        "where that is less",
    )
    overlap_tokens: int | None = Field(
        default=None,
        ge=0,
        le=4096,
        description="tokens that a passage repeats of the one before; default: that of the index, else 0",
    )
    language: str | None = Field(
        default=None,
        pattern="^[a-z]{2,3}$",
        description="language by which words are stemmed (en, de, fr ...); default: what most documents are in",
    )
    disk_share: float = Field(
        default=0.5, gt=0, le=1, description="warn when an index is larger than this share of the free disk"
    )


class SearchOptions(Options):
    """What is searched for, and what is shown."""

    title: ClassVar[str] = "Search"

    k: int = Field(default=10, ge=1, le=1000, description="passages to return at most")
    mode: Mode = Field(
        default="auto",
        description="by vectors, by words (text), or by both (hybrid); auto: both where the index has vectors",
    )
    candidates: int = Field(
        default=50, ge=1, le=2000, description="passages that each of vectors and words brings before they are joined"
    )
    fusion: Literal["convex", "rrf"] = Field(
        default="convex", description="how both are joined: by scores brought to 0 to 1 (convex), or by ranks (rrf)"
    )
    weight: float = Field(default=0.6, ge=0, le=1, description="share of the vectors in the joined score")
    threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="leave out passages of less relevance: the reranker's where there is one, else the similarity",
    )
    per_document: int | None = Field(default=None, ge=1, description="passages of one document at most")
    diversity: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="how much a passage loses by being like one above it (maximal marginal relevance); 0: nothing",
    )
    rerank: ModelName | None = Field(
        default=None, min_length=1, description="a cross-encoder (folder or hub name) that orders candidates anew"
    )
    rerank_candidates: int = Field(default=50, ge=1, le=1000, description="how many candidates the cross-encoder reads")
