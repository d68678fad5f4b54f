"""Names given away by the conversation around them: introductions, greetings, signatures, answers.

"My name is …", "Dear …,", "Regards,↵…", "Your full name, please?↵…": the words before a name say where it
starts, and the shape of the words after says where it ends. Some cues are so strong that the name may be
in lower case ("my name is sue"); after the others only capitalised words count ("I'm Sue", not "I'm sorry").
A span stops at punctuation, at a word that no name is made of, and after :data:`LONGEST` words.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

VERSION = 1

LONGEST = 4
"""Words in a name."""


class Cue(NamedTuple):
    """Characters ``start`` to ``end``, whose type is PERSON."""

    start: int
    end: int
    score: float


def _r(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_TITLE = r"(?:(?:mr|mrs|ms|miss|mx|dr|prof|rev|sgt|capt)\b\.?[ ]{1,2})"
_KIN = (
    r"husband|wife|partner|spouse|son|daughter|mother|father|mom|mum|dad|brother|"
    r"sister|boss|manager|friend|colleague|"
    r"neighbou?r|assistant|cousin|aunt|uncle|boyfriend|girlfriend|fianc[eé]e?|landlord|lawyer|doctor|nephew|niece|"
    r"roommate|flatmate|grandmother|grandfather|grandson|granddaughter|secretary|accountant"
)

STRONG = (
    (0.95, _r(r"\bname(?:'s|[ ]is|[ ]was|[ ]?[:=])[ ]{0,6}['\"]?")),
    (
        0.9,
        _r(
            r"\b(?:i am called|i'm called|call me|i go by|maiden name(?: is| was)?|(?:in|"
            r"under) the name(?: of)?)[ ]['\"]?"
        ),
    ),
    (
        0.9,
        _r(
            r"(?:^|\n)[ ]?(?:from|to|customer|client|caller|cardholder|account holder|recipient|"
            r"contact)[ ]?:[ ]?"
        ),
    ),
    (
        0.9,
        _r(
            r"\b(?:cardholder|account holder|card holder|recipient|addressee|beneficiary)(?: name)?"
            r"(?: is|:)[ ]"
        ),
    ),
)
"""After these a name may be in lower case."""

CAPITALISED = (
    (0.9, _r(r"\bname on (?:the |my )?(?:account|order|card|file|booking)(?: is|'s|:)[ ]?")),
    (0.8, _r(r"\bmy n[a-z]{2,5} (?:is|was)[ ]{1,2}")),  # misspelt
    (0.9, _r(rf"\b{_TITLE}")),
    (0.9, _r(r"(?:^|[\n.!?,][ ]?)[ ]?(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings)[ ,]{1,2}")),
    (0.8, _r(r"\b(?:i'm|i am|i\u2019m|this is|it's|it is|im|here is|you're speaking (?:with|to))[ ]")),
    (
        0.85,
        _r(
            rf"\b(?:my|his|her|our|their|the) (?:late |ex-?|new |old )?(?:{_KIN})(?:'s name is|"
            r",? called|,? named|[ ]is|,)?[ ]"
        ),
    ),
    (
        0.85,
        _r(
            r"\b(?:speak(?:ing)? (?:to|with)|spoke (?:to|with)|talk(?:ed|ing) (?:to|with)|"
            r"signed by|behalf of|care of|c/o|attn:?|attention:?)[ ]"
        ),
    ),
    (0.8, _r(r"\b(?:thanks|thank you|cheers)(?: so much| very much| again)?,?[ ]")),
    (0.85, _r(r"\b(?:agent|representative|rep|advisor|named|called|belongs to|registered to|addressed to)[ ]")),
)
"""After these each word of a name must start with a capital."""

# A farewell on its own line or before the end, then the name on the next line.
_SIGNATURE = _r(
    r"(?:^|[\n.!?,][ ]?)[ ]{0,2}(?:(?:(?:kind|best|warm|many|with|sincere)(?: kind)?"
    r"(?:est)?[ ])?(?:regards|wishes|thanks)|best|"
    r"cheers|sincerely|yours(?: (?:sincerely|truly|faithfully))?|respectfully|thanks"
    r"(?: again| in advance| so much)?|thank you|"
    r"love|warmly|cordially|rgds|thx)[ ]?[,.!\u2013\u2014-]?[ ]?\n{1,3}[ ]{0,2}(?:[-\u2013\u2014~][ ]?)?"
)
# Any short closing line that ends in a comma, whatever it says, and a line of nothing but a name.
_CLOSED = _r(r"\n\n[^\W\d_][^\n.!?,:]{1,39},[ ]?\n{1,2}[ ]{0,2}(?=[^\n]{2,60}(?:\n|$))")
_DASHED = _r(r"(?:\n|[.!?][ ])[ ]{0,2}[-\u2013\u2014~]{1,2}[ ]?(?=[^\W\d_])")
_ASKED = _r(
    r"\b(?:full|your|first|last|sur|family|the|account holder'?s|cardholder'?s)[ ]?name[^?\n]{0,60}[?."
    r":][ ]?\n{1,3}[ ]?"
)
_GREETED = _r(r"(?:^|\n)[ ]?(?:hi|hello|hey|dear|thanks|thank you)[ ](?P<value>[^\W\d_]{2,20})(?=[ ]?[,!\n])")
_SPEAKING = _r(r"\b(?P<value>[^\W\d_]{2,20}(?:[ ][^\W\d_]{2,20})?)[ ](?:speaking|calling)(?=[ ]?[,.!\n]|[ ]here|$)")

_WORD = re.compile(r"(?:[^\W\d_]{1,3}['\u2019])?[^\W\d_](?:[^\W\d_]|['\u2019-](?!s\b)(?=[^\W\d_])){0,30}\.?")
_GAP = re.compile(
    r"[ ]{1,2}(?:(?:de la|de los|van der|van den|de|da|del|della|di|dos|du|van|"
    r"von|der|den|ter|al|el|bin|ibn|la|le)[ ]){0,2}"
)

NEVER = frozenset(
    """
    a about account after afternoon again agent all also always am american an and angry any anyone april are as
    asking at august available aware back bank be because been below best billing british but by call called calling
    can cancel card cell charged chat complaint concerned confused contact currently customer date day dear december
    desk details did disappointed do dob does done dutch email english european evening everybody everyone extremely
    fax february feel feeling finally first folks for french friday friend friends from frustrated furious german
    getting glad going good got great guys had happy has have having he hello help helpdesk her here hey hi highest
    his hiya how http https i i'd i'll i'm i've iban if in interested invoice is issue it italian january july june
    just kind kindly last late later like living locked looking lost lowest ma'am madam mail manager march may me
    missing misspelled misspelt mobile moderator monday more morning most mr mrs ms much my name need neighbor
    neighbour never new no nobody not november now number october of off ok okay on one only or order other our out
    over package paid parents payment people phone please pleased problem question quite ready really refund
    regarding regards registered returning right ring same satisfied saturday second see sent september service she
    shipping shopping since sir so someone something sorry spanish speaking ssn still stuck such sunday sunny
    support sure team technical tel thank thankful thanks that the their them then there these they thing third this
    thursday to today tomorrow tongue too totally town trying tuesday unable under unhappy until up upset url us
    using valued very waiting want wanted was we wednesday week welcome well were what when where which who why will
    with wondering working worried would writing wrong yes yesterday you your yours
    """.split()  # noqa: SIM905
)
"""Words that end a name, or mean that none follows. Some are names as well; those need their capital."""

_ABBREVIATED = range(2, 4)
"""Letters of what is no name when all are capitals: a currency, a country, a unit."""

_ALSO_NAMES = frozenset({"april", "june", "may", "will", "sunny", "august", "guy"})

PLAIN = NEVER - _ALSO_NAMES
"""Words that are never a name by themselves, whatever their case."""


def find(text: str) -> list[Cue]:
    """Names that a cue announces, unordered and possibly overlapping."""
    shouting = text.upper() == text
    spans = [c for score, cue in STRONG for m in cue.finditer(text) if (c := _name(text, m.end(), score, lower=True))]
    if not shouting:
        spans += [c for score, cue in CAPITALISED for m in cue.finditer(text) if (c := _name(text, m.end(), score))]
    return [*spans, *_lines(text), *_marked(text)]


def _lines(text: str) -> Iterator[Cue]:
    """Names that have a line to themselves: under a farewell, after a dash, or in answer to a question."""
    for pattern, score in ((_SIGNATURE, 0.9), (_ASKED, 0.9), (_DASHED, 0.8), (_CLOSED, 0.7)):
        for match in pattern.finditer(text):
            name = _name(text, match.end(), score, lower=pattern is not _CLOSED)
            if name and not text[name.end :].split("\n", 1)[0].strip(" ,.!|)-"):
                yield name
            elif name and pattern is not _CLOSED and (capital := _name(text, match.end(), score)):
                yield capital


def _marked(text: str) -> Iterator[Cue]:
    """A single word between a greeting and a comma, and the words before "speaking"."""
    for pattern in (_GREETED, _SPEAKING):
        for match in pattern.finditer(text):
            if name := _name(text, match.start("value"), 0.85, lower=pattern is _GREETED):
                yield name


def _name(text: str, start: int, score: float, *, lower: bool = False) -> Cue | None:
    """The name that starts at ``start``, if any; in lower case only where the cue allows it."""
    if title := re.compile(_TITLE, re.IGNORECASE).match(text, start):
        start = title.end()
    end, position = start, start
    for _ in range(LONGEST):
        word = _WORD.match(text, position)
        if not word or not _may_be_name(word[0].rstrip("."), lower=lower):
            break
        initial = word[0][1:] == "."
        end = word.end() if initial or not word[0].endswith(".") else word.end() - 1
        gap = _GAP.match(text, end)
        if not gap:
            break
        position = gap.end()
    return Cue(start, end, score) if end > start + 1 else None


def _may_be_name(word: str, *, lower: bool) -> bool:
    """Whether a word can belong to a name, by its case and by what else it means."""
    capitalised = word[0].isupper() or not word[0].islower()
    if not lower and len(word) in _ABBREVIATED and word.isupper():
        return False
    if word.lower() in NEVER:
        return capitalised and word.lower() in _ALSO_NAMES
    return capitalised or lower
