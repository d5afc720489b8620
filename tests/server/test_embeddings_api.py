"""Embeddings, by the real client."""

from __future__ import annotations

import base64
import struct
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from serving import AS_OWNER, Running

from luthier.encoding.embedder import PACKAGED, Embedder, packaged_folder
from luthier.models.options import LoadOptions

pytestmark = pytest.mark.skipif(packaged_folder() is None, reason="luthier[embeddings] is not installed")
TEXTS = ["a lighthouse", "the keeper of the lighthouse at Mossend"]


def test_vectors_come_as_numbers_and_as_base64(client: OpenAI, server: Running) -> None:
    expected = Embedder.load(PACKAGED, LoadOptions(precision="fp32", device="cpu")).embed(TEXTS).tolist()
    found = client.embeddings.create(model=PACKAGED, input=TEXTS)  # the client asks for base64 by itself
    assert [one.embedding for one in found.data] == [pytest.approx(vector, abs=1e-6) for vector in expected]
    assert [one.index for one in found.data] == [0, 1]
    assert found.usage.prompt_tokens == found.usage.total_tokens > 4
    plain = client.embeddings.create(model=PACKAGED, input=TEXTS[0], encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(expected[0], abs=1e-6)
    body = {"model": PACKAGED, "input": TEXTS[0], "encoding_format": "base64"}
    raw = httpx.post(f"{server.url}/embeddings", json=body, headers=AS_OWNER, timeout=60).json()["data"][0]["embedding"]
    assert struct.unpack("<384f", base64.b64decode(raw)) == pytest.approx(expected[0], abs=1e-6)


def test_fewer_dimensions_are_the_first_at_length_one(client: OpenAI) -> None:
    whole = client.embeddings.create(model=PACKAGED, input=TEXTS[0]).data[0].embedding
    short = client.embeddings.create(model=PACKAGED, input=TEXTS[0], dimensions=64).data[0].embedding
    norm = sum(value**2 for value in whole[:64]) ** 0.5
    assert short == pytest.approx([value / norm for value in whole[:64]], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": ["a", ""]}, "input"),
        ({"input": [1, 2, 3]}, "input"),
        ({"input": [[1, 2], [3]]}, "input"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": "word " * 400}, "input"),
        ({"dimensions": 385}, "dimensions"),
        ({"dimensions": 0}, "dimensions"),
        ({"model": "fiddle"}, "model"),
    ],
)
def test_what_would_give_wrong_vectors_is_refused(client: OpenAI, change: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(**{"model": PACKAGED, "input": TEXTS} | change)
    assert caught.value.param == param


def test_models_keep_to_what_they_do(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="none", input="x")
    with pytest.raises(openai.BadRequestError, match="makes vectors"):
        client.chat.completions.create(model=PACKAGED, messages=[{"role": "user", "content": "x"}])
