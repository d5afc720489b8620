from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from luthier.models.card import CardFacts, Score, card, exported_card, public_name

FACTS = CardFacts(
    name="Shop tickets",
    base_model="/home/someone/secret/base",
    train="lora",
    trained_parameters=1_000,
    total_parameters=50_000,
    files=("/home/someone/rows.jsonl",),
    fingerprint="abc123",
    rows={"train": 400, "test": 50},
    tokens=12_345,
    labelled_tokens=2_345,
    how={"learning_rate": 2e-4, "target_modules": ("q_proj", "v_proj")},
    scores=(Score("exact | match", 50, 0.1, 0.62, 0.38, 0.66), Score("loss", 50, None, 1.25)),
    versions={"luthier": "0.1.0"},
    limits=("Only tried in English.",),
    tags=("repair",),
)


def front(text: str) -> dict[str, object]:
    value = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(value, dict)
    return value


def test_front_matter_says_what_hubs_read() -> None:
    made = front(card(FACTS))
    assert made["base_model"] == "base"
    assert made["library_name"] == "peft"
    assert made["license"] == "unknown"
    assert made["base_model_relation"] == "adapter"
    assert made["tags"] == ["luthier", "text-generation", "lora", "peft", "repair"]
    whole = front(card(CardFacts(name="x", base_model="org/name", train="full", form="weights", license="mit")))
    assert (whole["base_model"], whole["library_name"], whole["license"]) == ("org/name", "transformers", "mit")


def test_body_holds_every_fact_and_no_path_of_the_machine() -> None:
    text = card(FACTS)
    for part in (
        "# Shop tickets",
        "1,000 of 50,000 parameters were trained (2.00 %)",
        "files: `rows.jsonl`",
        "rows for train: 400",
        "12,345, of which 2,345 carry loss",
        "`abc123`",
        "learning_rate: 0.0002",
        "target_modules: q_proj, v_proj",
        "| exact \\| match | 50 | 0.1 | 0.62 | +0.52 (+0.38 to +0.66) |",
        "| loss | 50 | - | 1.25 | - |",
        "50 held-out rows of the same source",
        "Only tried in English.",
        "licence of the rows",
        "luthier: 0.1.0",
    ):
        assert part in text
    assert "/home" not in text


def test_what_is_not_known_is_said() -> None:
    text = card(CardFacts(name="x", base_model="", train="full", form="weights", license="mit"))
    assert "random weights" in text
    assert "Not recorded." in text
    assert "Not measured." in text
    assert "nothing is known about how well it answers" in text
    assert "licence of the rows" not in text
    assert "base_model" not in {key for key in front(text) if key == "base_model"}


def test_names_that_others_may_see() -> None:
    assert public_name("org/name") == "org/name"
    assert public_name("fiddle") == "fiddle"
    assert public_name("/a/b/c") == "c"
    assert public_name("../models/c") == "c"
    assert public_name("~/c") == "c"


def test_an_exported_card_keeps_what_the_run_said() -> None:
    made = exported_card(card(FACTS), name="out", base_model="fiddle", form="weights", note="A note.")
    head = front(made)
    assert (head["library_name"], head["base_model_relation"]) == ("transformers", "finetune")
    assert head["base_model"] == "base"
    assert head["tags"] == ["luthier", "text-generation", "repair"]
    assert "12,345" in made
    assert made.endswith("## This export\n\nA note.\n")
    fresh = exported_card("", name="out", base_model="org/name", form="adapter", note="A note.")
    assert front(fresh)["base_model"] == "org/name"
    assert "# out" in fresh


PRINTABLE = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))


@given(PRINTABLE, PRINTABLE)
def test_any_text_gives_a_card_that_can_be_read(name: str, old: str) -> None:
    made = card(CardFacts(name=name, base_model=name, train="lora", license=old))
    value = yaml.safe_load(made[4 : made.index("\n---\n", 3) + 1])
    assert value["license"] == old
    again = exported_card("---\n" + old, name=name, base_model="b", form="weights", note="n")
    assert again.startswith("---\n")
