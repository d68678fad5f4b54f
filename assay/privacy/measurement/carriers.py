"""Carriers: sentences that personal values are put into, and sentences that hold none.

They are of this project's own making, in the voice of somebody who writes to a company. Of each type some say
what the value is ("my user name is …"), some only suggest it, and some say nothing, since people do all three.
They were written before anything was measured with them, and are not to be changed because of what was. A type that is
not known here, that of an organisation's own recogniser, has sentences that fit any number.

People's words also reach a model as JSON: in the arguments of a tool's call, and in what a tool answers (:func:`call`).

The sentences without personal data hold what is easily taken for it: capitals in mid-sentence, product
numbers, prices, dates of errands, counts, versions, opening hours.
"""

import json
import re
from random import Random

from assay.records import Turn

VERSION = 2

_SENTENCES = """
PERSON
Please talk to {} about it, the two of us share the flat.
{} signed for the parcel at the door.
I am writing for {}, who has no computer.
It was {} who opened the box first.
The invoice should be made out to {}.
{} here again, still nothing.
My neighbour {} took it in last week.
You can also leave it with {} at reception.
Last time {} from your team was very helpful.
Best wishes, {}
EMAIL
Write to {} instead of the old mailbox.
{} is where I read my mail.
Please copy {} in when you answer.
The confirmation went to {} and not to me.
I signed up with {}.
My email is {}.
PHONE
You can ring {} after six.
{} is the best way to get hold of me.
A text to {} will do.
Nobody picks up at {}.
Mobile: {}
Your driver should try {} before he turns round.
ADDRESS
We live at {} now.
Send it to {} next time.
The driver left it at {}, which is not ours.
{} is where the van should go.
Deliver to: {}
It was collected from {} on the day.
CITY
I am in {} until Friday.
We moved away from {} last year.
The depot in {} has no record of it.
Greetings from {}.
Delivery to {} was slow.
The shop in {} sent me here.
ORDER_ID
It concerns order {}.
The number on the slip is {}.
{} has not come.
Please look up {} for me.
There were two parcels, one of them {}.
Ref. {}
ACCOUNT_ID
My customer number is {}.
The account {} is mine.
You have me down as {}.
Membership {} was renewed in spring.
Client no. {}
The letter says {} at the top, under your logo.
CREDIT_CARD
You charged {} twice.
The card is {}.
I paid with {} at the till.
Take it from {} please.
Visa {} was declined.
It shows {} on the statement.
IBAN
Refund it to {}.
My IBAN is {}.
The bank account {} is in my name.
Please pay {} back.
You sent it to {}, which I closed.
SSN
My social security number is {}.
SSN: {}
The form asks for my national insurance number, {}.
For the tax office I am {}.
Tax ID {} is on the letter.
IP_ADDRESS
The log shows {}.
I connect from {}.
The router says {} and then stops.
Somebody at {} tried to sign in.
IP {}
DATE_OF_BIRTH
I was born on {}.
My date of birth is {}.
DOB {}
For the check: {} is my birthday.
Born {}, if you need it to find me.
USERNAME
My user name is {}.
I sign in as {}.
{} is what I am called in the app.
The profile {} is locked.
Login: {}
SECRET
My password is {}.
The one-time code was {}.
PIN {} no longer works.
I typed {} as the password three times.
Password: {}
The access code {} was in your mail.
URL
It is on {} for everybody to see.
My page is {}.
See {}
The link {} is dead.
I wrote about it at {}.
"""

_PLAIN = """
The {product} rattles when it is switched on.
I waited for {count} days and nothing happened.
It cost {price}, which is more than the list says.
Your opening hours say 9 to 17, but nobody was there on {weekday}.
The lid of the {product} does not close any more.
Is there a discount from {count} pieces upwards?
I would like the blue one instead of the green one.
After the update to version {version} the app closes by itself.
The manual has {count} pages and not one of them explains it.
Can I return the {product} without the box?
It should arrive by {weekday} at the latest.
In {month} it still worked.
The voucher of {price} was not taken off.
The {product} is {count} cm too wide for our door.
I have read your terms, section {version}, and they say otherwise.
Please cancel it, we found one nearby.
Does the warranty cover the battery?
The price went up by {count} % since {month}.
Nobody answers in the chat before noon.
The {product} came in two parts and only one had screws.
The second delivery was planned for {day} {month}.
Thank you for the quick answer, that solved it.
The Bluetooth connection drops every {count} minutes.
My Android phone finds the {product}, my iPad does not.
We ordered on Black Friday and paid {price} for shipping.
Good morning, a question about the {product}.
The colour is nothing like the picture on the Home page.
Step {count} of the guide says to press Start, but there is no such button.
I was charged {price} plus {price} for the same thing.
Could somebody explain the difference between Basic and Premium?
The filter is due after {count} hours, says the display.
Mine is the large one, size {count}, with the wooden handle.
It smells burnt and I do not dare to use it again.
Customer service is usually better than this.
The refund of {price} has arrived, thanks.
All lights are on, even the red one marked Error {count}.
"""

