"""Passes of one new token a text, in shapes that do not change: what is captured, what is replayed, and what is not."""

from __future__ import annotations

import logging

import pytest
import torch
from tiny_models import tiny_model

from luthier.generation.engine import Engine
from luthier.generation.memory import LayerShape, StateMemory, StateShape
from luthier.generation.passes import Part, Passes
from luthier.generation.row_attention import FILLING, NUMBERS, Rows, numbers_of, plain, tiles_of
from luthier.generation.steps import BUCKETS, STAND_IN, Way, bucket, refusal, rows_of, tile_of, way_of
from luthier.models.lora import adapter_disabled
from luthier.models.options import ParameterOptions
from luthier.models.parameters import choose_parameters
from luthier.records.messages import Sampling

PROMPTS = [[5 + number, 7, 9] * (1 + 3 * number) for number in range(5)]
GREEDY = Sampling(max_tokens=24)


class Graphs:
    """A stand-in that counts what is captured, and replays with the very tensors it was captured with."""

    def __init__(self, attend=plain):
        self.begun, self.sizes, self.replays = 0, [], 0
        self.way = Way(attend, self.begin)

    def begin(self):
        self.begun += 1
        return self.capture

    def capture(self, compute):
        self.sizes.append(len(compute()))

        def replay():
            self.replays += 1
            return compute()

        return replay


@pytest.fixture
def graphs(monkeypatch):
    found = Graphs()
    monkeypatch.setattr("luthier.generation.passes.way_of", lambda device: found.way)
    return found


def engine_of(model, tokenizer, **options):
    return Engine(model, tokenizer, stop_ids=frozenset({2}), context_length=128, **options)


def replies(engine, prompts=PROMPTS, **how):
    return [reply.token_ids for reply in engine.generate(prompts, GREEDY, **how)]


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (3, 4), (9, 16), (17, 24), (256, 256), (512, 512)])
def test_texts_are_filled_up_to_a_few_numbers_of_them(count, size):
    assert bucket(count) == size
    assert bucket(BUCKETS[-1] + 1) is None


def test_a_cpu_has_no_such_way():
    assert way_of(torch.device("cpu")) is None


@pytest.mark.parametrize(("heads", "shared", "tile"), [(4, 4, 64), (32, 8, 16), (6, 2, 16), (7, 1, 8), (71, 1, 1)])
def test_a_tile_is_of_as_many_tokens_as_fill_a_product(heads, shared, tile):
    assert tile_of(heads, shared) == tile


def test_tiles_cut_pieces_and_never_join_two():
    assert tiles_of([3, 9, 4], 2, 4) == [[2, 5, 9, 13, 14], [3, 4, 4, 1, 4]]


def test_a_row_is_told_by_where_it_lies():
    shape = StateShape((LayerShape(2, 4, 4),) * 3)
    memory = StateMemory(shape, shape.token_bytes * 4096, 512)
    rows, anchor = [memory.take(60), memory.take(300), memory.take(60)], torch.zeros(16)
    for row in rows:
        for number, (keys, values) in enumerate(row.slab.layers):
            keys[row.index], values[row.index] = number, -1 - number
    numbers = numbers_of([Part(rows[0], [8], 3), Part(rows[1], [5, 6], 70), Part(rows[2], [9], 0)], anchor)
    assert numbers[:2].tolist() == [[8, 5, 6, 9], [3, 70, 71, 0]]
    assert numbers[4].tolist() == [64, 384, 384, 64]
    for token, row in ((0, rows[0]), (1, rows[1]), (3, rows[2])):
        _, _, offset, stride, capacity = numbers[:, token].tolist()
        for part, view in enumerate(tensor for pair in row.slab.layers for tensor in pair):
            begin = (view[row.index].data_ptr() - anchor.data_ptr()) // 4
            assert begin == offset + part * stride
            assert capacity == view.shape[2]


def test_filling_writes_nothing_and_comes_to_nothing():
    shape = StateShape((LayerShape(2, 4, 4),))
    memory = StateMemory(shape, shape.token_bytes * 256, 64)
    row, anchor = memory.take(8), torch.zeros(16)
    numbers = torch.cat([torch.tensor(FILLING)[:, None], numbers_of([Part(row, [4], 2)], anchor)], 1)
    how = {"scaling": 1.0, "softcap": None, "sinks": None, "window": None}
    states = torch.randn(3, 4, 2, 4)[:, :, :, :]
    out = plain(states[0], states[1][:2], states[2][:2], Rows(anchor, numbers, 2), 0, **how)
    keys, values = (part[row.index] for part in row.slab.layers[0])
    assert not out[0].any()
    assert torch.equal(keys[:, 2], states[1][:2, 1])
    assert torch.equal(values[:, 2], states[2][:2, 1])
    assert torch.count_nonzero(row.slab.stores[0]) == keys[:, 2].numel() * 2


def test_replies_are_the_same_and_each_number_of_texts_is_captured_once(graphs, tokenizer, monkeypatch):
    engine = engine_of(tiny_model("llama"), tokenizer)
    first = replies(engine)
    sizes = list(graphs.sizes)
    assert replies(engine) == first
    assert graphs.sizes == sizes == sorted(set(sizes), key=sizes.index)
    assert set(sizes) <= set(BUCKETS)
    assert graphs.replays > 40
    monkeypatch.setattr("luthier.generation.passes.way_of", lambda device: None)
    assert replies(engine_of(engine.model, tokenizer)) == first


