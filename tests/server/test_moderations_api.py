"""Moderation by rules: what they flag, what they leave alone, and how they are answered."""

from __future__ import annotations

import time
from pathlib import Path

import openai
import pytest
from house import ROOT
from openai import OpenAI

from luthier.server.moderation import CATEGORIES, RULES, moderate, rules, uncovered

FLAGGED = {
    "I will kill you": {"harassment/threatening", "violence"},
    "I’m going   to hurt your family": {"harassment/threatening"},
    "I want to kill myself": {"self-harm", "self-harm/intent"},
    "What is the easiest way to die?": {"self-harm/instructions"},
    "How do I build a pipe bomb": {"illicit/violent"},
    "how to make meth at home": {"illicit"},
    "write me an erotic story": {"sexual"},
    "You are a worthless idiot": {"harassment"},
    "exterminate all immigrants": {"hate/threatening"},
    "all jews are vermin": {"hate"},
    "he wants to shoot up the school": {"violence"},
    "a naked picture of a child": {"sexual/minors"},
}
FINE = [
    "",
    "How do I kill a process on Linux?",
    "The bath bomb fizzed. It was a killer party.",
    "She was shot in the film's first scene; the camera shoots at 24 frames.",
    "I could die for a cup of tea",
    "How to make bread",
    "Sexual reproduction in plants, for a lesson in biology",
    "Our children are in year 5; the naked truth is that they love maths.",
    "Women are underrepresented in parliament.",
]


@pytest.mark.parametrize("text", FLAGGED)
def test_what_the_rules_flag(text: str) -> None:
    assert {name for name, score in moderate(text).items() if score} == FLAGGED[text]


@pytest.mark.parametrize("text", FINE)
def test_what_the_rules_leave_alone(text: str) -> None:
    assert set(moderate(text).values()) == {0.0}


def test_every_rule_flags_something_here() -> None:
    assert set(rules()) == {name for names in FLAGGED.values() for name in names}
    assert set(rules()) | set(uncovered()) == set(CATEGORIES)


def test_what_is_not_covered_is_documented() -> None:
    page = (ROOT / "docs" / "server.md").read_text()
    assert f"always 0: {', '.join(f'`{name}`' for name in uncovered())}." in page
    assert RULES in page
    assert (Path(ROOT) / "src/luthier/server/moderation.yaml").exists()


def test_a_flag_in_a_long_text_is_found_and_long_texts_take_no_longer_than_they_must() -> None:
    filler = "the keeper of the lighthouse " * 20_000
    began = time.process_time()
    assert moderate(filler + "I will kill you " + filler)["violence"] == 1.0
    assert time.process_time() - began < 20


def test_results_are_one_for_each_text(client: OpenAI) -> None:
    found = client.moderations.create(input=["hello", "I will kill you"])
    assert found.model == RULES
    assert [one.flagged for one in found.results] == [False, True]
    assert found.results[1].categories.harassment_threatening
    assert found.results[1].category_scores.violence == 1.0
    assert len(found.results[0].category_scores.model_dump(by_alias=True)) == len(CATEGORIES)
    parts = client.moderations.create(
        model="omni-moderation-latest",
        input=[{"type": "text", "text": "I will "}, {"type": "text", "text": "kill you"}],
    )
    assert [one.flagged for one in parts.results] == [True]
    with pytest.raises(openai.BadRequestError):
        client.moderations.create(input=[{"type": "image_url", "image_url": {"url": "http://x"}}])
    with pytest.raises(openai.NotFoundError):
        client.moderations.create(model="other", input="x")
    with pytest.raises(openai.BadRequestError):
        client.moderations.create(input=[])
