"""User names and secrets: what a word before or behind them gives away, or their own look.

"I sign in as …", "my password is …", "the code you texted me was …", "… is what I am called". Where the value could
also be the sentence going on ("my password is wrong"), its form decides: digits, an inner mark or a mixed case make it
a value. Only a token that looks like a password and like nothing else counts after "I typed" alone.
"""

import re

from assay.privacy.detection.personal_anchors import rule

VERSION = 1

NO_VALUES = frozenset(
    """
    wrong correct incorrect not now still being and for the has have had was were will would please that this
    expired invalid required needed locked blocked missing unknown none null true false yes reset changed already
    number closed open active suspended overdue linked empty hacked compromised something always never what working
    showing gone different same also just only here there but with from name names password username
    """.split()  # noqa: SIM905
)
"""Words after "is" that go on with the sentence instead of giving a value."""

_CREDENTIALS = (
    "pass pwd pin otp security verification access one activation login sms door gate entry alarm unlock secret"
)

# Words with a hyphen, a slash or an apostrophe, counts, ordinals, times, versions, prices, e-mail addresses and pages.
_ORDINARY = re.compile(
    r"(?i:[a-z]+(?:[-/'\u2019&][a-z]+)+[.!?]?|[a-z]+[!?.]+|\d+(?:st|nd|rd|th|x|h|pm|am|min|s|-?digits?|-?characters?|-?[a-z]{3,})"
    r"|\d+[-:/.]\d+.*|v\d+(?:\.\d+)*|[$€£]\d.*|\S+@\S+|https?:\S+|www\.\S+|[a-z]+\.[a-z]{2,4}|\[\w+\]?)"
)
_PASSWORD = re.compile(
    r"[A-Z][a-z]+[-_.!$%#&*+][A-Z][a-z]+\d+|[A-Za-z]{3,}[!$%#&*+?]\d{2,}[A-Za-z]*|[A-Za-z]*[a-z][A-Za-z]*\d{2,}[!$%#&*+][A-Za-z0-9]*"
)


def _secret(text: str) -> bool:
    """A word after "password is": a secret unless it reads like the sentence going on ("wrong", "still not")."""
    return not (text.isalpha() and (text.islower() or text.istitle()))


def _token(text: str) -> bool:
    """A password beside a word that says so: digits alone, or letters with capitals, marks or digits among them."""
    if text.isdecimal():
        return True
    return not (text.isalpha() or _ORDINARY.fullmatch(text) or text.lower() in NO_VALUES)


def _password(text: str) -> bool:
    """A token that looks like a password by itself: two words and digits, or a mark between letters and digits."""
    return _PASSWORD.fullmatch(text) is not None


def _marked(text: str) -> bool:
    """A user name where no label says so: with a digit or an inner mark."""
    return not text.isalpha() and any(map(str.isalpha, text))


def _handle(text: str) -> bool:
    """A user name after "is": with a digit, an inner mark or inner capital, or else not a common word."""
    return not text.isalpha() or text.lower() not in NO_VALUES


# A user name is one word; what its letters, digits and marks are is checked.
_NAME = r"['\"@]{0,2}(?P<value>[a-z](?:[\w-]|\.(?=\w)){2,39})"
_CREDENTIAL = (
    r"(?:pass[ _-]?(?:word|code|phrase)|passwd|pwd|pin(?: ?(?:code|number))?|otp|"
    r"(?:security|verification|access|one[- ]time|activation|login|sms|door|gate|entry|alarm|unlock|secret) "
    r"(?:code|password|pin|word|answer))"
)
# Seldom a word: letters with digits, and perhaps marks, among them.
_MIXED = r"(?P<value>(?=[^\s'\",;<>()]{0,40}\d)(?=[^\s'\",;<>()]{0,40}[a-z])[^\s'\",;<>()]{6,60}(?<![.,?!:)]))(?![\w@])"

