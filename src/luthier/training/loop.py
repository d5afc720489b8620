"""The one training loop, for every objective.

It takes rows in a seeded order, packs each optimizer step into as few passes as the token budget allows, accumulates
token-exactly (the step's loss is the sum over its labelled tokens divided by their number, however it was cut into
passes), and leaves checkpoints from which it continues bit for bit. Data order and learning rate are functions of the
step, so the state of a run is its trained weights, the optimizer's moments, the random generators and `State`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from luthier.errors import Interrupted, TrainingError
from luthier.objectives.contract import Objective
from luthier.report import Report
from luthier.tokens.plan import plan_passes, plan_steps
from luthier.training import checkpoint as saved
from luthier.training.checkpoint import State
from luthier.training.muon import Muon, hidden_matrices
from luthier.training.options import TrainingOptions
from luthier.training.profile import Breakdown, Profiler
from luthier.training.schedule import learning_rate
from luthier.training.track import Tracker


class Items(Protocol):
    """What is trained on: rows by index, and how many tokens each has."""

    @property
    def lengths(self) -> NDArray[np.int64]: ...

    def __getitem__(self, index: int) -> Any: ...

    def __len__(self) -> int: ...


@dataclass
class Job:
    """Everything one training run works on, handed in by the verb.

    `evaluate` returns the held-out figures ("eval_loss" and friends); `describe` names the rows behind item indices
    for errors; `identity` is what makes this run this run: a checkpoint with another one is refused.
    """

    model: nn.Module
    objective: Objective
    items: Items
    options: TrainingOptions
    peak_learning_rate: float
    max_tokens_per_pass: int
    folder: Path
    device: torch.device
    compute_dtype: torch.dtype
    identity: Mapping[str, Any]
    report: Report
    evaluate: Callable[[], Mapping[str, float]] | None = None
    describe: Callable[[Sequence[int]], str] = str
    packing: bool = True
    on_profile: Callable[[Breakdown], None] | None = None
    keep_model: Callable[[int, Mapping[str, float]], None] | None = None
    """Keeps the model as it is after this step, with these figures: at the end of every epoch, and at a stop."""


@dataclass
class Outcome:
    """What training left: the state it ended in, and whether it ended early. The model holds the best weights."""

    state: State
    total_steps: int
    stopped_early: bool
    resumed_from: int | None


def total_steps(options: TrainingOptions, item_count: int) -> int:
    """Returns the optimizer steps of a run over `item_count` sequences."""
    if options.max_steps is not None:
        return options.max_steps
    return math.ceil(options.num_train_epochs * math.ceil(item_count / options.batch_size))


def every(options: TrainingOptions, total: int) -> tuple[int, int]:
    """Returns the steps between evaluations and between checkpoints."""
    evaluations = options.eval_steps or max(1, math.ceil(total / 10))
    return evaluations, options.save_steps or evaluations


def train(job: Job, *, resume: bool) -> Outcome:
    """Runs (or continues) the job and returns its outcome; the model is left with the best weights.

    Raises `Interrupted` when the report says so (a checkpoint is written first), `TrainingError` when the loss is not
    a number, `CheckpointError` when there is nothing sound to resume from, `DiskFullError` when the disk is.
    """
    return _Run(job).go(resume=resume)


class _Run:
    def __init__(self, job: Job) -> None:
        self.job, self.options = job, job.options
        self.trained = {name: p for name, p in job.model.named_parameters() if p.requires_grad}
        if not self.trained:
            raise TrainingError("no parameter is trained", remedy="check --train and its options")
        self.optimizer = _optimizer(self.options, job.model, job.peak_learning_rate)
        self.scaler = torch.amp.GradScaler(job.device.type, enabled=job.compute_dtype == torch.float16)
        self.total = total_steps(self.options, len(job.items))
        self.eval_every, self.save_every = every(self.options, self.total)
        self.lengths = np.asarray(job.items.lengths)
        self.state = State()
        self.checkpoints = job.folder / "checkpoints"
        self.profiler: Profiler | None = None
        self.per_epoch = math.ceil(len(job.items) / self.options.batch_size)
        self.window = _Window()
        self._epoch: tuple[int, list[NDArray[np.int64]]] = (-1, [])

    def go(self, *, resume: bool) -> Outcome:
        resumed = self._restore() if resume else None
        if resumed is None:
            torch.manual_seed(self.options.seed)
        if self.job.on_profile is not None and self.state.step < self.total:
            steps = (self.state.step + 1, self.total)
            self.profiler = Profiler(self.job.device, self.job.compute_dtype, self.job.on_profile, steps=steps)
        with Tracker(
            self.job.folder,
            self.job.report,
            report_to=self.options.report_to,
            config=self.job.identity,
            from_step=self.state.step,
        ) as tracker:
            stopped = self._steps(tracker)
        self._use_best()
        return Outcome(self.state, self.total, stopped, resumed)

    def _steps(self, tracker: Tracker) -> bool:
        """Runs the remaining steps; returns whether early stopping ended them."""
        self.job.model.train()
        window = self.window
        while self.state.step < self.total:
            if self._out_of_patience():
                return True
            if self.job.report.cancelled():
                self._keep({})
                self._save()
                raise Interrupted(
                    f"stopped at step {self.state.step} of {self.total}; everything so far is saved",
                    where=str(self.job.folder),
                    remedy="run the same command with --resume to go on",
                )
            with self._profiled():
                figures = self._step()
            window.add(figures)
            if self.state.step % self.options.logging_steps == 0 or self.state.step == self.total:
                tracker.write(self.state.step, window.close(self.state, self._learning_rate(self.state.step - 1)))
            self.job.report.progress("training", self.state.step, self.total, window.figures)
            self._after_step(tracker)
        return self._out_of_patience()

    def _profiled(self) -> AbstractContextManager[None]:
        if self.profiler is None:
            return nullcontext()
        step = self.state.step
        return self.profiler.step(step + 1, int(self.lengths[self._rows_of(step)].sum()))

    def _step(self) -> _StepFigures:
        """One optimizer step over `batch_size` rows."""
        began = time.perf_counter()
        chosen = self._rows_of(self.state.step)
        rows = [self.job.items[int(index)] for index in chosen]
        denominator = max(1, self.job.objective.count(rows))
        loss_there, correct_there = self._accumulate(rows, self.lengths[chosen], denominator)
        norm_there = self._clip()
        self._update(loss_there, norm_there)
        loss, correct, norm = float(loss_there), int(correct_there), float(norm_there)  # the one wait for the device
        if not math.isfinite(loss):
            self._not_a_number("loss", loss, chosen)
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            self._not_a_number("gradient norm", norm, chosen)
        seconds = time.perf_counter() - began
        tokens = int(self.lengths[chosen].sum())
        self.state.step += 1
        self.state.tokens += tokens
        self.state.labelled += denominator
        self.state.seconds += seconds
        return _StepFigures(loss, correct, denominator, tokens, seconds, norm)

    def _accumulate(self, rows: list[Any], lengths: NDArray[np.int64], denominator: int) -> tuple[Tensor, Tensor]:
        loss = torch.zeros((), device=self.job.device)
        correct = torch.zeros((), dtype=torch.int64, device=self.job.device)
        for members in plan_passes(lengths.tolist(), self.job.max_tokens_per_pass, packing=self.job.packing):
            batch = self.job.objective.collate([rows[index] for index in members]).to(self.job.device)
            with computing_in(self.job.device, self.job.compute_dtype):
                part = self.job.objective.loss(self.job.model, batch, denominator)
            self.scaler.scale(part.value).backward()  # type: ignore[no-untyped-call]
            loss += part.value.detach()
            correct += part.correct
        return loss, correct

    def _clip(self) -> Tensor:
        """Clips the gradients; returns their norm before."""
        self.scaler.unscale_(self.optimizer)
        return nn.utils.clip_grad_norm_(self.trained.values(), self.options.max_grad_norm or math.inf)

    def _update(self, loss: Tensor, norm: Tensor) -> None:
        """Takes the step, unless loss or norm is not a number: the fused optimizer sees to that where they are."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(self.state.step)
        if not self.scaler.is_enabled():
            optimizer: Any = self.optimizer
            optimizer.found_inf = (~torch.isfinite(loss + norm)).float().to(self.job.device)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    def _learning_rate(self, step: int) -> float:
        return learning_rate(self.options, self.job.peak_learning_rate, step, self.total)

    def _rows_of(self, step: int) -> NDArray[np.int64]:
        epoch, index = divmod(step, self.per_epoch)
        if self._epoch[0] != epoch:
            order = plan_steps(
                self.lengths,
                batch_size=self.options.batch_size,
                order=self.options.order,
                seed=self.options.seed,
                epoch=epoch,
            )
            self._epoch = (epoch, order)
        return self._epoch[1][index]

    def _after_step(self, tracker: Tracker) -> None:
        step, last = self.state.step, self.state.step == self.total
        kept = self.job.keep_model is not None and (last or step % self.per_epoch == 0)
        improved, figures = False, dict[str, float]()
        if self.job.evaluate is not None and (step % self.eval_every == 0 or last or kept):
            figures = dict(self.job.evaluate())
            self.job.model.train()
            tracker.write(step, figures)
            improved = self._judge(figures["eval_loss"])
        if kept:
            self._keep(figures)  # before the checkpoint: a run killed in between does this step again
        if improved or last or step % self.save_every == 0:
            self._save()

    def _keep(self, figures: Mapping[str, float]) -> None:
        if self.job.keep_model is not None and self.state.step:
            self.job.keep_model(self.state.step, {**self.window.latest, **figures})

    def _judge(self, loss: float) -> bool:
        if self.state.best_loss is None or loss < self.state.best_loss:
            self.state.best_loss, self.state.best_step, self.state.stale = loss, self.state.step, 0
            return True
        self.state.stale += 1
        return False

    def _out_of_patience(self) -> bool:
        patience = self.options.early_stopping_patience
        return patience is not None and self.state.stale >= patience

    def _save(self) -> None:
        path = saved.save_checkpoint(self.checkpoints, self.state, self._tensors(), self.job.identity)
        saved.prune(self.checkpoints, self.options.save_total_limit, self.state.best_step)
        self.job.report.event("checkpoint", f"checkpoint of step {self.state.step}: {path}")

    def _tensors(self) -> dict[str, Tensor]:
        out: dict[str, Tensor] = {f"model.{name}": parameter for name, parameter in self.trained.items()}
        for name, parameter in self.trained.items():
            for key, value in self.optimizer.state[parameter].items():
                out[f"optimizer.{name}.{key}"] = value
        out.update(saved.random_states(self.job.device))
        if self.scaler.is_enabled():
            scale = self.scaler.state_dict()
            out["scaler"] = torch.tensor([scale["scale"], scale["_growth_tracker"]], dtype=torch.float64)
        return {name: tensor.detach() for name, tensor in out.items()}

    def _restore(self) -> int | None:
        found, damaged = saved.latest_checkpoint(self.checkpoints, self.job.identity)
        for warning in damaged:
            self.job.report.event("warning", f"{warning}; going on from the checkpoint before it")
        if found is None:
            return None
        self.state = saved.read_state(found)[0]
        tensors = saved.load_tensors(found)
        self._load_weights(tensors)
        for name, parameter in self.trained.items():
            prefix = f"optimizer.{name}."
            moments = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            if moments:
                self.optimizer.state[parameter] = {k: v.to(parameter.device) for k, v in moments.items()}
        if "scaler" in tensors:
            scale = self.scaler.state_dict() | {
                "scale": float(tensors["scaler"][0]),
                "_growth_tracker": int(tensors["scaler"][1]),
            }
            self.scaler.load_state_dict(scale)
        saved.restore_random_states(tensors, self.job.device)
        self.job.report.event("info", f"resumed from step {self.state.step} ({found})")
        return self.state.step

    def _load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.trained.items():
                parameter.copy_(tensors[f"model.{name}"])

    def _use_best(self) -> None:
        """Leaves the model with the weights of the best evaluation, when there was one and it was not the last step."""
        best = self.state.best_step
        if best is not None and best != self.state.step:
            self._load_weights(saved.load_tensors(self.checkpoints / f"{saved.PREFIX}{best:08d}"))
            self.job.report.event("info", f"the best validation loss was at step {best}; its weights are used")
        self.job.model.eval()

    def _not_a_number(self, what: str, value: float, chosen: NDArray[np.int64]) -> None:
        raise TrainingError(
            f"the {what} of step {self.state.step + 1} is {value}",
            where=self.job.describe([int(index) for index in chosen]),
            remedy=f"the checkpoints under {self.checkpoints} are good; look at these rows, or lower --learning-rate "
            "or use --precision fp32, and start a new run",
        )


