"""A process that writes to an index or reads it, which tests end: `python index_process.py ROLE FOLDER FIRST COUNT`.

A writer puts documents FIRST, FIRST + 1, ... and prints the number of each once it is acknowledged; every seventh time
it puts the one before anew, and every tenth time it tidies up. A reader prints how many passages it counts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from luthier.records.documents import Passage
from luthier.retrieval.index import Entry, Shape
from luthier.retrieval.lance import LanceIndex

SHAPE, PASSAGES = Shape(8), 5


def entry(number: int, version: str = "1", passages: int = PASSAGES) -> Entry:
    """Returns document `number`, whose passages all hold its own word."""
    name = f"doc_{number}"
    made = [Passage(name, at * 100, at * 100 + 50, f"unique{number} passage {at} of the lot") for at in range(passages)]
    vectors = np.random.default_rng(number).standard_normal((passages, SHAPE.dimensions)).astype(np.float32)
    return Entry(name, version, made, vectors)


def write(folder: Path, first: int, count: int) -> None:
    index = LanceIndex.open(folder, SHAPE)
    for number in range(first, first + count):
        index.put([entry(number)])
        print(number, flush=True)
        if number % 7 == 6 and number > first:
            index.put([entry(number - 1, "2", PASSAGES - 1)])
        if number % 10 == 9:
            index.optimise()


def read(folder: Path, until: int) -> None:
    index = LanceIndex.open(folder, SHAPE)
    count = -1
    while count < until:
        before, count = count, index.count()
        index.by_vector(np.ones(SHAPE.dimensions, np.float32), 3)
        index.by_text("passage", 3)
        if count != before:
            print(count, flush=True)


if __name__ == "__main__":
    role, place, *numbers = sys.argv[1:]
    if role == "write":
        write(Path(place), *map(int, numbers))
    else:
        read(Path(place), int(numbers[0]))
