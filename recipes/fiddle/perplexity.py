"""How well a model foretells prose it has never read: `python -m recipes.fiddle.perplexity DIR [MODEL]`.

The prose is of authors in `DIR/gutenberg` that training leaves out (they are not in `authors.txt`): whole books unseen.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

from recipes.fiddle import prose

PARAGRAPHS = 400
SEED = 20261121


def unseen(corpus: Path, most: int = PARAGRAPHS) -> tuple[list[str], list[str]]:
    """Returns paragraphs of authors that training leaves out, in seeded order, and who they are."""
    known, found = set(prose.authors()), []
    for file in sorted((corpus / "gutenberg").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for book in map(json.loads, lines):
                if book["author"] not in known:
                    found += [(book["author"], paragraph) for paragraph in prose.paragraphs_of(book["text"])]
    Random(SEED).shuffle(found)
    chosen = found[:most]
    return [text for _, text in chosen], sorted({author for author, _ in chosen})


def measure(model: str, paragraphs: Sequence[str]) -> tuple[float, float, int]:
    """Returns the perplexity per token, the bits per byte, and the tokens that were foretold."""
    import torch

    from luthier.models.load import load_opened
    from luthier.models.opening import open_model
    from luthier.models.options import LoadOptions

    loaded = load_opened(open_model(model, LoadOptions(precision="fp32")))
    nats, tokens, size = 0.0, 0, 0
    with torch.inference_mode():
        for text in paragraphs:
            ids = torch.tensor(loaded.tokenizer(text).input_ids[: loaded.context_length])[None].to(loaded.device)
            log_p = loaded.model(ids).logits[0, :-1].float().log_softmax(-1)
            nats -= float(log_p.gather(1, ids[0, 1:, None]).sum())
            tokens += ids.shape[1] - 1
            size += len(text.encode())
    return math.exp(nats / tokens), nats / math.log(2) / size, tokens


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.perplexity")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("model", nargs="?", default="fiddle")
    given = parser.parse_args(arguments)
    texts, authors = unseen(given.corpus)
    if not texts:
        raise SystemExit(f"{given.corpus}: no text of an author that training leaves out")
    perplexity, bits, tokens = measure(given.model, texts)
    print(f"{len(texts)} paragraphs by {'; '.join(authors)}: {tokens:,} tokens")
    print(f"perplexity {perplexity:.1f} per token, {bits:.3f} bits per byte")


if __name__ == "__main__":
    main()
