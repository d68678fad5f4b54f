"""Records that nobody wishes to read: what :mod:`bench.fuzz_redaction` throws at redaction.

Broken and odd Unicode, tokens of thousands of characters, strings that make bad expressions backtrack, JSON of every
kind, placeholders, white space, texts at the limit and far over it. Everything is made from a seed and a number.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from assay.records import Known, Record, Turn

LONGEST = 20_000
"""Characters that redaction examines."""

WORDS = """a about account address after again already and answer any arrived at away back bag because before bill but
call came can cancel card case chair change charged date day delivery did door even ever find for from get glass go have
hello help here hour how I in invoice is it lamp last late left letter lost made me mine month more morning my name need
never new no nobody not now number of office old on once only open or order our out paid parcel please price promised
put received refund said screw send sent shop should since so still street take thank that the then there they this
to today told too two under until us wait want was we week were what when where which who why will with work write you""".split()  # noqa: SIM905, E501

SCRIPTS = {
    "cyrillic": (0x430, 0x44F), "greek": (0x3B1, 0x3C9), "hebrew": (0x5D0, 0x5EA), "arabic": (0x627, 0x64A),
    "devanagari": (0x915, 0x939), "thai": (0xE01, 0xE2E), "han": (0x4E00, 0x4FFF), "kana": (0x3042, 0x3093),
    "hangul": (0xAC00, 0xAD00), "math": (0x1D400, 0x1D433), "wide": (0xFF21, 0xFF5A), "latin": (0xC0, 0x24F),
}  # fmt: skip
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇬🇧", "❤️", "1️⃣", "🫠", "☎️", "🧑🏿‍🚀", "©️"]
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c\u180e"
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BLANKS = " \t\n\r\x0b\x0c\x1c\x1f\x85\u00a0\u1680\u2003\u2028\u2029\u202f\u3000"
FOLDS = ["İ", "\u0131", "ß", "ẞ", "ŉ", "ﬁ", "ǅ", "ΐ", "\u017f", "\u212a", "\u212b", "ᾳ"]
"""Letters whose other case has another length, or is another letter's."""

UNITS = [
    "a", "1", " ", "-", "1-", "1 ", "+1 ", "00 ", "(0", "a@", "a.", "@", ".", "a@a.", "www.", "http://", "://", "x-",
    "Aa ", "A. ", "Mr. ", "St. ", "12 A ", "my name is ", "name: ", "I'm ", "order ", "order no. ", "#", "# ",
    "[PERSON_", "[", "]", "[PERSON_1]", "[PERSON_1] ", '"', "\\", '{"a":', "[[", "-----BEGIN ", "eyJ", "eyJaaaaaaaa.",
    "sk-", "1.1.", "::", ":", "4111 ", "41111111", "GB29 ", "AA11", "07700 ", "(020) ", "555-", "1,", "$1", "1/1/",
    "\n", "\r\n", "\n\n", ", ", "'", "\u2019", "PIN ", "password is ", "ring me on ", "0x", "é", "e\u0301", "a\u200b",
    "_", "a_", "A1", "a1B2", "%20", "&amp;", "x" * 17, "A Street ", "Anna ", "ANNA ", "anna kowalska ", "Apt ",
    "P.O. Box ", "Born on ", "/", "a/", "1e", "--", "=", "ss ",
]  # fmt: skip
PLACEHOLDERS = [
    "[PERSON_1]", "[EMAIL_12]", "[SECRET_1]", "[PERSON_999999]", "[PERSON_9999999]", "[PERSON_]", "[PERSON_01]",
    "[person_1]", "[[PERSON_1]]", "[PERSON_1", "PERSON_1]", "[ADDRESS_1],[CITY_1]", "[EMAIL_1]@example.com",
    "Anna[PERSON_1]", "[X_1]", "[PERSON_1][PERSON_1]", "+44[PHONE_1]", "[ORDER_ID_3]-2", "[DATE_OF_BIRTH_1]",
    "[PERSON_1]'s", "[NOT_A_TYPE_1]",
]  # fmt: skip
NAMES = ["Zebedee Quuxworth", "O'Tassle-Krumm", "QX 77-ZT/5519", "İlkay Şaßmann", "v.q+z@example.net", "Wu"]
ODD = ["", " ", ".", "a", "[PERSON_1]", "PERSON", "(", "\\", "x" * 500, "\u200b", "1"]
KEYS = ["intent", "order_id", "customer_name", "email", "note", "a b", "", "é", "PHONE", "[PERSON_1]", '"', "\\", "\n"]
COLUMNS = ["region", "order_id", "é", "", "a" * 200]


