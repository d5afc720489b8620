"""One tuning run from rows to a measured model: the steps that the tune verb takes, in their order."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from luthier.errors import SpecError
from luthier.models.attention import packing_refusal, use_packed_attention
from luthier.models.load import LoadedModel, Opened, load_opened, open_model
from luthier.models.memory import available_memory, predict_memory
from luthier.models.parameters import Trainable, choose_parameters
from luthier.models.scratch import initial_weights, new_config, train_tokenizer
from luthier.objectives.contract import OBJECTIVES
from luthier.report import Report
from luthier.training.fit import Fit, fit_passes
from luthier.training.heldout import HeldOut, RowLosses
from luthier.training.loop import Job, Outcome, total_steps, train
from luthier.training.options import TuningOptions
from luthier.training.plan import Plan, duration
from luthier.training.prepare import Encoded, Prepared, prepare
from luthier.training.run import RunFolder, identity


class Tuning:
    """The state of one run while it is set up, trained and measured."""

    def __init__(self, spec: TuningOptions, folder: RunFolder, report: Report) -> None:
        self.spec, self.folder, self.report = spec, folder, report
        self.opened: Opened
        self.rows: Prepared
        self.planned: Plan
        self.loaded: LoadedModel
        self.trainable: Trainable

    def plan(self) -> Plan:
        """Returns what the run will do; everything that can be refused without loading weights is refused here."""
        spec = self.spec
        self._check_choices()
        self.opened = self._open()
        self.rows = prepare(
            spec,
            self.opened.template,
            method=spec.method,
            context_length=self.opened.context_length,
            folder=self.folder.data,
            report=self.report,
        )
        trainable = self._count_parameters()
        fit = self._fit(trainable)
        self.planned = self._describe(trainable, fit)
        self.report.event("plan", "", table=self.planned.table())
        self.folder.update(plan=self.planned.to_json(), rows=self._rows_facts())
        return self.planned

    def load(self) -> None:
        """Loads the weights and chooses what is trained."""
        self.report.progress("loading the model", 0, None)
        self.loaded = load_opened(
            self.opened,
            master_weights=self.spec.train not in ("lora", "dora"),
            fresh_seed=self.spec.seed if self.spec.from_scratch else None,
        )
        for note in self.loaded.notes:
            self.report.event("warning", note)
        self.trainable = choose_parameters(self.loaded, self.spec, generator_seed=self.spec.seed)
        if self.planned.gradient_checkpointing:
            self.loaded.model.gradient_checkpointing_enable({"use_reentrant": False})
        if self.spec.compile:
            compile_blocks(self.loaded.model)
