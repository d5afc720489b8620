"""Rows to sequences: labelled are the replies and the ends of their turns, after exactly the served prompt."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import chat_templates as ct
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luthier.errors import ModelError, RowsError, SpecError
from luthier.records.examples import Conversation, Origin, Text
from luthier.records.messages import Message
from luthier.tokens import encode
from luthier.tokens.dialect import FOLDED, NO_REASONING, NO_TOOLS, RENAMED
from luthier.tokens.encode import encode_rows
from luthier.tokens.options import TokenOptions
from luthier.tokens.template import Template
from luthier.tokens.token_rows import FileArray, TokenCounts, TokenRow, TokenRows
from luthier.tokens.turns import CLOSED_THOUGHT, LEFT_OUT, OPENS_CHAT


@dataclass(frozen=True)
class Completion:
    kind: ClassVar[str] = "completion"
    prompt: str
    completion: str
    origin: Origin = field(default=Origin(), compare=False)


@dataclass(frozen=True)
class Strange:
    kind: ClassVar[str] = "ranking"
    origin: Origin = field(default=Origin("rows.jsonl", 3))


def run(template: Template, *rows: object, context: int = 4096, **options: object) -> tuple[TokenRows, TokenCounts]:
    return encode_rows(rows, template, TokenOptions(**options), context_length=context)


def chat(template: Template, messages: tuple[Message, ...], **options: object) -> tuple[TokenRows, TokenCounts]:
    return run(template, Conversation(messages), **options)


def spans(template: Template, row: TokenRow) -> list[tuple[int, str]]:
    """Returns (start, text) of each labelled run of tokens."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.labels.astype(int), [0]])))
    return [(int(a), template.tokenizer.decode(row.tokens[a:b])) for a, b in edges.reshape(-1, 2)]


ONE_SEQUENCE = {
    "chatml": (ct.CHATML, "<|im_end|>"),
    "headers": (ct.HEADERS, "<|eot|>"),
    "no_system": (ct.NO_SYSTEM, "<eot>"),
    "brackets": (ct.BRACKETS, "</s>"),
    "closes_text": (ct.CLOSES_TEXT, "<|end|>"),
    "default_system": (ct.DEFAULT_SYSTEM, "<|im_end|>"),
    "parts": (ct.PARTS, "</s>"),
    "generation": (ct.GENERATION, "<|im_end|>"),
    "ours": (None, "</s>"),
}
texts = st.text("abYN:,. \n{}<>|\"'é☃0", min_size=1, max_size=12).filter(str.strip)
chats = st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(lambda pairs: ct.say(*sum(pairs, ())))


@pytest.mark.parametrize("name", ONE_SEQUENCE)
@settings(max_examples=25, deadline=None)
@given(messages=chats)
def test_labels_are_the_replies_and_their_ends_after_the_served_prompt(
    name: str, messages: tuple[Message, ...]
) -> None:
    source, end = ONE_SEQUENCE[name]
    template = template_of(source)
    rows, counts = chat(template, messages)
    replies = [place for place, message in enumerate(messages) if message.role == "assistant"]
    found = []
    for row in rows:
        for start, text in spans(template, row):
            place = replies[len(found)]
            assert text.endswith(end)
            assert text.removesuffix(end).strip() == (messages[place].content or "").strip()
            assert row.tokens[:start].tolist() == template.prompt(messages[:place])
            found.append(text)
        assert row.labels[-1]
    assert len(found) == len(replies)
    assert counts.labelled == rows.label_count == sum(int(row.labels.sum()) for row in rows)
    assert counts.tokens == len(rows.tokens)


_made: dict[str | None, Template] = {}


def template_of(source: str | None) -> Template:
    if source not in _made:
        _made[source] = ct.template_for(source)
    return _made[source]


@pytest.mark.parametrize("name", ONE_SEQUENCE)
def test_these_templates_give_one_sequence(name: str) -> None:
    rows, counts = chat(template_of(ONE_SEQUENCE[name][0]), ct.say("Hi", "Hello", "2+2?", "4"))
    assert len(rows) == counts.sequences == 1
    assert len(spans(template_of(ONE_SEQUENCE[name][0]), rows[0])) == 2
    assert counts.split_rows == 0


