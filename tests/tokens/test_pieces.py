from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from luthier.tokens.pieces import token_pieces, without_middles
from luthier.tokens.token_rows import TokenRow

WORDS = ["▁", "▁the", "the", "re", "▁re", "a", "b", "e", "t", "h", "r", "!"]


@cache
def tokenizer(kind: str) -> Any:
    """A tokenizer whose tokens are bytes, or words with a mark for the space and bytes for all else."""
    if kind == "bytes":
        inner = Tokenizer(models.BPE({c: i for i, c in enumerate(pre_tokenizers.ByteLevel.alphabet())}, []))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        inner.decoder = decoders.ByteLevel()
    else:
        names = [*WORDS, *(f"<0x{byte:02X}>" for byte in range(256))]
        inner = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, [], byte_fallback=True))
        inner.pre_tokenizer = pre_tokenizers.Metaspace()
        inner.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>")


def row(ids: list[int], labels: list[bool] | None = None) -> TokenRow:
    marks = labels if labels is not None else [False] * len(ids)
    return TokenRow(np.asarray(ids, dtype=np.int32), np.asarray(marks, dtype=np.bool_), 0)


@pytest.mark.parametrize("kind", ["bytes", "words"])
@given(text=st.text(st.sampled_from("abe the re! é東🙂\n"), max_size=80))
def test_the_pieces_joined_are_the_text(kind: str, text: str) -> None:
    ids = tokenizer(kind)(text, add_special_tokens=False).input_ids
    pieces = token_pieces(tokenizer(kind), row(ids))
    assert len(pieces) == len(ids)
    assert "".join(piece for piece, _ in pieces) == tokenizer(kind).decode(ids)


@pytest.mark.parametrize("kind", ["bytes", "words"])
def test_long_rows_of_characters_of_several_tokens_are_whole(kind: str) -> None:
    text = "aaéé東🙂🙂東🙂é the re " * 20
    ids = tokenizer(kind)(text, add_special_tokens=False).input_ids
    pieces = token_pieces(tokenizer(kind), row(ids))
    assert "".join(piece for piece, _ in pieces) == tokenizer(kind).decode(ids)


def test_a_character_of_several_tokens_shows_at_its_last() -> None:
    ids = tokenizer("bytes")("a🙂b", add_special_tokens=False).input_ids
    assert [piece for piece, _ in token_pieces(tokenizer("bytes"), row(ids))] == ["a", "", "", "", "🙂", "b"]


def test_bytes_that_are_no_character_are_not_held_back_for_ever() -> None:
    ids = tokenizer("bytes")("🙂", add_special_tokens=False).input_ids[:1] * 6
    assert "".join(piece for piece, _ in token_pieces(tokenizer("bytes"), row(ids))) == "\ufffd" * 6


def test_special_tokens_are_shown_and_labels_stay_with_their_tokens() -> None:
    words = tokenizer("words")
    ids = [*words("the", add_special_tokens=False).input_ids, words.eos_token_id]
    labels = [False] * (len(ids) - 1) + [True]
    assert token_pieces(words, row(ids, labels))[-1] == ("</s>", True)


def test_long_stretches_lose_their_middle_and_say_so() -> None:
    pieces = [("x", False)] * 1000 + [("y", True)] * 100
    shown = without_middles(pieces)
    assert shown[40] == (" … 920 tokens … ", False)
    assert len(shown) == 81 + 100
    assert without_middles(pieces[:120]) == tuple(pieces[:120])
