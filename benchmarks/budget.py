"""Memory of the engine's cache under a load that asks for far more than its budget. `python -m benchmarks.budget`.

The load is random and bounded: ragged requests, all waiting at once, in several rounds. What is reported is the
engine's own account at its peak, and what the process grew by over the loaded model.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.blocks import peak_bytes
from benchmarks.served import counted, requests
from benchmarks.suites import RESULTS
from benchmarks.worker_engine import drafted, open_engine

ROUNDS = 4
BUDGET_MB = 64
BESIDE_MB = 512
"""What a pass may take beside the cache: logits, and the states of one pass."""


def measure(shape: str, budget_bytes: int, rounds: int) -> dict[str, Any]:
    """Returns the peak of the engine's account and the growth of the process, beside the budget."""
    engine = open_engine(shape, kv_memory_bytes=budget_bytes)
    vocabulary = engine.model.config.vocab_size
    before, tokens = peak_bytes(), 0
    with engine.session() as session:
        for number in range(rounds):
            asked = requests("ragged", vocabulary, number)
            drafts = drafted(engine, asked)
            for draft in drafts:
                session.add(draft)
            while not session.is_idle:
                session.step()
            tokens += counted(asked, [len(draft.tokens) for draft in drafts])
    return {
        "shape": shape,
        "tokens": tokens,
        "budget_bytes": session.memory.budget_bytes,
        "asked_bytes": budget_bytes,
        "used_bytes": session.memory.peak_bytes,
        "grown_bytes": peak_bytes() - before,
    }


def holds(found: dict[str, Any]) -> bool:
    """Returns whether the budget is the one asked for, was used, and was kept to."""
    within = 0 < found["used_bytes"] <= found["budget_bytes"] <= found["asked_bytes"]
    return bool(within and found["grown_bytes"] <= found["budget_bytes"] + BESIDE_MB * 1e6)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints and keeps the figures, and fails where they do not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget")
    parser.add_argument("--shape", default="29M")
    parser.add_argument("--budget-mb", type=int, default=BUDGET_MB)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of 32 requests")
    given = parser.parse_args(arguments)
    found = measure(given.shape, given.budget_mb * 10**6, given.rounds)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "budget.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    verdict = "holds" if holds(found) else "MISSED"
    sizes = [f"{found[name] / 1e6:.0f} MB" for name in ("budget_bytes", "used_bytes", "grown_bytes")]
    print("\n| model | tokens of replies | budget | used at the peak | growth of the process | |")
    print("|---|---|---|---|---|---|")
    print(f"| {found['shape']} | {found['tokens']:,} | {' | '.join(sizes)} | {verdict} |", flush=True)
    if not holds(found):
        sys.exit(1)


if __name__ == "__main__":
    main()
