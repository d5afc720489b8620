from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import TEXTS, make_tokenizer

from luthier.errors import SpecError
from luthier.models.options import ScratchOptions
from luthier.models.scratch import SPECIAL_TOKENS, choose_sizes, new_config, random_model, train_tokenizer

TINY = ScratchOptions(vocab_size=320, hidden_size=32, num_hidden_layers=2, max_position_embeddings=64)
TOKENIZER = make_tokenizer()


@given(st.text())
def test_no_text_is_unknown_and_every_text_comes_back(text: str) -> None:
    ids = TOKENIZER(text).input_ids
    assert ids[0] == TOKENIZER.bos_token_id
    assert TOKENIZER.decode(ids[1:], clean_up_tokenization_spaces=False) == text


def test_digits_stand_alone_and_special_tokens_come_first() -> None:
    assert TOKENIZER.tokenize("340") == ["3", "4", "0"]
    assert [TOKENIZER.convert_ids_to_tokens(index) for index in range(7)] == list(SPECIAL_TOKENS)
    assert TOKENIZER("<|user|>", add_special_tokens=False).input_ids == [SPECIAL_TOKENS.index("<|user|>")]
    assert (TOKENIZER.bos_token, TOKENIZER.eos_token, TOKENIZER.pad_token) == ("<|begin|>", "<|end|>", "<|pad|>")
    assert len(TOKENIZER) == 320
    assert len(TOKENIZER.tokenize("violin")) < 6
    assert TOKENIZER.model_max_length == 128


def test_a_small_corpus_gives_a_small_vocabulary_and_none_is_refused() -> None:
    small = train_tokenizer(["ab ab"], ScratchOptions(vocab_size=5000))
    assert 263 <= len(small) < 300
    for texts in ([], ["", "  \n"]):
        with pytest.raises(SpecError, match="no text to train a tokenizer on"):
            train_tokenizer(texts, ScratchOptions())


def test_a_new_model_is_saved_and_loaded_by_plain_transformers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = train_tokenizer(TEXTS, TINY)
    model: Any = random_model(new_config(TINY, tokenizer), seed=4)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, read = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    ids = read("the old violin", return_tensors="pt").input_ids
    assert torch.equal(again(ids).logits, model(ids).logits)
    assert read("a <|end|> 12").input_ids == tokenizer("a <|end|> 12").input_ids
    assert again.generation_config.eos_token_id == SPECIAL_TOKENS.index("<|end|>")
    assert again.config.max_position_embeddings == 64
    assert again.config.vocab_size == len(tokenizer)


def test_the_seed_decides_the_weights_and_leaves_the_global_one_alone() -> None:
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    first, same, other = (random_model(new_config(TINY, TOKENIZER), seed=seed) for seed in (1, 1, 2))
    assert torch.rand(1) == wanted
    weights = [model.model.layers[0].mlp.up_proj.weight for model in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@settings(max_examples=50, deadline=None)
@given(st.integers(600_000, 3_000_000_000), st.sampled_from([512, 4096, 32000]))
def test_the_target_count_is_met_within_a_tenth(target: int, vocab_size: int) -> None:
    target = max(target, 40 * vocab_size)
    sizes = choose_sizes(ScratchOptions(parameters=target), vocab_size)
    assert abs(sizes.parameters / target - 1) <= 0.1
    assert sizes.hidden_size % (2 * sizes.num_attention_heads) == 0
    assert sizes.num_attention_heads % sizes.num_key_value_heads == 0


def test_the_count_is_that_of_the_model() -> None:
    for options in (TINY, ScratchOptions(parameters=500_000, vocab_size=320)):
        sizes = choose_sizes(options, len(TOKENIZER))
        model: Any = random_model(new_config(options, TOKENIZER), seed=0)
        assert sum(parameter.numel() for parameter in model.parameters()) == sizes.parameters


def test_sizes_that_are_given_are_kept() -> None:
    options = ScratchOptions(parameters=3_000_000, num_attention_heads=6, intermediate_size=512, vocab_size=1000)
    sizes = choose_sizes(options, 1000)
    assert (sizes.num_attention_heads, sizes.intermediate_size) == (6, 512)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "size of the new model is not given"),
        ({"hidden_size": 64}, "size of the new model is not given"),
        ({"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 5}, "64 cannot be cut into 5 heads"),
        (
            {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 3},
            "3 does not divide the 4 attention heads",
        ),
        ({"parameters": 10_000}, "no model with 8,192 tokens and the sizes given has 10,000 parameters"),
        ({"parameters": 10**9, "hidden_size": 64}, "the nearest has"),
    ],
)
def test_sizes_that_cannot_be_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        choose_sizes(ScratchOptions(**values), 8192)
