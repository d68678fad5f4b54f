"""Spans made whole: from raw hits to what is masked.

A hit grows to the edges of its words (:func:`whole`), parts of a name and pieces of an address join
(:func:`joined`), a value is found wherever else it stands (:func:`occurrences`), and overlaps go to the type
that covers most (:func:`disjoint`). When in doubt a span gets longer, never shorter.
"""

import re
from collections.abc import Iterable, Iterator

from assay.policy import ENTITY_TYPES
from assay.privacy.detection.personal_cues import PLAIN
from assay.privacy.detection.personal_places import AND_STREET, CROSSING, PLACE_AFTER, PLACE_BEFORE, TOWN_BEFORE
from assay.privacy.patterns import Span

VERSION = 4


CERTAIN = 0.85
"""Score from which a span keeps its own edges."""

NUMBERS = frozenset({"CREDIT_CARD", "IBAN", "SSN", "PHONE", "ORDER_ID", "ACCOUNT_ID"})
"""Types whose values are the same whatever stands between their letters and digits."""

PART = 3
"""Letters from which a part of a name counts, and characters from which a number does."""

LOCAL = 8
"""Last digits of a telephone number that are the same in every way of writing it."""

_LETTERS = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_PARTICLES = frozenset({"von", "van", "der", "den", "del", "dos", "bin", "mrs", "miss", "the", "and", "jnr", "snr"})
_ROLES = frozenset({"info", "support", "sales", "contact", "admin", "office", "mail", "hello", "service", "help"})
# Between the parts of a name: white space within the line, an initial, particles. Nothing else joins two people.
_NAME_GAP = re.compile(
    r"[ ]{1,2}(?:[^\W\d_]\.?[ ]{1,2})?"
    r"(?:(?:de|da|do|di|du|del|della|la|le|los|van|von|der|den|ter|al|el|bin|ibn|dos|y|e)[ ]){0,3}"
    r"|[ ]?-[ ]?|\.[ ]?|['\u2019]",
    re.IGNORECASE,
)
# After a person: an initial, with or without a surname behind it that the tagger has not seen as one.
_INITIAL_AFTER = re.compile(
    r"[ ](?:[A-Z][ ](?=[^\W\d_a-z])|[^\W\d_]\.[ ]?(?=[^\W\d_a-z]))[^\W\d_]{2,30}"
    r"(?:-[^\W\d_]{2,30})?|[ ][^\W\d_]\.(?=[\s,;:)]|$)|,?[ ](?:DDS|DVM|MD|PhD|Ph\.D\.|MBA|CPA|RN|Esq|Jr|Sr|II|III|IV)\b"
)
# A lone capitalised name, and the capitalised word that follows it in the middle of a sentence.
_ONE_NAME = re.compile(r"[A-ZÀ-Þ][^\W\d_]+")
_SURNAME = re.compile(r"[ ](?=[^\W\d_a-zß-öø-ÿ])[^\W\d_]{3,30}(?:-[^\W\d_]{2,30})?")
_FAR = 40
"""Characters before a span in which what belongs to it may begin."""

