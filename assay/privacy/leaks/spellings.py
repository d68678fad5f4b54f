r"""Spellings: every way in which a value may stand in bytes.

A value is looked for in lower-case bytes, as whole words, under one pattern that takes each of its characters as
itself, in either case, composed or not (Unicode NFC and NFD), and as JSON (``\u00e9``, escaped however often), URLs
(``%C3%A9``) and HTML (``&#233;``) write it. Any white space may stand between its words, however it is escaped. A
number, an id or a telephone number may be grouped otherwise or not at all. Beside that pattern there are UTF-16 and
base64 (RFC 4648), whose text depends on where in a group of three bytes the value begins: there are three. Base64 that
is cut into lines within a value, and what is encrypted, is not seen.

A pattern is slow, so each comes with *anchors*: byte strings of which one stands wherever the pattern matches.
"""

import base64
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import quote

VERSION = 1

SHORTEST = 4
"""Bytes of the shortest anchor."""

BASE64_SHORTEST = 8
"""Characters of base64 that the value alone decides; of fewer, nothing could be said."""

ANCHORED_DIGITS = 6
"""A number of so many digits is looked for among digits alone, so that any punctuation may stand in it."""

Form = Literal["text", "digits", "wide", "base64"]

_NUMBER = re.compile(r"(?=\D*\d)(?!\d{1,3}(?:\.\d{1,3}){3}$)[+(#]*[^\W_][\w()+#/. -]*")
_RUN = re.compile(r"[a-z0-9]+")
_GAP = rb"(?:[\s\x00_+]|\xc2\xa0|\\+[nrtf]|\\+u00a0|%20|%0[9ad]|%c2%a0|&nbsp;|&#1?[06]0?;|<br ?/?>){1,16}"
_GROUPED = rb"(?:[\s()./#+-]|\xc2\xa0|\\+[nrtf]|%2[089bf]|&nbsp;){0,8}"
_LONE = {"'": "'\u2019\u2018", "\u2019": "'\u2019", "\u2018": "'\u2018", "-": "-\u2010\u2011\u2013"}


class Anchor(NamedTuple):
    """Bytes that stand wherever a spelling does, and in which reading of a file."""

    form: Form
    text: bytes


def is_number(value: str) -> bool:
    """Whether punctuation in a value says nothing: a number, or an id with digits in one or two words."""
    words = value.split()
    return bool(_NUMBER.fullmatch(value.strip())) and all(any(map(str.isdigit, w)) or not w.isalpha() for w in words)


