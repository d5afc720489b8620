"""Pre-training where rows would run out first: `python -m recipes.fiddle.stream --start MODEL --plan 5:2000000 ...`.

A GPU reads more rows in a minute than one process writes. Here several processes write them, shard after shard, while
Luthier's own loop trains on what is there: one pass over the plan, rows in their order, as in `pretrain.yaml`. The same
arguments give the same rows, whatever the number of processes. Stopped by Ctrl-C, or at `--seconds`, the model is saved
as it is, and `--resume` goes on.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luthier.errors import Interrupted
from luthier.models.attention import use_packed_attention
from luthier.models.load import load_opened
from luthier.models.opening import Opened, open_model
from luthier.models.options import LoadOptions
from luthier.objectives.contract import OBJECTIVES
from luthier.records.examples import Conversation
from luthier.records.fields import Fields
from luthier.records.formats_chat import read_chat
from luthier.report import ListReport
from luthier.tokens.encode import encode_rows
from luthier.tokens.options import TokenOptions
from luthier.tokens.token_rows import TokenRow, TokenRows
from luthier.training import checkpoint, loop
from luthier.training.options import TrainingOptions
from recipes.fiddle import generate, prose

SHARD = 8192
"""Rows that one process writes at once."""
AHEAD = 200
"""Shards that may be written before they are needed: a few gigabytes of disk."""


@dataclass(frozen=True)
class Shard:
    """Rows of one stage, the `number`th shard of a plan."""

    number: int
    stage: int
    rows: int

    def made(self, seed: int, paragraphs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yields its rows; no two shards, and no two seeds, have the same draws."""
        own = seed * 1_000_003 + self.number
        some = Random(own).sample(paragraphs, min(self.rows, len(paragraphs)))
        return generate.rows(self.stage, self.rows, own, paragraphs=some)


