from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from small_models import KINDS, make_model

from luthier.errors import CapacityError
from luthier.models import memory
from luthier.models.causal import LONGEST
from luthier.models.memory import MemoryRequest, check_capacity, fits, free_memory, predict_memory
from luthier.models.options import ParameterOptions
from luthier.models.parameters import choose_parameters
from luthier.models.shapes import CALLS

FULL = ParameterOptions(train="full")


def request(config: Any, options: ParameterOptions = FULL, **changes: Any) -> MemoryRequest:
    made = MemoryRequest(config, options, torch.float32, torch.float32, 512, 64, runtime_bytes=0)
    return replace(made, **changes)


def kept_by_autograd(model: Any, ids: torch.Tensor) -> float:
    """Bytes per token that a real forward pass keeps for its backward pass, parameters aside."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        held = model.base_model(ids, use_cache=False)
    del held
    return sum(storage.nbytes() for pointer, storage in kept.items() if pointer not in own) / ids.numel()


@pytest.mark.parametrize("train", ["full", "lora", "dora", "last_layers"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_activations_are_what_autograd_keeps(kind: str, dtype: torch.dtype, train: Any) -> None:
    model = make_model(kind).to(dtype)
    for key in ("attn_pdrop", "resid_pdrop", "embd_pdrop"):
        if hasattr(model.config, key):
            setattr(model.config, key, 0.0)
    options = ParameterOptions(train=train)
    plan = predict_memory(request(model.config, options, dtype=dtype, weight_dtype=dtype))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    choose_parameters(model, options, generator_seed=0)
    real = kept_by_autograd(model.train(), torch.randint(3, 300, (2, 64)))
    assert plan.activations / 512 == pytest.approx(real, rel=0.06)


def test_weights_gradients_and_optimizer_follow_what_is_trained() -> None:
    model = make_model("llama")
    count = sum(parameter.numel() for parameter in model.parameters())
    full = predict_memory(request(model.config, passes_per_step=2))
    assert (full.weights, full.gradients, full.optimizer, full.copies) == (4 * count, 4 * count, 8 * count, 0)
    mixed = predict_memory(request(model.config, dtype=torch.bfloat16))
    assert (mixed.weights, mixed.copies) == (4 * count, 2 * count)
    assert mixed.activations < 0.8 * full.activations  # norms and the residual stream stay in fp32
    lora = ParameterOptions(lora_r=2, target_modules=("q_proj",))
    small = predict_memory(request(model.config, lora, dtype=torch.bfloat16, weight_dtype=torch.bfloat16))
    trained = 2 * 2 * (32 + 32)
    assert (small.weights, small.optimizer) == (2 * (count + trained), 8 * trained)


def test_more_work_never_needs_less() -> None:
    config = make_model("llama").config
    plans = [predict_memory(request(config, tokens_per_pass=tokens)).total for tokens in (128, 512, 2048)]
    assert plans == sorted(plans)
    assert plans[0] < plans[-1]
    long = request(config, tokens_per_pass=128, longest_row=2048)
    assert predict_memory(long).total == plans[-1]
    whole = predict_memory(request(config, tokens_per_pass=2048))
    less = predict_memory(request(config, tokens_per_pass=2048, gradient_checkpointing=True))
    assert less.activations < 0.7 * whole.activations
    assert predict_memory(request(config, labelled_per_pass=10)).logits < predict_memory(request(config)).logits
    assert predict_memory(request(config, passes_per_step=3)).gradients > predict_memory(request(config)).gradients
    assert whole.total == sum(size for _, size in whole.parts())
    assert whole.new == whole.total
    assert whole.table().rows[-1][0] == "peak"


def test_dropped_attention_weights_cost_a_row_per_token() -> None:
    config = make_model("llama").config
    plain = predict_memory(request(config, longest_row=400)).activations
    config.attention_dropout = 0.1
    dropping = predict_memory(request(config, longest_row=400)).activations
    assert dropping - plain == 512 * 2 * 2 * 4 * 400 * 4  # tokens x layers x two copies x heads x longest row x fp32


def test_a_model_that_cannot_be_traced_is_still_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.llama import modeling_llama

    config = make_model("llama").config
    traced = predict_memory(request(config)).activations

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")

    monkeypatch.setattr(modeling_llama.LlamaModel, "forward", refuse)
    for options in (FULL, ParameterOptions()):
        guessed = predict_memory(request(config, options)).activations
        assert guessed == pytest.approx(traced, rel=0.3)


def test_what_does_not_fit_is_refused_with_what_would() -> None:
    config = make_model("llama").config
    asked = request(config, tokens_per_pass=200_000)
    needed = predict_memory(asked)
    assert check_capacity(asked, 2 * needed.new) == needed
    assert not fits(needed, needed.new)
    with pytest.raises(CapacityError) as caught:
        check_capacity(asked, int(needed.new * 0.6))
    text = str(caught.value)
    assert "--max-tokens-per-pass 50000 (" in text
    assert "--gradient-checkpointing (" in text
    assert f"the run needs {needed.new / 1e9:.2f} GB more" in text
    with pytest.raises(CapacityError, match="no setting tried fits"):
        check_capacity(asked, 1000)


def test_only_what_fits_is_offered() -> None:
    config = make_model("llama").config
    asked = request(config, tokens_per_pass=100_000, longest_row=100_000)
    room = int(predict_memory(replace(asked, gradient_checkpointing=True)).new / 0.95) + 1
    with pytest.raises(CapacityError) as caught:
        check_capacity(asked, room)
    assert "--max-tokens-per-pass" not in str(caught.value)
    assert "--gradient-checkpointing" in str(caught.value)


def test_free_memory_knows_the_limit_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < free_memory("cpu") <= psutil.virtual_memory().total
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert memory._group_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text("5000\n")
    assert memory._group_limit(tmp_path) == 4000
    assert memory._group_limit(tmp_path / "none") is None
    monkeypatch.setattr(memory, "_group_limit", lambda: 123)
    assert free_memory("cpu") == 123


def test_runtime_is_this_process_or_a_gpu_context() -> None:
    config = make_model("llama").config
    here = predict_memory(request(config, runtime_bytes=None)).runtime
    assert here == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)
    assert predict_memory(request(config, runtime_bytes=None, device="cuda")).runtime == 600_000_000


_TRAIN = """
import json, resource, psutil, torch
from transformers import LlamaConfig, LlamaForCausalLM
from luthier.models.memory import MemoryRequest, predict_memory
from luthier.models.options import ParameterOptions
torch.set_num_threads(1)
config = LlamaConfig(vocab_size=4000, hidden_size=192, num_hidden_layers=5, num_attention_heads=4,
                     num_key_value_heads=2, intermediate_size=512, tie_word_embeddings=True)
