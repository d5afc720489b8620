"""What comes out of web pages and PDFs, and how fast: `python -m benchmarks.extraction SUITE --data FOLDER`.

`pages`: main text beside trafilatura's own, by segments that must and must not be in it. The folder holds evaldata.json
(address -> {"file", "with", "without"}) and the pages in eval/, as trafilatura's own evaluation has them.
`files`: every file of the folder through `luthier collect`: text, or a reason.
`speed`: pages of PDFs per CPU-second beside bare pypdfium2, in turns. Short files are joined to blocks of many pages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.blocks import middle
from benchmarks.suites import FEWEST, RESULTS, Bound, Suite, keep, measure

SPEED = 0.7
"""What reading must reach of bare pypdfium2's pages per CPU-second."""
PAGES_A_BLOCK = 3000
LONG = 15
"""Pages from which a PDF is a long one."""

Extract = Callable[[bytes, str], str]


def ours(page: bytes, url: str) -> str:
    """Returns the text of a page as `luthier collect` keeps it, without the marks of lists and tables."""
    from luthier.sources.html import read_html
    from luthier.sources.raw import Raw, UnreadableError

    try:
        return read_html(Raw(page, url)).text
    except UnreadableError:
        return ""


def trafilatura(page: bytes, url: str) -> str:
    """Returns trafilatura's text with its fallback, with what it knows of title, author and date, as ours has."""
    from trafilatura import bare_extraction

    found: Any = bare_extraction(page, url=url, include_comments=False, with_metadata=True)
    return (found.text or "") if found is not None else ""


def read_gold(folder: Path) -> list[tuple[str, bytes, list[str], list[str]]]:
    """Returns (address, page, wanted segments, unwanted segments) of each page that is there."""
    gold: Mapping[str, Any] = json.loads((folder / "evaldata.json").read_text(encoding="utf-8"))
    found = []
    for url, entry in gold.items():
        file = folder / "eval" / entry["file"]
        if file.exists():
            found.append((url, file.read_bytes(), entry["with"], entry["without"]))
    return found


def judge(extract: Extract, gold: Sequence[tuple[str, bytes, list[str], list[str]]]) -> dict[str, Any]:
    """Returns how many wanted segments are in the text, how many unwanted ones are not, and the CPU time."""
    wanted = unwanted = kept = left_out = empty = 0
    seconds: list[float] = []
    pages: dict[str, list[int]] = {}
    for url, page, good, bad in gold:
        began = time.process_time()
        text = extract(page, url)
        seconds.append(time.process_time() - began)
        flat = " ".join(text.split())
        got = sum(" ".join(segment.split()) in flat for segment in good)
        avoided = sum(" ".join(segment.split()) not in flat for segment in bad)
        pages[url] = [got, avoided]
        wanted, unwanted, kept, left_out = wanted + len(good), unwanted + len(bad), kept + got, left_out + avoided
        empty += not flat
    precision = kept / max(kept + unwanted - left_out, 1)
    recall = kept / max(wanted, 1)
    return {
        "pages": len(gold),
        "wanted": wanted,
        "unwanted": unwanted,
        "recall": recall,
        "rejection": left_out / max(unwanted, 1),
        "f1": 2 * precision * recall / max(precision + recall, 1e-9),
        "empty": empty,
        "cpu_s": sum(seconds),
        "by_page": pages,
    }


