# ruff: noqa: E501  (phrase lists read best one field a line)
"""More key names and more clauses for the slots of `domains`, for training rows only.

By domain ("" for the slots that several domains share) and by the slot's first key: key names and clauses, with " | "
between them.
"""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
MORE: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "": {
        "name": (
            "fullName | contact_name | contactPerson | your name | my_name | name of the person",
            "The name is {v}. | I'm {v}. | Here is {v}. | {v} here. | {v} is writing to you. | I go by {v}. | You will find it under the name {v}. | My full name is {v}. | I am called {v}. | Put it in the name of {v}. | Let me introduce myself: {v}. | It is {v} who is writing. | Signed, {v} | Yours, {v} | Everything should run under {v}. | The person writing is {v}. | In case you need a name: {v}. | As for my name, it is {v}. | In your files I am {v}. | Regards from {v}. | On the form, write {v} as my name. | I, {v}, am getting in touch with you. | Name's {v}. | My passport says {v}.",
        ),
        "date": (
            "onDate | the_date | date_wanted | calendarDate | which date | wanted_day",
            "We had {v} in mind. | {v} is the date. | It is all about {v}. | As for the date, {v}. | The day in question is {v}. | Mark {v} in your diary. | It falls on {v}. | On {v}, if nothing changes. | {v} is what the calendar says. | Our calendar shows {v}. | I have noted {v}. | We settled on {v}. | The date I have is {v}. | Could it be {v}? | My wish would be {v}. | Let's make it {v}. | What matters is {v}. | You can count on {v}. | {v} is the one. | It is meant for {v}. | The entry should carry the date {v}. | When? On {v}. | Date: {v}. | {v} it is.",
        ),
        "time": (
            "clock_time | timeOfDay | time_wanted | at what time | startTime | o_clock",
            "The time is {v}. | Around {v}, if possible. | {v} sharp, please. | It should be at {v}. | Make it {v}. | Could we say {v}? | By the clock, that is {v}. | Nothing before {v} works. | We had {v} in mind. | At {v} it starts. | {v} is when I am free. | As for the hour, {v}. | When? At {v}. | Expect us at {v}. | The clock will say {v}. | I'd be ready from {v}. | {v} would be the right time. | I have {v} in my diary. | How about {v}? | It is {v} that I was thinking of. | Please be punctual: {v}. | From {v} on, please. | Is {v} still open? | Set it for {v}.",
        ),
        "people": (
            "party | group_size | numberOfPeople | how many people | headcount | people_count | partySize",
            "Altogether we are {v}. | There are {v} in our group. | Our party is {v}. | We'll be {v} in all. | It would be for {v}. | Count on {v} of us. | The group has {v} heads. | We come as a group of {v}. | Expect {v} people. | The number of people is {v}. | We are a party of {v}. | {v} persons, please. | All in all, {v} people. | With me, that makes {v} of us. | Make room for {v}. | {v} people would come. | Please plan for {v}. | Everyone together: {v}. | As for how many, {v}. | I counted {v} of us. | Space for {v} is what we need. | So far {v} have said yes. | You can put us down as {v} people. | {v} is how many we are.",
        ),
        "phone": (
            "phone_number | phoneNumber | mobile | tel | telephone number | call_back | contactPhone",
            "My phone number is {v}. | Call me on {v}. | You reach me on {v}. | Tel. {v} | Give me a ring: {v}. | If anything comes up, dial {v}. | By phone I'm at {v}. | The phone number is {v}. | Questions? Call {v}. | My mobile: {v}. | I can be called on {v}. | Please phone {v}. | A call to {v} is enough. | Mobile {v}. | Do call me under {v}. | {v} is my number. | Text me on {v}. | The line to call is {v}. | For a quick word, dial {v}. | I pick up on {v}. | You'll get me at {v}. | Just ring {v}. | In case of doubt: {v}. | Use {v} to call me back.",
        ),
        "email": (
            "e_mail | emailAddress | email_address | mail address | mailTo | reply_to",
            "My e-mail is {v}. | You can mail me at {v}. | E-mail: {v} | The address for mail is {v}. | Please reply to {v}. | By e-mail I am {v}. | Let me know at {v}. | I can be mailed at {v}. | A mail to {v} is best. | Drop me a line: {v}. | Do write to me at {v}. | Anything in writing goes to {v}. | Confirm it to {v}, please. | For papers use {v}. | My inbox is {v}. | I would like your reply at {v}. | The best e-mail for me is {v}. | All mail should go to {v}. | Please use the e-mail {v}. | Send me the details at {v}. | I'm at {v} for mail. | As for e-mail, take {v}. | If you write, write to {v}. | The e-mail to use: {v}.",
        ),
        "town": (
            "home_town | homeTown | which town | town_name | cityName | locality",
            "My home is in {v}. | I'm based in {v}. | It is here in {v}. | This comes to you from {v}. | {v} is where we are. | You find us in {v}. | We are from {v}. | The town is {v}. | I am a local of {v}. | We all live around {v}. | The place is called {v}. | It is {v} that we live in. | Here in {v} it is quiet. | I have been in {v} for years. | City: {v}. | Our town is called {v}. | All of this is in {v}. | As for the town, it's {v}. | The next big town is {v}. | Warm regards out of {v}. | {v} is the place. | Everyone here in {v} knows it. | For the town, write {v}. | We sit in {v}.",
        ),
        "address": (
            "street_address | streetAddress | house_and_street | which street | full_address | house",
            "My address is {v}. | You find the house at {v}. | It's at {v}. | The house is {v}. | {v} is where it should go. | Our address: {v}. | The street and number are {v}. | We live at {v}. | The right door is {v}. | Please note the address {v}. | On the letter box it says {v}. | Come to {v}. | {v} is the address. | Street: {v}. | That would be {v}. | The building is {v}. | Write {v} on the label. | The postman knows {v}. | You can leave it at {v}. | Everything goes to {v}. | The place to go is {v}. | Look for {v}. | As for the address, {v}. | Ring the bell at {v}.",
        ),
        "price": (
            "total | total_price | priceTotal | sum | how much | amount_paid | costs",
            "The total is {v}. | It comes to {v}. | It costs {v}. | The cost is {v}. | {v} is the price. | The bill says {v}. | You asked for {v}. | It is priced at {v}. | We agreed on {v}. | I have to pay {v}. | Altogether it was {v}. | The amount is {v}. | The receipt shows {v}. | For this I gave {v}. | As for money, {v}. | {v} is what it costs. | The fee was {v}. | At {v}, it is fair. | The sum in question is {v}. | The asking price is {v}. | Price: {v}. | I was charged {v}. | All in all {v}. | They want {v} for it.",
        ),
    },
    "hotel booking": {
        "nights": (
            "number_of_nights | nightCount | how many nights | stay_length | nights_booked",
            "We'd like {v} nights. | Our stay is {v} nights. | It would be {v} nights. | {v} nights, please. | We leave after {v} nights. | Please book {v} nights. | The stay lasts {v} nights. | We plan to spend {v} nights. | {v} nights is what we need. | Could we stay {v} nights? | All told, {v} nights. | That makes {v} nights with you. | Number of nights: {v}. | I am thinking of {v} nights. | Let it be {v} nights. | We are allowed {v} nights away. | Keep it for us for {v} nights. | I would pay for {v} nights. | {v} nights should be enough. | After {v} nights we move on. | As for the length, {v} nights. | A booking of {v} nights, that is. | Our holiday has {v} nights.",
        ),
        "room": (
            "roomType | kind_of_room | room category | type_of_room | room wanted",
            "A {v} would do. | We need a {v} room. | If possible a {v} room. | Make it a {v} room. | The {v} room looks best to us. | Do you still have a {v} room? | Please keep a {v} room for us. | As for the room, a {v}. | We chose the {v} room. | Room type: {v}. | It should be your {v} room. | I saw the {v} room on your page. | Only a {v} room will do. | We'd be happy with a {v} room. | What we want is a {v} room. | Last time we had a {v} room, and the same please. | Reserve a {v} room. | My choice is the {v} room. | We'll take the {v} room. | Could it be a {v} room? | A {v} room is all we need. | Give us the {v} one. | For the room, we prefer {v}.",
        ),
    },
    "table reservation": {
        "table": (
            "table_type | which table | tablePlace | seating | kind of table",
            "The {v} table, please. | We'd love the {v} table. | Is the {v} table taken? | Last time we sat at the {v} table. | A {v} table is what we want. | Put us at a {v} table. | We prefer a {v} table. | My wish is a {v} table. | Please keep the {v} table. | If there is one, a {v} table. | It should be a {v} table. | Reserve us a {v} table. | As for the table, a {v} one. | I'm after a {v} table. | Any {v} table will do. | Seat us at a {v} table. | Our favourite is the {v} table. | We always take the {v} table. | Let it be the {v} table. | We would be glad of a {v} table. | A {v} table suits us best. | We asked for a {v} table. | Table: {v}.",
        ),
    },
    "library loan": {
        "book": (
            "book_title | bookTitle | title of the book | borrowed_book | name_of_book",
            "The title is {v}. | I'd like to keep {v}. | It is {v} that I borrowed. | {v} lies on my desk. | I have {v} at home. | I took out {v}. | The one I mean is {v}. | {v} is the book. | Please look up {v}. | I am still reading {v}. | On the cover it says {v}. | I want to bring back {v}. | May I have {v} a little longer? | My loan is {v}. | You lent me {v}. | Do you need {v} back? | I found {v} under my bed. | I haven't finished {v}. | It concerns {v}. | Could you renew {v}? | As for the book, it's {v}. | My daughter is reading {v}. | Book: {v}. | I write because of {v}.",
        ),
        "card": (
            "cardNumber | library_card | number of the card | reader_number | card_id",
            "The number of my card is {v}. | My library card: {v}. | I'm reader {v}. | Card: {v}. | On my card it says {v}. | The card with the number {v} is mine. | My reader number is {v}. | In your system I am {v}. | The library card reads {v}. | Please check card {v}. | It went on card {v}. | For the card, note {v}. | I use the card {v}. | Look me up by {v}. | You gave me card {v}. | As a reader I have {v}. | Printed on it: {v}. | The loan is on card {v}. | I hold card {v}. | Under the barcode stands {v}. | The card number is {v}. | Mine is card {v}. | It is registered on {v}. | Type in {v} to find me.",
        ),
    },
    "parcel notice": {
        "parcel": (
            "trackingCode | tracking_number | parcel_number | code of the parcel | parcelId | shipment",
            "The tracking number is {v}. | My parcel is number {v}. | The label shows {v}. | Parcel {v} has not come. | The code is {v}. | I am waiting for parcel {v}. | You can track it as {v}. | Tracking: {v}. | On the card it says {v}. | It travels under {v}. | Please trace {v}. | The parcel carries the number {v}. | They told me the code {v}. | The number on the slip is {v}. | Where is {v}? | I was given the code {v}. | The shipment is {v}. | Look for parcel {v}. | In your list it is {v}. | It is registered as {v}. | Parcel number: {v}. | The barcode reads {v}. | For tracking use {v}. | Its number is {v}.",
        ),
        "weight_kg": (
            "weightKg | weight_in_kg | how heavy | kg | weight in kilos",
            "The parcel weighs {v} kg. | It has {v} kilos. | The scales say {v} kg. | {v} kg is the weight. | Its weight is {v} kilos. | It should weigh {v} kg. | That is {v} kg to carry. | We weighed it: {v} kg. | Heavy, about {v} kilos. | The slip gives {v} kg. | A box of {v} kg. | With {v} kg it is no letter. | Weight: {v} kg. | Mind your back, {v} kilos. | It comes to {v} kg. | At {v} kg I need a trolley. | The label speaks of {v} kg. | I guess {v} kilos. | On the scales it was {v} kg. | It brings {v} kg to the scales. | All of it is {v} kg. | {v} kg, says the label. | As for the weight, {v} kg.",
        ),
        "from": (
            "sent_by | sentBy | sender_name | who sent it | shipped_from",
            "It was {v} that sent it. | {v} shipped it. | The parcel is from {v}. | I ordered at {v}. | {v} is the sender. | On the back it says {v}. | It was posted by {v}. | They are called {v}. | The shop is {v}. | {v} packed it. | It must be from {v}. | I expect something from {v}. | As sender it names {v}. | Sender: {v}. | My order was with {v}. | The goods come from {v}. | It left {v} last week. | I had bought something at {v}. | It is a box of {v}. | {v} handed it in. | According to the label, {v} sent it. | The company behind it is {v}. | You got it from {v}. | Sent off by {v}.",
        ),
    },
    "vet visit": {
        "animal": (
            "animal_kind | kindOfAnimal | which animal | species_name | type of animal",
            "The patient is a {v}. | We own a {v}. | My {v} needs a doctor. | It concerns our {v}. | We have a {v} at home. | The animal is a {v}. | Our {v} is not well. | My {v} has a bad leg. | Do you treat a {v}? | Have you ever seen a {v}? | I'm worried about my {v}. | This time it's the {v}. | The {v} sleeps all day. | Our old {v} coughs. | You know our {v}. | I'd like you to see my {v}. | Something is wrong with the {v}. | The one who needs help is our {v}. | We keep a {v}. | As for the animal, it is a {v}. | I share my home with a {v}. | Can you look at a {v}? | It is a {v}. | Our {v} needs a check.",
        ),
        "pet": (
            "petName | name_of_pet | name of the animal | pet_called | animal_name",
            "The pet is called {v}. | Its name's {v}. | We named it {v}. | It answers to {v}. | The name of the animal is {v}. | The children call it {v}. | {v} is what it is called. | {v} is very brave. | At home we say {v}. | Poor {v} is scared. | {v} has been here before. | Please be gentle with {v}. | The little patient is {v}. | In your file it is {v}. | I will carry {v} in a basket. | {v} does not like cars. | The pet's name is {v}. | Just call it {v}. | It goes by {v}. | {v} needs you. | Our darling is {v}. | On the collar it says {v}. | It only comes when I call {v}. | The one who suffers is {v}.",
        ),
        "age": (
            "age_years | petAge | how old | age in years | age_of_animal",
            "The animal is {v}. | It turned {v} in spring. | It is {v} now. | At {v} it is not young. | The age is {v}. | It's {v} years old. | We think it is {v}. | It has been with us since birth, {v} years. | Born {v} years ago. | In years, {v}. | It must be about {v}. | It reached the age of {v}. | {v} years old, to be exact. | Its age is {v}. | We celebrated when it became {v}. | As for the age, {v}. | {v} years is its age. | The papers say {v} years. | It lives for {v} years now. | Age: {v}. | By now it is {v} years old. | You may note {v} years. | It was {v} last week. | I would say it is {v}.",
        ),
    },
    "cake order": {
        "cake": (
            "cake_flavour | filling | cakeKind | what kind of cake | flavour_wanted",
            "We thought of {v}. | The filling should be {v}. | Make it with {v}. | {v} inside, please. | Is a cake with {v} possible? | He loves {v}. | I'd like {v} in it. | It should taste of {v}. | The flavour is {v}. | As a filling, {v}. | We chose {v}. | My order is a cake with {v}. | Everyone here likes {v}. | Please put {v} in it. | One cake with {v}. | It has to be {v}. | For the flavour, {v}. | Last time there was {v} in it, and we loved it. | A layer of {v} would be nice. | Could there be {v} in it? | We are fond of {v}. | Take {v} for the cake. | It's a cake with {v} that we want. | Flavour: {v}.",
        ),
        "text": (
            "cake_text | writingOnCake | words on the cake | inscription | message_on_top",
            "The words are '{v}'. | Please write \"{v}\". | On the cake, '{v}'. | It should say '{v}'. | '{v}' should stand on it. | The icing should read '{v}'. | In icing: '{v}'. | We want the words '{v}'. | Could you write \"{v}\" on top? | As text, '{v}'. | Text: {v}. | Nothing but '{v}' on top. | In pink letters, \"{v}\". | The writing says '{v}'. | I'd like '{v}' on top of it. | '{v}' in big letters. | The inscription is \"{v}\". | Please spell it '{v}'. | Let it say \"{v}\". | Decorate it with '{v}'. | We thought of the words '{v}'. | \"{v}\" is what it should say. | On the top we want \"{v}\". | Add the line '{v}'.",
        ),
    },
    "taxi ride": {
        "from": (
            "pick_up | pickupAddress | starting_point | where to start | from_address | fetch_at",
            "Fetch me at {v}. | The start is {v}. | I'll be standing at {v}. | We wait in front of {v}. | Please come to {v}. | You can collect us at {v}. | From {v}, please. | The car should come to {v}. | I need to leave from {v}. | We get in at {v}. | The pickup is at {v}. | My house is {v}. | Our start is {v}. | {v} is where you find me. | I need a car at {v}. | Start: {v}. | We are standing at {v}. | Send the driver to {v}. | Find me outside {v}. | I leave from {v}. | Right now I'm at {v}. | Collect me from {v}. | Could you pick us up at {v}? | The driver should stop at {v} for us.",
        ),
        "to": (
            "drop_off | dropOff | goal | where to go | to_address | destination_address",
            "The goal is {v}. | I want to go to {v}. | Bring us to {v}. | My destination is {v}. | We are going to {v}. | I have to get to {v}. | The way goes to {v}. | Drop us off at {v}. | To {v}, please. | {v} is where I want to go. | I get out at {v}. | Drive me to {v}. | The trip ends at {v}. | We need to reach {v}. | Can you drive to {v}? | The last stop is {v}. | I am expected at {v}. | Destination: {v}. | Let me out at {v}. | Please take us to {v}. | The place I must get to is {v}. | We're heading for {v}. | It's a ride to {v}. | My friends live at {v}, take me there.",
        ),
    },
    "lost thing": {
        "object": (
            "lost_object | lostItem | missing_thing | what was lost | belonging",
            "The thing is my {v}. | I can't find my {v}. | I miss my {v}. | Did somebody hand in my {v}? | My {v} has vanished. | I must have dropped my {v}. | It's about my {v}. | Please look for my {v}. | My {v} was left behind. | I forgot my {v}. | What I lost is my {v}. | Without my {v} I am sad. | Perhaps you found my {v}. | Someone may have taken my {v}. | Has my {v} turned up? | I need my {v} back. | Gone is my {v}. | The lost thing is my {v}. | I had my {v} with me, then it was gone. | Is there a {v} among your finds? | My {v} went missing. | If you see my {v}, tell me. | I came without my {v}. | A {v} of mine is lost.",
        ),
        "colour": (
            "main_colour | mainColor | which colour | colour_of_it | shade",
            "It's {v}. | The colour of it is {v}. | In {v}. | It is all {v}. | Colour: {v}. | It is painted {v}. | You see it at once, it is {v}. | Mostly {v}. | It comes in {v}. | A {v} one. | {v} is its colour. | The outside is {v}. | It shines {v}. | Mine is {v}. | As for the colour, {v}. | Look for something {v}. | The {v} one is mine. | Its colour is {v}. | It has a {v} cover. | I'd call it {v}. | Not every one is {v}, mine is. | On the outside it's {v}. | From afar it looks {v}. | It used to be {v} and still is.",
        ),
        "where": (
            "lost_at | whereLost | last_seen | place of loss | seen_last",
            "I lost it {v}. | It happened {v}. | Maybe it is still {v}. | {v} I still had it. | I must have left it {v}. | It got lost {v}. | The last time I saw it was {v}. | I was {v} when I noticed it. | I sat {v} with it. | It may be lying {v}. | Somewhere {v}, I guess. | I am sure it was {v}. | Could you search {v}? | We were {v} that day. | It fell down {v}. | Try {v}. | It was last seen {v}. | As far as I know, it was {v}. | {v} it was still with me. | I forgot it {v}. | It slipped out of my hand {v}. | I only had it out {v}. | It could be {v}. | Where? It was {v}.",
        ),
    },
    "job application": {
        "job": (
            "job_title | jobTitle | position_wanted | which job | applied_for",
            "I would like the job as a {v}. | I'd be glad to be your {v}. | By trade I'm a {v}. | The job is {v}. | I saw that you need a {v}. | I'm applying to be a {v}. | I hope to become your new {v}. | My application is for the post of {v}. | You want a {v}, and here I am. | I learned to be a {v}. | Could you use a {v}? | I am interested in the position of {v}. | I wish to join you as a {v}. | Working as a {v} is my dream. | The post is that of a {v}. | It's the {v} job that I want. | Your advert asks for a {v}. | I offer my services as a {v}. | Being a {v} is what I do best. | As a {v} I would fit in well. | Hire me as a {v}. | You have an opening for a {v}. | My trade is that of a {v}. | Job: {v}.",
        ),
        "years": (
            "years_of_experience | yearsOfExperience | how many years | work_years | years in the trade",
            "I bring {v} years of experience. | For {v} years I have worked in this trade. | I've been doing it for {v} years. | {v} years of work lie behind me. | My experience covers {v} years. | I worked {v} years for others. | I have done this work for {v} years. | Experience: {v} years. | I look back on {v} years. | It has been {v} years now. | I can show {v} years of work. | I started {v} years ago. | With {v} years behind me I know the work. | {v} years taught me a lot. | I can point to {v} years in the job. | I've {v} years under my belt. | In {v} years I was never late. | I have practised it for {v} years. | After {v} years I want something new. | I count {v} years of practice. | These {v} years were good ones. | All in all I have {v} years. | My years in the trade: {v}.",
        ),
    },
    "school note": {
        "pupil": (
            "pupil_name | studentName | child_name | name of the child | which pupil",
            "The pupil is {v}. | The child's name is {v}. | I'm writing about {v}. | {v} cannot come to school. | Please excuse {v}. | {v} has to stay at home. | It concerns {v}. | Our child {v} will be missing. | I am the mother of {v}. | I am the father of {v}. | {v} is not well. | {v} will not be at school. | The note is for {v}. | {v} is the one who is away. | My son is {v}. | My daughter is {v}. | Pupil: {v}. | You teach {v}. | We are keeping {v} at home. | As {v}'s parent I let you know. | Kindly excuse {v}. | {v} stays with us. | The one I mean is {v}. | {v} has to miss school.",
        ),
        "class": (
            "school_class | className | which class | class_group | grade",
            "The child is in {v}. | Class: {v}. | It's class {v}. | In {v}, that is. | That is the class {v}. | Please tell the teacher of {v}. | The form is {v}. | We belong to {v}. | Our class is {v}. | Pass it on to {v}. | The others in {v} may tell the homework. | {v} is the class. | He or she sits in {v}. | You find the name in the list of {v}. | The class concerned is {v}. | Since summer in {v}. | Form {v}. | The register of {v} has the name. | From class {v}. | Let {v} know. | As for the class, {v}. | Lessons are with {v}. | Grade {v}. | In the group {v}.",
        ),
        "reason": (
            "reason_for_absence | absenceReason | cause | why absent | excuse",
            "It's {v}. | The cause is {v}. | Why? There is {v}. | {v} is the reason. | It is due to {v}. | The trouble is {v}. | We have to deal with {v}. | Reason: {v}. | On account of {v}. | Owing to {v}. | There has been {v}. | Behind it is {v}. | It comes from {v}. | Because there is {v}. | As a reason I give {v}. | I am sorry, it is {v}. | It was {v} that came up. | With {v} one cannot come. | {v} came up. | {v} keeps us at home. | We didn't expect {v}. | Nothing but {v}, luckily. | The excuse is {v}. | All because of {v}.",
        ),
        "days": (
            "days_absent | absentDays | how many days | days_missed | length of absence",
            "It will last {v} days. | Expect us back after {v} days. | We need {v} days. | The absence is {v} days. | {v} days at home, says the doctor. | It means {v} days without school. | {v} days in all. | That makes {v} days. | We ask for {v} days. | It may be {v} days. | Give us {v} days. | {v} days should do. | The doctor said {v} days. | After {v} days all will be well. | Days missed: {v}. | I guess {v} days. | School is off for {v} days. | For {v} days there will be an empty chair. | It takes about {v} days. | We will miss {v} days. | {v} days of rest are needed. | As for how long, {v} days. | It adds up to {v} days.",
        ),
    },
    "ticket sale": {
        "event": (
            "event_name | eventName | which event | performance | what to see",
            "The event is the {v}. | We'd love to see the {v}. | I'm writing about the {v}. | Is the {v} sold out? | We want to come to the {v}. | Do you sell tickets for the {v}? | We look forward to the {v}. | It's the {v} that we want to see. | The {v} is what we came for. | I heard about the {v}. | The {v}, please. | My friends go to the {v}. | I have never been to the {v}. | For the {v}, please. | We chose the {v}. | I'd like to book the {v}. | Event: {v}. | We never miss the {v}. | Our evening out is the {v}. | Book us in for the {v}. | We are keen on the {v}. | The show we mean is the {v}. | Please reserve for the {v}. | It concerns the {v}.",
        ),
        "tickets": (
            "ticket_count | numberOfTickets | how many tickets | seats_wanted | ticketCount",
            "We need {v} tickets. | I'd like {v} tickets. | I want {v} seats. | {v} seats would be great. | Please send me {v} tickets. | Could I have {v} tickets? | Reserve {v} seats. | It would be {v} tickets. | The number of tickets is {v}. | Are {v} seats left? | We are looking for {v} seats. | Make it {v} tickets. | My order: {v} tickets. | In total {v} tickets. | Keep {v} seats for us. | Put {v} tickets aside. | {v} tickets is all I need. | For us {v} seats, side by side. | I take {v} tickets. | I paid for {v} tickets. | I ordered {v} tickets. | As for tickets, {v}. | Print {v} tickets, please.",
        ),
    },
    "garden order": {
        "plant": (
            "plant_name | plantKind | which plant | plants_ordered | kind of plant",
            "I'd like to order {v}. | We need {v}. | We are short of {v}. | Our garden lacks {v}. | I am looking for {v}. | Can you deliver {v}? | I ordered {v}. | Please bring me {v}. | Send me {v}, please. | I fell in love with your {v}. | This time I want {v}. | It's {v} that I need. | We would like to plant {v}. | For the front garden, {v}. | {v} would look good here. | My wish: {v}. | Are {v} in stock? | I saw {v} in your list. | We decided on {v}. | My neighbour has {v}, and I want the same. | There should be {v} by the wall. | I thought of {v}. | The bed needs {v}. | Plant: {v}.",
        ),
        "quantity": (
            "number_of_plants | plantCount | how many pieces | order_quantity | pieces",
            "The quantity is {v}. | I need {v} of them. | Please pack {v}. | {v} pieces. | {v} of them, please. | I'd like {v} of those. | We take {v}. | Make it {v} of them. | Number: {v}. | How many? {v}. | The order is for {v} pieces. | {v} should be enough. | We have room for {v}. | Count out {v}. | There should be {v} of them. | Altogether {v} pieces. | I want exactly {v}. | Bring {v} of these. | A set of {v}. | Put down {v} pieces. | It should be {v} in number. | Let me have {v}. | We'd use {v}.",
        ),
    },
    "match report": {
        "winner": (
            "winner_name | first_place | who won | winningPlayer | champion",
            "The victory went to {v}. | {v} came first. | {v} took the cup. | It was {v} who won. | First place: {v}. | {v} was too strong. | The crowd cheered for {v}, the winner. | {v} beat everyone. | The day belonged to {v}. | {v} got the gold. | Winner: {v}. | In the end {v} had won. | Nobody could stop {v}. | The prize was won by {v}. | {v} played best and won. | On top stood {v}. | {v} is the new champion. | The medal hangs round the neck of {v}. | We saw {v} win. | A clear win for {v}. | The better one was {v}. | {v} went home with the cup. | The title is held by {v}. | Success came to {v}.",
        ),
        "loser": (
            "second_place | who lost | runner_up | losingPlayer | beaten",
            "{v} was beaten. | It was {v} who lost. | {v} came second. | {v} had to give in. | Defeat for {v}. | The second place went to {v}. | {v} fought in vain. | {v} went home sad. | It wasn't the day of {v}. | {v} could not keep up. | Bad luck for {v}. | Second: {v}. | The beaten one was {v}. | {v} had to settle for silver. | Less lucky was {v}. | {v} lost in the end. | {v} was not good enough. | The one who lost was {v}. | Silver for {v}. | {v} shook hands and left, beaten. | Nothing went right for {v}. | Tears were shed by {v}. | {v} finished behind. | The weaker side was {v}.",
        ),
        "sport": (
            "kind_of_sport | sportName | which sport | discipline | what was played",
            "The sport is {v}. | It was a day of {v}. | On the programme was {v}. | {v} was the sport. | The match was in {v}. | A great day for {v}. | We love {v}. | It was all about {v}. | They met for {v}. | Fans of {v} were happy. | The contest was in {v}. | In {v} anything can happen. | This is my report on {v}. | Sport: {v}. | We came to see {v}. | Our club does {v}. | It is {v} that this is about. | The discipline was {v}. | {v} is popular here. | A lesson in {v}. | {v} at its best. | That is {v}. | The club for {v} met. | They are all mad about {v}.",
        ),
        "score": (
            "final_score | finalScore | how it ended | end_result | points",
            "The result was {v}. | It was {v} in the end. | The final score is {v}. | After the break it was {v}, and so it stayed. | {v} was the result. | They parted at {v}. | With {v} it was over. | Score: {v}. | Final: {v}. | At the end it stood {v}. | It finished {v}. | The match ended with {v}. | A {v} that nobody had expected. | The scoreboard showed {v}. | When the whistle blew it was {v}. | {v} it was. | The report says {v}. | We noted {v}. | Result: {v}. | The last count was {v}. | It came out as {v}. | The final figure was {v}. | They went home with {v}. | As for the score, {v}.",
        ),
    },
    "house for rent": {
        "rooms": (
            "number_of_rooms | roomCount | how many rooms | rooms_total | rooms in all",
            "The house has {v} rooms. | It offers {v} rooms. | We count {v} rooms. | {v} rooms in all. | It comes with {v} rooms. | A house of {v} rooms. | {v} rooms wait for you. | Number of rooms: {v}. | Inside are {v} rooms. | The rooms are {v} in number. | There is space in {v} rooms. | You would have {v} rooms. | It is divided into {v} rooms. | Rooms: {v}. | On two floors there are {v} rooms. | {v} bright rooms belong to it. | The plan shows {v} rooms. | Altogether it has {v} rooms. | We let {v} rooms. | One can live in {v} rooms. | It has got {v} rooms. | {v} rooms are plenty. | There you find {v} rooms.",
        ),
        "owner": (
            "owner_name | ownerName | who owns it | let_by | house_owner",
            "{v} owns it. | The house belongs to {v}. | It is let by {v}. | {v} is the owner. | Please ask {v}. | The keys are with {v}. | It is owned by {v}. | Talk to {v} about it. | {v} will show you round. | The landlord is {v}. | The rent goes to {v}. | You would rent it from {v}. | {v} has the keys. | Owner: {v}. | It was built for {v}, who still owns it. | {v} would be your landlord. | The contract is made with {v}. | You deal with {v}. | The one to ask is {v}. | Get in touch with {v}. | {v} decides who gets it. | It has long been the house of {v}. | Landlord: {v}. | {v} rents it out.",
        ),
    },
    "gym sign-up": {
        "course": (
            "course_name | courseName | which course | activity | chosen_course",
            "I'd like to try {v}. | My course is {v}. | I would love to learn {v}. | Please sign me up for {v}. | I want to take up {v}. | {v} is what I want to do. | I'm interested in {v}. | It's {v} for me. | The course I want is {v}. | Do you still have places in {v}? | I picked {v}. | Enter me for {v}. | {v} sounds fun. | I have always wanted to do {v}. | Course: {v}. | My choice fell on {v}. | I would join {v}. | I hear you teach {v}. | Can I start with {v}? | I'm here for {v}. | Add me to {v}. | {v}, please. | I have decided to do {v}. | My friend told me about {v}.",
        ),
        "weekday": (
            "day_of_week | dayOfWeek | which weekday | day of the week | training_day",
            "I can come on {v}. | {v} suits me. | I'm free on {v}. | Only {v} works for me. | My day is {v}. | It would have to be {v}. | Always on {v}. | The weekday is {v}. | I'd choose the {v} group. | I would train on {v}. | {v} would be my day. | Is there a place on {v}? | Put me in the {v} class. | Weekday: {v}. | On any {v}, I have time. | The {v} course, please. | Week after week, on {v}. | My evenings are full except on {v}. | I prefer {v}. | It is {v} that I can manage. | Could I come every {v}? | Let's make it {v}. | Best for me is {v}. | Say {v}.",
        ),
        "months": (
            "number_of_months | monthCount | how many months | contract_months | length in months",
            "I sign for {v} months. | The contract is for {v} months. | I'd like {v} months. | {v} months to begin with. | I want to join for {v} months. | Book me for {v} months. | It runs {v} months. | I'd pay for {v} months. | Let it run {v} months. | After {v} months I decide again. | I have {v} months of time. | I take {v} months. | Length: {v} months. | My plan is {v} months. | For the next {v} months, please. | The duration is {v} months. | {v} months, please. | I thought of {v} months. | Give me {v} months. | I will be a member for {v} months. | All in all {v} months. | It should last {v} months. | Sign me up for {v} months.",
        ),
    },
    "weather log": {
        "sky": (
            "sky_state | skyState | what sky | weather_kind | conditions",
            "The weather was {v}. | All day it was {v}. | It stayed {v}. | It turned {v}. | We had {v} weather. | The day began {v}. | Today was {v}. | In a word: {v}. | It looked {v} outside. | From morning on it was {v}. | {v} from dawn to dusk. | Sky: {v}. | The sky looked {v}. | Outside it is {v}. | The log says {v}. | A {v} afternoon. | As for the weather, {v}. | I would call it {v}. | Once more it was {v}. | Rather {v}, I'd say. | It was {v} for hours. | {v} weather all over. | A rather {v} sky. | The morning was {v}.",
        ),
        "degrees": (
            "temperature_c | tempCelsius | how warm | degrees_at_noon | temp",
            "The temperature was {v}. | It reached {v} degrees. | We had {v} degrees. | At noon it was {v}. | The thermometer read {v}. | {v} degrees outside. | In the shade {v} degrees. | I read off {v} degrees. | It was measured at {v} degrees. | The air had {v} degrees. | At most {v} degrees. | Temperature: {v}. | It got to {v} degrees. | I noted {v} degrees. | {v} is what the thermometer says. | Degrees: {v}. | With {v} degrees it was as usual. | The log gives {v} degrees. | The mercury stood at {v}. | Measured: {v} degrees. | Around noon we had {v}. | The reading was {v}. | Today's value is {v} degrees. | By my thermometer {v}.",
        ),
        "observer": (
            "observed_by | observerName | who observed | recorded_by | name of the observer",
            "Observed by {v}. | The observer was {v}. | {v} kept the log. | These notes are by {v}. | {v} took the readings. | {v} watched the sky. | Recorded by {v}. | It was {v} who noted this. | {v} was on duty. | Log kept by {v}. | The report is from {v}. | Written down by {v}. | On duty: {v}. | {v} did the measuring. | {v} signed the sheet. | I am {v}, the observer. | The one who watched was {v}. | Readings by {v}. | {v} reports. | This was seen by {v}. | Entry of {v}. | Today's observer is {v}. | The pen was held by {v}. | Reported by {v}.",
        ),
    },
    "visitor card": {
        "company": (
            "company_name | companyName | which company | employer | visitor_company",
            "My company is {v}. | I'm with {v}. | I am here on behalf of {v}. | {v} is my employer. | I was sent by {v}. | I am employed at {v}. | I belong to {v}. | {v} pays my wages. | The firm is {v}. | My business card says {v}. | I speak for {v}. | I work at {v}. | Company: {v}. | It's {v} that I work for. | We at {v} are glad to come. | I come on behalf of {v}. | My office is at {v}. | For years I have been with {v}. | The company I represent is {v}. | You know us as {v}. | Put down {v} as my firm. | I am one of the people of {v}. | I travel for {v}. | We are {v}.",
        ),
        "host": (
            "host_name | hostName | who is visited | person_to_meet | meeting_with",
            "I'm here to see {v}. | My host is {v}. | I am to meet {v}. | I'd like to see {v}. | Could you tell {v} that I am here? | {v} invited me. | {v} is waiting for me. | I have an appointment with {v}. | {v} will pick me up. | I am a guest of {v}. | Please let {v} know. | I visit {v}. | Host: {v}. | The person I meet is {v}. | {v} asked me to come. | I was invited by {v}. | Is {v} in? | I am looking for {v}. | My meeting is with {v}. | {v} knows that I come. | Ring {v} for me, please. | I want to talk to {v}. | I have come to see {v}. | It's {v} that I want to see.",
        ),
        "badge": (
            "badge_number | badgeNumber | which badge | visitor_badge | number of the badge",
            "The number on my badge is {v}. | My badge number is {v}. | I have badge {v}. | I was given badge {v}. | On the badge it says {v}. | Mine is badge {v}. | I got the badge with {v}. | The badge reads {v}. | Badge: {v}. | I carry badge {v}. | I return badge {v} later. | The desk handed me badge {v}. | {v} is on my badge. | For the gate I have {v}. | My visitor badge is {v}. | The badge you gave me is {v}. | It's badge {v} that I wear. | Please note badge {v}. | Round my neck hangs {v}. | The gate reads my badge as {v}. | As a badge I hold {v}. | The plastic badge has {v} on it. | The visitor badge shows {v}. | I pinned on badge {v}.",
        ),
    },
    "shopping list": {
        "shop": (
            "shop_name | shopName | which shop | where to buy | store_name",
            "The place to shop is {v}. | Get it at {v}. | {v} is the best shop. | Please go to {v}. | We always shop at {v}. | Everything is at {v}. | I like {v}. | Buy it all at {v}. | Drive to {v}. | You get it all at {v}. | Look in at {v}. | At {v}, please. | Start at {v}. | {v} has good prices. | Shop: {v}. | This week we buy from {v}. | The shop I mean is {v}. | They have it at {v}. | {v} is open late. | The list is for {v}. | Stop at {v}. | Today it's {v}. | Go into {v}. | Off to {v}.",
        ),
        "food": (
            "food_item | foodName | what food | groceries | thing_to_eat",
            "We are out of {v}. | Please buy {v}. | Take {v}. | {v} is missing. | I'd like {v}. | Think of {v}. | For supper we need {v}. | First of all {v}. | I feel like {v}. | {v}, please. | The kitchen needs {v}. | We want to eat {v}. | Pick up {v}. | Food: {v}. | {v} for all of us. | Make sure to get {v}. | I'm cooking with {v}. | Bring home {v}. | On the list: {v}. | Could you get {v}? | We ran out of {v}. | Buy plenty of {v}. | {v} must not be missing. | Look out for {v}.",
        ),
        "object": (
            "other_thing | otherItem | thing_to_buy | household | what thing",
            "I also need {v}. | Besides, {v}. | And {v}, please. | Do bring {v} as well. | We could use {v}. | What about {v}? | I could do with {v}. | Not to eat, but needed: {v}. | For the house, {v}. | If it is cheap, {v}. | Have a look for {v}. | Please get {v} too. | And then there is {v}. | {v} would be good as well. | Buy {v} as well. | On top of that, {v}. | We have wanted {v} for long. | Finally, {v}. | Something else: {v}. | My last wish is {v}. | I have been looking for {v}. | Maybe they sell {v}. | Also put {v} in the bag. | See if they have {v}.",
        ),
        "buyer": (
            "buyer_name | who goes | shopper | sent_to_shop | whoBuys",
            "{v} does the shopping. | {v} will go. | Today {v} is on duty. | It's {v} who goes. | {v} is going to buy it. | {v} takes the car and goes. | {v} offered to go. | Let {v} do it. | {v} has the money. | {v} knows the way. | Send {v}. | {v} carries the bags. | This time it's {v}. | Buyer: {v}. | It is up to {v}. | The shopping is done by {v}. | The one who goes is {v}. | {v} said yes. | The list is for {v}. | I gave {v} the list. | {v} has time. | {v} can bring it. | We agreed that {v} goes. | I asked {v}.",
        ),
    },
}

