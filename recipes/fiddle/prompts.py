# ruff: noqa: E501  (phrase lists read best in long lines)
"""What the user may say around the content of every skill, beside the platform's own formats (`luthier.records.prompts`).

`{...}` marks what a skill fills in. A fifth of every list is held out from training (see `draw.part`).
"""

from __future__ import annotations

# fmt: off
REPEAT = (
    "Repeat: {text}", "Repeat this: {text}", "Say: {text}", "Say exactly: {text}", "Copy this text: {text}",
    "Write this again: {text}", "Echo: {text}", "{text}\nRepeat the line above.", "{text}\nCopy it.",
    "Please repeat what I say. {text}", "Copy the following line.\n{text}", "Type this: {text}",
)  # fmt: skip
TWICE = (
    "Say it twice: {text}",
    "Repeat two times: {text}",
    "Write this twice: {text}",
    "{text}\nTwice, please.",
    "Double this: {text}",
)
LOOK_UP = (
    "{pairs}\nWhat is {key}?", "{pairs}\n{key}?", "Here are some values: {pairs}\nGive the value of {key}.",
    "{pairs}\nLook up {key}.", "Given {pairs}\nwhat is the value of {key}?", "{pairs}\nWhich value belongs to {key}?",
    "Look at this: {pairs}\nFind {key}.",
)  # fmt: skip
WHICH_KEY = ("{pairs}\nWhat has the value {value}?", "{pairs}\nWhich one is {value}?", "{pairs}\nWhich key has {value}?",
             "Here are some values: {pairs}\nFind the one with {value}.", "{pairs}\nName the key of {value}.")  # fmt: skip
FIRST_WORD = ("What is the first word? {text}", "{text}\nGive the first word.", "First word of: {text}",
              "{text}\nWhich word comes first?", "Name the first word of this text: {text}")  # fmt: skip
LAST_WORD = ("What is the last word? {text}", "{text}\nGive the last word.", "Last word of: {text}",
             "{text}\nWhich word comes last?", "Name the last word of this text: {text}")  # fmt: skip
WORD_AFTER = ("Which word comes after {word}? {text}", "{text}\nWhat comes right after {word}?", "Word after {word} in: {text}",
              "{text}\nGive the word that follows {word}.", "{text}\nAfter {word} comes which word?")  # fmt: skip

PASSAGE = (
    "{passage}\n\n{question}", "{passage}\n{question}", "Read the text and answer.\n{passage}\n{question}",
    "Text: {passage}\nQuestion: {question}", "Passage: {passage}\n\nQuestion: {question}\nAnswer from the passage.",
    "{question}\n\n{passage}", "Answer from this text: {passage}\n\n{question}", "Context: {passage}\nQ: {question}",
    "Here is a text.\n{passage}\nNow tell me: {question}", "Use only this text: {passage}\n\n{question}",
    "Question: {question}\nText: {passage}",
)  # fmt: skip
PASSAGE_SYSTEM = ("Answer from the text.", "Answer with the exact words of the text.", "You answer questions about a text.",
                  "Give a short answer from the passage.", "Use only what the user gives you.",
                  "Keep your answers as short as you can.")  # fmt: skip
TRUE_FALSE = (
    "{passage}\nTrue, false or unknown? {claim}", "{passage}\n\nClaim: {claim}\nIs the claim true, false or unknown?",
    "Text: {passage}\nStatement: {claim}\nAnswer true, false or unknown.", "{passage}\nIs this true, false or unknown: {claim}",
    "Decide between true, false and unknown.\nText: {passage}\nClaim: {claim}",
)  # fmt: skip

