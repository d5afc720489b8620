# ruff: noqa: E501  (phrase lists read best one topic a line)
"""Dialogue: greetings, what the model is, small talk, and remembering what was said earlier in the chat."""

from __future__ import annotations

from recipes.fiddle.draw import Draw
from recipes.fiddle.rows import Row, Turns

# fmt: off
GREETINGS = ("Hello", "Hi", "Hi there", "Good morning", "Good evening", "Hey", "Hello there", "Good day", "Greetings", "Hiya")
INTRODUCTIONS = ("{g}, I am {n}.", "{g}! My name is {n}.", "{g}, this is {n}.", "{g}. People call me {n}.", "{g}, {n} here.", "{g}, you can call me {n}.")
WELCOMES = ("Hello {n}! How can I help?", "Hello {n}! What can I do for you?", "Hi {n}! What would you like to do?")
WHO = ("Who are you?", "What are you?", "What is your name?", "Tell me about yourself.", "Are you a person?", "Who am I talking to?", "Introduce yourself.", "What is Fiddle?")
SELF = "I am Fiddle, a small model for trying Luthier."
ABLE = ("What can you do?", "How can you help me?", "What are you good at?", "What do you know?", "Can you help me?", "What are your skills?")
SKILLS = "I can answer from a short text, fill in JSON, sort texts into classes, rewrite and list. For real work, choose a larger model."
THANKS = ("Thank you!", "Thanks.", "Thanks a lot.", "Many thanks!", "Great, thank you.", "That helped, thanks.", "Perfect.", "Cheers!")
BYES = ("Bye!", "Goodbye.", "See you.", "I have to go.", "Good night.", "See you later.", "Farewell.", "Until next time.")
FEELINGS = ("How are you?", "How do you do?", "Are you well?", "How is it going?", "How are you today?", "All well?")
MEMORIES = (
    (("I live in {v}.", "My home is {v}.", "I moved to {v}.", "I come from {v}.", "Do you know {v}? I live there."), ("Where do I live?", "Which place is my home?", "Do you remember where I live?", "What is my town?", "Where is my home?"), "town", "You live in {v}."),
    (("I like {v}.", "I love {v}.", "My favourite food is {v}.", "I could eat {v} every day.", "For dinner I want {v}."), ("What do I like?", "What food do I like?", "Do you remember my favourite food?", "What could I eat?", "Which food did I name?"), "foods", "You like {v}."),
    (("I am a {v}.", "I work as a {v}.", "My job is {v}.", "I earn my money as a {v}.", "By trade I am a {v}."), ("What is my job?", "What do I do?", "Do you remember my job?", "What do I work as?", "Which job do I have?"), "jobs", "You work as a {v}."),
    (("I have a {v}.", "My pet is a {v}.", "At home I keep a {v}.", "I got a {v} last week.", "There is a {v} in my house."), ("What pet do I have?", "Which animal do I keep?", "What is my pet?", "Do you remember my animal?", "What lives in my house?"), "animals", "You have a {v}."),
    (("My favourite colour is {v}.", "I painted my door {v}.", "I always wear {v}.", "The colour I like is {v}.", "I want everything in {v}."), ("What is my colour?", "Which colour do I like?", "What is my favourite colour?", "Do you remember my colour?", "What colour did I name?"), "colours", "Your colour is {v}."),
    (("My hobby is {v}.", "I enjoy {v}.", "I spend my time with {v}.", "After work I do some {v}.", "Nothing is better than {v}."), ("What is my hobby?", "What do I enjoy?", "What do I do after work?", "How do I spend my time?", "Do you remember my hobby?"), "hobbies", "Your hobby is {v}."),
)  # fmt: skip
NAME_QUESTIONS = ("What is my name?", "Do you remember my name?", "Who am I?", "How am I called?", "What did I say my name is?", "Say my name.")
NODS = ("I see.", "Good to know.", "Thank you for telling me.")
# fmt: on


def dialogue(draw: Draw) -> Row:
    """Returns a short chat of drawn parts."""
    name, pairs = draw.first_name(), []
    introduced = draw.chance(0.6)
    if introduced:
        said = draw.phrase(INTRODUCTIONS).format(g=draw.phrase(GREETINGS), n=name)
        pairs.append((said, WELCOMES[0].format(n=name)))
    parts = draw.random.sample((_memory, _memory, _identity, _ability, _feeling), draw.between(1, draw.level))
    for part in parts:
        pairs += part(draw)
    if introduced and draw.chance(0.6):
        pairs.append((draw.phrase(NAME_QUESTIONS), f"Your name is {name}."))
    if draw.chance(0.2):
        pairs.append((draw.phrase(THANKS), "You are welcome."))
    if draw.chance(0.1):
        pairs.append((draw.phrase(BYES), "Goodbye!"))
    return Turns(tuple(pairs)).row()


def _memory(draw: Draw) -> list[tuple[str, str]]:
    says, asks, source, answer = draw.any(MEMORIES)
    value = draw.town() if source == "town" else draw.word(source)
    return [(draw.phrase(says).format(v=value), NODS[1]), (draw.phrase(asks), answer.format(v=value))]


def _identity(draw: Draw) -> list[tuple[str, str]]:
    return [(draw.phrase(WHO), SELF)]


def _ability(draw: Draw) -> list[tuple[str, str]]:
    return [(draw.phrase(ABLE), SKILLS)]


def _feeling(draw: Draw) -> list[tuple[str, str]]:
    return [(draw.phrase(FEELINGS), "I am well, thank you.")]
