"""Places by their form: a street with its house number, a box, a postcode beside its state or town.

House number and kind of street in English; in other languages the kind of street before its name ("rue", "via") or as
its end ("…straße", "…gata"). Towns alone are the tagger's business. What stands around a place and belongs to it, such
as a country behind or "the corner of" before, is here for :mod:`assay.privacy.detection.personal_spans`.
"""

import re

from assay.privacy.detection.personal_anchors import rule

VERSION = 1

_NUMBER = r"\d"
_STREET = (
    r"street|st|avenue|ave|av|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|"
    r"way|place|pl|terrace|square|sq|parkway|"
    r"pkwy|highway|hwy|close|crescent|cres|grove|gardens|row|mews|circle|cir|trail|"
    r"trl|alley|loop|plaza|walk|hill|quay|"
    r"turnpike|pike|route|bypass|esplanade|parade|gate|rise|view|ridge|run|point|crossing"
)
_STATE = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|"
    r"W[AIVY]|A[AEP]"
)
_UNIT = (
    r"(?:apartment|apt|unit|suite|ste|flat|room|floor|building|bldg|lot|box|no|#)"
    r"\.?[ ]?#?[ ]?[a-z]?\d{1,5}[a-z]?\b"
)
_CAP = r"(?-i:[^\W\d_a-zß-öø-ÿ])[^\W\d_]{1,30}"  # a word that does not start in lower case
_STREET_END = (
    "straße|strasse|str\\.|gasse|platz|allee|weg|straat|laan|gracht|gatan|vägen|vegen|gata|vej|gade|katu|tie|utca|tänav|"
    "brücke|ufer|damm|torget|plein|kade|väg|veien|stræde|kuja"
)


def _street(text: str) -> bool:
    """A kind of street and a name with a capital; "via" means more than that, and needs a number."""
    first, *others = re.split(r"[ '\u2019]", text)
    return any(w[:1].isupper() for w in others) and (first.lower() != "via" or text[-1].isdigit())


ROWS = (
    # -- addresses -------------------------------------------------------------------------------------------
    # house number, up to five words that are not those of a sentence, a kind of street
    rule(
        "ADDRESS",
        0.9,
        r"\d(?<![\w.$€£#-]\d)\d{0,5}(?:[-/]\d{1,4})?[a-z]?,?[ ](?:(?!(?:of|the|in|on|"
        r"to|my|and|for|is|was|days?|hours?|minutes?|times?|weeks?|months?|years?|items?|"
        rf"per|off|at|from|by|or|i)\b)[^\W_][\w.'\u2019-]{{0,25}}[ ]){{1,5}}(?:{_STREET})\b\.?"
        rf"(?:[ ](?:[nsew]|ne|nw|se|sw|north|south|east|west)\b)?(?:,?[ ]{_UNIT})?",
        gate=_NUMBER,
    ),
    # where the kind of street is part of its name
    rule(
        "ADDRESS",
        0.9,
        rf"\b(?:(?-i:[A-ZÀ-Þ])[\w.'\u2019-]{{1,25}}[ ]){{0,2}}[^\W\d_][\w'\u2019-]{{1,25}}(?:{_STREET_END})"
        r"[ ]\d{1,4}(?:[ ]?[a-hj-z])?\b",
        gate=rf" \d(?i:{'|'.join(rf'(?<={end} .)' for end in _STREET_END.split('|'))})",
    ),
    rule(
        "ADDRESS",
        0.9,
        r"(?:\b\d{1,4}(?: ?(?:bis|ter))?,?[ ])?\b(?:rue|avenue|boulevard|chemin|impasse|"
        r"via|viale|corso|piazza|calle|avenida|paseo|rua|travessa|ul\.|ulica)[ ](?:"
        rf"(?:de|del|de la|des|du|da|do|della|di|la|le|les|los)[ ]|[dl]['\u2019])?{_CAP}"
        rf"(?:[ -]{_CAP}){{0,3}}(?:,?[ ]\d{{1,4}}[a-z]?\b)?",
        _street,
        gate=r"[aAbBcCiIpPrRtTuUvV](?<!\w.)(?i:ue|venue|oulevard|hemin|mpasse|ia|iale|orso|iazza|alle|venida|aseo|"
        r"ua|ravessa|l\.|lica)[ ]",
    ),
    rule("ADDRESS", 0.9, r"\bp\.? ?o\.? ?box[ ]?#?\d{1,7}\b", at="po p. p·"),
    # military post
    rule(
        "ADDRESS",
        0.9,
        r"\b(?:psc|cmr|unit|us[a-z]{1,3})[ ][\w ]{1,30}[\s,]{1,3}(?:[adf]po)[ ]a[aep][ ]\d{5}(?:-\d{4})?\b",
        at="psc cmr unit us",
    ),
    rule(
        "ADDRESS",
        0.85,
        r"\b(?:apartment|apt\.?|suite|ste\.?|flat)[ ]?#?[ ]?(?:\d{1,5}[a-z]?|[a-z]\d{1,4})\b",
        at="apartment apt suite ste flat",
    ),
    # postcodes: US and Australia with the state; United Kingdom, Canada; before a town; Netherlands
    rule(
        "ADDRESS",
        0.9,
        rf"(?:\b{_CAP}(?:[ ]{_CAP}){{0,2}},[ ]?)?\b(?:{_STATE}),?[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?(?!\w)",
        flags=0,
        gate=r"[A-Z]{2},?[ ]{1,2}\d{5}",
    ),
    # in small letters a state may be a word, so the comma behind a town must say that it is not
    rule(
        "ADDRESS",
        0.9,
        rf",(?<=[^\W\d_],)[ ]?(?P<value>(?i:{_STATE})[ ]\d{{5}}(?:-\d{{4}})?)(?![\w%]|[.,]\d)",
        flags=0,
        gate=_NUMBER,
    ),
    rule(
        "ADDRESS",
        0.9,
        rf"(?:\b{_CAP}[ ]){{0,3}}(?:NSW|VIC|QLD|SA|WA|TAS|NT|ACT)[ ]\d{{4}}(?!\w)",
        flags=0,
        gate=r"[A-Z]{2}[ ]\d{4}",
    ),
    rule(
        "ADDRESS",
        0.9,
        r"[A-Z](?<!\w.)(?:[A-Z]?\d[A-Z\d]?[ ]\d[A-Z]{2}|\d[A-Z][ ]\d[A-Z]\d)(?!\w)",
        flags=0,
        gate=_NUMBER,
    ),
    rule(
        "ADDRESS",
        0.8,
        rf"(?:(?<=[,\n])[ ]?|\b[A-Z]{{1,2}}-)(?P<value>(?:\d{{4}} ?[A-Z]{{2}}|\d{{5}}|"
        rf"\d{{3}} \d{{2}}|\d{{2}}-\d{{3}}|\d{{4}}) {_CAP}(?:[ -]{_CAP}){{0,2}})(?!\w)",
        flags=0,
        gate=r"[,\n -]\d{2,5}[ A-Z-]",
    ),
    rule("ADDRESS", 0.7, r"\d(?<!\w\d)(?:\d{3} [A-Z]{2}|\d{4}-\d{4})(?!\w)", flags=0, gate=_NUMBER),
)
"""Rules for :mod:`assay.privacy.detection.personal_rules`, which tries them together with its own."""