def alone(value: str) -> str:
    """The letters and digits of a value, folded."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", value).casefold()))


def pattern(value: str) -> re.Pattern[bytes]:
    """What matches every textual spelling of a value in bytes whose ASCII letters are lower-case."""
    if is_number(value):
        return re.compile(_GROUPED.join(_character(c) for c in value if c.isalnum()))
    return re.compile(_GAP.join(b"".join(map(_character, word)) for word in value.split()))


def _character(character: str) -> bytes:
    """One character in all its spellings."""
    if character.isascii() and character.isalnum():
        return character.lower().encode()
    same = {c for one in _LONE.get(character, character) for c in (one, one.lower(), one.upper(), one.casefold())}
    written = sorted({form for one in same for form in _written(one)})
    return b"(?:" + b"|".join(written[::-1]) + b")"  # Of two that start alike the longer is tried first.


def _written(text: str) -> Iterator[bytes]:
    """Patterns of a character as itself, and as JSON, a URL and HTML write it."""
    for composed in {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}:
        units = json.dumps(composed)[1:-1].lower() if not composed.isascii() else f"\\u{ord(composed[0]):04x}"
        yield re.escape(composed.encode().lower())
        yield re.escape(units.encode()).replace(rb"\\u", rb"\\+u")
        yield re.escape(quote(composed, safe="").lower().encode())
        yield b"".join(rb"&#(?:0*%d|x0*%x);" % (ord(c), ord(c)) for c in composed)
        if (named := html.escape(composed)) != composed:
            yield re.escape(named.lower().encode())
        if composed in "\"'/\\":
            yield rb"\\+" + re.escape(composed.encode())


def anchors(value: str, ordinary: frozenset[str] = frozenset()) -> set[Anchor]:
    """Anchors of all spellings of a value, rather on words that are not ``ordinary``."""
    return {*_text(value, ordinary), *_wide(value, ordinary), *_base64(value)}


def _text(value: str, ordinary: frozenset[str]) -> Iterator[Anchor]:
    runs = re.findall(r"\d+", alone(value))
    digits = max(runs, key=len, default="")
    if is_number(value) and len(digits) >= ANCHORED_DIGITS and digits.isascii():
        yield Anchor("digits", digits.encode())
        start, end = (next(i for i, c in enumerate(text) if c.isalnum()) for text in (value, value[::-1]))
        if (escaped := quote(value[start : len(value) - end])) != value[start : len(value) - end]:
            yield Anchor("text", escaped.lower().encode())  # Its escapes have digits of their own.
    elif run := _rarest(value, ordinary):
        yield Anchor("text", run.encode())
    else:
        yield from (Anchor("text", form) for form in _encoded(value) if len(form) >= SHORTEST)


def _rarest(value: str, ordinary: frozenset[str]) -> str | None:
    """The run of plain letters and digits that is least likely to stand elsewhere: they are written one way only."""
    runs = [run for run in _RUN.findall(value.lower()) if len(run) >= SHORTEST]
    return max(runs, key=lambda run: (run not in ordinary, len(run), run)) if runs else None


def _cased(value: str) -> set[str]:
    return {value, value.lower(), value.upper(), value.title(), value.casefold()}


def _encoded(value: str) -> set[bytes]:
    """Whole spellings of a value that has no run of plain letters to hold on to: of its longest word, if that does."""
    longest = max(value.split(), key=len)
    texts = [longest] if len(longest.encode()) >= SHORTEST else [gap.join(value.split()) for gap in (" ", "\n", "+")]
    found = set()
    for text in (unicodedata.normalize(f, each) for t in texts for each in _cased(t) for f in ("NFC", "NFD")):
        numbered = "".join(c if c.isascii() else f"&#{ord(c)};" for c in text)
        escaped = json.dumps(text)[1:-1]
        found |= {escaped.replace("\\", "\\" * times).encode() for times in (1, 2, 4)}
        found |= {text.encode(), quote(text).encode(), numbered.encode()}
        found.add("".join(c if c.isascii() else f"&#x{ord(c):x};" for c in text).encode())
    return {form.lower() for form in found}


def _wide(value: str, ordinary: frozenset[str]) -> Iterator[Anchor]:
    """UTF-16 without the first or last byte's zero, so that one anchor serves both byte orders."""
    if run := _rarest(value, ordinary):
        yield Anchor("wide", b"\0".join(bytes([c]) for c in run.encode()))
        return
    for text in _cased(max(value.split(), key=len)):
        for order in ("utf-16-le", "utf-16-be"):
            if len(form := text.encode(order, "replace").lower()) >= SHORTEST:
                yield Anchor("wide", form)


def _base64(value: str) -> Iterator[Anchor]:
    for text in {value, value.lower(), value.upper(), json.dumps(value)[1:-1]}:
        for form in in_base64(text.encode()):
            yield Anchor("base64", form)


def in_base64(data: bytes) -> Iterator[bytes]:
    """What base64 of anything that holds ``data`` must hold, in either alphabet, one for each place in a group."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        sure = whole[-(-8 * before // 6) : 8 * (before + len(data)) // 6]
        if len(sure) >= BASE64_SHORTEST:
            yield from {sure, sure.translate(bytes.maketrans(b"+/", b"-_"))}
