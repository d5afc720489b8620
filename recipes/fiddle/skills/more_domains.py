# ruff: noqa: E501  (phrase lists read best one field a line)
"""More kinds of messages that become JSON records, for training rows only: claims, flights, transfers, viewings and others.

The demo's own kind of message is not among them either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from recipes.fiddle.draw import DAYS, MONTHS, Draw, fresh
from recipes.fiddle.skills.domains import (
    CLOCK,
    EMAIL,
    GUEST,
    OLD_CLAUSES,
    PEOPLE,
    PHONE,
    PRICE,
    STREET,
    TOWN,
    WHEN,
    Domain,
    Slot,
    number_word,
    split,
)

Value = Callable[[Draw], str | int]
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def _slot(keys: str, value: Value, clauses: str, spoken: Callable[[str | int], str] = str) -> Slot:
    return Slot(split(keys), value, (), spoken, more_clauses=fresh(OLD_CLAUSES, split(clauses)))


def _one_of(items: str) -> Value:
    """Returns a maker of one of the items between the bars."""
    options = split(items)
    return lambda draw: draw.any(options)


def _digits(draw: Draw, count: int) -> str:
    return "".join(str(draw.between(0, 9)) for _ in range(count))


def _letters(draw: Draw, count: int) -> str:
    return "".join(draw.any(LETTERS) for _ in range(count))


def _title(draw: Draw) -> str:
    """Returns a title of two to five words."""
    thing, adjective, town = draw.word("things").title(), draw.word("adjectives").title(), draw.town()
    return draw.any(
        (f"The {adjective} {thing}", f"{thing} of {town}", f"A {thing} for {draw.first_name()}", f"Return to {town}",
         f"{adjective} {draw.any(DAYS)}", f"The {thing} and the {draw.word('things').title()}")
    )  # fmt: skip


def _day_written(draw: Draw) -> str:
    """Returns a date as forms and programs write it."""
    day, month, year = draw.between(1, 28), draw.between(1, 12), draw.between(2019, 2030)
    name = MONTHS[month - 1]
    return draw.any(
        (f"{year}-{month:02d}-{day:02d}", f"{day:02d}/{month:02d}/{year}", f"{day}.{month}.{year}", f"{day} {name[:3]} {year}",
         f"{draw.any(DAYS)}, {day} {name}", f"{name} {day}, {year}", f"the {day}th of {name}" if 3 < day < 21 else f"{day} {name}")
    )  # fmt: skip


def _hour(draw: Draw) -> str:
    hour = draw.between(1, 12)
    return draw.any(
        (
            f"{hour} am",
            f"{hour} pm",
            f"{hour}:30 pm",
            f"{hour}:{draw.between(10, 59)} am",
            f"{hour + 11}:15",
            f"half past {number_word(hour)}",
        )
    )


def _amount(draw: Draw) -> str:
    number = draw.between(3, 9800)
    return draw.any(
        (
            f"£{number}",
            f"${number}.{draw.between(10, 99)}",
            f"€{number:,}",
            f"{number} euros",
            f"{number} dollars",
            f"{number} pounds",
            f"{number}.50 EUR",
        )
    )


def _flight(draw: Draw) -> str:
    return f"{_letters(draw, 2)}{draw.any(('', ' '))}{_digits(draw, draw.between(3, 4))}"


def _plate(draw: Draw) -> str:
    return draw.any(
        (
            f"{_letters(draw, 2)}{_digits(draw, 2)} {_letters(draw, 3)}",
            f"{_letters(draw, 1)}-{_letters(draw, 2)} {_digits(draw, 3)}",
            f"{_digits(draw, 3)} {_letters(draw, 3)}",
        )
    )


def _account(draw: Draw) -> str:
    return draw.any(
        (
            _digits(draw, 8),
            f"{_letters(draw, 2)}{_digits(draw, 2)} {_digits(draw, 4)} {_digits(draw, 4)}",
            f"{_digits(draw, 4)}-{_digits(draw, 4)}",
        )
    )


def _version(draw: Draw) -> str:
    return ".".join(str(draw.between(0, 15)) for _ in range(draw.between(2, 3)))


def _program(draw: Draw) -> str:
    return (
        draw.made_up().capitalize()
        if draw.chance(0.6)
        else f"{draw.made_up().capitalize()} {draw.any(('Notes', 'Mail', 'Studio', 'Planner', 'Maps', 'Desk'))}"
    )


def _room(draw: Draw) -> str:
    return draw.any(
        (
            f"room {draw.between(1, 400)}",
            f"the {draw.word('colours')} room",
            f"hall {draw.any('ABCDEF')}",
            f"{draw.town()} Hall",
        )
    )


def _measure(unit: str, low: int, high: int) -> Value:
    return lambda draw: f"{draw.between(low, high)}{draw.any(('', '.5'))} {unit}"


CALL = replace(PHONE, keys=tuple(key for key in PHONE.keys if key != "number"))
"""Here "number" would mean other numbers, too."""

# fmt: off
MORE_DOMAINS = (
    Domain("insurance claim", (GUEST, WHEN, CALL,
        _slot("policy | policy_number | policyNumber | number of the policy", Draw.code, "My policy is {v}. | Policy {v}. | The policy number is {v}. | I am insured under {v}. | You will find the policy as {v}. | The contract with you has the number {v}. | On my policy it says {v}. | It is covered by policy {v}. | Please check policy {v}. | For years I have paid for {v}. | Policy no. {v} should cover it. | The policy in question is {v}."),
        _slot("damage | kind_of_damage | damageType | what happened", _one_of("a broken window | a flooded cellar | a stolen bag | a fire in the garage | a fallen tree | a dent in the car | hail on the roof | a burst pipe | a scratched door | a lost suitcase | a torn carpet | a smashed mirror"), "There was {v}. | I have to report {v}. | The damage is {v}. | I am writing about {v}. | What we have is {v}. | It is a case of {v}. | I came home to {v}. | My claim is for {v}. | I claim for {v}. | Please pay for {v}. | We found {v}. | All I can say is that there was {v}."),
        _slot("claimed | claim_amount | claimAmount | sum_claimed", _amount, "I claim {v}. | The damage amounts to {v}. | An expert put it at {v}. | It will cost {v} to put right. | I ask you for {v}. | My loss is {v}. | The estimate says {v}. | I would like {v} back. | We reckon with {v}. | The claim is for {v}. | {v} should cover it. | In money that is {v}."),
        _slot("witness | witness_name | who_saw_it | seen_by", Draw.person, "{v} saw it all. | The witness is {v}. | My neighbour {v} was there. | It was seen by {v}. | Ask {v}, who saw it. | {v} can tell you how it happened. | There is a witness, {v}. | {v} stood next to me. | {v} took pictures of it. | As a witness I name {v}. | Only {v} saw what happened. | {v} is ready to speak for me."))),
    Domain("flight change", (GUEST, EMAIL,
        _slot("flight | flight_number | flightNumber | which flight", _flight, "My flight is {v}. | I am booked on {v}. | It concerns flight {v}. | The flight number is {v}. | I fly with {v}. | I have a seat on {v}. | The ticket is for {v}. | Flight {v}, that is. | Please take me off {v}. | I cannot take flight {v}. | {v} is the flight I had. | On the ticket stands {v}."),
        _slot("booking | booking_code | bookingCode | reservation_number", lambda d: _letters(d, 6), "The booking code is {v}. | My reservation is {v}. | It was booked as {v}. | You find the booking under {v}. | Booking {v}. | The reference is {v}. | My code is {v}. | Reservation number {v}. | The mail from you gave the code {v}. | Code {v} opens the booking. | Please look at booking {v}. | Under {v} you see all of it."),
        _slot("old_date | oldDate | booked_for | date before", _day_written, "I was to fly on {v}. | It was booked for {v}. | The old date is {v}. | My ticket says {v}. | So far it is {v}. | I had planned {v}. | {v} no longer works for me. | I cannot fly on {v}. | I have to give up {v}. | At the moment I am booked for {v}. | Something came up on {v}. | Until now the date was {v}."),
        _slot("new_date | newDate | wanted_date | date after", _day_written, "I'd rather fly on {v}. | Please move me to {v}. | The new date should be {v}. | Could you change it to {v}? | Better for me is {v}. | I would like to fly on {v} instead. | Is there a seat on {v}? | Let it be {v} now. | My wish is {v}. | Put me on the plane of {v}. | I want {v} instead. | From now on, {v} is my plan."),
        _slot("destination | flying_to | to_city | where to", Draw.town, "I am flying to {v}. | The plane goes to {v}. | My destination is {v}. | I have to be in {v}. | It's a flight to {v}. | My mother waits in {v}. | I land in {v}. | We will meet in {v}. | {v} is where I want to go. | I'm off to {v}. | They expect me in {v}. | The trip takes me to {v}."),
        _slot("seat | seat_number | seatNumber | place_on_board", lambda d: f"{d.between(1, 42)}{d.any('ABCDEF')}", "My seat is {v}. | I sit in {v}. | Seat {v}. | I had seat {v}. | Please keep seat {v} for me. | I'd like to stay in {v}. | They gave me {v} to sit in. | {v} is my place on board. | The seat number is {v}. | I paid extra for seat {v}."))),
    Domain("meeting invitation", (
        _slot("topic | subject | meeting_about | theme", lambda d: d.word("subjects"), "The topic is {v}. | We will talk about {v}. | It is about {v}. | The subject of the meeting is {v}. | On the agenda is {v}. | I want to discuss {v}. | {v} is what we must talk about. | The meeting deals with {v}. | Let's speak about {v}. | There is news on {v}. | We have to decide about {v}. | Our theme will be {v}."),
        _slot("organiser | called_by | organizer | who invites", Draw.person, "{v} invites you. | The organiser is {v}. | The meeting is called by {v}. | {v} leads the talk. | It was {v} who had the idea. | Questions go to {v}. | {v} set it up. | You are invited by {v}. | {v} will open the meeting. | Behind the invitation is {v}. | {v} runs the meeting. | {v} asks you all to come."),
        _slot("place | room | where | meeting_place | location", _room, "We meet in {v}. | The place is {v}. | Come to {v}. | It takes place in {v}. | Please find your way to {v}. | {v} is booked for us. | I reserved {v}. | We sit in {v}. | It will be in {v}. | We gather in {v}. | The talk is held in {v}. | You find us in {v}."),
        _slot("starts | start_time | startsAt | begin", _hour, "We start at {v}. | It begins at {v}. | The start is {v}. | Be there at {v}. | From {v}. | {v} is when we begin. | We want to begin at {v}. | Kick-off is at {v}. | The meeting opens at {v}. | Please be on time, {v}. | At {v} we shut the door. | Let us start at {v}."),
        _slot("minutes | duration_minutes | lengthInMinutes | how_long", lambda d: d.any((15, 20, 25, 30, 45, 50, 60, 75, 90, 120)), "It takes {v} minutes. | We need {v} minutes. | The length is {v} minutes. | After {v} minutes we are done. | Plan {v} minutes for it. | It won't last longer than {v} minutes. | {v} minutes should do. | Give us {v} minutes of your time. | The whole thing lasts {v} minutes. | {v} minutes are set aside. | It is a matter of {v} minutes."),
        _slot("day | date | on_day | meetingDate", _day_written, "The day is {v}. | We meet on {v}. | It is set for {v}. | Keep {v} free. | {v} is the date. | Please note {v}. | The meeting is on {v}. | On {v} we come together. | We chose {v}. | It will be {v}. | Mark {v} in red. | Can you make {v}?"))),
    Domain("bank transfer", (
        _slot("recipient | pay_to | payee | to_whom", Draw.person, "Please pay {v}. | The money goes to {v}. | The recipient is {v}. | It is for {v}. | Send it to {v}. | I owe it to {v}. | {v} shall get it. | Transfer it to {v}. | {v} is waiting for it. | I promised it to {v}. | Make it out to {v}. | The payee is {v}."),
        _slot("amount | sum | transfer_amount | how_much", _amount, "The amount is {v}. | Please send {v}. | I want to transfer {v}. | It is {v}. | The sum is {v}. | {v} should go out. | Take {v} from my account. | Pay out {v}. | In all {v}. | {v}, not a cent more. | We speak of {v}. | That makes {v}. | Transfer {v}, please. | I owe {v}. | The slip should say {v}. | Please move {v}."),
        _slot("account | to_account | accountNumber | account_number", _account, "The account is {v}. | It goes to account {v}. | The account number is {v}. | Pay it into {v}. | Use account {v}. | The number of the account is {v}. | Account {v}. | They gave me the account {v}. | It must reach account {v}. | Please credit {v}. | For the transfer take {v}. | Into {v}, please."),
        _slot("purpose | reference | payment_for | what for", _one_of("rent | school fees | the old sofa | a birthday present | the garden hut | piano lessons | two theatre seats | the train fare | firewood | the club fee | a holiday flat | the wedding rings"), "It is for {v}. | The purpose is {v}. | I pay for {v}. | As reference write {v}. | The money is meant for {v}. | It concerns {v}. | With it I pay for {v}. | Purpose: {v}. | What for? For {v}. | It covers {v}. | Please put '{v}' on the slip. | All of it goes on {v}."),
        _slot("bank | bank_name | bankName | which bank", lambda d: f"{d.town()} Bank" if d.chance(0.6) else f"Bank of {d.town()}", "The bank is {v}. | It is with {v}. | They bank with {v}. | The account is held at {v}. | {v} is the bank. | It's an account of {v}. | Bank: {v}. | You send it to {v}. | The other bank is {v}. | {v} keeps the account. | It should arrive at {v}."),
        _slot("execute_on | date | transfer_date | transferDate", _day_written, "Please do it on {v}. | It should go out on {v}. | The date is {v}. | Not before {v}. | Carry it out on {v}. | It is due on {v}. | By {v}, please. | {v} is the day it must go. | On {v} the money has to leave. | The transfer is for {v}. | Wait until {v}."))),
    Domain("apartment viewing", (GUEST, CALL,
        _slot("flat | address | which_flat | apartment", Draw.address, "I saw the flat at {v}. | It is the flat at {v}. | I'd like to view {v}. | Is {v} still free? | I am interested in {v}. | The flat I mean is {v}. | I read about the flat at {v}. | May I see {v}? | It concerns {v}. | The advert was for {v}. | We would love to live at {v}. | The address of the flat is {v}."),
        _slot("viewing_day | weekday | viewDay | day_to_come", lambda d: d.any(DAYS), "I could come on {v}. | {v} would be fine for a look. | May I view it on {v}? | My free day is {v}. | Could I see it next {v}? | On {v} I have time. | {v} is best for me. | Let's meet there on {v}. | I would choose {v}. | Is {v} all right for you? | I am off work on {v}."),
        _slot("rent | monthly_rent | rentPerMonth | rent a month", _amount, "The rent is {v}. | I can pay {v} a month. | You ask for {v} a month. | It says {v} monthly. | {v} a month is fine. | The rent was given as {v}. | For {v} I'd take it. | A month costs {v}. | {v} is what I can afford. | The advert spoke of {v}. | It is let for {v}. | We could pay up to {v}."),
        _slot("move_in | move_in_date | from_when | moveInDate", _day_written, "I want to move in on {v}. | We would move on {v}. | I need it from {v}. | From {v} I must have a new home. | Can I have it by {v}? | Our old lease ends on {v}. | {v} is when I'd move in. | The move is planned for {v}. | I could take it from {v}. | It should be free on {v}."),
        _slot("pet | pets | animal_kept | which_pet", lambda d: d.word("animals"), "I have a {v}. | A {v} comes with me. | My {v} is quiet. | Is a {v} allowed? | I live with a {v}. | There's also my {v}. | Do you mind a {v}? | My only pet is a {v}. | I'd bring a {v}. | I keep a {v}. | The only animal in the house would be a {v}. | Would a {v} be welcome? | My flatmate is a {v}."))),
    Domain("car rental", (GUEST, EMAIL,
        _slot("car_class | car | type_of_car | carType", _one_of("small car | estate car | van | minibus | convertible | jeep | pick-up | electric car | family car | sports car"), "I need a {v}. | A {v}, please. | I'd like to rent a {v}. | We want a {v}. | Do you have a {v}? | It should be a {v}. | Please keep a {v} for me. | A {v} would be right for us. | I booked a {v}. | My choice is a {v}. | Only a {v} will do. | We thought of a {v}."),
        _slot("pick_up | collected_on | pickupDate | from_date", _day_written, "I pick it up on {v}. | I'd collect it on {v}. | The first day is {v}. | From {v}. | We need it from {v}. | I will fetch it on {v}. | It starts on {v}. | {v} is when I take it. | Have it ready on {v}. | We come for it on {v}. | On {v} I get the keys."),
        _slot("bring_back | returned_on | returnDate | until_date", _day_written, "I bring it back on {v}. | It comes back on {v}. | I need it until {v}. | The last day is {v}. | You get it back on {v}. | We return it on {v}. | On {v} you have it again. | I would keep it till {v}. | The rental ends on {v}. | I hand in the keys on {v}. | {v} is the day of return."),
        _slot("licence | driving_licence | licenceNumber | number of the licence", Draw.code, "My licence is {v}. | The driving licence has the number {v}. | Licence {v}. | I drive with licence {v}. | On my licence it says {v}. | My licence number is {v}. | For your papers, licence {v}. | I hold licence {v}. | You need my licence: {v}. | The licence reads {v}."),
        _slot("plate | number_plate | numberPlate | registration", _plate, "The plate is {v}. | The car has the plate {v}. | It is the one with {v}. | Last time I had {v}. | Number plate {v}. | It is registered as {v}. | I would like {v} again. | The car outside is {v}. | I was given {v}. | On the plate it says {v}."),
        _slot("drivers | driver_count | how_many_drivers | numberOfDrivers", lambda d: d.between(2, 5), "We are {v} drivers. | {v} of us will drive. | {v} people drive it. | Please enter {v} drivers. | There would be {v} drivers. | {v} drivers should be insured. | We take turns, {v} drivers. | The number of drivers is {v}. | Cover for {v} drivers, please. | {v} drivers share it.", number_word))),
    Domain("doctor's appointment", (
        _slot("patient | patient_name | patientName | who is ill", Draw.person, "The patient is {v}. | It's for {v}. | I am calling for {v}. | {v} needs an appointment. | {v} does not feel well. | You have {v} in your files. | Could the doctor see {v}? | Please write down {v}. | {v} has to see the doctor. | I'm {v}. | My name is {v}. | {v} is ill."),
        _slot("doctor | doctor_name | which_doctor | doctorName", lambda d: f"Dr {d.last_name()}", "I'd like to see {v}. | The doctor is {v}. | Last time it was {v}. | If possible with {v}. | {v} knows me. | I always go to {v}. | Is {v} there? | I was sent to {v}. | It should be {v}. | I trust {v}. | {v} treated me before. | Please ask {v}."),
        _slot("complaint | symptom | what hurts | symptoms", _one_of("back pain | a sore throat | a swollen knee | a rash | earache | a cough | dizzy spells | a stiff neck | toothache | a high fever | stomach pain | a twisted ankle"), "It is {v}. | I have {v}. | The complaint is {v}. | It started with {v}. | There is {v} again. | The reason is {v}. | I suffer from {v}. | For days there's been {v}. | What troubles me is {v}. | It's because of {v}. | I woke up with {v}. | Nothing helps against {v}."),
        _slot("born | birth_date | dateOfBirth | date_of_birth", _day_written, "Born on {v}. | The date of birth is {v}. | The birthday is {v}. | {v} is the date of birth. | I was born on {v}. | Birth date {v}. | You find the file with {v} as birth date. | In the passport the birth date is {v}. | Date of birth: {v}. | The day of birth was {v}."),
        _slot("insurance | insured_with | health_insurer | insurer", Draw.company, "I am insured with {v}. | The insurance is {v}. | {v} pays. | Send the bill to {v}. | My insurer is {v}. | We are with {v}. | The card is from {v}. | {v} covers the cost. | Insured at {v}. | The health insurance is with {v}."), WHEN, CALL)),
    Domain("museum group", (GUEST, WHEN, CLOCK,
        _slot("school | group_name | which_group | groupName", lambda d: f"{d.town()} School" if d.chance(0.5) else f"{d.word('hobbies').title()} Club {d.town()}", "We are from {v}. | The group is {v}. | I teach at {v}. | {v} would like to come. | I write for {v}. | The visitors are from {v}. | We belong to {v}. | Our group is called {v}. | {v} is coming to you. | Please note the group {v}. | It's a trip of {v}."),
        _slot("adults | grown_ups | adult_count | number_of_adults", lambda d: d.between(2, 9), "There are {v} adults. | {v} adults come along. | We have {v} grown-ups. | {v} of the group are adults. | Adults: {v}. | With {v} adults. | We bring {v} adults. | The children come with {v} adults. | Tickets for {v} adults. | {v} adults will be there.", number_word),
        _slot("children | child_count | kids | number_of_children", lambda d: d.between(10, 60), "There are {v} children. | {v} children want to see it. | We have {v} kids with us. | {v} pupils are in the group. | Children: {v}. | The class has {v} children. | We come with {v} children. | {v} kids look forward to it. | Tickets for {v} children. | I bring {v} young people."),
        _slot("tour | guided_tour | exhibition | tour_title", _title, "We want the tour '{v}'. | The tour is {v}. | We'd like to see {v}. | Please book {v}. | The exhibition is called {v}. | We chose {v}. | It's {v} that we want. | Our wish is the tour \"{v}\". | Is {v} still on? | We read about {v}. | A tour through {v}, please."),
        _slot("language | tour_language | spoken_language | tourLanguage", _one_of("English | French | German | Spanish | Italian | Dutch | Polish | Greek | Arabic | Turkish"), "The tour should be in {v}. | We all speak {v}. | In {v}, please. | Could it be in {v}? | The language is {v}. | A guide who speaks {v}, please. | {v} is best for us. | Do you have a guide for {v}? | We understand {v}. | We are learning {v}."))),
    Domain("bug report", (
        _slot("program | app | software | program_name", _program, "The program is {v}. | I use {v}. | It happens in {v}. | {v} does not work. | I work with {v}. | I found a bug in {v}. | It is {v} that fails. | I have trouble with {v}. | The app is called {v}. | {v} stops all the time. | Since the update of {v} it fails. | We all use {v} here."),
        _slot("version | program_version | versionNumber | which version", _version, "The version is {v}. | Version {v}. | I have version {v}. | It's version {v}. | It says {v} under About. | I installed {v}. | It began with {v}. | We are on {v}. | Since {v} it has been so. | The release is {v}. | Build {v}. | Before {v} all was well."),
        _slot("system | operating_system | os | runs_on", lambda d: f"{d.made_up().capitalize()} {d.between(2, 14)}", "I run {v}. | The system is {v}. | It is on {v}. | My computer runs {v}. | I use it under {v}. | Operating system: {v}. | With {v} as system. | It was seen on {v}. | Everything here is {v}. | It only happens on {v}."),
        _slot("error | error_code | errorCode | code_shown", lambda d: d.any((f"E{_digits(d, 4)}", f"0x{_digits(d, 4)}", f"ERR-{_digits(d, 3)}", _digits(d, 3))), "It shows error {v}. | The error is {v}. | The code is {v}. | I get {v}. | On the screen stands {v}. | Then comes error {v}. | It ends with {v}. | The message has the code {v}. | It stops with code {v}. | I see error {v} each time. | The log has {v}."),
        _slot("severity | level | how_bad | seriousness", _one_of("low | medium | high | critical | minor | major"), "The severity is {v}. | I would call it {v}. | Severity: {v}. | For us it is {v}. | Please treat it as {v}. | It ranks as {v}. | We rate it {v}. | How bad? {v}. | The level is {v}. | I set it to {v}."),
        _slot("reported_by | reporter | tester | found_by", Draw.person, "{v} found it. | Reported by {v}. | It was seen by {v}. | {v} told us. | The reporter is {v}. | {v} can show it to you. | Our tester {v} saw it. | Ask {v} for more. | It was {v} who noticed. | Found by {v}. | I am {v}, who tests it."),
        _slot("page | screen | where_in_program | window", _one_of("the login page | the search page | the start screen | the print window | the settings page | the calendar | the list of files | the help page | the map view"), "It is on {v}. | It happens on {v}. | The place is {v}. | I see it on {v}. | Open {v} and you see it. | It begins on {v}. | Look at {v}. | Something is odd on {v}. | It concerns {v}. | Go to {v}. | I was on {v} when it stopped. | It only fails on {v}. | Have a look at {v}."))),
    Domain("food delivery", (GUEST, STREET, CALL,
        _slot("dish | meal | order | what_to_eat", lambda d: d.word("foods"), "I'd like {v}. | Please bring {v}. | We order {v}. | One portion of {v}. | I want {v}. | {v}, please. | Today I feel like {v}. | Send us {v}. | My order is {v}. | It's {v} for me. | We are hungry for {v}. | Is there any {v} left?"),
        _slot("drink | beverage | to_drink | something_to_drink", _one_of("apple juice | cold tea | mineral water | lemonade | red wine | tomato juice | iced coffee | ginger beer | orange juice | mint tea"), "To drink, {v}. | And some {v} to drink. | With {v}. | The drink is {v}. | We'd like {v} with it. | Add {v}. | As a drink we take {v}. | Bring {v} too. | Plus {v}. | Do you have {v}? | {v} goes well with it."),
        _slot("portions | helpings | how_many | portion_count", lambda d: d.between(2, 12), "We need {v} portions. | {v} portions, please. | Make it {v} portions. | It's for {v}. | {v} helpings. | We are {v} at table. | For {v} mouths. | {v} times, please. | Cook {v} portions. | The number of portions is {v}.", number_word),
        _slot("deliver_by | delivery_time | deliveryTime | not_later_than", _hour, "Please be here by {v}. | We eat at {v}. | It should come at {v}. | Deliver at {v}. | Can you make it by {v}? | We want to eat by {v}. | Not later than {v}. | {v} is when we eat. | We expect you at {v}. | Bring it around {v}."),
        _slot("leave_out | without | allergy | no_such_thing", _one_of("onions | nuts | garlic | pepper | cheese | mushrooms | butter | egg | milk | celery"), "No {v}, please. | Leave out the {v}. | Without {v}. | I can't eat {v}. | I don't like {v}. | Please take care: no {v}. | {v} makes me ill. | There must be no {v} in it. | Keep the {v} away from it. | We do not eat {v}."),
        _slot("pay_by | payment | payment_method | how_paid", _one_of("cash | card | voucher | bank transfer | cheque | phone"), "I pay by {v}. | We'd pay by {v}. | Payment by {v}. | I want to pay by {v}. | It is paid by {v}. | May I pay by {v}? | The bill is paid by {v}. | We settle it by {v}. | I always pay by {v}. | By {v}, if that's all right."))),
    Domain("sports club", (GUEST, EMAIL, STREET,
        _slot("team | team_name | teamName | which_team", lambda d: f"{d.town()} {d.any(('Rovers', 'Lions', 'Harriers', 'United', 'Eagles', 'Wanderers'))}", "I want to join {v}. | My team would be {v}. | I am a fan of {v}. | The team is {v}. | I'd like to play for {v}. | {v} asked me to come. | My brother plays for {v}. | I trained with {v}. | Put me down for {v}. | I hope to play for {v}. | {v} needs players."),
        _slot("sport | discipline | which_sport | kind_of_sport", lambda d: d.word("hobbies"), "I want to do {v}. | My sport is {v}. | It's for {v}. | I am good at {v}. | I love {v}. | {v} is my thing. | I'd like to take up {v}. | Do you offer {v}? | I have done {v} before. | I'm here for {v}. | The sport I mean is {v}."),
        _slot("age | player_age | years_old | ageInYears", lambda d: d.between(8, 80), "I am {v} years old. | My age is {v}. | I'm {v}. | I have just turned {v}. | Age {v}. | At {v} I am still fit. | I will soon be older than {v}. | I was {v} in May. | You see, I'm {v}. | {v} years old. | With my {v} years I run fast."),
        _slot("fee | membership_fee | yearly_fee | feePerYear", _amount, "The fee is {v}. | I pay {v} a year. | You ask for {v}. | A year costs {v}. | I have paid {v}. | The yearly fee is {v}. | {v} a year is fine. | I sent {v}. | For the fee you get {v}. | It costs me {v} a year."),
        _slot("position | plays_as | role | playing_position", _one_of("goalkeeper | striker | left wing | defender | captain | sweeper | full back | centre | pitcher | scrum half"), "I play as {v}. | My position is {v}. | I am best as {v}. | Use me as {v}. | I used to be {v}. | As {v} I am quick. | I'd like to be {v}. | They always put me in as {v}. | Position: {v}. | Do you need me as {v}?"))),
    Domain("pet adoption", (GUEST, TOWN, CALL,
        _slot("animal | species | kind_of_animal | animalKind", lambda d: d.word("animals"), "I want to adopt a {v}. | We'd like a {v}. | I am looking for a {v}. | My wish is a {v}. | We would give a {v} a home. | It is about the {v}. | I saw the {v} on your page. | May we have the {v}? | We fell in love with the {v}. | The {v} looked so sad. | Is the {v} still with you?"),
        _slot("called | animal_name | nameOfAnimal | pet_name", Draw.first_name, "It is called {v}. | Its name is {v}. | You call it {v}. | We mean {v}. | On your page the name is {v}. | {v} is the one. | The one called {v}. | We want to meet {v}. | We would like {v}. | {v} won our hearts. | I hope {v} is still there."),
        _slot("home | kind_of_home | homeType | home_kind", _one_of("house | flat | farm | cottage | houseboat | bungalow | villa | caravan"), "We live in a {v}. | Our home is a {v}. | I have a {v}. | It would live in a {v}. | The animal would come to a {v}. | I own a {v}. | Home is a {v}. | A {v} is waiting for it. | We have got a {v}. | There is space in our {v}. | Our {v} has a garden. | The address is a {v}. | Room enough in a {v}."),
        _slot("hours_alone | alone_hours | hoursAlone | left_alone", lambda d: d.between(2, 8), "It would be alone {v} hours a day. | I work {v} hours. | We are away {v} hours. | For {v} hours no one is home. | It must wait {v} hours. | {v} hours a day it's alone. | I leave the house for {v} hours. | At most {v} hours alone. | It can be on its own for {v} hours. | No one would be there for {v} hours. | The longest it waits is {v} hours. | It has to manage {v} hours by itself.", number_word),
        _slot("vet | vet_name | which_vet | vetName", lambda d: f"Dr {d.last_name()}", "Our vet is {v}. | {v} is the vet. | We go to {v}. | The vet would be {v}. | {v} looks after our animals. | Ask {v}, our vet. | {v} has her practice next door. | We trust {v}. | The vet is called {v}. | We have talked to {v}."))),
    Domain("course enrolment", (GUEST, EMAIL,
        _slot("course | course_title | courseTitle | which_course", lambda d: f"{d.any(('Introduction to', 'Basics of', 'History of', 'Advanced', 'The World of'))} {d.word('subjects').title()}", "I want to take {v}. | Please enrol me in {v}. | The course is {v}. | I chose {v}. | I'd like to attend {v}. | Is there a place in {v}? | My course is called {v}. | I signed up for {v}. | {v} sounds good. | I look forward to {v}. | It's {v} that I want to take. | Could you put me on the list for {v}? | I have time for {v}. | The one I want is {v}."),
        _slot("student_number | student_id | studentId | matriculation", Draw.code, "My student number is {v}. | I am student {v}. | The number on my card is {v}. | Student number {v}. | In your list I am {v}. | You have me as {v}. | My student card says {v}. | Find me as {v}. | I was given the number {v}. | {v} is my student number."),
        _slot("term | semester | in_term | which_term", _one_of("the spring term | the autumn term | the summer term | the winter term | the first term | the second term | the third term"), "I want to do it in {v}. | It is for {v}. | I start in {v}. | Put me into {v}. | In {v}, please. | I am free in {v}. | I'd choose {v}. | It should be {v}. | My plan is {v}. | {v} suits me best."),
        _slot("lecturer | teacher | taught_by | course_teacher", lambda d: f"{d.any(('Professor', 'Dr', 'Ms', 'Mr', 'Mrs'))} {d.last_name()}", "The lecturer is {v}. | {v} teaches it. | It's taught by {v}. | I heard {v} last year. | I like {v}. | {v} told me to write. | The teacher is {v}. | The course is given by {v}. | {v} holds the course. | I want to learn from {v}."),
        _slot("credits | credit_points | points | creditCount", lambda d: d.between(2, 12), "It gives {v} credits. | I get {v} points for it. | It is worth {v} credits. | I need {v} credits. | The course has {v} credits. | {v} credits are missing. | You get {v} credit points. | Credits: {v}. | With it I'd have {v} credits more. | That brings me {v} points.", number_word),
        _slot("level | course_level | difficulty | how_hard", _one_of("beginner | intermediate | advanced | expert | basic"), "My level is {v}. | I'm at {v} level. | The {v} group, please. | Put me in the {v} class. | Level: {v}. | I count as {v}. | I'd call myself {v}. | The course for {v} students. | My test said {v}. | The level should be {v}."))),
    Domain("meter reading", (GUEST, STREET,
        _slot("meter | meter_number | meterNumber | which_meter", Draw.code, "The meter is {v}. | My meter has the number {v}. | Meter {v}. | On the meter it says {v} above the bar. | The meter number is {v}. | It is for meter {v}. | The number of the meter is {v}. | I read meter {v}. | You know the meter as {v}. | This is for {v}, our meter. | The meter in the cellar is {v}."),
        _slot("reading | meter_reading | counter | shown_value", lambda d: d.between(100, 99999), "The reading is {v}. | It shows {v}. | I read {v}. | It stands at {v}. | The counter says {v}. | Today it was at {v}. | I read off {v}. | The figure is {v}. | It now shows {v}. | The value is {v}. | You may note {v} as reading. | By now it is at {v}."),
        _slot("kind | meter_kind | meterType | measured", _one_of("gas | water | electricity | heating | hot water | district heat"), "It is for {v}. | It measures {v}. | The meter is for {v}. | We speak of {v}. | That's our {v}. | The kind is {v}. | I mean the one for {v}. | It counts {v}. | Kind of meter: {v}. | This one is for {v}."),
        _slot("read_on | reading_date | readingDate | date_read", _day_written, "I read it on {v}. | It was read on {v}. | The date of reading is {v}. | On {v} I went to look. | The figure is from {v}. | I looked on {v}. | As of {v}. | {v} is when I read it. | I took it down on {v}. | Read on {v}."),
        _slot("contract | contract_number | contractNumber | account_with_you", Draw.code, "My contract is {v}. | The contract number is {v}. | Contract {v}. | You send bills under {v}. | On the bill is the number {v}. | We have contract {v} with you. | I am in your books as {v}. | The bill names contract {v}. | It belongs to contract {v}. | Please enter it under contract {v}."))),
    Domain("newspaper advert", (CALL, PRICE,
        _slot("for_sale | item | thing_sold | what_is_sold", Draw.thing, "I sell my {v}. | My {v} is for sale. | For sale: {v}. | Who wants my {v}? | I'd like to sell a {v}. | I no longer need my {v}. | A {v} is looking for a new owner. | You can have my {v}. | Up for sale is a {v}. | I part with my {v}. | This is about a {v}. | I offer a {v}."),
        _slot("condition | state | how_good | shape", _one_of("as new | used | hardly used | old but good | scratched | very good | fair | well kept"), "It is {v}. | The condition is {v}. | Condition: {v}. | I'd say {v}. | It looks {v}. | You will find it {v}. | In a word, {v}. | Honestly, it is {v}. | My friends call it {v}. | The state of it: {v}. | It has been kept {v}. | An expert said it was {v}. | As to its condition, {v}. | On a closer look it is {v}."),
        _slot("seller | sold_by | seller_name | sellerName", Draw.person, "Ask for {v}. | The seller is {v}. | It's sold by {v}. | I am {v}. | {v} sells it. | You buy it from {v}. | Call and ask for {v}. | {v} is my name. | Sold by {v}. | Talk to {v}. | {v} will show it to you. | The name of the seller is {v}. | You will deal with {v}. | {v} is the one who sells it."),
        _slot("age_years | years_old | howOld | age", lambda d: d.between(2, 40), "It is {v} years old. | I have had it for {v} years. | Bought {v} years ago. | Its age is {v} years. | It is {v} years of age. | I bought it {v} years back. | After {v} years I want a new one. | It served me {v} years. | Age: {v} years. | For {v} years it stood in my hall. | It has been mine for {v} years. | A thing of {v} years. | It was new {v} years ago.", number_word),
        _slot("section | column | advert_section | newspaper_section", _one_of("furniture | sports | garden | toys | music | antiques | kitchen | clothes | tools"), "Print it under {v}. | The section is {v}. | It belongs under {v}. | Put it under {v}. | Under the heading {v}. | It should stand in the {v} section. | I'd choose {v} as section. | Section: {v}. | In the column {v}, please. | File it under {v}."))),
    Domain("train journey", (PEOPLE, PRICE,
        _slot("from | departure | from_station | start_station", Draw.town, "I start in {v}. | The train leaves from {v}. | From {v}. | I get on in {v}. | We set out from {v}. | My journey begins in {v}. | I live near the station of {v}. | Departure is from {v}. | I come from {v}. | We board in {v}. | The first station is {v}."),
        _slot("to | arrival | to_station | end_station", Draw.town, "I want to go to {v}. | The train goes to {v}. | To {v}. | I get off in {v}. | My goal is {v}. | We are going to {v}. | My journey ends in {v}. | I must be in {v}. | The ticket should be to {v}. | {v} is where I get off. | We travel to {v}."),
        _slot("via | change_at | through | changeAt", Draw.town, "I change in {v}. | It goes via {v}. | We change trains at {v}. | The way leads through {v}. | I'd like to go by way of {v}. | There is a stop in {v}, where I change. | Via {v}, please. | I have to change at {v}. | With a change in {v}. | We pass through {v}."),
        _slot("class | travel_class | which_class | carriage", _one_of("first class | second class | sleeper | quiet coach | dining car"), "I travel {v}. | Make it {v}. | In {v}, if you can. | I'd like {v}. | We always go {v}. | {v}, please. | The ticket is for {v}. | My seat is in {v}. | Book me {v}. | I prefer {v}."),
        _slot("leaves_at | departure_time | departureTime | leaving", _hour, "It leaves at {v}. | I take the train at {v}. | The train goes at {v}. | I want to leave at {v}. | At {v} we set off. | Departure is at {v}. | There is one at {v}. | The {v} train, please. | We leave at {v}. | I must catch the train at {v}."),
        _slot("train | train_number | trainNumber | which_train", lambda d: f"{d.any(('IC', 'RE', 'EC', 'TR', 'NJ'))} {_digits(d, d.between(2, 4))}", "The train is {v}. | I go by {v}. | It's the {v}. | Train number {v}. | I want to take {v}. | The one I mean is {v}. | We are on {v}. | The board says {v}. | Book me on {v}. | My train is called {v}."))),
    Domain("conference talk", (EMAIL,
        _slot("presenter | presenter_name | given_by | presenterName", Draw.person, "The presenter is {v}. | {v} gives the talk. | I am {v}. | {v} will speak. | The talk is by {v}. | You will hear {v}. | It is given by {v}. | We invited {v}. | {v} has agreed to speak. | On stage: {v}. | {v} is going to speak."),
        _slot("title | talk_title | talkTitle | called", _title, "The title is '{v}'. | The talk is called {v}. | It is titled \"{v}\". | The title: {v}. | I will speak on '{v}'. | My title is {v}. | The programme says '{v}'. | It runs under the title {v}. | Announce it as \"{v}\". | We call it '{v}'. | As title we have {v}."),
        _slot("hall | room | where | stage", _room, "It is in {v}. | The talk takes place in {v}. | You find it in {v}. | We booked {v}. | Go to {v}. | It's held in {v}. | {v} is the place. | They gave us {v}. | Please come to {v}. | We need {v}. | We will be in {v}. | The door to {v} is on the left. | {v} has been set aside for the talk. | Listeners should go to {v}."),
        _slot("slot | begins_at | starting_time | startsAt", _hour, "It starts at {v}. | The talk begins at {v}. | The slot is {v}. | We planned it for {v}. | It is on at {v}. | At {v} it begins. | Be there by {v}. | {v} is when it starts. | The clock must say {v}. | We open at {v}."),
        _slot("listeners | audience | seats | expected_listeners", lambda d: d.between(15, 900), "We expect {v} listeners. | {v} people want to hear it. | There are seats for {v}. | {v} have signed up. | The audience will be {v}. | We count on {v} listeners. | About {v} will come. | Chairs for {v}, please. | Last year {v} came. | The number of listeners is {v}."),
        _slot("organisation | university | from_company | works_for", lambda d: d.company() if d.chance(0.5) else f"University of {d.town()}", "The presenter works for {v}. | From {v}. | The talk comes from {v}. | {v} sends the presenter. | It is the work of {v}. | All of it was done at {v}. | The home of this work is {v}. | Behind it stands {v}. | {v} pays for the trip. | Affiliation: {v}."),
        _slot("equipment | needs | required | wanted_on_stage", _one_of("a microphone | a white board | a second chair | a table | a flip chart | a pointer | a glass of water | a piano | a music stand"), "Please provide {v}. | We need {v}. | There should be {v} on stage. | The presenter asks for {v}. | All that is needed is {v}. | Have {v} ready. | Could we have {v}? | {v} would help. | Do you have {v}? | I need {v}. | One thing is needed: {v}. | The talk can't do without {v}. | On stage we want {v}. | Kindly set up {v}."))),
    Domain("wedding reply", (
        _slot("guest | guest_name | who_replies | replied_by", Draw.person, "I am {v}. | It's {v}. | The reply is from {v}. | {v} is writing. | Love from {v}. | This is {v}. | {v} says thank you for the card. | Yours, {v}. | Here is {v}. | My name is {v}. | You invited {v}. | {v} has got your card. | The card came to {v}. | On the place card write {v}. | With love, {v}. | Your old friend {v} answers."),
        _slot("answer | reply | coming | attends", _one_of("yes | no | maybe"), "My answer is {v}. | The answer is {v}. | I say {v}. | We say {v}. | Will I come? {v}. | Put me down as a {v}. | It's a {v} from me. | For now it is {v}. | I have to say {v}. | You can note a {v}."),
        _slot("brings | companion | plus_one | brought_along", Draw.first_name, "I bring {v}. | {v} comes with me. | My partner is {v}. | With me comes {v}. | I'd like to bring {v}. | May {v} come too? | {v} will be at my side. | I come with {v}. | {v} is coming along. | Please set a place for {v}."),
        _slot("dish | main_dish | menu_choice | to_eat", lambda d: d.word("foods"), "For dinner I take {v}. | I'd like {v} to eat. | I choose {v}. | As main dish {v}. | I would eat {v}. | My choice is {v}. | From the menu, {v}. | {v} for me, please. | I'm happy with {v}. | Let me have {v}."),
        _slot("gift | present | we_give | giving", Draw.thing, "As a present we bring a {v}. | Our gift is a {v}. | You will get a {v} from us. | We thought of a {v} as a gift. | The present is a {v}. | I wrapped up a {v}. | We bought you a {v}. | There'll be a {v} from me. | A {v} is my gift. | I hope you like the {v} I got you."),
        _slot("song | music_wish | song_wish | to_be_played", _title, "Please play {v}. | My song is '{v}'. | I want to dance to {v}. | The band should play \"{v}\". | I wish for the song {v}. | Could they play {v}? | For me the song is {v}. | We love the song {v}. | Play '{v}' at midnight. | As a song I wish for {v}."))),
    Domain("crop report", (TOWN, WHEN,
        _slot("crop | plant | what_grows | grown", _one_of("wheat | barley | rye | maize | oats | potatoes | sugar beet | hops | flax | rape seed | cabbage | clover"), "We grow {v}. | The crop is {v}. | We brought in the {v}. | The field has {v}. | It is {v} this year. | We planted {v}. | We cut the {v}. | I report on {v}. | On our fields stands {v}. | This year we have {v}. | It's all {v} here."),
        _slot("tonnes | yield_tonnes | harvest_t | tons", lambda d: d.between(2, 400), "We got {v} tonnes. | The harvest was {v} tonnes. | {v} tonnes in all. | It came to {v} tonnes. | We weighed {v} tonnes. | The yield is {v} tonnes. | {v} tonnes are in the barn. | We sold {v} tonnes. | All told {v} tonnes. | The scales said {v} tonnes."),
        _slot("farm | farm_name | farmName | which_farm", lambda d: f"{d.any(('Upper', 'Lower', 'Old', 'North', 'West'))} {d.made_up().capitalize()} Farm", "The farm is {v}. | We work at {v}. | This is {v}. | Report of {v}. | {v} reports. | I write from {v}. | It comes from {v}. | Our farm is called {v}. | At {v} all went well. | You know {v}. | These are the figures of {v}. | {v} sends its figures. | The fields belong to {v}. | All this grew at {v}. | The name of the farm is {v}. | This sheet is from {v}."),
        _slot("farmer | farmer_name | run_by | who_farms", Draw.person, "The farmer is {v}. | It is run by {v}. | {v} farms here. | I am {v}. | {v} owns the fields. | {v} drove the tractor. | Ask {v}. | The land is worked by {v}. | {v} signs for it. | Signed by {v}, farmer. | {v} brought it in. | Responsible for the farm is {v}. | The one on the tractor is {v}."),
        _slot("rain | rainfall | rainfall_mm | how_much_rain", _measure("mm", 2, 90), "We had {v} of rain. | The rain was {v}. | {v} fell. | The gauge shows {v}. | Rainfall {v}. | It rained {v}. | The sky gave us {v}. | We measured {v} of rain. | There were {v} of rain. | In all {v} came down."),
        _slot("field_size | hectares | area | fieldSize", _measure("hectares", 2, 140), "The field has {v}. | It is {v} in size. | We work {v}. | The area is {v}. | On {v} it grows. | Field size {v}. | It stands on {v}. | We sowed {v}. | That is {v} of land. | The land measures {v}."))),
    Domain("ship's log", (
        _slot("ship | vessel | ship_name | shipName", lambda d: f"{d.any(('Queen', 'Star', 'Maid', 'Spirit', 'Pride'))} of {d.town()}", "The ship is {v}. | This is the {v}. | We sail on the {v}. | Log of the {v}. | The vessel is called {v}. | On board the {v}. | Our ship bears the name {v}. | The {v} is at sea. | The {v} reports. | Here is the {v}."),
        _slot("captain | master | commanded_by | captain_name", lambda d: f"Captain {d.last_name()}" if d.chance(0.4) else d.person(), "The captain is {v}. | {v} is in command. | {v} commands. | She is led by {v}. | The ship is under {v}. | {v} stands on the bridge. | Orders come from {v}. | {v} keeps this log. | Signed by {v}. | {v} has the bridge."),
        _slot("port | next_port | bound_for | harbour", Draw.town, "We are bound for {v}. | The next port is {v}. | Our course is {v}. | We hope to reach {v} soon. | The harbour of {v} is ahead. | We make for {v}. | We'll drop anchor in {v}. | Next stop {v}. | {v} lies before us. | The port we head for is {v}."),
        _slot("cargo | load | freight | carries", _one_of("salt | timber | coffee | grain | coal | wool | cotton | spices | tea | copper | marble | sugar"), "We carry {v}. | The cargo is {v}. | We are loaded with {v}. | On board is {v}. | The hold is full of {v}. | Our freight is {v}. | We took on {v}. | {v} lies in the hold. | It's {v} that we carry. | The load is {v}."),
        _slot("wind | wind_from | windDirection | wind_direction", _one_of("north | south | east | west | north-east | south-west | north-west | south-east"), "The wind comes from the {v}. | Wind: {v}. | It blows from the {v}. | We have wind from the {v}. | A fresh wind out of the {v}. | The wind turned to {v}. | The wind is {v}. | A light wind from the {v}. | It is blowing out of the {v}. | The flag says the wind is {v}."),
        _slot("crew | crew_size | hands | sailors", lambda d: d.between(4, 80), "We are {v} hands. | The crew is {v}. | There are {v} sailors. | {v} men and women on board. | The crew counts {v}. | {v} hands on deck. | Crew: {v}. | {v} sailors work the ship. | I have {v} hands under me. | All {v} of the crew are well."),
        _slot("speed | knots | speed_knots | how_fast", lambda d: d.between(3, 28), "We make {v} knots. | The speed is {v} knots. | She runs {v} knots. | {v} knots, all sails up. | At {v} knots. | We go at {v} knots. | The log shows {v} knots. | With {v} knots we move on. | Our speed: {v} knots. | She does {v} knots.", number_word))),
    Domain("lost luggage", (GUEST, EMAIL, CALL,
        _slot("bag | luggage | kind_of_bag | bagType", _one_of("suitcase | rucksack | sports bag | hat box | trunk | garment bag | pram | cello case | cool box | holdall"), "My {v} did not arrive. | I miss my {v}. | Where is my {v}? | It's a {v}. | The bag is a {v}. | I lost a {v}. | I wait for my {v}. | A {v} of mine is gone. | You lost my {v}. | What is missing is a {v}. | My {v} was not on the belt."),
        _slot("flight | flight_number | flightNumber | came_on", _flight, "I came on {v}. | My flight was {v}. | I flew with {v}. | It was flight {v}. | I got off {v}. | Flight {v}. | I was on {v}. | It travelled on {v}. | The flight number was {v}. | I arrived with {v}."),
        _slot("tag | tag_number | luggage_tag | tagNumber", lambda d: f"{_letters(d, 2)}{_digits(d, 6)}", "The tag is {v}. | The luggage tag says {v}. | The tag number is {v}. | Tag {v}. | On the tag is {v}. | It carries tag {v}. | You put tag {v} on it. | My half of the tag reads {v}. | It was tagged {v}. | Look for tag {v}."),
        _slot("colour | color | what_colour | bag_colour", lambda d: d.word("colours"), "It is {v}. | The colour is {v}. | Its colour is {v}. | It's a {v} one. | Look for something {v}. | Everything on it is {v}. | You'll know it, it is {v}. | Colour: {v}. | From outside {v}. | It is all {v}. | Mine is a {v} one. | You can't miss it, it is bright {v}. | On the belt, watch for {v}. | The cover is {v}."),
        _slot("hotel | staying_at | deliver_to | stays_at", lambda d: f"Hotel {d.town()}" if d.chance(0.5) else f"The {d.word('adjectives').title()} {d.word('animals').title()}", "I stay at {v}. | My hotel is {v}. | Bring it to {v}. | You find me at {v}. | We are staying at {v}. | Please send it to {v}. | I sleep at {v}. | The hotel is called {v}. | I can be found at {v}. | Deliver it to {v}. | I have a room at {v}. | For the next days I'm at {v}. | The driver should come to {v}."))),
    Domain("house move", (GUEST, WHEN,
        _slot("from | old_address | move_from | oldAddress", Draw.address, "We move out of {v}. | Now we live at {v}. | The old address is {v}. | From {v}. | You load up at {v}. | We leave {v}. | Our things are at {v}. | It all starts at {v}. | Come to {v} first. | We are still at {v}. | Everything must go from {v}."),
        _slot("to | new_address | move_to | newAddress", Draw.address, "We move to {v}. | The new address is {v}. | To {v}. | You unload at {v}. | We are going to live at {v}. | Our new home is {v}. | Bring it all to {v}. | The new house is {v}. | Soon we'll be at {v}. | Everything goes to {v}. | From then on we live at {v}."),
        _slot("boxes | box_count | numberOfBoxes | how_many_boxes", lambda d: d.between(5, 120), "There are {v} boxes. | We have {v} boxes. | We packed {v} boxes. | Count on {v} boxes. | {v} boxes have to go. | It will be {v} boxes. | The number of boxes is {v}. | {v} boxes stand in the hall. | Boxes: {v}. | You carry {v} boxes."),
        _slot("floor | which_floor | storey | old_floor", _one_of("ground floor | first floor | second floor | third floor | fourth floor | fifth floor | top floor | attic | cellar"), "We live on the {v}. | It is the {v}. | The flat is on the {v}. | Floor: {v}. | You have to go up or down to the {v}. | It's all on the {v}. | The {v}, I am afraid. | Our things are on the {v}. | The floor is the {v}. | We have the {v}."),
        _slot("heaviest | heavy_item | biggest_piece | largest_thing", _one_of("a grand piano | an oak wardrobe | a marble table | a safe | a stone bench | an old stove | a pool table | a bookcase | an aquarium | a church organ"), "The heaviest piece is {v}. | Mind {v}. | There is {v}. | We own {v}. | You need four men for {v}. | Take care with {v}. | The biggest thing is {v}. | Also {v} comes with us. | Our treasure is {v}. | Nothing is as heavy as {v}. | Bring straps for {v}. | What worries me is {v}. | Can you carry {v}?"),
        _slot("offer | quote | quoted_price | your_offer", _amount, "You offered {v}. | Your price was {v}. | The offer is {v}. | We agreed on {v}. | It should cost {v}. | The quote says {v}. | For {v}, as you wrote. | You wanted {v}. | {v} is fine with us. | We pay you {v}."))),
    Domain("donation", (
        _slot("donor | giver | given_by | donor_name", Draw.person, "I am {v}. | The donor is {v}. | It comes from {v}. | {v} gives it. | This is a gift of {v}. | {v} wants to help. | The money is from {v}. | {v} sends it. | Given by {v}. | My name is {v}. | Thank {v} for it. | Please thank {v}. | The slip should name {v}. | Everything was given by {v}. | The one who gives is {v}."),
        _slot("amount | gift_amount | donated | sum_given", _amount, "I give {v}. | The gift is {v}. | I would like to donate {v}. | Here are {v}. | You get {v}. | It is {v}. | I have sent {v}. | {v} are on the way. | The sum is {v}. | I can spare {v}. | Please take {v}."),
        _slot("cause | for_what | project | goal", _one_of("clean water | a new roof | the village school | the animal home | the fire brigade | books for children | the old bridge | the choir | a children's home | the forest"), "It is for {v}. | The money goes to {v}. | Use it for {v}. | My cause is {v}. | I want to help {v}. | It should help {v}. | I give it for {v}. | All of it for {v}. | {v} needs it. | Please spend it on {v}. | I care about {v}."),
        _slot("charity | organisation | to_charity | organization", lambda d: f"{d.any(('Friends of', 'Help for', 'Hope for', 'Save'))} {d.town()}", "The charity is {v}. | I give to {v}. | It goes to {v}. | I support {v}. | {v} does good work. | I read about {v}. | It is {v} that I trust. | Please book it for {v}. | I'm a friend of {v}. | I have chosen {v}. | The money should reach {v}. | My favourite charity is {v}. | {v} shall have it."),
        _slot("how_often | frequency | repeats | interval", _one_of("once | every week | every month | every year | twice a year | each quarter"), "I give it {v}. | It should be taken {v}. | How often? {v}. | I'll pay {v}. | You get it {v}. | The gift comes {v}. | Please collect it {v}. | I want to give {v}. | Do it {v}. | Take it {v}."),
        _slot("receipt_to | receipt_email | send_receipt | receiptMail", Draw.email, "The receipt goes to {v}. | Send the receipt to {v}. | Mail me the receipt at {v}. | Please thank me at {v}. | For the receipt use {v}. | The slip should reach {v}. | Paper is not needed, mail {v}. | Let the receipt come to {v}. | I'd like the receipt at {v}. | Confirm it to {v}."))),
    Domain("film night", (WHEN, CLOCK,
        _slot("film | film_title | movie | filmTitle", _title, "We show {v}. | The film is {v}. | Come and see '{v}'. | It's called {v}. | On the screen: {v}. | The title of the film is \"{v}\". | We watch {v}. | Tonight's film is {v}. | I chose '{v}'. | Have you seen {v}? | You'll love {v}."),
        _slot("director | directed_by | made_by | film_director", Draw.person, "The director is {v}. | It was directed by {v}. | {v} made it. | A film by {v}. | It is one of the films of {v}. | {v} directed it. | We owe it to {v}. | Directed by {v}. | It was {v} who shot it. | The one who made it is {v}."),
        _slot("year | made_in | film_year | yearMade", lambda d: d.between(1921, 2025), "It is from {v}. | It was made in {v}. | The year is {v}. | Shot in {v}. | It came out in {v}. | A film of {v}. | People first saw it in {v}. | It goes back to {v}. | They made it in {v}. | It dates from {v}."),
        _slot("genre | kind | film_kind | sort_of_film", _one_of("comedy | western | thriller | musical | romance | cartoon | documentary | horror film | crime story | fairy tale"), "It's a {v}. | The genre is {v}. | You will see a {v}. | A real {v}. | We fancy a {v}. | This time a {v}. | Do you like a good {v}? | I'd call it a {v}. | It counts as a {v}. | We wanted a {v}."),
        _slot("host | at_home_of | host_name | hosted_by", Draw.first_name, "We meet at {v}'s. | The host is {v}. | {v} invites us. | {v} has the big screen. | {v} hosts it. | We are guests of {v}. | It is at the home of {v}. | {v} opens the door. | Ring at {v}'s. | The evening is given by {v}."),
        _slot("snack | bring_along | to_bring | food_to_bring", lambda d: d.word("foods"), "Please bring {v}. | You could bring {v}. | We still need {v}. | It would be nice if you had {v}. | Come with {v}. | There is no {v} yet. | Your part is {v}. | Don't come without {v}. | Could you bring {v}? | We lack {v}."))),
    Domain("hiking tour", (WHEN, PEOPLE,
        _slot("mountain | peak | summit | which_mountain", lambda d: f"Mount {d.made_up().capitalize()}" if d.chance(0.6) else f"{d.made_up().capitalize()} Peak", "We climb {v}. | The goal is {v}. | We go up {v}. | The mountain is {v}. | It's {v} this time. | We want to stand on {v}. | Up on {v} there is a cross. | {v} is waiting. | Our mountain is called {v}. | The way leads to {v}."),
        _slot("guide | guide_name | led_by | tourGuide", Draw.person, "The guide is {v}. | {v} leads us. | We follow {v}. | It is led by {v}. | {v} knows the way. | {v} has the map. | The group is led by {v}. | Our guide is called {v}. | {v} walks in front. | Trust {v}, who guides us."),
        _slot("length | distance | route_length | how_far", _measure("km", 4, 45), "The way is {v} long. | We walk {v}. | It is {v}. | The length is {v}. | In all {v}. | The route measures {v}. | {v} lie before us. | Distance: {v}. | You walk {v}. | The map says {v}. | From start to end it's {v}. | Our legs have to do {v}. | The path runs for {v}. | There are {v} to walk."),
        _slot("height | altitude | metres_up | climb", _measure("metres", 300, 3900), "It is {v} high. | We go up to {v}. | The top is at {v}. | The height is {v}. | At {v} the air is thin. | It rises to {v}. | {v} above the sea. | We stand at {v} then. | Height: {v}. | The sign gives {v}."),
        _slot("hut | sleeps_at | night_at | mountain_hut", lambda d: f"{d.last_name()} Hut", "We sleep at {v}. | The night is spent at {v}. | Our beds are in {v}. | {v} takes us in. | We booked {v}. | In the evening we reach {v}. | We rest at {v}. | The hut is {v}. | There's soup at {v}. | The hut is called {v}."),
        _slot("difficulty | grade | how_hard | tour_grade", _one_of("easy | moderate | hard | very hard | gentle | steep"), "It is {v}. | The tour is {v}. | The grade is {v}. | I'd call it {v}. | It counts as {v}. | Difficulty: {v}. | The book says {v}. | Be warned, it is {v}. | Most find it {v}. | The path is {v}. | For most people it is {v}. | The guide book calls it {v}. | Expect a {v} day."))),
    Domain("band booking", (WHEN, TOWN, CALL,
        _slot("band | band_name | group | bandName", lambda d: f"The {d.word('adjectives').title()} {d.word('animals').title()}s", "We want {v}. | The band is {v}. | We'd like to book {v}. | Are {v} free? | Our favourite band is {v}. | It should be {v}. | We heard {v} last year. | {v} must play. | I'm a fan of {v}. | The music shall come from {v}. | Please ask {v}."),
        _slot("occasion | event | feast | reason_to_play", lambda d: d.word("events"), "It is for our {v}. | We have a {v}. | The occasion is a {v}. | It's a {v}. | They would play at our {v}. | We plan a {v}. | What we have is a {v}. | Music for a {v}. | The feast is a {v}. | We hold a {v}."),
        _slot("fee | pay | band_fee | paid_for_playing", _amount, "We can pay {v}. | The fee is {v}. | We offer {v}. | You get {v}. | It may cost {v}. | For {v}, we thought. | Our purse holds {v}. | {v} is our limit. | We have {v} for the music. | They ask for {v}."),
        _slot("sets | number_of_sets | set_count | how_many_sets", lambda d: d.between(2, 6), "Please play {v} sets. | We want {v} sets. | {v} sets would be good. | It should be {v} sets. | We thought of {v} sets. | {v} sets with breaks. | The number of sets is {v}. | Plan {v} sets. | In {v} sets. | {v} sets will do.", number_word),
        _slot("style | kind_of_music | music_style | musicStyle", _one_of("jazz | folk | swing | rock | blues | soul | tango | brass | waltz | country"), "We like {v}. | Play {v}, please. | The style is {v}. | It should be {v}. | Our guests dance to {v}. | {v} is what we want. | We are fond of {v}. | Mostly {v}. | Music: {v}. | A night of {v}. | The sound should be {v}. | We dance to {v} best. | Nothing but {v} all night."),
        _slot("venue | hall | venue_name | played_in", _room, "They play in {v}. | The place is {v}. | We rented {v}. | It takes place in {v}. | The stage is in {v}. | Come to {v}. | We feast in {v}. | The venue is {v}. | It all happens in {v}. | We have {v} for the night. | Your stage would be {v}. | The music sounds best in {v}. | Set up in {v}."))),
    Domain("archive request", (GUEST, EMAIL,
        _slot("document | record | title | document_title", _title, "I look for {v}. | The document is called {v}. | I'd like to see '{v}'. | Do you have \"{v}\"? | It's {v} that I need. | Please find {v}. | The title is {v}. | I want to read {v}. | I need a copy of {v}. | Somewhere you must keep {v}. | My search is for {v}. | Would you bring me {v}? | The thing I am after is {v}."),
        _slot("shelf | shelf_mark | shelfMark | call_number", lambda d: f"{_letters(d, 1)}.{_digits(d, 2)}/{_digits(d, 3)}", "The shelf mark is {v}. | You find it at {v}. | It stands at {v}. | The call number is {v}. | It is marked {v}. | Look on {v}. | The catalogue says {v}. | The mark on it is {v}. | It has the call number {v}. | Shelf {v}."),
        _slot("author | written_by | author_name | by", Draw.person, "The author is {v}. | It was written by {v}. | {v} wrote it. | It is by {v}. | A work of {v}. | The hand is that of {v}. | Author: {v}. | It was {v} who wrote it. | I collect {v}. | It came from the desk of {v}."),
        _slot("written_in | year | document_year | from_year", lambda d: d.between(1650, 1999), "It is from {v}. | It was written in {v}. | The year is {v}. | It dates from {v}. | Written in {v}. | That was in {v}. | It goes back to {v}. | I think of {v}. | The year on it is {v}. | Printed in {v}."),
        _slot("pages | page_count | number_of_pages | pageCount", lambda d: d.between(3, 900), "It has {v} pages. | There are {v} pages. | {v} pages, I think. | It runs to {v} pages. | I need all {v} pages. | It fills {v} pages. | It counts {v} pages. | The number of pages is {v}. | Copy {v} pages, please. | A work of {v} pages."),
        _slot("needed_by | deadline | neededBy | at_the_latest", _day_written, "I need it by {v}. | Please have it ready on {v}. | By {v} at the latest. | {v} is my last day here. | I come on {v}. | The deadline is {v}. | Could I have it on {v}? | My paper is due on {v}. | After {v} it is too late. | It must be here by {v}. | I can wait until {v}. | Let me have it before {v}. | My visit is on {v}."))),
)
# fmt: on
