"""One side of the PDF benchmark: reads the PDFs of a folder block by block, page text by page text."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.blocks import Turn


def bare(file: Path) -> int:
    """Returns the characters that pypdfium2 alone gives for a file."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(file.read_bytes())
    count = 0
    for number in range(len(pdf)):
        page = pdf[number]
        text = page.get_textpage()
        count += len(text.get_text_range())
        text.close()
        page.close()
    pdf.close()
    return count


def luthier(file: Path) -> int:
    """Returns the characters of the document as the child process of `luthier collect` makes it: running lines removed,
    language told, personal data counted, written as JSON."""
    from luthier.sandbox.serving import answered

    arguments = {"path": str(file), "source": file.name, "media_type": "", "members": [], "options": {}}
    return len(json.dumps(answered({"target": "luthier.sources.reading:read_file", "arguments": arguments})))


SIDES: dict[str, Callable[[Path], int]] = {"bare": bare, "luthier": luthier}


def main() -> None:
    """Reads all files once a block; a page is a step's token."""
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("--pages", type=int, required=True, help="pages of a block")
    parser.add_argument("files", nargs="+", type=Path)
    given = parser.parse_args()
    read = SIDES[given.side]
    turn = Turn()
    while True:
        for file in given.files:
            read(file)
        turn.step(given.pages)


if __name__ == "__main__":
    main()
