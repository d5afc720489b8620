"""Kinds of messages: what training rows have beside the held-out ones, and values that stand as they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from random import Random

import pytest

from recipes.fiddle import generate
from recipes.fiddle.draw import Draw, fresh
from recipes.fiddle.skills import clauses, cues, layout
from recipes.fiddle.skills.classification import MOODS, SENTENCES, TIMES, TOPICS
from recipes.fiddle.skills.domains import DOMAINS, LABELLED, OLD_CLAUSES, number_word
from recipes.fiddle.skills.extraction import chosen_slots, drawn_domain, words_of
from recipes.fiddle.skills.more_domains import MORE_DOMAINS

EXTRACTION = pytest.mark.parametrize("skill", ["fields", "schema", "extract_chat", "records"])


def test_every_old_slot_has_more_clauses_and_keys() -> None:
    for domain in DOMAINS:
        for slot in domain.slots:
            assert len(slot.more_clauses) >= 20, (domain.name, slot.keys)
            assert len(slot.more_keys) >= 4
            assert slot.names(held_out=True) == slot.keys
    names = {domain.name for domain in DOMAINS}
    assert set(clauses.MORE) - {""} <= names
    for name, slots in clauses.MORE.items():
        known = {slot.keys[0] for domain in DOMAINS if name in ("", domain.name) for slot in domain.slots}
        assert set(slots) <= known


def test_there_are_many_new_kinds_of_messages() -> None:
    assert len(MORE_DOMAINS) >= 24
    for domain in MORE_DOMAINS:
        assert 4 <= len(domain.slots) <= 9
        assert not [slot.keys for slot in domain.slots if len(slot.clauses + slot.more_clauses) < 10]


@pytest.mark.parametrize("domain", [*DOMAINS, *MORE_DOMAINS], ids=lambda domain: domain.name)
def test_new_clauses_hold_one_value_and_are_not_old_ones(domain) -> None:
    for slot in domain.slots:
        assert not [clause for clause in slot.more_clauses if re.findall("{.*?}", clause) != ["{v}"]]
        assert fresh(OLD_CLAUSES, slot.more_clauses) == slot.more_clauses
    owners: dict[str, set[int]] = {}
    for slot in domain.slots:
        for key in {words_of(key) for key in slot.more_keys or slot.keys}:
            owners.setdefault(key, set()).add(id(slot))
    assert not [key for key, slots in owners.items() if len(slots) > 1]


def test_held_out_rows_know_the_old_kinds_and_keys_alone() -> None:
    held_out, training = (Draw(Random(1), 3, held_out=held) for held in (True, False))
    keys = {slot_key for domain in DOMAINS for slot in domain.slots for slot_key in slot.keys}
    for _ in range(300):
        domain = drawn_domain(held_out)
        assert domain.name == "any" or {key for key, _ in chosen_slots(held_out, domain)} <= keys
    drawn = Counter(drawn_domain(training) in MORE_DOMAINS for _ in range(1000))
    assert 300 < drawn[True] < 450


@EXTRACTION
@pytest.mark.parametrize("level", [1, 2, 3])
def test_values_of_training_rows_stand_in_the_message(skill: str, level: int) -> None:
    for row in generate.skill_rows(skill, 300, seed=2, level=level, held_out=False):
        asked = "\n".join(m["content"] for m in row["messages"] if m["role"] != "assistant")
        for answer in (m["content"] for m in row["messages"] if m["role"] == "assistant"):
            for key, value in json.loads(answer).items():
                assert key in asked
                if isinstance(value, str):
                    assert value in asked or value[0].upper() + value[1:] in asked
                elif value is not None:
                    assert (
                        re.search(rf"(?<!\d){value}(?!\d)|\b{number_word(abs(value))}\b", asked, re.IGNORECASE)
                        is not None
                    )


def test_values_keep_their_letters_in_every_layout() -> None:
    said = [
        ("I am {v}.", "Ada McKay"),
        ("{v} is my mail.", "ada.mk@x.org"),
        ("The code is {v}.", "bx20451"),
        ("Ring {v}?", "07 3"),
    ]
    draw, seen = Draw(Random(1), 3), set()
    for _ in range(400):
        text = layout.laid_out(draw, "Hello!", said, "Bye.")
        assert all(str(value) in text for _, value in said)
        seen.add(text)
    assert len(seen) > 30
    held_out = Draw(Random(1), 3, held_out=True)
    plain = layout.laid_out(held_out, "Hello!", said, "")
    assert plain == "Hello! I am Ada McKay. Ada.mk@x.org is my mail. The code is bx20451. Ring 07 3?"


def test_articles_and_numbers_fit_the_value() -> None:
    assert layout.filled("I have a {v}.", "owl") == "I have an owl."
    assert layout.filled("A {v}, please.", "van") == "A van, please."
    assert layout.filled("We stay {v} nights.", "one") == "We stay one night."
    assert layout.filled("We stay {v} nights.", 2) == "We stay 2 nights."


def test_ways_to_name_a_key_beside_its_value_are_many() -> None:
    both = clauses.NAMED + clauses.BESIDE
    assert len({*both}) == len(both) >= 50
    assert all("{v}" in text and ("{key}" in text or "{Key}" in text) for text in both)
    assert fresh(LABELLED, clauses.NAMED) == clauses.NAMED
    assert words_of("fullName") == words_of("full_name") == "full name"


def test_more_texts_are_of_known_labels() -> None:
    known = {label for family in (MOODS, TOPICS, SENTENCES, TIMES) for label in family}
    assert set(cues.TEXTS) == known
    for family in (cues.TEXTS, cues.INTENTS, cues.EMOTIONS, cues.MORE_TOPICS):
        assert all(len({*texts}) == len(texts) >= 10 for texts in family.values())
