"""Retrieval's benchmarks: the work is the same each time, and what is right is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.retrieval import Scores, quality_table, suites
from benchmarks.retrieval_sets import sections, xquad
from benchmarks.store_work import GROUP, K, batches, group_of, nearest, questions, recall


def test_the_work_is_the_same_each_time_and_its_answers_are_exact() -> None:
    first, again = (list(batches(1500, 500)) for _ in range(2))
    assert [one.first for one in first] == [0, 500, 1000]
    assert all(np.array_equal(a.vectors, b.vectors) and a.texts == b.texts for a, b in zip(first, again, strict=True))
    vectors, asked = np.concatenate([one.vectors for one in batches(1500)]), questions().vectors[:5]
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    right = nearest(1500, asked)
    assert right == [np.argsort(-(vectors @ one))[:K].tolist() for one in asked]
    assert all(group_of(one) == GROUP for row in nearest(1500, asked, GROUP) for one in row)
    assert recall(right, right) == 1
    assert recall([row[:5] for row in right], right) == 0.5


def test_sets_know_which_document_answers(tmp_path: Path) -> None:
    paragraph = {"context": "Green tea.", "qas": [{"question": "Which tea?"}]}
    (tmp_path / "x.json").write_text(json.dumps({"data": [{"title": "Tea", "paragraphs": [paragraph, paragraph]}]}))
    judged = xquad(tmp_path / "x.json")
    assert [one.gold for one in judged.questions] == [one.id for one in judged.documents]
    body = "word " * 60
    (tmp_path / "a.md").write_text(f"# One\n\n{body}\n## Two\n\nshort\n# Same\n\n{body}\n# Same\n\n{body}")
    (tmp_path / "b.rst").write_text(f"Three\n=====\n\n{body}\n\nFour\n----\n\n{body}")
    found = sections(tmp_path)
    assert [one.text for one in found.questions] == ["a: One", "b: Three", "b: Four"]
    assert all(one.text.strip() == body.strip() for one in found.documents)


def test_scores_are_those_of_one_right_document() -> None:
    scores = Scores([1, 2, 0, 10])
    assert np.allclose(scores.ndcg(), [1, 1 / np.log2(3), 0, 1 / np.log2(11)])
    facts = scores.facts(["a", "b", "c", "d"])
    assert (facts["recall1"], facts["recall5"], facts["recall10"]) == (0.25, 0.5, 0.75)
    assert np.isclose(facts["mrr"], (1 + 0.5 + 0.1) / 4)
    gain = {"leg": "words", "difference": 0.1, "interval": [0.05, 0.2]}
    sizes = {"suite": "s", "date": "d", "questions": 4, "documents": 4}
    assert "above both legs" in quality_table({**sizes, "ways": {"both": facts}, "gain": gain})


def test_every_side_of_a_suite_has_its_settings() -> None:
    for suite in suites(1000, 10).values():
        assert all(settings for _, settings in suite.sides.values())
        assert all({bound.ours, bound.peer} <= set(suite.sides) for bound in suite.bounds)
