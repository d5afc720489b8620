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
    return composed(draw, fixed, build)


def composed(draw: Draw, fixed: Sequence[str], build: Builder) -> str:
    """Returns what `build` puts together and is none of the fixed phrasings."""
    while True:
        text = build(draw)
        if text not in fixed:
            return text


VERBS = (
    "extract", "take", "get", "find", "pick out", "collect", "note", "return", "give me", "list", "fill in", "copy",
    "write down", "tell me", "read off", "look for", "report", "save", "keep", "show",
    "pull out", "gather", "identify", "capture", "record", "retrieve", "fetch", "locate", "bring me", "output", "send back",
    "send me", "provide", "deliver", "print", "produce", "enter", "register", "spot", "look up", "quote", "hand me", "state",
    "grab", "read out", "isolate", "dig out", "single out", "store", "supply", "parse out", "lift out", "set down",
)  # fmt: skip
WHATS = (
    "{fields}", "{fields}", "{fields}", "{fields}", "the fields {fields}", "the values of {fields}", "the keys {fields}",
    "just {fields}", "these: {fields}", "what it says about {fields}", "only {fields}",
    "the values for {fields}", "what belongs to {fields}", "what is given for {fields}", "the details {fields}",
    "the following fields: {fields}", "the data for {fields}", "nothing but {fields}", "all of these: {fields}",
    "what you find for {fields}", "the entries {fields}", "the attributes {fields}", "the information on {fields}",
)  # fmt: skip
SOURCES = (
    "from this message", "from the text", "from the note below", "of the mail", "in the following lines",
    "from the following", "from what I send you", "from the letter", "out of this entry", "in this text",
    "from the input", "from this document", "from the message below", "out of the message", "from the e-mail",
    "from the lines I give you", "in what follows", "from the given text", "out of the text", "from this request",
    "from this piece of text", "in this mail", "from what someone wrote", "from the words below", "in the note",
)  # fmt: skip
OUTS = (
    "as JSON", "in JSON", "as a JSON object", "as one JSON record", "and answer in JSON", "and write JSON",
    "and put them into JSON", "as a JSON line", "and reply with JSON", "in the form of JSON", "as an object in JSON",
    "in JSON format", "as valid JSON", "as compact JSON", "formatted as JSON", "as a single JSON object", "and return JSON",
    "and turn it into JSON", "in one JSON object", "and give it back as JSON", "written as JSON", "as a record in JSON",
    "and respond with JSON", "as JSON on one line", "and make JSON of it",
)  # fmt: skip
FIELD_LABELS = (
    "Fields", "Wanted", "Names", "Needed", "JSON keys", "Slots", "Columns", "Output keys", "JSON",
    "Required fields", "Extract", "Keys", "Attributes", "Return", "Values wanted", "To find", "Properties", "Data wanted",
    "JSON fields", "Entries", "What I need", "Looking for",
)  # fmt: skip
SECOND_SENTENCES = (
    "Answer in JSON.", "The answer should be JSON.", "Use JSON.", "JSON, please.", "Write it as JSON.", "Reply with one JSON object.",
    "Format: JSON.", "I want JSON back.", "Make it JSON.", "Your answer is a JSON object.", "Respond in JSON.", "Return JSON.",
    "The output is JSON.", "Give it back as JSON.", "A JSON object is what I need.", "Then write JSON.", "Do it in JSON.",
)  # fmt: skip

EXTRACT_SYSTEM = (
    "From each {kind}, extract {fields} as JSON.", "You are given a {kind} and answer with JSON: {fields}.", "Your output is one JSON object with the keys {fields}.",
    "You read {kind} messages. For each, write {fields} in JSON.", "JSON with {fields} for whatever the user sends.", "Fill in {fields} for each message, as JSON. Use null for what is not said.",
    "For every text, give back {fields} as a JSON object.", "Task: {kind} to JSON. Keys: {fields}.", "Find {fields} in what the user writes and reply in JSON.", "You are a form filler. The form has {fields}. You write JSON.",
    "The user sends a {kind}. Return {fields} as JSON and nothing else.", "Keys wanted: {fields}. Format: JSON. No other words.", "Take {fields} from each {kind}; leave what is missing null; answer in JSON.",
    "Each message becomes a JSON record of {fields}.", "Copy {fields} out of the {kind} into JSON.", "Always answer with JSON that has {fields}.", "I send you messages, you send me {fields} in JSON.",
    "As a {kind} clerk you note {fields}. Notes are JSON.", "Structured output: {fields}, as JSON, null if not given.", "Summarise every {kind} as a JSON object with exactly {fields}.",
)  # fmt: skip
CLASSIFY_SYSTEM = (
    "Sort every message into {labels}.", "For each text say {labels}.", "Your reply is one of {labels}.", "Reply with {labels} and no other word.", "You decide between {labels}.",
    "Read what the user sends and name its class: {labels}.", "There are three classes: {labels}. Answer with one.", "Every text is {labels}. Say which.", "Pick {labels} for each message you get.",
    "Categories: {labels}. One per message.", "You tag texts. The tags are {labels}.", "Tell me for each line whether it is {labels}.", "The user sends texts; you answer {labels}.", "Give one label each time: {labels}.",
    "Judge each message as {labels}.", "Possible replies: {labels}.", "What kind of text is it? Answer {labels}.", "Which of {labels} fits best? Reply with it alone.",
)  # fmt: skip