EXTRACT_FIELDS = (
    "Extract {fields} as JSON.\n{message}", "{message}\n\nGive {fields} as JSON.", "Write JSON with the keys {fields}.\n{message}",
    "Return a JSON object with {fields}.\nText: {message}", "{message}\nJSON with {fields}:",
    "Read the message and fill in {fields}. Answer in JSON.\n\n{message}", "Make a JSON record ({fields}) of this: {message}",
    "Message: {message}\nKeys: {fields}\nAnswer with JSON only.", "From the text below, take {fields} and write them as JSON.\n{message}",
    "Turn this into JSON with {fields}: {message}",
)  # fmt: skip
EXTRACT_SCHEMA = (
    "Schema: {schema}\nText: {message}", "{message}\n\nFill this schema: {schema}", "Answer in this form: {schema}\n{message}",
    "Extract JSON that follows {schema}\n\n{message}", "{schema}\nFill in the schema from this message.\n{message}",
    "Use the schema {schema} for the message: {message}",
)  # fmt: skip
EXTRACT_SYSTEM = (
    "You turn {kind} messages into JSON with the keys {fields}.", "Write each {kind} as JSON: {fields}.",
    "Extract {fields} from every message. Answer in JSON.", "Reply only with a JSON object of {fields}.",
    "You fill in {kind} records ({fields}). What is missing is null.", "Read the {kind} and return JSON with {fields}.",
)  # fmt: skip

CLASSIFY = (
    "Is this {labels}? {text}", "Classify as {labels}: {text}", "{text}\nChoose one: {labels}.", "Text: {text}\nLabel ({labels}):",
    "Which fits: {labels}?\n{text}", "Decide between {labels}.\n\n{text}", "{text}\n\nAnswer with one of {labels}.",
    "Labels: {labels}\nText: {text}", "Sort this text into {labels}.\n{text}",
)  # fmt: skip
CLASSIFY_SYSTEM = ("Label each message {labels}.", "You classify texts as {labels}.", "Answer with one word: {labels}.",
                   "For every text, choose {labels}.", "The only answers allowed are {labels}.")  # fmt: skip

REWRITE = ("{rule}: {text}", "{rule}.\n{text}", "{text}\n\n{rule}.", "Please {rule_lower}: {text}", "Text: {text}\nTask: {rule_lower}.",
           "{rule}. Text: {text}")  # fmt: skip
LISTING = (
    "{text}\n{ask}",
    "{ask}\n{text}",
    "Text: {text}\n\n{ask}",
    "{ask}\n\nText: {text}",
    "Read this: {text}\n{ask}",
)
SUMS = ("What is {sum}?", "{sum} = ?", "Work out {sum}.", "How much is {sum}?", "{sum}", "Calculate {sum}.", "Please work out {sum} for me.",
        "Give me the answer to {sum}.")  # fmt: skip
CONTINUE = ("Continue the story.\n{text}", "Go on: {text}", "What comes next?\n{text}", "Write the next lines.\n{text}",
            "Continue this text: {text}", "{text}\n\nGo on.")  # fmt: skip
SCORE_REVIEW = (
    "Rate this review from 1 to 5: {text}", "How good does this sound, 1 to 5? {text}", "{text}\nStars (1-5):",
    "Give a score from 1 (worst) to 5 (best).\n{text}", "Review: {text}\nScore from 1 to 5?", "{text}\n\nOn a scale of 1 to 5?",
)  # fmt: skip
SCORE_COVERAGE = (
    "Facts: {facts}\nAnswer: {answer}\nScore 1 plus one for each fact in the answer.",
    "These facts are needed: {facts}\nGiven answer: {answer}\nGive 1 point, and 1 more per fact found.",
    "Grade the answer: 1 to 5, one more for each fact it holds.\nFacts: {facts}\nAnswer: {answer}",
    "{answer}\nHow many of these facts does it hold, plus one? {facts}",
    "Facts: {facts}\nAnswer: {answer}\nScore (1 + facts found):",
)  # fmt: skip

CITED = (
    "{passages}\n\n{question}", "{passages}\nQuestion: {question}", "{question}\n{passages}", "Passages:\n{passages}\nQ: {question}",
    "{question}\n\nSources:\n{passages}", "Use these passages.\n{passages}\n\n{question}",
)  # fmt: skip
CITED_SYSTEM = (
    "Answer from the passages and name the one you used, as [n].", "Cite the number of the passage after each answer.",
    "Short answers from the passages, each with its number in brackets.", "Answer and end with the passage's number: [1], [2] ...",
    "You answer from numbered passages. The number goes at the end.",
)  # fmt: skip
