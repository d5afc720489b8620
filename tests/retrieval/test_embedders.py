"""Embedders by name: static tables, encoders, servers; what stands before texts; who they are."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from static_embeddings import save_static

from luthier.encoding.embedder import PACKAGED as ENCODER_PACKAGED
from luthier.encoding.embedder import packaged_folder
from luthier.errors import ModelError, RemoteError, SpecError
from luthier.retrieval import embedders
from luthier.retrieval.embedders import PACKAGED, open_embedder, word_lengths
from luthier.retrieval.options import EmbedderOptions


def opened(name: str, **options: Any) -> embedders.TextEmbedder:
    found = open_embedder(EmbedderOptions(embedder=name, **options))
    assert found is not None
    return found


def test_a_static_embedder_is_the_mean_of_its_words(static_folder: Path) -> None:
    embedder = opened(str(static_folder))
    table = embedder.source._embedder.table.numpy()  # type: ignore[attr-defined]
    made = embedder.passages(["tea", "green tea", "Nothing-known", ""])
    ids = [row[0] for row in embedder.source._embedder.tokens(["green", "tea"])]  # type: ignore[attr-defined]
    for vector, row in zip(made[:2], (table[ids[1]], table[ids].mean(0)), strict=True):
        assert np.allclose(vector, row / np.linalg.norm(row), atol=1e-6)
    assert not made[2:].any()
    assert embedder.lengths(["green tea", "green zzz tea"]) == [2, 2]


def test_what_stands_before_texts_is_the_models_or_yours(tmp_path: Path) -> None:
    folder = save_static(tmp_path / "e5-small-v2")
    assert (opened(str(folder)).query_prefix, opened(str(folder)).passage_prefix) == ("query: ", "passage: ")
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "tea ", "document": "a "}})
    )
    embedder = opened(str(folder))
    assert (embedder.query_prefix, embedder.passage_prefix) == ("tea ", "a ")
    assert np.allclose(embedder.queries(["bread"]), opened(str(folder), query_prefix="").queries(["tea bread"]))
    assert not np.allclose(embedder.queries(["bread"]), embedder.passages(["bread"]))
    assert embedder.room == embedder.source.max_tokens - 1
    assert opened(str(folder), query_prefix="").identity != embedder.identity


def test_who_it_is_changes_with_its_files_only(tmp_path: Path) -> None:
    first, same, other = (save_static(tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    names = [opened(str(folder)).identity for folder in (first, same, other)]
    assert names[0] == names[1] != names[2]


def test_progress_is_told_and_may_end_it(static_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedders, "TEXTS_AT_ONCE", 2)
    heard: list[int] = []
    texts = ["tea", "green tea", "a", "the bread of winter", "rose"]
    made = opened(str(static_folder)).passages(texts, heard.append)
    assert heard == [2, 4, 5]
    assert np.allclose(made, np.concatenate([opened(str(static_folder)).passages([text]) for text in texts]))


def test_nothing_named_is_the_packaged_one_or_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ENCODER_PACKAGED == PACKAGED
    assert open_embedder(EmbedderOptions(embedder="none")) is None
    monkeypatch.setattr(embedders, "installed", lambda: False)
    assert open_embedder(EmbedderOptions()) is None


@pytest.mark.skipif(packaged_folder() is None, reason="luthier[embeddings] is not installed")
def test_the_packaged_embedder_reads_questions_that_are_too_long_up_to_its_end() -> None:
    embedder = open_embedder(EmbedderOptions())
    assert embedder is not None
    assert (embedder.dimensions, embedder.room) == (384, 254)
    long = embedder.queries(["the keeper of the lighthouse " * 100, "the keeper of the lighthouse"])
    assert float(long[0] @ long[1]) > 0.5
    assert embedder.lengths(["hello world", ""]) == [2, 0]
    assert embedder.lengths([]) == []


class Server(BaseHTTPRequestHandler):
    refusals: list[int]
    asked: list[dict[str, Any]]
    wrong = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({**body, "key": self.headers.get("Authorization")})
        status = self.refusals.pop(0) if self.refusals else 200
        rows = [{"index": at, "embedding": [float(len(text)), 1.0]} for at, text in enumerate(body["input"])]
        content = json.dumps({"data": rows[:-1] if self.wrong else rows[::-1]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def server(*refusals: int, wrong: bool = False) -> Iterator[tuple[str, type[Server]]]:
    kind = type("Kind", (Server,), {"refusals": list(refusals), "asked": [], "wrong": wrong})
    made = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/v1", kind
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def test_a_server_embeds_in_batches_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedders, "SENT_AT_ONCE", 2)
    monkeypatch.setattr(embedders.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("OAK_KEY", "sk-1")
    with server(429, 503) as (url, kind):
        embedder = opened(f"{url}#oak", key_variable="OAK_KEY")
        assert embedder.dimensions == 2
        assert embedder.passages(["aaa", "b", "cc"]).tolist() == [[3.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
        assert [len(one["input"]) for one in kind.asked] == [1, 1, 1, 2, 1]
        assert {(one["model"], one["key"]) for one in kind.asked} == {("oak", "Bearer sk-1")}
        embedder.source._client.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("refusals", "wrong", "said"), [((401,), False, "answered 401"), ((), True, "0 vectors for 1")]
)
def test_a_server_that_refuses_or_answers_wrongly_is_an_error(
    refusals: tuple[int, ...], wrong: bool, said: str
) -> None:
    with server(*refusals, wrong=wrong) as (url, _), pytest.raises(RemoteError, match=said):
        opened(f"{url}#oak")


def test_what_cannot_be_an_embedder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError, match="#MODEL"):
        opened("http://127.0.0.1:1/v1")
    with pytest.raises(SpecError, match="OAK_KEY is not set"):
        opened("http://127.0.0.1:1/v1#oak", key_variable="OAK_KEY")
    with pytest.raises(ModelError):
        opened(str(tmp_path))
    broken = save_static(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"abc")
    with pytest.raises(ModelError, match="cannot be read"):
        opened(str(broken))


def test_words_and_signs_are_counted_where_no_embedder_counts() -> None:
    assert word_lengths(["one, two", "", "日本 x"]) == [3, 0, 2]
