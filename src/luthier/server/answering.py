"""The models that this process answers with: loaded when first asked for, a few at a time. No torch before that."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from starlette.concurrency import run_in_threadpool

from luthier.errors import LuthierError, NotFoundError, Unshared
from luthier.server.catalogue import Catalogue, Entry
from luthier.server.errors import ApiError, no_model
from luthier.server.kept import Kept
from luthier.server.moderation import highest
from luthier.server.places import Places
from luthier.server.wire.embeddings import foreign_tokens
from luthier.store.opened import Store

if TYPE_CHECKING:
    from torch import Tensor

    from luthier.encoding.classifier import Classifier
    from luthier.encoding.embedder import Embedder
    from luthier.encoding.service import Encoder
    from luthier.encoding.service import Service as EncoderService
    from luthier.generation.remote import Remote, RemoteChat
    from luthier.generation.served import ServedChat
    from luthier.generation.service import Service
    from luthier.server.options import ServerOptions

ModelT = TypeVar("ModelT")
EncoderT = TypeVar("EncoderT", bound="Encoder[Any]")
LOG = logging.getLogger("luthier.server")


@dataclass(frozen=True, slots=True)
class _Encoding(Generic[EncoderT]):
    """An encoder, and what computes with it for everyone."""

    model: EncoderT
    service: EncoderService[Any]

    async def made_of(self, rows: Sequence[Any]) -> Tensor:
        """Returns what the model makes of rows, (N, D); who stops waiting gives it up."""
        return await asyncio.wrap_future(self.service.ask(rows))


class Answering:
    """Loads models by the names that requests say, and keeps the last `options.loaded_models` of each kind."""

    def __init__(self, store: Store, catalogue: Catalogue, options: ServerOptions) -> None:
        self._store, self._catalogue, self._options = store, catalogue, options
        self._remotes: dict[str, RemoteChat] = {}
        self._adapted: dict[str, ServedChat] = {}
        self._apart: set[str] = set()
        """Adapters that are served as models of their own."""
        loading, self._table, self.turn = threading.Lock(), threading.Lock(), threading.Lock()
        """`turn` is held while a model computes."""
        most = options.loaded_models
        self._chats: Kept[ServedChat] = Kept(most, loading, lambda chat: chat.close())
        self._embedders: Kept[_Encoding[Embedder]] = Kept(most, loading, lambda served: served.service.close())
        self._classifiers: Kept[_Encoding[Classifier]] = Kept(most, loading, lambda served: served.service.close())

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
        return self._over_base(name, place, project) or self._alone(place, name)

    def _alone(self, place: str, name: str) -> ServedChat:
        return self._chats.get(place, lambda: self._loaded(lambda: self._load(place), place, name))

    def _over_base(self, name: str, place: str, project: str) -> ServedChat | None:
        """Returns the chat with a tuned model that is an adapter over one of the catalogue, which all of them share.

        None for anything else, and for adapters that change what cannot be shared.
        """
        if self._catalogue.find(name) is not None or place in self._apart:
            return None
        if not (Path(place) / "adapter_config.json").is_file():
            return None
        entry = self._catalogue.find(Places(self._store, self._catalogue, project).base(name))
        if entry is None or entry.url is not None:
            return None
        base = self._alone(entry.place, entry.id)
        with self._table:
            known = self._adapted.get(place)
        if known is not None and known.service is base.service:
            return known
        from luthier.generation.served import over_base

        try:
            found = self._loaded(lambda: over_base(base, name, place, self._options.loading(place)), place, name)
        except Unshared as error:
            LOG.info("%s is served as a model of its own: %s", name, error)
            self._apart.add(place)
            return None
        with self._table:
            self._adapted[place] = found
        return found

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

    async def embed(
        self, name: str, texts: Sequence[str], rows: Sequence[Sequence[int]], dimensions: int | None
    ) -> tuple[list[list[float]], int]:
        """Returns the vectors of `texts`, or of `rows` of the model's own tokens, and how many tokens were read.

        They are cut to `dimensions` where asked for.
        """
        served = await run_in_threadpool(self._embedder, name, bool(rows))
        embedder = served.model
        if dimensions is not None and dimensions > embedder.dimensions:
            raise ApiError(
                f"dimensions: {name} has {embedder.dimensions}. Got {dimensions}.",
                code="invalid_value",
                param="dimensions",
            )
        read = (
            await run_in_threadpool(embedder.checked, rows) if rows else await run_in_threadpool(embedder.tokens, texts)
        )
        vectors = await served.made_of(read)
        if dimensions is not None:
            from luthier.encoding.embedder import shortened

            vectors = shortened(vectors, dimensions)
        return await run_in_threadpool(vectors.tolist), sum(len(row) for row in read)

    def _embedder(self, name: str, own_tokens: bool) -> _Encoding[Embedder]:
        entry = self._catalogue.find(name)
        if entry is None:
            raise no_model(name)
        if entry.kind != "embedding":
            raise ApiError(f"{name!r} {entry.does}; it makes no vectors.", code="invalid_value", param="model")
        if own_tokens and entry.token_ids != "own":
            raise foreign_tokens()
        from luthier.encoding.embedder import Embedder

        def load() -> _Encoding[Embedder]:
            return self._encoding(Embedder.load(entry.place, self._options.loading(entry.place)))

        return self._embedders.get(entry.id, lambda: self._loaded(load, entry.place, name))

    async def judge(self, entry: Entry, texts: Sequence[str]) -> list[dict[str, float]]:
        """Returns the score of each category of `entry` for each text: the highest of the labels that stand for it.

        `ModelError` when the model cannot be loaded, or has no label that the catalogue names.
        """
        served = await run_in_threadpool(self._classifier, entry)
        windows, owners = await run_in_threadpool(served.model.windows, texts)
        found = served.model.of_texts(await served.made_of(windows), owners, len(texts)) if windows else None
        rows = [[0.0] * len(served.model.labels)] * len(texts) if found is None else found.tolist()
        return [highest(zip(served.model.labels, row, strict=True), entry.categories) for row in rows]

    def _classifier(self, entry: Entry) -> _Encoding[Classifier]:
        from luthier.encoding.classifier import Classifier

        def load() -> _Encoding[Classifier]:
            loaded = Classifier.load(entry.place, self._options.loading(entry.place), problem_type=entry.problem_type)
            loaded.check_labels(entry.categories)
            return self._encoding(loaded)

        return self._classifiers.get(entry.id, lambda: self._loaded(load, entry.place, entry.id))

    def _encoding(self, model: EncoderT) -> _Encoding[EncoderT]:
        from luthier.encoding.service import Service

        return _Encoding(model, Service(model, self.turn))

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
        except Unshared:
            raise
        except LuthierError as error:
            LOG.warning("%s cannot be loaded: %s", name, error)
            said = str(error)
            for path in (str(Path(place).expanduser().resolve()), place):
                said = said.replace(path, name) if "/" in path else said
            said = said.replace(str(self._store.folder), "$LUTHIER_HOME")
            raise ApiError(said, code="invalid_value", param="model") from None

    def _load(self, place: str) -> ServedChat:
        from luthier.generation.served import ServedChat
        from luthier.models.load import load_model

        return ServedChat.of(
            load_model(place, self._options.loading(place)),
            self.turn,
            kv_memory_bytes=self._options.kv_memory_bytes,
            most_adapters=self._options.loaded_adapters,
            most_waiting=self._options.max_queue,
        )

    def services(self) -> dict[str, Service]:
        """Returns the services of the models of this machine that are loaded, by the names people use."""
        ids = {entry.place: entry.id for entry in self._catalogue.entries if entry.url is None}
        return {ids.get(place, Path(place).name): chat.service for place, chat in self._chats.now().items()}

    def down(self) -> dict[str, str]:
        """Returns why models cannot answer now, by name."""
        found = {}
        for name, service in self.services().items():
            if service.down is not None or not service.is_alive:
                found[name] = service.down or "the engine has stopped"
        return found