def fields(draw: Draw) -> str:
    """Returns a wish for `{fields}` of a `{message}` as JSON."""
    verb, what, source, out = draw.any(VERBS), draw.any(WHATS), draw.any(SOURCES), draw.any(OUTS)
    label, second = draw.any(FIELD_LABELS), draw.any(SECOND_SENTENCES)
    wish = draw.any(
        (f"{verb} {what} {source} {out}", f"{source}, {verb} {what} {out}", f"{verb} {what} {out}", f"{verb} {what}, {out}",
         f"{label}: {{fields}}", f"please {verb} {what} {out}", f"I need {what} {out}", f"{source} I want {what} {out}",
         f"{verb} {what}. {second}", f"{verb} {what} {source}. {second}", f"I need {what}. {second}", f"{second} {verb} {what}",
         f"can you {verb} {what} {out}?", f"could you {verb} {what} {source}? {second}", f"I'd like to have {what} {out}",
         f"your task: {verb} {what} {source} {out}", f"{out} {verb} {what}".removeprefix("and "), f"{label} ({{fields}}). {second}",
         f"read this. {capital(verb)} {what} {out}", f"what are {{fields}} here? {second}", f"{what}, {source}, {out}",
         f"we only care about {{fields}}. {second}", f"the keys are {{fields}}. {second}", f"JSON with {what}")
    )  # fmt: skip
    return _around(draw, capital(wish), _labelled(draw, "message"), after=_only_json(draw))


def fields_on_lines(draw: Draw) -> str:
    """Returns a wish for `{fields}`, which stand on lines of their own, of a `{message}` as JSON."""
    verb, source, out, second = draw.any(VERBS), draw.any(SOURCES), draw.any(OUTS), draw.any(SECOND_SENTENCES)
    wish = draw.any(
        (f"{draw.any(FIELD_LABELS)}:", f"{verb} {source} {out}:", f"{verb} these {out}:", f"{verb} the following {out}:",
         f"I need {out}:", f"{second} {draw.any(FIELD_LABELS)}:", f"please {verb} these fields. {second}", f"{second} The keys are:",
         f"these are the fields. {second}", f"what does it say about these? {second}", f"{verb} what is listed here {out}")
    )  # fmt: skip
    asked = f"{capital(wish)}{draw.any(JOINTS[:3])}{{fields}}"
    parts = [asked, _labelled(draw, "message")]
    if draw.chance(0.4):
        parts.reverse()
    after = _only_json(draw)
    return draw.any(("\n\n", "\n\n", "\n")).join([*parts, *([after] if after else [])])


SCHEMA_LABELS = (
    "Form", "Format", "Template", "Shape", "JSON form", "Keys and types", "Output", "Type", "Record",
    "JSON schema", "Structure", "Output format", "Target", "Expected", "Fields and types", "Layout", "Model", "Answer format",
    "Blank form", "Return type",
)  # fmt: skip


