"""Equal replies: the engine's greedy tokens beside `generate`'s, and its log-probabilities beside the trainer's.

`python -m benchmarks.equality [--prompts N]`. Everything is fp32. After a step whose two best logits are nearly the
same, any rounding may choose either, and what follows is not compared: such steps are counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.served import FIDDLE, Request, requests, served_model
from benchmarks.suites import RESULTS
from benchmarks.worker_engine import answer, open_engine

SHAPES = ("29M", FIDDLE)
PROMPTS, LONGEST = 200, 48
TIE, BOUND = 1e-4, 1e-4
TOKENS_PER_PASS = 4096


@dataclass
class Found:
    """What was compared: replies and their tokens, steps that were nearly ties, and replies that differ before any."""

    shape: str
    replies: int = 0
    tokens: int = 0
    ties: int = 0
    left_out: int = 0
    different: int = 0
    logprobs: int = 0
    largest: float = 0.0

    @property
    def holds(self) -> bool:
        return not self.different and self.largest <= BOUND


def compare(shape: str, count: int = PROMPTS) -> Found:
    """Returns how the engine's replies to `count` ragged prompts compare."""
    engine, plain = open_engine(shape), served_model(shape, "fp32")
    asked = ragged(engine.model.config.vocab_size, count)
    replies = answer(engine, asked, logprobs=True)
    found = Found(shape)
    for one, reply in zip(asked, replies, strict=True):
        tokens, gaps = _generated(plain, one)
        _count(found, reply.token_ids, tokens, gaps)
    pairs = [(one.prompt, reply.token_ids) for one, reply in zip(asked, replies, strict=True)]
    trained = trained_logprobs(plain, pairs)
    for reply, expected in zip(replies, trained, strict=True):
        differences = np.abs(np.subtract(reply.logprobs, expected))
        found.logprobs += len(expected)
        found.largest = max(found.largest, float(differences.max()))
    return found


def ragged(vocabulary: int, count: int) -> list[Request]:
    """Returns `count` requests of ragged lengths, replies of 48 tokens at most: a reply is as good as a longer one."""
    found: list[Request] = []
    block = 0
    while len(found) < count:
        found += requests("ragged", vocabulary, block)
        block += 1
    return [Request(one.prompt, min(one.length, LONGEST)) for one in found[:count]]


def _generated(model: Any, one: Request) -> tuple[list[int], list[float]]:
    """Returns what `generate` replies, and the distance between the two best logits at each step."""
    import torch

    tokens = torch.tensor([one.prompt])
    with torch.inference_mode():
        out = model.generate(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=one.length,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
    best = torch.cat(out.logits).topk(2).values  # (n, 2)
    return out.sequences[0, tokens.shape[1] :].tolist(), (best[:, 0] - best[:, 1]).tolist()


def _count(found: Found, ours: Sequence[int], theirs: Sequence[int], gaps: Sequence[float]) -> None:
    """Adds one reply to what was found: tokens are compared up to the first that differ."""
    found.replies += 1
    if len(ours) != len(theirs):
        found.different += 1
        return
    for place, (one, other, gap) in enumerate(zip(ours, theirs, gaps, strict=True)):
        if one != other:
            found.left_out += len(ours) - place
            found.ties += gap < TIE
            found.different += gap >= TIE
            return
        found.tokens += 1


def trained_logprobs(model: Any, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[list[float]]:
    """Returns the log-probability of each token of each (prompt, reply), as training computes it from packed rows."""
    import torch

    from luthier.models.attention import use_packed_attention
    from luthier.objectives.language import for_model
    from luthier.tokens.pack import pack_rows
    from luthier.tokens.token_rows import TokenRow

    rows = []
    for number, (prompt, reply) in enumerate(pairs):
        tokens = np.array([*prompt, *reply], dtype=np.int32)
        rows.append(TokenRow(tokens, np.arange(len(tokens)) >= len(prompt), number))
    found: list[list[float]] = []
    with use_packed_attention(model):
        objective = for_model(model, rows[:2])
        for group in _passes(rows):
            losses, _ = objective.token_losses(model, pack_rows(group))
            parts = torch.split(-losses, [int(row.labels.sum()) for row in group])
            found += [part.tolist() for part in parts]
    return found


def _passes(rows: Sequence[Any]) -> list[list[Any]]:
    """Returns the rows, in their order, as passes of up to 4,096 tokens."""
    passes: list[list[Any]] = [[]]
    for row in rows:
        if passes[-1] and sum(len(one.tokens) for one in passes[-1]) + len(row.tokens) > TOKENS_PER_PASS:
            passes.append([])
        passes[-1].append(row)
    return passes


def table(found: Sequence[Found]) -> str:
    """Returns the figures as Markdown."""
    lines = [
        f"| model, fp32 | replies | equal tokens | near ties (below {TIE:g}) | left out after them | differ "
        "| largest difference of log-probabilities | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        verdict = "holds" if one.holds else "MISSED"
        lines.append(
            f"| {one.shape} | {one.replies} | {one.tokens:,} | {one.ties} | {one.left_out} | {one.different} "
            f"| {one.largest:.1e} of {one.logprobs:,} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and keeps the comparison of each model, and fails where one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.equality")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--shape", choices=SHAPES, action="append", help=f"default: {' and '.join(SHAPES)}")
    given = parser.parse_args(arguments)
    found = [compare(shape, given.prompts) for shape in given.shape or SHAPES]
    RESULTS.mkdir(parents=True, exist_ok=True)
    kept = json.dumps([asdict(one) for one in found], indent=1) + "\n"
    (RESULTS / "equality.json").write_text(kept, encoding="utf-8")
    print("\n" + table(found), flush=True)
    if not all(one.holds for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
