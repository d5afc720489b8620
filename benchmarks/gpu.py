"""Replies on a GPU beside transformers' continuous batching: `python -m benchmarks.gpu [--check] [--seconds 150]`.

One process, one model, whose weights are random; both sides answer the same prompts in turns, and what counts is tokens
of replies by wall clock. Every figure is printed as it comes, and left as JSON. `--dry` runs all of it on a CPU.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import json
import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.blocks import middle
from benchmarks.gpu_peer import PEERS, Continuous
from benchmarks.suites import FEWEST, RESULTS
from luthier.generation.row_attention import FILLING
from luthier.generation.steps import STAND_IN, bucket

SHAPES: dict[str, dict[str, Any]] = {
    "1B": {  # Llama 3.2 1B
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
        "tie_word_embeddings": True,
    },
    "8B": {  # Llama 3.1 8B
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128_256,
        "tie_word_embeddings": False,
    },
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 512,
        "tie_word_embeddings": True,
    },
}
SHARES = {("1B", 1): 2, ("1B", 32): 3, ("1B", 256): 8, ("8B", 1): 3, ("8B", 32): 4, ("8B", 256): 8}
"""By what parts sections share the time there is: a block of many texts takes the other side long."""
TRIALS = 0.4
"""The part of a section's time in which the other side's settings are tried."""
PATIENCE = 3
"""A section that needs a number of blocks takes at most so many times its share for them."""
OWN_BLOCKS = 3
"""Blocks of ours before the other side begins: whatever it does, these are there."""
Answer = Callable[[Sequence[Sequence[int]]], int]
"""Answers prompts and returns how many tokens came."""


@dataclass(frozen=True)
class Work:
    """What a block is: so many prompts of random tokens, and tokens of each reply."""

    prompts: int
    prompt: int
    reply: int

    def drawn(self, block: int, vocabulary: int) -> list[list[int]]:
        """Returns a block's prompts: new ones in each, so that none is found again."""
        tokens = np.random.default_rng(block).integers(4, vocabulary, (self.prompts, self.prompt))
        return [list(map(int, row)) for row in tokens]


@dataclass
class Section:
    """A shape and a number of texts at once: seconds of the blocks of both sides, in the order they were run."""

    shape: str
    work: Work
    ours_alone: list[float] = field(default_factory=list)
    without_graphs: float | None = None
    filling_ms: float | None = None
    trials: dict[str, float | str] = field(default_factory=dict)
    peer: str = ""
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    eager_because: str | None = None
    error: str = ""

    @property
    def said(self) -> str:
        """The section's figures in a line."""
        tokens = self.work.prompts * self.work.reply
        own = self.ours or self.ours_alone
        parts = [f"RESULT {self.shape} batch {self.work.prompts}: Luthier {tokens / middle(own).median:,.0f} tokens/s"]
        if self.theirs:
            ratio = middle([their / our for our, their in zip(self.ours, self.theirs, strict=True)])
            rate = tokens / middle(self.theirs).median
            parts.append(
                f"continuous batching ({self.peer}) {rate:,.0f} tokens/s, ratio {ratio}, {len(self.ours)} blocks"
            )
            parts += [f"fewer than {FEWEST}: no claim"] * (len(self.ours) < FEWEST)
        parts += [f"no ratio: {self.error}"] * bool(self.error) + [str(self.eager_because)] * bool(self.eager_because)
        return "; ".join(parts)


class Words:
    """A tokenizer that nobody reads from: replies are compared by their tokens."""

    def decode(self, *given: Any, **options: Any) -> str:
        return ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and runs the check and the sections that it names."""
    given = options().parse_args(arguments)
    # a thread of the other side cannot be ended otherwise
    faulthandler.dump_traceback_later(given.limit, exit=True, file=2)
    try:
        _begin(given)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _begin(given: argparse.Namespace) -> None:
    if given.dry:
        with mock.patch("luthier.generation.passes.way_of", return_value=STAND_IN):
            _run(given, "cpu", torch.float32, Work(0, 12, 8))
    else:
        free = torch.cuda.mem_get_info()[0] / 1e9
        say(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {free:.0f} GB free")
        _run(given, "cuda", torch.bfloat16, Work(0, given.prompt, given.reply))


def options() -> argparse.ArgumentParser:
    """Returns the reader of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--shapes", nargs="*", default=["1B", "8B"], choices=sorted(SHAPES))
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 32, 256])
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--reply", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=150, help="for all sections together")
    parser.add_argument("--floor", type=float, default=12, help="seconds for a section when those are spent")
    parser.add_argument("--limit", type=float, default=400, help="seconds after which the process ends, come what may")
    parser.add_argument(
        "--check", action="store_true", help="first, that the kernels and graphs compute what they should"
    )
    parser.add_argument("--eager", action="store_true", help="once in each section, Luthier without kernels and graphs")
    parser.add_argument("--no-peer", action="store_true", help="Luthier alone")
    parser.add_argument("--dry", action="store_true", help="tiny, on a CPU, with stand-ins for kernels and graphs")
    return parser


