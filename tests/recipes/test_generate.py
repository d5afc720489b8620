"""Pre-training rows: deterministic, of a form every reader takes, with answers that stand in the prompt."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer

from luthier.records.examples import Conversation
from luthier.records.prompts import NO_PASSAGE
from recipes.demo import generate as demo
from recipes.demo import phrases
from recipes.fiddle import generate, prompts, wrappers
from recipes.fiddle.draw import TOKENIZER, Draw, part, word_list
from recipes.fiddle.rows import Row

ALL = pytest.mark.parametrize("skill", sorted(generate.SKILLS))


def prompt_of(row: Row) -> str:
    return "\n".join(m["content"] for m in row["messages"] if m["role"] in ("system", "user"))


def answer_of(row: Row) -> str:
    return str(next(m["content"] for m in row["messages"] if m["role"] == "assistant"))


@ALL
@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_rows_of_every_skill_are_sound(skill: str, level: int, held_out: bool) -> None:
    for row in generate.skill_rows(skill, 60, seed=level, level=level, held_out=held_out):
        chat = Conversation.from_json(json.loads(json.dumps(row)))
        assert list(chat.check()) == []
        assert all(m.content or m.tool_calls for m in chat.messages)
        assert all("{" not in m.content or skill in JSON_SKILLS for m in chat.messages if m.content)


JSON_SKILLS = {"chat", "records", "fields", "schema", "extract_chat", "tool_call"}


@ALL
def test_the_same_seed_gives_the_same_rows(skill: str) -> None:
    rows = generate.skill_rows(skill, 30, seed=5)
    assert rows == generate.skill_rows(skill, 30, seed=5)
    assert rows != generate.skill_rows(skill, 30, seed=6)


@ALL
def test_training_and_held_out_rows_never_meet(skill: str) -> None:
    train = {prompt_of(row) for row in generate.skill_rows(skill, 400, seed=1, level=2, held_out=False)}
    held = {prompt_of(row) for row in generate.skill_rows(skill, 400, seed=1, level=2, held_out=True)}
    assert not train & held


@pytest.mark.parametrize("skill", ["drill", "repeat", "look_up", "position"])
def test_copied_answers_stand_in_the_prompt(skill: str) -> None:
    for row in generate.skill_rows(skill, 200, seed=2, level=2):
        answer = answer_of(row)
        half = answer[: (len(answer) - 1) // 2]
        assert answer in prompt_of(row) or (answer == f"{half} {half}" and half in prompt_of(row))


def test_answers_from_a_passage_stand_in_it() -> None:
    for row in generate.skill_rows("passage", 300, seed=2, level=3):
        assert answer_of(row) in prompt_of(row) or answer_of(row) == "The text does not say."


FIXED = {
    wrappers.fields: prompts.EXTRACT_FIELDS,
    wrappers.schema: prompts.EXTRACT_SCHEMA,
    wrappers.fields_on_lines: prompts.EXTRACT_FIELDS,
    wrappers.schema_on_lines: prompts.EXTRACT_SCHEMA,
    wrappers.passage: prompts.PASSAGE,
    wrappers.passages: prompts.CITED,
    wrappers.classes: prompts.CLASSIFY,
}


@pytest.mark.parametrize("build", FIXED)
def test_composed_ways_to_ask_are_many_and_none_of_the_fixed(build: wrappers.Builder) -> None:
    fixed = FIXED[build]
    wanted = sorted(re.findall(r"{\w+}", fixed[0]))
    training, held_out = (Draw(Random(3), 1, held_out=held) for held in (False, True))
    made = {wrappers.asked(training, ("fixed " * 9 + fixed[0],), build) for _ in range(600)} - set(fixed)
    assert len(made) > 200
    assert all(sorted(re.findall(r"{\w+}", text)) == wanted for text in made)
    assert {wrappers.asked(held_out, fixed, build) for _ in range(300)} <= set(fixed)
    assert not {wrappers.asked(training, fixed, build) for _ in range(3000)} & set(part(fixed, held_out=True))


@pytest.mark.parametrize("skill", ["cited", "cited_often", "cited_long"])
def test_a_cited_passage_holds_the_answer(skill: str) -> None:
    for row in generate.skill_rows(skill, 100, seed=2, level=2, held_out=False):
        passages = dict(re.findall(r"^\[(\d+)\] (.*)$", prompt_of(row), re.MULTILINE))
        answers = [message["content"] for message in row["messages"] if message["role"] == "assistant"]
        for answer in answers:
            value, number = answer.rstrip("]").rsplit(" [", 1) if answer.endswith("]") else ("", "")
            assert answer == NO_PASSAGE or value.lower() in passages[number].lower()


def test_long_rows_fit_the_context() -> None:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    for skill in ("cited_long", "chat"):
        rows = generate.skill_rows(skill, 40, seed=4, level=3, held_out=False)
        texts = [[message["content"] for message in row["messages"]] for row in rows]
        lengths = [sum(len(tokenizer.encode(text).ids) + 3 for text in said) for said in texts]
        assert max(lengths) <= 2048
        assert max(lengths) > 1400


@pytest.mark.parametrize("skill", ["fields", "schema", "extract_chat"])
def test_extracted_values_stand_in_the_message(skill: str) -> None:
    for row in generate.skill_rows(skill, 300, seed=2, level=3):
        record = json.loads(answer_of(row))
        for key, value in record.items():
            assert key in prompt_of(row)
            if isinstance(value, str):
                assert value in prompt_of(row) or value.capitalize() in prompt_of(row)


def test_labels_are_among_the_offered_ones() -> None:
    for row in generate.skill_rows("classify", 300, seed=2, level=2):
        assert all(m["content"] in prompt_of(row) for m in row["messages"] if m["role"] == "assistant")


def test_stages_name_known_skills() -> None:
    for stage in generate.STAGES.values():
        assert set(stage.weights) <= set(generate.SKILLS)
        assert sum(stage.levels) == pytest.approx(1)


def test_prose_comes_only_with_paragraphs() -> None:
    paragraph = "The wind blew over the hills and nobody in the valley heard it, for they were all asleep. " * 3
    with_prose = list(generate.rows(3, 1500, 1, paragraphs=[paragraph]))
    continued = [row for row in with_prose if answer_of(row) in paragraph and len(answer_of(row)) > 40]
    assert 20 < len(continued) < 80
    assert not [row for row in generate.rows(3, 300, 1) if "The wind blew" in prompt_of(row)]


def test_a_plan_becomes_a_file_in_stage_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jsonl"
    generate.main(["--plan", "0:5,3:5", "--output", str(file)])
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert rows == [*generate.rows(0, 5, 1), *generate.rows(3, 5, 1)]
    assert "no --corpus: all rows are generated" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["9:5", "1", "1:2:3"])
def test_a_wrong_plan_is_refused(text: str) -> None:
    with pytest.raises((argparse.ArgumentTypeError, ValueError)):
        generate.read_plan(text)


def test_the_demo_is_not_among_the_training_rows() -> None:
    """What the demo shows must be learned by tuning: its words are not in any list of the generator."""
    rows = generate.curriculum([(1, 3000), (2, 3000), (3, 3000)], 3)
    made = "\n".join(prompt_of(row) + answer_of(row) for row in rows)
    for item, faults in phrases.FAULTS.items():
        assert f" {item} " not in made
        assert not [fault for fault in faults if fault in made]
    for word in ("repair", "urgency", "customer", "problem", demo.SYSTEM):
        assert word not in made
    for name, used in (("first_names", phrases.FIRST_NAMES), ("last_names", phrases.LAST_NAMES)):
        assert not set(word_list(name)) & set(used)