_INITIAL_BEFORE = re.compile(r"(?:^|(?<=\W))[^\W\d_]\.[ ]?$")
_SMALL_NUMBER = re.compile(r"\W*\d{1,3}(?:[^\w\s]*[a-z]?[^\w\s]*\d?)|[^\w\s]*[a-z][^\w\s]*\d?", re.IGNORECASE)
_FIRST_WORD = re.compile(r"([a-z']{2,20})[ ]{1,2}(?=\S)")
_LAST_WORD = re.compile(r"(?<=\S)[ ]{1,2}([a-z']{2,20})$")
_SUBJECT = re.compile(r"\b(?:it|he|she|they|who|that|which)[ ]$", re.IGNORECASE)
_CAPITALISED = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]{2,20}"
_COUNTED = re.compile(r"[ ]?(?:[a-z]|[(%\u00b0])")
_COUNTING = re.compile(
    r"(?:\b(?:size|step|error|page|version|level|chapter|section|model|than|every|about|least|most|only|over|under|"
    r"up to|is a|are|was|were|aged?)[ ]|\()$",
    re.IGNORECASE,
)
_LIST_AFTER = re.compile(rf", (?P<one>{_CAPITALISED}),? and (?P<two>{_CAPITALISED})(?![\w'\u2019-])")
_LIST_BEFORE = re.compile(rf"[:(] ?(?P<one>{_CAPITALISED}), (?:(?P<two>{_CAPITALISED}),? )?(?:and )?$")
# Between the pieces of an address: punctuation, and at most two short words (a state, a unit, a number).
_PLACE_GAP = re.compile(
    r"[\s,.;#/-]{0,6}(?:(?:[A-Z][\w.'\u2019-]{0,15}|\d{1,6}[a-zA-Z]?|nan|of|de|la)[\s,.;-]{1,5}){0,2}"
)

_ORDINARY = frozenset(
    """
    art august autumn bath best bill bob brandy brook brown buck buddy carol case chance chase chip christian chuck
    clay cliff dale dawn dean drew earnest east eve faith frank gene grace grant green guy hall harmony heather
    holly hope hunter ivory ivy jack jade jewel joy june king lane lee long love major mark may melody mobile more
    nice norm north olive orange page paris pat patience penny price prince ray read reading rich rob rock rose ruby
    rusty sandy setting skip sky south star stone storm sue summer sunny terry trip van victor wade ward west will
    winter wood young
    """.split()  # noqa: SIM905
)
"""Names that are words too: they are carried over to other places only with the same capitals."""


def whole(text: str, span: Span) -> Span:
    """Grown over the letters and digits it cuts through, and over initials, a surname, a state."""
    start, end = span.start, span.end
    while start < end and not text[start].isalnum() and text[start] not in "+(@":
        start += 1
    while start > 0 and _inside(text, start):
        start -= 1
    while end < len(text) and _inside(text, end):
        end += 1
    start, end = _extended(text, start, end, span.type)
    return span._replace(start=start, end=max(start, end))


def _extended(text: str, start: int, end: int, kind: str) -> tuple[int, int]:
    """Over what belongs to a name or an address although nothing has marked it."""
    if kind == "PERSON":
        start, end = _without_words(text, start, end)
        if _ONE_NAME.fullmatch(text, start, end) and (surname := _SURNAME.match(text, end)):
            end = surname.end()
        return _beside(text, start, end, _INITIAL_BEFORE, _INITIAL_AFTER)
    if kind == "ADDRESS":
        crossing = CROSSING.search(text, max(0, start - _FAR), start)
        if crossing and (other := AND_STREET.match(text, end)):
            end = other.end()
        return _beside(text, start, end, PLACE_BEFORE, PLACE_AFTER)
    if kind == "CITY" and (before := TOWN_BEFORE.search(text, max(0, start - _FAR), start)):
        # in small letters only before small letters: "the new London shop"
        return (before.start() if before[0][0].isupper() == text[start].isupper() else start), end
    return start, end


def _without_words(text: str, start: int, end: int) -> tuple[int, int]:
    """A name without the words of the sentence at either end of it ("call Anna"), if anything is left."""
    first, last = start, end
    while (word := _FIRST_WORD.match(text, first, last)) and word[1] in PLAIN:
        first = word.end()
    while (word := _LAST_WORD.search(text, first, last)) and word[1] in PLAIN:
        last = word.start()
    return first, last


def _beside(text: str, start: int, end: int, before: re.Pattern[str], after: re.Pattern[str]) -> tuple[int, int]:
    """The range with what stands before and after it, if anything does."""
    end = found.end() if (found := after.match(text, end)) else end
    return (found.start() if (found := before.search(text, max(0, start - _FAR), start)) else start), end


