"""Embeddings on the wire."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field

from luthier.server.errors import ApiError
from luthier.server.wire.body import Body
from luthier.server.wire.values import Token

MOST = 2048
ItemT = TypeVar("ItemT")
Many = Annotated[list[ItemT], Field(min_length=1, max_length=MOST, fail_fast=True)]


class CreateEmbeddings(Body):
    """Texts to be turned into vectors."""

    model: str = Field(min_length=1)
    input: str | Many[str] | Many[Token] | Many[Many[Token]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(default=None, ge=1, le=100_000)
    harmless: ClassVar[Mapping[str, str]] = {"user": "nobody is told of it"}


def inputs_of(asked: CreateEmbeddings) -> tuple[list[str], list[list[int]]]:
    """Returns the texts of a request, or its rows of token ids; one of the two is empty."""
    given = asked.input
    if isinstance(given, str):
        return [given], []
    texts = [one for one in given if isinstance(one, str)]
    tokens = [one for one in given if isinstance(one, int)]
    return texts, [tokens] if tokens else [one for one in given if isinstance(one, list)]


def check_texts(texts: Sequence[str]) -> None:
    """Refuses empty texts: there is nothing to make a vector of."""
    for index, text in enumerate(texts):
        if not text:
            raise ApiError(f"input[{index}] is empty.", code="invalid_value", param="input")


def foreign_tokens() -> ApiError:
    """Returns the error for token ids that are most likely another tokenizer's."""
    return ApiError(
        "input holds token ids. Those of another model's tokenizer would give wrong vectors in silence: send text "
        "(langchain-openai: check_embedding_ctx_length=False), or set token_ids: own for this model in the catalogue.",
        code="unsupported_parameter",
        param="input",
    )


def embeddings_json(model: str, vectors: Sequence[Sequence[float]], tokens: int, form: str | None) -> dict[str, Any]:
    """Returns the list of vectors, each as numbers or as base64 of little-endian 32-bit floats."""
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": packed(vector) if form == "base64" else list(vector)}
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def packed(vector: Sequence[float]) -> str:
    """Returns the base64 of little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
