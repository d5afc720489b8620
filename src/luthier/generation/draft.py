"""One reply while it is being written: its tokens, its text so far, and why it ends."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from luthier.generation.grammar import Matcher
from luthier.generation.sample import Drawn, generator_for, is_plain
from luthier.generation.text import Decodes, Detokenizer, StopTexts, decode
from luthier.records.messages import Delta, FinishReason, Ranked, Reply, Sampling, Usage


class Draft:
    """The reply to prompt number `index`. `room` is how many tokens it may have at most.

    The stop token counts as a token of the reply and is not part of its text. With `streaming`, every token's text
    comes out as soon as it is certain; without, the text is made once at the end (unless stop texts must be watched).
    `scope` says which other texts it may begin with, `adapter` what the model learnt beside its base.
    """

    def __init__(
        self,
        index: int,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        tokenizer: Decodes,
        stop_ids: frozenset[int],
        room: int,
        streaming: bool,
        matcher: Matcher | None = None,
        scope: Hashable = None,
        adapter: str | None = None,
    ) -> None:
        self.index, self.prompt, self.sampling, self.room = index, prompt, sampling, room
        self.scope, self.adapter = scope, adapter
        self.generator = generator_for(sampling)
        self.plain = matcher is None and is_plain(sampling)
        self.finish_reason: FinishReason | None = None
        self.cached = 0  # tokens of the prompt that had been read for another text
        self.abandoned = False  # nobody waits for it any more; set from any thread
        self._tokenizer, self._stop_ids = tokenizer, stop_ids
        self._tokens: list[int] = []
        self._logprobs: list[float] = []
        self._ranked: list[Ranked] = []
        self._pieces: list[str] = []
        self._text = Detokenizer(tokenizer) if streaming or sampling.stop else None
        self._stops = StopTexts(sampling.stop)
        self.matcher = matcher

    @property
    def remaining(self) -> int:
        """How many more tokens the reply may have."""
        return self.room - len(self._tokens)

    @property
    def reusable(self) -> int:
        """How many tokens another text may have read: all but the last, after which the next one is drawn."""
        return len(self.prompt) + len(self._tokens) - 1

    @property
    def tokens(self) -> Sequence[int]:
        """The reply so far."""
        return self._tokens

    def kept(self, start: int, end: int) -> Sequence[int]:
        """Returns the place after which the next token comes, where it is among those from `start` to `end`."""
        last = len(self.prompt) + len(self._tokens) - 1
        return (last,) if start <= last < end else ()

    def push(self, drawn: Drawn) -> Delta:
        """Returns what a token adds to the reply, and settles whether the reply ends with it."""
        token, logprob = drawn.token, drawn.logprob
        self._tokens.append(token)
        if self.matcher is not None:
            self.matcher.push(token)
        if logprob is not None:
            self._logprobs.append(logprob)
            self._ranked.append(drawn.ranked)
        text, ended = self._text_of(token)
        if ended or token in self._stop_ids:
            self.finish_reason = "stop"
        elif not self.remaining:
            self.finish_reason = "length"
        if text:
            self._pieces.append(text)
        return Delta(
            text=text,
            token_ids=(token,),
            logprobs=() if logprob is None else (logprob,),
            top_logprobs=(drawn.ranked,) if drawn.ranked else (),
            finish_reason=self.finish_reason,
            usage=self._usage() if self.finish_reason else None,
        )

    def _text_of(self, token: int) -> tuple[str, bool]:
        """Returns the text that is certain with `token`, and whether a stop text came up in it."""
        if self._text is None:
            return "", False
        stopped = token in self._stop_ids
        text = self._stops.push("" if stopped else self._text.push(token))
        if not self._stops.found and (stopped or not self.remaining):
            text += self._stops.push(self._text.end()) + self._stops.end()
        return text, self._stops.found

    def reply(self) -> Reply:
        """Returns the whole reply."""
        ended = self._tokens[-1:] and self._tokens[-1] in self._stop_ids
        shown = self._tokens[:-1] if ended else self._tokens
        return Reply(
            text="".join(self._pieces) if self._text is not None else decode(self._tokenizer, shown),
            token_ids=tuple(self._tokens),
            logprobs=tuple(self._logprobs),
            top_logprobs=tuple(self._ranked) if self.sampling.top_logprobs else (),
            finish_reason=self.finish_reason or "length",
            usage=self._usage(),
        )

    def _usage(self) -> Usage:
        return Usage(len(self.prompt), len(self._tokens), self.cached)
