"""Documents divided by cluster before anything is asked about them."""

from __future__ import annotations

from luthier.records.documents import Document
from luthier.synthesis.clusters import clusters, held_out

WORDS = [f"word{at} said{at * 7 % 11} then{at % 5}" for at in range(60)]


def texts(count: int) -> list[Document]:
    return [Document(f"{at}.md", " ".join(WORDS[at * 3 : at * 3 + 30])) for at in range(count)]


def test_near_duplicates_are_one_cluster() -> None:
    one, other = Document("a.md", " ".join(WORDS)), Document("b.md", "something else altogether, in other words")
    near, nearer = Document("c.md", " ".join(WORDS[:-2])), Document("d.md", " ".join(WORDS[:-3]))
    assert clusters([one, other, near, nearer]) == [one.id, other.id, one.id, one.id]
    assert clusters([]) == []


def test_one_is_held_out_and_one_is_left() -> None:
    assert len(held_out(["a", "b"], 0.01, 0)) == 1
    assert len(held_out(["a", "b"], 0.99, 0)) == 1
    assert held_out(["a"], 0.5, 0) == frozenset()
    assert held_out(["a", "b"], 0.0, 0) == frozenset()


def test_more_documents_move_none() -> None:
    names = [f"doc{at}" for at in range(200)]
    few, many = held_out(names[:100], 0.2, 1), held_out(names, 0.2, 1)
    assert few == {name for name in many if name in names[:100]}
    assert 0.1 < len(many) / len(names) < 0.3
    assert held_out(names, 0.2, 2) != many
