"""Writes the demo's rows, messages to a repair shop and their tickets: `python -m recipes.demo.generate`.

The same seed gives the same bytes. Messages are put together from hand-written phrases; a message that comes too close
to an earlier one is drawn again, so that no two rows are near duplicates.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from recipes.demo import phrases

ROWS, SEED = 600, 11
OUTPUT = Path("src/luthier/demo_data/repair_shop.jsonl")
SYSTEM = "Turn the message to the repair shop into a ticket: JSON with customer, item, problem, urgency, phone."
TOO_CLOSE = 0.5  # Jaccard similarity of word 3-shingles of two messages


@dataclass(frozen=True)
class Ticket:
    """What the shop files; None where the message does not say."""

    customer: str | None
    item: str
    problem: str
    urgency: str
    phone: str | None


def telephone(random: Random) -> str:
    """Returns a number from the ranges that are kept free for fiction."""
    tail = f"{random.randint(0, 999):03d}"
    ranges = ("07700 900{}", "01632 960{}", "020 7946 0{}", "555-01{}", "07700 900 {}", "(01632) 960 {}")
    form = random.choice(ranges)
    return form.format(tail[1:] if form.startswith("555") else tail)


def draw_ticket(random: Random) -> Ticket:
    """Returns a ticket; a name is missing in one of ten, a number in three of ten."""
    item = random.choice(sorted(phrases.FAULTS))
    name = f"{random.choice(phrases.FIRST_NAMES)} {random.choice(phrases.LAST_NAMES)}"
    return Ticket(
        customer=None if random.random() < 0.1 else name,
        item=item,
        problem=random.choice(phrases.FAULTS[item]),
        urgency=random.choices(("high", "normal", "low"), (0.3, 0.45, 0.25))[0],
        phone=None if random.random() < 0.3 else telephone(random),
    )


def message_of(random: Random, ticket: Ticket) -> str:
    """Returns what the customer may have written."""
    if ticket.customer and ticket.phone and random.random() < 0.15:
        text = random.choice(phrases.NOTES).format(**_words(random, ticket), name=ticket.customer, phone=ticket.phone)
        return "\n".join(" ".join(line.split()) for line in text.split("\n"))
    start, sentences, end = [], [_core(random, ticket)], []
    sentences += random.sample(phrases.STORIES, random.choices((0, 1, 2, 3), (0.3, 0.45, 0.2, 0.05))[0])
    sentences += _further(random, ticket)
    if random.random() < 0.7:
        sentences[1:] = random.sample(sentences[1:], len(sentences) - 1)
    else:
        random.shuffle(sentences)
    if ticket.customer and random.random() < 0.5:
        start.append(random.choice(phrases.NAME_FIRST).format(name=ticket.customer))
    elif ticket.customer:
        end.append(random.choice(phrases.NAME_LAST).format(name=ticket.customer))
    if random.random() < 0.75:
        start.insert(0, random.choice(phrases.HELLOS))
    if random.random() < 0.4:
        end.insert(0, random.choice(phrases.FAREWELLS))
    text = _join(start, [_with_typo(random, sentence, ticket) for sentence in sentences], end, random)
    return text[0].upper() + text[1:]


def rows(count: int = ROWS, seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Yields `count` rows in OpenAI's chat format, no two of them alike."""
    random, seen = Random(seed), []
    while len(seen) < count:
        ticket = draw_ticket(random)
        message = message_of(random, ticket)
        marks = shingles(message)
        if any(similarity(marks, other) > TOO_CLOSE for other in seen):
            continue
        seen.append(marks)
        answer = json.dumps(asdict(ticket), ensure_ascii=False, separators=(",", ":"))
        turns = (("system", SYSTEM), ("user", message), ("assistant", answer))
        yield {"messages": [{"role": role, "content": content} for role, content in turns]}


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Returns the runs of three words of `text`."""
    words = text.lower().split()
    return frozenset(tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2)))


def similarity(one: frozenset[Any], other: frozenset[Any]) -> float:
    """Returns the Jaccard similarity of two sets, 0 to 1."""
    return len(one & other) / len(one | other)


def _words(random: Random, ticket: Ticket) -> dict[str, str]:
    """Returns what the `{...}` of the phrases stand for."""
    old = random.choice(phrases.OLDS)
    urgency = random.choice(phrases.URGENCY[ticket.urgency]).format(day_soon=random.choice(phrases.DAYS_SOON))
    return {
        "item": ticket.item,
        "item_capital": ticket.item[0].upper() + ticket.item[1:],
        "a_item": _article(ticket.item) + ticket.item,
        "fault": ticket.problem,
        "old": old,
        "an_old": _article(old or ticket.item) + old,
        "relative": random.choice(phrases.RELATIVES),
        "when": random.choice(phrases.WHENS),
        "when_past": random.choice(phrases.WHENS_PAST),
        "day": random.choice(phrases.DAYS),
        "room": random.choice(phrases.ROOMS),
        "urgency": urgency,
    }


def _article(noun: str) -> str:
    return "an " if noun[0] in "aeio" else "a "


def _core(random: Random, ticket: Ticket) -> str:
    return random.choice(phrases.CORES).format(**_words(random, ticket))


def _further(random: Random, ticket: Ticket) -> list[str]:
    """Returns the sentences on urgency and number, without the empty ones."""
    urgency = _words(random, ticket)["urgency"]
    number = random.choice(phrases.NUMBERS if ticket.phone else phrases.NO_NUMBERS).format(phone=ticket.phone)
    return [sentence for sentence in (urgency, number) if sentence]


def _with_typo(random: Random, sentence: str, ticket: Ticket) -> str:
    """Returns `sentence`, now and then with two letters of a word swapped, never inside a fact of the ticket."""
    facts = " ".join(value for value in asdict(ticket).values() if value)
    words = sentence.split(" ")
    plain = [i for i, word in enumerate(words) if word.isalpha() and word.islower() and len(word) > 4]
    open_to_it = [i for i in plain if words[i] not in facts]
    if not open_to_it or random.random() > 0.06:
        return sentence
    index = random.choice(open_to_it)
    at = random.randint(1, len(words[index]) - 3)
    word = words[index]
    words[index] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def _join(start: list[str], sentences: list[str], end: list[str], random: Random) -> str:
    """Returns one text, as a chat line or as a letter with its parts on lines of their own."""
    opening = " ".join(start)
    if start and not start[-1].endswith(","):
        body = " ".join(sentences)
    else:
        body = " ".join([sentences[0] if not start else _small(sentences[0]), *sentences[1:]])
    parts = [part for part in (opening, body, " ".join(end)) if part]
    return ("\n" if random.random() < 0.25 else " ").join(parts)


def _small(sentence: str) -> str:
    """Returns `sentence` as it goes on after a comma."""
    return sentence if sentence.startswith(("I ", "I'", "Help", "Tel", "Phone")) else sentence[0].lower() + sentence[1:]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and writes the file."""
    parser = argparse.ArgumentParser(prog="python -m recipes.demo.generate", description="Writes the demo's rows.")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args(arguments)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with given.output.open("w", encoding="utf-8") as file:
        for row in rows(given.rows, given.seed):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{given.rows} rows -> {given.output}")


if __name__ == "__main__":
    main()