def schema(draw: Draw) -> str:
    """Returns a wish for JSON of a `{schema}` from a `{message}`."""
    label, second, source = draw.any(SCHEMA_LABELS), draw.any(SECOND_SENTENCES), draw.any(SOURCES)
    wish = draw.any(
        (f"{label}: {{schema}}", "Write JSON like {schema}", "The answer has the form {schema}", "Return {schema} filled in",
         "Turn the message into {schema}", "I want an object like {schema}", "Put what it says into {schema}",
         "Complete {schema} from the text", "Follow the schema {schema}", "Give JSON of this form: {schema}",
         "Produce JSON that matches {schema}", "Fill in {schema}", "Map the text to {schema}", "The output must look like {schema}",
         f"Fill {{schema}} {source}", "Convert the text to {schema}", "Stick to this structure: {schema}", "Make a record of type {schema}",
         f"Keys and their types are {{schema}}. {second}", f"{second} Schema: {{schema}}", f"Here is a form: {{schema}}. {second}",
         "Read the message and complete {schema}", "Parse the text into {schema}", f"{label} ({{schema}})", "Instantiate {schema} from the input",
         f"{capital(source)}, fill {{schema}}", "What would {schema} be for this text?")
    )  # fmt: skip
    return _around(draw, wish, _labelled(draw, "message"), after=_only_json(draw))


def schema_on_lines(draw: Draw) -> str:
    """Returns a wish for JSON of a `{schema}`, which stands on lines of its own, from a `{message}`."""
    second = draw.any(SECOND_SENTENCES)
    wish = draw.any(
        (f"{draw.any(SCHEMA_LABELS)}:", "Fill in this form:", "Return JSON with these keys and types:", f"{second} Keys and types:",
         "The schema is", "Use this schema for the text:", f"Here is what I need. {second}", "Write an object with", "Types:",
         "Every answer looks like this:", "Read the text and fill this in as JSON:", "JSON with the following fields:", "")
    )  # fmt: skip
    asked = f"{wish}{draw.any(JOINTS[:3])}{{schema}}" if wish else "{schema}"
    parts = [asked, _labelled(draw, "message")]
    if draw.chance(0.35):
        parts.reverse()
    after = _only_json(draw)
    return draw.any(("\n\n", "\n\n", "\n")).join([*parts, *([after] if after else [])])


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
    label = draw.any(
        ("Classes", "Options", "Choices", "Categories", "Possible", "Tags", "One of", "Kinds", "Pick from", "Possible answers",
         "Groups", "Classes to choose from", "Allowed", "Candidates", "Sorts", "Answer with one of", "Types", "Headings")
    )  # fmt: skip
    wish = draw.any(
        (f"{label}: {{labels}}", "Pick one of {labels}", "Choose {labels} for this", "Is it {labels}?", "Say whether it is {labels}",
         "Tell me: {labels}?", "What is it, {labels}?", "Label it: {labels}", "Give the right one of {labels}",
         "Mark the text as {labels}", "Put it under {labels}", "Would you call it {labels}?",
         "Which of {labels} describes this best?", "Assign one of {labels}", "Categorise this: {labels}", "Tag this with one of {labels}",
         "Select the class ({labels})", "Does it belong to {labels}?", "File this under one of {labels}", "Judge it: {labels}?",
         "Here are the classes: {labels}. Choose one", "Read it and name its class. The classes are {labels}",
         "One word is enough: {labels}", "How would you sort it? {labels}", "Determine which it is: {labels}",
         "Would {labels} be right?", "The right class is one of {labels}. Which?", "We sort into {labels}. Where does it go?",
         "Find the fitting one among {labels}", "Out of {labels}, name the one that fits")
    )  # fmt: skip
    return _around(draw, wish, _labelled(draw, "text"), after="")


def _labelled(draw: Draw, name: str) -> str:
    label = draw.any(
        ("", "", "", "", "Input: ", "Note: ", "Mail: ", "Entry: ", "It says: ", "The text: ", "Document: ", "Source: ",
         "Written: ", "Content: ", "Read this: ", "Look: ", "Line: ", "Letter: ", "What came in: ", "Received: ", "User wrote: ",
         "Body: ", "Quote: ", "The note says: ", "Here it is: ", "Sample: ", "Text below: ", "They wrote: ")
    )  # fmt: skip
    return f"{label}{{{name}}}"


def _only_json(draw: Draw) -> str:
    return draw.any(
        ("", "", "", "", "", "", "", "", "Only JSON.", "JSON only.", "Nothing but JSON.", "No other words.", "Just the JSON.",
         "Do not explain.", "Without comment.", "No text around it.")
    )  # fmt: skip


def _around(draw: Draw, wish: str, content: str, *, after: str) -> str:
    """Returns a wish before or after the content, with a last word where there is one."""
    end = "" if wish.endswith(("?", "}", ".")) else draw.any(ENDS)
    parts = [content, wish.rstrip(":") + end] if draw.chance(0.4) else [wish + end, content]
    return draw.any(JOINTS).join([*parts, *([after] if after else [])])
