from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_models import make_model

from luthier.errors import CapacityError, SpecError
from luthier.models.export import (
    Comparison,
    check_space,
    compare,
    logits_of,
    probe_prompts,
    row_texts,
    save_model,
    whole_folder,
)

pytest.importorskip("luthier.tokens.template")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"

    def stopped() -> None:
        with whole_folder(target) as part:
            (part / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert names(target.parent) == []
    with whole_folder(target) as part:
        (part / "config.json").write_text("1")
        assert not target.exists()
    assert names(target.parent) == ["out"]
    assert names(target) == ["config.json"]
    assert target.stat().st_mode & 0o777 == (tmp_path / "deep").stat().st_mode & 0o777


def test_an_old_export_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with whole_folder(target) as part:
        (part / "config.json").write_text("old")
    with pytest.raises(OSError, match="disk"), whole_folder(target, overwrite=True) as part:
        raise OSError("disk")
    assert (target / "config.json").read_text() == "old"
    with whole_folder(target, overwrite=True) as part:
        (part / "config.json").write_text("new")
    assert (target / "config.json").read_text() == "new"
    assert names(tmp_path) == ["out"]
    with pytest.raises(SpecError, match="is not empty"), whole_folder(target):
        pass


def test_every_file_is_synced_before_the_folder_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    done: list[str] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(os.readlink(f"/proc/self/fd/{handle}")) or real(handle))
    with whole_folder(tmp_path / "out") as part:
        (part / "sub").mkdir()
        for name in ("a", "sub/b"):
            (part / name).write_text("x")
    assert [Path(path).name for path in done[:2]] == ["a", "b"]
    assert done[2].startswith(str(tmp_path / ".out"))
    assert done[3] == str(tmp_path)


def test_comparison_is_strict_about_what_it_cannot_see() -> None:
    one = [torch.tensor([[0.0, 1.0], [3.0, 2.0]])]
    same = compare(one, one)
    assert (same.difference, same.equal, same.same_first_choice) == (0, True, 1)
    moved = compare(one, [one[0] + torch.tensor([[2e-4, 0.0], [0.0, 0.0]])])
    assert not moved.equal
    assert moved.difference == pytest.approx(2e-4)
    assert compare(one, [one[0].flip(-1)]).same_first_choice == 0
    broken = [one[0] * float("nan")]
    assert not compare(one, broken).equal
    assert not compare(one * 2, one + broken).equal
    assert not compare(broken, broken).equal
    assert Comparison(1, 2.4e-3, 50.0, 1.0).equal
    assert not Comparison(1, 2.6e-3, 50.0, 1.0).equal
    assert not Comparison(1, 1.1e-4, 2.0, 1.0).equal


def test_prompts_cover_rows_scripts_and_the_whole_vocabulary(saved: Callable[[str], Path]) -> None:
    from luthier.models.load import load_model
    from luthier.models.options import LoadOptions

    loaded = load_model(str(saved("gpt2")), LoadOptions(precision="fp32", device="cpu"))
    prompts = probe_prompts(loaded, ["a row", "", "long " * 500])
    assert len(prompts) == 6 + 3 + 2
    assert max(map(len, prompts)) == 128
    assert prompts == probe_prompts(loaded, ["a row", "", "long " * 500])
    got = logits_of(loaded.model, prompts)
    assert [len(rows) for rows in got] == [min(16, len(prompt)) for prompt in prompts]
    whole = loaded.model(torch.tensor([prompts[0]])).logits[0]
    torch.testing.assert_close(got[0], whole[-16:])


def test_rows_of_any_shape_give_text(tmp_path: Path) -> None:
    assert row_texts(tmp_path) == []
    (tmp_path / "heldout.jsonl").write_text('{"a": {"b": ["one", {"c": "two"}], "n": 3}}\nbroken\n{"x": 1}\n"three"\n')
    assert row_texts(tmp_path) == ["one\ntwo", "three"]
    assert row_texts(tmp_path, 1) == ["one\ntwo"]


def test_space_is_checked_where_the_export_will_lie(tmp_path: Path) -> None:
    check_space(tmp_path / "not" / "yet", 1000)
    with pytest.raises(CapacityError, match=r"needs 1000000000\.00 GB"):
        check_space(tmp_path / "not" / "yet", 10**18)


@pytest.mark.parametrize("train", ["lora", "last_layers"])
def test_a_saved_model_loads_as_it_was(
    train: Any, saved: Callable[[str], Path], tokens: torch.Tensor, tmp_path: Path
) -> None:
    from luthier.models.load import load_model
    from luthier.models.options import LoadOptions, ParameterOptions
    from luthier.models.parameters import choose_parameters

    options = LoadOptions(precision="fp32", device="cpu")
    loaded = load_model(str(saved("llama")), options)
    chosen = choose_parameters(loaded, ParameterOptions(train=train), generator_seed=0)
    with torch.no_grad():
        for name in chosen.names:
            loaded.model.get_parameter(name).add_(0.01)
    save_model(loaded, tmp_path / "model", card="# Card")
    again = load_model(str(tmp_path / "model"), options)
    assert torch.equal(again.model(tokens).logits, loaded.model(tokens).logits)
    assert not torch.equal(again.model(tokens).logits, make_model("llama")(tokens).logits)
    assert (tmp_path / "model" / "README.md").read_text() == "# Card"
    assert again.tokenizer.chat_template == loaded.tokenizer.chat_template