def shards(plan: Sequence[tuple[int, int]], size: int = SHARD) -> list[Shard]:
    """Returns the shards of a plan; rows that fill no whole shard are left out."""
    numbers = itertools.count()
    return [Shard(next(numbers), stage, size) for stage, count in plan for _ in range(count // size)]


def write_shard(shard: Shard, folder: Path, opened: Opened, seed: int, paragraphs: Sequence[str]) -> None:
    """Writes one shard as token rows; it is whole once it has its name."""
    records = [as_conversation(row) for row in shard.made(seed, paragraphs)]
    part = folder / f"part-{shard.number}"
    encode_rows(
        records, opened.template, TokenOptions(drop_long=True), context_length=opened.context_length, folder=part
    )
    part.rename(folder / str(shard.number))


def as_conversation(row: dict[str, Any]) -> Conversation:
    """Returns a generated row as a record."""
    return read_chat(Fields(row, {}))


class Stream:
    """Rows by index as they are written; what has been read is removed. Implements `training.loop.Items`."""

    def __init__(self, folder: Path, todo: Sequence[Shard], writers: Writers) -> None:
        self.folder, self.size, self._writers = folder, todo[0].rows, writers
        self.lengths: NDArray[np.int64] = np.ones(len(todo) * self.size, dtype=np.int64)
        """Tokens of each row: right from when its shard has been read."""
        self.waited = 0.0
        self._number, self._rows = -1, TokenRows(*(np.zeros(0, np.int64),) * 4)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> TokenRow:
        number, place = divmod(index, self.size)
        if number != self._number:
            self._open(number)
        return self._rows[place % len(self._rows)]

    def _open(self, number: int) -> None:
        began, path = time.perf_counter(), self.folder / str(number)
        while not path.exists():
            self._writers.check()
            time.sleep(0.02)
        there = TokenRows.open(path)
        rows = TokenRows(there.tokens[:], there.labels[:], there.offsets, there.rows)
        start, taken = number * self.size, np.arange(self.size) % len(rows)  # a row that is too long is left out
        self.lengths[start : start + self.size] = rows.lengths[taken]
        self._number, self._rows = number, rows
        shutil.rmtree(path)
        self._writers.reading(number)
        self.waited += time.perf_counter() - began


class Writers:
    """Processes that write the shards of a plan from `first` on, in turns."""

    def __init__(self, count: int, todo: Sequence[Shard], folder: Path, *rest: Any) -> None:
        context = multiprocessing.get_context("fork")
        self._read = context.Value("i", todo[0].number if todo else 0)
        self._processes = [
            context.Process(target=self._work, args=(todo[number::count], folder, *rest), daemon=True)
            for number in range(count)
        ]
        for process in self._processes:
            process.start()

    def check(self) -> None:
        """Raises `RuntimeError` when a process has failed: its shards would never come."""
        if any(process.exitcode for process in self._processes):
            raise RuntimeError("a process that writes rows has failed; its error is above")

    def reading(self, number: int) -> None:
        """Says which shard is read now."""
        self._read.value = number

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
            process.join()

    def _work(self, todo: Sequence[Shard], folder: Path, *rest: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for shard in todo:
            while shard.number > self._read.value + AHEAD:
                time.sleep(0.1)
            write_shard(shard, folder, *rest)


class Said(ListReport):
    """Prints what is logged, and asks to stop at a time."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self._until = until

    def metric(self, step: int, values: Any) -> None:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"step {step}: {shown}", flush=True)

    def event(self, kind: str, message: str, **_: Any) -> None:
        print(message, flush=True)

    def cancelled(self) -> bool:
        return self.stop or time.monotonic() > self._until


def options(given: argparse.Namespace, steps: int) -> TrainingOptions:
    """Returns how the model is trained: as in `pretrain.yaml`, by Muon, with a rate that falls to zero in a line."""
    return TrainingOptions(
        optimizer="muon",
        learning_rate=given.learning_rate,
        batch_size=given.batch_size,
        max_tokens_per_pass=given.max_tokens_per_pass,
        lr_scheduler_type=given.lr_scheduler_type,
        warmup_steps=given.warmup_steps,
        weight_decay=0.1,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        order="sequential",
        num_train_epochs=1,
        seed=given.seed,
        logging_steps=given.logging_steps,
        save_steps=given.save_steps or steps,
    )


def pretrain(given: argparse.Namespace) -> dict[str, Any]:
    """Trains as the command line says, and returns what is worth knowing of the run; the model is in `output/model`."""
    began = time.monotonic()
    todo, folder = shards(generate.read_plan(given.plan), given.shard), Path(given.output)
    if not todo or given.shard % given.batch_size:
        raise SystemExit(f"a plan needs whole shards of {given.shard} rows, and those whole steps of --batch-size")
    paragraphs: Sequence[str] = ()
    if given.corpus:
        paragraphs, sources = prose.paragraphs(given.corpus, generate.MOST_PARAGRAPHS, given.seed)
        print(f"prose: {len(paragraphs)} paragraphs of {len(sources)} authors and collections", flush=True)
    writing = open_model(str(given.start), LoadOptions(device="cpu"))  # forks share nothing with a GPU
    steps = len(todo) * given.shard // given.batch_size
    chosen = options(given, steps)
    identity = {"start": str(given.start), "plan": given.plan, "rows_seed": given.seed} | chosen.model_dump(mode="json")
    folder.mkdir(parents=True, exist_ok=True)
    found = checkpoint.latest_checkpoint(folder / "checkpoints", identity)[0] if given.resume else None
    first = 0 if found is None else checkpoint.read_state(found)[0].step * given.batch_size // given.shard
    rows = folder / "rows"
    shutil.rmtree(rows, ignore_errors=True)
    rows.mkdir()
    writers = Writers(given.workers, todo[first:], rows, writing, given.seed, paragraphs)
    try:
        stream = Stream(rows, todo, writers)
        loaded = load_opened(open_model(str(given.start)), master_weights=True)
        loaded.model.requires_grad_(True)
        with use_packed_attention(loaded.model):
            objective = OBJECTIVES.load("sft")(
                loaded.model, [stream[first * given.shard + place] for place in range(2)]
            )
            job = loop.Job(
                model=loaded.model,
                objective=objective,
                items=stream,
                options=chosen,
                peak_learning_rate=given.learning_rate,
                max_tokens_per_pass=given.max_tokens_per_pass,
                folder=folder,
                device=loaded.device,
                compute_dtype=loaded.dtype,
                identity=identity,
                report=Said(began + given.seconds if given.seconds else float("inf")),
            )
            try:
                state = loop.train(job, resume=given.resume).state
            except Interrupted as stopped:
                print(stopped, flush=True)
                state = checkpoint.read_state(checkpoint.checkpoints(folder / "checkpoints")[-1])[0]
    finally:
        writers.close()
        shutil.rmtree(rows, ignore_errors=True)
    loaded.model.bfloat16().save_pretrained(folder / "model")
    loaded.tokenizer.save_pretrained(folder / "model")
    return {
        "steps": state.step,
        "tokens": state.tokens,
        "labelled": state.labelled,
        "training seconds": round(state.seconds, 1),
        "tokens per second": round(state.tokens / state.seconds) if state.seconds else 0,
        "of which waited for rows": round(stream.waited, 1),
        "seconds in all": round(time.monotonic() - began, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, trains, and says what came of it."""
    parser = argparse.ArgumentParser(prog="python -m recipes.fiddle.stream")
    parser.add_argument("--start", type=Path, required=True, help="folder of the weights to begin with")
    parser.add_argument("--plan", required=True, help="stages and their rows, in order: 4:100000,5:2000000")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run; the model is in its model/")
    parser.add_argument("--corpus", type=Path, help="folder of texts; without it every row is generated")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--workers", type=int, default=12, help="processes that write rows")
    parser.add_argument("--shard", type=int, default=SHARD, help="rows that a process writes at once")
    parser.add_argument("--batch-size", type=int, default=1024, help="rows of a step")
    parser.add_argument("--max-tokens-per-pass", type=int, default=1 << 18)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--lr-scheduler-type", choices=("constant", "linear", "cosine"), default="linear")
    parser.add_argument("--warmup-steps", type=int, default=20)
    parser.add_argument("--logging-steps", type=int, default=50)
    parser.add_argument("--save-steps", type=int, help="steps between checkpoints; default: one at the end")
    parser.add_argument("--seconds", type=float, help="stop after so many seconds, and save what there is")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    found = pretrain(parser.parse_args(arguments))
    print(", ".join(f"{name} {value:,}" for name, value in found.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