plan = predict_memory(MemoryRequest(config, ParameterOptions(train="full"), torch.float32, torch.float32, 4096, 128,
                                    labelled_per_pass=1000))
model = LlamaForCausalLM(config)
optimizer = torch.optim.AdamW(model.parameters(), fused=True)
for _ in range(2):
    ids = torch.randint(4000, (32, 128))
    hidden = model.model(ids, use_cache=False).last_hidden_state.flatten(0, 1)[:1000]
    torch.nn.functional.cross_entropy(model.lm_head(hidden), ids.flatten()[:1000]).backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"predicted": plan.total, "peak": peak, "runtime": plan.runtime}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit")
def test_prediction_is_close_to_a_real_run() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TRAIN],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src", "OMP_NUM_THREADS": "1"},
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["peak"] - seen["runtime"] > 300e6
    assert seen["predicted"] == pytest.approx(seen["peak"], rel=0.2)


def test_code_grows_with_the_lengths_in_half_precision_on_a_cpu_only() -> None:
    config = make_model("llama").config
    half = {"dtype": torch.bfloat16, "weight_dtype": torch.bfloat16}

    def code(options: ParameterOptions = FULL, **changes: Any) -> int:
        return predict_memory(request(config, options, **(half | changes))).code

    assert predict_memory(request(config, row_lengths=9, pass_lengths=9, decoded_rows=9)).code == 0
    assert code(device="cuda", row_lengths=9) == 0
    blocks = memory._ATTENTION_PRODUCTS * len(CALLS) * memory._PRODUCT_CODE
    assert code(row_lengths=3) - code(row_lengths=1) == 2 * blocks
    assert code(longest_row=257) - code(longest_row=256) == blocks
    longer = {"longest_row": LONGEST + 320, "row_lengths": 200}
    assert code(**longer) - code(**(longer | {"longest_row": LONGEST})) == 10 * memory._ROW_CODE
    shapes = 4  # q and o; k and v; gate and up; down
    assert code(pass_lengths=3) - code(pass_lengths=1) == 2 * 3 * shapes * memory._PRODUCT_CODE
    assert code(decoded_rows=2) - code() == 2 * (shapes + 1) * memory._PRODUCT_CODE
    assert code(ParameterOptions(), pass_lengths=3) > code(pass_lengths=3)
    assert code(pass_lengths=10_000) == memory._PRODUCTS_KEPT * memory._PRODUCT_CODE


_TUNE = """
import json, resource, sys
from pathlib import Path
from luthier.report import ListReport
from luthier.workflows import demo, tune
train, precision, output = sys.argv[1:]
asked = demo.tune_spec(demo.Spec(output=output, max_steps=30)).model_dump()
tune.run(tune.Spec(**(asked | {"train": train, "precision": precision})), ListReport())
run = json.loads((Path(output) / "run.json").read_text())
print(json.dumps({"predicted": run["plan"]["memory_bytes"],
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has another unit")
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("train", ["full", "lora"])
def test_the_plan_of_a_whole_run_is_close(train: str, precision: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TUNE, train, precision, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    assert abs(seen["predicted"] - seen["peak"]) < max(0.2 * seen["peak"], 300e6)
