"""Moderation: what the rules flag and leave alone, classifiers of the catalogue, and how both are answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from house import ROOT
from openai import OpenAI
from serving import serve, upload
from tiny_classifiers import save_classifier
from transformers import pipeline

from luthier.server.moderation import CATEGORIES, RULES, highest, moderate, rules, uncovered

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
    applied = found.results[0].category_applied_input_types.model_dump(by_alias=True)
    assert {name for name, kinds in applied.items() if not kinds} == set(uncovered())
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


CATALOGUE = """
models:
  - fiddle
  - id: judge
    kind: moderation
    model: {folder}
    aliases: [guard]
    categories: {{kill: violence, hate: harassment/threatening}}
  - id: free
    kind: moderation
    model: {folder}
    problem_type: multi_label_classification
    threshold: 0.999
    categories: {{kill: violence, hate: violence}}
  - id: mistaken
    kind: moderation
    model: {folder}
    categories: {{murder: violence}}
"""
HELD = ["the keeper is home", "kill the keeper", "hate the keeper kill the keeper", "kill " + "the " * 200]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("judge"))


@pytest.fixture(scope="module")
def judged(folder: Path) -> Iterator[OpenAI]:
    """Yields a client of a server whose catalogue names classifiers."""
    file = folder / "models.yaml"
    file.write_text(CATALOGUE.format(folder=folder))
    running = serve(folder / "home", "--catalogue", str(file), "--workers", "0")
    yield running.client()
    running.end()


def test_a_classifier_of_the_catalogue_scores_what_its_labels_stand_for(judged: OpenAI, folder: Path) -> None:
    plain = pipeline("text-classification", model=str(folder), device="cpu", top_k=None)
    expected = [{one["label"]: one["score"] for one in found} for found in plain(HELD[:3])]
    answers = [judged.moderations.create(input=HELD, **{} if name is None else {"model": name}) for name in NAMES]
    assert {answer.model for answer in answers} == {"judge"}
    for found in [answer.results for answer in answers]:
        assert [one.flagged for one in found] == [False, True, True, True]
        scores = [one.category_scores for one in found]
        assert [one.violence for one in scores[:3]] == pytest.approx([one["kill"] for one in expected], abs=1e-5)
        threats = [one.harassment_threatening for one in scores[:3]]
        assert threats == pytest.approx([one["hate"] for one in expected], abs=1e-5)
        assert (found[1].categories.violence, found[1].categories.harassment_threatening) == (True, False)
        rest = set(CATEGORIES) - {"violence", "harassment/threatening"}
        for one in found:
            kept = one.category_scores.model_dump(by_alias=True)
            applied = one.category_applied_input_types.model_dump(by_alias=True)
            assert {name: kept[name] for name in rest} == dict.fromkeys(rest, 0.0)
            assert applied == {name: [] if name in rest else ["text"] for name in CATEGORIES}


NAMES = (None, "omni-moderation-latest", "judge", "guard")


def test_the_catalogue_says_how_labels_are_read_and_when_they_flag(judged: OpenAI) -> None:
    found = judged.moderations.create(model="free", input=[*HELD, "hate kill hate kill"])
    assert found.model == "free"
    scores = [one.category_scores.violence for one in found.results]
    assert scores[0] == pytest.approx(0.018, abs=1e-3), "a sigmoid of its own for each label"
    assert scores[4] > 0.999
    assert [one.flagged for one in found.results] == [score >= 0.999 for score in scores]
    assert judged.moderations.create(model=RULES, input="I will kill you").model == RULES


def test_a_classifier_does_nothing_else_and_nothing_else_moderates(judged: OpenAI) -> None:
    listed = {one.id: one.model_dump()["kind"] for one in judged.models.list()}
    assert listed == {"fiddle": "chat", "judge": "moderation", "free": "moderation", "mistaken": "moderation"}
    file = upload(judged, "{}")
    for ask in (
        lambda: judged.chat.completions.create(model="judge", messages=[{"role": "user", "content": "x"}]),
        lambda: judged.completions.create(model="guard", prompt="x"),
        lambda: judged.embeddings.create(model="judge", input="x"),
        lambda: judged.fine_tuning.jobs.create(model="judge", training_file=file.id),
    ):
        with pytest.raises(openai.BadRequestError, match="puts labels on texts") as caught:
            ask()
        assert caught.value.param == "model"
    with pytest.raises(openai.BadRequestError, match="writes text; it does not moderate"):
        judged.moderations.create(model="fiddle", input="x")
    with pytest.raises(openai.NotFoundError):
        judged.moderations.create(model="none", input="x")


def test_a_label_that_the_model_lacks_is_an_error_and_no_verdict(judged: OpenAI) -> None:
    for _ in range(2):
        with pytest.raises(openai.BadRequestError, match="has no label 'murder'; its labels: fine, kill, hate"):
            judged.moderations.create(model="mistaken", input="kill")


def test_the_highest_label_of_a_category_counts() -> None:
    found = highest([("a", 0.2), ("b", 0.7), ("c", 0.4), ("d", 0.9)], {"a": "hate", "b": "hate", "c": "sexual"})
    assert {name: score for name, score in found.items() if score} == {"hate": 0.7, "sexual": 0.4}
    assert set(found) == set(CATEGORIES)
