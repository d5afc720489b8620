# ruff: noqa: E501  (word lists read best one label a line)
"""Classification by the words and the grammar of a text: what is positive, what belongs to sport, what is a question.

The words are few compared with a language, and many compared with the phrasings of `classification`.
"""

from __future__ import annotations

from collections.abc import Mapping

from recipes.fiddle.draw import Draw, article, capital
from recipes.fiddle.rows import Row
from recipes.fiddle.skills import cues
from recipes.fiddle.skills.classification import several

# fmt: off
MOODS: Mapping[str, str] = {
    "positive": "good great nice fine lovely wonderful excellent perfect amazing fantastic brilliant superb delightful pleasant charming beautiful splendid fun friendly helpful kind best favourite outstanding impressive reliable comfortable tasty delicious clean bright smooth quick marvellous magnificent remarkable pretty elegant graceful sweet sound safe sturdy generous gentle warm fresh rich useful handy clever wise admirable glorious heavenly welcome precious enjoyable exciting satisfying refreshing stunning terrific flawless",
    "negative": "bad poor awful terrible horrible dreadful nasty ugly broken useless worst worse boring dull dirty rude slow noisy painful faulty cheap weak wrong unfriendly tasteless cold greasy worthless hopeless miserable ruined spoiled dangerous disgusting filthy shabby rotten stale sour bitter clumsy cruel careless foolish stupid silly annoying tiresome disappointing unpleasant unbearable frightful ghastly mean sad lousy pathetic ridiculous damaged leaking cracked torn late missing overpriced",
    "neutral": "new old big small round square red blue green wooden metal paper long short wide narrow heavy light second third usual common plain local daily weekly white black grey brown flat thin thick empty full open closed early medium spare other former present double single annual oval curved straight striped northern southern eastern western left right upper lower inner outer middle fourth tall deep yellow purple orange plastic leather woollen",
}
FEELINGS: Mapping[str, str] = {
    "positive": "happy glad pleased delighted satisfied grateful thankful cheerful joyful proud thrilled content overjoyed excited amused charmed impressed relieved merry hopeful enchanted",
    "negative": "angry upset annoyed disappointed furious unhappy sorry afraid sad bored ashamed frustrated disgusted worried shocked cross bitter miserable displeased horrified tired",
    "neutral": "asked told informed questioned paid called reminded sent shown taught invited named",
}
DEEDS: Mapping[str, str] = {
    "positive": "loved liked enjoyed adored admired praised recommended cherished treasured appreciated applauded celebrated welcomed thanked blessed",
    "negative": "hated disliked regretted loathed despised rejected feared blamed cursed mourned detested refused ruined spoiled insulted",
    "neutral": "saw bought sold moved carried held used counted weighed measured opened closed passed kept placed found borrowed lent described sent painted fetched stored turned touched",
}
TOPICS: Mapping[str, str] = {
    "sport": "match team goal player coach race cup league football tennis runner stadium referee ball medal record swimmer score trainer season champion athlete cricket goalkeeper tournament rugby hockey marathon boxer racket striker victory defeat gymnast sprint",
    "food": "soup bread cheese dinner lunch salt pepper kitchen cook menu recipe oven cake meal plate butter salad sauce dish bakery breakfast supper flour sugar pie roast spoon pan chef restaurant stew taste pastry biscuit jam",
    "weather": "rain storm snow wind sun cloud fog frost heat thunder ice sky forecast hail temperature drizzle breeze lightning flood drought sunshine shower gale mist blizzard rainbow degrees sleet hurricane dew chill tornado climate humidity",
    "music": "song band choir piano violin guitar concert tune orchestra singer drum melody album note chorus opera flute stage trumpet rhythm harp cello composer symphony ballad musician organ clarinet duet conductor hymn bass jazz tenor",
    "travel": "train bus ferry ship plane hotel ticket journey passport airport suitcase tourist trip map station flight beach harbour luggage holiday voyage tour cruise guide visa backpack route sailor resort traveller hostel coach taxi railway",
    "money": "bank loan tax price account share profit debt coin salary bill budget cash interest market wallet fund payment fee credit savings mortgage investor dollar pound wage cost income cheque rent bond pension dividend currency",
    "school": "teacher pupil exam lesson homework class student book classroom grade pencil university essay course library maths test desk college diploma blackboard spelling lecture professor semester textbook term grammar headmaster tutor degree chalk kindergarten",
    "animals": "dog cat horse bird fish cow sheep lion tiger zoo nest puppy kitten farm wolf bear fox rabbit elephant stable goat pig duck monkey paw tail herd feather lamb hen donkey mouse whale cage",
    "health": "doctor nurse pill fever cough clinic hospital pain medicine bandage flu patient illness dentist wound heart headache surgery cure ambulance virus allergy vaccine injury operation disease treatment throat blood surgeon infection diet pulse",
    "gardening": "rose seed lawn hedge weed flower plant soil spade pot tree bush tulip watering greenhouse bulb rake compost leaf branch root fertiliser orchard petal shrub blossom hoe ivy daisy vine sprout trowel garden",
    "law": "judge court lawyer contract trial crime prison witness police verdict jury thief rights clause guilt sentence appeal fine suspect evidence attorney arrest sheriff oath innocent statute criminal justice defendant murder legal bail prosecutor treaty",
    "space": "rocket moon star planet comet telescope orbit astronaut galaxy satellite Mars probe meteor crater universe spacecraft eclipse Saturn launch shuttle Jupiter Venus asteroid gravity solar lunar capsule constellation observatory spacesuit cosmos module nebula Pluto",
}
MOOD_FRAMES = (
    "The {x} is {w}.", "The {x} was {w}.", "What a {w} {x}!", "A {w} {x}.", "I find the {x} {w}.", "It is a {w} {x}.", "We had a {w} {x}.",
    "{p} bought a {w} {x}.", "The {x} of {p} looks {w}.", "This {x} is really {w}.", "My {x} was {w} today.", "{p} calls the {x} {w}.",
    "The {x} in {t} seemed {w}.", "Their {x} is {w} as always.", "So {w}, this {x}!", "{w} {x}, {w} people.", "That was one {w} {x}.", "The {x} turned out {w}.",
)  # fmt: skip
FEELING_FRAMES = (
    "I am {w} about the {x}.", "We were so {w} about the {x}.", "{p} was {w} when the {x} came.", "The {x} left me {w}.", "Everyone in {t} was {w} about it.",
    "I felt {w} after the {x}.", "{p} is {w} with the {x}.", "They all seemed {w}, and {p} too.", "Never was I so {w}.", "{p} was {w} about the {x}.",
)  # fmt: skip
DEED_FRAMES = (
    "I {w} the {x}.", "We {w} the {x} of {p}.", "{p} {w} every {x} in {t}.", "They {w} my {x}.", "Everyone {w} the {x}.", "{p} {w} it from the first day.", "All of {t} {w} the {x}.",
    "She {w} the {x} that {p} had.", "He {w} this {x}.",
)  # fmt: skip
TOPIC_FRAMES = (
    "The {w} of {p} is here.", "{p} spoke about the {w} and the {v}.", "There was a {w} in {t}.", "They showed a {w} near {t}.", "In {t} everyone knew the {w}.",
    "{p} read about the {w}.", "First the {w}, then the {v}.", "The {w} was the talk of {t}.", "{p} thought of the {w} all day.", "Without the {w} there is no {v}.",
    "{p} has never seen such a {w}.", "A {w} and a {v} in one day!", "The news from {t}: a {w}.", "The {w} in {t} had a {v}.", "{p} and the {w} with the {v}.", "After the {w} came the {v}.",
    "The {v} of the {w} was new to {p}.",
)  # fmt: skip
VERBS = (  # base, third person, past, -ing
    "find finds found finding", "take takes took taking", "bring brings brought bringing", "sell sells sold selling", "buy buys bought buying", "clean cleans cleaned cleaning",
    "paint paints painted painting", "carry carries carried carrying", "hide hides hid hiding", "watch watches watched watching", "open opens opened opening", "close closes closed closing",
    "move moves moved moving", "count counts counted counting", "build builds built building", "break breaks broke breaking", "send sends sent sending", "keep keeps kept keeping",
    "wash washes washed washing", "use uses used using", "draw draws drew drawing", "lift lifts lifted lifting", "leave leaves left leaving", "visit visits visited visiting",
    "know knows knew knowing", "want wants wanted wanting", "see sees saw seeing", "hold holds held holding", "give gives gave giving", "make makes made making", "write writes wrote writing",
    "eat eats ate eating", "drop drops dropped dropping", "show shows showed showing", "lend lends lent lending", "pull pulls pulled pulling", "push pushes pushed pushing", "fill fills filled filling",
)  # fmt: skip
PAST_WHEN = ("yesterday", "last week", "last month", "long ago", "in the old days", "two years ago", "this morning", "once", "before the war", "last summer", "the day before", "back then", "earlier")
PRESENT_WHEN = ("now", "today", "at the moment", "right now", "these days", "at present", "just now", "this minute", "currently", "nowadays")
FUTURE_WHEN = ("tomorrow", "next week", "soon", "one day", "in an hour", "next summer", "later", "the day after tomorrow", "in two years", "next month", "before long", "some day")
TIMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "past": (("{p} {past} the {x}", "the {x} was here", "{p} had the {x}", "{p} was in {t}", "they {past} a {x} in {t}", "{p} has {past} it before", "{p} was {ing} the {x}", "the {x} used to stand in {t}"), PAST_WHEN),
    "present": (("{p} is {ing} the {x}", "the {x} is here", "{p} has the {x}", "{p} is in {t}", "they are {ing} a {x} in {t}", "{p} {s} the {x}", "we are {ing} it", "the {x} stands in {t}"), PRESENT_WHEN),
    "future": (("{p} will {base} the {x}", "the {x} will be here", "{p} will have the {x}", "{p} will be in {t}", "they are going to {base} a {x} in {t}", "{p} is going to {base} it", "we shall {base} the {x}", "the {x} is going to stand in {t}"), FUTURE_WHEN),
}
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "question": ("do you {base} the {x}?", "did {p} {base} it?", "who {past} the {x}?", "why did they {base} the {x}?", "is {p} {ing} the {x}?", "where can I {base} a {x}?", "will you {base} it for {p}?", "how does one {base} a {x}?", "which {x} did {p} {base}?", "has {p} ever been to {t}?", "are you {ing} that {x}?", "what is a {x}?"),
    "statement": ("{p} {past} the {x}.", "{p} will {base} it.", "the {x} is {ing} well.", "they {base} a {x} every year.", "we {past} it in {t}.", "{p} does not {base} the {x}.", "nobody {past} the {x}.", "{p} is {ing} it.", "she {s} the {x}.", "I have a {x}.", "{t} is far away.", "it was a {x}."),
    "command": ("{base} the {x}.", "{base} it for {p}!", "do not {base} the {x}!", "{base} a {x} for me.", "please {base} the {x}.", "never {base} it!", "{base} that {x} now!", "let {p} {base} it.", "go and {base} the {x}.", "be quick and {base} it.", "{base} all of it, {p}.", "go to {t}!"),
}
# fmt: on


