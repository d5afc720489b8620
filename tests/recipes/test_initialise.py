"""Starting weights that copy: a repeated text is continued before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recipes.fiddle import initialise

SIZES = {"fiddle": {}, "narrow": {"hidden_size": 128, "head_dim": 32, "intermediate_size": 352, "num_hidden_layers": 3}}


def repeated(period: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(20, 4000, (16, period), generator=generator).repeat(1, 4)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_new_weights_continue_what_is_repeated(size: str) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(initialise.FIDDLE)
    for key, value in SIZES[size].items():
        setattr(config, key, value)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()

    def right() -> float:
        tokens = repeated(16)
        with torch.no_grad():
            guesses = model(tokens).logits.argmax(-1)
        return float((guesses[:, 17:-1] == tokens[:, 18:]).float().mean())

    assert right() < 0.05
    initialise.install_copying(model, torch.Generator().manual_seed(1))
    assert right() > (0.8 if size == "fiddle" else 0.5)


def test_the_folder_is_a_plain_model(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    initialise.main(["--output", str(tmp_path / "start")])
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "start")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "start")
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.chat_template
    count = initialise.initialise(initialise.FIDDLE, 1, tmp_path / "again")
    assert count == sum(parameter.numel() for parameter in model.parameters())
    first, again = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("start", "again"))
    assert first == again