# Around an address: what introduces a street, a box or a crossing, and a state or country behind.
PLACE_BEFORE = re.compile(
    r"(?:\b(?:ul|u|av|c)\.?[ /]{1,2}|\b(?:psc|cmr|unit)[ ]|\b\d{1,6}[ ]"
    r"|\b(?:the )?(?:corner|intersection|junction|crossing) of (?:[^\W\d_]{2,20} and )?(?:\d{1,6}[ ])?)$",
    re.IGNORECASE,
)
_STATES = r"\b[A-Z]{2}\b(?![ ][a-z])"
_COUNTRY = (
    r"(?i:united (?:states(?: of america)?|kingdom|arab emirates)|u\.?s\.?a|u\.?k|argentina|australia|austria|belgium|"
    r"brazil|bulgaria|canada|chile|china|colombia|croatia|cyprus|czech republic|czechia|denmark|egypt|england|estonia|"
    r"finland|france|germany|great britain|greece|greenland|hungary|iceland|india|indonesia|ireland|israel|italy|japan|"
    r"kenya|latvia|lithuania|luxembourg|malaysia|malta|mexico|morocco|netherlands|new zealand|nigeria|northern ireland|"
    r"norway|pakistan|peru|philippines|poland|portugal|romania|russia|saudi arabia|scotland|serbia|singapore|slovakia|"
    r"slovenia|south africa|south korea|spain|sweden|switzerland|taiwan|thailand|tunisia|turkey|ukraine|uruguay|"
    r"vietnam|wales)\b"
)
PLACE_AFTER = re.compile(
    rf"[\s,>]{{1,6}}(?:{_STATES}|{_COUNTRY}(?: \([^\W\d_]{{2,20}}\))?)"
    r"(?:[\s,]{1,3}\d{4,6}\b(?![.,]\d|%))?"
)
AND_STREET = re.compile(r"\.?,? and (?:[^\W\d_][\w.'\u2019-]{1,25}[ ]){0,2}[^\W\d_][\w'\u2019-]{1,25}")
# What a town's name begins with, although the tagger leaves it out.
TOWN_BEFORE = re.compile(
    r"(?<!\w)(?:new|old|great|little|north(?:ern)?|south(?:ern)?|east|west|upper|lower|saint|st\.?|san|santa|fort|port|"
    r"mount|cape|lake|los|las|el|la|le|bad|novo|nova|stara)[ ]$",
    re.IGNORECASE,
)
CROSSING = re.compile(r"\b(?:corner|intersection|junction|crossing) of [^.!?\n]{0,12}$", re.IGNORECASE)
"""Before the first of two streets that cross."""
