"""The models that this process answers with: loaded when first asked for, a few at a time. No torch before that."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from luthier.errors import LuthierError, NotFoundError
from luthier.server.catalogue import Catalogue, Entry
from luthier.server.errors import ApiError, no_model
from luthier.server.kept import Kept, forget
from luthier.server.moderation import highest
from luthier.server.places import Places
from luthier.server.wire.embeddings import foreign_tokens
from luthier.store.opened import Store

if TYPE_CHECKING:
    from luthier.encoding.classifier import Classifier
    from luthier.encoding.embedder import Embedder
    from luthier.generation.remote import Remote, RemoteChat
    from luthier.generation.service import ServedChat
    from luthier.server.options import ServerOptions

ModelT = TypeVar("ModelT")
LOG = logging.getLogger("luthier.server")


class Answering:
    """Loads models by the names that requests say, and keeps the last `options.loaded_models` of each kind."""

    def __init__(self, store: Store, catalogue: Catalogue, options: ServerOptions) -> None:
        self._store, self._catalogue, self._options = store, catalogue, options
        self._remotes: dict[str, RemoteChat] = {}
        loading, self._table, self._turn = threading.Lock(), threading.Lock(), threading.Lock()
        most = options.loaded_models
        self._chats: Kept[ServedChat] = Kept(most, loading, lambda chat: chat.close())
        self._embedders: Kept[Embedder] = Kept(most, loading, forget)
        self._classifiers: Kept[Classifier] = Kept(most, loading, forget)

    def chat(self, name: str, project: str) -> ServedChat | RemoteChat:
        """Returns the chat with a model; the first time one of this machine takes as long as loading does."""
        entry = self._catalogue.find(name)
        if entry is not None and entry.kind != "chat":
            raise ApiError(f"{name!r} {entry.does}; it writes no text.", code="invalid_value", param="model")
        if entry is not None and entry.url is not None:
            return self._elsewhere(entry)
        try:
            place = Places(self._store, self._catalogue, project).model(name)
        except NotFoundError:
            raise no_model(name) from None
        return self._chats.get(place, lambda: self._loaded(lambda: self._load(place), place, name))

    def here(self, name: str, project: str) -> ServedChat:
        """Returns the chat with a model of this machine. `ApiError` when it is on another server."""
        found = self.chat(name, project)
        if self.remote(name) is not None:
            raise ApiError(f"{name!r} is on another server.", code="unsupported_parameter", param="model")
        return cast("ServedChat", found)

    def remote(self, name: str, kind: Literal["chat", "embedding"] = "chat") -> Remote | None:
        """Returns the model of that kind on another server that `name` is; None for one of this machine."""
        entry = self._catalogue.find(name)
        if entry is None or entry.url is None:
            return None
        remote = self._elsewhere(entry).remote
        seen = remote.findings is not None and remote.findings.honours("embeddings", "/embeddings")
        return remote if entry.kind == kind or (kind == "embedding" and seen) else None

    def _elsewhere(self, entry: Entry) -> RemoteChat:
        from luthier.generation.remote import Remote, RemoteChat

        with self._table:
            if entry.id not in self._remotes:
                remote = Remote(str(entry.url), entry.place, key_variable=entry.key_variable, label=entry.id)
                self._remotes[entry.id] = RemoteChat(remote)
            return self._remotes[entry.id]

    def embed(
        self, name: str, texts: Sequence[str], rows: Sequence[Sequence[int]], dimensions: int | None
    ) -> tuple[list[list[float]], int]:
        """Returns the vectors of `texts`, or of `rows` of the model's own tokens, and how many tokens were read.

        They are cut to `dimensions` where asked for.
        """
        entry = self._catalogue.find(name)
        if entry is None:
            raise no_model(name)
        if entry.kind != "embedding":
            raise ApiError(f"{name!r} {entry.does}; it makes no vectors.", code="invalid_value", param="model")
        if rows and entry.token_ids != "own":
            raise foreign_tokens()
        from luthier.encoding.embedder import Embedder, shortened

        place = entry.place
        embedder = self._embedders.get(
            entry.id, lambda: self._loaded(lambda: Embedder.load(place, self._options.loading(place)), place, name)
        )
        if dimensions is not None and dimensions > embedder.dimensions:
            raise ApiError(
                f"dimensions: {name} has {embedder.dimensions}. Got {dimensions}.",
                code="invalid_value",
                param="dimensions",
            )
        rows = embedder.checked(rows) if rows else embedder.tokens(texts)
        with self._turn:
            vectors = embedder.embed_tokens(rows)
        found = vectors if dimensions is None else shortened(vectors, dimensions)
        return found.tolist(), sum(len(row) for row in rows)

    def judge(self, entry: Entry, texts: Sequence[str]) -> list[dict[str, float]]:
        """Returns the score of each category of `entry` for each text: the highest of the labels that stand for it.

        `ModelError` when the model cannot be loaded, or has no label that the catalogue names.
        """
        from luthier.encoding.classifier import Classifier

        def load() -> Classifier:
            loaded = Classifier.load(entry.place, self._options.loading(entry.place), problem_type=entry.problem_type)
            loaded.check_labels(entry.categories)
            return loaded

        classifier = self._classifiers.get(entry.id, lambda: self._loaded(load, entry.place, entry.id))
        rows = classifier.scores(texts, self._turn).tolist()
        return [highest(zip(classifier.labels, row, strict=True), entry.categories) for row in rows]

    def warm_up(self) -> None:
        """Loads the first model, so that the first request need not wait; what fails is said when it is asked for."""
        entry = self._catalogue.default
        if entry is not None:
            try:
                self.chat(entry.id, "")
            except ApiError as error:
                LOG.warning("%s", error)

    def _loaded(self, load: Callable[[], ModelT], place: str, name: str) -> ModelT:
        """Returns what `load` gives; its error calls the model by its name, not by where it is on this machine."""
        try:
            return load()
        except LuthierError as error:
            LOG.warning("%s cannot be loaded: %s", name, error)
            said = str(error)
            for path in (str(Path(place).expanduser().resolve()), place):
                said = said.replace(path, name) if "/" in path else said
            said = said.replace(str(self._store.folder), "$LUTHIER_HOME")
            raise ApiError(said, code="invalid_value", param="model") from None

    def _load(self, place: str) -> ServedChat:
        from luthier.generation.service import ServedChat
        from luthier.models.load import load_model

        return ServedChat(load_model(place, self._options.loading(place)), self._turn)