def test_a_template_that_strips_earlier_thoughts_gives_one_sequence_per_turn() -> None:
    template = ct.template_for(ct.STRIPS_THOUGHT)
    messages = (
        Message("user", "2+2?"),
        Message("assistant", "4", reasoning_content="Add."),
        Message("user", "3+3?"),
        Message("assistant", "6", reasoning_content="Again."),
    )
    rows, counts = chat(template, messages)
    assert [spans(template, row)[0][1] for row in rows] == [
        "<think>\nAdd.\n</think>\n\n4<|im_end|>",
        "<think>\nAgain.\n</think>\n\n6<|im_end|>",
    ]
    assert "Add." not in template.tokenizer.decode(rows[1].tokens)
    assert (counts.rows, counts.sequences, counts.split_rows) == (1, 2, 1)
    assert rows[1].row == 0
    for row, place in zip(rows, (1, 3), strict=True):
        assert row.tokens[: spans(template, row)[0][0]].tolist() == template.prompt(messages[:place])


def test_a_prompt_that_opens_a_thought_is_answered_inside_it() -> None:
    template = ct.template_for(ct.PROMPTS_THOUGHT)
    messages = (Message("user", "2+2?"), Message("assistant", "4", reasoning_content="Add."))
    rows, counts = chat(template, messages)
    assert spans(template, rows[0])[0][1] == "Add.\n</think>\n\n4</s>"
    assert dict(counts.notes) == {CLOSED_THOUGHT: 1}
    rows, _ = chat(template, (Message("user", "2+2?"), Message("assistant", "<think>\nAdd.\n</think>\n4")))
    assert spans(template, rows[0])[0][1].startswith("Add.\n</think>\n\n")
    rows, _ = chat(template, ct.say("Hi", "Hello", "2+2?", "4"))
    assert [spans(template, row)[0][1] for row in rows] == ["\n</think>\n\nHello</s>", "\n</think>\n\n4</s>"]


def test_a_reply_that_the_prompt_could_never_lead_to_is_an_error() -> None:
    source = ct.CHATML.replace("assistant\n{% endif %}", "assistant\n<think></think>{% endif %}")
    with pytest.raises(RowsError, match=r"rows\.jsonl:7: messages\[1\].*could never lead"):
        run(ct.template_for(source), Conversation(ct.say("Hi", "Hello"), origin=Origin("rows.jsonl", 7)))


def test_ends_that_differ_give_one_sequence_per_turn() -> None:
    template = ct.template_for(ct.TWO_ENDS)
    rows, _ = chat(template, ct.say("Hi", "Hello", "2+2?", "4"))
    assert [spans(template, row)[0][1] for row in rows] == ["<|msg|>Hello<|return|>", "<|msg|>4<|return|>"]
    rows, _ = chat(template, ct.weather_chat())
    assert [text for _, text in spans(template, rows[0])] == [
        ' to=get_weather<|msg|>{"city": "Oslo"}<|call|>',
        "<|msg|>It is 3 degrees.<|return|>",
    ]


def test_the_next_turns_opening_ends_a_turn_where_the_model_stops_there() -> None:
    tokenizer = ct.tokenizer_for(ct.NEXT_ENDS)
    stops = tokenizer.convert_tokens_to_ids(["<|user|>", "<|observation|>"])
    template = Template.of(tokenizer, stop_ids=stops)
    rows, _ = chat(template, ct.say("Hi", "Hello", "2+2?", "4"))
    assert [text for _, text in spans(template, rows[0])] == ["\nHello<|user|>", "\n4<|user|>"]
    rows, _ = chat(template, ct.weather_chat())
    assert spans(template, rows[0])[0][1].endswith("</tool_call><|observation|>")


@pytest.mark.parametrize("source", [ct.ENDLESS, ct.NEXT_ENDS])
def test_a_template_whose_turns_do_not_end_is_an_error(source: str) -> None:
    with pytest.raises(ModelError, match="never learn to stop"):
        chat(ct.template_for(source), ct.say("Hi", "Hello"))


def test_a_tokenizer_without_end_of_text_is_named() -> None:
    with pytest.raises(ModelError, match="set eos_token"):
        chat(ct.template_for(None, eos=None), ct.say("Hi", "Hello"))


def test_an_end_of_turn_that_is_plain_text_is_an_error() -> None:
    with pytest.raises(ModelError, match="added token"):
        chat(ct.template_for(ct.CHATML, markers=False), ct.say("Hi", "Hello"))


def test_tokens_that_merge_over_the_border_are_split_as_serving_splits_them() -> None:
    template = ct.template_for(ct.SHORT)
    messages = ct.say("Hi", "Yes", "2+2?", "Yes")
    assert template.encode(["a:Yes"])[0][: len(template.encode(["a:"])[0])] != template.encode(["a:"])[0]
    rows, counts = chat(template, messages)
    assert counts.sequences == 2
    for row, place in zip(rows, (1, 3), strict=True):
        ((start, text),) = spans(template, row)
        assert text == "Yes</s>"
        assert row.tokens[:start].tolist() == template.prompt(messages[:place])


