"""The ranges of numbers are those of the hosted API, or docs/server.md says why not."""

from __future__ import annotations

import math
from typing import Any

import pytest

import docs
from luthier.server.routes import ENDPOINTS
from luthier.server.wire.body import read_body, read_texts
from luthier.server.wire.numbers import Number

INT64 = 2**63
ANY = (None, None, None)
SAMPLING = {
    "temperature": (0, 2, 1),
    "top_p": (0, 1, 1),
    "n": (1, 128, 1),
    "seed": (-INT64, INT64 - 1, None),
    "frequency_penalty": (-2, 2, 0),
    "presence_penalty": (-2, 2, 0),
    "logit_bias.*": (-100, 100, None),
}
EXPIRY = {"expires_after.seconds": (3600, 2_592_000, None)}
HYPERPARAMETERS = {"n_epochs": (1, 50, None), "batch_size": (1, 256, None), "learning_rate_multiplier": ("above 0",)}
REINFORCEMENT = {"compute_multiplier": ("above 1e-05", 10), "eval_interval": (1, None), "eval_samples": (1, None)}


def under(path: str, ranges: dict[str, Any]) -> dict[str, Any]:
    return {f"{path}.{name}": one for name, one in ranges.items()}


CHUNKS = {"max_chunk_size_tokens": (100, 4096, None), "chunk_overlap_tokens": (0, None, None)}
DAYS = {"expires_after.days": (1, 365, None)}
STORES = "/vector_stores/{vector_store_id}"

HOSTED: dict[str, dict[str, tuple[Any, ...]]] = {
    "POST /chat/completions": SAMPLING
    | {"max_tokens": ANY, "max_completion_tokens": ANY, "top_logprobs": (0, 20, None)},
    "POST /completions": SAMPLING
    | {
        "max_tokens": (0, None, 16),
        "logprobs": (0, 5, None),
        "best_of": (0, 20, 1),
        "prompt[]": ANY,
        "prompt[][]": ANY,
    },
    "POST /responses": {
        "max_output_tokens": (16, None, None),
        "max_tool_calls": ANY,
        "temperature": (0, 2, 1),
        "top_p": (0, 1, 1),
        "top_logprobs": (0, 20, 0),
        "tools[].max_num_results": (1, 50, 10),
        "tools[].ranking_options.score_threshold": (0, 1, 0),
        "tools[].ranking_options.hybrid_search.embedding_weight": ANY,
        "tools[].ranking_options.hybrid_search.text_weight": ANY,
    },
    "POST /embeddings": {"dimensions": (1, None, None), "input[]": ANY, "input[][]": ANY},
    "POST /files": EXPIRY,
    "POST /uploads": EXPIRY | {"bytes": (1, 8 * 2**30, None)},
    "POST /batches": under("output_expires_after", {"seconds": (3600, 2_592_000, None)}),
    "POST /fine_tuning/jobs": {
        "seed": (0, 2_147_483_647, None),
        **under("hyperparameters", HYPERPARAMETERS),
        **under("method.supervised.hyperparameters", HYPERPARAMETERS),
        **under("method.dpo.hyperparameters", HYPERPARAMETERS | {"beta": ("above 0", 2)}),
        **under("method.reinforcement.hyperparameters", HYPERPARAMETERS | REINFORCEMENT),
    },
    "GET /files": {"limit": (1, 10_000, 10_000)},
    "GET /conversations/{conversation_id}/items": {"limit": (1, 100, 20)},
    "GET /responses/{response_id}/input_items": {"limit": (None, None, 20)},
    "GET /fine_tuning/jobs": {"limit": (None, None, 20)},
    "GET /fine_tuning/jobs/{fine_tuning_job_id}/events": {"limit": (None, None, 20)},
    "GET /fine_tuning/jobs/{fine_tuning_job_id}/checkpoints": {"limit": (None, None, 10)},
    "GET /fine_tuning/checkpoints/{model}/permissions": {"limit": (None, None, 10)},
    "GET /chat/completions": {"limit": (None, None, 20)},
    "GET /chat/completions/{completion_id}/messages": {"limit": (None, None, 20)},
    "GET /batches": {"limit": (None, None, 20)},
    "POST /vector_stores": DAYS | under("chunking_strategy.static", CHUNKS),
    f"POST {STORES}": DAYS,
    f"POST {STORES}/search": {"max_num_results": (1, 50, 10), "ranking_options.score_threshold": (0, 1, 0)},
    f"POST {STORES}/files": under("chunking_strategy.static", CHUNKS),
    f"POST {STORES}/file_batches": under("chunking_strategy.static", CHUNKS)
    | under("files[].chunking_strategy.static", CHUNKS),
    "GET /vector_stores": {"limit": (1, 100, 20)},
    f"GET {STORES}/files": {"limit": (1, 100, 20)},
    f"GET {STORES}/file_batches/{{batch_id}}/files": {"limit": (1, 100, 20)},
}
"""Endpoint -> number -> (least, most, default), as far as it is stated: the public OpenAPI document of the hosted API
(openai/openai-openapi, 2.3.0) and the types and docstrings of the `openai` package 3.52.0."""
OWN = ("/luthier/",)
"""Paths that the hosted API does not have."""

