# ruff: noqa: E501  (phrase lists read best one phrase or one item a line)
"""What customers of a repair shop write: things, faults, openings, stories, cues of urgency, numbers and farewells.

Every fault is a verb phrase that stands in the message word for word and goes into the ticket as it is.
"""

from __future__ import annotations

# fmt: off
FAULTS: dict[str, tuple[str, ...]] = {
    "toaster": ("does not heat on the left side", "burns every slice", "will not stay down", "trips the fuse", "smells of burnt plastic"),
    "kettle": ("leaks from the base", "switches off before it boils", "does not light up any more", "makes the water taste of metal", "has a broken lid"),
    "blender": ("hums but does not spin", "leaks at the bottom", "stops after ten seconds", "smells hot", "has a cracked jug"),
    "vacuum cleaner": ("has no suction", "howls like a siren", "blows dust out at the back", "does not pull the cord in", "cuts out when it gets warm"),
    "sewing machine": ("skips stitches", "jams after two stitches", "breaks every needle", "runs only backwards", "tears the lower thread"),
    "coffee machine": ("drips all over the counter", "makes only cold coffee", "grinds but does not brew", "shows a red light all the time", "has a blocked steam pipe"),
    "washing machine": ("does not drain", "jumps across the floor when it spins", "leaves rust stains", "will not open its door", "stops in the middle of the wash"),
    "tumble dryer": ("stays cold", "squeaks with every turn", "leaves the laundry wet", "turns itself off after five minutes", "smells of burning"),
    "dishwasher": ("leaves the glasses cloudy", "does not take any water", "floods the kitchen", "beeps three times and stops", "does not melt the tab"),
    "microwave": ("sparks inside", "does not turn the plate", "heats only the edges", "has a dead display", "rattles on full power"),
    "fridge": ("is far too warm", "ices up at the back", "hums all night long", "drips into the vegetables", "does not close properly"),
    "freezer": ("thaws every few days", "beeps without a reason", "has a torn seal", "clicks but does not start", "grows ice like a glacier"),
    "fan heater": ("blows only cold air", "ticks loudly", "shuts down after a minute", "smells of scorched dust", "has a loose plug"),
    "hair dryer": ("gets too hot to hold", "sprays sparks", "only works in one position", "has a frayed cable", "sounds like an old tractor"),
    "steam iron": ("spits brown water", "sticks to the cloth", "makes no steam", "drips on every shirt", "does not get hot"),
    "cordless drill": ("does not hold its charge", "spins only in reverse", "lets go of the bit", "smokes when I press hard", "has a stuck chuck"),
    "lawn mower": ("starts and dies at once", "cuts in waves", "loses oil", "has a bent blade", "will not start after the winter"),
    "hedge trimmer": ("stalls in thick branches", "has a blunt blade", "rattles as if a screw is loose", "does nothing when I pull the trigger", "leaks petrol"),
    "bicycle": ("jumps out of gear", "has a bent front wheel", "squeals when I brake", "loses its chain uphill", "has a flat tyre again"),
    "e-bike": ("gives no power uphill", "shows error nine", "charges only to half", "cuts the motor in the rain", "has a wobbly back wheel"),
    "kick scooter": ("pulls to the left", "folds up by itself", "has a worn brake", "grinds at the front wheel", "clatters on every bump"),
    "wheelchair": ("steers to the right", "has a loose armrest", "brakes on one side only", "creaks when it rolls", "has a punctured tyre"),
    "laptop": ("freezes after ten minutes", "does not charge", "has three dead keys", "gets very hot", "shows a blue screen at start"),
    "tablet": ("has a cracked screen", "does not react to touch", "turns off at forty percent", "does not find the wireless network", "is stuck on the logo"),
    "smartphone": ("does not ring any more", "has a shattered back", "drains the battery by noon", "fell into the sink and stays dark", "does not read the card"),
    "camera": ("takes only black pictures", "will not pull in the lens", "eats batteries", "blurs everything on the right", "has a stuck shutter"),
    "inkjet printer": ("prints white stripes", "pulls in five sheets at once", "says the ink is empty although it is new", "jams every second page", "prints only in pink"),
    "monitor": ("flickers", "stays black for minutes", "has a green line down the middle", "switches itself off", "whistles at night"),
    "record player": ("plays too slowly", "skips on every record", "has only sound on the left", "hums louder than the music", "does not lift the arm"),
    "kitchen radio": ("crackles on every station", "forgets the time", "has a lost knob", "only whispers at full volume", "goes quiet when I walk past"),
    "television": ("has sound but no picture", "turns on by itself", "ignores the remote", "shows everything in blue", "restarts every hour"),
    "speaker": ("buzzes with deep notes", "cuts out all the time", "does not pair with anything", "has a torn cone", "pops when I turn it on"),
    "guitar amplifier": ("crackles when I turn the volume", "goes silent after one song", "hums even without a cable", "has a burnt valve", "blows its fuse"),
    "electric piano": ("has a key that sticks", "plays one octave too loud", "loses its sound after an hour", "does not react to the pedal", "rattles in the low notes"),
    "cuckoo clock": ("stops at ten past two", "loses an hour a day", "calls at the wrong time", "has a broken pendulum", "does not call any more"),
    "wristwatch": ("runs ten minutes fast", "fogs up inside", "has a scratched glass", "stands still every night", "lost its crown"),
    "desk lamp": ("flickers when I touch it", "does not stay up", "buzzes loudly", "has a burnt switch", "goes on and off by itself"),
    "food mixer": ("turns only at top speed", "throws out the hooks", "leaks grease into the dough", "gets stuck in heavy dough", "grinds metal on metal"),
    "rice cooker": ("burns the bottom", "never switches to warm", "has a broken latch", "boils over every time", "shows no light"),
    "baby monitor": ("only hisses", "loses contact at the stairs", "has a dead battery", "echoes every word", "does not show the picture"),
    "doorbell": ("rings all night", "makes no sound", "plays two tunes at once", "only rings when it is dry", "has a jammed button"),
    "electric razor": ("pulls the hairs", "stops while I shave", "does not charge in its stand", "has a dented foil", "vibrates terribly"),
    "games console": ("does not read discs", "roars like a jet", "turns off during play", "has a drifting stick", "will not connect to the screen"),
    "projector": ("shows yellow spots", "overheats within minutes", "has a burnt-out bulb", "projects everything upside down", "makes the picture blurred"),
    "garden pump": ("runs but pumps nothing", "leaks at the joint", "starts and stops all the time", "has a cracked housing", "makes a grinding noise"),
    "pressure cooker": ("lets steam out at the side", "does not build up pressure", "has a brittle ring", "will not unlock", "lost its valve"),
    "typewriter": ("has a stuck letter e", "does not move the carriage", "tears the ribbon", "prints every line crooked", "skips the spaces"),
    "humidifier": ("spits water on the shelf", "makes no mist", "gurgles without end", "has a chalky tank", "turns off after a minute"),
}
FIRST_NAMES = ["Abigail", "Adrian", "Alexia", "Amelia", "Angus", "Annabel", "Archie", "Beatrice", "Benedict", "Blanca", "Brigitte", "Callum", "Camille", "Cedric", "Charlotte", "Christopher", "Claudia", "Cornelia", "Cynthia", "Declan", "Desmond", "Dominic", "Dorothy", "Eamon", "Eleanor", "Eloise", "Ernest", "Eugene", "Felicity", "Florence", "Frederick", "Gabriel", "Genevieve", "George", "Gerald", "Giovanni", "Gregory", "Guido", "Harriet", "Heather", "Hector", "Henrietta", "Hubert", "Imogen", "Isabella", "Jeremy", "Jessica", "Jocelyn", "Josephine", "Julian", "Justine", "Katherine", "Kenneth", "Lawrence", "Leonora", "Lionel", "Lorenzo", "Lucinda", "Madeleine", "Marguerite", "Marjorie", "Maurice", "Maximilian", "Meredith", "Millicent", "Mohammed", "Nicholas", "Octavia", "Ottilie", "Pauline", "Penelope", "Philippa", "Prudence", "Reginald", "Rosalind", "Rosemary", "Samantha", "Sebastian", "Siobhan", "Stefania", "Terence", "Timothy", "Valentina", "Vanessa", "Veronica", "Vincent", "Winifred", "Yolanda", "Zachary"]
LAST_NAMES = ["Aldridge", "Ainsworth", "Applegate", "Armitage", "Atherton", "Babcock", "Bellamy", "Blackwood", "Bosworth", "Bracegirdle", "Bradshaw", "Bristow", "Broadbent", "Buckley", "Caldwell", "Cartwright", "Chamberlain", "Chandler", "Cholmondeley", "Clayton", "Copeland", "Crawford", "Crompton", "Culpepper", "Davenport", "Dearborn", "Delacroix", "Dickinson", "Eastwood", "Edgerton", "Fairchild", "Farnsworth", "Featherstone", "Fitzgerald", "Fothergill", "Galloway", "Goodwin", "Greenaway", "Hargreaves", "Hathaway", "Hemingway", "Hollingsworth", "Humphrey", "Hutchinson", "Inglewood", "Jellicoe", "Kavanagh", "Kingsley", "Langford", "Lockwood", "Longbottom", "Lovelace", "Macallister", "Mandeville", "Marchetti", "Merriweather", "Middleton", "Montague", "Mulholland", "Nightingale", "Northcote", "Oakley", "Oppenheimer", "Pemberton", "Penrose", "Pickering", "Postlethwaite", "Quartermaine", "Ravenscroft", "Redmond", "Rosenberg", "Rutherford", "Satterthwaite", "Shackleton", "Silverstone", "Somerset", "Stapleton", "Sutherland", "Tattersall", "Templeton", "Thackeray", "Tremaine", "Trelawney", "Underwood", "Vandenberg", "Waverley", "Westbrook", "Whittington", "Wilberforce", "Winterbourne", "Woodhouse", "Yardley"]