def test_weight_0_is_not_trained() -> None:
    template = template_of(ct.CHATML)
    messages = (*ct.say("a", "b", "c", "d")[:1], Message("assistant", "b", weight=0), *ct.say("a", "b", "c", "d")[2:])
    rows, _ = chat(template, messages)
    assert [text for _, text in spans(template, rows[0])] == ["d<|im_end|>"]
    assert "b<|im_end|>" in template.tokenizer.decode(rows[0].tokens)


def test_train_on_last_labels_the_last_reply_only() -> None:
    rows, _ = chat(template_of(ct.CHATML), ct.say("a", "b", "c", "d"), train_on="last")
    assert [text for _, text in spans(template_of(ct.CHATML), rows[0])] == ["d<|im_end|>"]


def test_a_row_without_a_trained_turn_is_an_error_that_names_it() -> None:
    row = Conversation((Message("user", "a"), Message("assistant", "b", weight=0)), origin=Origin("rows.jsonl", 4))
    with pytest.raises(RowsError, match=r"rows\.jsonl:4: messages: no assistant turn is trained"):
        run(template_of(ct.CHATML), row)


def test_a_reply_that_opens_the_chat_is_context_only() -> None:
    messages = (Message("assistant", "Welcome"), *ct.say("Hi", "Hello"))
    rows, counts = chat(template_of(ct.CHATML), messages)
    assert [text for _, text in spans(template_of(ct.CHATML), rows[0])] == ["Hello<|im_end|>"]
    assert dict(counts.notes) == {OPENS_CHAT: 1}


def test_all_bad_rows_are_named_with_the_templates_own_message() -> None:
    bad = [Conversation((*ct.say("a", "b"), Message("assistant", "c")), origin=Origin("rows.jsonl", n)) for n in (1, 2)]
    good = Conversation(ct.say("a", "b"))
    with pytest.raises(RowsError) as caught:
        run(template_of(ct.NO_SYSTEM), bad[0], good, bad[1])
    assert [problem.line for problem in caught.value.problems] == [1, 2]
    assert "roles must take turns" in str(caught.value)


def test_reading_stops_after_a_thousand_bad_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "MOST_PROBLEMS", 3)
    monkeypatch.setattr(encode, "CHUNK", 2)
    with pytest.raises(RowsError) as caught:
        run(template_of(ct.CHATML), *[Conversation(())] * 10)
    assert len(caught.value.problems) == 4


def test_system_text_is_folded_where_the_template_has_no_system_role() -> None:
    template = template_of(ct.NO_SYSTEM)
    rows, counts = chat(template, ct.say("Hi", "Hello", system="Be terse."))
    assert "<start>user\nBe terse.\n\nHi<eot>" in template.tokenizer.decode(rows[0].tokens)
    assert dict(counts.notes) == {FOLDED: 1}


def test_developer_turns_become_system_turns_and_join_them() -> None:
    messages = (Message("system", "One."), Message("developer", "Two."), *ct.say("Hi", "Hello"))
    rows, counts = chat(template_of(ct.HEADERS), messages)
    text = template_of(ct.HEADERS).tokenizer.decode(rows[0].tokens)
    assert "<|head|>system<|/head|>\n\nOne.\n\nTwo.<|eot|>" in text
    assert dict(counts.notes) == {RENAMED: 1}


def test_what_a_template_cannot_say_is_counted() -> None:
    row = Conversation(
        (Message("user", "Hi"), Message("assistant", "Hello", reasoning_content="Greet.")), tools=(ct.WEATHER_TOOL,)
    )
    _, counts = run(template_of(ct.CHATML), row, row, Conversation(ct.say("a", "b")))
    assert dict(counts.notes) == {NO_TOOLS: 2, NO_REASONING: 2}


def test_text_that_the_template_rewrites_is_counted() -> None:
    template = ct.template_for(ct.CHATML.replace("m.content }}", "m.content | replace('secret', '') }}"))
    _, counts = chat(template, ct.say("a secret b", "c"))
    assert dict(counts.notes) == {LEFT_OUT: 1}


def test_calls_that_the_template_does_not_render_are_an_error() -> None:
    with pytest.raises(RowsError, match=r"messages\[1\]\.tool_calls: .* does not render tool calls"):
        chat(template_of(ct.NO_SYSTEM), ct.weather_chat())


