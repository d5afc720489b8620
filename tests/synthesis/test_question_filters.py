"""Each filter refuses what it is for, in its turn, and is counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_writer import Writer
from static_embeddings import save_static

from luthier.errors import Interrupted, LuthierError
from luthier.evaluation.replies import KeptReplies
from luthier.records.documents import Document, Passage
from luthier.records.messages import Sampling
from luthier.report import ListReport
from luthier.retrieval.embedders import TextEmbedder, open_embedder
from luthier.retrieval.options import EmbedderOptions
from luthier.synthesis.asking import Asker, Streamed
from luthier.synthesis.filters import Yields, apart, round_trip, write
from luthier.synthesis.options import KINDS, Kind
from luthier.synthesis.questions import Place, Question

TEXTS = ("The keeper has a boat. It is green.", "The oven is black. Bread is made.", "A train left. It was winter.")


def places() -> list[Place]:
    """Returns the three passages of one document."""
    document = Document("a.md", "")
    made = [Passage(document.id, at * 100, at * 100 + len(text), text) for at, text in enumerate(TEXTS)]
    following = [*made[1:], None]
    return [Place(document, one, after, "g", test=False) for one, after in zip(made, following, strict=True)]


@contextmanager
def asking(
    writer: Writer, file: Path | None = None, report: ListReport | None = None, **sampling: float
) -> Iterator[Asker]:
    with KeptReplies(file) as kept:
        yield Asker(Streamed(writer, "writer"), "writer 1", kept, Sampling(**sampling), report or ListReport())  # type: ignore[arg-type]


def made(spoil: Callable[[str, str], str], kinds: tuple[Kind, ...] = KINDS) -> tuple[list[Question], Yields]:
    yields = Yields()
    with asking(Writer(spoil)) as asker:
        return round_trip(write(places(), kinds, asker, yields), asker, yields), yields


def test_all_kinds_pass_when_all_is_well() -> None:
    found, yields = made(lambda asked, reply: reply)
    assert yields.asked == {"fact": 3, "several": 2, "unanswerable": 3, "paraphrase": 3}
    assert yields.passed["schema"] == yields.passed["quote"] == yields.passed["round trip"] == yields.asked
    assert len(found) == 11
    several = next(question for question in found if question.kind == "several")
    assert several.quotes == ("The keeper has a boat", "The oven is black")
    assert several.spans == ((0, 21), (100, 117))
    facts = {question.id: question for question in found if question.kind == "fact"}
    again = [question for question in found if question.kind == "paraphrase"]
    assert {question.of for question in again} == set(facts)
    assert all(facts[question.of].quotes == question.quotes for question in again)
    assert all(not question.quotes for question in found if question.kind == "unanswerable")


def test_no_object_is_refused_by_the_schema() -> None:
    found, yields = made(lambda asked, reply: "sorry" if "black" in asked and "Text: The oven" in asked else reply)
    assert yields.passed["schema"] == {"fact": 2, "several": 1, "unanswerable": 2, "paraphrase": 2}
    assert [one["filter"] for one in yields.refused] == ["schema"] * 3
    assert yields.refused[0]["said"] == "sorry"
    assert all(question.place.passage.text != TEXTS[1] for question in found if question.kind == "fact")


def test_a_quote_from_elsewhere_is_refused() -> None:
    def spoil(asked: str, reply: str) -> str:
        return (
            json.dumps(json.loads(reply) | {"quote": "The keeper had a boat"})
            if '"quote": "The keeper' in reply
            else reply
        )

    _, yields = made(spoil, ("fact", "several"))
    assert yields.passed["schema"] == {"fact": 3, "several": 2, "unanswerable": 0, "paraphrase": 0}
    assert yields.passed["quote"] == {"fact": 2, "several": 1, "unanswerable": 0, "paraphrase": 0}


def test_another_answer_is_refused_by_the_round_trip() -> None:
    def spoil(asked: str, reply: str) -> str:
        return "The Keeper." if reply == "keeper" else "something" if reply == "oven" else reply

    _, yields = made(spoil, ("fact",))
    assert yields.passed["quote"]["fact"] == 3
    assert yields.passed["round trip"]["fact"] == 2  # articles, case and stops do not count
    assert yields.refused[0]["said"].endswith("| oven | something")


def test_an_answer_to_the_unanswerable_is_refused() -> None:
    _, yields = made(lambda asked, reply: "Bob" if "mayor" in asked and "oven" in asked else reply, ("unanswerable",))
    assert yields.passed["round trip"]["unanswerable"] == 2


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> TextEmbedder:
    found = open_embedder(EmbedderOptions(embedder=str(save_static(tmp_path_factory.mktemp("models") / "static"))))
    assert found is not None
    return found


@pytest.mark.parametrize("by_words", [True, False])
def test_near_questions_are_one_but_for_paraphrases(embedder: TextEmbedder, by_words: bool) -> None:
    first = Question("fact", "Is the boat of the keeper green?", "yes", (), places()[0], (places()[0].passage,), "h")
    twin = replace(first, text="is the boat of the keeper green", place=places()[1], passages=(places()[1].passage,))
    again = replace(first, kind="paraphrase", text="Is the boat of the keeper green today?", of=first.id)
    same = replace(first, kind="paraphrase", of=first.id)
    other = replace(first, text="Black bread of winter?")
    yields = Yields()
    kept = apart([first, twin, again, same, other], None if by_words else embedder, 0.95, yields)
    assert kept == [first, again, other]
    assert yields.passed["near"] == {"fact": 2, "several": 0, "unanswerable": 0, "paraphrase": 1}


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    file, broken, writer, other = tmp_path / "requests.jsonl", Writer(fail_after=5), Writer(), Writer()
    with asking(broken, file) as asker, pytest.raises(LuthierError, match="is away"):
        write(places(), KINDS, asker, Yields())
    assert len(file.read_text().splitlines()) == 5
    with asking(writer, file) as asker:
        write(places(), KINDS, asker, Yields())
        assert sum(asker.spent.wrote.values()) > 0
    assert len(writer.heard) == 11 - 5
    heard = [messages[-1].content for messages in broken.heard]
    assert not set(heard) & {messages[-1].content for messages in writer.heard}
    with asking(other, file, temperature=0.5) as asker:  # other parameters are other requests
        write(places(), KINDS, asker, Yields())
    assert len(other.heard) == 11


def test_some_failures_are_counted_and_the_rest_goes_on() -> None:
    yields, report = Yields(), ListReport()
    with asking(Writer(fail_after=2), report=report) as asker:
        found = write(places(), ("fact",), asker, yields)
    assert (len(found), yields.failed["fact"]) == (2, 1)
    assert any(kind == "warning" and "1 of 3 rows failed" in text for kind, text in report.events)


def test_a_stop_is_heard_between_requests(tmp_path: Path) -> None:
    report = ListReport(stop=True)
    with (
        asking(Writer(), tmp_path / "requests.jsonl", report) as asker,
        pytest.raises(Interrupted, match="are kept"),
    ):
        write(places(), KINDS, asker, Yields())
