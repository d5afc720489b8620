"""A disk that gets full under a server at work: errors in words, nothing acknowledged is lost, on again with room."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest
from acknowledged import answered_once, ask_in_batch, ended_batch, losses, tune
from openai import OpenAI
from serving import Running, ended, serve, upload, wait_until

ASK: list[Any] = [{"role": "user", "content": "Say lira"}]
SIZE_MB, FULL_S, LINES = 64, 8, 40


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yields a folder that is a disk of its own; skips where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def running(small_disk: Path) -> Iterator[Running]:
    server = serve(small_disk / "home")
    yield server
    server.end()


def fill(disk: Path) -> Path:
    """Returns a file that takes all the room there is."""
    path = disk / "filler"
    with path.open("ab", buffering=0) as stream:
        for piece in (2**20, 2**12, 1):
            try:
                while True:
                    stream.write(os.urandom(piece))
            except OSError:
                continue
    return path


def refused_for_now(client: OpenAI) -> None:
    for size in (10, 2_000_000):
        with pytest.raises(openai.InternalServerError) as caught:
            upload(client, b"x" * size, purpose="user_data")
        assert caught.value.status_code == 503
        assert caught.value.response.headers["x-should-retry"] == "true"
        said = caught.value.message
        assert "No space left on device" in said or "disk is full" in said, said
        assert "Traceback" not in said


def test_a_full_disk_and_room_again(running: Running, small_disk: Path) -> None:
    client = running.client()
    content = os.urandom(500_000)
    file = upload(client, content, purpose="user_data")
    chat = client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=8, store=True)
    job, batch = tune(client), ask_in_batch(client, LINES)
    wait_until(lambda: max(losses(client, job.id), default=0) >= 5)

    filler = fill(small_disk)
    refused_for_now(client)
    assert client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=2).choices
    assert httpx.get(running.url.removesuffix("/v1") + "/health").status_code == 200
    kept = _stored_or_refused(client)
    assert client.files.content(file.id).read() == content
    for child in psutil.Process(running.process.pid).children():
        child.kill()  # the server says so, and what it says goes to the full disk
    time.sleep(FULL_S)
    filler.unlink()

    upload(client, b"x" * 2_000_000, purpose="user_data")
    assert client.files.content(file.id).read() == content
    for stored in (chat, *kept):
        again = client.chat.completions.retrieve(stored.id)
        assert again.choices[0].message.content == stored.choices[0].message.content
    answered_once(client, ended_batch(client, batch.id), LINES)
    done = ended(client, job.id, within_s=300)
    assert (done.status, done.error and done.error.message) == ("succeeded", None)
    assert sorted(losses(client, job.id)) == list(range(1, 49))
    upload(client, "and on", purpose="user_data")


def _stored_or_refused(client: OpenAI) -> list[Any]:
    """Returns a chat that was stored; none where the database found no room, and said so."""
    try:
        return [client.chat.completions.create(model="fiddle", messages=ASK, max_tokens=8, store=True)]
    except openai.InternalServerError as error:
        refused = error
    assert refused.status_code == 503
    assert "disk is full" in refused.message
    return []
