"""One small experiment for each feature of another server: ask with it, and look whether that made a difference.

Servers drop what they do not know without a word, so an answer proves nothing: a reply has to be different with the
feature, or the same again, as the feature says. What an experiment cannot tell apart is unclear, and never held against
the server.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from luthier.generation.findings import CHAT, COMPLETIONS, State

Seen = tuple[State, str]
Say = Callable[..., Awaitable["Said"]]
LIMIT, HOT = 12, 1.5
"""Tokens of a reply, and the temperature at which replies differ."""
WORD = "quillwort"
SCHEMA = {
    "type": "object",
    "properties": {"plant": {"type": "string", "enum": [WORD]}},
    "required": ["plant"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "name_plant", "description": "Names a plant", "parameters": SCHEMA}}


@dataclass(frozen=True, slots=True)
class Said:
    """What a server answered: all the text of its first choice, what of it is the reply, and what it counts."""

    text: str
    content: str
    reason: str
    choices: int
    calls: int
    prompt_tokens: int | None
    tokens: int | None
    logprobs: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Said:
        """Returns what an answer of either endpoint says."""
        choices = answer.get("choices") or [{}]
        first, usage = choices[0], answer.get("usage") or {}
        message = first.get("message") or {}
        content = str(first.get("text") or message.get("content") or "")
        thought = str(message.get("reasoning_content") or message.get("reasoning") or "")
        return cls(
            text=thought + content,
            content=content,
            reason=str(first.get("finish_reason")),
            choices=len(choices),
            calls=len(message.get("tool_calls") or ()),
            prompt_tokens=usage.get("prompt_tokens"),
            tokens=usage.get("completion_tokens"),
            logprobs=first.get("logprobs") or {},
        )


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint, and what it answers when nothing is asked for: twice without chance, and to a seed, twice, and to
    another seed. `say` asks it with further keys; `drawn` is empty where it takes no seed."""

    path: str
    limit_key: str
    say: Say
    plain: tuple[Said, Said]
    drawn: tuple[Said, ...] = ()

    @property
    def steady(self) -> bool:
        """Whether replies without chance are the same each time."""
        return self.plain[0].text == self.plain[1].text

    @property
    def repeats(self) -> bool:
        """Whether replies are the same to the same seed, and not to another."""
        texts = [one.text for one in self.drawn]
        return len(texts) == 3 and texts[0] == texts[1] != texts[2]


async def limit(place: Place) -> Seen:
    cut = await place.say(**{place.limit_key: 2})
    if cut.tokens is not None and cut.tokens > 2:
        return "ignored", f"{cut.tokens} tokens where 2 were allowed"
    if place.steady and len(cut.text) < len(place.plain[0].text):
        return "honoured", ""
    if cut.text and cut.text == place.plain[0].text and cut.tokens is None:
        return "ignored", "the reply to 2 tokens is as long as without"
    return "unclear", "its replies are too short to be cut"


async def temperature(place: Place) -> Seen:
    if not place.steady:
        return "ignored", "two replies at temperature 0 differ"
    hot = await place.say(temperature=HOT)
    same = hot.text == place.plain[0].text
    return ("unclear", f"replies at temperature 0 and {HOT} are the same") if same else ("honoured", "")


async def seed(place: Place) -> Seen:
    first, second, other = place.drawn
    if first.text != second.text:
        return "ignored", "two replies to the same seed differ"
    same = second.text == other.text
    return ("unclear", "replies to other seeds are the same too") if same else ("honoured", "")


def narrowed(key: str, value: float) -> Callable[[Place], Awaitable[Seen]]:
    """Returns the experiment on a key that leaves one token to draw from: then nothing is left to chance."""

    async def check(place: Place) -> Seen:
        first, second = [await place.say(**{key: value, "temperature": HOT}) for _ in range(2)]
        free = place.drawn[0] if place.drawn else await place.say(temperature=HOT)
        wanted = place.plain[0].text
        if first.text != second.text:
            return "ignored", f"replies with {key} {value:g} differ as if it were not there"
        if place.steady and first.text == wanted != free.text:
            return "honoured", ""
        return "unclear", "replies do not vary enough to tell"

    return check


def penalty(key: str) -> Callable[[Place], Awaitable[Seen]]:
    """Returns the experiment on a penalty: it should change a reply that repeats itself, or one to a seed."""

    async def check(place: Place) -> Seen:
        if place.steady and (await place.say(**{key: 2.0})).text != place.plain[0].text:
            return "honoured", ""
        if not place.repeats:
            return "unclear", "without seeds there is nothing to compare with"
        wanted = place.drawn[0].text
        for value in (-2.0, 2.0):
            if (await place.say(**{key: value, "seed": 1, "temperature": HOT})).text != wanted:
                return "honoured", ""
        return "ignored", f"{key} 2 and -2 change no reply"

    return check


async def logit_bias(place: Place) -> Seen:
    if not place.steady:
        return "unclear", "replies at temperature 0 differ anyway"
    biased = await place.say(logit_bias={"100": 100})
    same = biased.text == place.plain[0].text
    return ("ignored", "a bias of 100 on a token changes no reply") if same else ("honoured", "")