def _inside(text: str, cut: int) -> bool:
    """Whether a cut before this character goes through a word."""
    return _in_word(text[cut - 1]) and _in_word(text[cut])


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def joined(text: str, spans: list[Span]) -> list[Span]:
    """Neighbours that are parts of one name, or pieces of one address."""
    joined: list[Span] = []
    places = sorted(s for s in spans if s.type in {"ADDRESS", "CITY"})
    names = sorted(s for s in spans if s.type == "PERSON")
    for group, gap in ((names, _NAME_GAP), (places, _PLACE_GAP)):
        held: Span | None = None
        for span in group:
            if held and (span.start <= held.end or gap.fullmatch(text, held.end, span.start)) and _joinable(held, span):
                kind = "ADDRESS" if "ADDRESS" in {held.type, span.type} else held.type
                held = Span(held.start, max(held.end, span.end), kind, max(held.score, span.score))
                continue
            joined += [held] if held else []
            held = span
        joined += [held] if held else []
    kept = [_extended_place(text, span) for span in joined if _plausible(text, span)]
    return [*kept, *_listed(text, kept), *(s for s in spans if s.type not in {"ADDRESS", "CITY", "PERSON"})]


def _extended_place(text: str, span: Span) -> Span:
    """An address with the state or country behind its last piece."""
    after = PLACE_AFTER.match(text, span.end) if span.type == "ADDRESS" else None
    return span._replace(end=after.end()) if after else span


def _plausible(text: str, span: Span) -> bool:
    """Whether a guess can stand: not a count alone as an address, nor the verb behind "it" as a name."""
    if span.score >= CERTAIN or span.type == "CITY":
        return True
    value = text[span.start : span.end]
    if span.type == "ADDRESS":
        return not _SMALL_NUMBER.fullmatch(value) or not _counts(text, span)
    return not (value.islower() and _SUBJECT.search(text, max(0, span.start - _FAR), span.start))


def _counts(text: str, span: Span) -> bool:
    """Whether what stands around a number says that it is a count, or a word in brackets that it is none."""
    before = _COUNTING.search(text, max(0, span.start - _FAR), span.start)
    return before is not None or _COUNTED.match(text, span.end) is not None


def _listed(text: str, spans: list[Span]) -> Iterator[Span]:
    """Capitalised words in a row with a person: "Ana, Bowman and White"."""
    for span in spans:
        if span.type == "PERSON":
            for pattern, at in ((_LIST_AFTER, span.end), (_LIST_BEFORE, span.start)):
                found = pattern.match(text, at) if at == span.end else pattern.search(text, max(0, at - _FAR), at)
                if found:
                    yield from (Span(*found.span(g), "PERSON", 0.5) for g in ("one", "two") if found[g])


def _joinable(first: Span, second: Span) -> bool:
    """Two cities side by side are a list; with an address between them they are one place."""
    return second.start <= first.end or first.type == "PERSON" or "ADDRESS" in {first.type, second.type}


def occurrences(text: str, value: str, kind: str, score: float, *, known: bool = False) -> Iterator[Span]:
    """Every place where ``value`` stands, whatever its case, white space and (in a number) punctuation.

    Of a person also each part of the name with at least :data:`PART` letters. With ``known``, which says that
    the value comes from the subject's own columns, of an e-mail address also what stands before the @, and of
    a telephone number its last :data:`LOCAL` digits, since the prefix is written in many ways.
    """
    lowered = text.lower()
    for spelling in _spellings(value, kind, known=known):
        pattern = _pattern(spelling, lowered, kind, known=known)
        for match in pattern.finditer(text) if pattern else ():
            yield Span(match.start(), match.end(), kind, score)