ROWS = (
    rule(
        "USERNAME",
        0.9,
        r"\b(?:sign(?:s|ed|ing)?|logs?|logged|logging|register(?:s|ed|ing)?|known|called)(?: (?:up|in|on))? "
        rf"(?:as|with|under) {_NAME}(?![\w@-])",
        _marked,
        at="sign log register known called",
    ),
    # five letters and three digits in one lower-case word, or eight and two: a handle, not a product
    rule(
        "USERNAME",
        0.6,
        r"(?<![\w.@/-])(?P<value>(?:[a-z]{5,24}(?:[._-][a-z]{1,20})?\d{3,6}|[a-z]{8,24}\d\d))(?![\w@-])",
        flags=0,
        gate=r"\d(?<=[a-z]\d)",
    ),
    rule(
        "USERNAME",
        0.95,
        r"\b(?:user[ _-]?name|login(?:[ _-]?(?:name|id))?|user[ _-]?id|screen[ _]?name|"
        r"handle|nickname|skype|telegram|instagram|twitter)(?: (?:on|for|at|in) [a-z ]{2,20}?)?"
        r"(?:[ ]?[:=][ ]?| (?:is|was|as)[ :] ?)['\"@]{0,2}(?P<value>[\w@](?:[\w+-]|[.@](?=\w)){1,39})",
        _handle,
        at="user login screen handle nickname skype telegram instagram twitter",
    ),
    rule(
        "USERNAME",
        0.9,
        r"\b(?:user[ _-]?name|login|user|handle|profile|nick(?:name)?|alias) (?:name |is |was |of |called )?"
        r"['\"@]{0,2}(?P<value>(?=[a-z._-]{0,30}\d|[a-z]{1,30}[_.][a-z])[a-z](?:[\w-]|\.(?=\w)){2,39})(?![@\w])",
        at="user login handle profile nickname alias",
    ),
    # the name first, then what it is
    rule(
        "USERNAME",
        0.9,
        rf"(?<![\w@.]){_NAME}['\"]?,? (?:is|was) (?:my|the|his|her|their|our|what|how)(?: [a-z]{{1,8}}){{0,4}}? "
        r"(?:user[ -]?name|login|log[ -]in|handle|nick(?:name)?|screen[ -]?name|user[ -]?id|alias|account name|"
        r"called|known|signed in)\b",
        _marked,
        gate=r" (?i:is|was) (?i:my|the|his|her|their|our|what|how) (?:[a-zA-Z]{1,8} ){0,4}"
        r"(?i:user|log|handle|nick|screen|alias|account|called|known|signed)",
    ),
    rule("USERNAME", 0.85, r"@(?<![\w.@/]@)(?P<value>[a-z_]\w{2,30})(?![\w@]|\.\w)"),
    rule(
        "SECRET",
        0.95,
        r"\b(?:pass[ _-]?(?:word|code|phrase)|passwd|pwd|pin(?: ?(?:code|number))?|"
        r"otp|cvv2?|cvc|(?:security|verification|access|one[- ]time|activation|login|"
        r"sms) (?:code|password|pin|answer)|api[ _-]?(?:key|token|secret)|(?:access|"
        r"auth|bearer|secret)[ _-]?(?:key|token)|secret|token|client[ _]secret)(?:[ ]?[:=][ ]?|"
        r" (?:is|was|to|as)[ :] ?| (?=['\"]))['\"]?(?P<value>[^\s'\",;<>]{3,200}(?<![.,?)]))",
        _secret,
        at="pass pwd pin otp cvv cvc security verification access one activation login sms api auth bearer secret "
        "token client",
    ),
    rule(
        "SECRET",
        0.95,
        r"\b(?:pass[ _-]?(?:word|code|phrase)|pwd)[ ]?[:=] ?['\"]?(?P<value>[^\s'\"<>]{3,100})",
        lambda t: t.lower().strip(".,!?") not in NO_VALUES,
        at="pass pwd",
    ),
    rule(
        "SECRET",
        0.95,
        r"\b(?:pin|otp|cvv2?|cvc|(?:pass|security|verification|access|activation|one[- ]time|"
        r"sms)[ -]?code|code)(?: ?(?:code|number|no\.?))?(?:[ ]?[:=#-][ ]?| (?:is|was)[ :] ?|"
        r" )(?P<value>\d{3,8})(?!\w)",
        at="pin otp cvv cvc pass security verification access activation one sms code",
    ),
    # "the code I got by text was 123456", "the secret word on my file is …": words may come between
    rule(
        "SECRET",
        0.9,
        r"\b(?:code|pin|password|passcode|otp)\b[^.!?\n:]{1,40}[ ](?:is|was)[ :]{1,2}"
        r"(?P<value>\d{4,8})(?![\w,]|\.\d)",
        at="code pin pass otp",
    ),
    rule(
        "SECRET",
        0.9,
        r"\b(?:secret|security|memorable|pass|code)[ -]?(?:word|answer|phrase|question)\b[^.!?\n:]{0,40}?"
        r"(?:[ ](?:is|was)|:)[ :]{1,2}['\"]?(?P<value>[^\s'\",;<>]{3,100}(?<![.,?)]))",
        _secret,
        at="secret security memorable pass code",
    ),
    # a credential and a token such as no sentence has, either way round; by its shape alone after "I typed"
    rule(
        "SECRET",
        0.9,
        rf"\b{_CREDENTIAL}(?:[^.!?\n:]{{0,30}}? (?:is|was|as|to)|[ ]?[:=#])?[ ]['\"]?{_MIXED}",
        _token,
        at=_CREDENTIALS,
    ),
    rule(
        "SECRET",
        0.9,
        rf"\b(?:texted|sent|given|mailed|emailed|gave|typed|entered|enter|type|use|used|using|tried|got|"
        rf"received)(?: me| us)? (?:the |this |a |my )?(?:code |password )?['\"]?{_MIXED}",
        _password,
        at="texted sent given mailed email gave typed enter use using tried got received",
    ),
    rule(
        "SECRET",
        0.9,
        r"(?<!\S)['\"]?(?P<value>[^\s'\",;<>()]{4,60}(?<![.,?!:)]))['\"]? (?:is|was|as|for)(?: [a-z]{1,8}){0,2}? "
        rf"{_CREDENTIAL}\b",
        _token,
        gate=r" (?i:is|was|as|for) (?:[a-zA-Z]{1,8} ){0,2}"
        r"(?i:pass|pwd|pin|otp|security|verif|access|one|activ|login|sms|door|gate|entry|alarm|unlock|secret)",
    ),
    # six digits that end a statement: a one-time code, even if its label is misspelt
    rule("SECRET", 0.6, r"\d(?:(?<=\bis \d)|(?<=\bwas \d)|(?<=\w: \d))\d{5}(?=[.!;]?[ ]*(?:$|\n|[A-Z]))(?!\.\d)"),
)
"""Rules for :mod:`assay.privacy.detection.personal_labels`, which tries them together with its own."""
