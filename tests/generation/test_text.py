from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from luthier.generation.text import Detokenizer, StopTexts, TokenBytes, decode


def stream(tokenizer, tokens):
    detokenizer = Detokenizer(tokenizer)
    return [detokenizer.push(token) for token in tokens] + [detokenizer.end()]


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60))
def test_pieces_make_the_whole_and_hold_no_half_character(tokenizer, text):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    pieces = stream(tokenizer, tokens)
    assert "".join(pieces) == decode(tokenizer, tokens)
    if "\ufffd" not in text:
        assert not any("\ufffd" in piece for piece in pieces)


@settings(max_examples=150, deadline=None)
@given(tokens=st.lists(st.integers(3, 319), max_size=80))
def test_any_tokens_at_all_make_the_whole(tokenizer, tokens):
    assert "".join(stream(tokenizer, tokens)) == decode(tokenizer, tokens)


def test_a_reply_cut_inside_a_character_shows_it_as_broken(tokenizer):
    tokens = tokenizer.encode("ok 🎻", add_special_tokens=False)[:-1]
    pieces = stream(tokenizer, tokens)
    assert "".join(pieces[:-1]) == "ok "
    assert set(pieces[-1]) == {"\ufffd"}


def test_text_comes_as_soon_as_it_is_certain(tokenizer):
    tokens = tokenizer.encode("xy", add_special_tokens=False)
    assert stream(tokenizer, tokens)[:-1] == ["x", "y"]


def byte_fallback():
    """A SentencePiece-like tokenizer: words begin with a mark, unknown characters become byte tokens."""
    words = ["<unk>", "▁a", "▁b", "c", *(f"<0x{byte:02X}>" for byte in range(256))]
    inner = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, [], unk_token="<unk>", byte_fallback=True))
    inner.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, clean_up_tokenization_spaces=False)


@settings(max_examples=100, deadline=None)
@given(parts=st.lists(st.sampled_from(["a", "b", "c", "é", "€", "漢", "🎻"]), max_size=60))
def test_byte_tokens_and_leading_spaces(parts):
    tokenizer = byte_fallback()
    tokens: list[int] = []
    for part in parts:
        known = {"a": [1], "b": [2], "c": [3]}.get(part)
        tokens += known or [4 + byte for byte in part.encode()]
    pieces = stream(tokenizer, tokens)
    assert "".join(pieces) == decode(tokenizer, tokens)
    assert not any("\ufffd" in piece for piece in pieces)


def test_the_work_per_token_is_bounded(tokenizer):
    longest = 0

    class Watched:
        def decode(self, token_ids, **options):
            nonlocal longest
            longest = max(longest, len(token_ids))
            return tokenizer.decode(token_ids, **options)

    stream(Watched(), tokenizer.encode("the bow and the bridge " * 60, add_special_tokens=False))
    assert longest < 40


def stopped(stops, pieces):
    watch = StopTexts(stops)
    out = []
    for piece in pieces:
        out.append(watch.push(piece))
        if watch.found:
            return out, True
    return [*out, watch.end()], False


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(st.text("ab\n", max_size=3), max_size=20),
    stops=st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3),
)
def test_stop_texts_end_at_the_earliest_however_the_text_is_cut(pieces, stops):
    text = "".join(pieces)
    out, found = stopped(stops, pieces)
    assert found == any(stop in text for stop in stops)
    if not found:
        assert "".join(out) == text
    else:
        assert not any(stop in "".join(out) for stop in stops)
        assert text.startswith("".join(out))
        rest = text[len("".join(out)) :]
        assert any(rest.startswith(stop) for stop in stops)


@pytest.mark.parametrize(("pieces", "shown"), [(["ab", "c"], ["", "abc"]), (["x", "a"], ["x", ""])])
def test_the_start_of_a_stop_text_is_held_back(pieces, shown):
    watch = StopTexts(["abd"])
    assert [watch.push(piece) for piece in pieces] == shown


@pytest.mark.parametrize("text", ["plain", " spaced  out", "é 日本 🎻", "\n\ttabs"])
def test_the_bytes_of_tokens_are_those_of_the_text(text):
    from transformers import AutoTokenizer

    from luthier.models.resolve import resolve_model

    fiddle = AutoTokenizer.from_pretrained(resolve_model("fiddle").base_folder)
    bytes_of = TokenBytes(fiddle)
    tokens = fiddle(text, add_special_tokens=False)["input_ids"]
    assert b"".join(bytes_of(token) for token in tokens) == text.encode()
    assert bytes_of(fiddle.eos_token_id) == fiddle.eos_token.encode()
    assert bytes_of(10**9) == b""