@dataclass(frozen=True, slots=True)
class Case:
    """A record, how its parts were made, and what must not be left of it."""

    record: Record
    kinds: tuple[str, ...]
    planted: tuple[tuple[str, str], ...] = ()
    """Shape and value."""

    hidden: tuple[tuple[str, str], ...] = ()


def prose(random: Random, words: int = 30) -> str:
    """Ordinary words."""
    return " ".join(random.choices(WORDS, k=random.randint(1, words))).capitalize() + random.choice(".!?")


def emoji(random: Random) -> str:
    """Words and pictures, some of many code points."""
    return "".join(random.choice([random.choice(EMOJI), random.choice(WORDS) + " "]) for _ in range(30))


def right_to_left(random: Random) -> str:
    """Hebrew or Arabic between Latin words, with marks that turn the direction."""
    words = [of_script(random, random.choice(["hebrew", "arabic"])) for _ in range(8)]
    return " ".join(random.choice([*words, *random.choices(WORDS, k=8), *TURNING[:8]]) for _ in range(24))


def of_script(random: Random, script: str) -> str:
    """A word of letters of one script."""
    first, last = SCRIPTS[script]
    return "".join(chr(random.randint(first, last)) for _ in range(random.randint(1, 9)))


def scripts(random: Random) -> str:
    """Words of many scripts, Latin or not for the most part."""
    latin = random.random()
    return " ".join(
        random.choice(WORDS) if random.random() < latin else of_script(random, random.choice(sorted(SCRIPTS)))
        for _ in range(random.randint(1, 40))
    )


def zero_width(random: Random) -> str:
    """Words with characters within that nobody sees."""
    return "".join(letter + (random.choice(UNSEEN) if random.random() < 0.3 else "") for letter in prose(random))


def stacked(random: Random) -> str:
    """Letters under piles of accents, and letters whose case has another length."""
    marks = [chr(random.randint(0x300, 0x36F)) for _ in range(40)]
    return "".join(letter + "".join(marks[: random.randint(0, 12)]) for letter in prose(random)) + "".join(
        random.choices(FOLDS, k=8)
    )


def controls(random: Random) -> str:
    """Control characters of both sets, but for NUL."""
    return "".join(chr(random.choice([*range(1, 32), *range(127, 160)])) + random.choice(WORDS) for _ in range(24))


def broken(random: Random) -> str:
    """A NUL or half of a surrogate pair."""
    return prose(random) + random.choice(["\0", "\ud800", "\udfff", "\udcff"]) + prose(random)


def token(random: Random) -> str:
    """One word of thousands of characters."""
    letters = random.choice(
        ["a", "0123456789", "abcdef0123456789", "ABCDEFGHIJ", "aZ09+/", "xX*", "é", "_-", "a@.", "1.,"]
    )
    return "".join(random.choices(letters, k=random.choice([300, 1_000, 4_000])))


def repeated(random: Random) -> str:
    """A pattern over and over, then something that does not fit."""
    unit = random.choice(UNITS) if random.random() < 0.9 else "".join(random.choices(UNITS, k=3))
    times = random.choice([20, 200, 1_500]) // len(unit) + 1
    return unit * times + random.choice(["", "!", "x", "@", "1", "\n", "é"])


def noise(random: Random) -> str:
    """Code points from anywhere."""
    return "".join(
        chr(code) for code in (random.randint(1, 0x10FFFF) for _ in range(120)) if not 0xD800 <= code < 0xE000
    )


def blank(random: Random) -> str:
    """Nothing, or nothing to see."""
    return "".join(random.choices(BLANKS + UNSEEN, k=random.choice([0, 0, 1, 5, 400])))


def placeholders(random: Random) -> str:
    """What redaction writes, and what looks like it."""
    return random.choice(["", " ", ", ", "\n"]).join(random.choices(PLACEHOLDERS, k=random.randint(1, 12)))


def numbers(random: Random) -> str:
    """Prices, dates, versions, codes."""
    forms = ["{}.{}", "{}/{}/2026", "{}-{}", "${}", "v{}.{}", "{} x {}", "{}:{}", "{}%", "{}{}", "{},{}", "#{}", "({})"]
    return " ".join(random.choice(forms).format(*random.choices(range(99_999), k=2)) for _ in range(20))