@pytest.mark.parametrize("source", [None, ct.HERMES, ct.BRACKETS, ct.BARE_JSON, ct.JOINS_TEXT, ct.TWO_ENDS])
def test_calls_and_answers_to_their_results_are_trained(source: str | None) -> None:
    template = template_of(source)
    rows, _ = run(template, Conversation(ct.weather_chat(), tools=(ct.WEATHER_TOOL,)))
    labelled = [text for row in rows for _, text in spans(template, row)]
    assert len(labelled) == 2
    assert "get_weather" in labelled[0]
    assert '"city": "Oslo"' in labelled[0]
    assert "3 degrees" not in labelled[0]
    assert "It is 3 degrees." in labelled[1]


def test_completions_as_chat_and_plain() -> None:
    template = template_of(ct.CHATML)
    rows, _ = run(template, Completion("2 + 2 =", " 4"))
    assert spans(template, rows[0])[0][1] == " 4<|im_end|>"
    rows, _ = run(template, Completion("2 + 2 =", " 4"), completion_style="plain")
    assert spans(template, rows[0]) == [(len(template.encode_plain(["2 + 2 ="])[0]), " 4</s>")]


@settings(max_examples=50, deadline=None)
@given(prompt=texts, completion=texts)
def test_plain_completions_follow_the_served_prompt(prompt: str, completion: str) -> None:
    template = template_of(ct.CHATML)
    rows, _ = run(template, Completion(prompt, completion), completion_style="plain")
    served = template.encode_plain([prompt])[0]
    assert rows[0].tokens[: len(served)].tolist() == served
    assert spans(template, rows[0]) == [(len(served), completion + "</s>")]


@settings(max_examples=50, deadline=None)
@given(text=st.text("ab c.\n", min_size=2, max_size=80).filter(str.strip), limit=st.integers(2, 9))
def test_long_text_is_cut_into_windows_and_nothing_is_lost(text: str, limit: int) -> None:
    template = template_of(ct.CHATML)
    whole = [*template.encode_plain([text])[0], template.tokenizer.eos_token_id]
    rows, counts = run(template, Text(text), max_length=limit)
    assert all(len(row.tokens) <= limit and not row.labels[0] for row in rows)
    assert [token for row in rows for token in row.tokens[row.labels].tolist()] == whole[1:]
    assert all(one.tokens[-1] == two.tokens[0] for one, two in itertools.pairwise(rows))
    assert counts.labelled == len(whole) - 1
    assert counts.split_rows == (len(rows) > 1)


def test_begin_of_text_is_written_where_the_tokenizer_writes_it() -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = ct.tokenizer_for(ct.CHATML)
    assert encode_rows([Text("abc")], Template.of(tokenizer), TokenOptions(), context_length=99)[0][0].tokens[0] != 1
    bos = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", bos)])
    rows, _ = run(Template.of(tokenizer), Text("abc"))
    assert rows[0].tokens[0] == bos
    assert rows[0].tokens[1] != bos
    assert rows[0].labels.tolist() == [False] + [True] * (len(rows[0].tokens) - 1)


def test_a_text_with_nothing_to_predict_is_an_error() -> None:
    template = ct.template_for(ct.CHATML, eos=None)
    with pytest.raises(RowsError, match="too little to learn from"):
        run(template, Text("a"))


def test_rows_of_another_kind_are_refused() -> None:
    with pytest.raises(SpecError, match=r"rows\.jsonl:3: .*'ranking'"):
        run(template_of(ct.CHATML), Strange())


def test_rows_are_the_same_however_they_are_chunked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [Conversation(ct.say(f"a{n}", f"b{n}", "c", "d")) for n in range(7)] + [Text("some text")]
    template = template_of(ct.CHATML)
    one, counts = encode_rows(rows, template, TokenOptions(), context_length=512)
    monkeypatch.setattr(encode, "CHUNK", 2)
    two, same = encode_rows(rows, template, TokenOptions(), context_length=512, folder=tmp_path / "tokens")
    assert counts == same
    for name in ("tokens", "labels", "offsets", "rows"):
        assert np.array_equal(getattr(one, name)[:], getattr(two, name)[:])
    assert isinstance(two.tokens, FileArray)
    assert [row.row for row in one] == list(range(8))


def test_no_rows_give_no_sequences(tmp_path: Path) -> None:
    rows, counts = encode_rows([], template_of(ct.CHATML), TokenOptions(), context_length=9, folder=tmp_path)
    assert (len(rows), counts.rows, counts.lengths) == (0, 0, ())
