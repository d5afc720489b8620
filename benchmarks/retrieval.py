"""Retrieval: `python -m benchmarks.retrieval quality --xquad FILE`, `... scale`, `... growth`.

`quality` compares vectors, words, both, and both with a reranker on questions whose document is known. `scale` sets the
index beside Chroma and sqlite-vec with FTS5, in turns. `growth` says what a passage costs among 1,000 and 100,000.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.blocks import peak_bytes
from benchmarks.retrieval_sets import Judged, sections, xquad
from benchmarks.suites import RESULTS, Bound, Suite, keep, measure
from benchmarks.worker_store import PLACES

STORES = ".venv-stores/bin/python"
SIDES = {
    "Luthier": ("luthier", "LanceDB as Luthier keeps it: every commit synced, IVF_RQ of 4 bits, refined"),
    "Chroma": ("chroma", "Chroma's persistent client as it comes"),
    "sqlite-vec": ("sqlite-vec", "sqlite-vec (compares all) beside FTS5, synchronous=FULL"),
}
LOAD_SPEED, RECALL, HYBRID_P95_MS = 4.0, 0.99, 20.0
SIZES = (1_000, 10_000, 100_000)
CUTS = (1, 5, 10)


@dataclass
class Scores:
    """What one way of searching scored: the rank of the right document per question, 0 where it is not among ten."""

    ranks: list[int] = field(default_factory=list)

    def ndcg(self) -> list[float]:
        """Returns nDCG@10 per question: there is one right document."""
        return [1 / math.log2(1 + rank) if rank else 0.0 for rank in self.ranks]

    def facts(self, groups: Sequence[str]) -> dict[str, Any]:
        """Returns the means, nDCG@10 with its interval over articles or files."""
        from luthier.evaluation.statistics import bootstrap_mean

        interval, count = bootstrap_mean(self.ndcg(), groups=groups), len(self.ranks)
        found: dict[str, Any] = {"ndcg10": sum(self.ndcg()) / count, "interval": [interval.low, interval.high]}
        found |= {f"recall{cut}": sum(0 < rank <= cut for rank in self.ranks) / count for cut in CUTS}
        return found | {"mrr": sum(1 / rank for rank in self.ranks if rank) / count}


def quality(judged: Judged, embedder: str | None, rerank: str | None, weights: Sequence[float]) -> dict[str, Any]:
    """Returns the scores of every way of searching a set, and fused against the better leg."""
    from luthier.evaluation.statistics import paired
    from luthier.retrieval.options import SearchOptions
    from luthier.retrieval.search import Searcher

    with tempfile.TemporaryDirectory() as home:
        searcher = Searcher(_indexed(judged, embedder, home))
        ways: dict[str, tuple[SearchOptions, Any]] = {
            "vectors": (SearchOptions(mode="vector", per_document=1), None),
            "words": (SearchOptions(mode="text", per_document=1), None),
            "both": (SearchOptions(per_document=1), None),
            "both by ranks": (SearchOptions(per_document=1, fusion="rrf"), None),
        }
        ways |= {f"both, weight {one:g}": (SearchOptions(per_document=1, weight=one), None) for one in weights}
        if rerank:
            from luthier.encoding.pairs import PairScorer

            ways["both, reranked"] = (SearchOptions(per_document=1), PairScorer.load(rerank).scores)
        scores = {name: Scores() for name in ways}
        for asked in judged.questions:
            for name, (options, scorer) in ways.items():
                found = [one.passage.document for one in searcher.search(asked.text, options, rerank=scorer)]
                scores[name].ranks.append(found.index(asked.gold) + 1 if asked.gold in found else 0)
    groups = [one.group for one in judged.questions]
    facts = {name: one.facts(groups) for name, one in scores.items()}
    better = max(("vectors", "words"), key=lambda name: float(facts[name]["ndcg10"]))
    gain = paired(scores[better].ndcg(), scores["both"].ndcg(), groups=groups)
    against = {"leg": better, "difference": gain.difference, "interval": [gain.interval.low, gain.interval.high]}
    sizes = {"documents": len(judged.documents), "questions": len(judged.questions)}
    return {
        "suite": f"retrieval-{judged.name}",
        "date": time.strftime("%Y-%m-%d"),
        **sizes,
        "ways": facts,
        "gain": against,
    }


def _indexed(judged: Judged, embedder: str | None, home: str) -> Any:
    import luthier
    from luthier.retrieval.stores import NamedStore
    from luthier.store.opened import Store
    from luthier.store.options import StoreOptions

    file = Path(home) / "documents.jsonl"
    file.write_text("".join(json.dumps(one.to_json()) + "\n" for one in judged.documents), encoding="utf-8")
    luthier.index(source=str(file), name="judged", home=home, embedder=embedder)
    return NamedStore.find(Store.open(StoreOptions(home=home)), "judged")


def quality_table(found: Mapping[str, Any]) -> str:
    """Returns the scores of a set as Markdown."""
    head = f"### {found['suite']} ({found['date']}): {found['questions']:,} questions, {found['documents']:,} documents"
    lines = [head, "", "| way | nDCG@10 (95 % interval) | recall@1 | @5 | @10 | MRR |", "|---|---|---|---|---|---|"]
    for name, one in found["ways"].items():
        low, high = one["interval"]
        recalls = " | ".join(f"{one[f'recall{cut}']:.3f}" for cut in CUTS)
        lines.append(f"| {name} | {one['ndcg10']:.4f} [{low:.4f}, {high:.4f}] | {recalls} | {one['mrr']:.4f} |")
    gain = found["gain"]
    low, high = gain["interval"]
    verdict = "above both legs" if low > 0 else "below the better leg" if high < 0 else "cannot tell"
    return "\n".join(
        [*lines, "", f"both - {gain['leg']}: {gain['difference']:+.4f} [{low:+.4f}, {high:+.4f}]: {verdict}"]
    )


def suites(rows: int, steps: int) -> dict[str, Suite]:
    """Returns what is measured in turns: the load, and three kinds of questions."""

    def suite(work: str, what: str, sides: Sequence[str], *bounds: Bound) -> Suite:
        return Suite(
            what=what,
            sides={name: (f"{SIDES[name][0]} {work}", SIDES[name][1]) for name in sides},
            bounds=bounds,
            steps=1,
            blocks=7,
            common=f"--rows {rows} --steps {steps}",
            work=f"{rows:,} passages of 384 dimensions"
            if work == "load"
            else f"{steps} questions to {rows:,} passages",
            tokens="passages" if work == "load" else "questions",
        )

    every = list(SIDES)
    beside = [Bound("Luthier", name) for name in every[1:]]
    chroma = Bound("Luthier", "Chroma", speed=LOAD_SPEED)
    return {
        "store-load": suite("load", "From the first row to searchable and durable", every, chroma, beside[1]),
        "store-vector": suite("vector", "The ten nearest", every, *beside),
        "store-filtered": suite("filtered", "The ten nearest of one document in a hundred", every, *beside),
        "store-hybrid": suite("hybrid", "By vectors and words", [every[0], every[2]], beside[1]),
    }


def command(arguments: str, suite: Suite) -> list[str]:
    """Returns the command of a worker, by the Python that has its store."""
    python = sys.executable if arguments.startswith("luthier") else STORES
    return [python, "-m", "benchmarks.worker_store", *arguments.split(), *suite.common.split()]


def scale(names: Sequence[str], rows: int, steps: int, blocks: int | None) -> bool:
    """Runs suites, keeps and prints their figures; returns whether everything held."""
    held = True
    for name in names:
        suite = suites(rows, steps)[name]
        found = measure(name, suite, command, blocks=blocks)
        keep(found)
        held &= all(one["speed_verdict"] != "MISSED" for one in found["ratios"])
        if name == "store-load":
            for side, one in found["sides"].items():
                walls = sorted(block["wall"] for block in one["blocks"])
                print(f"{side}: {walls[len(walls) // 2]:.1f} s from the first row to the answer (median of blocks)")
        else:
            held &= _latencies(name.removeprefix("store-"), found)
    return held


def _latencies(work: str, found: Mapping[str, Any]) -> bool:
    print("| side | p50 | p95 | recall@10 | disk |\n|---|---|---|---|---|")
    held = True
    for side, one in found["sides"].items():
        taken = sorted(value for block in one["blocks"] for value in block["losses"])
        middle, high = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
        facts = json.loads((PLACES / f"{SIDES[side][0]}-{work}.json").read_text(encoding="utf-8"))
        recalled = f"{facts['recall']:.4f}" if "recall" in facts else ""
        print(f"| {side} | {middle:.1f} ms | {high:.1f} ms | {recalled} | {facts['disk_bytes'] / 1e6:.0f} MB |")
        if side == "Luthier":
            held = facts.get("recall", 1.0) >= RECALL and (work != "hybrid" or high <= HYBRID_P95_MS)
    said = f"recall at least {RECALL}" if work != "hybrid" else f"p95 at most {HYBRID_P95_MS:g} ms"
    print(f"\nLuthier, {said}: {'holds' if held else 'MISSED'}\n", flush=True)
    return held


def growth_row(rows: int) -> dict[str, Any]:
    """Returns what a passage costs in an index of `rows`, measured in this process."""
    from benchmarks.store_work import batches
    from benchmarks.worker_store import SIDES as MAKERS

    made = list(batches(rows))
    before = peak_bytes()
    with tempfile.TemporaryDirectory() as place:
        store = MAKERS["luthier"](Path(place))
        began, wall = time.process_time(), time.perf_counter()
        for batch in made:
            store.add(batch)
        store.finish()
        cpu, seconds = time.process_time() - began, time.perf_counter() - wall
        disk = sum(file.stat().st_size for file in Path(place).rglob("*") if file.is_file())
    memory = peak_bytes() - before
    return {
        "rows": rows,
        "cpu_ms": cpu / rows * 1e3,
        "wall_ms": seconds / rows * 1e3,
        "grown_bytes": memory,
        "disk": disk,
    }


def growth(sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Returns the costs for each size, each in a process of its own."""
    code = (
        "import json, sys\nfrom benchmarks.retrieval import growth_row\nprint(json.dumps(growth_row(int(sys.argv[1]))))"
    )
    runs = [subprocess.run([sys.executable, "-c", code, str(size)], check=True, capture_output=True) for size in sizes]
    return [json.loads(run.stdout.splitlines()[-1]) for run in runs]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line names; fails where a bound does not hold."""
    given = _options().parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    held = True
    if given.what == "quality":
        sets = [xquad(Path(file)) for file in given.xquad] + [sections(Path(folder)) for folder in given.docs]
        for judged in sets:
            found = quality(judged, given.embedder, given.rerank, given.weights)
            (RESULTS / f"{found['suite']}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print("\n" + quality_table(found), flush=True)
    elif given.what == "scale":
        held = scale(given.suites or list(suites(1, 1)), given.rows, given.questions, given.blocks)
    else:
        print(
            "| passages | CPU a passage | wall a passage | memory above the rows | disk a passage |\n"
            "|---|---|---|---|---|"
        )
        for one in growth(given.sizes):
            cells = f"{one['cpu_ms']:.3f} ms | {one['wall_ms']:.3f} ms | {one['grown_bytes'] / 1e6:.0f} MB"
            print(f"| {one['rows']:,} | {cells} | {one['disk'] / one['rows']:,.0f} B |", flush=True)
    if not held:
        sys.exit(1)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval")
    kinds = parser.add_subparsers(dest="what", required=True)
    one = kinds.add_parser("quality", help="sets of questions whose document is known")
    one.add_argument("--xquad", nargs="*", default=[], help="files of XQuAD or SQuAD")
    one.add_argument("--docs", nargs="*", default=[], help="folders of Markdown or reStructuredText")
    one.add_argument("--embedder")
    one.add_argument("--rerank", help="a cross-encoder")
    one.add_argument("--weights", nargs="*", type=float, default=[], help="further weights of the vectors")
    two = kinds.add_parser("scale", help="beside other stores, in turns")
    two.add_argument("suites", nargs="*", choices=[*suites(1, 1), []])
    two.add_argument("--rows", type=int, default=SIZES[-1])
    two.add_argument("--questions", type=int, default=100, help="of a block")
    two.add_argument("--blocks", type=int)
    three = kinds.add_parser("growth", help="what a passage costs among few and many")
    three.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    return parser


if __name__ == "__main__":
    main()
