"""Text messages that nobody sent: ham and spam from templates, a data set on which the best possible filter is known.

3 % of each class are written from templates that both classes share, so that nothing in them tells ham from spam. No
filter can do better than to let those pass: the best one blocks no ham and catches 97 % of spam. Other templates only
look like those of the other class (a code from the bank, a friend with a new number) and can be told from it.
"""

import random
import re

import numpy as np

from advcourse.data.registry import register
from advcourse.data.texts import HAM, SPAM, Messages

COUNTS = {HAM: 1600, SPAM: 400}
SHARED = 0.03  # of each class

# {pool} stands for one of its entries, (a|b) for a or b, (a|) for a or nothing, # for a digit.
POOLS = {
    "name": "Anna|Ben|Carla|Dan|Ella|Finn|Grace|Hugo|Ida|Jack|Kim|Leo|Maya|Nick|Olga|Paul|Rosa|Sam|Tina|Will",
    "who": "{name}|{name}|{name}|Mum|Dad|my sister|your brother|the landlord|my boss|the neighbour|grandma",
    "hello": "Hey|Hi|Hello|Morning|Hey {name}|Hi {name}",
    "bye": "see you|love you|cheers|take care|thanks|talk later|good night|miss you|no rush|haha",
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "hour": "one|two|three|four|five|six|seven|eight|nine|ten",
    "time": "{hour}|half past {hour}|quarter to {hour}|noon|7.15|8.30|6pm|10am",
    "when": "tonight|tomorrow|on {day}|this weekend|at {time}|after work|in the morning|after lunch",
    "place": "the station|the library|the gym|the office|the pub|the park|school|the market|home|{name}'s place"
             "|the river",
    "food": "pizza|soup|curry|pasta|fish|noodles|pancakes|salad|rice|chicken|a sandwich|leftovers",
    "groceries": "milk|bread|eggs|butter|onions|apples|coffee|cheese|rice|tomatoes|washing powder",
    "thing": "charger|umbrella|jacket|laptop|bike|book|camera|guitar|scarf|tent|drill|blue bag",
    "things": "keys|notes|tickets|glasses|gloves|headphones|running shoes",
    "do": "finish the report|fix the bike|water the plants|feed the cat|clean the kitchen|pay the rent|book the train"
          "|pack the bags|move the car|write the essay|wash the dishes|walk the dog",
    "doing": "finishing the report|fixing the bike|watering the plants|feeding the cat|cleaning the kitchen|driving"
             "|packing|writing my essay|washing the dishes|walking the dog|cooking|watching the match|having lunch",
    "done": "finished the report|fixed the bike|watered the plants|fed the cat|cleaned the kitchen|paid the rent"
            "|booked the train|packed the bags|moved the car|seen the film|read the book",
    "event": "the party|the exam|dinner|the match|the film|the meeting|the concert|class|the wedding|the trip",
    "feeling": "tired|happy|hungry|bored|sick|nervous|ok|late|busy|cold",
    "was": "great|boring|lovely|too long|really funny|hard|better than I thought|a bit sad|so loud",
    "friend": "07### ######",
    "premium": "09#########|0871#######|08#########",
    "code": "#####",
    "link": "bit.example/(a|b|c|d|k|m|x)#(q|r|s|t|w)|win#.example|get-it#.example",
    "sum": "100|200|250|500|750|1000|1500|2000|5000",
    "prize": "£{sum} cash|a £{sum} voucher|a holiday for two|a new phone|a £{sum} prize|a pair of concert tickets"
             "|a games console",
    "goods": "ringtones|unlimited texts|camera phones|wallpapers|free minutes|mobile games|horoscopes|weekly jokes",
    "hurry": "Hurry|Act now|Last chance|Today only|Offer ends {day}|Don't miss out|Limited offer",
    "terms": "T&Cs apply|£1.50 per msg|18+ only|To stop text STOP|150p per text|T&C {link}|Cost 10p a minute",
    "firm": "the bank|the clinic|the garage|the library|the post office|your network|the power company",
}  # fmt: skip

