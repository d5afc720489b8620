# ruff: noqa: E501  (a tool reads best on one line)
"""Tool calls: a request and one or two offered functions become a call, then its result becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row


@dataclass(frozen=True)
class Tool:
    """A function the model may call: parameters by name, requests that need it, and what is said of its result."""

    name: str
    about: str
    parameters: tuple[tuple[str, str, Callable[[Draw], Any]], ...]
    requests: tuple[str, ...]
    result: Callable[[Draw, dict[str, Any]], Any]
    answer: str

    def schema(self) -> dict[str, Any]:
        properties = {name: {"type": kind} for name, kind, _ in self.parameters}
        body = {"type": "object", "properties": properties, "required": list(properties)}
        return {"type": "function", "function": {"name": self.name, "description": self.about, "parameters": body}}


TOOLS = (
    Tool("get_weather", "Weather of a town", (("town", "string", Draw.town),), ("What is the weather in {town}?", "Is it nice in {town}?", "How is the weather in {town} now?", "Weather for {town}, please.", "Do I need a coat in {town}?"), lambda d, given: {"weather": d.any(("rain", "sun", "snow", "fog", "wind"))}, "The weather in {town} is {weather}."),
    Tool("get_time", "Local time of a town", (("town", "string", Draw.town),), ("What time is it in {town}?", "How late is it in {town}?", "Tell me the time in {town}.", "The time in {town}, please.", "Is it night in {town}?"), lambda d, given: {"time": d.clock()}, "It is {time} in {town}."),
    Tool("add_numbers", "Add two numbers", (("a", "integer", lambda d: d.between(100, 9999)), ("b", "integer", lambda d: d.between(100, 9999))), ("What is {a} plus {b}?", "Add {a} and {b}.", "Sum of {a} and {b}?", "{a} + {b}", "Please add {b} to {a}."), lambda d, given: {"sum": given["a"] + given["b"]}, "The sum is {sum}."),
    Tool("set_timer", "Set a timer in minutes", (("minutes", "integer", lambda d: d.between(1, 90)),), ("Set a timer for {minutes} minutes.", "Wake me in {minutes} minutes.", "Timer, {minutes} minutes.", "Count {minutes} minutes for me.", "Ring in {minutes} minutes."), lambda d, given: {"id": d.code()}, "The timer {id} is set."),
    Tool("find_person", "Look up the phone number of a person", (("name", "string", Draw.person),), ("What is the number of {name}?", "Find {name} for me.", "How can I reach {name}?", "Look up {name}.", "I want to call {name}."), lambda d, given: {"phone": d.telephone()}, "The number of {name} is {phone}."),
    Tool("play_music", "Play a piece by an artist", (("artist", "string", Draw.person),), ("Play something by {artist}.", "I want to hear {artist}.", "Music by {artist}, please.", "Put on {artist}.", "Start a record of {artist}."), lambda d, given: {"piece": d.made_up().capitalize()}, "Now playing {piece} by {artist}."),
    Tool("convert_money", "Change an amount into another currency", (("amount", "integer", lambda d: d.between(1, 900)), ("to", "string", lambda d: d.any(("EUR", "USD", "GBP", "JPY", "INR")))), ("How much is {amount} in {to}?", "Change {amount} to {to}.", "Convert {amount} into {to}.", "{amount} to {to}, please.", "What do I get in {to} for {amount}?"), lambda d, given: {"value": d.between(1, 2000)}, "That is {value} {to}."),
    Tool("book_seat", "Book a seat on a train", (("to", "string", Draw.town), ("time", "string", Draw.clock)), ("Book a seat to {to} at {time}.", "I need the {time} train to {to}.", "A seat to {to} for {time}, please.", "Train to {to}, {time}.", "I take the train at {time} to {to}."), lambda d, given: {"seat": d.code()}, "Your seat to {to} is {seat}."),
    Tool("translate_word", "Translate a word", (("word", "string", lambda d: d.word("things")), ("language", "string", lambda d: d.any(("French", "German", "Spanish", "Polish", "Turkish")))), ("What is {word} in {language}?", "Translate {word} into {language}.", "How do I say {word} in {language}?", "{language} for {word}?", "Give me the {language} word for {word}."), lambda d, given: {"text": d.made_up()}, "In {language} it is {text}."),
    Tool("search_books", "Search books by subject", (("subject", "string", lambda d: d.word("subjects")),), ("Find a book about {subject}.", "Do you have books on {subject}?", "I want to read about {subject}.", "Books on {subject}, please.", "Search for {subject}."), lambda d, given: {"title": f"The {d.word('adjectives').title()} {d.word('things').title()}"}, "I found {title}."),
)  # fmt: skip


def tool_call(draw: Draw) -> Row:
    """Returns a row whose assistant calls a tool, and in half of them answers with what the tool returned."""
    tool, *others = draw.random.sample(TOOLS, draw.between(1, 2))
    arguments = {name: make(draw) for name, _, make in tool.parameters}
    offered = [entry.schema() for entry in draw.random.sample([tool, *others], 1 + len(others))]
    call = {"name": tool.name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": draw.phrase(tool.requests).format(**arguments)},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
    ]
    if draw.chance(0.5):
        result = tool.result(draw, arguments)
        messages.append({"role": "tool", "tool_call_id": "call_1", "content": json.dumps(result, ensure_ascii=False)})
        messages.append({"role": "assistant", "content": tool.answer.format(**arguments, **result)})
    return {"messages": messages, "tools": offered}
