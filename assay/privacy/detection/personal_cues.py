"""Names given away by the conversation around them: introductions, greetings, signatures, answers.

"My name is …", "Dear …,", "Regards,↵…", "Your full name, please?↵…": the words before a name say where it
starts, and the shape of the words after says where it ends. Some cues are so strong that the name may be
in lower case ("my name is sue"); after the others only capitalised words count ("I'm Sue", not "I'm sorry").
A span stops at punctuation, at a word that no name is made of, and after :data:`LONGEST` words. What a name's own
look gives away is in :mod:`assay.privacy.detection.personal_looks`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from assay.privacy.detection.personal_anchors import anchored, dispatch, heads
from assay.privacy.detection.personal_looks import FORM, cards, foreign

VERSION = 2

LONGEST = 4
"""Words in a name."""


class Cue(NamedTuple):
    """Characters ``start`` to ``end``, whose type is PERSON."""

    start: int
    end: int
    score: float


class Announcement(NamedTuple):
    """Words that a name comes after."""

    score: float
    pattern: re.Pattern[str]
    lower: bool
    """Whether the name may then be in small letters."""


def _r(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _cue(score: float, pattern: str, at: str, *, lower: bool = False) -> tuple[frozenset[str], Announcement]:
    """A row of the table: ``at`` lists the words that the pattern begins with."""
    return heads(at), Announcement(score, _r(pattern), lower)


_LINE = r"(?:(?<![^\n])|(?<=\n )|(?<=^ ))"  # at the start of a line
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_CLAUSE = r"(?:(?<![^\n.!?,])|(?<=[\n.!?,] )|(?<=[\n.!?,]  )|(?<=^ )|(?<=^  ))"
_TITLE = r"(?:(?:mr|mrs|ms|miss|mx|dr|prof|rev|sgt|capt)\b\.?[ ]{1,2})"
_TITLES = "mr· mr. mrs ms· ms. miss mx dr· dr. prof rev sgt capt"
_KIN = (
    "husband wife partner spouse son daughter mother father mom mum dad brother sister boss manager friend colleague "
    "neighbour neighbor assistant cousin aunt uncle boyfriend girlfriend fiance fiancé fiancee fiancée landlord lawyer "
    "doctor nephew niece roommate flatmate grandmother grandfather grandson granddaughter secretary accountant"
)
_OFFICE = (
    "president senator congressman congresswoman minister chairman chairwoman director producer author actor actress "
    "singer professor officer detective inspector judge attorney councillor mayor coach captain sergeant lieutenant "
    "colonel general nurse therapist counsellor counselor waiter waitress receptionist technician courier"
)

_STRONG = (
    # a single word between a greeting and a comma
    _cue(
        0.85,
        rf"{_LINE}(?:hi|hello|hey|dear|thanks|thank you)[ ](?=[^\W\d_]{{2,20}}[ ]?[,!\n])",
        "hi hello hey dear thanks",
        lower=True,
    ),
    _cue(0.95, r"\bname(?:'s|[ ]is|[ ]was|[ ]?[:=])[ ]{0,6}['\"]?", "name", lower=True),
    _cue(
        0.9,
        r"\b(?:i am called|i'm called|call me|i go by|maiden name(?: is| was)?|(?:in|under) the name(?: of)?)[ ]['\"]?",
        "i·a i'm call i·g maiden in· under",
        lower=True,
    ),
    _cue(
        0.9,
        rf"{_LINE}(?:from|to|customer|client|caller|cardholder|account holder|recipient|contact)[ ]?:[ ]?",
        "from to customer client caller cardholder account recipient contact",
        lower=True,
    ),
    _cue(
        0.9,
        r"\b(?:cardholder|account holder|card holder|recipient|addressee|beneficiary)(?: name)?(?: is|:)[ ]",
        "card account recipient addressee beneficiary",
        lower=True,
    ),
)
_CAPITALISED = (
    _cue(0.9, r"\bname on (?:the |my )?(?:account|order|card|file|booking)(?: is|'s|:)[ ]?", "name"),
    _cue(0.8, r"\bmy n[a-z]{2,5} (?:is|was)[ ]{1,2}", "my·"),  # misspelt
    _cue(0.9, rf"\b{_TITLE}", _TITLES),
    _cue(
        0.9,
        rf"{_CLAUSE}(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings)[ ,]{{1,2}}",
        "dear hi hello hey good greetings",
    ),
    _cue(
        0.8,
        r"\b(?:i'm|i am|i\u2019m|this is|it's|it is|im|here is|you're speaking (?:with|to))[ ]",
        "i'm i·a i\u2019m this it' it· im· here you're",
    ),
    _cue(
        0.85,
        rf"\b(?:my|his|her|our|their|the) (?:late |ex-?|new |old )?(?:{_KIN.replace(' ', '|')})(?:'s name is|"
        r",? called|,? named|[ ]is|,)?[ ]",
        "my· his her our their the",
    ),
    _cue(
        0.85,
        r"\b(?:speak(?:ing)? (?:to|with)|spoke (?:to|with)|talk(?:ed|ing) (?:to|with)|"
        r"signed by|behalf of|care of|c/o|attn:?|attention:?)[ ]",
        "speak spoke talk signed behalf care c/o attn attention",
    ),
    _cue(0.8, r"\b(?:thanks|thank you|cheers)(?: so much| very much| again)?,?[ ]", "thanks cheers"),
    _cue(
        0.85,
        r"\b(?:agent|representative|rep|advisor|named|called|belongs to|registered to|addressed to)[ ]",
        "agent representative advisor named called belongs registered addressed",
    ),
    _cue(0.7, rf"\b(?:{_OFFICE.replace(' ', '|')})[ ](?=[^\W\d_]{{2,20}}[ ][^\W\d_]{{2,20}}(?![\w]))", _OFFICE),
)
_CUES = dispatch((*_STRONG, *_CAPITALISED))
_CUES_OF_CAPITALS = dispatch(_STRONG)
"""In a text of nothing but capitals, those that do not need them."""

# A farewell on its own line or before the end, then the name on the next line.
_SIGNATURES = dispatch(
    (
        _cue(
            0.9,
            rf"{_CLAUSE}(?:(?:(?:kind|best|warm|many|with|sincere)(?: kind)?(?:est)?[ ])?(?:regards|wishes|thanks)"
            r"|best|cheers|sincerely|yours(?: (?:sincerely|truly|faithfully))?|respectfully|"
            r"thanks(?: again| in advance| so much)?|thank you|love|warmly|cordially|rgds|thx)"
            r"[ ]?[,.!\u2013\u2014-]?[ ]?\n{1,3}[ ]{0,2}(?:[-\u2013\u2014~][ ]?)?",
            "kind best warm many with sincere regards wishes thanks cheers yours respectfully love cordially rgds thx",
            lower=True,
        ),
    )
)
# Any short closing line that ends in a comma, whatever it says, and a line of nothing but a name.
_CLOSED = _r(r"\n\n[^\W\d_][^\n.!?,:]{1,39},[ ]?\n{1,2}[ ]{0,2}(?=[^\n]{2,60}(?:\n|$))")
_DASHED = re.compile(r"[\n.!?](?:(?<=\n)|[ ])[ ]{0,2}[-\u2013\u2014~]{1,2}[ ]?(?=[^\W\d_])")
_ASKED = _r(
    r"\b(?:full|your|first|last|sur|family|the|account holder'?s|cardholder'?s)[ ]?name[^?\n]{0,60}[?.:][ ]?\n{1,3}[ ]?"
)
_ASKS = re.compile(r"[aA][mM][eE][^?\n]{0,60}[?.:][ ]?\n")
_SPEAKING = _r(r"\b(?P<value>[^\W\d_]{2,20}(?:[ ][^\W\d_]{2,20})?)[ ](?:speaking|calling)(?=[ ]?[,.!\n]|[ ]here|$)")
_SPEAKS = re.compile(r"[sScC](?:(?i:peak|all))(?i:ing)")
# Who says what, as in a script: "Alice: "Who is it?"", and who is spoken to: "Alice, can you …".
_SAYS = re.compile(rf'{_CAPITAL}(?:(?<![^\n].)|(?<=\n\s.))[^\W\d_]{{1,20}}(?:[ ][^\W\d_]{{2,20}})?(?=:[ ]?["\u201c])')
_TOLD = re.compile(
    rf"{_CAPITAL}(?:(?<![^\n].)|(?<=[\n.!?] .))[^\W\d_]{{2,20}}(?=, (?:can|could|would|will) (?:you|I|i|we)\b)"
)
_INITIALS = re.compile(rf"[A-ZÀ-Þ](?<![^\n].)\.[ ]?(?:[A-ZÀ-Þ]\.[ ]?)?{_CAPITAL}[^\W\d_]{{2,20}}(?=[ ]?(?:[,\n]|$))")
_MARKED = (_SAYS, _TOLD, _INITIALS)
_WORD = re.compile(r"(?:[^\W\d_]{1,3}['\u2019])?[^\W\d_](?:[^\W\d_]|['\u2019-](?!s\b)(?=[^\W\d_])){0,30}\.?")
_GAP = re.compile(
    r"[ ]{1,2}(?:(?:de la|de los|van der|van den|de|da|del|della|di|dos|du|van|"
    r"von|der|den|ter|al|el|bin|ibn|la|le)[ ]){0,2}"
)

NEVER = frozenset(
    """
    a about accordingly account after afternoon again agent all also always am american an and angry any anyone
    april are as asking at august available aware back bank be because been below best billing british but by call
    called calling can cancel card cell charged chat complaint concerned confused contact could currently customer
    date day dear december desk details did disappointed do dob does done dutch email english european evening
    everybody everyone extremely fax february feel feeling finally first folks for french friday friend friends from
    frustrated furious german getting glad going good got great guys had happy has have having he hello help
    helpdesk her here hey hi highest his hiya how http https i i'd i'll i'm i've iban if in interested invoice is
    issue it it's italian january july june just kind kindly last late later like living locked looking lost lowest
    ma'am madam mail manager march may me might missing misspelled misspelt mobile moderator monday more morning
    most mr mrs ms much must my name need neighbor neighbour never new no nobody not noted november now number
    october of off ok okay on one only or order other our out over package paid parents payment people phone please
    pleased problem question quite ready really refund regarding regards registered returning right ring same
    satisfied saturday second see sent september service she shipping shopping should since sir so someone something
    sorry spanish speaking ssn still stuck such sunday sunny support sure team technical tel thank thankful thanks
    that that's the their them then there there's these they thing third this thursday to today tomorrow tongue too
    totally town trying tuesday unable under unhappy until up upset url us using valued very waiting want wanted was
    we wednesday week welcome well were what what's when where which who why will with wondering working worried
    would writing wrong yes yesterday yesterdays you your yours
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
    cues = _CUES_OF_CAPITALS if text.upper() == text else _CUES
    looks = [Cue(*place, 0.6) for place in cards(text, PLAIN)] + [Cue(*place, 0.5) for place in foreign(text)]
    return [*_announced(text, cues), *_lines(text), *_marked(text), *looks]


