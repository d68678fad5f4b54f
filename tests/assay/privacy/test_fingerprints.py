"""A fingerprint is a value's, however it is spelt, and its key's."""

import hashlib
import hmac

import pytest

from assay.privacy.fingerprints import fingerprint, folded

KEY = b"0123456789abcdef"


@pytest.mark.parametrize(
    "spellings",
    [
        ["Anna Kowalska", "ANNA\n kowalska", "\uff21nna Kowalska"],
        ["AB-1234", "ab 1234", "AB.1234", "#AB1234"],
        ["+44 (0)20 7946-0018", "+440 20 79460018", "44.020.7946.0018"],
        ["O'Neil", "o\u2019neil"],
    ],
)
def test_spellings_of_one_value_have_one_fingerprint(spellings):
    """Case, white space, width, and the punctuation of a number."""
    assert len({fingerprint(s, KEY) for s in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane.doe1@example.org", "janedoe1@example.org"),
        ("203.0.113.9", "20.30.113.9"),
        ("Anna-Maria", "Annamaria"),
        ("12 Baker Street", "13 Baker Street"),
        ("Hunter2!", "Hunter2?"),
    ],
)
def test_other_values_have_others(one, other):
    """Where punctuation tells values apart it stays."""
    assert fingerprint(one, KEY) != fingerprint(other, KEY)


def test_it_is_the_start_of_an_hmac():
    """RFC 2104 with SHA-256, so that anybody who has the key can check it."""
    assert folded("AB-1234") == "ab1234"
    assert fingerprint("AB-1234", KEY) == hmac.new(KEY, b"ab1234", hashlib.sha256).hexdigest()[:12]