async def stop(place: Place) -> Seen:
    text = place.plain[0].text
    middle = text[len(text) // 2 :][:2]  # where it writes no words
    words = [word for word in (*text.split(), middle) if len(word) > 1 and text.find(word) > 0 and "\ufffd" not in word]
    if not place.steady or not words:
        return "unclear", "its replies hold nothing to stop at"
    word = words[(len(words) - 1) // 2]
    said = await place.say(stop=[word])
    if word in said.text:
        return "ignored", "the reply goes on after the stop text"
    whole = said.text.rstrip() == text[: text.find(word)].rstrip()
    return ("honoured", "") if whole else ("unclear", "the reply to a stop text is another one")


async def choices(place: Place) -> Seen:
    said = await place.say(n=2, temperature=HOT)
    return ("honoured", "") if said.choices == 2 else ("ignored", f"{said.choices} choice where 2 were asked for")


async def logprobs(place: Place) -> Seen:
    said = await place.say(logprobs=True if place.path == CHAT else 1)
    there = said.logprobs.get("content") or said.logprobs.get("token_logprobs")
    return ("honoured", "") if there else ("ignored", "no log-probabilities came")


async def top_logprobs(place: Place) -> Seen:
    said = await place.say(logprobs=True, top_logprobs=2)
    tokens: Any = said.logprobs.get("content") or ({},)
    there = len(tokens[0].get("top_logprobs") or ()) >= 2
    return ("honoured", "") if there else ("ignored", "no likeliest tokens came")


async def json_schema(place: Place) -> Seen:
    form = {"type": "json_schema", "json_schema": {"name": "plant", "schema": SCHEMA, "strict": True}}
    said = await place.say(response_format=form, **{place.limit_key: 3 * LIMIT})
    try:
        follows = json.loads(said.content) == {"plant": WORD}
    except ValueError:
        follows = False
    if follows:
        return "honoured", ""
    if not said.content or (said.reason == "length" and said.content.lstrip().startswith("{")):
        return "unclear", "the reply was cut before its end"
    return "ignored", "the reply does not follow the schema"


async def tools(place: Place) -> Seen:
    said = await place.say(tools=[TOOL])
    before, after = place.plain[0].prompt_tokens, said.prompt_tokens
    if not before or not after:
        return "unclear", "it does not say how much it reads"
    return ("honoured", "") if after > before else ("ignored", "the model reads no more with tools than without")


async def tool_choice(place: Place) -> Seen:
    said = await place.say(tools=[TOOL], tool_choice="required", **{place.limit_key: 4 * LIMIT})
    if said.calls:
        return "honoured", ""
    if not said.content and said.reason == "length":
        return "unclear", "the reply was cut before its end"
    return "ignored", "no tool was called where one had to be"


async def token_prompt(place: Place) -> Seen:
    read = (await place.say(prompt=[100, 101, 102])).prompt_tokens
    if not read:
        return "unclear", "it does not say how much it reads"
    return ("honoured", "") if read in (3, 4) else ("ignored", f"3 token ids were read as {read} tokens")


async def echo(place: Place) -> Seen:
    said = await place.say(echo=True, max_tokens=1)
    there = len(said.text) > len(PROMPT) and said.text.lstrip().startswith(PROMPT)
    return ("honoured", "") if there else ("ignored", "the prompt is not in the answer")


async def echo_logprobs(place: Place) -> Seen:
    said = await place.say(echo=True, logprobs=1, max_tokens=1)
    values = said.logprobs.get("token_logprobs") or ()
    scored = sum(value is not None for value in values) > 1
    return ("honoured", "") if scored else ("ignored", "the prompt's tokens have no log-probabilities")


PROMPT = "A list of ten unusual words:"
MESSAGES = [{"role": "user", "content": "Write a list of ten unusual words."}]

Check = tuple[str, tuple[str, ...], Callable[[Place], Awaitable[Seen]]]
"""The name of a feature, the keys that ask for it, and its experiment. What takes few tokens comes first."""

_BOTH: tuple[Check, ...] = (
    ("temperature", (), temperature),
    ("max_tokens", ("max_tokens",), limit),
    ("seed", ("seed",), seed),
    ("logprobs", ("logprobs",), logprobs),
    ("n", ("n",), choices),
    ("stop", ("stop",), stop),
    ("logit_bias", ("logit_bias",), logit_bias),
    ("frequency_penalty", ("frequency_penalty",), penalty("frequency_penalty")),
    ("presence_penalty", ("presence_penalty",), penalty("presence_penalty")),
    ("top_p", ("top_p",), narrowed("top_p", 1e-4)),
    ("top_k", ("top_k",), narrowed("top_k", 1)),
    ("min_p", ("min_p",), narrowed("min_p", 1.0)),
)
CHECKS: Mapping[str, tuple[Check, ...]] = {
    CHAT: (
        ("json_schema", ("response_format",), json_schema),
        ("tools", ("tools",), tools),
        ("tool_choice required", ("tool_choice",), tool_choice),
        ("top_logprobs", ("top_logprobs",), top_logprobs),
        *_BOTH,
    ),
    COMPLETIONS: (
        ("token ids as prompt", ("prompt",), token_prompt),
        ("echo", ("echo",), echo),
        ("echo with logprobs", ("echo", "logprobs"), echo_logprobs),
        *_BOTH,
    ),
}
