# ruff: noqa: E501  (phrase lists read best in long lines)
"""Extraction to JSON: a message and the wanted fields, or a schema, become one JSON object."""

from __future__ import annotations

import json
import re
from typing import Any

from luthier.records.prompts import extract
from recipes.fiddle import prompts, wrappers
from recipes.fiddle.draw import Draw, capital, joined
from recipes.fiddle.rows import Row, Turns, compact, single
from recipes.fiddle.skills import clauses, layout
from recipes.fiddle.skills.domains import (
    CLOSINGS,
    DOMAINS,
    FILLERS,
    LABELLED,
    OPENINGS,
    Domain,
    Slot,
    labelled,
    with_key,
)
from recipes.fiddle.skills.layout import Said
from recipes.fiddle.skills.more_domains import MORE_DOMAINS

PLATFORM_SHARE = 0.5
LABELLED_SHARE = 0.25
NAMED_SHARE = 0.2
TABLE_SHARE = 0.08
ON_LINES_SHARE = 0.15
PRINTED_SHARE = 0.4
NEW_DOMAIN_SHARE = 0.5


def drawn_domain(draw: Draw) -> Domain:
    """Returns one of the known kinds of message, or now and then a made-up one."""
    if draw.chance(LABELLED_SHARE):
        return labelled(draw)
    return draw.any(DOMAINS if draw.held_out or not draw.chance(NEW_DOMAIN_SHARE) else MORE_DOMAINS)


def chosen_slots(draw: Draw, domain: Domain) -> list[tuple[str, Slot]]:
    """Returns the wanted slots under key names that differ from each other."""
    most = min(len(domain.slots), (2, 4, 6)[draw.level - 1])
    slots = draw.random.sample(domain.slots, draw.between(1 if draw.level == 1 else 2, most))
    named: dict[str, Slot] = {}
    for slot in slots:
        free = [key for key in slot.names(draw.held_out) if key not in named]
        if free:
            named[draw.any(free)] = slot
    return list(named.items())


def message_of(draw: Draw, domain: Domain, wanted: list[tuple[str, Slot]]) -> tuple[str, dict[str, Any]]:
    """Returns a message and its record; from level 2 on a wanted fact may be missing (null) and others told."""
    record: dict[str, Any] = {}
    said: list[Said] = []
    form = draw.any(clauses.BESIDE) if not draw.held_out and draw.chance(TABLE_SHARE) else ""
    for key, slot in wanted:
        if draw.level > 1 and len(wanted) > 1 and draw.chance(0.1):
            record[key] = None
            continue
        record[key] = slot.value(draw)
        value = slot.spoken(record[key]) if draw.chance(0.4) else record[key]
        said.append((_clause(draw, key, slot, form), value))
    said += _asides(draw, domain, wanted)
    draw.random.shuffle(said)
    opening = draw.phrase_or(OPENINGS, clauses.OPENINGS) if draw.chance(0.5) else ""
    closing = draw.phrase_or(CLOSINGS, clauses.CLOSINGS) if draw.chance(0.3) else ""
    text = layout.laid_out(draw, opening, said, closing, table=bool(form))
    return text or draw.phrase_or(FILLERS, clauses.FILLERS), record


def _clause(draw: Draw, key: str, slot: Slot, form: str) -> str:
    """Returns what states a slot's value; in training rows sometimes with the key itself, or in the given form."""
    if form:
        return _beside(draw, form, key)
    if draw.held_out or not draw.chance(NAMED_SHARE):
        return draw.loosely(slot.clauses, slot.more_clauses)
    if key.split("_")[0].split(" ")[0] in NO_NOUNS or draw.chance(0.4):
        return _beside(draw, draw.any(clauses.BESIDE), key)
    return draw.loosely(with_key(LABELLED, words_of(key)), with_key(clauses.NAMED, words_of(key)))


NO_NOUNS = frozenset(
    ("at", "by", "from", "how", "in", "is", "my", "not", "on", "the", "to", "via", "what", "when", "where", "which", "who", "why",
     "your")
)  # fmt: skip
"""First words of keys that do not stand after "the"."""


