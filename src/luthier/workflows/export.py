"""Write a tuned model as weights, as an adapter or ready for vLLM, checked against the model that was trained."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from luthier.config import LocalPath, ModelName, Options, Positional, TrustFlag
from luthier.errors import Interrupted, ModelError, SpecError
from luthier.models.options import Device, Precision
from luthier.report import Report, Table

if TYPE_CHECKING:
    from torch import Tensor

    from luthier.models.export import Comparison
    from luthier.models.load import LoadedModel

JOB_OUTPUT = ""


class Spec(Options):
    """What is exported, in which form, and where to."""

    title = "Export"
    run: Annotated[ModelName, Positional()] = Field(description="the run folder, model folder or adapter to export")
    to: Literal["merged", "adapter", "bundle"] = Field(
        default="merged",
        description="merged: plain weights that need nothing else; adapter: PEFT files for the base; bundle: either of "
        "them with a script that starts vLLM",
    )
    bundle_of: Literal["merged", "adapter"] = Field(
        default="merged", description="what a bundle holds: merged weights, or the adapter and the name of its base"
    )
    output: LocalPath = Field(description="the new folder")
    overwrite: bool = Field(default=False, description="replace an earlier export in the output folder")
    precision: Precision = Field(
        default="auto",
        description="number format of merged weights; auto is fp32, which is exact; bf16 and fp16 are half the size",
    )
    device: Device = Field(default="auto", description="where the check runs; auto takes cuda, then mps, then cpu")
    trust_remote_code: TrustFlag = Field(
        default=False, description="run Python code that comes with the base model; only for publishers you trust"
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What was written. `difference` is the largest gap between two logits of the tuned and the exported model."""

    output: str
    form: str
    weights: str
    parameters: int
    size_bytes: int
    prompts: int
    difference: float
    tolerance: float
    rounding: float
    same_first_choice: float
    files: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def tables(self) -> list[Table]:
        """Returns one table of figures."""
        rows = [
            ("folder", self.output),
            ("form", f"{self.form}, {self.weights}"),
            ("size", f"{self.size_bytes / 1e6:,.1f} MB in {len(self.files)} files"),
            (
                "largest logit difference",
                f"{self.difference:.2e} over {self.prompts} prompts (limit {self.tolerance:.0e})",
            ),
        ]
        if self.weights in ("bf16", "fp16"):
            rows.append(("moved by rounding", f"{self.rounding:.2e}"))
            rows.append(("same most likely token", f"{100 * self.same_first_choice:.1f} % of places"))
        return [Table("Exported", ("what", "value"), tuple(rows))]

    def next_commands(self) -> list[str]:
        place = shlex.quote(self.output)
        return [f"sh {place}/serve.sh"] if self.form == "bundle" else [f"luthier chat {place}"]


def run(spec: Spec, report: Report) -> Result:
    """Returns what was exported; nothing is left behind when the exported model answers differently."""
    from luthier.models.bundle import check_bundle
    from luthier.models.export import (
        check_space,
        check_target,
        exported_parameters,
        probe_prompts,
        row_texts,
        whole_folder,
    )
    from luthier.models.load import load_model
    from luthier.models.options import LoadOptions
    from luthier.models.resolve import resolve_model

    target = Path(spec.output).expanduser()
    check_target(target, overwrite=spec.overwrite)
    had_adapter = resolve_model(spec.run, download=True).adapter is not None
    _check_form(spec, had_adapter)
    options = LoadOptions(precision="fp32", device=spec.device, trust_remote_code=spec.trust_remote_code)
    _step(report, 0)
    loaded = load_model(spec.run, options)
    if loaded.folder is not None and target.resolve() == loaded.folder.resolve():
        raise SpecError("is the folder of the model itself", where=str(target), remedy="choose another", param="output")
    if spec.to == "bundle":
        check_bundle(loaded, _held(spec))
    check_space(target, _size(spec, loaded))
    texts = row_texts(Path(spec.run).expanduser())
    parameters = exported_parameters(loaded, _held(spec))
    with whole_folder(target, overwrite=spec.overwrite) as part:
        checked, rounding = _write(spec, loaded, part, probe_prompts(loaded, texts), texts, report)
        _write_card(spec, loaded, part, checked, rounding, had_adapter)
        _step(report, 4)
    files = tuple(sorted(path.name for path in target.iterdir()))
    result = Result(
        output=str(target),
        form=spec.to,
        weights=_weights(spec),
        parameters=parameters,
        size_bytes=sum((target / name).stat().st_size for name in files),
        prompts=checked.prompts,
        difference=checked.difference,
        tolerance=checked.tolerance,
        rounding=rounding.difference,
        same_first_choice=rounding.same_first_choice,
        files=files,
    )
    report.event("result", f"exported to {target}; logits differ by at most {result.difference:.2e}")
    return result


def _held(spec: Spec) -> Literal["merged", "adapter"]:
    """Returns which weights the folder holds."""
    return spec.bundle_of if spec.to == "bundle" else spec.to


