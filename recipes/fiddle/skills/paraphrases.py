# ruff: noqa: E501  (phrase lists read best in long lines)
"""More ways to say and to ask what `facts` speaks of: training rows only.

One entry for each attribute of each kind, in the order of `facts`: first the statements, then the questions. Phrasings
stand between bars.
"""

from __future__ import annotations

Ways = tuple[tuple[str, ...], tuple[str, ...]]


def split(text: str) -> tuple[str, ...]:
    """Returns the phrasings of a block: what stands between bars, with single spaces."""
    return tuple(" ".join(phrase.split()) for phrase in text.split("|"))


def ways(says: str, asks: str) -> Ways:
    """Returns the statements and the questions of one attribute."""
    return tuple(f"{text}." for text in split(says)), split(asks)


PERSON = (
    ways(  # town
        """{e} has lived in {v} since the spring | {e} settled in {v} some years ago | {e} calls {v} home | It is in {v} that {e} lives
        | Home, for {e}, means {v} | These days {e} can be found in {v} | {e}, who grew up elsewhere, now lives in {v} | {e} rents a small place in {v}
        | After the wedding {e} went to live in {v} | {e} has never lived anywhere but {v} | {e} is a resident of {v} | In {v}, where the rents are low, {e} bought a cottage
        | {v} has been home to {e} for ten years | {e} would not leave {v} for anything | {e} makes a home in {v} | The house of {e} is somewhere in {v}
        | Like many others, {e} lives in {v} | {e} resides in {v} | {e} gave up the old flat and went to {v} for good | {e} stays in {v} all year round
        | {e} has been living in {v} with two cousins | Letters for {e} go to {v} | Anyone who wants to visit {e} must travel to {v} | {e} found a new home in {v}
        | {e} is from {v} | Ask in {v} and they will show you where {e} lives | Ever since leaving school {e} has lived in {v} | {e} has an apartment in {v}
        | The town where {e} lives is {v} | The family of {e} has its home in {v} | {e} (of {v}) needs no introduction | {v} is where {e} lives
        | {e} has put down roots in {v} | Every evening {e} goes home to {v}""",
        """Where is {e} living now? | What town is {e} living in? | What is {e}'s home town? | Which town is {e}'s home? | In what place does {e} make a home?
        | Where has {e} settled? | Where does {e} reside? | What place does {e} call home? | Where can one visit {e} at home? | Which town does {e} live in?
        | Name the town in which {e} lives. | Where does {e} have a home? | Where is {e} at home? | What is the name of the town where {e} lives?
        | In which place has {e} settled? | Which place would you travel to if you wanted to see {e} at home? | Where does {e} come from? | Could you say where {e} lives?
        | I wonder where {e} lives. | What is the home town of {e}? | The town where {e} lives is called what? | To which town does one go to visit {e}? | Give the place where {e} lives.""",
    ),
    ways(  # job
        """{e} makes a living as a {v} | By trade {e} is a {v} | {e} found work as a {v} | As a {v}, {e} works long hours | {e} has a job as a {v}
        | {e} started out as a {v} and never changed | Working as a {v} suits {e} well | {e} is employed as a {v} | {e}, a {v} by profession, gets up early
        | {e} wanted to become a {v} and did | For the last six years {e} has worked as a {v} | What {e} does for a living is the work of a {v} | {e} is a busy {v}
        | {e} was hired as a {v} | {e} learned the trade of a {v} | The profession of {e} is that of a {v} | {e} became a {v} after college | {e} has spent a whole career as a {v}
        | On the door of {e} it says "{v}" | {e} took a post as a {v} | {e} serves as a {v} | {e} is well known as a {v} | {e} goes to work as a {v} every day
        | Not many people know that {e} is a {v} | As a young {v}, {e} earned very little | Everybody thinks of {e} as a good {v} | {e} is the best {v} for miles around
        | In daily life {e} is a {v} | The work that {e} does is that of a {v} | {e} gets paid as a {v} | The job title of {e} is "{v}" | {e} qualified as a {v} at twenty-five | Since last year {e} has been a {v}""",
        """What is {e}'s job? | What does {e} do for a living? | What kind of work does {e} do? | What is the profession of {e}? | How does {e} earn a living? | What job has {e}?
        | What is {e}'s trade? | Which profession has {e} chosen? | As what is {e} employed? | What line of work is {e} in? | What does {e} do at work all day, by job title?
        | What was {e} hired as? | What is {e}'s occupation? | Name the occupation of {e}. | What trade did {e} learn? | Could you tell me the profession of {e}? | In what job does {e} work?
        | What did {e} become? | How does {e} make money? | What post does {e} hold? | What is the job title of {e}? | Which trade does {e} follow?""",
    ),
    ways(  # age
        """{e} is {v} years of age | The age of {e} is {v} | {e} has just turned {v} | Aged {v}, {e} still learns something new every day | {e} celebrated a birthday and is now {v}
        | {e} ({v}) did not want to comment | At the age of {v}, {e} began to write letters | {e} has reached the age of {v} | {e}, aged {v}, came by bus | There were {v} candles on the cake of {e}
        | {e} has lived for {v} years | {e} says that being {v} is not so bad | {v} is the age of {e} | {e} is now {v} years old | In the form {e} wrote "{v}" under age
        | You would not think it, but {e} is {v} | {e} is {v} and feels young | It has been {v} years since {e} came into the world | At {v} years of age {e} is the calmest of them all
        | With {v} years behind them, people like {e} know what they want | {e} will stay {v} until next spring | {e}, now {v}, has time for everything | The passport gives the age of {e} as {v}
        | {e} was {v} at the last birthday | {e} looks younger than {v} but is not | {e} became {v} this month | Today {e} turns {v} | When asked, {e} says "{v}" and laughs about the years
        | Everyone sang when {e} turned {v} | {e} is a person of {v} years | {e} must be {v} by now | {v} years old, {e} still walks to work""",
        """What is {e}'s age? | How old is {e} now? | What age has {e} reached? | How many years has {e} lived? | State the age of {e}. | At what age is {e}? | How old did {e} turn?
        | What age did {e} turn? | How many candles did {e} have? | How many birthdays has {e} had? | How old would you say {e} is? | How many years of age is {e}? | {e} is how old?
        | How old is the person called {e}? | The age of {e} is what? | Can you tell how old {e} is? | What is the present age of {e}? | What number gives the age of {e}?
        | Do you know how old {e} is? | How old a person is {e}? | What age is given for {e}? | What is the age in years of {e}?""",
    ),
    ways(  # hobby
        """{e} is fond of {v} | {e} is keen on {v} | In the evenings {e} takes up {v} | {e} has taken up {v} | Nothing makes {e} happier than {v} | What {e} likes to do after work is {v}
        | {e} gives every free hour to {v} | {e} finds {v} relaxing | {e} has a passion for {v} | {e} relaxes with {v} | For {e} there is no better way to spend a Sunday than {v}
        | The favourite pastime of {e} is {v} | {e} could talk about {v} for hours | As a hobby, {e} chose {v} | {e} joined a club for {v} | {e} got into {v} as a child
        | When the work is done, {e} turns to {v} | {e} spends the weekends on {v} | Most of the free time of {e} goes to {v} | {e} takes great pleasure in {v} | It is {v} that {e} does for fun
        | {e} is mad about {v} | {e} tried {v} once and never stopped | Friends know that {e} lives for {v} | On days off {e} is busy with {v} | {e} was introduced to {v} by an uncle
        | {e} amuses the neighbours with {v} | {e}'s great love is {v} | {e}, tired of newspapers, discovered {v} | Since the winter {e} has been trying {v} | If there is time, {e} goes in for {v}
        | {e} has a weakness for {v} in the holidays | The pastime that {e} prefers is {v}""",
        """What is {e}'s hobby? | What does {e} do for fun? | What does {e} do after work? | What is {e} keen on? | What is {e} fond of doing? | Which pastime does {e} prefer?
        | How does {e} relax? | What is the favourite pastime of {e}? | What does {e} like doing? | What does {e} do in the evenings? | What has {e} taken up? | What does {e} do on days off?
        | What fills the free time of {e}? | How are the weekends of {e} spent? | Name the hobby of {e}. | What pastime has {e}? | What is the great love of {e}? | What hobby did {e} choose?
        | To what does {e} give every free hour? | What does {e} find relaxing? | What is {e}'s favourite activity? | With what does {e} pass the time? | What activity does {e} enjoy most?""",
    ),
    ways(  # animal
        """{e} has adopted a {v} | At home {e} has a {v} | {e} takes care of a {v} | The pet of {e} is a {v} | {e} shares the house with a {v} | {e} was given a {v} for Christmas
        | {e} feeds a {v} every morning | {e} found a {v} in the garden and kept it | A {v} belongs to {e} | {e}, who cannot bear to be alone, keeps a {v} | {e} bought a {v} last summer
        | {e} is the owner of a {v} | {e} has had a {v} since childhood | There is a {v} in the home of {e} | In the yard of {e} lives a {v} | {e} goes for walks with a {v} | {e} raised a {v} by hand
        | {e} always wanted a {v}, and now there is one | For a pet {e} chose a {v} | {e} would be lonely without a {v} by the door | {e} got a {v} from a farm | {e} is proud of a {v} called Lucky
        | {e} came home with a {v} | {e} is often seen with a {v} | {e} brings up a {v} | What waits for {e} at home is a {v} | The animal that {e} keeps is a {v} | {e} rescued a {v}
        | {e} took in a {v} | To the surprise of the family, {e} owns a {v} | {e} talks to a {v} more than to people | {e} says that a {v} is the best company
        | A tame {v} follows {e} around""",
        """What is {e}'s pet? | What pet does {e} have? | Which animal belongs to {e}? | What animal does {e} look after? | What kind of pet has {e}? | What sort of animal does {e} keep?
        | Which animal lives with {e}? | What animal did {e} get? | What creature does {e} own? | Which animal is in the care of {e}? | Name the animal that {e} has. | What is the pet of {e}?
        | What kind of animal lives at the home of {e}? | Of which animal is {e} the owner? | Which pet did {e} choose? | What animal shares the house with {e}? | What does {e} keep as a pet?
        | What animal is {e} seen with? | Which creature does {e} take care of? | Which animal does {e} feed? | What kind of animal is the pet of {e}? | Which animal keeps {e} company?""",
    ),
    ways(  # food
        """{e} is very fond of eating {v} | Nothing tastes better to {e} than {v} | {e} could eat {v} every day | {e}'s favourite dish is {v} | {e} ordered {v} again | {e} cooks {v} on Sundays
        | For breakfast {e} has {v} | {e} eats {v} at least once a week | You always find {v} in the kitchen of {e} | If you invite {e}, serve {v} | {e} has a craving for {v}
        | When it comes to food, {e} prefers {v} | {e} likes to eat {v} | What {e} likes best on the plate is {v} | {e} grew up on {v} | {e} asked for {v} and nothing else
        | {e} had {v} for dinner | {e} cannot live without {v} | At the market {e} always buys {v} | {e} never gets tired of eating {v} | {e} brings {v} to every picnic | On birthdays {e} wishes for {v}
        | {e} will walk a mile for {v} | {e} took a second helping of {v} | {e} dreams of {v} before lunch | The meal that {e} likes best is {v} | It is {v} that {e} eats most often
        | A plate of {v} makes {e} happy | {e} packs {v} for the journey | {e}, always hungry, eats {v} at midnight | {e} chose {v} from the menu | As a snack {e} takes {v}
        | The family serves {v} whenever {e} comes""",
        """What is {e}'s favourite food? | What does {e} like to eat? | What would you serve to {e}? | What food does {e} prefer? | What does {e} like best at table? | Which dish does {e} like best?
        | What does {e} eat most often? | What is the favourite dish of {e}? | What did {e} order? | What does {e} always buy to eat? | What meal makes {e} happy? | Which food is {e} fond of?
        | What should I cook for {e}? | What is {e}'s favourite meal? | What kind of food does {e} eat? | What does {e} have on the plate? | Name the food that {e} loves. | What could {e} eat every day?
        | Which food would please {e}? | What tastes best to {e}? | What is the food of choice for {e}? | What does {e} crave?""",
    ),
    ways(  # street
        """{e} has rooms on {v} | The street where {e} lives is {v} | {e} bought a house on {v} | {e}'s front door opens onto {v} | From the window {e} looks down on {v} | {e} lives at the far end of {v}
        | {e} lives halfway down {v} | The house of {e} stands on {v} | {e} moved into a flat on {v} | On {v}, next to the baker, lives {e} | {e} has lived on {v} for years | {e} can be found on {v}
        | {e}, a tenant on {v}, pays little rent | Mail for {e} is delivered to {v} | {e} has an address on {v} | The home address of {e} is on {v} | {e} grew up on {v} | It is on {v} that {e} lives
        | {e} gave {v} as an address | {e} shares a flat on {v} | {e} is staying with friends on {v} | If you go along {v}, you come to the door of {e} | {e} has a small house on {v} | {e} parks in front of the house on {v}
        | The bell of {e} is on {v} | {e} took a room on {v} | {v} is the street of {e} | {e} likes the quiet of {v} and has a flat there | {v} is the address of {e} | {e} never wants to move away from {v}
        | The flat that {e} rents is on {v} | Everybody on {v} knows the house of {e} | {e} lives just off the square, on {v}""",
        """What is {e}'s street? | Which street does {e} live on? | What road does {e} live on? | What is the street address of {e}? | On what street can {e} be found? | On which road is the house of {e}?
        | In which street is the home of {e}? | What is the name of the street where {e} lives? | Which street is {e}'s house on? | To which street is mail for {e} delivered? | What is {e}'s address?
        | What address did {e} give? | What street is the flat of {e} on? | On which street stands the house of {e}? | Which road leads to the door of {e}? | Which street would I take to the door of {e}?
        | Name the road that {e} lives on. | What is the address of {e}? | On which street does {e} have a flat? | The house of {e} is on which street? | On what road does {e} live? | Give the street where {e} lives.""",
    ),
    ways(  # month of birth
        """{e} came into the world in {v} | {e} was a {v} baby | {e} has always had parties in {v}, on the birthday | {e} turns a year older each {v} | The birth month of {e} is {v} | It was in {v} that {e} was born
        | {e} gets birthday cards in {v} | In {v} {e} blows out the candles | {e} is one of those who were born in {v} | {e} was born on a cold night in {v} | {e} was born at home one day in {v}
        | According to the papers {e} was born in {v} | {e}, born in {v}, likes that month best | {v} is when {e} was born | {e} celebrates in {v} | The month in which {e} was born is {v} | The birthday of {e} falls in {v}
        | In {v} the family bakes a cake for {e} | {e} first saw the light of day in {v} | Every year in {v} {e} gets presents | {v} saw the birth of {e} | {e}'s birthday comes in {v} | {e} shares a birthday in {v} with an aunt
        | {e} is looking forward to a birthday in {v} | {e} was due in spring but was born in {v} | Write to {e} in {v}, for the birthday | The mother of {e} remembers that day in {v} when the child was born
        | {e} hates having a birthday in {v} | {e} will have another birthday in {v} | {e} invites everybody for a birthday tea in {v} | {e} has a {v} birthday | As a child of {v}, {e} knows all about birthdays at that time of year""",
        """What month was {e} born in? | What is {e}'s birth month? | Which month is {e}'s birthday in? | In what month does {e} celebrate a birthday? | When does {e} have a birthday? | When does {e} turn a year older?
        | In which month is the birthday of {e}? | When should I send {e} a birthday card? | Which month did {e} come into the world? | When did {e} come into the world? | Name the month in which {e} was born.
        | In which month does {e} blow out the candles? | What is the month of birth of {e}? | When is {e}'s birthday? | In what month was {e} born? | When does {e} get birthday presents? | When will {e} celebrate?
        | What month does {e} celebrate in? | {e} was born in which month? | Which is the birth month of {e}? | In which month does {e} give a birthday party? | What time of year is {e}'s birthday, by month?""",
    ),
    ways(  # subject
        """{e} is an expert on {v} | {e} has read everything about {v} | {e} takes a course on {v} | {e} teaches a class about {v} | {e} wrote a book about {v} | {e} is writing a thesis about {v}
        | Ask {e} about {v} | When {v} comes up in a talk, {e} listens | {e} collects articles on {v} | Nobody knows more about {v} than {e} | {e} spent years studying {v} | In college {e} took a degree with a focus on {v}
        | {e} has a deep interest in {v} | Since school {e} has been interested in {v} | What interests {e} most is {v} | {e} gave a lecture on {v} | The subject that {e} studies is {v} | {e} will speak about {v} on Monday
        | {e} is learning about {v} | {e}, a great reader, borrowed five books about {v} | {e} went to the library to look up {v} | The studies of {e} are about {v} | {e}'s subject is {v} | {e} has a shelf full of books on {v}
        | {e} does research into {v} | {e} passed an examination on {v} | For the exam {e} has to know about {v} | {e} likes to explain {v} to others | {e} once won a quiz on {v} | The research of {e} deals with {v}
        | With great patience {e} studies {v} | The field of {e} is {v} | {e} hopes to learn more about {v}""",
        """What is {e}'s subject? | What is {e} an expert on? | What is {e} studying? | What does {e} do research into? | What is {e}'s field? | What field is {e} in? | About what does {e} give talks?
        | Which subject does {e} study? | What do the books of {e} deal with? | On what subject did {e} write? | What could {e} teach us about? | What subject does {e} know best? | In what is {e} an expert?
        | What is the field of {e}? | What does {e} lecture on? | What topic is {e} interested in? | What topic does {e} read about? | Which topic should I ask {e} about? | What are the studies of {e} about?
        | Name the subject of {e}. | What does {e} want to learn about? | What is {e} learning about?""",
    ),
    ways(  # person close by
        """{e} is a friend of {v} | {e} has known {v} since school | {e} and {v} are old friends | {e} is a cousin of {v} | {e} works together with {v} | {e} got engaged to {v} | {v} is the wife of {e} | {v} is the husband of {e}
        | {e} often goes walking with {v} | Every week {e} has coffee with {v} | The person {e} trusts most is {v} | {e} went to school with {v} | {e} was introduced to {v} at a party | {e} lives next door to {v}
        | {e} sings in a choir with {v} | {e} travelled through the north with {v} | {v} taught {e} to swim | {v} and {e} are business partners | {e} writes long letters to {v} | {e} is related to {v}
        | {e} has {v} as a neighbour | {e}'s sister is called {v} | The brother of {e} is {v} | The closest friend of {e} is called {v} | {e} shares an office with {v} | {e} grew up with {v} | {e} can rely on {v}
        | When in trouble, {e} calls {v} | {e}'s partner is {v} | You rarely see {e} without {v} | {v} has been at the side of {e} for years | {e} owes a great deal to {v} | It was {v} who helped {e} in hard times""",
        """Who is mentioned together with {e}? | Who is connected with {e}? | What is the name of the person close to {e}? | Which other person is named along with {e}? | Whom does {e} know well? | With whom is {e} connected?
        | Who plays a part in the life of {e}? | Who is the person that goes with {e}? | To whom is {e} close? | Whose name comes up with that of {e}? | Who has to do with {e}? | Who is important to {e}?
        | Who is linked to {e}? | Who is the other person in the story of {e}? | Who belongs with {e}? | Which person does {e} know well? | What is the name of the one who is close to {e}? | Who is it that {e} knows so well?
        | Who stands close to {e}? | Whom is {e} linked with? | Which person is connected to {e}? | Who else is named where {e} is?""",
    ),
)
SHOP = (
    ways(  # opening time
        """{e} opens its doors at {v} | The working day at {e} begins at {v} | From {v} on you can walk into {e} | {e} is open from {v} | {e} is closed until {v} | Nobody gets into {e} before {v} | The opening time of {e} is {v}
        | At {e} they unlock the door at {v} | {e} lets people in from {v} | On weekdays {e} opens at {v} | The sign on the door of {e} says it opens at {v} | {e} will open at {v} tomorrow | {e} is ready for visitors at {v}
        | By {v} there is a queue, and then {e} opens | If you come to {e} before {v}, you stand outside | The shutters of {e} go up at {v} | {e} has changed its opening time to {v} | {e} opens early, at {v} | {e} opens late, at {v}
        | {e} is usually open by {v} | Opening time at {e} is {v} | As the clock shows {v}, {e} opens | It is at {v} that {e} opens | {e} receives its first guests at {v} | {e} starts serving at {v} | You may enter {e} from {v} onwards
        | {v} is the hour at which {e} opens | {e} begins business at {v} | Business at {e} starts at {v} | Wait until {v}, and {e} will be open | The lights in {e} go on at {v} | {e} opens, as always, at {v}""",
        """At what hour does {e} open? | When does {e} open its doors? | When do the doors of {e} open? | What time does {e} open? | When does {e} start the day? | From what time can I visit {e}? | How early does {e} open?
        | How early can I go to {e}? | When is the opening time of {e}? | When may I come to {e}? | At what time do they open {e}? | From what hour is {e} open? | When can people enter {e}? | When does business start at {e}?
        | What are the opening hours of {e}, from when? | When will {e} be open? | Give the opening time of {e}. | What is {e}'s opening time? | Until when is {e} closed in the morning? | What hour does {e} open at?
        | When is the door of {e} unlocked? | By what time is {e} open?""",
    ),
    ways(  # street
        """{e} is to be found on {v} | {e} is located on {v} | {e} has its rooms on {v} | The building of {e} is on {v} | The address of {e} is on {v} | Go down {v} and you will see {e} | {e} opened a branch on {v} | {e} occupies a corner house on {v}
        | On {v} stands {e} | {e} has an office on {v} | Halfway along {v} you come to {e} | {e} does business on {v} | {e} can be reached on foot from the station, it is on {v} | {e} left the centre for {v} | {e} has stood on {v} for many years
        | You can visit {e} on {v} | {e} rents two floors on {v} | {e} is the large building on {v} | It is on {v} that you will find {e} | {e}, on {v}, is easy to find | The front door of {e} opens onto {v} | {e} found new rooms on {v}
        | {e} is at the lower end of {v} | Look for {e} on {v} | The headquarters of {e} are on {v} | The bus stops on {v}, right in front of {e} | {e} lies on {v} | The way to {e} leads along {v} | {v} is where {e} is
        | {v} is the address of {e} | Next to the church on {v} is {e} | {e} bought a house on {v} and works there | The street of {e} is {v}""",
        """What is the address of {e}? | Where is {e} located? | Where is {e} to be found? | Which street is home to {e}? | Which road is {e} on? | What street is {e} on? | Where do I find {e}? | Where does {e} have its rooms?
        | Where is the office of {e}? | In which street is {e}? | On what road is {e}? | Where is the building of {e}? | Where would I look for {e}? | How is the street of {e} called? | Where exactly is {e}? | Where does {e} stand?
        | Give the street of {e}. | To which street must I go for {e}? | What is {e}'s address? | Where can one visit {e}? | Which street leads to {e}? | At what address is {e}?""",
    ),
    ways(  # owner or head
        """{v} is in charge of {e} | {v} owns {e} | {v} is the owner of {e} | {e} is run by {v} | {e} is managed by {v} | {e} was founded by {v} | {e} is owned by {v} | The director of {e} is {v} | {v} is the boss at {e} | At {e} it is {v} who decides
        | {e} is in the hands of {v} | The person in charge of {e} is {v} | {v} took over {e} from an uncle | {v} bought {e} from the bank | {v} has run {e} for years | {e} has a new manager, {v} | {v} manages {e} | {v} leads {e}
        | {e}, led by {v}, is doing well | Together with a brother, {v} started {e} | {v} inherited {e} | {e} passed into the hands of {v} | The founder of {e} was {v} | It was {v} who set up {e} | The name on the door of {e} is {v}
        | {e} is headed by {v} | Everybody at {e} answers to {v} | {e} is the property of {v} | The manager of {e} is called {v} | {v} sits at the head of {e} | {v} put a life's savings into {e} | The board of {e} chose {v} as director | {e} has been led by {v} since the summer""",
        """Who owns {e}? | Who is the head of {e}? | Who manages {e}? | Who leads {e}? | Who is the boss of {e}? | To whom does {e} belong? | Who is in charge at {e}? | By whom is {e} run? | Who is responsible for {e}? | What is the name of the owner of {e}?
        | Which person runs {e}? | Who heads {e}? | Who is the manager of {e}? | Who stands at the head of {e}? | In whose hands is {e}? | Who decides at {e}? | Name the owner of {e}. | Who has {e}? | Who is the person behind {e}?
        | Whose company is {e}? | Who is the director of {e}? | Which person is in charge of {e}?""",
    ),
    ways(  # goods
        """At {e} you can buy {v} | {e} trades in {v} | {e} deals in {v} | {e} has the best {v} in town | {e} makes and sells {v} | The window of {e} is full of {v} | If you want {v}, go to {e} | Nobody sells as much {v} as {e} | {e} has {v} on its shelves
        | {e} has always sold {v} | The speciality of {e} is {v} | {e} imports {v} | {e} built its name on {v} | People travel far to buy {v} at {e} | {e} lives from the sale of {v} | What {e} sells is {v} | {e} supplies hotels with {v} | {e} delivers {v} to your door
        | {e} serves {v} from morning till night | For {v} there is no better address than {e} | {e} started with a small stall that sold {v} | {e} advertises {v} | The counter of {e} is loaded with {v} | {e} gives away samples of {v}
        | {e} is a dealer in {v} | {e}, famous for {v}, is always full | This week {e} has {v} at half price | {e} is a shop for {v} | The business of {e} is {v} | {e} has {v} on offer | You should try the {v} at {e} | Everybody who leaves {e} carries {v}""",
        """What can you buy at {e}? | What does {e} deal in? | What goods does {e} sell? | What is on offer at {e}? | What is {e} famous for? | What does {e} trade in? | What is the speciality of {e}? | For what do people go to {e}?
        | What do they sell at {e}? | What does {e} offer? | What product is {e} known for? | What kind of food does {e} sell? | Which goods are sold at {e}? | What can one get at {e}? | What would I buy at {e}? | What is sold at {e}?
        | What does the shop {e} have for sale? | What do people like to buy at {e}? | Which food do you find at {e}? | What does {e} supply? | What is {e}'s speciality? | What should I try at {e}? | Name what {e} sells.""",
    ),
    ways(  # staff
        """{e} has {v} employees | {e} has a staff of {v} | There are {v} workers at {e} | {v} men and women work for {e} | {v} people earn their living at {e} | The number of people who work at {e} is {v} | {e} has grown to {v} workers | {e} pays {v} people every month
        | {e} now has {v} people on its staff | The team at {e} is made up of {v} people | With {v} employees, {e} is well known in the county | Over the years {e} has taken on more people, and now there are {v} | {e} counts {v} employees | {v} jobs depend on {e}
        | At {e} there are {v} people at work | {e} provides jobs for {v} people | {e} keeps {v} people busy | All {v} employees of {e} went on the trip | Every one of the {v} workers at {e} got a bonus | {e} needs {v} people to do the work
        | {e} started the year with {v} workers | A team of {v} works for {e} | The workforce of {e} is {v} strong | The workforce at {e} stands at {v} | {e} hired again and has {v} employees | {e} is a firm of {v} people | For {e} work {v} people
        | In all, {e} employs {v} workers | The payroll of {e} lists {v} names | {e} has places for {v} workers, and all are filled | {v} people are employed by {e} | The staff at {e} numbers {v}""",
        """How many employees does {e} have? | How many workers are there at {e}? | What is the number of employees at {e}? | How many people are employed by {e}? | How many people work for {e}? | How large is the team of {e}? | How big is the staff of {e}?
        | How many are on the staff of {e}? | How many jobs does {e} provide? | What is the size of the staff at {e}? | How many people does {e} give work to? | How many men and women work at {e}? | What is the workforce of {e}? | How large is the workforce at {e}?
        | How many people does {e} pay? | How many jobs are there at {e}? | Give the number of people who work at {e}. | How many workers has {e}? | How strong is the staff of {e}? | With how many people does {e} work? | How big is the team at {e}?""",
    ),
    ways(  # year
        """{e} was established in {v} | {e} has existed since {v} | {e} was started in {v} | {e} began in {v} | {e} was set up in {v} | {e} came into being in {v} | It was in {v} that {e} began | {e} first opened its doors in {v} | The founding year of {e} is {v}
        | The year in which {e} was founded is {v} | {e} has been in business since {v} | {e} traces its history to {v} | Founded in {v}, {e} is still going strong | {e} (founded {v}) is well known | In {v} a few friends founded {e} | In {v} {e} opened its doors for the first time
        | {e} dates from {v} | {e} dates back to {v} | The story of {e} starts in {v} | Back in {v}, {e} was one small room | The first year of {e} was {v} | {e} was born in {v}, in a garage | {e} has been around since {v} | "Since {v}" it says on the sign of {e}
        | {e} was entered in the register in {v} | {v} was the year in which {e} started | {v} saw the founding of {e} | The beginnings of {e} lie in {v} | {e} has served the town since {v} | As early as {v} there was {e} | {e} started trading in {v} | People have known {e} since {v}""",
        """In what year was {e} founded? | When did {e} begin? | When was {e} established? | In which year was {e} started? | When was {e} set up? | Since what year has {e} existed? | What is the founding year of {e}? | In what year did {e} start? | Since when has {e} existed?
        | How long has {e} existed, since which year? | When did the story of {e} start? | When did {e} first open? | From what year does {e} date? | In which year did {e} come into being? | What was the first year of {e}? | Since when has {e} been in business?
        | Which year saw the founding of {e}? | When did the history of {e} begin? | To which year does {e} go back? | Give the year of the founding of {e}. | Since which year has there been {e}? | How old is {e}, by year?""",
    ),
    ways(  # telephone
        """The telephone number of {e} is {v} | {e} can be called on {v} | To speak to {e}, ring {v} | {e}'s number is {v} | The phone at {e} rings under {v} | For orders, {e} has the number {v} | {e} takes calls on {v} | You can phone {e} on {v} | {e} is in the phone book under {v}
        | {e} may be reached by telephone on {v} | By phone you get {e} on {v} | The card of {e} gives the number {v} | The phone number for {e} is {v} | If you dial {v}, you get {e} | {v} is the number of {e} | {e} has a new number, {v} | {e} listed {v} as its number
        | On the van of {e} is the number {v} | {e} has changed its telephone number to {v} | {e} can be contacted on {v} | Anyone who wants to talk to {e} can dial {v} | {v} will connect you with {e} | The line of {e} is {v} | {e} is waiting for your call on {v}
        | Tables at {e} are booked by calling {v} | Should you need {e}, the number is {v} | The office of {e} has the telephone {v} | {e} gave me {v} to ring | {e} (telephone {v}) is always helpful | For a quick answer from {e}, call {v} | {e} prints {v} on every bill | The hotline of {e} is {v}""",
        """What is the telephone number of {e}? | What is {e}'s number? | What is the phone number of {e}? | Under which number can I reach {e}? | On what number can {e} be called? | What number do I ring for {e}? | How do I reach {e} by phone? | What number does {e} have?
        | Which number do I call to reach {e}? | By what number is {e} reached? | Which telephone number has {e}? | How can {e} be reached by telephone? | I want to phone {e}; what is the number? | On which number does {e} answer? | Give the phone number of {e}.
        | Which number should I dial for {e}? | How can I phone {e}? | What number is {e} on? | How can one contact {e}? | What number will connect me with {e}? | Under what number does {e} answer? | What is the hotline of {e}?""",
    ),
)
TOWN = (
    ways(  # people
        """{e} is home to {v} people | The number of people in {e} is {v} | {v} men, women and children live in {e} | {e} has a population of {v} | At the last count {e} had {v} inhabitants | {v} souls live in {e} | There are {v} people living in {e} | In {e} live {v} people
        | {e} has grown to {v} inhabitants | Some years ago {e} was a village, and now it has {v} inhabitants | {e} is a place of {v} people | The register of {e} lists {v} residents | With its {v} inhabitants, {e} has two schools | About the size of {e}: {v} people live there
        | {e} has {v} residents | The inhabitants of {e} number {v} | A total of {v} people call {e} home | Nobody knows all {v} people in {e} | {e} was counted, and the result was {v} people | For {v} people {e} is home | {e} has room for all its {v} people
        | {e} provides water for {v} people | {v} is the population of {e} | As many as {v} people live in {e} | Only {v} people live in {e} | The population of {e} stands at {v} | The population of {e} rose to {v} | The population of {e} fell to {v} | {v} residents pay their taxes in {e}
        | Since the bridge was built, {v} people live in {e} | {e} has {v} inhabitants, if you count the farms | Today {e} has {v} people""",
        """What is {e}'s population? | How many residents does {e} have? | How many inhabitants does {e} have? | How many people are there in {e}? | How many people does {e} have? | How large is the population of {e}? | What is the number of inhabitants of {e}? | How large is {e}?
        | How many live in {e}? | How many residents are there in {e}? | To how many people is {e} home? | How many people call {e} home? | How populous is {e}? | State the number of people in {e}. | What was the last count of people in {e}? | How many souls live in {e}?
        | How many inhabitants are there in {e}? | What number of people live in {e}? | The population of {e} is what? | How high is the population of {e}? | By how many people is {e} inhabited?""",
    ),
    ways(  # mayor
        """{v} was elected mayor of {e} | {e} has a mayor called {v} | The people of {e} voted for {v} as mayor | {v} governs {e} | {v} has been mayor of {e} for two years | {e}'s mayor is {v} | As mayor of {e}, {v} opened the new bridge | {v}, mayor of {e}, spoke first
        | {v} became mayor of {e} in the autumn | {v} won the election in {e} | At the head of {e} stands {v} | The new mayor of {e} is {v} | The town hall of {e} is the office of {v} | {v} runs the town hall of {e} | In {e} it is {v} who wears the mayor's chain | {e} has {v} for a mayor
        | {e} is governed by {v} | {v} leads the council of {e} | The citizens of {e} are pleased with their mayor, {v} | The council of {e} made {v} mayor | {v} took office as mayor of {e} | For the second time {e} elected {v} | Letters to the mayor of {e} go to {v}
        | The leader of {e} is {v} | {v} is in charge of {e} | The job of mayor in {e} went to {v} | {v} signs everything in {e} as mayor | {e} is proud of its mayor, {v} | The mayor's office in {e} belongs to {v} | The voters of {e} gave most votes to {v} | It is {v} who is mayor of {e} | In {e} the mayor is {v}""",
        """Who is {e}'s mayor? | Who governs {e}? | Which person is mayor of {e}? | Who is mayor in {e}? | Who was elected mayor of {e}? | By whom is {e} led? | Who runs {e}? | Who became mayor of {e}? | Who stands at the head of {e}? | Who is in charge of {e}? | What is the mayor of {e} called?
        | Who won the election in {e}? | Whom did {e} choose as mayor? | Who holds the office of mayor in {e}? | Who is the leader of {e}? | Whom did the people of {e} elect? | Give the name of the mayor of {e}. | Who leads the council of {e}? | Who is the head of {e}?
        | Who wears the mayor's chain in {e}? | Which person governs {e}? | The mayor of {e} is who?""",
    ),
    ways(  # river
        """{e} is on the {v} | {e} stands on the banks of the {v} | The {v} runs past {e} | Through {e} flows the {v} | {e} has a bridge over the {v} | The water of {e} comes from the river {v} | In spring the {v} floods {e} | A ferry crosses the {v} at {e} | The {v} divides {e} in two
        | {e} was founded at a ford of the {v} | {e} gets its water from the {v} | Children in {e} swim in the {v} | The river that flows through {e} is the {v} | {e} grew up along the {v} | {e} is a town on the river {v} | Three bridges cross the {v} in {e} | {e} lies in a bend of the {v}
        | The people of {e} fish in the {v} | Ships come up the {v} as far as {e} | On its way to the sea the {v} passes {e} | {e} overlooks the {v} | {e} lies where the {v} grows wide | The old mills of {e} stood by the {v} | The {v} is the river of {e} | {e} owes its wealth to the river {v}
        | The {v} reaches {e} after forty miles | {e} has a harbour on the {v} | From the hills the {v} comes down to {e} | In {e} you can row on the {v} | A path by the {v} leads to {e} | {e}, on the {v}, has a fine old bridge | The river at {e} is called the {v} | The {v} winds through {e}""",
        """What river is {e} on? | Which river flows through {e}? | Which river does {e} lie on? | On what river does {e} stand? | What is the name of the river at {e}? | Which river passes {e}? | What river runs through {e}? | By which river is {e}? | What is {e}'s river?
        | What is the river in {e} called? | On the banks of which river is {e}? | Which river do the bridges of {e} cross? | On which river was {e} built? | What water flows past {e}? | Which river divides {e}? | What river flows through {e}? | From which river does {e} get its water?
        | In which river do the people of {e} swim? | Which river goes past {e}? | Give the name of the river that flows through {e}. | Along which river does {e} lie? | Which river would I see in {e}?""",
    ),
    ways(  # food
        """{e} is known for {v} | The best {v} in the land comes from {e} | In {e} they serve {v} on every corner | {e} is proud of its {v} | On market day {e} smells of {v} | The speciality of {e} is {v} | People come to {e} for {v} | {e} holds a feast of {v} every summer
        | Everybody in {e} eats {v} on Sundays | If you visit {e}, try the {v} | {e} makes its living from {v} | {e} exports {v} | {e} grew rich on {v} | Nowhere do they like {v} as much as in {e} | What visitors remember of {e} is {v} | {e} gave its name to a kind of {v}
        | The inns of {e} serve {v} | The typical food of {e} is {v} | When people hear of {e}, they think of {v} | {e} has been famous for {v} for two centuries | From {e} comes {v} | A trip to {e} is not complete without {v} | The kitchens of {e} are known for {v} | {e} has a museum of {v}
        | {e} is a good place to eat {v} | {e} sells {v} to half the country | {v} from {e} can be found in every shop | In {e} you see {v} on every table | Travellers stop in {e} to eat {v} | For {v} you should go to {e} | Guests of {e} are offered {v} | The market in {e} is the place to buy {v}""",
        """What is {e} known for? | What food is {e} famous for? | What do they eat in {e}? | What is the speciality of {e}? | What is typical of {e}? | What dish is {e} known for? | What should I eat in {e}? | What food comes from {e}? | What do people go to {e} for?
        | What is {e}'s speciality? | Which dish is typical of {e}? | What do they serve in {e}? | For what is {e} famous? | What does {e} export? | What kind of food is {e} proud of? | What should a visitor try in {e}? | Of what is {e} proud? | What food do you get in {e}?
        | Which food made {e} famous? | What do people think of when they hear of {e}? | Name the food of {e}. | What is good to eat in {e}?""",
    ),
    ways(  # country
        """{e} is a town of {v} | {e} is a place in {v} | You will find {e} in {v} | {e} is in the south of {v} | {e} is in the east of {v} | {e} is on the west coast of {v} | {e} is part of {v} | {e} lies deep in {v} | On the map of {v} you can see {e} | {e} is one of the old towns of {v} | In {v} there is a town called {e}
        | {e} is said to be the prettiest town in {v} | To reach {e} you must travel to {v} | The country in which {e} lies is {v} | {e} has been part of {v} for a century | {e} lies near the border of {v}, on the inside | {e} stands in the hills of {v} | {e} lies in the middle of {v} | The land around {e} is {v}
        | {e}, in {v}, is full of visitors | {e} ({v}) has a cathedral | The trains to {e} start in the capital of {v} | {e} can be reached from all parts of {v} | Of all the towns in {v}, {e} is the oldest | In {e} they wave the flag of {v} | {e} is a small place in {v} | {e} is situated in {v} | {e} is located in {v}
        | The people of {e} are citizens of {v} | Nobody in {v} has not heard of {e} | {e} sits by a lake in {v} | Travelling through {v}, we came to {e} | {v} is where {e} is""",
        """In what country is {e}? | What country is {e} in? | Which country does {e} belong to? | In which country does {e} lie? | Where is {e} located? | Where does {e} lie? | In what country would I find {e}? | What is the country of {e}? | Of which country is {e} a part? | Where is the town of {e}?
        | To which country does {e} belong? | What country must I travel to if I want to see {e}? | In which land is {e}? | Where can {e} be found? | In what part of the world is {e}? | On the map of which country is {e}? | In which country can you find {e}? | {e} is in which country?
        | What is the name of the country where {e} is? | {e} belongs to which country? | Where would I find {e}? | In which country is {e} situated?""",
    ),
)
EVENT = (
    ways(  # date
        """{e} will be on {v} | {e} is planned for {v} | {e} has been set for {v} | {e} happens on {v} | We are going to {e} on {v} | On {v} everybody will be at {e} | {e} is going to be held on {v} | Mark {v} for {e} | The day of {e} is {v} | The date set for {e} is {v} | {e} will take place on {v}
        | Keep {v} free for {e} | {e} was put off until {v} | It is on {v} that {e} takes place | They announced {e} for {v} | The posters give {v} as the date of {e} | Do not miss {e} on {v} | {e} is due on {v} | As for {e}, the date is {v} | {e} opens on {v} | {e} has a new date, {v} | The next date for {e} is {v}
        | {e} (on {v}) is nearly sold out | In the calendar {e} stands under {v} | {e} was brought forward to {v} | People look forward to {e} on {v} | If all goes well, {e} is on {v} | The club holds {e} on {v} | {v} has been fixed for {e} | {v} is the date of {e} | Until {v} nothing can be seen of {e} | {e} falls on {v} this year | Tickets for {e} are dated {v}""",
        """When will {e} be? | When is {e} planned? | For what date is {e} planned? | What is the date for {e}? | On which date is {e}? | When will {e} take place? | On what date does {e} take place? | When is {e} going to be? | When does {e} happen? | What date was set for {e}? | Which date has {e}?
        | For which date is {e} set? | When is {e} due? | When is the date of {e}? | Which date should I keep free for {e}? | What date is {e}? | When can I go to {e}? | What date do the posters give for {e}? | When are they holding {e}? | To what date was {e} moved? | Give the date of {e}. | On which date will {e} be held?""",
    ),
    ways(  # town
        """{e} takes place in {v} | {e} will be held in {v} | {e} is in {v} this time | People travel to {v} for {e} | The place chosen for {e} is {v} | {v} hosts {e} | {v} was chosen as the place for {e} | {e} has moved to {v} | {e} comes to {v} | We drive to {v} for {e} | If you want to see {e}, go to {v}
        | In {v} they are getting ready for {e} | {e} has always been in {v} | {e} is staged in {v} | The town that hosts {e} is {v} | {v} is getting ready for {e} | For the first time {e} will be in {v} | All roads lead to {v} for {e} | {e} attracts people to {v} | Hotels in {v} are full because of {e}
        | {e} was given to {v} | {v} is the town of {e} | It is in {v} that {e} takes place | The next stop of {e} is {v} | {e} draws crowds to {v} | {v} expects a thousand guests for {e} | {e} is being held in {v} | The organisers chose {v} for {e} | {e} found a home in {v} | They are holding {e} in {v} | Buses to {v} run all day for {e} | {v} has invited everybody to {e}""",
        """Where does {e} take place? | In what town is {e}? | In which town is {e} held? | Which town hosts {e}? | Which place was chosen for {e}? | Where will {e} be? | Where will {e} be held? | In which place is {e}? | What town is {e} in? | Where can I see {e}? | Where do people go for {e}?
        | To which town must I travel for {e}? | What is the town of {e}? | Where is {e} going to be? | Where are they holding {e}? | Which town welcomes {e}? | Name the town where {e} is held. | What place hosts {e}? | In which town will {e} be? | Where is {e} taking place? | Where should I go for {e}?""",
    ),
    ways(  # price
        """{e} is {v} a head | Entry to {e} is {v} | It costs {v} to get into {e} | Tickets for {e} cost {v} | They ask {v} for {e} | To get into {e} you pay {v} | The fee for {e} comes to {v} | Admission to {e} is {v} | You can get into {e} for {v} | The ticket price for {e} is {v} | A seat at {e} costs {v}
        | A place at {e} costs {v} | Visitors to {e} pay {v} | For {v} you can go to {e} | {e} is not free: it costs {v} | The cost of {e} is {v} | {e} can be visited for {v} | {e} comes at a price of {v} | Everyone who goes to {e} has to pay {v} | We paid {v} for {e} | At the gate of {e} they take {v}
        | Each guest at {e} pays {v} | With a ticket at {v}, {e} is good value | {v} is what {e} costs | {v} is the price of {e} | {v} gets you into {e} | The organisers charge {v} for {e} | The charge for {e} is {v} | The entrance fee for {e} is {v} | {e} has become dearer and costs {v} | Bring {v} for {e} | {e} charges {v} at the door""",
        """How much does {e} cost? | What is the cost of {e}? | How much is a ticket for {e}? | What does a ticket for {e} cost? | What do they charge for {e}? | What do I have to pay for {e}? | What is the entrance fee for {e}? | How much do they ask for {e}? | What is the ticket price for {e}?
        | How much is the fee for {e}? | What do I pay for {e}? | How much money do I need for {e}? | How expensive is {e}? | What is the admission to {e}? | For how much can I get into {e}? | At what price can one go to {e}? | How much is entry to {e}? | Give the price of {e}. | What does entry to {e} cost?
        | How much do visitors to {e} pay? | What is the charge for {e}? | How much should I bring for {e}?""",
    ),
    ways(  # person
        """{e} is organised by {v} | {v} organises {e} | {v} is in charge of {e} | {e} is led by {v} | {v} runs {e} | {e} was the idea of {v} | {v} is the host of {e} | {v} hosts {e} | For questions about {e}, ask {v} | Behind {e} stands {v} | The person behind {e} is {v} | {v} has planned {e} for months
        | {e} is in the hands of {v} | {e} will be opened by {v} | {v} gives the first speech at {e} | {v} invites everyone to {e} | {v} is responsible for {e} | The organiser of {e} is {v} | The one who looks after {e} is {v} | {v} had the idea for {e} | {v} set up {e} | {e} would not exist without {v}
        | As every year, {v} runs {e} | The main guest at {e} is {v} | {e} is under the direction of {v} | {v} directs {e} | {v} has taken over {e} | Everything about {e} is decided by {v} | {v} does most of the work for {e} | {v} welcomes the guests at {e} | The leader of {e} is {v} | It is {v} who arranges {e} | {e} was arranged by {v}""",
        """Who organises {e}? | Who runs {e}? | Who is in charge of {e}? | Who hosts {e}? | Who is responsible for {e}? | By whom is {e} organised? | Who is the organiser of {e}? | Who stands behind {e}? | Who planned {e}? | Who arranges {e}? | Which person leads {e}? | Who is the leader of {e}?
        | Whom should I ask about {e}? | In whose hands is {e}? | Which person is in charge of {e}? | Who looks after {e}? | Who is the person behind {e}? | What is the name of the host of {e}? | Who directs {e}? | Who will welcome the guests at {e}? | Who invites people to {e}? | Who has to do with {e}?""",
    ),
    ways(  # weekday
        """{e} is on a {v} | {e} takes place on a {v} | This time {e} is on a {v} | People come to {e} every {v} | {e} is held every {v} | The weekday of {e} is {v} | On {v} it is time for {e} | They always hold {e} on a {v} | {e} has its day on {v} | The day of the week for {e} is {v} | {e} happens each {v}
        | Come to {e} next {v} | {e} is scheduled for a {v} | {e} has always been on a {v} | Next {v} we go to {e} | {v} is the weekday for {e} | {e} is a thing for {v} | It will be a {v} when {e} begins | {e} begins on a {v} | {e} was moved to a {v} | {v} evening belongs to {e} | {e} is planned for {v} evening
        | As for the day of the week, {e} is on a {v} | For {e} they picked a {v} | {e} fills every {v} | On {v} morning {e} begins | {e} comes round every {v} | Do not plan anything for {v}, because of {e} | {e} will be on {v} afternoon | Nobody works on {v} because of {e} | The best day for {e} is a {v} | {e} never takes place on any day but {v}""",
        """What day of the week is {e}? | On which day of the week is {e}? | On what weekday does {e} take place? | What is the weekday of {e}? | Which weekday is {e}? | On what day of the week is {e} held? | On which weekday does {e} take place? | Which weekday is {e} on? | On which day of the week does {e} fall?
        | What weekday is {e} on? | Which day of the week was picked for {e}? | {e} falls on which day of the week? | On what day of the week does {e} begin? | For which weekday is {e} planned? | What day of the week does {e} happen? | Which weekday does {e} take up? | Name the weekday of {e}.
        | On which weekday can I go to {e}? | Which day of the week is it that {e} takes place? | What weekday was chosen for {e}? | On which weekday do they hold {e}?""",
    ),
)
OBJECT = (
    ways(  # colour
        """{e} has a {v} colour | {e} is {v} all over | Somebody painted {e} {v} | They gave {e} a coat of {v} paint | {e} was {v} from the start | You can recognise {e} because it is {v} | In the light {e} appears {v} | {e} shines {v} in the sun | The paint on {e} is {v} | {e} has turned {v} | {e} comes in {v} | {e} was dyed {v}
        | Of all colours, {e} is {v} | The colour that {e} has is {v} | {e}, {v} on all sides, is hard to miss | The outside of {e} is {v} | From afar {e} seems {v} | {e} was painted again and is now {v} | {e} may be old but its {v} colour is still fresh | For {e} they chose the colour {v} | {e} is of a {v} colour
        | The finish of {e} is {v} | I remember that {e} was {v} | {e} is the {v} one | {e} is coloured {v} | Look at {e} and you see how {v} it is | It is the colour {v} that {e} has | {e} looks quite {v} by day | {e} is more or less {v} | {e} is bright and {v} | The surface of {e} is {v} | As to colour, {e} is {v} | {e} is painted {v}""",
        """What is {e}'s colour? | Of what colour is {e}? | In what colour is {e} painted? | Which colour is {e}? | What colour does {e} have? | What colour was {e} painted? | How does {e} look, what colour is it? | What is the colour that {e} has? | What colour has {e}? | In which colour does {e} come?
        | What colour is the paint on {e}? | What colour did they choose for {e}? | Which colour does {e} have? | What is the paint on {e} like? | In what colour was {e} made? | Tell the colour of {e}. | Which colour was {e} painted? | How is {e} coloured? | By what colour can you recognise {e}? | The colour of {e} is what?
        | {e} is of which colour? | What shade is {e}?""",
    ),
    ways(  # person
        """{e} is the property of {v} | {v} bought {e} | {v} has {e} | {e} was left behind by {v} | {v} found {e} | {v} lent us {e} | {e} was made by {v} | {e} was brought by {v} | {v} inherited {e} | {e} once belonged to {v} | {v} will not part with {e} | {v} takes {e} everywhere | {v} keeps {e} at home
        | {v} won {e} in a lottery | {v} uses {e} every day | {v} got {e} for a birthday | {v} picked {e} from a catalogue | {e} was given to {v} | {v} says that {e} is a family piece | {v} is the owner of {e} | The owner of {e} is {v} | It was {v} who brought {e} | If you want to borrow {e}, ask {v}
        | {v} cleaned {e} | {e} came from {v} | {v} left {e} to the museum | The name on {e} is {v} | {v} has been looking for {e} all week | {e} is what {v} likes best | {e} was carried in by {v} | {v} sent {e} | The person who made {e} is {v} | {e} has been with {v} for years""",
        """To whom does {e} belong? | Who is connected with {e}? | Which person is named with {e}? | Who is the person that goes with {e}? | Who has to do with {e}? | Which person has to do with {e}? | Whose name goes with {e}? | Who is mentioned together with {e}? | Who is linked to {e}? | Who had {e}?
        | What person is named along with {e}? | With whom is {e} connected? | Who is it that {e} is linked with? | Which person goes with {e}? | Whose name is mentioned with {e}? | Name the one who goes with {e}. | Which person is linked to {e}? | Who is the person mentioned with {e}? | By what person was {e} owned, made or brought?
        | What is the name of the person of {e}? | Who plays a part in the story of {e}? | Of whom does one think with {e}?""",
    ),
    ways(  # price
        """{e} cost {v} | {e} is on sale for {v} | {e} went for {v} | Somebody bought {e} for {v} | {e} is priced at {v} | The asking price for {e} is {v} | You can have {e} for {v} | {e} was bought for {v} | The price tag on {e} says {v} | {e} has a price of {v} | The value of {e} is {v} | {e} is valued at {v} | I would give {v} for {e}
        | They want {v} for {e} | {e} fetched {v} at the auction | {e} can be had for {v} | {e} sells for {v} | {e} changed hands for {v} | An expert put the value of {e} at {v} | In the shop {e} is {v} | {v} is a fair price for {e} | {v} was paid for {e} | {v} is the price of {e} | At {v}, {e} is a bargain | For {v} you can take {e} home
        | {e} was marked down to {v} | {e} is insured for {v} | The bill for {e} was {v} | {e} was offered at {v} | The cost of {e} is {v} | Someone paid {v} to get {e} | {e} set us back {v} | {e} is dear: it costs {v}""",
        """How much does {e} cost? | What did they pay for {e}? | How much was {e}? | What is the value of {e}? | What was paid for {e}? | How much was paid for {e}? | For how much was {e} sold? | How much is {e} worth? | At what price was {e} sold? | How much do they want for {e}? | How much would I have to pay for {e}?
        | What is the cost of {e}? | What does the price tag of {e} say? | How expensive is {e}? | What did {e} cost? | For what price can I have {e}? | What price was {e} sold at? | How much money is {e} worth? | What sum was paid for {e}? | What price do they ask for {e}? | How high is the price of {e}? | Give the price of {e}.""",
    ),
    ways(  # place
        """{e} is right beside {v} | {e} is under {v} | {e} is behind {v} | {e} is in front of {v} | {e} stands next to {v} | {e} was left near {v} | Somebody put {e} behind {v} | {e} hangs over {v} | {e} leans against {v} | {e} is to the left of {v} | {e} is to the right of {v} | You find {e} close to {v} | {e} fell behind {v} | Look behind {v} and you will find {e}
        | {e} has its place by {v} | {e} has been moved next to {v} | {e} lies under {v} | They keep {e} near {v} | Somewhere near {v} lies {e} | Right next to {v} there is a place for {e} | {e} was found beside {v} | {e} ended up under {v} | {e} was set down beside {v} | {e} can be seen behind {v} | {e} rests on {v} | The place of {e} is beside {v}
        | {e} lies half hidden behind {v} | {e} was stored with {v} | {e} has always been kept beside {v} | Between the wall and {v} you will find {e} | Not far from {v} stands {e} | Close by {v} lies {e} | {e} is at the foot of {v}""",
        """Where is {e} kept? | Where does {e} lie? | Where does {e} stand? | Where can {e} be found? | Where should I look for {e}? | Where did they put {e}? | What is {e} near? | What is {e} next to? | Near what does {e} lie? | Where was {e} left? | Next to what is {e}? | Beside what will I find {e}? | Where do they keep {e}? | Where would I find {e}?
        | What lies close to {e}? | What is beside {e}? | What is the place of {e} close to? | Where has {e} been put? | By what is {e}? | Where was {e} found, close to what? | Near which thing is {e}? | In what place is {e}?""",
    ),
    ways(  # year
        """{e} was built in {v} | {e} was produced in {v} | {e} comes from the year {v} | {e} has been around since {v} | {e} goes back to {v} | The year of {e} is {v} | {e} dates back to {v} | Somebody made {e} in {v} | It was in {v} that {e} was made | {e} left the workshop in {v} | The date on {e} is {v} | {e} bears the date {v} | Made in {v}, {e} is still in use
        | {e} is as old as the year {v} | In the year {v} a craftsman made {e} | {e} (made in {v}) is on show | {e} was finished in {v} | Work on {e} ended in {v} | {e} was created in {v} | Experts say that {e} was made in {v} | {e} is thought to be from {v} | {e} was first seen in {v} | {e} has existed since {v} | A stamp shows that {e} is from {v} | {e} was put together in {v}
        | {v} was the year in which {e} was made | {v} is the year of {e} | {e} has lasted since {v} | In {v} someone designed {e} | Since {v} {e} has been passed on in the family | {e} was new in {v} | {e} carries the year {v} | The history of {e} began in {v}""",
        """In what year was {e} made? | In which year was {e} made? | When was {e} built? | From what year is {e}? | What is the year of {e}? | How far does {e} go back? | When was {e} produced? | Which year is {e} from? | In which year was {e} built? | What year was {e} made? | Since when has {e} existed? | From when is {e}? | What year does {e} date from?
        | To which year does {e} go back? | When was {e} new? | In what year was {e} finished? | When did someone make {e}? | What year is given for {e}? | When was {e} created? | What date does {e} bear? | Of what year is {e}? | By year, how old is {e}?""",
    ),
    ways(  # code
        """{e} is marked {v} | {e} is number {v} | The number on {e} is {v} | {e} is registered as {v} | {e} is listed as {v} | {e} bears the number {v} | {e} was given the number {v} | On {e} you can read {v} | On the back of {e} it says {v} | A sticker on {e} shows {v} | The tag on {e} reads {v} | In the list {e} has the number {v} | {e} is known by the code {v}
        | The code of {e} is {v} | The code for {e} is {v} | Somebody wrote {v} on {e} | Under {v} you will find {e} in the catalogue | {e} stands in the books as {v} | {e} has {v} printed on it | Stamped on {e} is {v} | {e} comes with the code {v} | The reference for {e} is {v} | {v} is the number of {e} | {v} is the code on {e} | For {e}, type {v} | {e} carries the label {v}
        | {e} has the inventory number {v} | The serial number of {e} is {v} | {e} can be ordered under {v} | The mark on {e} is {v} | Please quote {v} when you ask about {e} | Look for {v} on the bottom of {e} | Engraved on {e} are the signs {v}""",
        """What number does {e} have? | What is the code of {e}? | What is the number on {e}? | Which number has {e}? | Under what number is {e} filed? | What code is on {e}? | What is the mark on {e}? | What does it say on {e}? | What does the tag on {e} say? | Which code does {e} have? | Under which code is {e} listed? | How is {e} marked?
        | What stands on {e}? | What is the reference for {e}? | Which number is on {e}? | What can you read on {e}? | What number was given to {e}? | By which number is {e} known? | How is {e} registered? | What is the serial number of {e}? | Which label does {e} carry? | Give the code of {e}.""",
    ),
)