def by_words(draw: Draw) -> Row:
    """Returns a row with three labels and two to five texts, each told by its words or by its grammar."""
    kind = draw.random.choices(("moods", "topics", "times", "sentences"), (0.4, 0.36, 0.12, 0.12))[0]
    family: Mapping[str, object] = {"moods": MOODS, "topics": TOPICS, "times": TIMES, "sentences": SENTENCES}[kind]
    maker = {"moods": _mood, "topics": _topic, "times": _time, "sentences": _sentence}[kind]
    names = draw.random.sample(sorted(family), 3)
    answers = [draw.any(names) for _ in range(draw.between(2, 5))]
    return several(draw, names, [maker(draw, name) for name in answers], answers)


def _mood(draw: Draw, name: str) -> str:
    words, frames, more = draw.any(
        (
            (MOODS, MOOD_FRAMES, cues.MOOD_FRAMES),
            (MOODS, MOOD_FRAMES, cues.MOOD_FRAMES),
            (FEELINGS, FEELING_FRAMES, cues.FEELING_FRAMES),
            (DEEDS, DEED_FRAMES, cues.DEED_FRAMES),
        )
    )
    return _told(draw, words[name].split(), frames, more)


def _topic(draw: Draw, name: str) -> str:
    return _told(draw, TOPICS[name].split(), TOPIC_FRAMES, cues.TOPIC_FRAMES)


def _told(draw: Draw, words: list[str], frames: tuple[str, ...], more: tuple[str, ...]) -> str:
    first, second = draw.random.sample(words, 2)
    text = draw.loosely(frames, more).format(w=first, v=second, x=draw.thing(), p=draw.first_name(), t=draw.town())
    return text.replace(f"a {first}", article(first)) if first[0] in "aeiou" else text


def _time(draw: Draw, name: str) -> str:
    frames, when = TIMES[name]
    text, at = _verbal(draw, draw.phrase_or(frames, cues.TIMES[name])), draw.phrase(when)
    return capital(draw.any((f"{text} {at}.", f"{at} {text}.", f"{text}.", f"{text} {at}.")))


def _sentence(draw: Draw, name: str) -> str:
    return capital(_verbal(draw, draw.phrase_or(SENTENCES[name], cues.SENTENCES[name])))


def _verbal(draw: Draw, frame: str) -> str:
    base, third, past, ing = draw.phrase(VERBS).split()
    return frame.format(base=base, s=third, past=past, ing=ing, x=draw.thing(), p=draw.first_name(), t=draw.town())