NAMED = (  # sentences with the key in them
    "The {key}? {v}.", "You asked for the {key}: {v}.", "Please note that the {key} is {v}.", "{v} is the {key}.", "I can tell you the {key}: {v}.",
    "The right {key} is {v}.", "My {key} is {v}.", "Their {key} is {v}.", "The {key} has always been {v}.", "Put {v} as the {key}.", "Let the {key} be {v}.",
    "When it comes to the {key}, it is {v}.", "What about the {key}? It is {v}.", "About the {key}: {v}.", "As the {key} we chose {v}.", "Our choice of {key} is {v}.",
    "The {key} we want is {v}.", "The {key} reads {v}.", "On the form the {key} is {v}.", "Enter {v} for the {key}.", "Its {key} is {v}.", "They gave {v} as the {key}.",
    "It says {v} for the {key}.", "The {key} (that is {v}) is known.", "The {key}, {v}, is in the file.", "With {v} as {key}.", "Set the {key} to {v}.", "I would put {v} under {key}.",
    "Under {key} it says {v}.", "In the field {key} write {v}.", "The {key} turned out to be {v}.", "For {key}, {v}.", "And the {key}: {v}.", "As regards the {key}, {v}.",
    "We know the {key}: {v}.", "The {key} now is {v}.", "The list has {v} as {key}.", "The entry for {key} is {v}.", "{v} stands under {key}.", "The {key} given was {v}.",
    "Use {v} as the {key}.", "{v} (the {key})", "{v} should be the {key}.", "Only the {key} is new: {v}.", "It was decided that the {key} is {v}.",
)  # fmt: skip
BESIDE = (  # the key beside its value, as in tables and forms
    "{key} = {v}", "{key}={v}", "{key} | {v}", "| {key} | {v} |", "- {key}: {v}", "* {Key}: {v}", "{key} - {v}", "{Key} — {v}", "{key} -> {v}",
    "{key}: \"{v}\"", "[{key}] {v}", "({key}) {v}", "{key}; {v}", "{key}, {v}", "{key} is: {v}", "{key} was {v}", "{v}: {key}", "{key} · {v}", "{key} / {v}", "{key} ~ {v}", "{key} ({v})", "{key}... {v}", "{Key} ....... {v}", "{key} := {v}", "{key} => {v}",
    "<{key}>{v}</{key}>", "{key}\t{v}", "{key}: '{v}'", "\"{key}\": \"{v}\"", "{key} is {v}", "{Key}? {v}", "#{key} {v}", "**{Key}:** {v}", "{v} ({key})", "{v} = {key}", "@{key} {v}",
)  # fmt: skip
OPENINGS = (
    "Dear all,", "Dear friends,", "Good afternoon.", "Good afternoon,", "Hi all,", "Hi everyone,", "Hello everybody!", "Hello there.", "Hello again,", "Hi, it's me again.", "Greetings!", "A very good morning to you.",
    "Dear reader,", "Dear colleagues,", "Dear neighbours,", "Hey there,", "Hiya,", "Evening!", "Afternoon!", "Excuse me,", "Sorry to trouble you.", "Just a short note.", "A quick question.", "Quick note:", "Hello from the road.",
    "May I ask you something?", "I have a request.", "Here are my details.", "Following our talk, here is all you need.", "As agreed, I am sending you the details.", "Thank you for your mail.", "Thanks for calling.", "I hope this reaches the right person.",
    "Please read this soon.", "To the office:", "For your files:", "Note:", "Message:", "Subject: my request", "Re: your letter", "Hello and good day!", "Good to hear from you.", "Dear Madam,", "Dear Sir,", "Ladies and gentlemen,", "Hi team,", "Hello, hello!",
    "Well,", "So, here it comes.", "Let me be brief.",
)  # fmt: skip
CLOSINGS = (
    "Thank you so much.", "Thanks a lot.", "Thank you very much in advance.", "With best regards.", "Best regards.", "Warm regards.", "With kind wishes.", "Yours truly.", "Yours sincerely.", "Yours faithfully.", "All the best.", "All good wishes.",
    "Take care.", "Until then.", "See you then.", "See you.", "Talk to you soon.", "I hope to hear from you.", "Please reply soon.", "Let me know.", "Let us know if that works.", "Please confirm.", "Could you confirm, please?", "A short reply would be nice.",
    "Is that possible?", "Does that work for you?", "Thank you for your help.", "Thanks for your trouble.", "I am grateful for your help.", "That was it.", "That would be all.", "So long.", "Goodbye.", "Have a good one!", "Have a nice weekend.", "Enjoy your day.",
    "Looking forward to it!", "I look forward to your reply.", "Much obliged.", "Much appreciated.", "Ta!", "Best,", "Regards,", "Sent from my phone.", "Please forgive the haste.", "Greetings to all.", "Sorry for the trouble.", "You are the best!",
)  # fmt: skip
FILLERS = (
    "I have heard only good things about you.", "A friend told me to write.", "We talked on the phone before.", "You were so kind last time.", "I could not find it on your page.", "Your line was busy.", "I tried to call, but nobody answered.",
    "It rains all the time here.", "The children are very excited.", "My husband says hello.", "My wife is looking forward to it.", "Please do not worry.", "There is no hurry.", "It is rather important to me.", "I have never done this before.", "I hope that is all right.",
    "If anything is missing, ask me.", "I think that is everything.", "Everything else can stay as it is.", "Everything else we know already.", "As you know, we are old friends.", "I was not sure whom to ask.", "I hope you can read this.", "Please excuse my spelling.",
    "I am writing this on the train.", "I'm in a bit of a rush.", "We have been busy lately.", "Time flies!", "It has been a long week.", "You can take your time.", "Nothing has changed since then.", "I have changed my mind twice already.", "My neighbour did the same.",
    "Last time everything went well.", "It was great last time.", "I would be very happy.", "It would mean a lot to us.", "My parents told me about it.", "I read about it in the paper.", "The photos look great.", "I have a question, too.", "We can talk about the rest later.",
    "The rest is not so important.", "Please tell the others.", "I copied this from my notes.", "This is what I know so far.", "I will bring everything along.", "You know how it is.", "I almost forgot.", "Oh, and one more thing.", "By the way, your garden is lovely.",
    "I was told to write it all down.", "Coffee is on me.", "The office was closed.", "Better late than never.", "I am quite sure about it.", "I checked it twice.", "Please check it again.", "Do not print this.", "We will see.", "It is a surprise, so keep quiet.",
)  # fmt: skip
# fmt: on