PRODUCTS = (
    "coffee grinder", "floor lamp", "Aurora desk lamp", "rice cooker", "M2 case", "garden hose", "EasyFold ladder",
    "washing machine", "Type-C cable", "standing desk", "X200 vacuum", "tea kettle", "bicycle pump", "Comfort pillow",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "March", "April", "June", "August", "September", "October", "December")

PROSE = 4
"""Words from which a string of JSON is a text that somebody wrote, and no label."""

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(?P<colon>\s*:)?')


def _sections(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        if line.isupper() and line.isidentifier():
            found[line] = sentences = []
        else:
            sentences.append(line)
    return {kind: tuple(lines) for kind, lines in found.items()}


SENTENCES = _sections(_SENTENCES)
"""Of each type, sentences with one gap ``{}``."""

ANY = (
    "The number is {}.",
    "It says {} at the top.",
    "You have it under {}.",
    "Please look at {} again.",
    "This is about {}.",
    "Ref. {}",
)
"""Of a type without sentences of its own."""

PLAIN = tuple(_PLAIN.strip().splitlines())
"""Sentences without anything personal, some with gaps for what is not personal either."""


def sentences(kind: str) -> tuple[str, ...]:
    """What a value of a type may stand in, with a gap ``{}``."""
    return SENTENCES.get(kind, ANY)


def call(text: str, random: Random) -> Turn:
    """A turn of JSON that says ``text``: a tool's call, one with its arguments as JSON in a string, or an answer."""
    note = random.choice(("note", "message", "summary", "text"))
    arguments = json.dumps({"queue": "support", note: text})
    made = {"name": "create_note", "arguments": {"queue": "support", note: text}}
    asked = [{"id": "call-1", "type": "function", "function": {"name": "create_note", "arguments": arguments}}]
    answer = {"status": "ok", "count": 1, "result": {note: text}}
    role, said = random.choice((("assistant", made), ("assistant", asked), ("tool", answer)))
    return Turn(role, json.dumps(said))


def is_json(text: str) -> bool:
    """Whether a text is an object or a list of JSON."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def strings(text: str) -> list[int]:
    """Where in JSON the strings end that are texts somebody wrote; nowhere in what is no JSON."""
    written = _STRING.finditer(text) if is_json(text) else ()
    return [match.end(1) for match in written if not match["colon"] and len(match[1].split()) >= PROSE]


def beside_string(text: str, added: str, random: Random) -> str:
    """JSON with ``added`` at the end of one of the texts in it (:func:`strings`), on a line of its own."""
    end = random.choice(strings(text))
    return text[:end] + json.dumps(f"\n{added}")[1:-1] + text[end:]


def plain(random: Random, sentences: int) -> str:
    """A message of so many different sentences without personal data."""
    return " ".join(_filled(sentence, random) for sentence in random.sample(PLAIN, sentences))


def _filled(sentence: str, random: Random) -> str:
    price = random.choice(("${}", "{} euros", "£{}", "EUR {}"))
    price = random.choice(("${}", "{} euros", "£{}", "EUR {}"))
    return sentence.format(
        product=random.choice(PRODUCTS),
        count=random.randrange(2, 60),
        price=price.format(f"{random.randrange(3, 400)}.{random.choice((50, 95, 99))}"),
        weekday=random.choice(WEEKDAYS),
        month=random.choice(MONTHS),
        day=random.randrange(1, 29),
        version=f"{random.randrange(1, 9)}.{random.randrange(10)}",
    )
