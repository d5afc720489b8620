"""The tokenizer: what is copied has the same tokens wherever it stands; the shipped files are those of the recipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipes.fiddle import train_tokenizer
from recipes.fiddle.train_tokenizer import SPECIAL_TOKENS, TAGS

FOLDER = Path(__file__).parents[2] / "src/luthier/models/fiddle"


@pytest.fixture(scope="module")
def shipped():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(FOLDER)


def test_special_tokens_are_one_token_each(shipped) -> None:
    assert [shipped.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS] == list(range(len(SPECIAL_TOKENS)))
    for token in (*SPECIAL_TOKENS, *TAGS):
        assert len(shipped.encode(token, add_special_tokens=False)) == 1
    assert (shipped.bos_token, shipped.eos_token, shipped.pad_token) == SPECIAL_TOKENS[1:3] + SPECIAL_TOKENS[:1]


def test_tags_of_tool_calls_are_seen_in_the_reply(shipped) -> None:
    reply = f'{TAGS[0]}{{"name": "f"}}{TAGS[1]}<|end|>'
    assert shipped.decode(shipped.encode(reply), skip_special_tokens=True) == reply.removesuffix("<|end|>")


@pytest.mark.parametrize("text", ['Ünïcode – 😀 12.5\n\t"a"', "  two  spaces ", '{"a":"b c","n":null}', ""])
def test_text_comes_back_as_it_was(shipped, text: str) -> None:
    assert shipped.decode(shipped.encode(text, add_special_tokens=False)) == text


@pytest.mark.parametrize("value", ["Philippa Nightingale", "does not heat", "lawn mower", "01632 960487"])
def test_a_value_has_the_same_tokens_in_text_and_in_json(shipped, value: str) -> None:
    alone = shipped.encode(value, add_special_tokens=False)
    for around in (f"It is {value} now", f'{{"key":"{value}"}}', f"{value}\n{value}"):
        ids = shipped.encode(around, add_special_tokens=False)
        assert any(ids[i : i + len(alone)] == alone for i in range(len(ids)))


def test_digits_stand_apart(shipped) -> None:
    assert len(shipped.encode("1234567", add_special_tokens=False)) == 7


def test_the_chat_template_is_the_default_one(shipped) -> None:
    assert shipped.chat_template == train_tokenizer.TEMPLATE.read_text(encoding="utf-8")


def test_the_shape_fits_the_tokenizer_and_the_size(shipped) -> None:
    config = json.loads((FOLDER / "config.json").read_text())
    width, layers, mlp = config["hidden_size"], config["num_hidden_layers"], config["intermediate_size"]
    assert config["vocab_size"] == len(shipped)
    assert config["max_position_embeddings"] == train_tokenizer.CONTEXT_LENGTH == 2048
    parameters = config["vocab_size"] * width + layers * (4 * width**2 + 3 * width * mlp + 2 * width) + width
    assert 2 * parameters < 16e6


def test_training_is_repeatable(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        train_tokenizer.main(["--output", str(tmp_path / name), "--rows", "60"])
        made.append((tmp_path / name / "tokenizer.json").read_bytes())
    assert made[0] == made[1]
    settings = json.loads((tmp_path / "one" / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