HELLOS = (
    "Hello,", "Hi,", "Good morning,", "Good afternoon,", "Hi there,", "Dear repair team,", "Hello everyone,", "Hey,", "Good evening,", "Dear workshop,",
    "Hello again,", "Hi folks,", "Dear Sir or Madam,", "Hello from the other end of town,", "Good day,", "Hi guys,",
)  # fmt: skip
NAME_FIRST = (
    "this is {name}.", "{name} here.", "my name is {name}.", "it's {name}.", "I am {name} from across the road.", "{name} speaking.",
    "you may remember me, {name}.", "my neighbour sent me to you, I'm {name}.", "{name} is my name.", "I'm {name} and I need your help.",
    "this is a message from {name}.", "I called this morning, {name}.",
)  # fmt: skip
NAME_LAST = (
    "{name}", "Yours, {name}", "Thanks, {name}", "Best wishes, {name}", "Kind regards, {name}", "Cheers, {name}", "Many thanks from {name}",
    "Greetings, {name}", "Signed: {name}", "- {name}", "Hope to hear from you, {name}", "All the best, {name}", "Yours sincerely, {name}",
)  # fmt: skip
FAREWELLS = (
    "Thank you!", "Thanks a lot.", "Many thanks in advance.", "Bye!", "Please let me know.", "I look forward to your answer.", "Thanks for your help.",
    "Have a nice day.", "See you soon.", "Tell me what it would cost, please.", "What will it cost?", "Can you give me a price first?",
)  # fmt: skip
CORES = (
    "My {old}{item} {fault}.", "The {item} I bought from you {fault}.", "Our {old}{item} {fault}.", "I have {a_item} that {fault}.",
    "It is about my {old}{item}: it {fault}.", "My {item} {fault} and I don't know why.", "Since {when} my {item} {fault}.",
    "I would like to bring in {a_item} which {fault}.", "Can you have a look at my {old}{item}? It {fault}.", "Help! My {item} {fault}.",
    "There is something wrong with our {item}, it {fault}.", "Do you also mend things like {a_item}? Mine {fault}.",
    "The {old}{item} of my {relative} {fault}.", "I'm having trouble with {a_item}. It {fault}.", "We have {a_item} at home that {fault}.",
    "Last {day} I noticed that my {item} {fault}.", "My {relative} says that the {item} {fault}.", "So, the {item}: it {fault}.",
    "What can be done when {a_item} {fault}?", "I own {an_old}{item}. Now it {fault}.", "Sadly my {old}{item} {fault}.",
    "I dropped off my {item} with you {when_past}. I forgot to say: it {fault}.", "Could you take a look at {a_item} for me? The thing {fault}.",
    "You fixed my {item} last year, and now it {fault}.", "The {item} in our {room} {fault}.", "Bad news: the {old}{item} {fault}.",
)  # fmt: skip
OLDS = ("old ", "new ", "little ", "trusty ", "second-hand ", "big ", "beloved ", "fairly new ", "", "", "", "")
RELATIVES = ("mother", "father", "grandmother", "son", "daughter", "neighbour", "boss", "aunt", "uncle", "flatmate", "wife", "husband", "grandfather")
WHENS = ("yesterday", "last week", "the holidays", "the move", "Sunday", "this morning", "the thunderstorm", "the power cut", "Easter", "the weekend", "March")
WHENS_PAST = ("yesterday", "on Monday", "last week", "this morning", "two days ago", "on Saturday")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "night", "week", "month")
ROOMS = ("kitchen", "office", "club house", "cellar", "holiday flat", "school", "shop", "garage", "staff room", "hall")
STORIES = (
    "It is only two years old.", "I have the receipt somewhere.", "It was a present from my parents.", "I already changed the plug.", "I tried another socket, no change.",
    "The guarantee ran out in May, of course.", "My brother opened it and found nothing.", "It fell off the table once.", "I have had it for fifteen years and never had trouble.",
    "The maker told me to throw it away.", "I would hate to buy another one.", "The manual is no help.", "My cat may have something to do with it.", "I cleaned it, but that did not help.",
    "It got wet in the rain.", "The children played with it.", "It worked fine until then.", "I can bring it by in the afternoon.", "I don't have a car, do you pick things up?",
    "You were very kind the last time.", "A friend told me about your shop.", "I found you on the internet.", "I can send you a photo.", "I still have the box.", "It was not cheap.",
    "I hope it is something small.", "Nobody else in town wants to look at it.", "I watched a video about it but I am no expert.", "It hasn't been used much.", "The spare part seems easy to get.",
    "It makes me sad, I am fond of it.", "My first thought was the battery.", "Perhaps it is just a cable.", "It belonged to my late uncle.", "We bought it at a flea market.",
    "It came back from the other workshop just the same.", "I pressed every button there is.", "I did nothing unusual.", "It has been standing in the cellar for a while.", "I am home after five.",
    "There is a dog in the yard, please ring.", "I live on the third floor.", "The colour is white, if that matters.", "It is the model with the big wheel.", "Please do not throw anything away.",
    "If it costs more than fifty, ask me first.", "I would pay in cash.", "My daughter could drop it off.", "I work just around the corner from you.", "It started with a strange noise.",
)  # fmt: skip
URGENCY: dict[str, tuple[str, ...]] = {
    "high": (
        "I need it back by {day_soon}.", "Please hurry!", "This is urgent.", "It would have to be today.", "As soon as possible, please.", "I can't work without it.",
        "We have guests tomorrow and nothing works.", "I leave on a trip on {day_soon}, so time is short.", "Could you do it right away?", "It cannot wait.",
        "Every day without it costs me money.", "I need it before the weekend at the latest.", "Is there any chance to get it done at once?", "Please treat it as an emergency.",
        "The sooner the better, really, I am desperate.", "My exam is on {day_soon} and I depend on it.",
    ),
    "low": (
        "There is no hurry.", "Take your time.", "It can wait until next month.", "No rush at all.", "Whenever you have a quiet day.", "I don't need it before the summer.",
        "It is not urgent.", "We have a spare one, so don't stress.", "Any time this year is fine.", "I am away for six weeks anyway.", "It has waited two years, it can wait longer.",
        "Do the others first.", "I am in no hurry whatsoever.", "Fit it in when you are bored.", "Next season is early enough.", "Let it lie until you find the time.",
    ),
    "normal": (
        "", "", "", "", "", "", "", "Some time next week would be fine.", "A week or so is all right.", "Just tell me when it is my turn.", "The usual time is fine with me.",
        "I can come by on {day_soon} to talk about it.",
    ),
}  # fmt: skip
DAYS_SOON = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NUMBERS = (
    "You can reach me on {phone}.", "My number is {phone}.", "Call me on {phone}.", "Please ring {phone}.", "Phone: {phone}", "Tel. {phone}", "I'm on {phone}.", "Text me at {phone}, please.",
    "If you need anything: {phone}.", "{phone} is my number at work.", "My mobile is {phone}.", "Just call {phone} after six.", "Here is my number: {phone}.", "{phone} (ask for me).",
    "Leave a message on {phone}.", "You'll get me under {phone}.",
)  # fmt: skip
NO_NUMBERS = (
    "", "", "", "", "", "", "I have no phone, please write.", "I will call you myself.", "You have my number.", "Answer by mail, please.", "I'll come by and ask.",
)  # fmt: skip
NOTES = (
    "{item_capital}, {fault}. {name}, {phone}. {urgency}", "Subject: {item}\n{item_capital} {fault}. {urgency} {name}, {phone}", "{name}, {phone}: {item} {fault}. {urgency}",
    "Ticket for {name}: the {item} {fault}. {urgency} Phone {phone}.", "Voicemail, {phone}: {name} says the {item} {fault}. {urgency}",
    "Note from the counter: {item} of {name} {fault}. {urgency} Call {phone}.", "{item_capital} again! It {fault}. {urgency} {name} / {phone}",
    "Please pick up {a_item} at {name}'s, it {fault}. {urgency} Ring {phone} first.", "{name} ({phone}) came in: {item} {fault}. {urgency}",
)  # fmt: skip