def test_the_inputs_stay_where_they_were_captured(graphs, tokenizer):
    engine = engine_of(tiny_model("llama"), tokenizer)
    replies(engine)
    steps = engine._runner._steps
    before = {size: static.data_ptr() for size, (static, _) in steps.captured.items()}
    replies(engine, PROMPTS[::-1])
    assert {size: static.data_ptr() for size, (static, _) in steps.captured.items()} == before
    assert all(static.shape == (NUMBERS, size) for size, (static, _) in steps.captured.items())


def test_more_texts_than_are_ever_captured_share_a_pass_all_the_same(graphs, tokenizer, monkeypatch):
    monkeypatch.setattr("luthier.generation.steps.BUCKETS", (1, 2))
    engine = engine_of(tiny_model("llama"), tokenizer)
    found = replies(engine)
    assert max(graphs.sizes) == 2
    assert found == [replies(engine, [prompt])[0] for prompt in PROMPTS]


def test_what_cannot_be_captured_is_run_without_for_good(graphs, tokenizer, caplog):
    engine = engine_of(tiny_model("llama"), tokenizer)
    expected = replies(engine)

    def refuses(compute):
        raise RuntimeError("a copy that waits")

    graphs.capture = refuses
    engine._runner._steps.captured.clear()
    engine._runner._steps._capture = None
    with caplog.at_level(logging.WARNING, "luthier.engine"):
        assert replies(engine) == expected
        assert replies(engine) == expected
    assert engine._runner.eager_because == "llama is decoded without CUDA graphs: a copy that waits"
    assert [record.message for record in caplog.records] == [engine._runner.eager_because]
    assert not engine._runner._steps.captured


def test_a_way_that_comes_out_otherwise_is_not_taken(monkeypatch, tokenizer):
    wrong = Graphs(lambda *states, **how: plain(*states, **how) * 0.9)
    expected = replies(engine_of(tiny_model("llama"), tokenizer))
    monkeypatch.setattr("luthier.generation.passes.way_of", lambda device: wrong.way)
    engine = engine_of(tiny_model("llama"), tokenizer)
    assert "differ by" in engine._runner.eager_because
    assert replies(engine) == expected
    assert not wrong.replays or not engine._runner._steps.captured


def test_weights_that_lie_elsewhere_are_captured_anew(graphs, tokenizer):
    engine = engine_of(tiny_model("llama"), tokenizer)
    before = replies(engine)
    layer, begun = engine.model.model.layers[0].mlp.down_proj, graphs.begun
    layer.weight = torch.nn.Parameter(layer.weight.detach().flip(0).clone())
    after = replies(engine)
    assert graphs.begun == begun + 1
    assert after != before
    assert after == replies(engine_of(engine.model, tokenizer))


def test_weights_that_change_where_they_lie_are_not(graphs, tokenizer):
    engine = engine_of(tiny_model("llama"), tokenizer)
    replies(engine)
    begun = graphs.begun
    with torch.no_grad():
        engine.model.model.layers[0].mlp.down_proj.weight.mul_(1.5)
    replies(engine)
    assert graphs.begun == begun, "a graph reads what is there"


def test_an_adapter_that_is_switched_off_is_captured_anew(graphs, tokenizer):
    model = tiny_model("llama")
    choose_parameters(model, ParameterOptions(), generator_seed=0)
    engine = engine_of(model, tokenizer)
    replies(engine)
    begun = graphs.begun
    with adapter_disabled(model):
        replies(engine)
    assert graphs.begun == begun + 1


def test_dora_and_layers_of_several_shapes_are_run_without():
    model, alike = tiny_model("llama"), (LayerShape(2, 4, 4),) * 2
    assert refusal(model, alike) is None
    assert "several shapes" in refusal(model, (LayerShape(2, 4, 4), LayerShape(1, 4, 4)))
    assert "several shapes" in refusal(model, (LayerShape(2, 4, 8),) * 2)
    choose_parameters(model, ParameterOptions(train="dora"), generator_seed=0)
    assert "DoRA" in refusal(model, alike)


def test_a_state_that_is_asked_for_is_seen_though_the_text_is_one_token(graphs, tokenizer):
    engine = engine_of(tiny_model("llama"), tokenizer)
    found = engine.encode_tokens([[5], [7]])
    with torch.no_grad():
        expected = engine.model.model(torch.tensor([[5], [7]])).last_hidden_state[:, -1]
    assert torch.allclose(found, expected, atol=1e-4)


def test_pieces_and_single_tokens_share_a_pass_told_by_numbers(graphs):
    runner = Passes(tiny_model("llama"))
    memory = StateMemory(runner.shape, runner.shape.token_bytes * 1024, 128)
    rows = rows_of([Part(memory.take(9), [5], 8), Part(memory.take(40), list(range(33)), 0)], torch.zeros(16), 16)
    assert (rows.singles, rows.tile) == (1, 16)
    assert rows.tiles.tolist() == [[1, 17, 33], [16, 16, 1]]
    assert STAND_IN.attend is plain