def _run(given: argparse.Namespace, device: str, dtype: torch.dtype, work: Work) -> None:
    if given.check:
        from benchmarks.gpu_check import check

        began = time.perf_counter()
        try:
            say(f"CHECK {check(device)}")
        except Exception as error:  # the figures are wanted all the same
            say(f"CHECK FAILED: {error}\n{traceback.format_exc()}")
        say(f"checked in {time.perf_counter() - began:.1f} s")
    shapes = ["tiny"] if given.dry else given.shapes
    wanted = {(shape, batch): SHARES.get((shape, batch), 4) for shape in shapes for batch in given.batches}
    ends, left, found = time.perf_counter() + given.seconds, sum(wanted.values()), []
    for shape in shapes:
        began = time.perf_counter()
        model = made(shape, device, dtype)
        engine = opened(model)
        say(f"{shape}: made in {time.perf_counter() - began:.1f} s; eager because: {engine._runner.eager_because}")
        for batch in given.batches:
            share = wanted[shape, batch] / max(1, left)
            left -= wanted[shape, batch]
            section = Section(shape, Work(batch, work.prompt, work.reply))
            found.append(section)
            _measured(section, model, engine, max(given.floor, share * (ends - time.perf_counter())), given)
            say(section.said)
            RESULTS.mkdir(parents=True, exist_ok=True)
            kept = [vars(one) | {"work": vars(one.work), "said": one.said} for one in found if one.ours_alone]
            (RESULTS / "gpu.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        del model, engine
        emptied()


def _measured(section: Section, model: Any, engine: Any, seconds: float, given: argparse.Namespace) -> None:
    """Fills a section within so many seconds, or not much more. What goes wrong on the other side is kept in it."""
    vocabulary, ends = model.config.vocab_size, time.perf_counter() + seconds
    section.ours_alone = [
        timed(section.work, number, vocabulary, ours(engine, section.work)) for number in range(-2, 0)
    ]
    section.ours_alone = [
        timed(section.work, number, vocabulary, ours(engine, section.work)) for number in range(OWN_BLOCKS)
    ]  # the first two captured graphs
    section.eager_because = engine._runner.eager_because
    section.filling_ms = filling_ms(engine, section.work.prompts)
    each = min(section.ours_alone) / section.work.reply * 1e3
    say(f"  {section.shape} batch {section.work.prompts}: alone {_rounded(section.ours_alone)} s")
    say(f"  {each:.3f} ms a token of all texts; a graph of filling takes {section.filling_ms or 0:.3f} ms")
    if given.eager:
        with mock.patch.object(engine._runner, "_way", None):
            both = [timed(section.work, number, vocabulary, ours(engine, section.work)) for number in (-4, -3)]
        section.without_graphs = both[1]
        say(f"  without kernels and graphs: {both[1]:.3f} s")
    if given.no_peer:
        return
    chosen: Continuous | None = None
    try:
        chosen = _best(section, model, time.perf_counter() + TRIALS * (ends - time.perf_counter()))
        fewest, late = (FEWEST if section.shape == "1B" else 2), ends + (PATIENCE - 1) * seconds
        while time.perf_counter() < (ends if len(section.theirs) >= fewest else late):
            number = 100 + len(section.theirs)
            for own in (True, False) if number % 2 else (False, True):
                if own:
                    section.ours.append(timed(section.work, number, vocabulary, ours(engine, section.work)))
                else:
                    with chosen.ready():
                        section.theirs.append(timed(section.work, number, vocabulary, chosen.answer))
            say(f"  block {number - 99}: ours {section.ours[-1]:.3f} s, theirs {section.theirs[-1]:.3f} s")
    except Exception as error:
        whole = min(len(section.ours), len(section.theirs))
        section.ours, section.theirs = section.ours[:whole], section.theirs[:whole]
        section.error = f"{type(error).__name__}: {error}"
        say(traceback.format_exc())
    finally:
        if chosen is not None:
            chosen.close()
        emptied()


def _best(section: Section, model: Any, ends: float) -> Continuous:
    """Returns the other side with those of its settings that answer quickest: the first, and more while it is time."""
    vocabulary, error = model.config.vocab_size, RuntimeError("no settings")
    best: Continuous | None = None
    for number, (name, settings) in enumerate(PEERS.items()):
        if best is not None and time.perf_counter() > ends:
            break
        work = section.work
        try:
            peer = Continuous(model, settings, prompts=work.prompts, prompt=work.prompt, reply=work.reply)
            with peer.ready():
                timed(work, -10 - 3 * number, vocabulary, peer.answer)
                seconds = timed(work, -11 - 3 * number, vocabulary, peer.answer)
        except Exception as failed:
            section.trials[name], error = f"{type(failed).__name__}: {failed}", RuntimeError(f"{name}: {failed}")
            say(traceback.format_exc())
            continue
        section.trials[name] = seconds
        say(f"  trial of continuous batching, {name}: {seconds:.3f} s")
        quicker = best is None or seconds < float(section.trials[section.peer])
        loser = best if quicker else peer
        if quicker:
            best, section.peer = peer, name
        if loser is not None:
            loser.close()
    if best is None:
        raise error
    return best


def timed(work: Work, block: int, vocabulary: int, answer: Answer) -> float:
    """Returns the seconds that a block takes; `RuntimeError` where not all tokens came."""
    prompts = work.drawn(block + 1000, vocabulary)
    synchronize()
    began = time.perf_counter()
    count = answer(prompts)
    synchronize()
    seconds = time.perf_counter() - began
    if count != work.prompts * work.reply:
        raise RuntimeError(f"{count} tokens came instead of {work.prompts * work.reply}")
    return seconds


def ours(engine: Any, work: Work) -> Answer:
    """Returns an answer by the engine: greedy, of the length asked for; no text is made of the tokens."""
    from luthier.records.messages import Sampling

    def answer(prompts: Sequence[Sequence[int]]) -> int:
        drafts = engine.drafts(prompts, Sampling(max_tokens=work.reply), streaming=False)
        with engine.session() as session:
            for draft in drafts:
                session.add(draft)
            while not session.is_idle:
                session.step()
        return sum(len(draft.tokens) for draft in drafts)

    return answer


def filling_ms(engine: Any, prompts: int) -> float | None:
    """Returns the milliseconds of a captured pass of texts that are none: all but attention; None where none is."""
    captured = engine._runner._steps.captured.get(bucket(prompts))
    if captured is None or not torch.cuda.is_available():
        return None
    static, replay = captured
    static.copy_(torch.tensor(FILLING, device=static.device)[:, None].expand_as(static))
    synchronize()
    began = time.perf_counter()
    for _ in range(20):
        replay()
    synchronize()
    return (time.perf_counter() - began) / 20 * 1e3


def made(shape: str, device: str, dtype: torch.dtype) -> Any:
    """Returns a Llama of the shape with random weights, made where it is used."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    config: Any = LlamaConfig(max_position_embeddings=8192, bos_token_id=1, eos_token_id=2, **SHAPES[shape])
    loader: Any = AutoModelForCausalLM
    torch.manual_seed(0)
    with torch.device(device):
        model = loader.from_config(config, dtype=dtype, attn_implementation="sdpa")
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = None, 0
    return model.eval().requires_grad_(False)


def opened(model: Any) -> Any:
    """Returns the engine over a model, as it comes; nothing ends a reply but its length."""
    from luthier.generation.engine import Engine

    return Engine(model, Words(), stop_ids=frozenset(), context_length=2048)


def synchronize() -> None:
    """Waits for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def emptied() -> None:
    """Gives memory that nobody uses back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def say(what: str) -> None:
    """Prints a line at once."""
    print(what, flush=True)


def _rounded(seconds: Sequence[float]) -> str:
    return ", ".join(f"{one:.3f}" for one in seconds)


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # without waiting for threads of the other side
