"""Whatever a value is spelt like, it is found; and what only looks like one is not."""

import base64
import html
import json
import random
import time
import unicodedata
from urllib.parse import quote

import pytest

from assay.privacy.leaks.chance import Looked
from assay.privacy.leaks.searching import OVERLAP, PIECE, Search
from assay.privacy.leaks.values import Value

VALUES = [
    "Anna Kowalska", "José Núñez", "Юлия Петрова", "(415) 555-0123", "AB-481516", "anna.k@example.org",
    "12 Baker Street", "Zoë Ng", "O'Neil", "hunter2!Zq", "203.0.113.9", "李小龙", "DE89 3704 0044 0532 0130 00",
    "https://example.org/u/7731?q=a", "Δημήτρης",
]  # fmt: skip

SPELLINGS = {
    "as it is": str.encode,
    "upper case": lambda v: v.upper().encode(),
    "lower case": lambda v: v.lower().encode(),
    "JSON": lambda v: json.dumps(v).encode(),
    "JSON in JSON in JSON": lambda v: json.dumps(json.dumps(json.dumps(v))).encode(),
    "behind an escape": lambda v: json.dumps(f"x\n{v}").encode(),
    "URL": lambda v: quote(v, safe="").encode(),
    "form": lambda v: v.replace(" ", "+").encode(),
    "HTML": lambda v: html.escape(v).encode(),
    "HTML by number": lambda v: "".join(c if c.isascii() else f"&#{ord(c)};" for c in v).encode(),
    "decomposed": lambda v: unicodedata.normalize("NFD", v).encode(),
    "UTF-16": lambda v: f"to {v} on".encode("utf-16"),
    "UTF-16 big-endian": lambda v: f"to {v.upper()} on".encode("utf-16-be"),
    "wrapped": lambda v: v.replace(" ", "\r\n   ").encode(),
    "base64": lambda v: base64.b64encode(v.encode()),
    "base64, second byte": lambda v: base64.b64encode(f"x{v} and more".encode()),
    "base64, third byte": lambda v: base64.b64encode(f"xy{v} and more".encode()),
}


def found(values: list[str], data: bytes, *, glued: bool = False) -> set[str]:
    """Values that are found in bytes."""
    looked = Search([Value("X", value) for value in values]).look([data], glued=glued)
    return {values[hit.value] for hit in looked.hits}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_value_is_found_however_it_is_spelt(spelling):
    """All together, so that one does not hide another."""
    spelt = [value for value in VALUES if "base64" not in spelling or len(value.encode()) > 8]

    missed = [value for value in spelt if value not in found(VALUES, b"<td>" + SPELLINGS[spelling](value) + b"</td>")]

    assert missed == []


@pytest.mark.parametrize("spelling", ["4155550123", "415-555-0123", "415.555.0123", "(415)5550123", "+1 415 555 0123"])
def test_a_number_is_found_however_it_is_grouped(spelling):
    """Punctuation is not part of a number."""
    assert found(["(415) 555-0123"], f"call {spelling}, please".encode()) == {"(415) 555-0123"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4815", "3f4815162342"),
        ("Anna", "Savannah"),
        ("481516", "9481516"),
        ("481516", "a481516f"),
        ("Юлия", "Юлиян"),
        ("12 Baker Street", "112 Baker Street"),
        ("anna.k@example.org", "joanna.k@example.org"),
    ],
)
def test_part_of_a_word_is_no_value(value, text):
    """A house number is not found in a digest, nor a name in a city."""
    assert found([value], text.encode()) == set()


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 11:45:07.481516+00:00", "11:45:07,481516", "took 0.481516 s", "1481.481516",
        "3f2a4815-1623-4210-8815-481516234210",
    ],
)  # fmt: skip
def test_digits_of_timestamps_fractions_and_uuids_are_no_number(text):
    """Microseconds in a write-ahead log were once taken for an order's number."""
    looked = Search([Value("ORDER_ID", "481516"), Value("ORDER_ID", "481516234210")]).look([text.encode()])

    assert looked.hits == set()


def test_where_words_are_glued_a_long_value_need_not_be_a_word():
    """SQLite writes one column behind the other; a short value would be found by chance there."""
    data = b"RUNNINGAnna Kowalska2026Zoe99"

    assert found(["Anna Kowalska", "Zoe9"], data) == set()
    assert found(["Anna Kowalska", "Zoe9"], data, glued=True) == {"Anna Kowalska"}


def test_a_number_beside_a_word_of_its_record_is_sure_and_alone_it_is_weak():
    """What chance cannot have put there is no matter of chance."""
    search = Search([Value("ORDER_ID", "481516", near=frozenset({"order"}))])

    assert [hit.weak for hit in search.look([b'{"order": 481516}']).hits] == [None]
    assert [hit.weak for hit in search.look([b'{"size": 481516}']).hits] == [("digits", 6)]


@pytest.mark.parametrize("place", [PIECE - 7, PIECE, PIECE - OVERLAP, 2 * PIECE - 1])
def test_a_value_across_two_pieces_is_found(place):
    """Large files are read in pieces."""
    data = bytearray(b" " * (3 * PIECE))
    data[place : place + 13] = b"Anna Kowalska"
    half = [bytes(data[: PIECE + 100]), bytes(data[PIECE + 100 :])]

    assert Search([Value("PERSON", "Anna Kowalska")]).look(half).hits


def test_views_of_one_file_are_added_up():
    """Its bytes as they lie there, and decoded."""
    search = Search([Value("PERSON", "Anna Kowalska")])
    looked = Looked()

    search.look([b"nothing"], looked)
    search.look([b"Anna Kowalska"], looked)

    assert looked.bytes == 20
    assert len(looked.hits) == 1


def test_thousands_of_values_are_searched_at_twenty_megabytes_a_second_and_more():
    """In processor time of one core; a regular expression of as many branches takes minutes."""
    dice = random.Random(5)
    syllables = ["ka", "lo", "mi", "ren", "to", "va", "shi", "bel", "dor", "quin"]

    def name() -> str:
        return "".join(dice.choice(syllables) for _ in range(dice.randint(3, 5))).title()

    values = [Value("PERSON", f"{name()} {name()}") for _ in range(3000)]
    values += [Value("ORDER_ID", str(dice.randrange(10**7, 10**8))) for _ in range(2000)]
    search = Search(values)
    words = [*(f"word{n}" for n in range(500)), "order", "parcel", "message", "street"]
    text = " ".join(f"{dice.choice(words)} {dice.randrange(10**5)}" for _ in range(600_000)).encode()

    started = time.process_time()
    search.look([text])

    assert len(text) / 1e6 / (time.process_time() - started) > 20
