# ruff: noqa: E501  (phrase lists read best in long lines)
"""Things that passages speak about: kinds of entities with their attributes, statements and questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from recipes.fiddle.draw import DAYS, MONTHS, Draw
from recipes.fiddle.skills import paraphrases


@dataclass(frozen=True)
class Attribute:
    """One thing that can be said of an entity: `{e}` is the entity, `{v}` the value.

    `more_says` and `more_asks` are drawn in training rows only.
    """

    value: Callable[[Draw], str]
    says: tuple[str, ...]
    asks: tuple[str, ...]
    more_says: tuple[str, ...] = ()
    more_asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of entity; `again` names it in later sentences ("first" stands for a person's first name)."""

    name: Callable[[Draw], str]
    attributes: tuple[Attribute, ...]
    again: str


def _number(low: int, high: int) -> Callable[[Draw], str]:
    return lambda draw: str(draw.between(low, high))


def _from(name: str) -> Callable[[Draw], str]:
    return lambda draw: draw.word(name)


PERSON = Kind(
    Draw.person,
    (
        Attribute(Draw.town, ("{e} lives in {v}.", "{e} comes from {v}.", "{e} has a house in {v}.", "{e} moved to {v}.", "{v} is the home of {e}."),
                  ("Where does {e} live?", "Where is the home of {e}?", "In which town does {e} live?", "Which place is home to {e}?", "{e} lives where?")),
        Attribute(_from("jobs"), ("{e} works as a {v}.", "{e} is a {v}.", "{e} earns a living as a {v}.", "{e} has been a {v} for years.", "{e} trained as a {v}."),
                  ("What is the job of {e}?", "What does {e} do?", "What does {e} work as?", "Which job does {e} have?", "What is {e} by trade?")),
        Attribute(_number(18, 95), ("{e} is {v} years old.", "{e} is {v}.", "{e} turned {v} last week.", "At {v}, {e} is still busy.", "{e} will soon be older than {v}."),
                  ("How old is {e}?", "What is the age of {e}?", "Give the age of {e}.", "How many years old is {e}?", "What age is {e}?")),
        Attribute(_from("hobbies"), ("{e} enjoys {v}.", "{e} likes {v}.", "{e} spends every evening on {v}.", "The hobby of {e} is {v}.", "In the holidays {e} goes in for {v}."),
                  ("What does {e} enjoy?", "What is the hobby of {e}?", "What does {e} like?", "How does {e} spend free time?", "Which hobby has {e}?")),
        Attribute(_from("animals"), ("{e} has a {v}.", "{e} keeps a {v} at home.", "{e} owns a {v}.", "{e} looks after a {v}.", "A {v} lives with {e}."),
                  ("Which animal does {e} have?", "What animal does {e} keep?", "What pet has {e}?", "Which pet does {e} own?", "Name the pet of {e}.")),
        Attribute(_from("foods"), ("{e} loves {v}.", "{e} always eats {v}.", "For lunch {e} has {v}.", "The favourite food of {e} is {v}.", "{e} never says no to {v}."),
                  ("What does {e} eat?", "What is the favourite food of {e}?", "Which food does {e} love?", "What food does {e} like best?", "What does {e} have for lunch?")),
        Attribute(Draw.street, ("{e} lives on {v}.", "{e} has a flat on {v}.", "The address of {e} is on {v}.", "{e} rents a room on {v}.", "You will find {e} on {v}."),
                  ("On which street does {e} live?", "What is the street of {e}?", "Which street is home to {e}?", "What street does {e} live on?", "Name the street of {e}.")),
        Attribute(lambda draw: draw.any(MONTHS), ("{e} was born in {v}.", "The birthday of {e} is in {v}.", "{e} has a birthday in {v}.", "Every {v} {e} gives a party.", "{v} is the month of {e}."),
                  ("In which month was {e} born?", "When is the birthday of {e}?", "What is the birth month of {e}?", "Which month belongs to {e}?", "When was {e} born?")),
        Attribute(_from("subjects"), ("{e} studies {v}.", "{e} reads books about {v}.", "{e} gives talks about {v}.", "{e} knows all about {v}.", "{e} wrote a paper on {v}."),
                  ("What does {e} study?", "What does {e} know about?", "Which subject interests {e}?", "What is the subject of {e}?", "What does {e} read about?")),
        Attribute(Draw.person, ("{e} is married to {v}.", "The best friend of {e} is {v}.", "{e} shares a house with {v}.", "{e} is a neighbour of {v}.", "{e} plays music with {v}."),
                  ("Who is close to {e}?", "Which person goes with {e}?", "Who is named with {e}?", "Who does {e} know well?", "Name the person close to {e}.")),
    ),
    "first",
)  # fmt: skip
SHOP = Kind(
    Draw.company,
    (
        Attribute(Draw.clock, ("{e} opens at {v}.", "The doors of {e} open at {v}.", "{e} starts the day at {v}.", "You can visit {e} from {v}.", "At {v} {e} opens."),
                  ("When does {e} open?", "At what time does {e} open?", "What is the opening time of {e}?", "From when is {e} open?", "{e} opens when?")),
        Attribute(Draw.street, ("{e} is on {v}.", "{e} stands on {v}.", "The office of {e} is on {v}.", "You find {e} on {v}.", "{e} moved to {v}."),
                  ("Where is {e}?", "On which street is {e}?", "What is the street of {e}?", "Where can I find {e}?", "Which street is {e} on?")),
        Attribute(Draw.person, ("{e} belongs to {v}.", "The owner of {e} is {v}.", "{v} runs {e}.", "{v} founded {e}.", "The head of {e} is {v}."),
                  ("Who runs {e}?", "Who is the owner of {e}?", "Whose is {e}?", "Who is in charge of {e}?", "Name the head of {e}.")),
        Attribute(_from("foods"), ("{e} sells {v}.", "{e} is known for {v}.", "People go to {e} for {v}.", "The best thing at {e} is {v}.", "{e} offers {v}."),
                  ("What does {e} sell?", "What is {e} known for?", "What can I get at {e}?", "What is the best thing at {e}?", "What do people buy at {e}?")),
        Attribute(_number(2, 900), ("{e} employs {v} people.", "{v} people work at {e}.", "The staff of {e} is {v} people.", "{e} has a team of {v}.", "{e} gives work to {v} people."),
                  ("How many people work at {e}?", "How large is the staff of {e}?", "How many people does {e} employ?", "What is the size of the team of {e}?", "How big is {e}?")),
        Attribute(_number(1800, 2024), ("{e} was founded in {v}.", "{e} opened first in {v}.", "{e} goes back to {v}.", "Since {v} there has been {e}.", "The history of {e} began in {v}."),
                  ("When was {e} founded?", "In which year did {e} begin?", "Since when is there {e}?", "What year was {e} founded?", "How far does {e} go back?")),
        Attribute(Draw.telephone, ("The number of {e} is {v}.", "Call {e} on {v}.", "{e} answers on {v}.", "You reach {e} under {v}.", "To book at {e}, dial {v}."),
                  ("What is the number of {e}?", "How can I call {e}?", "Which number has {e}?", "What do I dial for {e}?", "Give me the number of {e}.")),
    ),
    "The place",
)  # fmt: skip
TOWN = Kind(
    Draw.town,
    (
        Attribute(_number(900, 99000), ("{e} has {v} people.", "{v} people live in {e}.", "The population of {e} is {v}.", "{e} counts {v} inhabitants.", "With {v} people, {e} is not small."),
                  ("How many people live in {e}?", "What is the population of {e}?", "How big is {e}?", "How many inhabitants has {e}?", "Give the population of {e}.")),
        Attribute(Draw.person, ("The mayor of {e} is {v}.", "{v} is the mayor of {e}.", "{e} chose {v} as mayor.", "{e} is led by {v}.", "In {e}, {v} was elected mayor."),
                  ("Who is the mayor of {e}?", "Who leads {e}?", "What is the name of the mayor of {e}?", "Who was elected in {e}?", "Name the mayor of {e}.")),
        Attribute(lambda draw: draw.made_up().capitalize(), ("{e} lies on the river {v}.", "The river {v} runs through {e}.", "{e} was built on the river {v}.", "Boats on the {v} stop at {e}.", "The {v} flows past {e}."),
                  ("Which river runs through {e}?", "On which river is {e}?", "What is the river of {e}?", "What river flows past {e}?", "Name the river of {e}.")),
        Attribute(_from("foods"), ("{e} is famous for {v}.", "People in {e} eat {v}.", "The dish of {e} is {v}.", "{e} sends {v} to the world.", "Visitors to {e} buy {v}."),
                  ("What is {e} famous for?", "What do people eat in {e}?", "What is the dish of {e}?", "What do visitors buy in {e}?", "Which food belongs to {e}?")),
        Attribute(_from("countries"), ("{e} is in {v}.", "{e} is a town in {v}.", "{e} lies in the north of {v}.", "{e} belongs to {v}.", "{v} is the country of {e}."),
                  ("In which country is {e}?", "Where is {e}?", "What country does {e} belong to?", "Which country is {e} in?", "Name the country of {e}.")),
    ),
    "The town",
)  # fmt: skip
EVENT = Kind(
    lambda draw: f"the {draw.word('events')}",
    (
        Attribute(Draw.date, ("{e} is on {v}.", "{e} takes place on {v}.", "{e} was moved to {v}.", "The date of {e} is {v}.", "Come to {e} on {v}."),
                  ("When is {e}?", "On what date is {e}?", "What is the date of {e}?", "Which day is {e}?", "When does {e} take place?")),
        Attribute(Draw.town, ("{e} is held in {v}.", "This year {e} goes to {v}.", "{e} will be in {v}.", "{v} is the place for {e}.", "{v} welcomes {e}."),
                  ("Where is {e}?", "Where is {e} held?", "Which town has {e}?", "What is the place of {e}?", "In which town is {e}?")),
        Attribute(Draw.price, ("{e} costs {v}.", "A ticket for {e} is {v}.", "For {e} you pay {v}.", "The price of {e} is {v}.", "{v} is the fee for {e}."),
                  ("What does {e} cost?", "How much is {e}?", "What is the price of {e}?", "How much do I pay for {e}?", "What is the fee for {e}?")),
        Attribute(Draw.person, ("{e} was planned by {v}.", "{v} leads {e}.", "{v} takes care of {e}.", "{v} will open {e}.", "The host of {e} is {v}."),
                  ("Who leads {e}?", "Who is the host of {e}?", "Who takes care of {e}?", "Who is behind {e}?", "Name the host of {e}.")),
        Attribute(lambda draw: draw.any(DAYS), ("{e} is always on a {v}.", "{e} falls on a {v}.", "{v} is the day of {e}.", "{e} starts on {v}.", "Every {v} there is {e}."),
                  ("On which weekday is {e}?", "What weekday is {e}?", "Which day of the week is {e}?", "What day of the week has {e}?", "{e} is on which weekday?")),
    ),
    "It",
)  # fmt: skip
OBJECT = Kind(
    lambda draw: f"the {draw.thing()}",
    (
        Attribute(_from("colours"), ("{e} is {v}.", "{e} was painted {v}.", "The colour of {e} is {v}.", "{e} looks {v}.", "{v} is the colour of {e}."),
                  ("What colour is {e}?", "Which colour has {e}?", "What is the colour of {e}?", "How was {e} painted?", "Name the colour of {e}.")),
        Attribute(Draw.person, ("{e} belongs to {v}.", "{v} owns {e}.", "{v} brought {e}.", "{e} was a gift from {v}.", "{v} made {e}."),
                  ("Whose is {e}?", "Who goes with {e}?", "Who is named with {e}?", "Which person had {e}?", "Name the person of {e}.")),
        Attribute(Draw.price, ("{e} costs {v}.", "{e} was sold for {v}.", "The price of {e} is {v}.", "{e} is worth {v}.", "They paid {v} for {e}."),
                  ("What does {e} cost?", "How much is {e}?", "What is the price of {e}?", "What is {e} worth?", "How much did they pay for {e}?")),
        Attribute(lambda draw: f"the {draw.word('things')}", ("{e} is next to {v}.", "{e} lies behind {v}.", "{e} stands near {v}.", "{e} was put under {v}.", "{e} is hidden in {v}."),
                  ("Where is {e}?", "Where was {e} put?", "Where can I find {e}?", "What is {e} close to?", "Where do I look for {e}?")),
        Attribute(_number(1500, 2020), ("{e} was made in {v}.", "{e} dates from {v}.", "{e} is from {v}.", "{e} was found in {v}.", "In {v} {e} was new."),
                  ("When was {e} made?", "What year is {e} from?", "From which year is {e}?", "How old is {e}, by year?", "Give the year of {e}.")),
        Attribute(Draw.code, ("{e} has the number {v}.", "{e} is filed under {v}.", "The label on {e} says {v}.", "{e} carries the mark {v}.", "{v} is written on {e}."),
                  ("What is the number of {e}?", "What does the label on {e} say?", "Which mark is on {e}?", "How is {e} filed?", "What is written on {e}?")),
    ),
    "It",
)  # fmt: skip


def _widened(kind: Kind, more: tuple[paraphrases.Ways, ...]) -> Kind:
    """Returns `kind` with more ways to say and ask each of its attributes."""
    pairs = zip(kind.attributes, more, strict=True)
    return replace(kind, attributes=tuple(replace(a, more_says=says, more_asks=asks) for a, (says, asks) in pairs))


PERSON = _widened(PERSON, paraphrases.PERSON)
SHOP = _widened(SHOP, paraphrases.SHOP)
TOWN = _widened(TOWN, paraphrases.TOWN)
EVENT = _widened(EVENT, paraphrases.EVENT)
OBJECT = _widened(OBJECT, paraphrases.OBJECT)
KINDS = (PERSON, SHOP, TOWN, EVENT, OBJECT)
