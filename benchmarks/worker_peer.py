"""The other side: TRL's or transformers' own trainer on the shared rows. `python -m benchmarks.worker_peer --help`.

It runs in the peers' environment (requirements.txt) and imports nothing of Luthier.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.blocks import Turn
from benchmarks.shapes import (
    BATCH,
    LORA_ALPHA,
    LORA_RANK,
    LORA_TARGETS,
    SHAPES,
    batches,
    build_model,
    examples,
    same_adapter,
    word_tokenizer,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and trains until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker_peer")
    parser.add_argument("--trainer", choices=("trl", "hf"), required=True)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="29M")
    parser.add_argument("--train", choices=("full", "lora"), default="full")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--order", choices=("random", "grouped"), default="random")
    parser.add_argument("--no-checkpointing", action="store_true", help="keep activations (TRL recomputes by default)")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--steps", type=int, default=3, help="steps of a block")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        _train(given, folder)


def _train(given: argparse.Namespace, folder: str) -> None:
    import torch
    from datasets import Dataset
    from transformers import Trainer, TrainerCallback, TrainingArguments

    torch.set_num_threads(1)
    rows = [row for batch in batches(examples(SHAPES[given.shape]["vocab_size"]), given.order) for row in batch]
    model: Any = build_model(given.shape)
    if given.train == "lora" and given.precision == "bf16":
        model.to(torch.bfloat16)
    queue: list[int] = []
    turn: list[Turn] = []

    class Watch(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            turn.append(Turn(given.steps))

        def on_log(self, *_: Any, **said: Any) -> None:
            logs = said["logs"]
            if "loss" in logs:
                turn[0].step(queue.pop(0), float(logs["loss"]))

    shared = {
        "output_dir": folder,
        "per_device_train_batch_size": BATCH,
        "num_train_epochs": 100,
        "learning_rate": 1e-4,
        "lr_scheduler_type": "constant",
        "bf16": given.precision == "bf16",
        "train_sampling_strategy": "sequential",
        "torch_compile": given.compile,
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "save_strategy": "no",
        "use_cpu": True,
    }
    data = Dataset.from_list(
        [
            {
                "input_ids": list(row.prompt + row.completion),
                "labels": [-100] * len(row.prompt) + list(row.completion),
            }
            for row in rows
        ]
    )
    trainer: Any
    if given.trainer == "trl":
        from trl import SFTConfig, SFTTrainer

        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(**shared, gradient_checkpointing=not given.no_checkpointing),
            train_dataset=data,
            processing_class=word_tokenizer(SHAPES[given.shape]["vocab_size"]),
            peft_config=_adapter() if given.train == "lora" else None,
            callbacks=[Watch()],
        )
    else:
        from transformers import DataCollatorForSeq2Seq

        if given.train == "lora":
            from peft import get_peft_model

            model = get_peft_model(model, _adapter())
        trainer = Trainer(
            model=model,
            args=TrainingArguments(**shared),
            train_dataset=data,
            data_collator=DataCollatorForSeq2Seq(
                word_tokenizer(SHAPES[given.shape]["vocab_size"]), label_pad_token_id=-100
            ),
            callbacks=[Watch()],
        )
    same_adapter(trainer.model)
    inner = trainer.data_collator

    def collate(features: Any) -> Any:
        batch = inner(features)
        queue.append(int(batch["attention_mask"].sum()))
        return batch

    trainer.data_collator = collate
    trainer.train()


def _adapter() -> Any:
    from peft import LoraConfig

    targets = list(LORA_TARGETS)
    return LoraConfig(
        r=LORA_RANK, lora_alpha=LORA_ALPHA, use_rslora=True, target_modules=targets, task_type="CAUSAL_LM"
    )


if __name__ == "__main__":
    main()
