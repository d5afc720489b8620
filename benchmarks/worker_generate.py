"""The other side: transformers' own ways to answer requests. `python -m benchmarks.worker_generate --help`.

It imports nothing of Luthier but finds the embedded model there.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.blocks import Turn
from benchmarks.served import FIDDLE, WORKS, Request, counted, requests, served_model, write_adapters
from benchmarks.shapes import SHAPES

PATIENCE_S = 120
Answer = Callable[[Sequence[Request]], list[int]]
"""Answers requests and returns how many tokens each reply has."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and answers until it is told to end."""
    given = options().parse_args(arguments)
    import torch

    torch.set_num_threads(1)
    model = served_model(given.shape, given.precision)
    vocabulary = model.config.vocab_size
    if given.adapters:
        model = with_adapters(model)
    answer = continuous(model, given) if given.peer == "continuous" else generate(model, given.batch)
    turn = Turn()
    for block in itertools.count():
        asked = requests(given.work, vocabulary, block, adapters=given.adapters)
        turn.step(counted(asked, answer(asked)))


def options() -> argparse.ArgumentParser:
    """Returns the reader of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_generate")
    parser.add_argument("--peer", choices=("generate", "continuous"), default="generate")
    parser.add_argument("--shape", choices=[*sorted(SHAPES), FIDDLE], default="29M")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="fp32")
    parser.add_argument("--work", choices=sorted(WORKS), default="ragged")
    parser.add_argument("--batch", type=int, default=1, help="requests of like length that `generate` gets at once")
    parser.add_argument("--adapters", action="store_true", help="eight of PEFT's adapters, mixed in a batch")
    parser.add_argument("--page", type=int, default=64, help="tokens of a page of the continuous cache")
    parser.add_argument("--batch-tokens", type=int, default=512, help="tokens of a continuous pass")
    parser.add_argument("--cache-tokens", type=int, default=16_384, help="tokens the continuous cache holds")
    parser.add_argument("--requests", type=int, default=64, help="most requests of a continuous pass")
    parser.add_argument("--no-sharing", action="store_true", help="without shared blocks of the continuous cache")
    return parser


def generate(model: Any, size: int) -> Answer:
    """Returns an answer by `generate`, in batches of `size` requests of like length, filled up on the left."""
    import torch

    def answer(asked: Sequence[Request]) -> list[int]:
        found = [0] * len(asked)
        order = sorted(range(len(asked)), key=lambda place: (asked[place].length, len(asked[place].prompt)))
        for start in range(0, len(order), size):
            places = order[start : start + size]
            batch = [asked[place] for place in places]
            tokens, mask = left_padded([one.prompt for one in batch])
            most = max(one.length for one in batch)
            names = [one.adapter for one in batch]
            mixed = {"adapter_names": names} if any(names) else {}
            out = model.generate(input_ids=tokens, attention_mask=mask, max_new_tokens=most, do_sample=False, **mixed)
            written = out.shape[1] - tokens.shape[1]
            for place in places:
                found[place] = min(written, asked[place].length)  # what is beyond the length was not asked for
        return found

    return torch.inference_mode()(answer)


def with_adapters(model: Any) -> Any:
    """Returns the model with PEFT's own layers and eight adapters."""
    from peft import PeftModel

    with tempfile.TemporaryDirectory() as folder:
        places = write_adapters(model, Path(folder))
        first, *others = places
        found = PeftModel.from_pretrained(model, places[first], adapter_name=first)
        for name in others:
            found.load_adapter(places[name], adapter_name=name)
    return found.eval()


def left_padded(prompts: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Returns prompts as tokens (B, T) that end together, and the mask (B, T) of what is no filling."""
    import torch

    width = max(len(prompt) for prompt in prompts)
    tokens = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return tokens, mask


def continuous(model: Any, given: argparse.Namespace) -> Answer:
    """Returns an answer by transformers' continuous batching, its cache bounded.

    It runs in a thread of its own, whose errors come as results or not at all: both raise here.
    """
    from transformers import GenerationConfig
    from transformers.generation.configuration_utils import ContinuousBatchingConfig

    greedy: Any = GenerationConfig
    manager = model.init_continuous_batching(
        generation_config=greedy(do_sample=False, eos_token_id=-1, pad_token_id=0),
        continuous_batching_config=ContinuousBatchingConfig(
            page_size=given.page,
            num_blocks=given.cache_tokens // given.page,
            max_batch_tokens=given.batch_tokens,
            max_requests_per_batch=given.requests,
            allow_block_sharing=not given.no_sharing,
        ),
    )
    manager.start()

    def answer(asked: Sequence[Request]) -> list[int]:
        names = [manager.add_request(list(one.prompt), max_new_tokens=one.length) for one in asked]
        found: dict[str, int] = {}
        while len(found) < len(asked):
            result = manager.get_result(timeout=PATIENCE_S)
            if result is None:
                raise RuntimeError(f"{len(found)} of {len(asked)} replies came, and no more in {PATIENCE_S} s")
            if result.error:
                raise RuntimeError(result.error)
            if result.is_finished():
                found[result.request_id] = len(result.generated_tokens)
        return [found[name] for name in names]

    return answer


if __name__ == "__main__":
    main()