def words_of(key: str) -> str:
    """Returns a key as words: full_name and fullName are "full name"."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", key).replace("_", " ").lower()


def _beside(draw: Draw, form: str, key: str) -> str:
    """Returns a form with the key as it is or in words."""
    spelt = draw.any((key, words_of(key)))
    return form.replace("{key}", spelt).replace("{Key}", capital(spelt))


def _asides(draw: Draw, domain: Domain, wanted: list[tuple[str, Slot]]) -> list[Said]:
    """Returns clauses that no wanted key asks for."""
    chosen = {id(slot) for _, slot in wanted}
    others = [slot for slot in domain.slots if id(slot) not in chosen and not _confusable(draw, slot, wanted)]
    told = draw.random.sample(others, min(len(others), draw.between(0, draw.level - 1)))
    said: list[Said] = [(draw.loosely(slot.clauses, slot.more_clauses), slot.value(draw)) for slot in told]
    return [*said, (draw.phrase_or(FILLERS, clauses.FILLERS), "")] if draw.chance(0.2 * draw.level) else said


def _confusable(draw: Draw, slot: Slot, wanted: list[tuple[str, Slot]]) -> bool:
    names = set(slot.names(draw.held_out))
    return any(names & set(other.names(draw.held_out)) for _, other in wanted)


def schema_of(record_slots: list[tuple[str, Slot]], sample: dict[str, Any]) -> dict[str, str]:
    """Returns the schema as people write it by hand: {"key": "text", "other": "number"}."""
    return {key: "number" if isinstance(sample[key], int) else "text" for key, _ in record_slots}


def fields(draw: Draw) -> Row:
    """Returns a row with the wanted keys named in words."""
    domain = drawn_domain(draw)
    wanted = chosen_slots(draw, domain)
    text, record = message_of(draw, domain, wanted)
    keys = [key for key, _ in wanted]
    if not draw.held_out and draw.chance(ON_LINES_SHARE):
        form = wrappers.composed(draw, prompts.EXTRACT_FIELDS, wrappers.fields_on_lines)
        return single(form.format(fields=_on_lines(draw, keys), message=text), compact(record))
    listed = named(draw, keys)
    return single(
        wrappers.asked(draw, prompts.EXTRACT_FIELDS, wrappers.fields).format(fields=listed, message=text),
        compact(record),
    )


def schema(draw: Draw) -> Row:
    """Returns a row with the wanted keys and their types given as a schema."""
    domain = drawn_domain(draw)
    wanted = chosen_slots(draw, domain)
    text, record = message_of(draw, domain, wanted)
    types = schema_of(wanted, {key: slot.value(draw) for key, slot in wanted})
    if draw.chance(PLATFORM_SHARE):
        return single(extract(types, text), compact(record))
    if not draw.held_out and draw.chance(PRINTED_SHARE):
        printed = _printed(draw, types)
        build = wrappers.schema_on_lines if "\n" in printed or draw.chance(0.5) else wrappers.schema
        form = wrappers.composed(draw, prompts.EXTRACT_SCHEMA, build)
        return single(form.format(schema=printed, message=text), compact(record))
    return single(
        wrappers.asked(draw, prompts.EXTRACT_SCHEMA, wrappers.schema).format(schema=compact(types), message=text),
        compact(record),
    )


def in_chat(draw: Draw) -> Row:
    """Returns a row whose system prompt names the keys and whose turns are one or two messages."""
    domain = drawn_domain(draw)
    wanted = chosen_slots(draw, domain)
    listed = named(draw, [key for key, _ in wanted])
    system = draw.loosely(prompts.EXTRACT_SYSTEM, wrappers.EXTRACT_SYSTEM).format(kind=domain.name, fields=listed)
    turns = [message_of(draw, domain, wanted) for _ in range(2 if draw.level > 1 and draw.chance(0.3) else 1)]
    return Turns(tuple((text, compact(record)) for text, record in turns), system).row()


def named(draw: Draw, keys: list[str]) -> str:
    """Returns the keys as a prompt lists them."""
    return draw.any((joined(keys), ", ".join(keys), joined(keys), ", ".join(f'"{key}"' for key in keys)))


def _on_lines(draw: Draw, keys: list[str]) -> str:
    """Returns the keys one a line, as a list or bare."""
    sign = draw.any(("- ", "- ", "* ", "• ", "", "  - "))
    if draw.chance(0.2):
        return "\n".join(f"{number}. {key}" for number, key in enumerate(keys, 1))
    return "\n".join(f"{sign}{key}" for key in keys)


TYPE_NAMES = (
    ("text", "number"),
    ("text", "number"),
    ("string", "number"),
    ("string", "integer"),
    ("str", "int"),
    ("String", "Number"),
)

KIND_FORMS = (
    "{key}: {kind}", "{key} ({kind})", "- {key}: {kind}", "{key} : {kind}", "{key}, {kind}", "{kind} {key}", "* {key} ({kind})",
)  # fmt: skip


def _printed(draw: Draw, types: dict[str, str]) -> str:
    """Returns a schema as people and programs print it."""
    text, number = draw.any(TYPE_NAMES)
    said = {key: number if kind == "number" else text for key, kind in types.items()}
    style = draw.between(0, 7)
    if style < 3:
        return json.dumps(said, ensure_ascii=False, indent=(None, 2, 4)[style])
    if style == 3:
        return str(said)
    form = draw.any(
        (
            "{key}: {kind}",
            "{key} ({kind})",
            "- {key}: {kind}",
            "{key} : {kind}",
            "{key}, {kind}",
            "{kind} {key}",
            "* {key} ({kind})",
        )
    )
    rows = [form.format(key=key, kind=kind) for key, kind in said.items()]
    return (", " if style == 4 and form[0] not in "-*" and "," not in form else "\n").join(rows)
