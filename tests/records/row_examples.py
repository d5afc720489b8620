"""Strategies for records of every kind, and one example of every format with the record it must become."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from luthier.records.comparisons import Pair, Preference, Triplet, Vote
from luthier.records.examples import Completion, Conversation, Labelled, Record, Text
from luthier.records.messages import Message, ToolCall

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
said = texts.filter(lambda text: bool(text.strip()))
groups = st.one_of(st.just(""), st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8))

user_turns = st.builds(Message, role=st.sampled_from(("system", "developer", "user")), content=texts)
replies = st.builds(
    Message, role=st.just("assistant"), content=said, reasoning_content=st.none() | said, weight=st.none() | st.just(1)
)
calls = st.builds(
    lambda name, number: (
        Message("assistant", None, tool_calls=(ToolCall("call00001", name, f'{{"n": {number}}}'),)),
        Message("tool", str(number), tool_call_id="call00001"),
    ),
    said,
    st.integers(),
)
tools = st.lists(
    st.builds(lambda name: {"type": "function", "function": {"name": name, "parameters": {}}}, said), max_size=2
).map(tuple)
prompts = st.lists(user_turns, min_size=1, max_size=3).map(tuple)
answers = replies.map(lambda reply: (reply,))
conversations = st.builds(
    Conversation,
    messages=st.builds(lambda asked, middle, reply: (*asked, *middle, *reply), prompts, calls | st.just(()), answers),
    tools=tools,
    parallel_tool_calls=st.none() | st.booleans(),
    group=groups,
)
RECORDS: dict[str, st.SearchStrategy[Record]] = {
    "conversation": conversations,
    "completion": st.builds(Completion, prompt=texts, completion=said, group=groups),
    "text": st.builds(Text, text=said, group=groups),
    "labelled": st.builds(Labelled, text=said, label=said, group=groups)
    | st.builds(Labelled, text=said, labels=st.lists(said, unique=True, max_size=3).map(tuple), group=groups),
    "preference": st.builds(
        Preference, messages=prompts, chosen=answers, rejected=answers, tools=tools, group=groups
    ).filter(lambda row: row.chosen != row.rejected),
    "vote": st.builds(Vote, messages=prompts, completion=answers, label=st.booleans(), tools=tools, group=groups),
    "pair": st.builds(
        Pair, first=said, second=said, score=st.none() | st.floats(allow_nan=False, allow_infinity=False), group=groups
    ),
    "triplet": st.builds(Triplet, anchor=said, positive=said, negative=said, group=groups).filter(
        lambda row: row.positive != row.negative
    ),
}
any_record = st.one_of(*RECORDS.values())

USER, REPLY = Message("user", "How much?"), Message("assistant", "Five euros.")
RIVAL = Message("assistant", "No idea.")
CALL = Message("assistant", None, tool_calls=(ToolCall("call00001", "price", '{"of": "tea"}'),))
RESULT = Message("tool", "5", tool_call_id="call00001")
TOOL = {"type": "function", "function": {"name": "price", "parameters": {"type": "object"}}}
_ASKED = [{"role": "user", "content": "How much?"}]
_TOLD = [{"role": "assistant", "content": "Five euros."}]
_RIVAL = [{"role": "assistant", "content": "No idea."}]
_UM = {"role": "assistant", "content": "Um."}
UM = Message("assistant", "Um.", weight=0)
_BARE_CALL = {"name": "price", "arguments": '{"of": "tea"}'}
_PARTS = [{"type": "text", "text": text} for text in ("How ", "much?")]
_BARE_TOOL = {"name": "price", "parameters": {"type": "object"}}

# name of the case -> (format, raw row, record)
CASES: dict[str, tuple[str, Any, Record]] = {
    "chat": ("openai-chat", {"messages": _ASKED + _TOLD}, Conversation((USER, REPLY))),
    "chat with weights": (
        "openai-chat",
        {"messages": [*_ASKED, _UM | {"weight": 0}, *_ASKED, _TOLD[0] | {"weight": 1}]},
        Conversation((USER, UM, USER, Message("assistant", "Five euros.", weight=1))),
    ),
    "chat with developer": (
        "openai-chat",
        {"messages": [{"role": "developer", "content": "Be brief."}, *_ASKED, *_TOLD]},
        Conversation((Message("developer", "Be brief."), USER, REPLY)),
    ),
    "chat with tools": (
        "openai-chat",
        {
            "messages": [
                *_ASKED,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "a1", "type": "function", "function": {"name": "price", "arguments": '{"of": "tea"}'}}
                    ],
                },
                {"role": "tool", "tool_call_id": "a1", "content": "5"},
                *_TOLD,
            ],
            "tools": [TOOL],
            "parallel_tool_calls": False,
        },
        Conversation(
            (
                USER,
                Message("assistant", None, tool_calls=(ToolCall("a1", "price", '{"of": "tea"}'),)),
                Message("tool", "5", tool_call_id="a1"),
                REPLY,
            ),
            (TOOL,),
            parallel_tool_calls=False,
        ),
    ),
    "chat with legacy functions": (
        "openai-chat",
        {
            "messages": [
                *_ASKED,
                {"role": "assistant", "content": None, "function_call": _BARE_CALL},
                {"role": "function", "name": "price", "content": "5"},
                *_TOLD,
            ],
            "functions": [_BARE_TOOL],
        },
        Conversation((USER, CALL, Message("tool", "5", tool_call_id="call00001", name="price"), REPLY), (TOOL,)),
    ),
    "chat with text parts": (
        "openai-chat",
        {"messages": [{"role": "user", "content": _PARTS}, *_TOLD]},
        Conversation((USER, REPLY)),
    ),
    "typed turns": (
        "llama-factory",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "value": "How much?"}], "loss_weight": 0.0},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "reasoning", "value": "Look it up."},
                        {"type": "tool_call", "value": '{"name": "price", "arguments": {"of": "tea"}}'},
                    ],
                    "loss_weight": 1.0,
                },
                {"role": "tool", "content": [{"type": "text", "value": "5"}]},
                {"role": "assistant", "content": [{"type": "text", "value": "Five euros."}]},
            ],
            "tools": '[{"name": "price", "parameters": {"type": "object"}}]',
        },
        Conversation(
            (
                USER,
                Message("assistant", None, CALL.tool_calls, reasoning_content="Look it up.", weight=1),
                RESULT,
                REPLY,
            ),
            (TOOL,),
        ),
    ),
    "sharegpt": (
        "sharegpt",
        {
            "conversations": [
                {"from": "system", "value": "Be brief."},
                {"from": "human", "value": "How much?"},
                {"from": "gpt", "value": "Five euros."},
            ]
        },
        Conversation((Message("system", "Be brief."), USER, REPLY)),
    ),
    "sharegpt with calls": (
        "sharegpt",
        {
            "system": "Be brief.",
            "conversations": [
                {"from": "human", "value": "How much?"},
                {"from": "function_call", "value": '{"name": "price", "arguments": {"of": "tea"}}'},
                {"from": "observation", "value": "5"},
                {"from": "gpt", "value": "Five euros."},
            ],
            "tools": '[{"name": "price", "parameters": {"type": "object"}}]',
        },
        Conversation((Message("system", "Be brief."), USER, CALL, RESULT, REPLY), (TOOL,)),
    ),
    "alpaca": (
        "alpaca",
        {"instruction": "How much?", "input": "", "output": "Five euros."},
        Conversation((USER, REPLY)),
    ),
    "alpaca with input, system and history": (
        "alpaca",
        {
            "instruction": "How much?",
            "input": "tea",
            "output": "Five euros.",
            "system": "Be brief.",
            "history": [["Hi", "Hello"]],
        },
        Conversation(
            (
                Message("system", "Be brief."),
                Message("user", "Hi"),
                Message("assistant", "Hello"),
                Message("user", "How much?\ntea"),
                REPLY,
            )
        ),
    ),
    "question and answer": (
        "question-answer",
        {"question": "How much?", "answer": "Five euros."},
        Conversation((USER, REPLY)),
    ),
    "instruction, context and response": (
        "question-answer",
        {"instruction": "How much?", "context": "tea", "response": "Five euros."},
        Conversation((Message("user", "How much?\ntea"), REPLY)),
    ),
    "prompt and completion as turns": (
        "prompt-messages",
        {"prompt": [*_ASKED, _UM, *_ASKED], "completion": _TOLD},
        Conversation((USER, UM, USER, REPLY)),
    ),
    "completion": (
        "openai-completion",
        {"prompt": "1 + 1 = ", "completion": " 2\n"},
        Completion("1 + 1 = ", " 2\n"),
    ),
    "openai preference": (
        "openai-preference",
        {"input": {"messages": _ASKED, "tools": [TOOL]}, "preferred_output": _TOLD, "non_preferred_output": _RIVAL},
        Preference((USER,), (REPLY,), (RIVAL,), (TOOL,)),
    ),
    "openai preference, old names": (
        "openai-preference",
        {"input": {"messages": _ASKED}, "preferred_completion": _TOLD, "non_preferred_completion": _RIVAL},
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "chosen and rejected texts": (
        "preference",
        {"prompt": "How much?", "chosen": "Five euros.", "rejected": "No idea."},
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "chosen and rejected without prompt": (
        "preference",
        {"chosen": "Five euros.", "rejected": "No idea."},
        Preference((), (REPLY,), (RIVAL,)),
    ),
    "chosen and rejected answers as turns": (
        "preference",
        {"prompt": _ASKED, "chosen": _TOLD, "rejected": _RIVAL},
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "chosen and rejected chats": (
        "preference",
        {"prompt": "How much?", "chosen": _ASKED + _TOLD, "rejected": _ASKED + _RIVAL},
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "turns as a table saved as CSV holds them": (
        "preference",
        {"prompt": str(_ASKED), "chosen": str(_TOLD), "rejected": str(_RIVAL)},
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "system and question": (
        "preference",
        {"system": "Be brief.", "question": "How much?", "chosen": "Five euros.", "rejected": "No idea."},
        Preference((Message("system", "Be brief."), USER), (REPLY,), (RIVAL,)),
    ),
    "transcripts": (
        "transcript-preference",
        {
            "chosen": "\n\nHuman: How much?\n\nAssistant: Five euros.",
            "rejected": "\n\nHuman: How much?\n\nAssistant: No idea.",
        },
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "ranking of sharegpt turns": (
        "preference",
        {
            "conversations": [{"from": "human", "value": "How much?"}],
            "chosen": {"from": "gpt", "value": "Five euros."},
            "rejected": {"from": "gpt", "value": "No idea."},
        },
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "ranking of alpaca outputs": (
        "preference",
        {"instruction": "How much?", "input": "", "chosen": "Five euros.", "rejected": "No idea."},
        Preference((USER,), (REPLY,), (RIVAL,)),
    ),
    "chosen and rejected typed turns": (
        "llama-factory-preference",
        {
            "chosen_messages": [
                {"role": "user", "content": [{"type": "text", "value": "How much?"}], "loss_weight": 0.0},
                {"role": "assistant", "content": [{"type": "text", "value": "Five euros."}], "loss_weight": 1.0},
            ],
            "rejected_messages": [
                {"role": "user", "content": [{"type": "text", "value": "How much?"}], "loss_weight": 0.0},
                {"role": "assistant", "content": [{"type": "text", "value": "No idea."}], "loss_weight": 1.0},
            ],
        },
        Preference(
            (USER,), (Message("assistant", "Five euros.", weight=1),), (Message("assistant", "No idea.", weight=1),)
        ),
    ),
    "vote": (
        "vote",
        {"prompt": "How much?", "completion": "Five euros.", "label": True},
        Vote((USER,), (REPLY,), label=True),
    ),
    "vote on turns": (
        "vote",
        {"prompt": _ASKED, "completion": _TOLD, "label": 0},
        Vote((USER,), (REPLY,), label=False),
    ),
    "vote on a chat": (
        "chat-vote",
        {"messages": _ASKED + _TOLD, "label": False},
        Vote((USER,), (REPLY,), label=False),
    ),
    "vote on sharegpt turns": (
        "chat-vote",
        {
            "conversations": [{"from": "human", "value": "How much?"}, {"from": "gpt", "value": "Five euros."}],
            "kto_tag": "true",
        },
        Vote((USER,), (REPLY,), label=True),
    ),
    "label": ("labelled", {"text": "It broke.", "label": "repair"}, Labelled("It broke.", "repair")),
    "label as a number": ("labelled", {"text": "It broke.", "label": 3}, Labelled("It broke.", "3")),
    "category": ("labelled", {"text": "It broke.", "category": "repair"}, Labelled("It broke.", "repair")),
    "labels": (
        "labelled",
        {"text": "It broke.", "labels": ["repair", "angry"]},
        Labelled("It broke.", labels=("repair", "angry")),
    ),
    "pair": (
        "pair",
        {"sentence1": "A cat.", "sentence2": "A dog.", "score": 2.5},
        Pair("A cat.", "A dog.", 2.5),
    ),
    "pair that belongs together": (
        "pair",
        {"anchor": "A cat.", "positive": "One cat."},
        Pair("A cat.", "One cat."),
    ),
    "pair of a paraphrase corpus": (
        "pair",
        {"Quality": "1", "#1 ID": "7", "#2 ID": "8", "#1 String": "A cat.", "#2 String": "One cat."},
        Pair("A cat.", "One cat.", 1.0),
    ),
    "triplet": (
        "triplet",
        {"anchor": "A cat.", "positive": "One cat.", "negative": "A car."},
        Triplet("A cat.", "One cat.", "A car."),
    ),
    "text": ("text", {"text": "  Once\r\nupon a time. "}, Text("  Once\r\nupon a time. ")),
    "text alone": ("text", "  Once upon a time. ", Text("  Once upon a time. ")),
}
