# ruff: noqa: E501  (phrase lists read best one field a line)
"""Kinds of messages that become JSON records: bookings, loans, deliveries and others.

The demo's own kind of message is not among them, on purpose: what the demo shows must be learned by tuning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from recipes.fiddle.draw import DAYS, NUMBER_WORDS, Draw, article, fresh
from recipes.fiddle.skills import clauses


@dataclass(frozen=True)
class Slot:
    """One fact of a message: the key names it may have, how its value is drawn, the clauses that state it.

    `spoken` says the record's value in words, where the two differ. What begins with `more` is for training rows only.
    """

    keys: tuple[str, ...]
    value: Callable[[Draw], str | int]
    clauses: tuple[str, ...]
    spoken: Callable[[str | int], str] = str
    more_keys: tuple[str, ...] = ()
    more_clauses: tuple[str, ...] = ()

    def names(self, held_out: bool) -> tuple[str, ...]:
        """Returns the key names that rows of this part may use."""
        return self.keys if held_out else self.keys + self.more_keys


@dataclass(frozen=True)
class Domain:
    """A kind of message; a message holds clauses of its slots in any order."""

    name: str
    slots: tuple[Slot, ...]


MADE_UP_SHARE = 0.4


def _from(name: str) -> Callable[[Draw], str | int]:
    return lambda draw: draw.word(name)


def _count(low: int, high: int) -> Callable[[Draw], str | int]:
    return lambda draw: draw.between(low, high)


def number_word(value: str | int) -> str:
    return NUMBER_WORDS[int(value)] if int(value) < len(NUMBER_WORDS) else str(value)


def _day(draw: Draw) -> str:
    return draw.any(DAYS)


# fmt: off
GUEST = Slot(("name", "guest", "full_name", "person"), Draw.person, ("My name is {v}.", "This is {v}.", "I am {v}.", "It's {v}.", "The booking is for {v}.", "Please note the name {v}.", "{v} speaking.", "You may write down {v}."))
WHEN = Slot(("date", "on", "day"), Draw.date, ("The date is {v}.", "We would come on {v}.", "It should be on {v}.", "I mean {v}.", "Is {v} possible?", "Please put down {v}.", "{v} would suit us."))
CLOCK = Slot(("time", "at", "hour"), Draw.clock, ("At {v}, please.", "We arrive at {v}.", "Let's say {v}.", "The best time is {v}.", "{v} would be good.", "I can be there by {v}."))
PEOPLE = Slot(("people", "guests", "persons", "party_size"), _count(1, 12), ("We are {v} people.", "There will be {v} of us.", "For {v} persons.", "{v} of us are coming.", "Please count {v}.", "A group of {v}."), number_word)
PHONE = Slot(("phone", "telephone", "number"), Draw.telephone, ("My number is {v}.", "You can call {v}.", "Phone: {v}.", "I am on {v}.", "Ring me on {v}.", "Reach me at {v}."))
EMAIL = Slot(("email", "mail", "contact"), Draw.email, ("Write to {v}.", "My mail is {v}.", "Send it to {v}.", "Mail: {v}.", "Answer to {v}, please.", "I read {v}."))
TOWN = Slot(("town", "city", "place"), Draw.town, ("I live in {v}.", "I write from {v}.", "We come from {v}.", "My town is {v}.", "Greetings from {v}.", "I am in {v} now."))
STREET = Slot(("address", "street"), Draw.address, ("The address is {v}.", "Bring it to {v}.", "I live at {v}.", "It goes to {v}.", "Deliver to {v}.", "Our door is {v}."))
PRICE = Slot(("price", "cost", "amount"), Draw.price, ("It was {v}.", "I paid {v}.", "The price is {v}.", "The sum was {v}.", "That makes {v}.", "They asked for {v}."))

DOMAINS = (
    Domain("hotel booking", (GUEST, WHEN, PHONE,
        Slot(("nights", "length"), _count(1, 12), ("We stay {v} nights.", "For {v} nights.", "I need {v} nights.", "It is {v} nights in all.", "We want to sleep there {v} nights."), number_word),
        Slot(("room", "room_type"), lambda d: d.any(("single", "double", "family", "twin")), ("A {v} room, please.", "I would like a {v} room.", "Is a {v} room free?", "We want the {v} room.", "The room should be a {v} room.")))),
    Domain("table reservation", (GUEST, WHEN, CLOCK, PEOPLE,
        Slot(("table", "seat"), lambda d: d.any(("window", "garden", "corner", "bar")), ("We like the {v} table.", "A {v} table would be nice.", "Could we have a {v} table?", "If you can, a {v} table.", "Give us a {v} table.")))),
    Domain("library loan", (GUEST, WHEN,
        Slot(("book", "title"), lambda d: f"The {d.word('adjectives').title()} {d.word('things').title()}", ("The book is {v}.", "I borrowed {v}.", "I still have {v}.", "It is about {v}.", "May I keep {v}?")),
        Slot(("card", "card_number", "id"), Draw.code, ("My card is {v}.", "Card number {v}.", "The card says {v}.", "You find me under {v}.", "My card has the number {v}.")))),
    Domain("parcel notice", (GUEST, STREET,
        Slot(("parcel", "tracking", "code"), Draw.code, ("The parcel is {v}.", "Tracking code {v}.", "It has the code {v}.", "I wait for {v}.", "The slip says {v}.")),
        Slot(("weight_kg", "kilos", "weight"), _count(1, 40), ("It weighs {v} kilos.", "The weight is {v} kg.", "It is {v} kg heavy.", "About {v} kg.", "{v} kilos in all.")),
        Slot(("from", "sender"), Draw.company, ("It comes from {v}.", "{v} sent it.", "The sender is {v}.", "It was sent by {v}.", "I bought it from {v}.")))),
    Domain("vet visit", (GUEST, WHEN, PHONE,
        Slot(("animal", "species"), _from("animals"), ("I have a {v}.", "It is about my {v}.", "My {v} is ill.", "I would bring my {v}.", "My {v} does not eat.")),
        Slot(("pet", "pet_name"), Draw.first_name, ("Its name is {v}.", "We call it {v}.", "The little one is {v}.", "It listens to {v}.", "You know {v} already.")),
        Slot(("age", "years"), _count(1, 15), ("It is {v} years old.", "It will soon be older than {v}.", "Age {v}.", "It has lived {v} years.", "We got it {v} years ago."), number_word))),
    Domain("cake order", (GUEST, WHEN, PRICE,
        Slot(("cake", "flavour", "kind"), _from("foods"), ("I want a cake with {v}.", "The cake should have {v}.", "With {v} inside.", "My daughter likes {v}.", "Could you bake it with {v}?")),
        Slot(("text", "writing"), lambda d: f"For {d.first_name()}", ("Write '{v}' on it.", "On top it says '{v}'.", "The text is '{v}'.", "Put '{v}' on it.", "It should read '{v}'.")))),
    Domain("taxi ride", (GUEST, CLOCK, PHONE, PEOPLE,
        Slot(("from", "pickup", "start"), Draw.address, ("Pick me up at {v}.", "I am at {v}.", "We start from {v}.", "Come to {v}.", "I wait at {v}.")),
        Slot(("to", "destination", "end"), Draw.address, ("I go to {v}.", "Take me to {v}.", "We want to get to {v}.", "The ride ends at {v}.", "Drop me at {v}.")))),
    Domain("lost thing", (GUEST, WHEN, PHONE,
        Slot(("object", "thing", "what"), Draw.thing, ("I lost my {v}.", "My {v} is gone.", "Has anyone seen my {v}?", "I am looking for my {v}.", "I left my {v} behind.")),
        Slot(("colour", "color"), _from("colours"), ("It is {v}.", "The colour is {v}.", "It looks {v}.", "You know it by the colour {v}.", "It has a {v} side.")),
        Slot(("where", "place", "location"), lambda d: d.any(("at the station", "on the bus", "in the park", "at the pool", "in the museum", "on the train", "at the market", "in the cinema")), ("I had it {v}.", "It must be {v}.", "I think it was {v}.", "Please look {v}.", "I saw it last {v}.")))),
    Domain("job application", (GUEST, EMAIL, TOWN,
        Slot(("job", "position", "role"), _from("jobs"), ("I apply as a {v}.", "I want to work as a {v}.", "It is for the place as a {v}.", "You are looking for a {v}.", "I am a trained {v}.")),
        Slot(("years", "experience"), _count(1, 30), ("I have {v} years of practice.", "I did this for {v} years.", "My experience is {v} years.", "After {v} years I know it well.", "{v} years I have worked so."), number_word))),
    Domain("school note", (
        Slot(("pupil", "child", "name"), Draw.person, ("My child is {v}.", "This is about {v}.", "{v} is my child.", "I write for {v}.", "I am a parent of {v}.")),
        Slot(("class", "form"), lambda d: f"{d.between(1, 12)}{d.any('abcd')}", ("The class is {v}.", "Class {v}.", "It is form {v}.", "We are in {v}.", "The teacher of {v} knows us.")),
        Slot(("reason", "why"), lambda d: d.any(("a cold", "a headache", "a fever", "a family visit", "a dentist visit", "a bad tooth", "a broken arm", "a wedding")), ("The reason is {v}.", "It is because of {v}.", "There is {v}.", "We have {v}.", "Because of {v}, no school.")),
        Slot(("days", "absent_days"), _count(1, 9), ("That will be {v} days.", "It takes {v} days.", "We will be away {v} days.", "Away for {v} days.", "We think of {v} days."), number_word), WHEN)),
    Domain("ticket sale", (GUEST, PRICE, EMAIL,
        Slot(("event", "show"), _from("events"), ("I want to see the {v}.", "Tickets for the {v}, please.", "It is for the {v}.", "We go to the {v}.", "I have tickets for the {v}.")),
        Slot(("tickets", "count", "seats"), _count(1, 12), ("I need {v} tickets.", "{v} tickets, please.", "Give me {v} seats.", "We take {v} seats.", "It is {v} seats."), number_word))),
    Domain("garden order", (GUEST, STREET, PRICE,
        Slot(("plant", "plants"), lambda d: d.any(("roses", "tulips", "apple trees", "ferns", "herbs", "lilies", "grass seed", "oak trees", "ivy", "sunflowers", "cherry trees", "moss")), ("I want {v}.", "Please send {v}.", "Do you have {v}?", "We would plant {v}.", "My order is {v}.")),
        Slot(("quantity", "amount", "how_many"), _count(2, 60), ("I take {v} of them.", "Send {v}.", "In all {v}.", "{v} would do.", "The number is {v}.")))),
    Domain("match report", (TOWN, WHEN,
        Slot(("winner", "won"), Draw.first_name, ("{v} won.", "The winner is {v}.", "The cup went to {v}.", "{v} was the best.", "First came {v}.")),
        Slot(("loser", "second"), Draw.last_name, ("{v} lost.", "Second came {v}.", "{v} had no luck.", "The loser was {v}.", "Beaten: {v}.")),
        Slot(("sport", "game"), _from("hobbies"), ("It was about {v}.", "The sport was {v}.", "We saw {v}.", "All came for {v}.", "{v} was played.")),
        Slot(("score", "result"), lambda d: f"{d.between(0, 9)}:{d.between(0, 9)}", ("It ended {v}.", "The score was {v}.", "{v} in the end.", "The board said {v}.", "They finished {v}.")))),
    Domain("house for rent", (STREET, PRICE, PHONE, TOWN,
        Slot(("rooms", "room_count"), _count(1, 9), ("It has {v} rooms.", "{v} rooms.", "There are {v} rooms.", "You get {v} rooms.", "With {v} rooms."), number_word),
        Slot(("owner", "landlord"), Draw.person, ("The owner is {v}.", "{v} lets it.", "Ask for {v}.", "It belongs to {v}.", "{v} shows it.")))),
    Domain("gym sign-up", (GUEST, EMAIL, PHONE,
        Slot(("course", "class"), _from("hobbies"), ("I want to do {v}.", "I sign up for {v}.", "The course is {v}.", "Put me down for {v}.", "I chose {v}.")),
        Slot(("weekday", "day"), _day, ("I come on {v}.", "{v} is best.", "Every {v}.", "On {v}, please.", "My free day is {v}.")),
        Slot(("months", "duration"), _count(1, 12), ("For {v} months.", "I stay {v} months.", "I pay {v} months.", "{v} months will do.", "Let us say {v} months."), number_word))),
    Domain("weather log", (TOWN, WHEN,
        Slot(("sky", "weather"), lambda d: d.any(("cloudy", "clear", "rainy", "foggy", "stormy", "snowy", "windy", "sunny")), ("It was {v}.", "The sky was {v}.", "Mostly {v}.", "A {v} day.", "We had a {v} morning.")),
        Slot(("degrees", "temperature"), _count(-15, 38), ("It was {v} degrees.", "The glass showed {v}.", "{v} degrees at noon.", "We measured {v}.", "Temperature {v}.")),
        Slot(("observer", "reporter"), Draw.person, ("Observer: {v}.", "Noted by {v}.", "{v} wrote this.", "Signed {v}.", "Report of {v}.")))),
    Domain("visitor card", (GUEST, CLOCK,
        Slot(("company", "firm"), Draw.company, ("I work for {v}.", "I come from {v}.", "My firm is {v}.", "I represent {v}.", "{v} sent me.")),
        Slot(("host", "meets"), Draw.person, ("I meet {v}.", "{v} expects me.", "I have a meeting with {v}.", "Please call {v}.", "I am here for {v}.")),
        Slot(("badge", "card"), Draw.code, ("My badge is {v}.", "Badge {v}.", "They gave me badge {v}.", "The badge says {v}.", "I wear number {v}.")))),
    Domain("shopping list", (
        Slot(("shop", "store"), Draw.company, ("Go to {v}.", "We buy at {v}.", "The shop is {v}.", "{v} has it all.", "Try {v} first.")),
        Slot(("food", "product"), _from("foods"), ("Get {v}.", "We need {v}.", "Bring {v}.", "Do not forget {v}.", "There is no {v} left.")),
        Slot(("object", "thing"), lambda d: article(d.word("things")), ("Also {v}.", "I want {v} too.", "And look for {v}.", "Then {v}.", "If they have one, {v}.")), PRICE,
        Slot(("buyer", "who"), Draw.first_name, ("{v} goes.", "{v} will pay.", "It is the turn of {v}.", "I send {v}.", "Ask {v} to go.")))),
)  # fmt: skip
OLD_CLAUSES = tuple(clause for domain in DOMAINS for slot in domain.slots for clause in slot.clauses)


def split(text: str) -> tuple[str, ...]:
    """Returns the items between the bars of `text`."""
    return tuple(item.strip() for item in text.split(" | "))


def _fuller(slot: Slot, domain: str) -> Slot:
    """Returns the slot with what `clauses` has for it."""
    keys, said = clauses.MORE.get(domain, {}).get(slot.keys[0]) or clauses.MORE[""][slot.keys[0]]
    return replace(slot, more_keys=split(keys), more_clauses=fresh(OLD_CLAUSES, split(said)))


DOMAINS = tuple(replace(domain, slots=tuple(_fuller(slot, domain.name) for slot in domain.slots)) for domain in DOMAINS)
GUEST, WHEN, CLOCK, PEOPLE, PHONE, EMAIL, TOWN, STREET, PRICE = (
    _fuller(slot, "") for slot in (GUEST, WHEN, CLOCK, PEOPLE, PHONE, EMAIL, TOWN, STREET, PRICE)
)
# fmt: off
OPENINGS = ("Hello!", "Hi,", "Good morning.", "Good evening.", "Dear team,", "Hi there!", "Hello,", "Good day.", "Hey,", "To whom it may concern:", "Morning!", "Dear Sir or Madam,")
CLOSINGS = ("Thank you.", "Thanks!", "Many thanks.", "Best wishes.", "See you soon.", "Kind regards.", "Bye.", "Thanks in advance.", "Cheers.", "Have a nice day.")
FILLERS = ("I hope you are well.", "We were there last year too.", "My sister told me about you.", "The weather is lovely here.", "I saw your page.", "It is my first time.", "Sorry for the late note.", "My last mail got no reply.", "We are looking forward to it.", "That is all.", "As we said before.", "I wrote to you in spring.", "All is well with us.")
LABELLED = ("The {key} is {v}.", "{Key}: {v}.", "Our {key} is {v}.", "For the {key} take {v}.", "As {key} I put down {v}.", "We have {v} as {key}.", "The {key} would be {v}.", "It has the {key} {v}.", "Write {v} for the {key}.")


# fmt: on


def _keys(draw: Draw) -> list[str]:
    """Returns five words that may be keys; in training rows some of them are made up."""
    keys = draw.words(draw.any(("things", "subjects", "hobbies")), 5)
    if draw.held_out:
        return keys
    return list(dict.fromkeys(draw.made_up() if draw.chance(MADE_UP_SHARE) else key for key in keys))


def labelled(draw: Draw) -> Domain:
    """Returns a kind of message that is made up: its keys are any words, which the message names beside their values."""
    values: tuple[Callable[[Draw], str | int], ...] = (
        Draw.first_name,
        Draw.town,
        Draw.code,
        Draw.date,
        Draw.made_up,
        _count(1, 999),
        Draw.thing,
    )
    if not draw.held_out:
        values += (
            Draw.person,
            Draw.company,
            Draw.price,
            Draw.email,
            Draw.telephone,
            Draw.clock,
            Draw.address,
            _from("colours"),
        )
    slots = tuple(
        Slot((key,), draw.any(values), with_key(LABELLED, key), more_clauses=with_key(clauses.NAMED, key))
        for key in _keys(draw)
    )
    return Domain(
        "any" if draw.held_out else draw.any(("note", "form", "entry", "list", "card", "message", "file")), slots
    )


def with_key(phrasings: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Returns the phrasings with the key filled in."""
    return tuple(text.replace("{key}", key).replace("{Key}", key.capitalize()) for text in phrasings)