def _spellings(value: str, kind: str, *, known: bool) -> Iterator[str]:
    value = value.strip()
    if len(value) > 1:
        yield value
    if kind == "PERSON":
        parts = [part for part in _LETTERS.findall(value) if len(part) >= PART and part.lower() not in _PARTICLES]
        yield from (part for part in parts if part != value)
    if known and kind == "EMAIL":
        local = value.partition("@")[0]
        if len(local) > PART and local.lower() not in _ROLES:
            yield local
    if known and kind == "PHONE":
        number = "".join(filter(str.isdecimal, value))
        if len(number) > LOCAL:
            yield number[-LOCAL:]


def _pattern(value: str, lowered: str, kind: str, *, known: bool) -> re.Pattern[str] | None:
    """A pattern for one spelling; ``None``, cheaply, if it stands in the text too seldom to be worth it.

    White space of any length may stand in a value that is known. What is repeated is never given back (possessive),
    since no character of it can be the next of the value: so a search takes time in proportion to the text.
    """
    least = 1 if known else 2
    if kind in NUMBERS:
        compact = [c for c in value if c.isalnum()]
        if len(compact) < PART or "".join(filter(str.isalnum, lowered)).count("".join(compact).lower()) < least:
            return None
        body = (r"[\s().+/_-]*+" if known else r"[\s().+/_-]{0,3}").join(map(re.escape, compact))
        prefix = r"(?:\+?\(?\d[\d().\s-]{0,9})?" if kind == "PHONE" and len(compact) >= LOCAL else ""
        return re.compile(rf"(?<![^\W_]){prefix}{body}(?![^\W_])", re.IGNORECASE)
    words = value.split()
    if not words or lowered.count(words[0].lower()) < least:
        return None
    spellings = {value, value.title(), value.upper()} if value.lower() in _ORDINARY else {value}
    gap = r"\s++" if known else r"\s{1,4}"
    body = "|".join(gap.join(map(re.escape, spelling.split())) for spelling in sorted(spellings))
    return re.compile(rf"(?<![^\W_])(?:{body})(?![^\W_])", 0 if len(spellings) > 1 else re.IGNORECASE)


def disjoint(text: str, spans: Iterable[Span]) -> list[Span]:
    """All characters of all spans, each once: certain spans first, then longer ones, then the rest of the others.

    A certain span (an order number by its label) so keeps its own edges even if a vaguer one runs across it,
    and has the same value wherever it stands. Between equals the score decides, then the order of
    :data:`ENTITY_TYPES`, in which a recogniser's own types come last.
    """
    placed: list[Span] = []
    for span in sorted(sorted(set(spans)), key=_claim, reverse=True):
        rest = [span]
        for held in placed:
            rest = [piece for part in rest for piece in _without(part, held)]
        intact = rest == [span]
        placed += [r for r in rest if _matters(text[r.start : r.end], r.type, intact=intact)]
    return sorted(_trimmed(text, span) for span in placed)


def _claim(span: Span) -> tuple[bool, int, float, int]:
    rank = ENTITY_TYPES.index(span.type) if span.type in ENTITY_TYPES else len(ENTITY_TYPES)
    return span.score >= CERTAIN, span.end - span.start, span.score, -rank


def _without(span: Span, held: Span) -> list[Span]:
    """What of ``span`` lies outside ``held``."""
    if held.end <= span.start or span.end <= held.start:
        return [span]
    sides = (span._replace(end=held.start), span._replace(start=held.end))
    return [side for side in sides if side.start < side.end]


def _matters(text: str, kind: str, *, intact: bool) -> bool:
    """Whether there is anything to mask: of a number that was cut, words are not; of an e-mail address, its @ is."""
    if intact or kind not in NUMBERS | {"EMAIL"}:
        return any(map(str.isalnum, text))
    return any(map(str.isdigit, text)) or (kind == "EMAIL" and "@" in text)


def _trimmed(text: str, span: Span) -> Span:
    held = text[span.start : span.end]
    start = span.start + len(held) - len(held.lstrip())
    return span._replace(start=start, end=start + len(held.strip()))
