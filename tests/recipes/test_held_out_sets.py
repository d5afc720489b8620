"""The held-out sets: as they were fixed before training, and apart from every training row."""

from __future__ import annotations

import hashlib
import json
import re
from random import Random

import pytest

from recipes.fiddle import generate, heldout
from recipes.fiddle.draw import HELD_OUT_SHARE, Draw, part, pieces, unseen_words, word_list

FIXED = {
    "passage": 200,
    "cited": 100,
    "extraction": 200,
    "classification": 200,
    "rewriting": 100,
    "listing": 100,
    "arithmetic": 100,
    "dialogue": 100,
    "tool_call": 100,
    "score": 100,
}
SUMS_SHA256 = "aaeae69f54a001336d7f078bbcb8c29c971c7b59af1a9709013e8118510d01c6"
"""Of sums.json: whoever changes a set changes this line, and says why."""


def test_the_sets_are_as_they_were_fixed() -> None:
    assert hashlib.sha256(heldout.SUMS.read_bytes()).hexdigest() == SUMS_SHA256
    assert heldout.sums() == json.loads(heldout.SUMS.read_text())
    assert {name: len((heldout.FOLDER / f"{name}.jsonl").read_text().splitlines()) for name in FIXED} == FIXED
    assert heldout.BOUNDS == {"passage": 0.8, "extraction": 0.8, "classification": 0.8}


def test_a_changed_set_is_found(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FIXED:
        (tmp_path / f"{name}.jsonl").write_bytes((heldout.FOLDER / f"{name}.jsonl").read_bytes())
    monkeypatch.setattr(heldout, "FOLDER", tmp_path)
    heldout.main(["--check"])
    (tmp_path / "cited.jsonl").write_text("{}\n")
    with pytest.raises(SystemExit, match="not as they were fixed: cited"):
        heldout.main(["--check"])


def asked(row: dict) -> str:
    return json.dumps([message for message in row["messages"] if message["role"] != "assistant"])


def test_no_training_row_is_in_a_set() -> None:
    texts = [(heldout.FOLDER / f"{name}.jsonl").read_text(encoding="utf-8") for name in FIXED]
    held = {asked(json.loads(line)) for text in texts for line in text.splitlines()}
    trained = {asked(row) for stage in generate.STAGES for row in generate.rows(stage, 1500, seed=1)}
    assert not held & trained


def test_people_of_the_sets_are_unknown_to_training() -> None:
    first, last = ({*part(word_list(kind), held_out=False)} for kind in ("first_names", "last_names"))
    texts = (heldout.FOLDER / "passage.jsonl").read_text(encoding="utf-8")
    people = re.findall(r"([A-Z][a-z]+) ([A-Z][a-z]+)", texts)
    assert len(people) > 200
    assert not [person for person in people if person[0] in first and person[1] in last]
    unseen = {*part(word_list("first_names"), held_out=True)}
    assert sum(person[0] in unseen for person in people) > 100


def test_about_half_of_the_phrasings_are_unknown_to_training() -> None:
    items = tuple(f"phrasing {number}" for number in range(10))
    unseen = set(part(items, held_out=True))
    assert len(unseen) == len(items) // HELD_OUT_SHARE
    draw = Draw(Random(1), 1, held_out=True)
    assert 0.4 < sum(draw.phrase(items) in unseen for _ in range(1000)) / 1000 < 0.6
    training = Draw(Random(1), 1, held_out=False)
    assert not any(training.phrase(items) in unseen for _ in range(1000))


def test_loose_phrasings_change_one_word_and_keep_what_is_filled_in() -> None:
    phrasing = "Tell me at once what {v} is for {e}, my good old friend"
    draw, words = Draw(Random(1), 1, held_out=False), phrasing.split(" ")
    seen = {draw.loosely((phrasing,)) for _ in range(400)}
    assert len(seen) > 50
    for text in seen:
        found = text.split(" ")
        assert len(words) - 1 <= len(found) <= len(words) + 1
        assert "what {v} is for {e}, my" in text
        assert len([word for word in words if word not in found]) <= 1
    held_out = Draw(Random(1), 1, held_out=True)
    assert {held_out.loosely((phrasing,)) for _ in range(100)} == {phrasing}


def test_made_up_words_of_training_have_no_held_out_word() -> None:
    assert len(pieces()) > 2000
    assert not unseen_words() & set(pieces())
    draw = Draw(Random(1), 1, held_out=False)
    made = {draw.made_up() for _ in range(5000)}
    assert not unseen_words() & made
    assert len({word for word in made if word in pieces()}) > 300
