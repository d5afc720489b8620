# ruff: noqa: E501  (phrase lists read best in long lines)
"""Ways to ask that are put together from parts: what training sees beside the fixed phrasings of `prompts`.

A model that only knows ten ways to ask learns the ways, not where the content stands in them. Held-out rows are asked in
the fixed phrasings alone; none of those comes out of here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recipes.fiddle.draw import Draw, capital

COMPOSED_SHARE = 0.5
JOINTS = ("\n", "\n", "\n\n", " ")
ENDS = ("", "", "", ".", ":")

Builder = Callable[[Draw], str]


def asked(draw: Draw, fixed: Sequence[str], build: Builder) -> str:
    """Returns one of the fixed phrasings or, for half of the training rows, one that `build` puts together."""
    if draw.held_out or not draw.chance(COMPOSED_SHARE):
        return draw.loosely(fixed)
    while True:
        text = build(draw)
        if text not in fixed:
            return text


def fields(draw: Draw) -> str:
    """Returns a wish for `{fields}` of a `{message}` as JSON."""
    verb = draw.any(
        ("extract", "take", "get", "find", "pick out", "collect", "note", "return", "give me", "list", "fill in", "copy",
         "write down", "tell me", "read off", "look for", "report", "save", "keep", "show")
    )  # fmt: skip
    what = draw.any(
        ("{fields}", "{fields}", "{fields}", "the fields {fields}", "the values of {fields}", "the keys {fields}",
         "just {fields}", "these: {fields}", "what it says about {fields}", "only {fields}")
    )  # fmt: skip
    source = draw.any(
        ("from this message", "from the text", "from the note below", "of the mail", "in the following lines",
         "from the following", "from what I send you", "from the letter", "out of this entry", "in this text")
    )  # fmt: skip
    out = draw.any(
        ("as JSON", "in JSON", "as a JSON object", "as one JSON record", "and answer in JSON", "and write JSON",
         "and put them into JSON", "as a JSON line", "and reply with JSON", "in the form of JSON", "as an object in JSON")
    )  # fmt: skip
    label = draw.any(("Fields", "Wanted", "Names", "Needed", "JSON keys", "Slots", "Columns", "Output keys", "JSON"))
    wish = draw.any(
        (f"{verb} {what} {source} {out}", f"{source}, {verb} {what} {out}", f"{verb} {what} {out}", f"{verb} {what}, {out}",
         f"{label}: {{fields}}", f"please {verb} {what} {out}", f"I need {what} {out}", f"{source} I want {what} {out}")
    )  # fmt: skip
    return _around(draw, capital(wish), _labelled(draw, "message"), after=_only_json(draw))


def schema(draw: Draw) -> str:
    """Returns a wish for JSON of a `{schema}` from a `{message}`."""
    label = draw.any(("Form", "Format", "Template", "Shape", "JSON form", "Keys and types", "Output", "Type", "Record"))
    wish = draw.any(
        (f"{label}: {{schema}}", "Write JSON like {schema}", "The answer has the form {schema}", "Return {schema} filled in",
         "Turn the message into {schema}", "I want an object like {schema}", "Put what it says into {schema}",
         "Complete {schema} from the text", "Follow the schema {schema}", "Give JSON of this form: {schema}")
    )  # fmt: skip
    return _around(draw, wish, _labelled(draw, "message"), after=_only_json(draw))


def passage(draw: Draw) -> str:
    """Returns a `{question}` about a `{passage}`."""
    return _question(draw, _labelled(draw, "passage"))


def passages(draw: Draw) -> str:
    """Returns a `{question}` about numbered `{passages}`."""
    label = draw.any(
        ("", "", "Texts:\n", "Documents:\n", "Found:\n", "Context:\n", "Here is what was found.\n", "Notes:\n")
    )
    return _question(draw, f"{label}{{passages}}", joints=("\n", "\n\n"))


def _question(draw: Draw, content: str, joints: Sequence[str] = JOINTS) -> str:
    label = draw.any(("", "", "", "Q: ", "Asked: ", "My question: ", "Query: ", "Please tell me: ", "Answer this: "))
    lead = draw.any(
        ("", "", "", "", "Answer from the text.", "Read this first.", "Use what is written here.", "Look it up.",
         "Here is what I know.", "Answer in a few words.", "A short answer, please.", "I have a question about this.")
    )  # fmt: skip
    parts = [content, f"{label}{{question}}"]
    if draw.chance(0.35):
        parts.reverse()
    if lead:
        parts.insert(draw.any((0, 0, 1, 2)), lead)
    return draw.any(joints).join(parts)


def classes(draw: Draw) -> str:
    """Returns a wish for one of the `{labels}` of a `{text}`."""
    label = draw.any(("Classes", "Options", "Choices", "Categories", "Possible", "Tags", "One of", "Kinds"))
    wish = draw.any(
        (f"{label}: {{labels}}", "Pick one of {labels}", "Choose {labels} for this", "Is it {labels}?", "Say whether it is {labels}",
         "Tell me: {labels}?", "What is it, {labels}?", "Label it: {labels}", "Give the right one of {labels}",
         "Mark the text as {labels}", "Put it under {labels}", "Would you call it {labels}?")
    )  # fmt: skip
    return _around(draw, wish, _labelled(draw, "text"), after="")


def _labelled(draw: Draw, name: str) -> str:
    label = draw.any(
        ("", "", "", "", "Input: ", "Note: ", "Mail: ", "Entry: ", "It says: ", "The text: ", "Document: ", "Source: ",
         "Written: ", "Content: ", "Read this: ", "Look: ", "Line: ")
    )  # fmt: skip
    return f"{label}{{{name}}}"


def _only_json(draw: Draw) -> str:
    return draw.any(("", "", "", "", "Only JSON.", "JSON only.", "Nothing but JSON.", "No other words."))


def _around(draw: Draw, wish: str, content: str, *, after: str) -> str:
    """Returns a wish before or after the content, with a last word where there is one."""
    end = "" if wish.endswith(("?", "}")) else draw.any(ENDS)
    parts = [content, wish.rstrip(":") + end] if draw.chance(0.4) else [wish + end, content]
    return draw.any(JOINTS).join([*parts, *([after] if after else [])])