def markup(random: Random) -> str:
    """Tags, code, logs, tables."""
    one, two, three = random.choices(WORDS, k=3)
    number = random.randint(10, 59)
    forms = [
        f"<a href='{one}.html'>{two}</a>", f"```{one} = {two}[{number}]```", f"| {one} | {two} |", f"> > {one}\r\n",
        f"2026-01-05T10:25:{number}Z ERROR {one}: {two}", f"{one}\t{two}\t{three}", f"{one}={two}&{three}=%{number}",
    ]  # fmt: skip
    return "\n".join(random.choices(forms, k=10))


def long(random: Random) -> str:
    """About as much as is examined at all."""
    make = random.choice([prose, prose, numbers, repeated, scripts, markup])
    text = ""
    while len(text) < LONGEST:
        text += make(random) + " "
    return text[: LONGEST - random.choice([0, 1, 40])]


def over_long(random: Random) -> str:
    """More than is examined, up to a megabyte in one line."""
    return (prose(random) + " ") * random.choice([2_000, 2_000, 20_000])


TEXTS: dict[Callable[[Random], str], float] = {
    prose: 6, emoji: 5, right_to_left: 5, scripts: 6, zero_width: 6, stacked: 4, controls: 5, broken: 3, token: 3,
    repeated: 14, noise: 4, blank: 4, placeholders: 8, numbers: 6, markup: 6, long: 0.3, over_long: 0.3,
}  # fmt: skip


def text(random: Random) -> tuple[str, str]:
    """One text, and how it was made."""
    [make] = random.choices(list(TEXTS), weights=list(TEXTS.values()))
    return make.__name__, make(random)


# -- answers ---------------------------------------------------------------------------------------------------------


def leaf(random: Random) -> object:
    """A value that JSON can hold."""
    return random.choice(
        [None, True, False, 0, -1, 1.5, 1e300, 10**30, 4111111111111111, random.randint(0, 10**9), "", "low", "refund",
         "2026-01-05", text(random)[1][:500].encode("utf-8", "ignore").decode(), prose(random, 6)]
    )  # fmt: skip


def node(random: Random, depth: int) -> object:
    """An object or an array, or at its end a leaf."""
    if depth <= 0 or random.random() < 0.2:
        return leaf(random)
    if random.random() < 0.4:
        return [node(random, depth - 1) for _ in range(random.randint(0, 4))]
    return {random.choice(KEYS): node(random, depth - 1) for _ in range(random.randint(0, 5))}


def document(random: Random, held: list[str]) -> str:
    """An object that holds ``held`` among its strings, in one of the ways to write JSON."""
    made = node(random, random.randint(1, 5))
    made = made if isinstance(made, dict | list) else {"note": made}
    for value in held:
        inner: object = f"{prose(random, 5)} {value} {prose(random, 5)}" if random.random() < 0.7 else value
        inner = {"note": inner} if random.random() < 0.5 else [inner]
        made = [made, inner] if isinstance(made, list) else {**made, "more": inner}
    return json.dumps(made, ensure_ascii=random.random() < 0.5, indent=random.choice([None, None, 1, "\t"]))


def strange_json(random: Random) -> str:
    """JSON at the edges, and what is nearly JSON."""
    deep = random.choice([50, 500, 5_000])
    return random.choice(
        [
            '"just a string"', "12", "null", "[]", "{}", " {} ", "[1,]", "{'a': 1}", '{"a": 1}{"b": 2}', '{"a": NaN}',
            "[Infinity]", '{"a": 1, "a": "x"}', '{"a": "\\ud83d\\ude00"}', '{"a": "\\ud800"}', '{"a": "\\u0000"}',
            '["\\u0041nna Kowalska"]', '{"order_id": 1e5, "n": -0.0}', '{"a": "\\/\\b\\f"}', '{"a": "b\nc"}',
            "[" * deep + "]" * deep, '{"a":' * deep + "1" + "}" * deep, '[" \\" ", "\\\\", "\\\\\\""]', '{"a": 00}',
            '\ufeff{"a": 1}', '{"a": "' + "x" * 9_000 + '"}', "[" + ",".join(["1"] * 3_000) + "]",
            '{"' + "k" * 3_000 + '": 1}', '{"phone": 7700900123, "card": 4111111111111111}',
        ]
    )  # fmt: skip