OURS = {f"{one.method} {one.said_path}": docs.numbers(one) for one in ENDPOINTS if not one.path.startswith(OWN)}


def stated(number: Number) -> tuple[Any, Any, Any]:
    least = number.least if number.above is None else f"above {number.above}"
    return least, number.most, number.default


def same(number: Number, hosted: tuple[Any, ...]) -> bool:
    return stated(number) == (*hosted, None, None)[:3]


def test_each_is_the_hosted_one_or_says_why_not() -> None:
    differ = {
        (name, path)
        for name, numbers in OURS.items()
        for path, number in numbers.items()
        if path not in HOSTED.get(name, {}) or not same(number, HOSTED[name][path])
    }
    assert set(docs.DIFFERS) == differ


def test_none_of_the_hosted_ones_is_forgotten() -> None:
    absent = {(name, path) for name, ranges in HOSTED.items() for path in ranges if path not in OURS[name]}
    assert set(docs.ABSENT) == absent


def test_they_are_found_wherever_they_are() -> None:
    paths = {path for numbers in OURS.values() for path in numbers}
    assert {"n", "logit_bias.*", "prompt[][]", "expires_after.seconds", "limit"} <= paths
    assert OURS["POST /fine_tuning/jobs"]["method.supervised.hyperparameters.n_epochs"].words == ("auto",)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if docs.numbers(one)], ids=lambda one: one.path)
def test_a_default_is_in_its_range(endpoint: Any) -> None:
    assert all(one.default is None or one.allows(one.default) for one in docs.numbers(endpoint).values())


@pytest.mark.parametrize(
    ("number", "said", "inside", "outside"),
    [
        (Number("a", True, 1, 9), "a whole number from 1 to 9", (1, 9), (0, 10, 1.0, True, "1", None)),
        (Number("a", False, 0, 2), "a number from 0 to 2", (0, 2.0, 1e-300), (-1e-300, 2.1, math.nan, math.inf)),
        (Number("a", False, above=0, most=1), "a number above 0, at most 1", (1e-9, 1), (0, 0.0, 2)),
        (Number("a", False, 0, below=1), "a number at least 0, below 1", (0, 0.5), (1, 1.0)),
        (Number("a", True, words=("auto",)), "'auto' or a whole number", (-1, 10**30), ("auto", 0.5)),
    ],
)
def test_a_range_in_words_and_in_fact(
    number: Number, said: str, inside: tuple[Any, ...], outside: tuple[Any, ...]
) -> None:
    assert number.said == said
    assert all(number.allows(value) for value in inside)
    assert not any(number.allows(value) for value in outside)


def test_null_is_the_default() -> None:
    from luthier.server.wire.completions import CreateCompletion

    given = {"model": "x", "prompt": "x", "temperature": None, "max_tokens": None, "n": None}
    body, _ = read_body(CreateCompletion, given)
    assert [body.value(name) for name in ("temperature", "max_tokens", "n", "seed")] == [1.0, 16, 1, None]


def test_digits_are_numbers_only_where_one_is_due() -> None:
    from luthier.server.wire.fine_tuning import ListJobs

    given = [("after", "12"), ("limit", "7"), ("metadata[9]", "3"), ("metadata[b]", "x")]
    query, _ = read_texts(ListJobs, given)
    assert (query.after, query.limit, query.metadata) == ("12", 7, {"9": "3", "b": "x"})
