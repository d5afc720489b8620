"""Where the engine's time goes on the requests of serving. `python -m benchmarks.hotspots --work ragged`.

It takes the arguments of `worker_engine`. One block is answered plainly, one under torch's profiler (operators, by
what they are for) and one under Python's (lines, by file). Profilers slow down what they watch: shares are those of the
watched block, and the plain block's CPU-seconds stand above them.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.worker_engine import answered, options

KINDS: Mapping[str, tuple[str, ...]] = {
    "attention": ("scaled_dot_product", "flash_attention", "bmm", "softmax", "tril", "triu"),
    "linear": ("mm", "addmm", "linear", "mkldnn"),
    "sampling": ("argmax", "amax", "isfinite", "topk", "sort", "log_softmax", "cumsum", "searchsorted", "bitwise"),
    "moving": ("cat", "copy", "index", "gather", "scatter", "clone", "slice", "pad", "stack", "contiguous", "narrow"),
    "norms and the like": ("mul", "add", "rsqrt", "mean", "pow", "silu", "neg", "rms_norm", "sin", "cos", "sub", "div"),
}
"""What operators are for, by parts of their names: the longest part that fits decides."""
SHOWN = 15
FRAMES = ("luthier", "transformers", "torch", "benchmarks")


def kind_of(operator: str) -> str:
    """Returns what an operator of torch is for, or "other"."""
    name = operator.removeprefix("aten::").strip("_")
    fits = [(len(part), kind) for kind, parts in KINDS.items() for part in parts if part in name]
    return max(fits)[1] if fits else "other"


def operators(work: Callable[[], object]) -> tuple[float, dict[str, float]]:
    """Returns the seconds of `work` under torch's profiler, and those in each operator itself: it knows no CPU-seconds,
    but whatever else the machine does falls on all of them alike."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as watched:
        began = time.perf_counter()
        work()
        whole = time.perf_counter() - began
    found: dict[str, float] = defaultdict(float)
    for event in watched.key_averages():
        found[event.key] += event.self_cpu_time_total / 1e6
    return whole, found


def places(work: Callable[[], object]) -> dict[str, float]:
    """Returns the CPU-seconds of `work` by the file whose own lines they are spent in, and by built-in function."""
    watched = cProfile.Profile(time.process_time)
    watched.runcall(work)
    found: dict[str, float] = defaultdict(float)
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(watched).stats.items():  # type: ignore[attr-defined]
        found[_place(file, name)] += own
    return found


def _place(file: str, name: str) -> str:
    if file == "~":
        return f"built in: {name.strip('<>')}"
    parts = Path(file).parts
    start = next((place for place, part in enumerate(parts) if place and part in FRAMES), len(parts) - 1)
    return "/".join(parts[start:])


def table(title: str, seconds: Mapping[str, float], whole: float) -> str:
    """Returns the largest figures as Markdown, each with its share of the whole."""
    lines = [f"| {title} | seconds | share |", "|---|---|---|"]
    largest = sorted(seconds.items(), key=lambda one: -one[1])[:SHOWN]
    return "\n".join([*lines, *(f"| {name} | {one:.2f} | {one / whole:.0%} |" for name, one in largest)]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Answers three blocks after two to warm up, and prints where their time went."""
    given = options().parse_args(arguments)
    blocks = answered(given)
    for _ in range(3):
        next(blocks)
    began = time.process_time()
    tokens = next(blocks)
    plain = time.process_time() - began
    print(f"{tokens} tokens of replies in {plain:.2f} CPU-seconds\n")
    whole, found = operators(lambda: next(blocks))
    kinds: dict[str, float] = defaultdict(float)
    for name, seconds in found.items():
        kinds[kind_of(name)] += seconds
    kinds["Python, between operators"] = max(0.0, whole - sum(found.values()))
    print(table("what for", kinds, whole))
    print(table("operator", found, whole))
    frames = places(lambda: next(blocks))
    print(table("file, or built-in function", frames, sum(frames.values())))


if __name__ == "__main__":
    main()