@dataclass(frozen=True, slots=True)
class _StepFigures:
    loss: float
    correct: int
    labelled: int
    tokens: int
    seconds: float
    grad_norm: float


class _Window:
    """The steps since the last logged one, weighed by their labelled tokens."""

    def __init__(self) -> None:
        self._steps: list[_StepFigures] = []
        self.figures: dict[str, float] = {}
        self.latest: dict[str, float] = {}

    def add(self, step: _StepFigures) -> None:
        self._steps.append(step)

    def close(self, state: State, rate: float) -> dict[str, float]:
        labelled = sum(step.labelled for step in self._steps) or 1
        tokens, seconds = sum(step.tokens for step in self._steps), sum(step.seconds for step in self._steps)
        out = {
            "loss": sum(step.loss * step.labelled for step in self._steps) / labelled,
            "token_accuracy": sum(step.correct for step in self._steps) / labelled,
            "learning_rate": rate,
            "tokens": float(state.tokens),
            "tokens_per_second": tokens / seconds if seconds else 0.0,
        }
        if math.isfinite(self._steps[-1].grad_norm):  # fp16 skips steps whose scaled gradients overflow
            out["grad_norm"] = self._steps[-1].grad_norm
        self._steps, self.latest = [], out
        self.figures = {"loss": out["loss"], "tokens/s": out["tokens_per_second"]}
        return out


def computing_in(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Returns the context in which matrix products are done in `dtype` (fp32: as they are)."""
    return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)


def _optimizer(options: TrainingOptions, model: nn.Module, rate: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019, algorithm 2), or Muon for the matrices between embeddings and head.

    Norms and biases do not decay.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    hidden = hidden_matrices(model) if options.optimizer == "muon" else []
    chosen = {id(parameter) for parameter in hidden}
    matrices = [parameter for parameter in trained if parameter.ndim >= 2 and id(parameter) not in chosen]
    vectors = [parameter for parameter in trained if parameter.ndim < 2]
    groups = [
        {"params": group, "weight_decay": decay}
        for group, decay in ((matrices, options.weight_decay), (vectors, 0.0))
        if group
    ]
    betas = (options.adam_beta1, options.adam_beta2)
    if not hidden:
        return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=options.adam_epsilon, fused=True)
    rest = torch.optim.AdamW(groups or [{"params": []}], lr=rate, betas=betas, eps=options.adam_epsilon, fused=True)
    return Muon(hidden, rest, lr=rate, decay=options.weight_decay, momentum=options.muon_momentum)
