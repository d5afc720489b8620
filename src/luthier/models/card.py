"""Model cards: the README.md beside weights that says what they are, how they came about, and what they cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

import yaml

_MARK = "---\n"


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the before/after table: higher is better unless the metric's name says loss.

    `low` and `high` bound the difference tuned - base with 95 % confidence; None where no interval was computed.
    """

    metric: str
    rows: int
    base: float | None
    tuned: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card says. `rows` counts rows by split; `how` lists settings by name; `limits` are added to ours."""

    name: str
    base_model: str
    train: str
    method: str = "sft"
    form: Literal["adapter", "weights"] = "adapter"
    license: str = "unknown"
    trained_parameters: int = 0
    total_parameters: int = 0
    files: tuple[str, ...] = ()
    fingerprint: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    tokens: int = 0
    labelled_tokens: int = 0
    how: Mapping[str, Any] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def card(facts: CardFacts) -> str:
    """Returns the text of README.md: a YAML front matter that hubs read, and plain sections for people."""
    sections = [
        f"# {facts.name}\n\n{_summary(facts)}",
        f"## What it was trained on\n\n{_data(facts)}",
        f"## How\n\n{_bullets({name: _plain(value) for name, value in facts.how.items()})}" if facts.how else "",
        f"## Before and after\n\n{_scores(facts.scores)}",
        "## Limits\n\n" + "\n".join(f"- {line}" for line in (*_limits(facts), *facts.limits)),
        f"## Made with\n\n{_bullets(facts.versions)}" if facts.versions else "",
    ]
    return _front(_metadata(facts)) + "\n\n".join(section for section in sections if section) + "\n"


def exported_card(text: str, *, name: str, base_model: str, form: Literal["adapter", "weights"], note: str) -> str:
    """Returns the card of an exported model: the tuned model's card with its form corrected and a note added.

    `text` is the README.md that came with the model, or "" when there was none.
    """
    metadata, body = _split(text)
    facts = CardFacts(name=name, base_model=base_model, train="", form=form)
    fresh = _metadata(facts)
    tags = [tag for tag in metadata.get("tags") or [] if tag not in _FORM_TAGS]
    merged = fresh | metadata | {"library_name": fresh["library_name"]}
    merged["tags"] = list(dict.fromkeys([*fresh["tags"], *tags]))
    merged["base_model_relation"] = fresh["base_model_relation"]
    body = body.strip() or f"# {name}"
    return f"{_front(merged)}{body}\n\n## This export\n\n{note}\n"


_FORM_TAGS = ("lora", "peft")


def _metadata(facts: CardFacts) -> dict[str, Any]:
    adapter = facts.form == "adapter"
    tags = ["luthier", "text-generation", *(_FORM_TAGS if adapter else ()), *facts.tags]
    metadata: dict[str, Any] = {
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "license": facts.license,
        "tags": list(dict.fromkeys(tags)),
        "base_model_relation": "adapter" if adapter else "finetune",
    }
    # the path of a folder says nothing to others, and may tell more than its owner wants
    return {"base_model": public_name(facts.base_model)} | metadata if facts.base_model else metadata


def public_name(base_model: str) -> str:
    """Returns a base model's name as others may see it: a hub name as it is, of a folder only its own name."""
    path = PurePath(base_model)
    return path.name if path.is_absolute() or base_model.startswith((".", "~")) else base_model


def _summary(facts: CardFacts) -> str:
    base = f"`{public_name(facts.base_model)}`" if facts.base_model else "random weights"
    lines = [f"Trained from {base} with Luthier: method `{facts.method}`, parameters `{facts.train}`."]
    if facts.total_parameters:
        share = 100 * facts.trained_parameters / facts.total_parameters
        lines.append(
            f"{facts.trained_parameters:,} of {facts.total_parameters:,} parameters were trained ({share:.2f} %)."
        )
    if facts.form == "adapter":
        lines.append("This folder holds an adapter in the PEFT file format; it needs the base model to answer.")
    return " ".join(lines)


def _data(facts: CardFacts) -> str:
    known: dict[str, str] = {}
    if facts.files:
        known["files"] = ", ".join(f"`{PurePath(file).name}`" for file in facts.files)
    known |= {f"rows for {split}": f"{count:,}" for split, count in facts.rows.items()}
    if facts.tokens:
        known["tokens per epoch"] = f"{facts.tokens:,}, of which {facts.labelled_tokens:,} carry loss"
    if facts.fingerprint:
        known["fingerprint of the rows"] = f"`{facts.fingerprint}`"
    return _bullets(known) if known else "Not recorded."


def _scores(scores: Sequence[Score]) -> str:
    if not scores:
        return "Not measured."
    head = "| measure | held-out rows | base | tuned | difference (95 % interval) |\n|---|---:|---:|---:|---:|"
    lines = [
        f"| {_cell(one.metric)} | {one.rows:,} | {_number(one.base)} | {_number(one.tuned)} | {_change(one)} |"
        for one in scores
    ]
    return "\n".join([head, *lines])


def _change(score: Score) -> str:
    if score.base is None:
        return "-"
    change = f"{score.tuned - score.base:+.4g}"
    return change if score.low is None or score.high is None else f"{change} ({score.low:+.4g} to {score.high:+.4g})"


def _limits(facts: CardFacts) -> list[str]:
    held_out = max((score.rows for score in facts.scores), default=0)
    measured = (
        f"The scores above come from {held_out:,} held-out rows of the same source; other questions may go worse."
        if held_out
        else "Nothing was measured on held-out rows, so nothing is known about how well it answers."
    )
    return [
        measured,
        "It can state things that are false, and it keeps the faults and biases of its base model and its rows.",
        "It was not tested for safety, and not for any use beyond the rows it was trained on.",
        *(["The licence of the rows and of the base model decides how it may be used; it is not recorded here."]
          if facts.license == "unknown" else []),
    ]  # fmt: skip


def _front(metadata: Mapping[str, Any]) -> str:
    return f"{_MARK}{yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True)}{_MARK}\n"


def _split(text: str) -> tuple[dict[str, Any], str]:
    """Returns the front matter and the body of a card; a card without readable front matter is all body."""
    if text.startswith(_MARK) and (end := text.find(f"\n{_MARK}", len(_MARK) - 1)) > 0:
        try:
            metadata = yaml.safe_load(text[len(_MARK) : end + 1])
        except yaml.YAMLError:
            return {}, text
        if isinstance(metadata, dict):
            return metadata, text[end + 1 + len(_MARK) :]
    return {}, text


def _bullets(values: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in values.items())


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