HAM_TEMPLATES = (
    "{hello}, are you (coming to|still up for|going to) {event} {when}?",
    "{hello}, I'm {doing}, can I call you (later|{when})?",
    "I'm (just |still |)at {place}, where are you?",
    "I'm {feeling}, (going to bed now|need a coffee|so I'm staying in). {bye}",
    "Sorry, I was {doing}. What's up?",
    "Can you {do} {when}? {bye}",
    "Could you get (some |){groceries} and {groceries} on your way home?",
    "We're having {food} {when}, do you want to come?",
    "Have you {done} yet? {who} is asking",
    "I've {done}, so I have time {when}",
    "{event} was {was}! (You should have been there|Wish you were here|How was yours?)",
    "(Still late|The bus is late|Traffic is bad), (be there at {time}|start without me). {bye}",
    "{who} says (we should|you have to) {do} before {day}",
    "Did you (see|find|take) my {thing}? I think I left it at {place}",
    "Your {things} are at {name}'s, I'll bring them {when}",
    "(Ok|Okay|Sure|Yes|No problem), see you at {place} at {time}",
    "No, I can't {when}, I have to {do}. Maybe {day}?",
    "(Haha|Lol), {who} (just |)fell asleep during {event}",
    "I (really |)(miss|need) you. When will you be home?",
    "What do you want for dinner? (There's|We have) {food} or {food}",
    "How (is|was) {event}? (Tell me everything|{who} wants to know)",
    "{who} (called|came by) and wants to {do} with you {when}",
    "Happy birthday {name}! Hope you have a (great|lovely) day, {bye}",
    "I didn't know that {who} was {feeling}, is everything ok?",
    "Let's meet at {place} {when}, then we can {do} together",
    "Thanks for (yesterday|your help|dinner|coming), it was {was}",
    "My phone (is almost dead|was off), I'll call you {when}",
    "What time does {event} start? I'm {doing} until {time}",
    "I'm on the (bus|train), home (in ten minutes|by {time}), {bye}",
    "Don't forget to {do}, and (please |){do} too",
    "Why (are you|is {who}) so {feeling} today?",
    "{name}, do you have {who}'s number? I need to ask about {event}",
    "Just {done}. Now {food} and then bed, {bye}",
    # These look like spam.
    "WE WON!!! {name} scored twice, {event} was {was}!",
    "You won the bet, I owe you {food}. Are you free {when}?",
    "Your code is {code}. Don't tell it to anyone, not even to {firm}",
    "Reminder from {firm}: your appointment is on {day} at {time}. Reply YES to keep it",
    "Tickets for {event} are £(12|20|35) each, shall I (buy|get) two? The offer ends {day}",
    "I'll buy your {thing} for £(10|20|40), are you free {when}? {bye}",
    "{firm} says your parcel is ready, bring the code {code} and your {things}",
    "URGENT, call me now! {who} is at {place} without the {things}",
    "Text me the number of {firm} please, I need to call them {when}",
)
SPAM_TEMPLATES = (
    "(CONGRATULATIONS|Congratulations|WINNER)! You have won {prize}! Call {premium} (now|to claim). {terms}",
    "URGENT! Your (mobile|number) was (drawn|chosen) to receive {prize}. Call {premium} {terms}",
    "{hurry}! {goods} for only £(1|3|5|10) a week, text (YES|GO|WIN) to {code}. {terms}",
    "FREE entry to win {prize}! Text WIN to {code} now. {terms}",
    "You are a winner (of|in) our weekly draw: {prize}. Claim code {code}, call {premium}",
    "Get {goods} free with every contract! {hurry}, visit {link}",
    "Dear customer, you have (1|one) unclaimed reward, {prize}. Claim it at {link}. {terms}",
    "{hurry}! Upgrade your phone for £0, (delivery free|no deposit). Call {premium}",
    "Want {goods}? Reply (YES|MORE) to {code}. {terms}",
    "(Final|2nd|Second) attempt to contact you! {prize} is waiting, call {premium} before {day}",
    "Free tones this week! Text TONE to {code}, {terms}",
    "Guess who fancies you? Find out on {premium}. {terms}",
    "Cash loans up to £{sum} today, no checks! Apply at {link}. {terms}",
    "{hurry}: (half price|50% off|save £(20|30|50) on) {goods} at {link}. {terms}",
    "Answer and win {prize}: who sang last at the awards, {name} or {name}? Send A or B to {code}. {terms}",
    "Your account has {sum} bonus points! Swap them for {prize} on {link}",
    "You have a secret admirer near you, text DATE to {code}. {terms}",
    "Claim {prize} (now|today)! Your ID is {code}, call {premium} from a landline. {terms}",
    "Subscribe to {goods}, first week free, then £(3|4) a week. Text JOIN to {code}",
    "Customer services: your order of {goods} is waiting, confirm on {premium}. {terms}",
    # These look like ham.
    "Hey it's {name}, I lost my phone, this is my new number. Call me on {premium}, {bye}",
    "Hi, sorry I missed your call, can you ring me back on {premium}? {bye}",
    "I saw you at {place} and you looked great. Text me at {code}, {name}",
    "{hello}, how was {event}? I have put the photos on {link}",
    "Mum, my phone is broken and I need to pay the rent today. Can you send £{sum}? I'm on {premium}",
    "Are you home {when}? I'm bored, chat with me on {link}, {bye}",
)
SHARED_TEMPLATES = (
    "Hi, it's {name}. This is my new number, {friend}, call me {when}",
    "Your parcel is at {firm}. Call {friend} to choose a time on {day}",
    "You have a new voice message from {friend}, call back {when}",
    "{firm} here: please call {friend} about your account before {day}",
    "Is your {thing} still for sale? Call me on {friend}",
    "Photos of {event} are up at {link}, {bye}",
    "Your order {code} is on its way, it will be there on {day}",
)  # fmt: skip

CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)|\{(\w+)\}|#")
ENTRIES = {name: re.split(r"\|(?![^()]*\))", pool) for name, pool in POOLS.items()}
SHORT = {"you": "u", "are": "r", "your": "ur", "to": "2", "for": "4", "please": "pls", "tomorrow": "2moro", "and": "n"}
DIGITS = "0123456789"


@register("messages")
def messages(train: int | None = None, test: int | None = None, seed: int = 0) -> Messages:
    """1,600 ham and 400 spam, all different, by the seed. They come whole: train and test are ignored."""
    rng = random.Random(seed)
    seen = set()
    ham, spam = ([*_different(templates, round((1 - SHARED) * COUNTS[label]), hurried, rng, seen),
                  *_different(SHARED_TEMPLATES, round(SHARED * COUNTS[label]), 0.3, rng, seen)]
                 for label, templates, hurried in ((HAM, HAM_TEMPLATES, 0.4), (SPAM, SPAM_TEMPLATES, 0.15)))
    labelled = [(text, HAM) for text in ham] + [(text, SPAM) for text in spam]
    labelled.sort(key=lambda _: rng.random())
    card = "Messages: 1,600 wanted, 400 spam, written by templates; 3 % of each by the same; made here, free"
    return Messages("messages", tuple(text for text, _ in labelled), np.array([label for _, label in labelled]), card)


def write(template: str, rng: random.Random) -> str:
    """One text from a template: choices, pools and digits drawn from the inside out; sentences begin with a capital."""

    def draw(match):
        options = ENTRIES[match[2]] if match[2] else match[1].split("|") if match[1] else DIGITS
        return options[int(len(options) * rng.random())]

    while CHOICE.search(template):
        template = CHOICE.sub(draw, template)
    return re.sub(r"(^|[.!?] )([a-z])", lambda start: start[1] + start[2].upper(), template)


def in_a_hurry(text: str, rng: random.Random) -> str:
    """The same, typed on a phone: short words, small letters, no full stop, two letters swapped."""
    words = [SHORT.get(word.lower(), word) if rng.random() < 0.5 else word for word in text.split(" ")]
    if rng.random() < 0.3:
        slip = int(len(words) * rng.random())
        if words[slip].isalpha() and len(words[slip]) > 3:
            words[slip] = words[slip][:1] + words[slip][2] + words[slip][1] + words[slip][3:]
    text = " ".join(words).rstrip(".")
    return text.lower() if rng.random() < 0.6 else text


def _different(templates, count, hurried, rng, seen):
    """`count` texts that are not in `seen`, which they join; this share of them `in_a_hurry`."""
    texts = []
    while len(texts) < count:
        text = write(templates[int(len(templates) * rng.random())], rng)
        if rng.random() < hurried:
            text = in_a_hurry(text, rng)
        if text.casefold() not in seen:
            seen.add(text.casefold())
            texts.append(text)
    return texts