def pages(data: Path, blocks: int) -> dict[str, Any]:
    """Prints and returns both sides' figures on the gold pages; the sides take turns, the CPU time is the median's."""
    gold = read_gold(data)
    sides: dict[str, Extract] = {"luthier": ours, "trafilatura": trafilatura}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for number in range(blocks + 1):  # the first sets libraries up
        for name, extract in sides.items():
            found = judge(extract, gold)
            if number:
                runs[name].append(found)
    seconds = {name: [one["cpu_s"] for one in found] for name, found in runs.items()}
    ratio = middle([b / a for a, b in zip(seconds["luthier"], seconds["trafilatura"], strict=True)])
    out = {name: found[0] | {"cpu_s": statistics.median(seconds[name])} for name, found in runs.items()}
    print("| side | recall of wanted | rejection of unwanted | F1 | pages without text | CPU s |")
    print("|---|---|---|---|---|---|")
    for name, one in out.items():
        print(
            f"| {name} | {one['recall']:.4f} ({one['wanted']}) | {one['rejection']:.4f} ({one['unwanted']}) "
            f"| {one['f1']:.4f} | {one['empty']} of {one['pages']} | {one['cpu_s']:.1f} |"
        )
    claim = "" if blocks >= FEWEST else f" Fewer than {FEWEST} blocks: no claim."
    print(f"speed, ours / trafilatura's: {ratio}.{claim}")
    differ = [url for url in out["luthier"]["by_page"] if _differs(out, url)]
    print(f"pages with other segments: {len(differ)}")
    for url in differ:
        print(f"  {url}: ours {out['luthier']['by_page'][url]}, trafilatura's {out['trafilatura']['by_page'][url]}")
    return {"sides": out, "speed": [ratio.median, ratio.low, ratio.high], "blocks": blocks}


def _differs(out: Mapping[str, Any], url: str) -> bool:
    return bool(out["luthier"]["by_page"][url] != out["trafilatura"]["by_page"][url])


def files(data: Path, blocks: int) -> dict[str, Any]:
    """Prints and returns what came of every file of a folder: none may hang, crash, or end without a reason."""
    import luthier
    from luthier.workflows.collect import Result

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = luthier.collect(sources=[str(data)], output=folder, processes=1)
        assert isinstance(result, Result)
        wall = time.perf_counter() - began
    reasons = {entry.source: entry.reason for entry in result.entries if entry.status in ("failed", "skipped")}
    silent = [source for source, reason in reasons.items() if not reason]
    broken = [source for source, reason in reasons.items() if "crashed" in reason or "longer than" in reason]
    print(f"{result.counts()} in {wall:.1f} s; without a reason: {silent}; hung or crashed: {broken}")
    for source, reason in reasons.items():
        print(f"  {source}: {reason}")
    return {**result.to_json(), "wall_s": wall, "silent": silent, "broken": broken}


def speed(data: Path, blocks: int) -> dict[str, Any]:
    """Prints and returns pages per CPU-second of both sides on the long PDFs of a folder, read over and over until a
    block has enough pages."""
    import pypdfium2

    counts = {}
    for file in sorted(data.rglob("*.pdf")):
        try:
            pdf = pypdfium2.PdfDocument(file)
        except pypdfium2.PdfiumError:
            continue
        counts[file] = len(pdf)
        pdf.close()
    long = {file: count for file, count in counts.items() if count >= LONG}
    if not long:
        raise SystemExit(f"{data}: there is no PDF of {LONG} pages or more")
    times = -(-PAGES_A_BLOCK // sum(long.values()))
    names = [str(file) for file in long] * times
    total = sum(long.values()) * times
    suite = Suite(
        f"text of {len(long)} long PDFs",
        {"luthier": ("luthier", "as `collect` reads it"), "pypdfium2": ("bare", "get_text_range of each page")},
        (Bound("luthier", "pypdfium2", speed=SPEED),),
        steps=1,
        work=f"{total:,} pages",
        tokens="pages",
    )

    def command(side: str, _: Suite) -> list[str]:
        return [sys.executable, "-m", "benchmarks.worker_documents", side, "--pages", str(total), *names]

    return measure("extraction-speed", suite, command, blocks=blocks)


SUITES = {"pages": pages, "files": files, "speed": speed}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the suites named and leaves their figures in the folder of results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of pages with evaldata.json, of files, of PDFs"
    )
    parser.add_argument("--blocks", type=int, default=FEWEST, help=f"blocks; fewer than {FEWEST} make no claim")
    given = parser.parse_args(arguments)
    found = SUITES[given.suite](given.data, given.blocks)
    if given.suite == "speed":
        keep(found)
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"extraction-{given.suite}.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
