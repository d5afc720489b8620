"""Vector stores and file_search, by the real client."""

from __future__ import annotations

import io
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
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


@pytest.mark.both_databases(soak=True)
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
    tool: Any = {"type": "file_search", "vector_store_ids": [store.id], "max_num_results": 1}
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


def ask(client: OpenAI, store: str, question: str, **options: Any) -> Any:
    tool = {"type": "file_search", "vector_store_ids": [store], "max_num_results": 1}
    given: dict[str, Any] = {"model": "fiddle", "input": question, "tools": [tool], "temperature": 0}
    return client.responses.create(**given | options)


def test_a_stream_tells_of_the_search_and_of_citations_in_order(client: OpenAI, library: Any) -> None:
    events = list(ask(client, library[0], "Who keeps the mill at Tarn?", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events if event.type != "response.output_text.delta"]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    places = [event.output_index for event in events if hasattr(event, "output_index")]
    assert (places[0], places[-1], sorted(places)) == (0, 1, places)
    done = events[-1].response
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == done.output_text
    added = next(event for event in events if event.type == "response.output_text.annotation.added")
    assert added.annotation.model_dump() == done.output[1].content[0].annotations[0].model_dump()
    assert done.output[0].results is None
    again = client.responses.retrieve(done.id)
    assert again.model_dump() == done.model_dump()
    more = ask(client, library[0], "And who steers the ferry to Isk?", previous_response_id=done.id)
    assert more.output[0].queries == ["And who steers the ferry to Isk?"]
    sent = client.responses.create(model="fiddle", input=[*done.output, {"role": "user", "content": "x"}])  # type: ignore[list-item]
    assert sent.status in ("completed", "incomplete")


def test_what_is_not_in_the_files_is_not_answered(client: OpenAI, library: Any) -> None:
    tool = {
        "type": "file_search",
        "vector_store_ids": [library[0]],
        "ranking_options": {"score_threshold": 0.9, "hybrid_search": {"embedding_weight": 1, "text_weight": 0}},
    }
    answer = ask(client, library[0], "What is the capital of Peru?", tools=[tool])
    assert answer.output[1].content[0].annotations == []
    assert answer.output_text == "There is not enough evidence in the documents to answer that."
    assert answer.usage.input_tokens == 0
    none = ask(client, library[0], "Hello", tools=[tool], tool_choice="none")
    assert [item.type for item in none.output] == ["message"]
    with pytest.raises(openai.NotFoundError, match="no vector store 'vs_none'"):
        ask(client, "vs_none", "x")


def test_scores_fall_and_pass_the_threshold(client: OpenAI, library: Any) -> None:
    page = client.vector_stores.search(library[0], query=["the mill", "a mill that grinds"], max_num_results=3)
    scores = [one.score for one in page.data]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    least = scores[0] - 0.01
    again = client.vector_stores.search(
        library[0], query=["the mill", "a mill that grinds"], ranking_options={"score_threshold": least}
    )
    assert [one.filename for one in again.data] == ["mill.md"]


def test_content_chunking_and_lists(client: OpenAI, library: Any) -> None:
    store, ids = library
    page = client.vector_stores.files.content(ids["ferry.md"], vector_store_id=store)
    assert "Boro Lind steers it." in page.data[0].text
    file = client.vector_stores.files.retrieve(ids["ferry.md"], vector_store_id=store)
    assert file.chunking_strategy.model_dump() == {
        "type": "static",
        "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
    }
    first = client.vector_stores.files.list(store, limit=2, order="asc")
    assert first.has_more
    rest = client.vector_stores.files.list(store, limit=2, order="asc", after=first.data[-1].id)
    assert [one.id for one in (*first.data, *rest.data)] == list(ids.values())
    assert client.vector_stores.files.list(store, filter="failed").data == []
    bad = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}
    with pytest.raises(openai.BadRequestError, match="more than half"):
        client.vector_stores.files.create(store, file_id=ids["ferry.md"], chunking_strategy=bad)  # type: ignore[arg-type]
    assert store in [one.id for one in client.vector_stores.list(limit=100)]


def test_files_that_cannot_be_read_say_why(client: OpenAI) -> None:
    store = client.vector_stores.create()
    given = {"a.zip": b"PK\x03\x04", "b.docx": b"no document", "c.txt": b"   ", "d.md": b"The kiln of Vash is hot."}
    ids = {name: upload(client, content, name=name, purpose="assistants").id for name, content in given.items()}
    batch = client.vector_stores.file_batches.create_and_poll(store.id, file_ids=list(ids.values()))
    assert (batch.file_counts.failed, batch.file_counts.completed) == (3, 1)
    failed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="failed").data
    errors = {one.id: one.last_error.code for one in failed if one.last_error}
    assert errors == {ids["a.zip"]: "unsupported_file", ids["b.docx"]: "invalid_file", ids["c.txt"]: "invalid_file"}
    assert names(client.vector_stores.search(store.id, query="kiln")) == ["d.md"]
    again = client.vector_stores.files.create_and_poll(ids["d.md"], vector_store_id=store.id, attributes={"x": True})
    assert (again.status, again.attributes) == ("completed", {"x": True})
    assert client.vector_stores.retrieve(store.id).file_counts.total == 4


