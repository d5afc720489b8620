"""Options of the models room: which model, which of its parameters are trained, and how a new one is shaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from luthier.config import ModelName, Options, TrustFlag

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Train = Literal["lora", "dora", "full", "last_layers", "head", "embeddings", "named"]


class LoadOptions(Options):
    """How a model is loaded, for verbs that take more than one model."""

    title = "Model"
    precision: Precision = Field(
        default="auto",
        description="number format of the computation; auto is bf16 where the machine computes in it, else fp32",
    )
    device: Device = Field(default="auto", description="where the model runs; auto takes cuda, then mps, then cpu")
    revision: str | None = Field(default=None, description="branch, tag or commit of a hub model")
    trust_remote_code: TrustFlag = Field(
        default=False, description="run Python code that comes with the model; only for publishers you trust"
    )


class ModelOptions(LoadOptions):
    """The model that is used, and how it is loaded."""

    title = "Model"
    hints: ClassVar[Mapping[str, str]] = {
        "model_name_or_path": "write model",
        "base_model": "write model",
        "torch_dtype": "write precision (auto, fp32, bf16 or fp16)",
        "dtype": "write precision (auto, fp32, bf16 or fp16)",
        "bf16": "write precision: bf16",
        "fp16": "write precision: fp16",
        "load_in_4bit": "4-bit weights are not supported yet",
    }
    model: ModelName = Field(
        default="fiddle",
        description="the model: fiddle (embedded), a model, adapter or run folder, or a hub name",
    )


_ONLY_FOR: dict[str, tuple[str, ...]] = {
    "lora_r": ("lora", "dora"),
    "lora_alpha": ("lora", "dora"),
    "lora_dropout": ("lora", "dora"),
    "use_rslora": ("lora", "dora"),
    "target_modules": ("lora", "dora"),
    "num_layers_to_train": ("last_layers",),
    "trainable_modules": ("named",),
}


class ParameterOptions(Options):
    """Which parameters are trained: new low-rank ones, some of the model's own, or all of them."""

    title = "Parameters"
    hints: ClassVar[Mapping[str, str]] = {
        "lora_rank": "write lora_r",
        "r": "write lora_r",
        "use_dora": "write train: dora",
        "use_peft": "write train: lora",
        "finetuning_type": "write train (lora, dora, full, last_layers, head, embeddings or named)",
        "freeze_layers": "write train: last_layers and num_layers_to_train",
    }
    train: Train = Field(
        default="lora",
        description="what is trained: new low-rank weights (lora, dora), everything (full), the last layers, "
        "the head, the embeddings, or parameters by name (named)",
    )
    lora_r: int = Field(default=16, ge=1, le=4096, description="rank of the low-rank weights")
    lora_alpha: float = Field(
        default=32.0, gt=0, le=65536, description="scale numerator: alpha / sqrt(r) with rsLoRA, alpha / r without"
    )
    lora_dropout: float = Field(default=0.0, ge=0, lt=1, description="share of inputs dropped on the low-rank path")
    use_rslora: bool = Field(default=True, description="scale by alpha / sqrt(r) (rsLoRA) instead of alpha / r")
    target_modules: tuple[str, ...] = Field(
        default=("all-linear",),
        min_length=1,
        description="linear layers that get low-rank weights: all-linear (attention and MLP), or names such as q_proj",
    )
    num_layers_to_train: int = Field(default=1, ge=1, description="decoder layers trained, counted from the last one")
    trainable_modules: tuple[str, ...] = Field(
        default=(), description="names of modules or parameters to train; * matches any part of a name"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        fields = type(self).model_fields
        for name, modes in _ONLY_FOR.items():
            if self.train not in modes and self.__dict__[name] != fields[name].default:
                raise ValueError(
                    f"{name} = {self.__dict__[name]!r} has no effect with train = {self.train}; "
                    f"remove it, or set train to {' or '.join(modes)}"
                )
        if self.train == "named" and not self.trainable_modules:
            raise ValueError("train = named needs trainable_modules; give names such as model.layers.5.mlp")
        return self


class ScratchOptions(Options):
    """The shape of a new model that is trained from scratch."""

    title = "New model"
    vocab_size: int = Field(default=8192, ge=300, le=1_000_000, description="tokens of the tokenizer that is trained")
    parameters: int | None = Field(
        default=None, ge=10_000, description="target number of parameters; sets every size that is not given"
    )
    hidden_size: int | None = Field(default=None, ge=8, description="width of the model")
    num_hidden_layers: int | None = Field(default=None, ge=1, description="number of decoder layers")
    num_attention_heads: int | None = Field(default=None, ge=1, description="attention heads; must divide hidden_size")
    num_key_value_heads: int | None = Field(
        default=None, ge=1, description="key and value heads; must divide num_attention_heads"
    )
    intermediate_size: int | None = Field(default=None, ge=8, description="width of the MLP")
    max_position_embeddings: int = Field(default=2048, ge=16, le=10_000_000, description="context length in tokens")
