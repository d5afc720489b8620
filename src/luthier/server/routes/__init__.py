"""The routes, one file per resource."""

from __future__ import annotations

from luthier.server.call import Endpoint
from luthier.server.routes import chat, completions, embeddings, files, fine_tuning, models, moderations

ENDPOINTS: tuple[Endpoint, ...] = (
    *models.ENDPOINTS,
    *files.ENDPOINTS,
    *fine_tuning.ENDPOINTS,
    *chat.ENDPOINTS,
    *completions.ENDPOINTS,
    *embeddings.ENDPOINTS,
    *moderations.ENDPOINTS,
)
