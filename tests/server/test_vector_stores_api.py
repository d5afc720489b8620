"""Vector stores and file_search, by the real client."""

from __future__ import annotations

import io
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from serving import AS_OWNER, Running, serve, upload, wait_until

TEXTS = {
    "mill.md": "# The mill\n\nAda Quill keeps the mill at Tarn. The mill grinds rye.\n",
    "library.txt": "The library of Orm opens at nine. Its reader's card costs four crowns.\n",
    "ferry.md": "# The ferry\n\nThe ferry to Isk leaves at noon. Boro Lind steers it.\n",
}


def files_of(client: OpenAI, texts: dict[str, str] = TEXTS) -> dict[str, str]:
    """Returns the ids of uploaded files by their names."""
    return {name: upload(client, text, name=name, purpose="assistants").id for name, text in texts.items()}


def told(store: Any) -> dict[str, int]:
    return dict(store.file_counts.model_dump())


@pytest.fixture(scope="module")
def library(on_sqlite: Any) -> tuple[str, dict[str, str]]:
    """Returns a store of three files that have been read, each with attributes of its own."""
    client = on_sqlite.client
    ids = files_of(client)
    store = client.vector_stores.create(name="library", metadata={"a": "b"})
    files = [{"file_id": id, "attributes": {"name": name, "length": len(name)}} for name, id in ids.items()]
    batch = client.vector_stores.file_batches.create_and_poll(store.id, files=files)
    assert (batch.status, batch.file_counts.completed, batch.file_counts.total) == ("completed", 3, 3)
    return store.id, ids


def names(page: Any) -> list[str]:
    return [one.filename for one in page.data]


def test_a_batch_is_uploaded_searched_with_filters_asked_and_deleted(client: OpenAI) -> None:
    store = client.vector_stores.create(name="one way through", expires_after={"anchor": "last_active_at", "days": 3})
    assert (store.status, told(store)["total"], store.expires_at - store.last_active_at) == ("completed", 0, 3 * 86400)
    streams = [(name, io.BytesIO(text.encode())) for name, text in TEXTS.items()]
    batch = client.vector_stores.file_batches.upload_and_poll(store.id, files=streams)
    assert told(batch) == {"in_progress": 0, "completed": 3, "failed": 0, "cancelled": 0, "total": 3}
    listed = client.vector_stores.files.list(store.id, filter="completed").data
    mill = next(one for one in listed if client.files.retrieve(one.id).filename == "mill.md")
    client.vector_stores.files.update(mill.id, vector_store_id=store.id, attributes={"kind": "mill", "year": 1890})
    found = client.vector_stores.search(store.id, query="Who keeps the mill at Tarn?", max_num_results=2)
    assert names(found)[0] == "mill.md"
    assert "Ada Quill" in found.data[0].content[0].text
    assert found.data[0].attributes == {"kind": "mill", "year": 1890}
    only = {"type": "and", "filters": [{"type": "eq", "key": "kind", "value": "mill"}]}
    assert names(client.vector_stores.search(store.id, query="the ferry to Isk", filters=only)) == ["mill.md"]
    other = {"type": "ne", "key": "kind", "value": "mill"}
    assert "mill.md" not in names(client.vector_stores.search(store.id, query="the mill", filters=other))
    tool: Any = {"type": "file_search", "vector_store_ids": [store.id], "max_num_results": 2}
    answer = client.responses.create(
        model="fiddle",
        input="Who keeps the mill at Tarn?",
        tools=[tool],
        temperature=0,
        include=["file_search_call.results"],
    )
    call, message = answer.output
    assert (call.type, call.status, call.queries) == ("file_search_call", "completed", ["Who keeps the mill at Tarn?"])
    assert call.results[0].filename == "mill.md"
    text = message.content[0]
    cited = text.annotations[0]
    assert (cited.type, cited.filename, cited.file_id) == ("file_citation", "mill.md", mill.id)
    assert text.text[cited.index] == "["
    assert client.vector_stores.files.delete(mill.id, vector_store_id=store.id).deleted
    assert "mill.md" not in names(client.vector_stores.search(store.id, query="Who keeps the mill at Tarn?"))
    assert client.files.retrieve(mill.id).filename == "mill.md"
    assert client.vector_stores.delete(store.id).object == "vector_store.deleted"
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.search(store.id, query="x")