def _announced(text: str, cues: dict[str, list[Announcement]]) -> Iterator[Cue]:
    """Names behind the words that announce them."""
    for cue, start in anchored(text, cues):
        if (match := cue.pattern.match(text, start)) and (name := _name(text, match.end(), cue.score, lower=cue.lower)):
            yield name


def _lines(text: str) -> Iterator[Cue]:
    """Names that have a line to themselves: under a farewell, after a dash, or in answer to a question."""
    if "\n" in text:
        ends = [m.end() for cue, start in anchored(text, _SIGNATURES) if (m := cue.pattern.match(text, start))]
        ends += [m.end() for m in _ASKED.finditer(text)] if _ASKS.search(text) else []
        yield from _alone(text, ends, 0.9)
        yield from _alone(text, (m.end() for m in _CLOSED.finditer(text)), 0.7, lower=False)
    yield from _alone(text, (m.end() for m in _DASHED.finditer(text)), 0.8)


def _alone(text: str, starts: Iterable[int], score: float, *, lower: bool = True) -> Iterator[Cue]:
    """Names with nothing behind them on their line; what else there is must be capitals."""
    for start in starts:
        name = _name(text, start, score, lower=lower)
        if name and not text[name.end :].split("\n", 1)[0].strip(" ,.!|)-"):
            yield name
        elif name and lower and (capital := _name(text, start, score)):
            yield capital


def _marked(text: str) -> Iterator[Cue]:
    """The words before "speaking", who is quoted or spoken to, and a line of initials and a surname."""
    if _SPEAKS.search(text):
        for match in _SPEAKING.finditer(text):
            if name := _name(text, match.start("value"), 0.85):
                yield name
    for pattern in _MARKED:
        for match in pattern.finditer(text):
            if match[0].lower() not in FORM and (name := _name(text, match.start(), 0.85)):
                yield name


def _name(text: str, start: int, score: float, *, lower: bool = False) -> Cue | None:
    """The name that starts at ``start``, if any; in lower case only where the cue allows it."""
    if title := re.compile(_TITLE, re.IGNORECASE).match(text, start):
        start = title.end()
    end, position = start, start
    for _ in range(LONGEST):
        word = _WORD.match(text, position)
        initial = word is not None and word[0][1:] == "." and (lower or word[0][0].isupper())
        if not word or not (initial or _may_be_name(word[0].rstrip("."), lower=lower)):
            break
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
