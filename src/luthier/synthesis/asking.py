"""Requests to a model, many at once: kept in a file by (model, parameters, messages), so that none is paid twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field

from luthier.errors import Interrupted, LuthierError
from luthier.evaluation.items import Answered, Item, OnReply, Prompt, System
from luthier.evaluation.replies import KeptReplies, answer_items, failures
from luthier.records.messages import Chat, Message, Reply, Sampling, Usage
from luthier.report import Report

AT_ONCE = 8


class Streamed:
    """Any chat as what answers many prompts, `AT_ONCE` of them at a time. Implements `evaluation.items.System`."""

    def __init__(self, chat: Chat, name: str) -> None:
        self.chat, self.name = chat, name

    def answer(
        self, prompts: Sequence[Prompt], sampling: Sampling, on_reply: OnReply, between: Callable[[], None]
    ) -> None:
        async def work() -> None:
            free = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with free:
                    between()
                    try:
                        on_reply(number, await self._reply(prompts[number], sampling))
                    except Interrupted:
                        raise
                    except LuthierError as error:
                        on_reply(number, error)

            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(len(prompts)):
                        group.create_task(one(number))
            except* Interrupted as stopped:
                raise stopped.exceptions[0] from None

        with ThreadPoolExecutor(1) as thread:  # a notebook's loop may run in this one
            thread.submit(asyncio.run, work()).result()

    async def _reply(self, prompt: Prompt, sampling: Sampling) -> Reply:
        text, usage = list[str](), Usage(0, 0)
        async with aclosing(self.chat.stream(prompt.messages, sampling)) as deltas:  # type: ignore[type-var]
            async for delta in deltas:
                text.append(delta.text)
                usage = delta.usage or usage
        return Reply("".join(text), usage=usage)


@dataclass
class Spent:
    """Tokens that the requests for each passage took in and gave out, those of kept replies too."""

    read: Counter[str] = field(default_factory=Counter)
    wrote: Counter[str] = field(default_factory=Counter)


class Asker:
    """Asks `system` and counts what it takes. `identity` changes when its replies would."""

    def __init__(self, system: System, identity: str, kept: KeptReplies, sampling: Sampling, report: Report) -> None:
        self.system, self.identity, self.kept, self.sampling = system, identity, kept, sampling
        self.spent = Spent()
        self._report = report

    def ask(self, task: str, prompts: Sequence[Sequence[Message]], owners: Sequence[str]) -> list[Answered]:
        """Returns the replies in order; `owners` are the ids of the passages whose account each is on. `Interrupted`
        when the work was stopped; what was answered before is kept. A whole batch that fails raises why."""
        every = [_item(number, messages) for number, messages in enumerate(prompts)]
        items = list({item.fingerprint: item for item in every}.values())
        self._report.progress(task, 0, len(items))
        replies = answer_items(
            self.system,
            items,
            self.sampling,
            kept=self.kept,
            identity=self.identity,
            on_reply=lambda done, reply: self._report.progress(task, done, len(items)),
            between=self._go_on,
        )
        self._report.progress(task, len(items), len(items))
        if failed := failures(items, replies):
            if all(reply.error for reply in replies):
                raise LuthierError(replies[0].error, where=self.system.name, remedy="give the same command to go on")
            self._report.event("warning", f"{task}: {failed}")
        by_prompt = {item.fingerprint: reply for item, reply in zip(items, replies, strict=True)}
        replies = [by_prompt[item.fingerprint] for item in every]
        for reply, owner in zip(replies, owners, strict=True):
            self.spent.read[owner] += reply.prompt_tokens
            self.spent.wrote[owner] += reply.tokens
        return replies

    def _go_on(self) -> None:
        if self._report.cancelled():
            raise Interrupted("the replies so far are kept", where="synthesize", remedy="give the same command again")


def _item(number: int, messages: Sequence[Message]) -> Item:
    said = json.dumps([message.to_json() for message in messages], sort_keys=True)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()[:32]
    return Item(number, fingerprint, Prompt(tuple(messages)), Message("assistant", ""))