# -- values ----------------------------------------------------------------------------------------------------------


def shaped(random: Random) -> tuple[str, str]:
    """A value of a shape that rules know."""
    kind = random.choice(["e-mail", "card", "telephone"])
    if kind == "e-mail":
        name = "".join(random.choices("bcdfghjklmnpqrstvwxz", k=9))
        return (
            kind,
            f"{name}{random.choice(['.t', '_7', '+x', ''])}@{random.choice(['example.com', 'mail.example.org'])}",
        )
    if kind == "card":
        digits = random.choice("45") + "".join(random.choices("0123456789", k=14))
        digits += next(last for last in "0123456789" if luhn(digits + last))
        return kind, random.choice([digits, " ".join(re.findall("....", digits)), "-".join(re.findall("....", digits))])
    line = "".join(random.choices("23456789", k=7))
    return kind, random.choice(["+44 20 7{} {}", "+1-555-{}-{}", "(555) {}-{}", "+49 30 {}{}"]).format(
        line[:3], line[3:]
    )


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1)."""
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def hidden(random: Random) -> tuple[str, str]:
    """A value that somebody hid."""
    kind, value = shaped(random)
    middle = len(value) // 2
    wide = value.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789@"})
    return random.choice(
        [(f"{kind}, zero-width space within", f"{value[:middle]}\u200b{value[middle:]}"), (f"{kind}, full-width", wide)]
    )


def put(random: Random, value: str, into: str, others: Sequence[tuple[str, str]] = ()) -> str:
    """``value`` at a word boundary, between spaces, and within none of the others."""
    taken = [(at.start(), at.end()) for _, other in others for at in re.finditer(re.escape(other), into, re.IGNORECASE)]
    places = [0, len(into), *(match.start() for match in re.finditer(r"[ \n]", into[: LONGEST - 80]))]
    place = random.choice([place for place in places if not any(start < place < end for start, end in taken)])
    return f"{into[:place]} {value} {into[place:]}".strip(" ")


def case(seed: int, number: int) -> Case:
    """The record of this seed and number."""
    random = Random(f"{seed}/{number}")
    made = [text(random) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    kinds, turns = [kind for kind, _ in made], [content for _, content in made]
    planted, buried, known = [], [], []
    if random.random() < 0.5:
        planted.append(shaped(random))
        turn = random.randrange(len(turns))
        turns[turn] = put(random, planted[0][1], turns[turn])
    if random.random() < 0.2:
        value = random.choice(NAMES)
        known.append(Known("PERSON", value))
        planted.append(("known", value))
        turn = random.randrange(len(turns))
        turns[turn] = put(random, random.choice([value, value.upper(), value.lower()]), turns[turn], planted)
    if random.random() < 0.1:
        odd = random.choice(ODD)
        known.append(Known(random.choice(["PERSON", "EMAIL", "PHONE", "ACCOUNT_ID"]), odd))
    if random.random() < 0.08:
        buried.append(hidden(random))
        turns[0] = put(random, buried[0][1], turns[0], planted)
    answer, how = completion(random, planted, buried)
    columns = {name: text(random)[1][:300] for name in random.sample(COLUMNS, k=random.choice([0, 0, 1, 2]))}
    if columns and random.random() < 0.3:
        planted.append(shaped(random))
        columns["region"] = put(random, planted[-1][1], columns.get("region", ""))
    record = Record(
        id=f"f{number}", subject="s", bucket=0, source="fuzz", context=tuple(Turn("user", turn) for turn in turns),
        completion=answer, attributes=columns, known=tuple(known),
    )  # fmt: skip
    return Case(record, (*kinds, how), tuple(planted), tuple(buried))


def completion(random: Random, planted: list[tuple[str, str]], buried: list[tuple[str, str]]) -> tuple[str, str]:
    """An answer to learn, and how it was made; a value in it is added to those that are planted."""
    chosen = random.random()
    if chosen < 0.3:
        kind, content = text(random)
        return content, f"answer: {kind}"
    if chosen < 0.4:
        return strange_json(random), "answer: strange JSON"
    if chosen < 0.42:
        buried.append(("JSON key", shaped(random)[1]))
        return json.dumps({buried[-1][1]: 1}), "answer: JSON"
    held = []
    if chosen < 0.7:
        planted.append(shaped(random))
        held.append(planted[-1][1])
    return document(random, held), "answer: JSON"
