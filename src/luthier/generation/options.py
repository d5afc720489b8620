"""Options of the generation room: how a reply is drawn, and how many tokens are decoded at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from luthier.config import Options
from luthier.records.messages import Sampling

BATCH_TOKENS = 16_384
"""Prompt and reply tokens held in memory at once, unless said otherwise."""
UNITS = {"B": 1} | {
    f"{letter}{kind}": size**power
    for power, letter in enumerate("KMGT", 1)
    for kind, size in (("B", 1000), ("iB", 1024))
}


class SamplingOptions(Options):
    """How the tokens of a reply are drawn from the model's probabilities."""

    title = "Sampling"
    hints: ClassVar[Mapping[str, str]] = {
        "max_new_tokens": "write max_tokens",
        "max_completion_tokens": "write max_tokens",
        "do_sample": "write temperature (0 is greedy)",
        "stop_strings": "write stop",
    }
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="tokens per reply at most; by default the rest of the context (chat), or enough for the longest "
        "reference (evaluation)",
    )
    temperature: float = Field(
        default=0.0, ge=0, le=10, description="0 always takes the likeliest token; higher values vary the reply more"
    )
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="draw from the likeliest tokens that together have this probability"
    )
    top_k: int = Field(default=0, ge=0, description="draw from this many likeliest tokens; 0 is all")
    min_p: float = Field(
        default=0.0, ge=0, le=1, description="draw from tokens at least this many times as likely as the likeliest"
    )
    stop: tuple[str, ...] = Field(default=(), max_length=16, description="text that ends the reply; not part of it")

    def sampling(self, *, seed: int | None = None, max_tokens: int | None = None) -> Sampling:
        """Returns these options with a `seed`; `max_tokens` stands where the option was not given."""
        return Sampling(
            max_tokens=self.max_tokens or max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            stop=self.stop,
            seed=seed,
        )


class BatchingOptions(Options):
    """How much is decoded at once."""

    title = "Generation"
    hints: ClassVar[Mapping[str, str]] = {"max_batch_tokens": "write kv_memory, such as 512MB"}

    kv_memory: str | None = Field(
        default=None,
        pattern=rf"^\d+(\.\d+)? ?({'|'.join(UNITS)})?$",
        description="memory for the keys and values of texts under way, such as 512MB or 4GB; by default 16,384 tokens "
        "or one whole context, and no more than half of what is free; on a GPU 85 % of what the model leaves free",
    )

    @property
    def kv_memory_bytes(self) -> int | None:
        """`kv_memory` in bytes; None where it was not given."""
        if self.kv_memory is None:
            return None
        number = self.kv_memory.rstrip("KMGTiB ")
        return int(float(number) * UNITS.get(self.kv_memory[len(number) :].strip(), 1))
