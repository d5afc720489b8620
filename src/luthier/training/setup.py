"""From a spec to a planned run: rows, base, plan. Nothing here loads weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from luthier.errors import SpecError
from luthier.generation.options import BATCH_TOKENS
from luthier.models.attention import packing_refusal
from luthier.models.load import empty_model
from luthier.models.memory import MemoryRequest, check_capacity, free_memory, predict_memory
from luthier.models.opening import Opened, fingerprint, open_model
from luthier.models.operations import operations
from luthier.models.parameters import Trainable, choose_parameters
from luthier.models.scratch import new_config, train_tokenizer
from luthier.models.shapes import PASS, ROW
from luthier.report import Report
from luthier.tokens.plan import pass_lengths
from luthier.training.fit import Fit, fit_passes, token_budgets
from luthier.training.forecast import forecast
from luthier.training.loop import total_steps
from luthier.training.options import LOW_RANK, TuningOptions, default_rate
from luthier.training.plan import Plan
from luthier.training.prepare import Prepared, encode_split, read_split, texts
from luthier.training.run import RunFolder, identity

PLANNED_STEPS = 2000
"""Steps whose passes are laid out to predict their memory, spread over the run."""


@dataclass(frozen=True)
class Planned:
    """A run that is ready to start; `identity` is what a checkpoint must agree with to be resumed."""

    spec: TuningOptions
    opened: Opened
    rows: Prepared
    plan: Plan
    identity: dict[str, Any]

    @property
    def master_weights(self) -> bool:
        """Whether weights of the base itself are trained, which needs them in fp32."""
        return self.spec.train not in LOW_RANK


def plan_run(spec: TuningOptions, folder: RunFolder, report: Report) -> Planned:
    """Returns the run that `spec` asks for; everything that can be refused without loading weights is refused here."""
    _check(spec)
    split = read_split(spec, method=spec.method, folder=folder.data, report=report)
    opened = _open(spec, folder, lambda: texts(split.train))
    refusal = packing_refusal(opened.config) if spec.packing else None
    rows = encode_split(
        split,
        spec,
        opened.template,
        context_length=opened.context_length,
        folder=folder.data,
        keep=spec.resume,
        report=report,
    )
    empty = empty_model(opened.config)
    trainable = choose_parameters(empty, spec, generator_seed=spec.seed)
    resolved = folder.read().get("resolved") if spec.resume else None
    packing = spec.packing and refusal is None
    fit, free = _fit(spec, opened, rows, packing=packing, earlier=resolved)
    seconds = forecast(operations(empty), rows, spec, opened, recompute=fit.gradient_checkpointing)
    plan = _plan(spec, opened, rows, trainable, fit, free, seconds, packing=packing)
    if refusal:
        report.event("warning", f"rows are not packed, each is a pass of its own: {refusal}")
    for note, count in rows.train.counts.notes:
        report.event("warning", f"{count:,} rows: {note}")
    chosen = {
        "max_tokens_per_pass": fit.max_tokens_per_pass,
        "gradient_checkpointing": fit.gradient_checkpointing,
        "precision": str(opened.dtype).removeprefix("torch."),
        "device": opened.device.type,
        "threads": resolved["threads"] if resolved else torch.get_num_threads(),
    }
    report.event("plan", "", table=plan.table(), data=plan.to_json())
    folder.update(plan=plan.to_json(), resolved=chosen, rows=rows.facts(), base=opened.found.base)
    name = identity(spec, rows=rows.fingerprint, model=fingerprint(opened), resolved=chosen)
    return Planned(spec, opened, rows, plan, name)


def _check(spec: TuningOptions) -> None:
    sized = spec.parameters is not None or spec.hidden_size is not None
    if sized and not spec.from_scratch:
        raise SpecError(
            "sizes of a new model are given", where="parameters", remedy="add --from-scratch, or remove the sizes"
        )
    if spec.from_scratch and spec.train != "full":
        raise SpecError(
            f"a model that starts from scratch has nothing to keep, and train is {spec.train}",
            where="from_scratch",
            remedy="add --train full",
        )


def _open(spec: TuningOptions, folder: RunFolder, corpus: Any) -> Opened:
    """Opens the base; for a new model of a size, its tokenizer is trained on the rows first (once per run)."""
    if not spec.from_scratch or (spec.parameters is None and spec.hidden_size is None):
        return open_model(spec.model, spec, weights=not spec.from_scratch)
    blank = folder.path / "init"
    if not (blank / "config.json").exists():
        tokenizer = train_tokenizer(corpus(), spec)
        tokenizer.save_pretrained(blank)
        new_config(spec, tokenizer).save_pretrained(blank)
    return open_model(str(blank), spec, weights=False)


def _fit(
    spec: TuningOptions, opened: Opened, rows: Prepared, *, packing: bool, earlier: Mapping[str, Any] | None
) -> tuple[Fit, int]:
    """Returns the passes and the free memory; a resumed run keeps the passes it began with, its numbers depend on
    them. `CapacityError` says what would fit."""
    budgets = token_budgets(rows.longest, on_cpu=opened.device.type == "cpu")
    recompute = (False, True) if spec.gradient_checkpointing is None else (spec.gradient_checkpointing,)
    if spec.max_tokens_per_pass:
        budgets = [spec.max_tokens_per_pass]
    if earlier:
        budgets, recompute = [earlier["max_tokens_per_pass"]], (earlier["gradient_checkpointing"],)
    free = free_memory(opened.device.type)
    fit = fit_passes(
        lambda tokens, again: predict_memory(_memory(spec, opened, rows, tokens, again, packing=packing)),
        free_bytes=free,
        budgets=budgets,
        checkpointing=recompute,
    )
    if fit is None:
        last = (budgets[-1], recompute[-1])
        fit = Fit(*last, check_capacity(_memory(spec, opened, rows, *last, packing=packing), free))
    return fit, free


def _memory(
    spec: TuningOptions, opened: Opened, rows: Prepared, tokens: int, recompute: bool, *, packing: bool
) -> MemoryRequest:
    """Returns what the run will ask of memory with passes of up to `tokens`, from the passes of its first steps."""
    lengths, counts = rows.train.tokens.lengths, rows.train.counts
    passes = pass_lengths(
        lengths,
        tokens,
        batch_size=spec.batch_size,
        order=spec.order,
        seed=spec.seed,
        steps=total_steps(spec, counts.sequences),
        most=PLANNED_STEPS,
        packing=packing,
    )
    return MemoryRequest(
        opened.config,
        spec,
        dtype=opened.dtype,
        weight_dtype=torch.float32 if spec.train not in LOW_RANK else opened.dtype,
        tokens_per_pass=max(passes),
        longest_row=rows.longest,
        row_lengths=len(set(-(lengths // -ROW))),
        pass_lengths=len({-(length // -PASS) for length in passes}),
        decoded_rows=_decoded_rows(spec, rows),
        passes_per_step=math.ceil(spec.batch_size * counts.tokens / counts.sequences / tokens),
        gradient_checkpointing=recompute,
        device=opened.device.type,
        trust_remote_code=spec.trust_remote_code,
    )


def _decoded_rows(spec: TuningOptions, rows: Prepared) -> int:
    """Returns how many held-out rows are answered at once, before and after training."""
    if rows.heldout is None or spec.method != "sft":
        return 0
    return min(spec.answer_rows, len(rows.heldout.rows), BATCH_TOKENS // rows.heldout.counts.longest)


def _plan(
    spec: TuningOptions,
    opened: Opened,
    rows: Prepared,
    trainable: Trainable,
    fit: Fit,
    free: int,
    seconds: float,
    *,
    packing: bool,
) -> Plan:
    counts = rows.train.counts
    heldout = [part.counts for part in (rows.validation, rows.test) if part is not None]
    rate = spec.learning_rate or default_rate(spec.train)
    return Plan(
        method=spec.method,
        model=opened.name,
        train=spec.train,
        rows=rows.sizes,
        sequences=counts.sequences,
        tokens=counts.tokens,
        labelled=counts.labelled,
        truncated_rows=counts.truncated_rows,
        dropped_rows=counts.dropped_rows,
        split_rows=counts.split_rows,
        heldout_truncated_rows=sum(one.truncated_rows for one in heldout),
        heldout_dropped_rows=sum(one.dropped_rows for one in heldout),
        trainable_parameters=trainable.count,
        total_parameters=trainable.total,
        steps=total_steps(spec, counts.sequences),
        batch_size=spec.batch_size,
        max_tokens_per_pass=fit.max_tokens_per_pass,
        gradient_checkpointing=fit.gradient_checkpointing,
        packing=packing,
        learning_rate=rate,
        precision=str(opened.dtype).removeprefix("torch."),
        device=opened.device.type,
        memory_bytes=fit.memory.total,
        available_bytes=free + fit.memory.runtime,
        seconds=seconds,
        notes=trainable.notes,
    )
