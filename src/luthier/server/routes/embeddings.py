"""Embeddings: texts to vectors, by an embedding model of the catalogue."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool

from luthier.server.call import Call, Endpoint
from luthier.server.forwarding import forward
from luthier.server.wire.embeddings import CreateEmbeddings, check_texts, embeddings_json, inputs_of


async def create(call: Call) -> Any:
    if (remote := call.server.answering.remote(call.body.model, "embedding")) is not None:
        return await forward(remote, "/embeddings", call)
    asked: CreateEmbeddings = call.body
    texts, rows = inputs_of(asked)
    check_texts(texts)
    vectors, tokens = await call.server.answering.embed(asked.model, texts, rows, asked.dimensions)
    call.meter.add(asked.model, tokens, 0)
    return await run_in_threadpool(embeddings_json, asked.model, vectors, tokens, asked.encoding_format)


ENDPOINTS = (Endpoint("POST", "/embeddings", create, CreateEmbeddings, counted="embeddings"),)
