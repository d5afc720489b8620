"""A customer who keeps a record of everything that a server has acknowledged, and looks for it afterwards."""

from __future__ import annotations

import contextlib
import io
import json
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import openai
from openai import OpenAI
from serving import KEY, rows, upload, wait_until

CHAT: Any = "/v1/chat/completions"
TUNING: dict[str, Any] = {
    "model": "fiddle",
    "seed": 3,
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 1}}},
}
BATCH_ENDED = {"completed", "failed", "cancelled", "expired"}


def tune(client: OpenAI) -> Any:
    """Returns a new job of 48 steps, the same each time."""
    return client.fine_tuning.jobs.create(training_file=upload(client, rows(24)).id, **TUNING)


def losses(client: OpenAI, job_id: str) -> dict[int, float]:
    """Returns what the events of a job say of each step."""
    events = client.fine_tuning.jobs.list_events(job_id, limit=100)
    return {event.data["step"]: event.data["train_loss"] for event in events if "train_loss" in (event.data or {})}


def ask_in_batch(client: OpenAI, count: int, *, tokens: int = 60) -> Any:
    """Returns a new batch of so many chats, "r0", "r1" ..."""
    lines = [
        {
            "custom_id": f"r{number}",
            "method": "POST",
            "url": CHAT,
            "body": {"model": "fiddle", "messages": _asked(f"Say {number}"), "temperature": 0, "max_tokens": tokens},
        }
        for number in range(count)
    ]
    file = upload(client, lines, name="batch.jsonl", purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


def ended_batch(client: OpenAI, id: str, *, within_s: float = 240) -> Any:
    """Returns the batch once it has ended."""

    def look() -> Any:
        batch = client.batches.retrieve(id)
        return batch if batch.status in BATCH_ENDED else None

    return wait_until(look, within_s=within_s)


def answered_once(client: OpenAI, batch: Any, count: int) -> None:
    """Fails unless the batch has one good answer for each of its `count` requests."""
    assert (batch.status, batch.error_file_id) == ("completed", None), batch
    lines = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert sorted(line["custom_id"] for line in lines) == sorted(f"r{number}" for number in range(count))
    assert {line["response"]["status_code"] for line in lines} == {200}


class Customer:
    """Uploads files, whole and in parts, and has chats stored, in threads, through whatever happens to the server."""

    def __init__(self, url: str, seed: int, *, pause_s: float = 1.0) -> None:
        self._client, self._pause_s = OpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=60), pause_s
        self.files: dict[str, bytes] = {}
        self.chats: dict[str, str] = {}
        self.errors: list[Exception] = []
        self.lost_calls = 0
        self._left = threading.Event()
        uses = (self._upload, self._upload_in_parts, self._chat)
        self._threads = [
            threading.Thread(target=self._go_on, args=(use, random.Random(seed * 10 + number)))
            for number, use in enumerate(uses)
        ]

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """While this lasts, one call follows the other; a call that is not answered was not acknowledged."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._left.set()
            for thread in self._threads:
                thread.join()
            self._client.close()

    def look(self, client: OpenAI) -> None:
        """Fails unless everything is there, as it was, and no call was answered wrongly."""
        assert not self.errors, self.errors
        listed = {file.id for file in client.files.list()}
        assert self.files.keys() <= listed
        for id, content in self.files.items():
            assert client.files.retrieve(id).bytes == len(content)
            assert client.files.content(id).read() == content
        for id, text in self.chats.items():
            assert client.chat.completions.retrieve(id).choices[0].message.content == text

    def _go_on(self, use: Callable[[random.Random], None], draw: random.Random) -> None:
        while not self._left.wait(self._pause_s * draw.random()):
            try:
                use(draw)
            except openai.APIConnectionError:
                self.lost_calls += 1
            except Exception as error:
                self.errors.append(error)

    def _upload(self, draw: random.Random) -> None:
        content = draw.randbytes(draw.choice((1, 1000, 300_000, 3_000_000)))
        self.files[upload(self._client, content, name="x.bin", purpose="user_data").id] = content

    def _upload_in_parts(self, draw: random.Random) -> None:
        parts = [draw.randbytes(draw.randint(1, 400_000)) for _ in range(draw.randint(1, 4))]
        whole = b"".join(parts)
        uploads = self._client.uploads
        begun = uploads.create(bytes=len(whole), filename="y.bin", mime_type="text/plain", purpose="user_data")
        ids = [uploads.parts.create(begun.id, data=("part", io.BytesIO(part))).id for part in parts]
        done = uploads.complete(begun.id, part_ids=ids)
        assert done.file is not None
        self.files[done.file.id] = whole

    def _chat(self, draw: random.Random) -> None:
        asked = _asked(f"Say {draw.random()}")
        reply = self._client.chat.completions.create(
            model="fiddle", messages=asked, temperature=0, max_tokens=8, store=True
        )
        self.chats[reply.id] = reply.choices[0].message.content or ""


def _asked(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]
