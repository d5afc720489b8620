"""Many callers of one encoder: each gets the vectors of its own texts, whoever else asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import tiny_tokenizer
from torch import Tensor
from transformers import BertConfig, BertModel

from luthier.encoding import service as room
from luthier.encoding.embedder import Embedder
from luthier.encoding.service import FULLEST, Service
from luthier.errors import BusyError

AT_ONCE, WORDS = 60, 50
Rows = list[list[int]]
requests = st.lists(
    st.lists(st.lists(st.integers(1, WORDS - 1), min_size=1, max_size=40), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


class Counting:
    """An encoder whose vectors say what they are of; it computes when it is let, and remembers its batches."""

    name, tokens_at_once, poison = "counting", AT_ONCE, 666

    def __init__(self) -> None:
        self.batches: list[Rows] = []
        self.open, self.entered = threading.Event(), threading.Semaphore(0)

    def length(self, row: list[int]) -> int:
        return len(row)

    def encode(self, rows: Sequence[list[int]]) -> Tensor:
        self.entered.release()
        assert self.open.wait(30)
        self.batches.append([list(row) for row in rows])
        if any(self.poison in row for row in rows):
            raise RuntimeError("poisoned")
        return vectors(rows)


def vectors(rows: Sequence[list[int]]) -> Tensor:
    return torch.tensor([[float(sum(row)), float(len(row)), float(row[0])] for row in rows])


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def service(counting: Counting) -> Iterator[Service[list[int]]]:
    served = Service(counting)
    yield served
    counting.open.set()
    served.close()


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    """A BERT of two layers that reads 64 tokens at once."""
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "max_position_embeddings": 64}
    model = BertModel(BertConfig(vocab_size=WORDS, num_hidden_layers=2, initializer_range=0.3, **shape))
    found = Embedder("tiny", model, tiny_tokenizer())
    found.tokens_at_once = AT_ONCE
    return found


def together(ask: Callable[[Rows], Future[Tensor]], asked: Sequence[Rows]) -> list[Tensor]:
    """Returns the answers of callers who all begin at once."""
    start = threading.Barrier(len(asked))

    def one(rows: Rows) -> Tensor:
        start.wait(30)
        return ask(rows).result(60)

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(one, asked))


@given(requests)
@settings(max_examples=40)
def test_every_caller_gets_the_vectors_that_its_texts_have_alone(embedder: Embedder, asked: list[Rows]) -> None:
    served = Service(embedder, threading.Lock())
    for rows, found in zip(asked, together(served.ask, asked), strict=True):
        alone = torch.cat([embedder.embed_tokens([row]) for row in rows])
        assert found.shape == (len(rows), embedder.dimensions)
        assert torch.allclose(found, alone, atol=1e-5)
    served.close()


@given(requests)
@settings(max_examples=40)
def test_every_row_is_computed_once_in_a_batch_of_its_like(asked: list[Rows]) -> None:
    counting = Counting()
    served = Service(counting)
    first = served.ask([[1]])
    counting.entered.acquire()
    answers = [served.ask(rows) for rows in asked]  # all of them wait by now
    counting.open.set()
    for rows, answer in zip([[[1]], *asked], [first, *answers], strict=True):
        assert torch.equal(answer.result(30), vectors(rows))
    served.close()
    assert sorted(row for batch in counting.batches[1:] for row in batch) == sorted(
        row for rows in asked for row in rows
    )
    for batch in counting.batches:
        size = len(batch) * max(map(len, batch))
        assert len(batch) == 1 or size <= min(AT_ONCE, FULLEST * sum(map(len, batch)))


def test_texts_of_many_callers_share_a_batch(service: Service[list[int]], counting: Counting) -> None:
    service.ask([[1]])
    assert counting.entered.acquire(timeout=30)
    answers = [service.ask([[number] * 5]) for number in range(2, 10)]
    counting.open.set()
    assert [float(answer.result(30)[0, 2]) for answer in answers] == list(range(2, 10))
    assert [len(batch) for batch in counting.batches] == [1, 8]


def test_one_who_brings_much_does_not_keep_others_waiting(service: Service[list[int]], counting: Counting) -> None:
    much = service.ask([[7] * 40] * 50)
    assert counting.entered.acquire(timeout=30)
    little = service.ask([[1]])
    counting.open.set()
    little.result(30)
    place = next(number for number, batch in enumerate(counting.batches) if batch == [[1]])
    assert place <= 2
    assert much.result(30).shape == (50, 3)


def test_a_batch_that_breaks_fails_those_in_it_and_nobody_else(service: Service[list[int]], counting: Counting) -> None:
    service.ask([[1]])
    assert counting.entered.acquire(timeout=30)
    apart = [[3] * 30]
    answers = {name: service.ask(rows) for name, rows in {"bad": [[666, 1], [2] * 30], "near": [[1, 2]]}.items()}
    other = service.ask(apart)
    counting.open.set()
    for answer in answers.values():
        with pytest.raises(RuntimeError, match="poisoned") as caught:
            answer.result(30)
        assert any("computed together" in note for note in caught.value.__notes__)
    assert torch.equal(other.result(30), vectors(apart))
    assert torch.equal(service.ask([[5, 5]]).result(30), vectors([[5, 5]])), "the thread goes on"
    assert sum(len(row) == 30 for batch in counting.batches for row in batch) == 1, "what failed is not computed"


def test_who_gives_up_is_not_computed_for(service: Service[list[int]], counting: Counting) -> None:
    first = service.ask([[1]])
    assert counting.entered.acquire(timeout=30)
    given_up, kept = service.ask([[2, 2]]), service.ask([[3, 3]])
    assert given_up.cancel()
    assert first.cancel(), "its row is being computed, and nobody takes it"
    counting.open.set()
    assert kept.result(30).shape == (1, 3)
    assert counting.batches == [[[1]], [[3, 3]]]
    with pytest.raises(CancelledError):
        given_up.result(30)


def test_too_many_are_told_to_come_again(
    service: Service[list[int]], counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_ROWS", 3)
    service.ask([[1]])
    assert counting.entered.acquire(timeout=30)
    alone = service.ask([[1]] * 5)
    with pytest.raises(BusyError, match="5 texts wait for counting, and 3 may; try again"):
        service.ask([[1]])
    counting.open.set()
    assert alone.result(30).shape == (5, 3)
    assert service.ask([[1]]).result(30).shape == (1, 3)


def test_a_service_that_is_closed_computes_what_waits_and_takes_nothing(counting: Counting) -> None:
    served = Service(counting)
    answers = [served.ask([[number, 1]]) for number in range(3)]
    served.close()
    with pytest.raises(BusyError, match="unloaded"):
        served.ask([[1]])
    counting.open.set()
    assert [answer.result(30).shape for answer in answers] == [(1, 3)] * 3
    served._thread.join(30)
    assert not served._thread.is_alive()


def test_the_turn_is_held_while_the_model_computes_and_only_then(embedder: Embedder) -> None:
    turn, held = threading.Lock(), []
    hook = embedder.model.register_forward_pre_hook(lambda *_: held.append(turn.locked()))
    served = Service(embedder, turn)
    served.ask([[1, 2], [3] * 30]).result(30)
    served.close()
    hook.remove()
    assert set(held) == {True}
    assert turn.acquire(timeout=30)
