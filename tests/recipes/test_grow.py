"""A grown model computes what it did before, and its new layers learn."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from luthier.models.fiddle import __path__ as fiddle
from recipes.fiddle.grow import main


def test_new_layers_do_nothing_at_first_and_learn(tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2}
    before = LlamaForCausalLM(LlamaConfig(vocab_size=4096, **shape))
    before.save_pretrained(tmp_path / "small")
    AutoTokenizer.from_pretrained(next(iter(fiddle))).save_pretrained(tmp_path / "small")
    main([str(tmp_path / "small"), "--after", "0", "1", "--output", str(tmp_path / "large")])
    after = AutoModelForCausalLM.from_pretrained(tmp_path / "large")
    assert after.config.num_hidden_layers == 5
    ids = torch.arange(20)[None]
    assert torch.equal(before(ids).logits, after(ids).logits)
    for old, new in zip((0, 0, 1, 1, 2), after.model.layers, strict=True):
        assert torch.equal(before.model.layers[old].mlp.up_proj.weight, new.mlp.up_proj.weight)
    after(ids, labels=ids).loss.backward()
    assert after.model.layers[1].self_attn.o_proj.weight.grad.abs().sum() > 0
    assert len(AutoTokenizer.from_pretrained(tmp_path / "large")) == 4096
