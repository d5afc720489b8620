"""Options of the training loop, under the names people know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from luthier.config import LocalPath, Options
from luthier.evaluation.options import ScoreOptions
from luthier.models.options import ModelOptions, ParameterOptions, ScratchOptions
from luthier.records.options import RowsOptions, SplitOptions
from luthier.tokens.options import TokenOptions

LOW_RANK = ("lora", "dora")


def default_rate(train: str) -> float:
    """Returns the peak learning rate for a way to train, where none is given."""
    return 2e-4 if train in LOW_RANK else 2e-5


class TrainingOptions(Options):
    """How the trained parameters are updated, and when the run is logged, measured and saved."""

    title: ClassVar[str] = "Training"
    hints: ClassVar[Mapping[str, str]] = {
        "per_device_train_batch_size": "write batch_size (rows per optimizer step, split by max_tokens_per_pass)",
        "gradient_accumulation_steps": "not needed: batch_size counts rows per step, split by max_tokens_per_pass",
        "epochs": "write num_train_epochs",
        "n_epochs": "write num_train_epochs",
        "lr": "write learning_rate",
        "learning_rate_multiplier": "write learning_rate",
        "warmup": "write warmup_ratio or warmup_steps",
        "lr_scheduler": "write lr_scheduler_type",
        "bf16": "write precision: bf16",
        "fp16": "write precision: fp16",
        "clip": "write max_grad_norm",
        "group_by_length": "write order: group_by_length",
        "output_dir": "write output",
        "resume_from_checkpoint": "write resume: true",
        "load_best_model_at_end": "the best checkpoint is always kept and used when there are validation rows",
    }

    learning_rate: float | None = Field(
        default=None, gt=0, le=10, description="peak learning rate; default 2e-4 for LoRA and DoRA, 2e-5 otherwise"
    )
    weight_decay: float = Field(
        default=0.0, ge=0, le=1, description="AdamW decay of matrices (norms and biases are spared)"
    )
    adam_beta1: float = Field(default=0.9, ge=0, lt=1, description="decay of AdamW's first moment")
    adam_beta2: float = Field(default=0.999, ge=0, lt=1, description="decay of AdamW's second moment")
    adam_epsilon: float = Field(default=1e-8, gt=0, le=1, description="AdamW's epsilon")
    optimizer: Literal["adamw", "muon"] = Field(
        default="adamw",
        description="adamw, or muon for the matrices of hidden layers (and adamw for the rest), which takes fewer "
        "tokens to the same loss when much is to be learnt; learning rates mean the same",
    )
    muon_momentum: float = Field(default=0.95, ge=0, lt=1, description="decay of Muon's momentum")
    num_train_epochs: float = Field(default=3.0, gt=0, le=10_000, description="passes over the training rows")
    max_steps: int | None = Field(default=None, ge=1, description="optimizer steps; overrides num_train_epochs")
    batch_size: int = Field(default=16, ge=1, le=1_000_000, description="rows per optimizer step")
    max_tokens_per_pass: int | None = Field(
        default=None,
        ge=1,
        description="tokens packed into one forward pass; default: what memory allows, up to 4,096 on a CPU",
    )
    packing: bool = Field(
        default=True, description="put several rows of one optimizer step in one forward pass, each seeing only itself"
    )
    warmup_ratio: float = Field(
        default=0.05, ge=0, le=1, description="share of the steps over which the learning rate rises"
    )
    warmup_steps: int | None = Field(default=None, ge=0, description="steps of warm-up; overrides warmup_ratio")
    lr_scheduler_type: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", description="how the learning rate falls after warm-up (to 0, or not at all)"
    )
    max_grad_norm: float = Field(default=1.0, ge=0, description="gradient norm is clipped to this; 0 does not clip")
    order: Literal["random", "group_by_length", "sequential"] = Field(
        default="random",
        description="order of the rows: random, batches of similar length in random order, or as given",
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="seed of the order of rows, of new weights and of dropout")
    logging_steps: int = Field(default=1, ge=1, description="steps between lines of metrics.jsonl")
    eval_steps: int | None = Field(
        default=None, ge=1, description="steps between measures of validation loss; default: ten a run"
    )
    save_steps: int | None = Field(
        default=None, ge=1, description="steps between checkpoints; default: at every evaluation"
    )
    save_total_limit: int = Field(default=2, ge=1, description="checkpoints kept, beside the best one")
    keep_models: int = Field(
        default=0,
        ge=0,
        description="models of the last so many epochs to keep, ready to use (and of a stop); each epoch then ends "
        "with a measure of validation loss",
    )
    early_stopping_patience: int | None = Field(
        default=None, ge=1, description="stop after so many evaluations without a better validation loss"
    )
    gradient_checkpointing: bool | None = Field(
        default=None, description="recompute activations to save memory; default: only when memory needs it"
    )
    compile: bool = Field(
        default=False, description="compile the model's blocks (about a minute of warm-up; needs a C compiler)"
    )
    profile: bool = Field(default=False, description="measure a few steps and print where their time goes")
    report_to: tuple[Literal["tensorboard", "wandb"], ...] = Field(
        default=(), description="also write metrics there: tensorboard (when installed, by default), wandb"
    )


class RunOptions(Options):
    """What a tuning run does as a whole."""

    title: ClassVar[str] = "Run"
    hints: ClassVar[Mapping[str, str]] = {"objective": "write method", "init": "write from_scratch: true"}

    method: Literal["sft", "clm"] = Field(
        default="sft", description="sft learns the replies of chats, clm learns plain text token by token"
    )
    output: LocalPath | None = Field(default=None, description="the run's folder; default: a new one under runs/")
    resume: bool = Field(default=False, description="go on with the run in output, bit for bit")
    answer_rows: int = Field(
        default=200, ge=0, description="held-out rows that base and tuned both answer; 0 compares the loss alone"
    )
    answer_tokens: int | None = Field(
        default=None,
        ge=1,
        description="tokens per answer at most; default: half as long again as the longest reference",
    )
    plan_only: bool = Field(default=False, description="print the plan and stop")
    from_scratch: bool = Field(
        default=False,
        description="start from random weights: of the model's shape, or of a new one when its size is given",
    )


class DataOptions(TokenOptions, SplitOptions, RowsOptions):
    """Everything that decides which tokens are trained."""


class TuningOptions(
    ScoreOptions, ScratchOptions, ParameterOptions, TrainingOptions, DataOptions, RunOptions, ModelOptions
):
    """Everything a tuning run can be told, room by room."""
