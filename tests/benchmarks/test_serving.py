"""The benchmarks of serving: the same requests on both sides, replies that are counted, workers that are driven."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel

from benchmarks import budget, equality, hotspots
from benchmarks.blocks import Side, run
from benchmarks.equality import Found, compare, trained_logprobs
from benchmarks.served import (
    ADAPTERS,
    PREFIX,
    WORKS,
    counted,
    requests,
    served_model,
    subword_tokenizer,
    write_adapters,
)
from benchmarks.serving import CHECKS, SUITES, _command
from benchmarks.suites import judged, table
from benchmarks.worker_engine import answer, open_engine
from benchmarks.worker_engine import options as engine_options
from benchmarks.worker_generate import generate, left_padded, with_adapters
from benchmarks.worker_generate import options as generate_options
from luthier.models.adapters import load_adapter

SMALL = "two layers"


@pytest.mark.parametrize("work", sorted(WORKS))
def test_a_block_is_the_same_on_both_sides_and_new_each_time(work: str) -> None:
    first, again, next_one = (requests(work, 4096, block) for block in (0, 0, 1))
    assert first == again
    assert [(len(one.prompt), one.length) for one in first] == list(WORKS[work].lengths)
    assert [len(one.prompt) for one in first] == [len(one.prompt) for one in next_one]
    assert not {one.prompt for one in first} & {one.prompt for one in next_one}
    assert all(4 <= token < 4096 for one in first for token in one.prompt)
    assert max(prompt + reply for prompt, reply in WORKS[work].lengths) <= 1024 + 32


def test_prompts_of_the_prefix_work_share_their_start_within_a_block_alone() -> None:
    first, other = (requests("prefix", 4096, block) for block in (0, 1))
    assert len({one.prompt[:PREFIX] for one in first}) == 1
    assert len({one.prompt for one in first}) == len(first)
    assert first[0].prompt[:10] != other[0].prompt[:10]


def test_adapters_take_turns() -> None:
    found = [one.adapter for one in requests("even", 4096, 0, adapters=True)]
    assert found == list(ADAPTERS) * 4


def test_a_reply_of_another_length_is_no_result() -> None:
    asked = requests("few", 4096, 0)
    assert counted(asked, [5, 12, 8]) == 25
    with pytest.raises(RuntimeError, match=r"1 of 3 replies .* reply 1 has 11 tokens instead of 12"):
        counted(asked, [5, 11, 8])


def test_every_suite_names_workers_that_know_its_arguments() -> None:
    readers = {"benchmarks.worker_engine": engine_options(), "benchmarks.worker_generate": generate_options()}
    for suite in SUITES.values():
        for arguments, _ in suite.sides.values():
            python, _, module, *given = _command(arguments, suite)
            assert python == sys.executable
            assert readers[module].parse_args(given).work in WORKS
        assert {name for bound in suite.bounds for name in (bound.ours, bound.peer)} == set(suite.sides)
        assert suite.blocks >= 7
    assert not set(CHECKS) & set(SUITES)


def test_an_overhead_is_a_bound_below_one() -> None:
    bound = SUITES["grammar"].bounds[0]
    sides = {
        name: Side(name, (), [{"cpu": cpu, "tokens": 10}] * 7, peak_bytes=1)
        for name, cpu in (("with a grammar", 1.07), ("without", 1.0))
    }
    found = judged(bound, sides)
    assert found["speed_verdict"] == "holds"
    text = table(
        {"what": "", "suite": "", "date": "", "blocks": 7, "work": "", "tokens": "", "machine": "", "load": [0, 0]}
        | {"sides": {}, "ratios": [found, found | {"speed_bound": None, "speed_aim": 2}]}
    )
    assert "| at least 0.926: holds |" in text
    assert "| aim 2 |" in text
    assert "no claim" not in text


def test_three_ways_to_answer_give_the_same_number_of_tokens(tmp_path: Path) -> None:
    common = ["--shape", SMALL, "--work", "few"]
    peer = [sys.executable, "-m", "benchmarks.worker_generate", *common]
    sides = [
        Side("Luthier", [sys.executable, "-m", "benchmarks.worker_engine", *common]),
        Side("generate", [*peer, "--batch", "2"]),
        Side("continuous", [*peer, "--peer", "continuous", "--cache-tokens", "512", "--batch-tokens", "64"]),
    ]
    run(sides, 1, warm_up=1, log=tmp_path, say=lambda _: None)
    for one in sides:
        assert [block["tokens"] for block in one.blocks] == [25]
        assert one.blocks[0]["cpu"] > 0


def test_padding_ends_prompts_together() -> None:
    tokens, mask = left_padded([(5, 6, 7), (8,)])
    assert tokens.tolist() == [[5, 6, 7], [0, 0, 8]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_both_sides_read_the_adapters_alike_and_each_changes_the_replies(tmp_path: Path) -> None:
    model = served_model(SMALL)
    tokens = torch.arange(10, 30)[None]
    base = model(tokens).logits
    places = write_adapters(model, tmp_path)
    assert set(places) == set(ADAPTERS)
    found = [base]
    for name in ADAPTERS[:2]:
        adapted = PeftModel.from_pretrained(served_model(SMALL), str(places[name])).eval()
        found.append(adapted(tokens).logits)
        ours = served_model(SMALL)
        load_adapter(ours, places[name])
        assert torch.allclose(ours(tokens).logits, found[-1], atol=1e-5)
    assert all((found[a] - found[b]).abs().max() > 1e-3 for a, b in ((0, 1), (0, 2), (1, 2)))
    asked = requests("few", 4096, 0, adapters=True)
    assert counted(asked, generate(with_adapters(model), 3)(asked)) == 25


def test_a_learned_tokenizer_has_as_many_tokens_as_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = tmp_path / "text.md"
    text.write_text("one two three " * 10, encoding="utf-8")
    monkeypatch.setattr("benchmarks.served._texts", lambda: [text])
    tokenizer = subword_tokenizer(400)
    assert len(tokenizer) == 400
    assert tokenizer.decode(tokenizer.encode("two three é")) == "two three é"


def test_the_engine_s_replies_equal_generate_s_and_the_trainer_s_log_probabilities() -> None:
    found = compare(SMALL, count=6)
    assert found.holds
    assert (found.replies, found.different) == (6, 0)
    assert found.tokens + found.left_out == found.logprobs


def test_trained_log_probabilities_are_those_of_the_model() -> None:
    engine = open_engine(SMALL)
    prompt, reply = tuple(range(10, 25)), (7, 8, 9)
    other = (tuple(range(50, 60)), (5,))
    found = trained_logprobs(engine.model, [(prompt, reply), other])
    with torch.no_grad():
        logits = engine.model(torch.tensor([[*prompt, *reply]])).logits[0]
    expected = torch.log_softmax(logits[14:17], -1)[torch.arange(3), torch.tensor(reply)]
    assert np.allclose(found[0], expected, atol=1e-5)
    assert len(found[1]) == 1


@pytest.mark.parametrize(
    ("ours", "gap", "expected"),
    [([1, 2, 3], 1.0, (3, 0, 0, 0)), ([1, 9, 3], 1e-5, (1, 1, 2, 0)), ([1, 9, 3], 1.0, (1, 0, 2, 1))],
)
def test_a_difference_is_forgiven_after_a_near_tie_alone(
    ours: list[int], gap: float, expected: tuple[int, ...]
) -> None:
    found = Found("x")
    equality._count(found, ours, [1, 2, 3], [gap] * 3)
    assert (found.tokens, found.ties, found.left_out, found.different) == expected
    assert found.holds == (expected[-1] == 0)
    equality._count(found, [1], [1, 2], [1.0, 1.0])
    assert not found.holds


def test_a_budget_is_kept_where_it_was_used_and_no_more() -> None:
    good = {"asked_bytes": 100, "budget_bytes": 99, "used_bytes": 90, "grown_bytes": 10**6}
    assert budget.holds(good)
    for change in ({"used_bytes": 0}, {"used_bytes": 100}, {"budget_bytes": 101}, {"grown_bytes": 10**9}):
        assert not budget.holds(good | change)


def test_operators_have_a_kind_and_files_a_place() -> None:
    names = {
        "aten::mm": "linear",
        "aten::_scaled_dot_product_flash_attention_for_cpu": "attention",
        "aten::bmm": "attention",
        "aten::softmax": "attention",
        "aten::log_softmax": "sampling",
        "aten::index_put_": "moving",
        "aten::mul": "norms and the like",
        "aten::unheard": "other",
    }
    assert {name: hotspots.kind_of(name) for name in names} == names
    assert hotspots._place("/a/site-packages/luthier/generation/engine.py", "f") == "luthier/generation/engine.py"
    assert hotspots._place("~", "<built-in method x>") == "built in: built-in method x"


def test_hotspots_print_where_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    hotspots.main(["--shape", SMALL, "--work", "few"])
    said = capsys.readouterr().out
    assert "25 tokens of replies" in said
    assert "| linear |" in said
    assert "Python, between operators" in said


def test_a_grammar_is_longer_than_any_reply() -> None:
    from benchmarks.worker_engine import END, SCHEMA
    from luthier.generation.grammar import json_grammar

    engine = open_engine("fiddle", stop_ids=frozenset({END}))
    asked = requests("few", engine.model.config.vocab_size, 0)
    replies = answer(engine, asked, grammar=json_grammar(SCHEMA))
    assert counted(asked, [len(reply.token_ids) for reply in replies]) == 25
    assert all(reply.text.startswith("[") for reply in replies)
