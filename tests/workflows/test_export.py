from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from luthier.config import bind
from luthier.errors import CapacityError, Interrupted, ModelError, SpecError
from luthier.report import ListReport
from luthier.workflows import export

pytest.importorskip("luthier.tokens.template")
TEXTS = ["the old violin needs a new bridge and 2 strings", "a cello bow costs 340 euros, tune the lute at 9"] * 20


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base model of our own."""
    from luthier.models.options import ScratchOptions
    from luthier.models.scratch import new_config, random_model, train_tokenizer

    options = ScratchOptions(vocab_size=300, hidden_size=32, num_hidden_layers=2, max_position_embeddings=128)
    folder = tmp_path_factory.mktemp("base")
    tokenizer: Any = train_tokenizer(TEXTS, options)
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }};{% endfor %}"
    model: Any = random_model(new_config(options, tokenizer), seed=1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_run(folder: Path, base: Path, train: str) -> Path:
    """A run folder as a tune leaves it: tuned weights or an adapter, its card and held-out rows."""
    from luthier.models.export import save_model
    from luthier.models.load import load_model
    from luthier.models.options import LoadOptions, ParameterOptions
    from luthier.models.parameters import choose_parameters

    loaded = load_model(str(base), LoadOptions(precision="fp32", device="cpu"))
    names = choose_parameters(loaded, ParameterOptions(train=train), generator_seed=1).names
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in loaded.model.named_parameters():
            if name in names:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    save_model(loaded, folder / "model", card="---\nlicense: mit\ntags: [peft, shop]\n---\n\n# Shop\n\nTrained well.\n")
    (folder / "run.json").write_text('{"status": "done"}')
    rows = [{"messages": [{"role": "user", "content": text}], "base": "a", "tuned": 3} for text in TEXTS[:3]]
    (folder / "heldout.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


@pytest.fixture(scope="module")
def adapter_run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("adapter"), base, "dora")


@pytest.fixture(scope="module")
def full_run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("full"), base, "full")


def run(report: ListReport | None = None, **values: Any) -> export.Result:
    spec = bind(
        export.Spec,
        {"device": "cpu"} | {name: str(v) if isinstance(v, Path) else v for name, v in values.items()},
        where="test",
    )
    return export.run(spec, report or ListReport())


def tuned_logits(run: Path, ids: torch.Tensor) -> torch.Tensor:
    from luthier.models.load import load_model
    from luthier.models.options import LoadOptions

    return load_model(str(run), LoadOptions(precision="fp32", device="cpu")).model(ids).logits


@pytest.mark.parametrize("which", ["adapter_run", "full_run"])
def test_merged_answers_as_the_tuned_model_in_plain_transformers(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source: Path = request.getfixturevalue(which)
    report = ListReport()
    result = run(report, run=source, output=tmp_path / "out")
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(tmp_path / "out"),
        AutoTokenizer.from_pretrained(tmp_path / "out"),
    )
    ids = tokenizer("the old violin 340", return_tensors="pt").input_ids
    assert (model(ids).logits - tuned_logits(source, ids)).abs().max() < 1e-5
    assert tokenizer.chat_template == "{% for m in messages %}{{ m.content }};{% endfor %}"
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert model.dtype == torch.float32
    assert result.difference <= 1e-5
    assert result.prompts == 6 + 3 + 2
    assert result.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert set(result.files) >= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "README.md",
        "generation_config.json",
    }
    assert result.size_bytes == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    assert report.tasks["export"] == (4, 4)
    assert report.events[-1][0] == "result"
    assert "1e-04" in result.tables()[0].rows[3][1]
    assert json.loads(json.dumps(result.to_json()))["form"] == "merged"


def test_the_card_is_the_runs_with_its_form_corrected(adapter_run: Path, tmp_path: Path) -> None:
    run(run=adapter_run, output=tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert (front["library_name"], front["license"]) == ("transformers", "mit")
    assert "peft" not in front["tags"]
    assert "shop" in front["tags"]
    assert "Trained well." in text
    assert "merged into its base model in fp32" in text
    assert str(tmp_path) not in text


def test_an_adapter_export_loads_in_peft(adapter_run: Path, base: Path, tmp_path: Path) -> None:
    import warnings

    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    result = run(run=adapter_run, to="adapter", output=tmp_path / "out")
    assert result.form == "adapter"
    weights = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert result.parameters == sum(tensor.numel() for tensor in weights.values())
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "README.md"} <= set(result.files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import peft

        model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "out").eval()
    ids = torch.tensor([[5, 60, 200, 7]])
    assert (model(ids).logits - tuned_logits(adapter_run, ids)).abs().max() < 1e-5
    assert tuned_logits(tmp_path / "out", ids).equal(tuned_logits(adapter_run, ids))


def test_half_precision_is_half_the_size_and_says_what_rounding_did(adapter_run: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    whole = run(run=adapter_run, output=tmp_path / "whole")
    half = run(run=adapter_run, output=tmp_path / "half", precision="bf16")
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "half").dtype == torch.bfloat16
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    assert half.difference <= 1e-4 < half.rounding
    assert whole.rounding == 0
    assert "moved by rounding" in dict(half.tables()[0].rows)
    assert "Rounding the weights to bf16" in (tmp_path / "half" / "README.md").read_text()


def test_an_export_that_answers_differently_is_refused_and_removed(
    adapter_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luthier.models import export as folders

    real = folders.save_weights

    def spoilt(loaded: Any, folder: Path) -> None:
        with torch.no_grad():
            loaded.model.model.layers[1].mlp.down_proj.weight[0, 0] += 0.05
        real(loaded, folder)

    monkeypatch.setattr(folders, "save_weights", spoilt)
    with pytest.raises(ModelError, match=r"logits differ by .* more than 1e-04"):
        run(run=adapter_run, output=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_or_template_that_changes_is_refused(
    full_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luthier.models import export as folders

    real = folders.save_tokenizer

    def spoilt(loaded: Any, folder: Path) -> None:
        real(loaded, folder)
        (folder / "chat_template.jinja").write_text("other")

    monkeypatch.setattr(folders, "save_tokenizer", spoilt)
    with pytest.raises(ModelError, match="the exported chat template differs"):
        run(run=full_run, output=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_only_an_earlier_export_is_overwritten(full_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(run=full_run, output=out)
    (out / "stale.txt").write_text("")
    with pytest.raises(SpecError, match="is not empty; choose another folder"):
        run(run=full_run, output=out)
    assert "stale.txt" not in run(run=full_run, output=out, overwrite=True).files
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    home = tmp_path / "home"
    (home / "letters").mkdir(parents=True)
    (home / "config.json").write_text("{}")
    for place in (home, full_run):
        with pytest.raises(SpecError, match="holds more than an exported model"):
            run(run=full_run, output=place, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match="is a file"):
        run(run=full_run, output=tmp_path / "file")
    with pytest.raises(SpecError, match="folder of the model itself"):
        run(run=full_run, output=full_run / "model", overwrite=True)


def test_what_makes_no_sense_is_refused_before_anything_loads(
    full_run: Path, adapter_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luthier.models.load.load_model", lambda *_: pytest.fail("loaded"))
    with pytest.raises(ModelError, match="has whole weights, no adapter"):
        run(run=full_run, to="adapter", output=tmp_path / "out")
    with pytest.raises(SpecError, match="no effect on an adapter"):
        run(run=adapter_run, to="adapter", precision="bf16", output=tmp_path / "out")
    with pytest.raises(SpecError, match="did you mean"):
        run(run=full_run, to="merge", output=tmp_path / "out")
    with pytest.raises(SpecError, match="output"):
        run(run=full_run)


@pytest.mark.parametrize("which", ["adapter_run", "full_run"])
def test_a_bundle_is_merged_weights_with_a_script(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    source = request.getfixturevalue(which)
    result = run(run=source, to="bundle", output=tmp_path / "shop")
    assert (result.form, result.next_commands()) == ("bundle", [f"sh {tmp_path / 'shop'}/serve.sh"])
    wanted = {"model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json", "serve.sh"}
    assert wanted <= set(result.files)
    assert result.difference <= result.tolerance
    ids = torch.tensor([[5, 60, 200, 7]])
    there = AutoModelForCausalLM.from_pretrained(tmp_path / "shop")(ids).logits
    assert (there - tuned_logits(source, ids)).abs().max() < 1e-5
    card = (tmp_path / "shop" / "README.md").read_text()
    assert "luthier verify http://127.0.0.1:8000/v1 RUN --model shop" in card
    assert "Trained well." in card
    assert str(tmp_path) not in card
    assert "name=${NAME:-shop}" in (tmp_path / "shop" / "serve.sh").read_text()
    run(run=source, to="bundle", output=tmp_path / "shop", overwrite=True)


def test_a_bundle_of_an_adapter_answers_as_the_run_does(base: Path, tmp_path: Path) -> None:
    source = make_run(tmp_path / "run", base, "lora")
    result = run(run=source, to="bundle", bundle_of="adapter", output=tmp_path / "shop")
    assert {"adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "serve.sh"} <= set(result.files)
    assert "model.safetensors" not in result.files
    ids = torch.tensor([[5, 60, 200, 7]])
    assert tuned_logits(tmp_path / "shop", ids).equal(tuned_logits(source, ids))
    assert str(base) in (tmp_path / "shop" / "serve.sh").read_text()


def test_bundles_that_could_not_be_served_are_refused(adapter_run: Path, full_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="DoRA adapter, which vLLM does not load"):
        run(run=adapter_run, to="bundle", bundle_of="adapter", output=tmp_path / "out")
    with pytest.raises(ModelError, match="has whole weights, no adapter"):
        run(run=full_run, to="bundle", bundle_of="adapter", output=tmp_path / "out")
    with pytest.raises(SpecError, match="bundle_of = adapter has no effect on --to merged"):
        run(run=adapter_run, bundle_of="adapter", output=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_and_a_stop_leave_nothing(full_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    from types import SimpleNamespace

    with pytest.raises(Interrupted):
        run(ListReport(stop=True), run=full_run, output=tmp_path / "out")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(CapacityError, match="the disk has"):
        run(run=full_run, output=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
