"""The other side on a GPU: transformers' continuous batching, with settings of its own that suit the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

PATIENCE_S = 60
PAGE = 32
"""Tokens of a page of its cache."""
PASS_TOKENS = 4096
"""Tokens of its passes at most: as many as ours."""
ROOM = 1.5
"""Pages, by those that all requests need: it holds prompts back when few are left."""
PEERS: Mapping[str, Mapping[str, Any]] = {
    "graphs": {"use_cuda_graph": True, "use_async_batching": False},
    "no graphs": {"use_cuda_graph": False, "use_async_batching": False},
    "graphs, asynchronous": {"use_cuda_graph": True, "use_async_batching": True},
}
"""Settings to choose from by trial: its own rules leave graphs out where attention is sdpa's."""


class Continuous:
    """transformers' manager over a model, for so many requests at once of one length."""

    def __init__(self, model: Any, settings: Mapping[str, Any], *, prompts: int, prompt: int, reply: int) -> None:
        from transformers import GenerationConfig
        from transformers.generation.configuration_utils import ContinuousBatchingConfig

        self.model, self.reply = model, reply
        pages = -(-(prompt + reply + 1) // PAGE)
        greedy: Any = GenerationConfig
        model.set_attn_implementation("paged|sdpa")
        self.manager = model.init_continuous_batching(
            generation_config=greedy(do_sample=False, eos_token_id=-1, pad_token_id=0, max_new_tokens=reply),
            continuous_batching_config=ContinuousBatchingConfig(
                block_size=PAGE,
                num_blocks=int(ROOM * pages * prompts) + 8,
                max_batch_tokens=max(16, min(PASS_TOKENS, prompts * prompt)),
                max_requests_per_batch=prompts,
                allow_block_sharing=False,
                q_padding_interval_size=prompts,
                kv_padding_interval_size=prompts * PAGE,
                **settings,
            ),
        )
        model.set_attn_implementation("sdpa")

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Starts its thread, and ends it: what it has captured is kept for the next time."""
        self.model.set_attn_implementation("paged|sdpa")
        self.manager.start()
        time.sleep(0.02)
        try:
            yield
        finally:
            self.manager.stop(block=True, timeout=PATIENCE_S, keep_for_next_session=True)
            vars(self.model).pop("_cached_continuous_batching_manager", None)  # kept here, as others are
            self.model.set_attn_implementation("sdpa")
            if self.manager.is_running():
                raise RuntimeError(f"its thread did not end in {PATIENCE_S} s")

    def answer(self, prompts: Sequence[Sequence[int]]) -> int:
        """Returns how many tokens came; `RuntimeError` where a reply fails or does not come."""
        ends = time.perf_counter() + PATIENCE_S
        self.manager.add_requests([list(one) for one in prompts], max_new_tokens=self.reply)
        count = finished = 0
        while finished < len(prompts):
            result = self.manager.get_result(timeout=1)
            if result is not None and result.error:
                raise RuntimeError(result.error)
            if result is not None and result.is_finished():
                count, finished = count + len(result.generated_tokens), finished + 1
            elif time.perf_counter() > ends or not self.manager.is_running():
                raise RuntimeError(f"{finished} of {len(prompts)} replies came; running: {self.manager.is_running()}")
        return count

    def close(self) -> None:
        """Lets go of its cache and graphs."""
        if self.manager.is_running():
            self.manager.stop(block=True, timeout=5, hard_stop=True)
        self.manager.batch_processor = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
