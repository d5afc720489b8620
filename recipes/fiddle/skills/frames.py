# ruff: noqa: E501  (phrase lists read best in long lines)
"""What people put around a statement or a question: "By the way, ...", "... Be brief." Training rows only."""

from __future__ import annotations

from recipes.fiddle.draw import Draw
from recipes.fiddle.skills.paraphrases import split

LEAD_SHARE = 0.12
TAIL_SHARE = 0.05
QUESTION_LEAD_SHARE = 0.15
QUESTION_END_SHARE = 0.1
BARE_SHARE = 0.04
"""Of the questions, those without their question mark."""

LEADS = split(
    """By the way, | As far as I know, | People say that | They say that | It is known that | Everybody knows that | I have heard that | I was told that | We are told that | One thing is sure:
    | Note that | It is said that | According to the paper, | According to the list, | The report says that | As it happens, | In fact, | Of course, | You may know that | Not everyone knows that
    | It turns out that | It seems that | Besides, | Also, | What is more, | To be exact, | For the record, | For your information, | As you may have heard, | As everyone knows, | As I said,
    | My sister says that | A neighbour told me that | The notes say that | The letter says that | If I remember rightly, | If I am not mistaken, | So far, | In short, | To tell the truth, | It is true that
    | I can add that | Let me add that | It is written that | Here is a fact: | One more thing: | A small detail: | Then again, | First of all, | It should be said that | Interestingly, | It is no secret that
    | We learned that | In the guide it says that | As a matter of fact, | You should know that | They found out that | Someone mentioned that | Just so you know, | What we know is that"""
)
TAILS = split(
    """as far as I know | they say | I believe | or so I heard | as everyone knows | as you may know | people say | it seems | I am told | if I remember rightly | of course | by the way | as it happens
    | according to the paper | according to a friend | and that is that | and nobody minds | to be exact | which is no secret | so the letter says | as was reported | as we found out | it is said | I think
    | as the list shows | to tell the truth | without any doubt | as always | for what it is worth | as anyone can tell you"""
)
QUESTION_LEADS = split(
    """Tell me: | Please tell me: | I'd like to know: | I would like to know: | One question: | A question: | Quick question: | Just one thing: | My question is this: | Here is my question: | Can you tell me this: | Can you help me:
    | Say, | Please, | Well, | So, | And now: | Next: | Now: | First: | Look it up: | From the text: | According to the text, | Going by the text, | If you look at the text, | As the text has it, | From what is written, | By what it says here,
    | In the text above or below, | Let me ask you: | Let me ask: | May I ask: | Do you know: | I wonder: | I was asked: | Somebody wants to know: | We need to know: | They want to know: | I forgot: | Remind me: | Please check: | Please find out:
    | Out of interest, | Just to be sure, | Just to check, | To be clear, | Sorry, | Excuse me, | Hello, | Hi. | Hello. | One more question. | A short question. | Something else. | Please look this up. | I need your help. | For my notes: | For the list:"""
)
QUESTION_ENDS = split(
    """Be brief. | Please be brief. | Keep it short. | Short answer, please. | A short answer will do. | Answer shortly. | In a few words. | Just the answer. | Only the answer, please. | The answer only. | No explanation. | No more than that.
    | Please answer from the text. | Use the text. | Answer with the words of the text. | As it is written. | Exactly as it is written. | Word for word, please. | Please. | Thanks. | Thank you. | Many thanks. | Thanks in advance.
    | I need to know. | I forgot. | I can't find it. | I could not find it. | Please look it up. | Look it up, please. | Do you know? | Can you tell me? | Can you find it? | Can you help? | What does the text say? | It must be in there somewhere.
    | If the text says so. | That is all I want to know. | That's all. | Nothing else, please. | Tell me. | Please tell me. | It is important. | I am in a hurry. | Be quick, please. | I would be glad to know."""
)
COMMANDS = frozenset(
    split(
        "Ask | Bring | Call | Come | Dial | Do | Give | Go | Keep | Letters | Look | Mark | Name | Please | Should | State | Tell | To | Wait | Write | You"
    )
)
"""First words of statements that take no lead."""


def statement(draw: Draw, text: str) -> str:
    """Returns the phrasing of a statement, in training rows now and then with a lead or a tail."""
    if draw.held_out or text.split()[0] in COMMANDS:
        return text
    if draw.chance(LEAD_SHARE):
        return f"{draw.any(LEADS)} {_inside(text)}"
    if text.endswith(".") and draw.chance(TAIL_SHARE):
        return f"{text[:-1]}, {draw.any(TAILS)}."
    return text


def question(draw: Draw, text: str) -> str:
    """Returns the phrasing of a question, in training rows now and then with a lead, an end or no question mark."""
    if draw.held_out:
        return text
    asks = text.endswith("?")
    if asks and draw.chance(BARE_SHARE):
        return text[:-1]
    if asks and draw.chance(QUESTION_LEAD_SHARE):
        lead = draw.any(QUESTION_LEADS)
        text = f"{lead} {text if lead.endswith('.') or (lead.endswith(':') and draw.chance(0.5)) else _inside(text)}"
    return f"{text} {draw.any(QUESTION_ENDS)}" if draw.chance(QUESTION_END_SHARE) else text


def _inside(text: str) -> str:
    """Returns a phrasing as it goes on after a lead: without its capital, unless it is "I"."""
    return text if text.split()[0] == "I" else text[:1].lower() + text[1:]
