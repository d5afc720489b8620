# ruff: noqa: E501  (phrase lists read best in long lines)
"""Kinds of which only training rows speak: works, people at work, things made. All phrasings are for training."""

from __future__ import annotations

from recipes.fiddle.draw import DAYS, Draw
from recipes.fiddle.skills.facts import Kind
from recipes.fiddle.skills.measures import listed, measure, number, one_of, room, said, span, title
from recipes.fiddle.skills.other_kinds import OTHER_KINDS

BOOK = Kind(
    lambda draw: f'"{title(draw)}"',
    (
        said(Draw.person,
             """{v} wrote {e} | {e} was written by {v} | The author of {e} is {v} | {e} is a book by {v} | {e} is the first novel of {v} | It took {v} six years to write {e} | {v} is the author of {e} | On the cover of {e} stands the name {v} | {v} became famous with {e}
             | {e} comes from the pen of {v} | {e} made {v} rich | With {e}, {v} won a prize | In the shops {e} stands under the name of {v} | The writer {v} finished {e} at sea | {v} reads from {e} tonight | It was {v} who wrote {e} | Nobody but {v} could have written {e}""",
             """Who wrote {e}? | Who is the author of {e}? | By whom was {e} written? | What is the name of the author of {e}? | Whose book is {e}? | Name the author of {e}. | Which writer is behind {e}? | Who is named on the cover of {e}? | {e} was written by whom? | Which author wrote {e}? | From whose pen comes {e}? | Who became famous with {e}?"""),
        said(number(40, 1400),
             """{e} has {v} pages | {e} is {v} pages long | There are {v} pages in {e} | {e} runs to {v} pages | I read all {v} pages of {e} | With its {v} pages, {e} is heavy | The number of pages in {e} is {v} | {e} tells its story in {v} pages | It takes {v} pages before {e} comes to its end | {e} was cut down to {v} pages
             | On {v} pages {e} tells of a long journey | {e} fills {v} pages | A copy of {e} has {v} pages | The new edition of {e} has {v} pages | {e} comes to {v} pages, with pictures""",
             """How many pages does {e} have? | How long is {e}? | What is the number of pages in {e}? | How many pages are there in {e}? | How many pages long is {e}? | How many pages has {e}? | To how many pages does {e} run? | How many pages must I read in {e}? | How thick is {e}, in pages? | What is the length of {e}? | How many pages does {e} fill?"""),
        said(number(1700, 2025),
             """{e} came out in {v} | {e} was published in {v} | {e} appeared in {v} | The first edition of {e} is from {v} | {e} has been in print since {v} | In {v} {e} was printed for the first time | {e} was a great success in {v} | {e} is a book of {v} | {e} was first sold in {v} | {e} dates from {v} | It was in {v} that {e} came out
             | The year of publication of {e} is {v} | {e} (published {v}) is still read | After many delays {e} came out in {v} | {e} reached the shops in {v}""",
             """When did {e} come out? | When was {e} published? | In which year did {e} appear? | What year is {e} from? | When was {e} first printed? | In what year was {e} published? | Since when has {e} been in print? | What is the year of publication of {e}? | When did {e} reach the shops? | From which year is the first edition of {e}? | Which year did {e} come out?"""),
        said(listed("subjects"),
             """{e} is about {v} | {e} deals with {v} | {e} is a book on {v} | The subject of {e} is {v} | In {e} you can read about {v} | {e} tells you all about {v} | {e} gives a history of {v} | If you care about {v}, read {e} | {e} explains {v} to beginners | The theme of {e} is {v} | {e} is an introduction to {v} | What {e} is about is {v}
             | {e} has a long chapter on {v} | Readers of {e} learn much about {v} | {e} treats {v} in plain words""",
             """What is {e} about? | What does {e} deal with? | What is the subject of {e}? | What is the theme of {e}? | What can I read about in {e}? | About what is {e}? | Which subject does {e} treat? | What topic has {e}? | What do readers of {e} learn about? | What does {e} explain? | On what subject is {e}?"""),
        said(Draw.company,
             """{e} was published by {v} | The publisher of {e} is {v} | {v} published {e} | {v} brought out {e} | {e} is printed by {v} | {e} is sold through {v} | The rights to {e} are with {v} | {v} has the rights to {e} | {e} came out with {v} | {v} is the publisher of {e} | The firm that printed {e} is {v} | {v} took a risk with {e}
             | {v} paid a high sum for {e} | After nine refusals {e} was accepted by {v} | {v} keeps {e} in print""",
             """Who published {e}? | Who is the publisher of {e}? | Which firm published {e}? | By which company was {e} published? | Which company brought out {e}? | What is the publisher of {e} called? | Which publisher has the rights to {e}? | With which publisher did {e} come out? | Name the publisher of {e}. | Which company is behind {e}? | Which firm prints {e}?"""),
    ),
    "The book",
)  # fmt: skip
FILM = Kind(
    lambda draw: f"the film {title(draw)}",
    (
        said(Draw.person,
             """{v} directed {e} | {e} was directed by {v} | The director of {e} is {v} | {e} was made by {v} | {e} is the work of {v} | {v} shot {e} in six weeks | {v} got an award for directing {e} | Behind {e} stands the director {v} | {e} is the third film of {v} | With {e}, {v} had a first success as director | {v} is the director of {e}
             | For {e}, {v} sat in the director's chair | It was {v} who directed {e} | {v} put everything into directing {e} | {e} shows the style of its director, {v}""",
             """Who directed {e}? | Who is the director of {e}? | By whom was {e} directed? | Who made {e}? | Whose work is {e}? | Name the director of {e}. | Which director made {e}? | What is the name of the director of {e}? | Who shot {e}? | Which person directed {e}? | Who sat in the director's chair for {e}?"""),
        said(Draw.person,
             """{v} plays the lead in {e} | The star of {e} is {v} | {e} stars {v} | The main part in {e} is played by {v} | In {e} you see {v} in the main role | {v} has the main role in {e} | {v} acts in {e} | The main actor in {e} is {v} | {e} is worth seeing because of {v} in the leading part | {v} learned to ride in order to star in {e} | {v} is the star of {e}
             | The hero of {e} is played by {v} | For the lead in {e} they chose {v} | {v} was given the leading role in {e} | Nobody could play the lead in {e} like {v}""",
             """Who plays the lead in {e}? | Who is the star of {e}? | Who has the main role in {e}? | Who plays the main part in {e}? | Who stars in {e}? | Which actor has the lead in {e}? | By whom is the hero of {e} played? | Who acts in {e}? | Name the main actor in {e}. | What is the name of the star of {e}? | Whom do we see in the main role of {e}?"""),
        said(measure(60, 230, "minutes", "min"),
             """{e} lasts {v} | {e} is {v} long | The length of {e} is {v} | {e} runs for {v} | It takes {v} to watch {e} | After {v}, {e} is over | {e} has a running time of {v} | You sit for {v} when you watch {e} | {e} was cut to {v} | In {v} {e} tells the story of two families | At {v}, {e} is rather long | {e} goes on for {v} | All in all {e} takes {v}
             | The running time of {e} is {v} | Not a moment of the {v} of {e} is dull""",
             """How long is {e}? | How long does {e} last? | What is the length of {e}? | What is the running time of {e}? | How long does it take to watch {e}? | How much time does {e} take? | How long does {e} run? | How long do I sit in {e}? | For how long does {e} go on? | After what time is {e} over? | Give the length of {e}."""),
        said(number(1920, 2025),
             """{e} came to the cinemas in {v} | {e} was shown for the first time in {v} | {e} was released in {v} | {e} is from {v} | {e} was filmed in {v} | In {v} everybody went to see {e} | {e} was the hit of {v} | {e} won a prize in {v} | The year of {e} is {v} | {e} was made in {v} | {e} had its first night in {v} | It was in {v} that {e} came out | {e} goes back to {v}
             | People queued for {e} in {v} | {v} was the year of {e}""",
             """When was {e} released? | When did {e} come out? | What year is {e} from? | In which year was {e} made? | When was {e} first shown? | When was {e} made? | In what year did {e} come to the cinemas? | From which year is {e}? | What is the year of {e}? | When could people first see {e}? | Which year was {e} released?"""),
        said(listed("countries"),
             """{e} was shot in {v} | {e} was filmed on location in {v} | {e} is set in {v} | The story of {e} takes place in {v} | {e} takes us to {v} | All the scenes of {e} were shot in {v} | The makers of {e} travelled to {v} | {e} shows the landscapes of {v} | {e} comes from {v} | {v} is the setting of {e} | For {e} they went to {v}
             | The country that we see in {e} is {v} | {e} plays in {v} | {e} was produced in {v} | In {e} a boy walks across {v}""",
             """In which country was {e} shot? | Where was {e} filmed? | Where is {e} set? | Where does the story of {e} take place? | In what country does {e} play? | What country do we see in {e}? | Where was {e} shot? | Which country is the setting of {e}? | Where does {e} take us? | To which country did the makers of {e} travel? | What is the country of {e}?"""),
    ),
    "The film",
)  # fmt: skip
SHIP = Kind(
    lambda draw: f"the {draw.any((draw.word('adjectives').title() + ' ' + draw.word('animals').title(), draw.first_name() + ' ' + draw.last_name(), draw.made_up().capitalize()))}",
    (
        said(Draw.person,
             """The captain of {e} is {v} | {v} is captain of {e} | {e} sails under {v} | {v} commands {e} | {e} is commanded by {v} | {v} has been the captain of {e} since May | On board {e}, {v} gives the orders | {v} steers {e} | At the wheel of {e} stands {v} | {e} was handed over to a new captain, {v} | {v} took command of {e} | The crew of {e} trusts its captain, {v}
             | {v} brought {e} safely home | {v} has the command of {e} | Everyone on {e} obeys {v}""",
             """Who is the captain of {e}? | Who commands {e}? | Under whom does {e} sail? | Who steers {e}? | Who gives the orders on {e}? | By whom is {e} commanded? | What is the captain of {e} called? | Who is in command of {e}? | Name the captain of {e}. | Which captain has {e}? | Whom does the crew of {e} obey?"""),
        said(measure(8, 380, "metres", "feet", "m"),
             """{e} is {v} long | {e} measures {v} | The length of {e} is {v} | From end to end {e} measures {v} | {e} has a length of {v} | {e} was built {v} long | With a length of {v}, {e} is a big ship | {v} is the length of {e} | From bow to stern {e} is {v} | {e} needs a berth of more than {v} because that is its length | The hull of {e} is {v} long
             | They measured {e} and got {v} | At {v}, {e} just fits into the lock | {e} may not look it, but it is {v} long | In length {e} comes to {v}""",
             """How long is {e}? | What is the length of {e}? | What does {e} measure? | How many metres or feet long is {e}? | What length has {e}? | How much does {e} measure from end to end? | What is the size of {e}, in length? | How long was {e} built? | Give the length of {e}. | How long is the hull of {e}? | From bow to stern, how long is {e}?"""),
        said(Draw.town,
             """The home port of {e} is {v} | {e} sails from {v} | {e} is based in {v} | {e} belongs to the port of {v} | {e} has its home in {v} | After every voyage {e} returns to {v} | {e} is registered in {v} | {e} lies in the harbour of {v} | {v} is the home port of {e} | In winter {e} lies in {v} | On the stern of {e} you read {v} | {e} calls {v} its port
             | {e} comes from {v} | The harbour of {v} is home to {e} | Every spring {e} leaves {v}""",
             """What is the home port of {e}? | Where is {e} based? | Which port is home to {e}? | Where is {e} registered? | From where does {e} sail? | In which harbour does {e} lie? | To which port does {e} belong? | Where does {e} come from? | Where does {e} have its home? | To which port does {e} return? | Name the port of {e}."""),
        said(listed("foods"),
             """{e} carries {v} | The cargo of {e} is {v} | {e} is loaded with {v} | {e} transports {v} | In the hold of {e} there is nothing but {v} | {e} brings {v} across the sea | On this voyage {e} takes {v} | The freight of {e} is {v} | {e} is full of {v} | They loaded {e} with {v} | {e} delivers {v} to the islands | What {e} has on board is {v}
             | {e} set sail with {v} in the hold | The men unload {v} from {e} | {e} smells of {v}, its cargo""",
             """What does {e} carry? | What is the cargo of {e}? | With what is {e} loaded? | What is on board {e}? | What does {e} transport? | What is in the hold of {e}? | What freight does {e} have? | Which goods does {e} carry? | What does {e} bring across the sea? | What was loaded onto {e}? | Name the cargo of {e}."""),
        said(measure(6, 45, "knots"),
             """{e} makes {v} | {e} can do {v} | The top speed of {e} is {v} | {e} sails at {v} | {e} has a speed of {v} | In good wind {e} reaches {v} | {e} never goes faster than {v} | At {v}, {e} is quick | The engine drives {e} at {v} | {e} does {v} on the open sea | The speed of {e} is {v} | With a fair wind {e} runs {v}
             | Nobody believed that {e} could make {v} | {e} was clocked at {v} | On a calm day {e} goes at {v}""",
             """How fast is {e}? | What is the speed of {e}? | What is the top speed of {e}? | How fast can {e} go? | How many knots does {e} make? | What speed does {e} reach? | At what speed does {e} sail? | How quick is {e}? | How many knots can {e} do? | What is the greatest speed of {e}? | Give the speed of {e}."""),
        said(number(1850, 2024),
             """{e} was launched in {v} | {e} was built in {v} | {e} first went to sea in {v} | {e} has sailed since {v} | {e} dates from {v} | In {v} {e} left the yard | The yard finished {e} in {v} | The year of {e} is {v} | {e} made its first voyage in {v} | {e} was christened in {v} | {e} has been afloat since {v} | It was in {v} that {e} was launched
             | {v} was the year in which {e} was built | A plate shows that {e} was built in {v} | {e}, launched in {v}, is still afloat""",
             """When was {e} launched? | When was {e} built? | In which year did {e} first sail? | In what year was {e} launched? | Since when has {e} sailed? | What year is {e} from? | When did {e} leave the yard? | When did {e} make its first voyage? | What is the year of {e}? | Which year was {e} built? | From which year is {e}?"""),
    ),
    "The ship",
)  # fmt: skip
COURSE = Kind(
    lambda draw: f"the course on {draw.word('subjects')}",
    (
        said(Draw.person,
             """{v} teaches {e} | {e} is taught by {v} | The teacher of {e} is {v} | {e} is given by {v} | {v} gives {e} for the second time | In {e} you learn from {v} | {v} took over {e} after Easter | {e} has a new teacher, {v} | {v} leads {e} | The name under {e} in the plan is {v} | Students like {e} because of {v} | {v} is the teacher of {e} | {v} offers {e} | {e} is held by {v} | It is {v} who teaches {e}""",
             """Who teaches {e}? | Who is the teacher of {e}? | By whom is {e} taught? | Who gives {e}? | Who leads {e}? | What is the name of the teacher of {e}? | Which teacher gives {e}? | From whom do I learn in {e}? | Name the teacher of {e}. | Who holds {e}? | Which person offers {e}?"""),
        said(room,
             """{e} meets in {v} | {e} is held in {v} | {e} takes place in {v} | You go to {v} for {e} | For {e} we use {v} | {e} was moved to {v} | The room for {e} is {v} | {e} has been given {v} | The plan puts {e} in {v} | Bring your books to {v} for {e} | {e} is in {v} | Because of the paint, {e} will be in {v} | Those who attend {e} meet in {v} | {e} fills {v} | You will find {e} in {v}""",
             """In which room is {e}? | Where is {e} held? | Where does {e} take place? | Where does {e} meet? | What room is {e} in? | Which room has {e}? | Where must I go for {e}? | To which room was {e} moved? | What is the room for {e}? | Where can I find {e}? | Where is {e}?"""),
        said(one_of(*DAYS),
             """{e} is on {v} | {e} meets every {v} | {e} takes place on {v} | On {v} there is time for {e} | {v} is the day for {e} | {e} is taught on {v} | We have {e} on {v} | {e} was put on {v} | The day of {e} is {v} | {e} always falls on a {v} | Each {v} the students go to {e} | {e} starts next {v} | Keep {v} free for {e} | {e} is given once a week, on {v} | Nobody misses {e} on {v}""",
             """On which day is {e}? | What day is {e}? | Which weekday has {e}? | On what day of the week does {e} meet? | On which day does {e} take place? | What is the day of {e}? | Which day of the week is {e}? | On what day do we have {e}? | Which day should I keep free for {e}? | On which weekday is {e} taught? | Name the day of {e}."""),
        said(Draw.clock,
             """{e} begins at {v} | {e} starts at {v} | The first lesson of {e} is at {v} | Be there at {v} for {e} | {e} always begins at {v} sharp | At {v} the bell rings for {e} | The time of {e} is {v} | {e} has been moved to {v} | {e} is at {v} | From {v} on you can attend {e} | The teacher opens {e} at {v} | {v} is the time of {e} | As a rule {e} starts at {v} | We sit down for {e} at {v} | The hour fixed for {e} is {v}""",
             """At what time does {e} begin? | What time is {e}? | What time does {e} start? | At what hour is {e}? | What is the time of {e}? | By what time should I be at {e}? | At which hour does {e} begin? | To what time was {e} moved? | What hour is fixed for {e}? | When in the day does {e} start? | Give the time of {e}."""),
        said(number(3, 320),
             """{v} students take {e} | {e} has {v} students | {v} people signed up for {e} | {v} people attend {e} | There are {v} names on the list for {e} | {e} is full with {v} students | The number of students in {e} is {v} | In {e} sit {v} students | {e} is visited by {v} students | So far {v} have joined {e} | {e} has room for {v} students | With {v} students, {e} is popular | This year {e} counts {v} students | For {e} there are {v} places | {v} students passed {e}""",
             """How many students take {e}? | How many people attend {e}? | How many are in {e}? | What is the number of students in {e}? | How many signed up for {e}? | How many students has {e}? | How big is {e}? | How many places are there for {e}? | How many names are on the list for {e}? | How many have joined {e}? | How many students does {e} have?"""),
        said(span("weeks", "months", "days"),
             """{e} lasts {v} | {e} takes {v} | {e} goes on for {v} | {e} is over after {v} | It takes {v} to finish {e} | The length of {e} is {v} | {e} runs for {v} | You need {v} for {e} | {e} has been cut to {v} | {e} is {v} long | Those who take {e} learn for {v} | For {v} the students of {e} work hard | After {v} there is an exam in {e} | {v} is the length of {e} | {e} is spread over {v}""",
             """How long does {e} last? | How long is {e}? | How long does {e} take? | What is the length of {e}? | For how long does {e} run? | How much time do I need for {e}? | After what time is {e} over? | How long does it take to finish {e}? | For how long do the students of {e} learn? | Over what time is {e} spread? | Give the length of {e}."""),
    ),
    "The course",
)  # fmt: skip
TEAM = Kind(
    lambda draw: f"{draw.town()} {draw.any(('United', 'Rovers', 'City', 'Athletic', 'Stars', 'Wanderers', 'Eagles', 'Lions', 'Rangers'))}",
    (
        said(Draw.person,
             """{v} coaches {e} | {e} is coached by {v} | The coach of {e} is {v} | {e} has a new coach, {v} | {v} is coach of {e} | {v} trains {e} | The training at {e} is in the hands of {v} | {v} signed a contract as coach of {e} | {e} won nothing until {v} became coach | After the game the coach of {e}, {v}, was silent | {e} plays as {v}, the coach, wants | {v} has been hired to train {e}
             | As a coach, {v} has changed {e} | From the bench {v} shouts at {e} | {e} trusts in its coach {v}""",
             """Who coaches {e}? | Who is the coach of {e}? | By whom is {e} coached? | Who trains {e}? | What is the coach of {e} called? | Which coach does {e} have? | Name the coach of {e}. | Who is in charge of the training at {e}? | Who was hired to train {e}? | Which person coaches {e}? | Under which coach does {e} play?"""),
        said(Draw.person,
             """{v} is the captain of {e} | The captain of {e} is {v} | {e} is led onto the field by {v} | {v} wears the captain's armband for {e} | {e} chose {v} as captain | As captain of {e}, {v} took the cup | The players of {e} voted for {v} as captain | {v} became captain of {e} at nineteen | On the field {v} leads {e} | {e}'s captain is {v} | {e} made {v} captain
             | {v} captains {e} | The armband of {e} went to {v} | For {e}, {v} is more than a captain | {v} has captained {e} for four seasons""",
             """Who is the captain of {e}? | Who captains {e}? | Which player leads {e} onto the field? | Who wears the armband for {e}? | Whom did {e} choose as captain? | What is the captain of {e} called? | Which player is captain of {e}? | Name the captain of {e}. | Who leads {e} on the field? | Who was made captain of {e}? | Which of the players captains {e}?"""),
        said(listed("colours"),
             """{e} plays in {v} | The shirts of {e} are {v} | {e} wears {v} | The colour of {e} is {v} | You know the players of {e} by their {v} shirts | The fans of {e} dress in {v} | {e} has always worn {v} | At home {e} plays in {v} | The flag of {e} is {v} | {e} runs out in {v} | The club colour of {e} is {v} | {v} is the colour of {e} | This season {e} has {v} shirts | The players of {e} are dressed in {v} | For {e} it must be {v}""",
             """What colour are the shirts of {e}? | What does {e} wear? | In what colour does {e} play? | What is the colour of {e}? | Which colour do the fans of {e} wear? | What colour is the flag of {e}? | Which colour does {e} play in? | What is the club colour of {e}? | By what colour do you know {e}? | What colour does {e} have? | Name the colour of {e}."""),
        said(number(0, 99),
             """{e} has {v} points | {e} collected {v} points | {e} stands at {v} points | The table shows {e} with {v} points | With {v} points, {e} is ahead | {e} ended the season on {v} points | So far {e} has won {v} points | {v} points are not enough for {e} | In the table {e} has {v} points | After the last game {e} has {v} points | The points of {e}: {v} | {e} has made {v} points since August
             | {e} brought it to {v} points | The score of {e} is {v} points | {e} finished with {v} points""",
             """How many points does {e} have? | How many points has {e}? | How many points did {e} collect? | With how many points did {e} finish? | What does the table show for {e}? | What is the number of points of {e}? | How many points has {e} won? | At how many points does {e} stand? | What is the score of {e}? | How many points did {e} make? | Give the points of {e}."""),
        said(Draw.street,
             """The ground of {e} is on {v} | {e} plays at the stadium on {v} | {e} has its ground on {v} | The home games of {e} are on {v} | {e} trains on {v} | To see {e} you go to {v} | The club house of {e} is on {v} | On match days {v} is full of fans of {e} | {e} has played on {v} since the war | The stadium of {e} is on {v} | {v} is home to {e} | {e} is at home on {v}
             | {e} moved to a new ground on {v} | The field where {e} plays is on {v} | They built a stand for {e} on {v}""",
             """On which street is the ground of {e}? | Where does {e} play? | Where is the stadium of {e}? | On what street does {e} play its home games? | Where is {e} at home? | Where can I see {e}? | Where does {e} train? | On which street is the stadium of {e}? | Where is the club house of {e}? | Which street is home to {e}? | Where is the ground of {e}?"""),
    ),
    "The team",
)  # fmt: skip
DISH = Kind(
    lambda draw: f"{draw.first_name()}'s {draw.any(('stew', 'soup', 'salad', 'pie', 'cake', 'curry', 'pudding', 'bread', 'sauce', 'tart', 'bake', 'omelette', 'roast', 'punch'))}",
    (
        said(span("minutes", "hours"),
             """{e} takes {v} | {e} is ready in {v} | It takes {v} to make {e} | You need {v} for {e} | {e} has to cook for {v} | Leave {e} on the fire for {v} | After {v}, {e} is done | Give {e} a full {v} | The cooking time of {e} is {v} | {e} can be made in {v} | Within {v}, {e} is on the table | {e} must stand for {v} | From start to finish {e} takes {v} | If you have {v}, you can make {e} | The time needed for {e} is {v}""",
             """How long does {e} take? | How long does it take to make {e}? | What is the cooking time of {e}? | How long must {e} cook? | How much time do I need for {e}? | In what time is {e} ready? | After what time is {e} done? | How long do I cook {e}? | How long does {e} have to cook? | How quickly can {e} be made? | How long is {e} on the fire?"""),
        said(number(2, 40),
             """{e} serves {v} | {e} is enough for {v} people | {e} feeds {v} people | {v} people can eat from {e} | {e} makes {v} portions | With {e} you can feed {v} guests | We cut {e} into {v} pieces | {e} gives {v} servings | The amount in {e} is right for {v} people | {e} is meant for {v} people | One pot of {e} fills {v} plates | {v} guests had {e} and wanted more | The recipe for {e} is for {v} people | From {e} you get {v} portions | {e} will do for {v} of us""",
             """How many people does {e} serve? | For how many people is {e}? | How many portions does {e} make? | How many can eat from {e}? | How many people does {e} feed? | How many servings are there in {e}? | For how many is {e} enough? | How many guests can I feed with {e}? | How many plates does {e} fill? | How many portions do you get from {e}? | For how many people is {e} meant?"""),
        said(measure(60, 260, "degrees"),
             """{e} goes into the oven at {v} | {e} is made at {v} | The oven for {e} should be at {v} | Heat the oven to {v} for {e} | {e} needs {v} | {e} must not get hotter than {v} | {e} is best at {v} | Set the oven to {v} and put in {e} | The temperature for {e} is {v} | {e} should be kept at {v} | At {v}, {e} turns golden | For {e} the heat must be {v} | {e} wants an oven of {v} | We do {e} at {v} | Keep the pot with {e} at {v}""",
             """At what temperature is {e} made? | How hot must the oven be for {e}? | What is the temperature for {e}? | How many degrees does {e} need? | What heat does {e} need? | To what do I heat the oven for {e}? | At how many degrees do I make {e}? | How hot should it be for {e}? | What do I set the oven to for {e}? | Which temperature does {e} want? | At what heat is {e} best?"""),
        said(one_of("pepper", "salt", "cinnamon", "thyme", "basil", "mint", "saffron", "cumin", "nutmeg", "sage", "rosemary", "dill", "vanilla", "paprika", "cloves", "mustard", "vinegar", "sugar"),
             """{e} is seasoned with {v} | {e} tastes of {v} | The secret of {e} is {v} | Do not forget the {v} in {e} | {e} needs a pinch of {v} | {e} gets its taste from {v} | A little {v} goes into {e} | At the end you add {v} to {e} | What gives {e} its taste is {v} | Without {v}, {e} would be dull | {e} is made with {v} | Some people put {v} in {e} | {e} has a hint of {v} | For the taste {e} contains {v} | There is {v} in {e}""",
             """With what is {e} seasoned? | What does {e} taste of? | What is the secret of {e}? | What gives {e} its taste? | Which spice goes into {e}? | What is added to {e}? | What do I add to {e} at the end? | What should not be forgotten in {e}? | From what does {e} get its taste? | What seasoning does {e} have? | What spice is in {e}?"""),
        said(listed("foods"),
             """{e} is served with {v} | {e} goes well with {v} | People eat {v} with {e} | {v} on the side makes {e} perfect | Serve {v} with {e} | With {e} we have {v} | {e} comes with {v} | Next to {e} on the plate you see {v} | The best thing to eat with {e} is {v} | {e} and {v} belong together | On the side of {e} they serve {v} | Many like {e} best with {v} | Put some {v} beside {e} | They have {v} to go with {e} | {e} is eaten with {v}""",
             """With what is {e} served? | What goes well with {e}? | What do people eat with {e}? | What is served with {e}? | What do I serve with {e}? | What comes with {e}? | What is on the side of {e}? | What belongs together with {e}? | What is good to eat with {e}? | What else is on the plate with {e}? | With what food is {e} eaten?"""),
    ),
    "The dish",
)  # fmt: skip
ORDER = Kind(
    lambda draw: f"{draw.any(('order', 'order', 'parcel', 'delivery'))} {draw.code()}",
    (
        said(Draw.person,
             """{e} was placed by {v} | {e} is for {v} | {v} is waiting for {e} | {v} will receive {e} | {e} goes to {v} | The name on {e} is {v} | {e} is addressed to {v} | {v} paid for {e} | {v} asked twice about {e} | Please hand {e} to {v} | {e} was sent off to {v} | The buyer in {e} is {v} | {v} has to sign for {e} | {e} belongs to {v} | It is {v} who gets {e}""",
             """Who gets {e}? | For whom is {e}? | Who placed {e}? | To whom is {e} addressed? | Who is waiting for {e}? | What name is on {e}? | To whom does {e} go? | Who paid for {e}? | Who is the buyer in {e}? | Who has to sign for {e}? | Whose is {e}?"""),
        said(lambda draw: f"{draw.between(2, 90)} {draw.any(('chairs', 'lamps', 'books', 'shirts', 'plates', 'pens', 'candles', 'towels', 'screens', 'cables', 'keyboards', 'boxes of paper', 'mirrors', 'tables', 'mugs', 'seats', 'carpets'))}",
             """{e} is for {v} | {e} consists of {v} | {e} contains {v} | In {e} there are {v} | The goods in {e}: {v} | With {e} come {v} | {e} holds {v} | {v} were sent with {e} | {v} are packed in {e} | We packed {v} for {e} | What you find in {e} is {v} | {e} is made up of {v} | Inside {e} are {v} | They asked for {v} in {e} | {e} brings {v}""",
             """What does {e} contain? | What is in {e}? | Of what does {e} consist? | What was packed for {e}? | What goods are in {e}? | What do I find in {e}? | What comes with {e}? | What is {e} made up of? | What was sent with {e}? | Which goods does {e} hold? | What did they pack in {e}?"""),
        said(Draw.price,
             """{e} costs {v} | The total of {e} is {v} | {e} comes to {v} | The sum for {e} is {v} | The bill for {e} is {v} | {v} was paid for {e} | For {e} they charged {v} | {e} was paid with {v} in cash | {v} is due for {e} | The amount of {e} is {v} | {e} adds up to {v} | You owe {v} for {e} | The value of {e} is {v} | Including postage, {e} is {v} | At {v}, {e} is a large one""",
             """What does {e} cost? | What is the total of {e}? | How much is {e}? | What is the sum for {e}? | How much is due for {e}? | How much was paid for {e}? | What does {e} come to? | What is the amount of {e}? | How much is the bill for {e}? | How much do I owe for {e}? | What did they charge for {e}?"""),
        said(Draw.date,
             """{e} will arrive on {v} | {e} is due on {v} | {e} comes on {v} | {e} should be there on {v} | They promised {e} for {v} | {e} leaves the store on {v} | {e} was put off until {v} | The date for {e} is {v} | You will get {e} on {v} | The van brings {e} on {v} | Expect {e} on {v} | {e} is planned for {v} | {v} is the day on which {e} comes | On {v} {e} will be at the door | If there is no snow, {e} comes on {v}""",
             """When will {e} arrive? | When is {e} due? | When does {e} come? | On what date will {e} arrive? | When should {e} be there? | What is the date for {e}? | For when is {e} planned? | When can I expect {e}? | Which day does {e} come? | For what date was {e} promised? | On which date is {e} due?"""),
        said(Draw.address,
             """{e} goes to {v} | {e} is to be brought to {v} | The address for {e} is {v} | Deliver {e} to {v} | {e} should be left at {v} | The driver takes {e} to {v} | {e} was sent to {v} | On the label of {e} is the address {v} | {e} must be delivered at {v} | {v} is the address for {e} | Somebody at {v} is waiting for {e} | {e} will be dropped off at {v} | They want {e} at {v} | The place for {e} is {v} | Drop {e} at {v}""",
             """Where does {e} go? | Where should {e} be delivered? | What is the address for {e}? | To what address does {e} go? | Where is {e} to be brought? | To which address was {e} sent? | Where will {e} be dropped off? | Where do they want {e}? | At what address should I leave {e}? | Which address is on the label of {e}? | Where does the driver take {e}?"""),
        said(measure(1, 95, "kg", "kilos", "pounds"),
             """{e} weighs {v} | The weight of {e} is {v} | {e} is {v} heavy | {e} has a weight of {v} | On the scales {e} shows {v} | {e} comes in at {v} | Be careful, {e} weighs {v} | {e} brings {v} onto the scales | {e} is heavy, {v} in all | We weighed {e}: {v} | {v} is the weight of {e} | {e} must not weigh more than {v} | At {v}, {e} needs two men | Its papers say that {e} weighs {v} | In weight {e} comes to {v}""",
             """How heavy is {e}? | How much does {e} weigh? | What is the weight of {e}? | What does {e} weigh? | What weight has {e}? | How many kilos or pounds is {e}? | What do the scales show for {e}? | Give the weight of {e}. | What weight does {e} have? | How heavy is it, {e}? | How much weight is in {e}?"""),
    ),
    "It",
)  # fmt: skip
PROJECT = Kind(
    lambda draw: f"Project {draw.any((draw.word('animals').title(), draw.word('things').title(), draw.made_up().capitalize()))}",
    (
        said(Draw.person,
             """{v} leads {e} | {e} is led by {v} | The leader of {e} is {v} | {v} is in charge of {e} | {e} is managed by {v} | {v} manages {e} | {e} is in the hands of {v} | {v} was put in charge of {e} | Questions about {e} go to {v} | The head of {e} is {v} | {v} has taken over {e} | {e} is the work of a team under {v} | {v} reports on {e} every Friday | Responsible for {e}: {v} | It was {v} who started {e}""",
             """Who leads {e}? | Who is in charge of {e}? | Who is the leader of {e}? | Who manages {e}? | By whom is {e} led? | Who is the head of {e}? | Who is responsible for {e}? | In whose hands is {e}? | To whom do I send questions about {e}? | Which person leads {e}? | Name the leader of {e}."""),
        said(lambda draw: f"{draw.any('$£€')}{draw.between(2, 950)},000",
             """{e} has a budget of {v} | The budget of {e} is {v} | {e} costs {v} | For {e} there is {v} | They set aside {v} for {e} | {e} must not cost more than {v} | {e} received {v} | The board gave {v} to {e} | {v} was approved for {e} | {e} has {v} to spend | {e} will cost the firm {v} | The money for {e} comes to {v} | {v} is the budget of {e} | So far {v} has gone into {e} | The sum planned for {e} is {v}""",
             """What is the budget of {e}? | How much money does {e} have? | What does {e} cost? | How much was set aside for {e}? | How large is the budget of {e}? | How much may {e} cost? | What sum was approved for {e}? | How much did {e} receive? | How much can {e} spend? | What sum is planned for {e}? | How much money has gone into {e}?"""),
        said(Draw.date,
             """{e} must be finished by {v} | The deadline of {e} is {v} | {e} ends on {v} | {e} is due on {v} | {e} should be done by {v} | {e} has to be ready on {v} | They want {e} by {v} | On {v} {e} comes to an end | The last day of {e} is {v} | {e} was extended to {v} | Everything in {e} must be done by {v} | {v} is the deadline of {e} | {e} will be over on {v} | The plan says that {e} ends on {v} | If {e} is not done by {v}, there will be trouble""",
             """When is the deadline of {e}? | By when must {e} be finished? | When does {e} end? | What is the deadline of {e}? | When is {e} due? | By what date should {e} be done? | When will {e} be over? | On what date does {e} end? | When is the last day of {e}? | By when do they want {e}? | What is the date for the end of {e}?"""),
        said(number(2, 140),
             """{v} people work on {e} | {e} has a team of {v} | {e} keeps {v} people busy | The team of {e} is {v} strong | There are {v} people in {e} | In {e} {v} people work together | {v} engineers are busy with {e} | For {e} they hired {v} people | The number of people in {e} is {v} | {e} needs {v} people | {e} started small and now has {v} people | A team of {v} is at work on {e} | {v} people take part in {e} | All {v} members of {e} met in May | {e} gives work to {v} people""",
             """How many people work on {e}? | How large is the team of {e}? | How many people are in {e}? | What is the size of the team of {e}? | How many people take part in {e}? | How many people does {e} need? | How many members has {e}? | How big is the team of {e}? | How many were hired for {e}? | How many are at work on {e}? | To how many people does {e} give work?"""),
        said(Draw.company,
             """{e} is done for {v} | The client of {e} is {v} | {v} is the client of {e} | {v} pays for {e} | {e} was ordered by {v} | {v} ordered {e} | {e} is paid for by {v} | The money for {e} is from {v} | {e} is a contract with {v} | The contract for {e} was signed with {v} | {v} hopes for much from {e} | {e} was started for {v} | The firm behind {e} is {v} | {e} serves {v} | With {e} they help {v}""",
             """For whom is {e} done? | Who is the client of {e}? | Who pays for {e}? | Which company ordered {e}? | Which firm is the client of {e}? | By whom was {e} ordered? | Which company pays for {e}? | With which firm is the contract for {e}? | Which firm is behind {e}? | For which company is {e}? | Name the client of {e}."""),
    ),
    "The project",
)  # fmt: skip
MEETING = Kind(
    lambda draw: f"the meeting about {draw.word('subjects')}",
    (
        said(Draw.clock,
             """{e} begins at {v} | {e} starts at {v} | {e} is at {v} | We meet at {v} for {e} | {e} was moved to {v} | Come to {e} at {v} | At {v} the chair opens {e} | Be on time for {e}, at {v} | {e} will start at {v} sharp | The time of {e} is {v} | {e} has been set for {v} | {v} is the time of {e} | The doors close at {v}, when {e} begins | They agreed on {v} for {e} | Everybody sat down for {e} at {v}""",
             """At what time is {e}? | What time does {e} start? | When does {e} start? | At what hour does {e} begin? | What is the time of {e}? | What time is {e}? | To what time was {e} moved? | At what time do we meet for {e}? | By what time must I be at {e}? | For what time is {e} set? | At which hour is {e}?"""),
        said(room,
             """{e} is in {v} | {e} takes place in {v} | We go to {v} for {e} | {e} is held in {v} | The room for {e} is {v} | They booked {v} for {e} | {e} was moved to {v} | You will find {e} in {v} | {e} has been planned in {v} | Bring the papers for {e} to {v} | For {e} everybody went to {v} | Coffee for {e} goes to {v} | Chairs for {e} have been put in {v} | The place of {e} is {v} | All who attend {e} gather in {v}""",
             """Where is {e}? | In which room is {e}? | Where is {e} held? | Which room was booked for {e}? | Where does {e} take place? | What room is {e} in? | Where do we go for {e}? | To which room was {e} moved? | Where do I find {e}? | What is the room for {e}? | What is the place of {e}?"""),
        said(Draw.person,
             """{v} chairs {e} | {e} is chaired by {v} | The chair of {e} is {v} | {v} leads {e} | {e} was called by {v} | {v} called {e} | {v} speaks first in {e} | {v} opens {e} | {v} invited us to {e} | In {e}, {v} has the chair | {v} runs {e} | {v} wrote the invitation to {e} | {e} is in the hands of {v} | {v} keeps {e} short | It is {v} who leads {e}""",
             """Who chairs {e}? | Who leads {e}? | Who is the chair of {e}? | Who called {e}? | By whom is {e} chaired? | Who runs {e}? | Who opens {e}? | Who has the chair in {e}? | Who invited us to {e}? | Which person leads {e}? | Name the chair of {e}."""),
        said(span("minutes", "hours"),
             """{e} lasts {v} | {e} takes {v} | {e} will be over after {v} | {e} went on for {v} | Plan {v} for {e} | {e} should not take longer than {v} | {e} is {v} long | The length of {e} is {v} | They talked for {v} in {e} | We have {v} for {e} | After {v} everybody left {e} | {e} runs for {v} | {e} has been cut to {v} | It took {v} to get through {e} | {v} is the length of {e}""",
             """How long does {e} last? | How long is {e}? | How long does {e} take? | What is the length of {e}? | How long did they talk in {e}? | How much time should I plan for {e}? | For how long does {e} run? | How long do we have for {e}? | After what time is {e} over? | How much time does {e} take? | Give the length of {e}."""),
        said(number(2, 90),
             """{v} people come to {e} | {e} is for {v} people | {v} people attend {e} | There are {v} people in {e} | For {e} we need {v} chairs | {v} guests are expected at {e} | {e} has {v} members | {v} names are on the list for {e} | {e} was attended by {v} people | {v} people said yes to {e} | At {e} there were {v} people | Only {v} people turned up at {e} | The number of people at {e} is {v} | They invited {v} people to {e} | Coffee for {v} was ordered for {e}""",
             """How many people come to {e}? | How many people attend {e}? | For how many people is {e}? | How many are at {e}? | How many guests are expected at {e}? | How many chairs do we need for {e}? | What is the number of people at {e}? | How many people were at {e}? | How many were invited to {e}? | How many names are on the list for {e}? | How many said yes to {e}?"""),
    ),
    "It",
)  # fmt: skip

MORE_KINDS = (BOOK, FILM, SHIP, COURSE, TEAM, DISH, ORDER, PROJECT, MEETING, *OTHER_KINDS)