def test_projects_do_not_see_each_other(server: Running, client: OpenAI, library: Any) -> None:
    from luthier.access.keys import Keys
    from luthier.store.opened import Store
    from luthier.store.options import StoreOptions

    store = Store.open(StoreOptions(home=str(server.home)))
    try:
        _, text = Keys(store.database).add("elsewhere", "other")
    finally:
        store.close()
    other = server.client(api_key=text)
    assert list(other.vector_stores.list()) == []
    id, files = library
    for call in (
        lambda: other.vector_stores.retrieve(id),
        lambda: other.vector_stores.search(id, query="mill"),
        lambda: other.vector_stores.files.content(files["mill.md"], vector_store_id=id),
        lambda: other.vector_stores.delete(id),
        lambda: ask(other, id, "mill"),
    ):
        with pytest.raises(openai.NotFoundError):
            call()
    own = other.vector_stores.create()
    with pytest.raises(openai.NotFoundError, match="there is no file"):
        other.vector_stores.files.create(own.id, file_id=files["mill.md"])


def test_an_expired_store_says_so(server: Running, client: OpenAI) -> None:
    from luthier.store.opened import Store
    from luthier.store.options import StoreOptions

    made = client.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 1})
    store = Store.open(StoreOptions(home=str(server.home)))
    try:
        long_ago = int(time.time()) - 2 * 86400
        store.resources.change("vector_store", made.id, "default", lambda body: {**body, "last_active_at": long_ago})
    finally:
        store.close()
    assert client.vector_stores.retrieve(made.id).status == "expired"
    with pytest.raises(openai.BadRequestError, match="has expired"):
        client.vector_stores.search(made.id, query="x")
    assert client.vector_stores.update(made.id, expires_after=None).status == "completed"


def test_a_batch_that_waits_is_cancelled(idle: Running) -> None:
    client = idle.client()
    ids = list(files_of(client).values())
    store = client.vector_stores.create(file_ids=ids[:1])
    assert (store.status, store.file_counts.in_progress) == ("in_progress", 1)
    batch = client.vector_stores.file_batches.create(store.id, file_ids=ids[1:])
    assert (batch.status, batch.file_counts.in_progress, batch.file_counts.total) == ("in_progress", 2, 2)
    assert client.vector_stores.search(store.id, query="mill").data == []
    gone = client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert (gone.status, gone.file_counts.cancelled, gone.file_counts.in_progress) == ("cancelled", 2, 0)
    assert [one.id for one in client.vector_stores.files.list(store.id, filter="in_progress")] == ids[:1]
    client.vector_stores.delete(store.id)


@pytest.mark.parametrize(
    "after_s", [0.0, *(pytest.param(seconds, marks=pytest.mark.soak) for seconds in (1.0, 2.5, 4.0, 6.0, 9.0))]
)
def test_a_worker_that_is_killed_and_a_server_that_is_started_again(tmp_path: Path, after_s: float) -> None:
    running = serve(tmp_path / "home")
    try:
        client = running.client()
        texts = {f"note{n}.txt": f"Note {n}. The {n * 7} lamps of house {n} are lit at dusk.\n" for n in range(12)}
        ids = files_of(client, texts)
        store = client.vector_stores.create(name="notes")
        batch = client.vector_stores.file_batches.create(store.id, file_ids=list(ids.values()))
        wait_until(lambda: _children(running, "server.runner"))
        time.sleep(after_s)
        runner = _children(running, "server.runner")
        for child in (*runner, *_children(running, "server.work")):
            child.kill()
        running.end(signal.SIGKILL)
        running = serve(tmp_path / "home")
        client = running.client()
        seen: list[int] = []
        over = threading.Event()

        def look() -> None:
            with running.client() as own:
                while not over.wait(0.1):
                    counted = own.vector_stores.retrieve(store.id).file_counts.completed
                    seen.append(len(own.vector_stores.search(store.id, query="lamps", max_num_results=50).data))
                    assert seen[-1] >= counted  # what is said to be completed is found

        with ThreadPoolExecutor(2) as threads:
            looking = [threads.submit(look) for _ in range(2)]
            done = client.vector_stores.file_batches.poll(batch.id, vector_store_id=store.id)
            over.set()
        for one in looking:
            one.result()
        assert (done.status, done.file_counts.completed) == ("completed", 12)
        found = client.vector_stores.search(store.id, query="the lamps of house 5", max_num_results=50)
        assert sorted(names(found)) == sorted(texts)
    finally:
        running.end()


def _children(running: Running, words: str) -> list[psutil.Process]:
    found = psutil.Process(running.process.pid).children(recursive=True)
    return [child for child in found if words in " ".join(child.cmdline())]


def test_a_filter_that_is_none_is_refused(client: OpenAI, server: Running, library: Any) -> None:
    url = f"{server.url}/vector_stores/{library[0]}/search"
    for wrong in ({"type": "eq", "key": "a"}, {"type": "like", "key": "a", "value": 1}, {"type": "and", "filters": []}):
        answer = httpx.post(url, json={"query": "x", "filters": wrong}, headers=AS_OWNER)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "filters")