def _check_form(spec: Spec, has_adapter: bool) -> None:
    if spec.to != "bundle" and spec.bundle_of != "merged":
        raise SpecError(
            f"bundle_of = {spec.bundle_of} has no effect on --to {spec.to}", where="bundle_of", remedy="remove it"
        )
    if _held(spec) == "adapter" and not has_adapter:
        raise ModelError("has whole weights, no adapter", where=spec.run, remedy="export them merged")
    if _held(spec) == "adapter" and spec.precision not in ("auto", "fp32"):
        raise SpecError(
            f"precision = {spec.precision} has no effect on an adapter", where="precision", remedy="remove it"
        )


def _write(
    spec: Spec, loaded: LoadedModel, part: Path, prompts: list[list[int]], texts: list[str], report: Report
) -> tuple[Comparison, Comparison]:
    """Writes the files, and returns how far they are from the tuned model in fp32, and what rounding them did."""
    from luthier.models import export
    from luthier.models.bundle import write_bundle

    _step(report, 1)
    tuned = export.logits_of(loaded.model, prompts)
    merged, rounded = _merge(spec, loaded, prompts) if _held(spec) == "merged" else (tuned, tuned)
    _check(spec, export.compare(tuned, merged), "merged")
    _step(report, 2)
    export.save_model(loaded, part)
    if not export.check_tokenizer(loaded, part, texts, trust_remote_code=spec.trust_remote_code):
        report.event(
            "warning",
            "transformers' AutoTokenizer splits text otherwise than the tokenizer.json of this model says; outside "
            "Luthier load its tokenizer with PreTrainedTokenizerFast",
        )
    if spec.to == "bundle":
        write_bundle(loaded, part, _held(spec), name=Path(spec.output).name)
    export.release(loaded)
    _step(report, 3)
    again = export.reloaded_logits(part, _held(spec), prompts, _reload_options(spec))
    _check(spec, export.compare(rounded, again), "exported")
    checked = export.compare(tuned, again) if _weights(spec) == "fp32" else export.compare(tuned, merged)
    return checked, export.compare(merged, rounded)


def _merge(spec: Spec, loaded: LoadedModel, prompts: list[list[int]]) -> tuple[list[Tensor], list[Tensor]]:
    """Merges and rounds the model in place, and returns its logits after each of the two."""
    import torch

    from luthier.models import export

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[_weights(spec)]
    export.merge_for_export(loaded, torch.float32)
    merged = export.logits_of(loaded.model, prompts)
    if dtype == torch.float32:
        return merged, merged
    rounded = export.logits_of(loaded.model.to(dtype).to(torch.float32), prompts)
    loaded.model.to(dtype)  # back to the rounded values, which fp32 holds exactly
    return merged, rounded


def _check(spec: Spec, found: Comparison, what: str) -> None:
    if not found.equal:
        raise ModelError(
            f"the {what} model's logits differ by {found.difference:.2e}, more than {found.tolerance:.0e}",
            where=spec.output,
            remedy="nothing was exported; please report this with the model's name",
        )


def _reload_options(spec: Spec) -> Any:
    from luthier.models.opening import choose_device
    from luthier.models.options import LoadOptions

    device: Any = choose_device(spec.device).type
    return LoadOptions(precision="fp32", device=device, trust_remote_code=spec.trust_remote_code)


def _write_card(
    spec: Spec, loaded: LoadedModel, part: Path, checked: Comparison, rounding: Comparison, had_adapter: bool
) -> None:
    from luthier.models.bundle import serving_section
    from luthier.models.card import exported_card

    source = loaded.folder / "README.md" if loaded.folder else None
    text = source.read_text(encoding="utf-8") if source and source.is_file() else ""
    form: Literal["adapter", "weights"] = "adapter" if _held(spec) == "adapter" else "weights"
    what = "The adapter was merged into its base model in fp32." if had_adapter else "The weights as they were trained."
    note = [
        "The adapter as it was trained." if _held(spec) == "adapter" else what,
        f"Read back, the largest difference of a logit was {checked.difference:.1e} over {checked.prompts} prompts.",
    ]
    if _weights(spec) != "fp32":
        note.append(
            f"Rounding the weights to {spec.precision} moved logits by up to {rounding.difference:.1e} and left the "
            f"most likely token the same in {100 * rounding.same_first_choice:.1f} % of places."
        )
    name = Path(spec.output).name
    card = exported_card(text, name=name, base_model=loaded.base_name, form=form, note=" ".join(note))
    if spec.to == "bundle":
        card += "\n" + serving_section(_held(spec), name=name, code=spec.trust_remote_code)
    (part / "README.md").write_text(card, encoding="utf-8")


def _weights(spec: Spec) -> str:
    return "fp32" if spec.precision == "auto" else spec.precision


def _size(spec: Spec, loaded: LoadedModel) -> int:
    """Returns about how many bytes the export takes on disk."""
    if _held(spec) == "adapter":
        return 64_000_000
    return int(loaded.model.num_parameters()) * (4 if _weights(spec) == "fp32" else 2)


def _step(report: Report, done: int) -> None:
    if report.cancelled():
        raise Interrupted("the export was stopped; nothing was written")
    report.progress("export", done, 4)
