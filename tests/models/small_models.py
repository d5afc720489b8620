"""Two-layer models and a small tokenizer, made here: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from luthier.models.options import ScratchOptions
from luthier.models.scratch import train_tokenizer

TEXTS = [
    "the old violin needs a new bridge and 2 strings",
    "a cello bow costs 340 euros",
    "tune the lute at 9",
    "her grandfather built harps",
] * 20
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
KINDS = ("llama", "gpt2", "qwen2")


def make_tokenizer() -> Any:
    made = train_tokenizer(TEXTS, ScratchOptions(vocab_size=320, max_position_embeddings=128))
    made.chat_template = TEMPLATE
    return made


def make_model(kind: str, *, vocab_size: int = 320, seed: int = 0, tied: bool = False) -> Any:
    """Returns a random two-layer model whose biases and norms are random too, so that none can be forgotten."""
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    torch.manual_seed(seed)
    sizes: dict[str, Any] = {"vocab_size": vocab_size, "hidden_size": 32, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48}
    sizes |= {"max_position_embeddings": 128, "tie_word_embeddings": tied, "bos_token_id": 1, "eos_token_id": 2}
    if kind == "gpt2":
        config: Any = GPT2Config(
            vocab_size=vocab_size, n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=1, eos_token_id=2
        )
        model: Any = GPT2LMHeadModel(config)
    elif kind == "qwen2":
        model = Qwen2ForCausalLM(Qwen2Config(**sizes))
    else:
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            elif "lm_head" not in name:
                parameter.mul_(4)
    return model.eval()


def save_model(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def train_adapter(model: Any, *, seed: int = 3) -> None:
    """Gives every adapter weight a random value, as if it had been trained."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name or "magnitude" in name:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(noise * (0.05 if parameter.ndim == 2 else 0.2 * float(parameter.mean())))
