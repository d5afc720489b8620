from __future__ import annotations

import json

from luthier.records import prompts


def test_formats() -> None:
    assert prompts.from_passage("P.", "Q?") == "Text: P.\nQuestion: Q?"
    assert prompts.cited(["A.", "B."], "Q?") == "[1] A.\n[2] B.\n\nQuestion: Q?"
    assert prompts.NO_PASSAGE in prompts.CITED_SYSTEM
    assert prompts.classify(["a", "b"], "T") == "Labels: a, b\nText: T\nAnswer with one label."
    assert prompts.rewrite("be brief", "T") == "Rewrite the text: be brief\nText: T"
    assert prompts.list_items("foods", "T") == "List the foods in the text.\nText: T"
    assert prompts.score("tone", "T") == "Score the text from 1 to 5: tone\nText: T"


def test_a_schema_is_written_as_json() -> None:
    asked = prompts.extract({"name": "text", "größe": {"type": "number"}}, "T")
    first, text, last = asked.split("\n")
    assert json.loads(first.removeprefix("Schema: ")) == {"name": "text", "größe": {"type": "number"}}
    assert "größe" in first
    assert (text, last) == ("Text: T", "Answer with JSON only.")
