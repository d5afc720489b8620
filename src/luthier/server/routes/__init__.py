"""The routes, one file per resource."""

from __future__ import annotations

from luthier.server.call import Endpoint
from luthier.server.routes import (
    batches,
    chat,
    completions,
    conversations,
    embeddings,
    files,
    fine_tuning,
    jobs,
    models,
    moderations,
    responses,
    usage,
    vector_store_files,
    vector_stores,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *models.ENDPOINTS,
    *files.ENDPOINTS,
    *fine_tuning.ENDPOINTS,
    *chat.ENDPOINTS,
    *completions.ENDPOINTS,
    *responses.ENDPOINTS,
    *conversations.ENDPOINTS,
    *batches.ENDPOINTS,
    *jobs.ENDPOINTS,
    *embeddings.ENDPOINTS,
    *moderations.ENDPOINTS,
    *vector_stores.ENDPOINTS,
    *vector_store_files.ENDPOINTS,
    *usage.ENDPOINTS,
)
