"""Files and uploads, by the real client."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from serving import AS_OWNER, Running, upload

pytestmark = pytest.mark.both_databases


def test_a_file_comes_back_as_it_was_sent(client: OpenAI) -> None:
    content = "é 日本\n".encode() * 1000
    file = upload(client, content, name="naïve name.txt", purpose="user_data")
    assert (file.bytes, file.filename, file.purpose, file.status) == (
        len(content),
        "naïve name.txt",
        "user_data",
        "processed",
    )
    assert client.files.content(file.id).read() == content
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    gone = client.files.delete(file.id)
    assert (gone.id, gone.deleted) == (file.id, True)
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.content(file.id)


def test_files_are_listed_page_by_page_and_by_purpose(client: OpenAI) -> None:
    mine = [upload(client, f"{n}", purpose="vision").id for n in range(5)]
    assert [file.id for file in client.files.list(purpose="vision", limit=2)] == mine[::-1]
    assert [file.id for file in client.files.list(purpose="vision", limit=2, order="asc")] == mine
    for file in client.files.list(purpose="vision", limit=2):
        client.files.delete(file.id)
    assert list(client.files.list(purpose="vision")) == []


def test_a_file_of_a_batch_goes_away_after_a_month(client: OpenAI) -> None:
    file = upload(client, "{}", purpose="batch")
    assert file.expires_at == pytest.approx(time.time() + 30 * 24 * 3600, abs=60)
    short = client.files.create(
        file=io.BytesIO(b"x"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert short.expires_at == pytest.approx(time.time() + 3600, abs=60)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"purpose": "training"}, "purpose"),
        ({"expires_after": {"anchor": "created_at", "seconds": 5}}, "expires_after.seconds"),
        ({"extra_body": {"colour": "red"}}, "colour"),
    ],
)
def test_a_form_that_is_wrong_is_refused(client: OpenAI, change: dict[str, Any], said: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(**{"file": io.BytesIO(b"x"), "purpose": "user_data"} | change)
    assert caught.value.param == said


def test_a_form_without_a_file_is_refused(server: Running) -> None:
    answer = httpx.post(
        f"{server.url}/files", data={"purpose": "batch"}, files={"other": ("a", b"x")}, headers=AS_OWNER
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")
    answer = httpx.post(f"{server.url}/files", json={"purpose": "batch"}, headers=AS_OWNER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_type")


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a\\b\\c.txt", "/x"])
def test_a_name_that_is_a_path_is_a_name_alone(client: OpenAI, name: str) -> None:
    file = upload(client, "x", name=name, purpose="user_data")
    assert "/" not in file.filename
    assert client.files.content(file.id).read() == b"x"


def test_an_upload_in_parts_is_one_file(client: OpenAI) -> None:
    content = bytes(range(256)) * 1000
    begun = client.uploads.create(bytes=len(content), filename="big.bin", mime_type="text/plain", purpose="user_data")
    assert begun.status == "pending"
    parts = [
        client.uploads.parts.create(begun.id, data=content[at : at + 100_000]).id for at in range(0, 256_000, 100_000)
    ]
    done = client.uploads.complete(begun.id, part_ids=parts, md5=hashlib.md5(content).hexdigest())
    assert done.status == "completed"
    assert done.file is not None
    assert client.files.content(done.file.id).read() == content
    with pytest.raises(openai.BadRequestError, match="is completed"):
        client.uploads.parts.create(begun.id, data=b"x")


def test_an_upload_that_does_not_add_up_stays_open(client: OpenAI) -> None:
    begun = client.uploads.create(bytes=3, filename="a", mime_type="text/plain", purpose="user_data")
    part = client.uploads.parts.create(begun.id, data=b"ab")
    with pytest.raises(openai.BadRequestError, match="2 bytes"):
        client.uploads.complete(begun.id, part_ids=[part.id])
    other = client.uploads.parts.create(begun.id, data=b"c")
    with pytest.raises(openai.BadRequestError, match="md5"):
        client.uploads.complete(begun.id, part_ids=[part.id, other.id], md5="0" * 32)
    with pytest.raises(openai.NotFoundError):
        client.uploads.complete(begun.id, part_ids=[part.id, "part_none"])
    assert client.uploads.cancel(begun.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="is cancelled"):
        client.uploads.complete(begun.id, part_ids=[part.id, other.id])


def test_a_request_that_is_too_large_is_refused_while_it_comes(server: Running) -> None:
    """The server stops reading: a form would be on its disk before anything is checked."""

    def pieces() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 2**20

    answer = httpx.post(f"{server.url}/embeddings", content=pieces(), headers=AS_OWNER, timeout=60)
    assert (answer.status_code, "more than" in answer.json()["error"]["message"]) == (413, True)


def test_state_is_in_the_database_that_was_named(client: OpenAI, server: Running, database_kind: str) -> None:
    """What else runs on both databases would not notice if it ran on one of them twice."""
    upload(client, "x", purpose="user_data")
    assert (server.home / "luthier.db").exists() == (database_kind == "sqlite")
