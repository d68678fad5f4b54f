"""A fingerprint is a value's, however it is spelt, and its key's."""

import hashlib
import hmac
import json

import pytest

from assay.errors import RedactionError
from assay.policy import RedactionSpec
from assay.privacy.replacement.drafts import Mark
from assay.privacy.replacement.fingerprints import Match, Matcher, count, fingerprint, folded, of_key, seal, unseal
from assay.privacy.replacement.redaction import Audited

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


POLICY = RedactionSpec(profile="fast")
OTHER = b"fedcba9876543210"


def audited(**values: list[tuple[str, str]]) -> list[Audited]:
    """What was masked: record → types and values."""
    return [
        Audited(id, {}, tuple(Mark("completion", 0, 1, kind, "high", fingerprint(value, KEY)) for kind, value in found))
        for id, found in values.items()
    ]


ROWS = audited(
    a=[("PERSON", "Anna Kowalska"), ("PERSON", "ANNA kowalska"), ("IBAN", "GB82 WEST 1234 5698 7654 32")],
    b=[("PERSON", "Anna Kowalska"), ("EMAIL", "anna.k@example.org"), ("ACCOUNT_ID", "anna.k@example.org")],
    c=[],
)


def test_a_sealed_set_says_types_and_records_and_of_which_key_and_policy():
    """A value that a record holds twice counts once; no id is in it."""
    data = seal(ROWS, POLICY, KEY)
    found = unseal(data, KEY)

    assert found.types["PERSON"] == {fingerprint("Anna Kowalska", KEY): 2}
    assert set(found.types) == {"PERSON", "IBAN", "EMAIL", "ACCOUNT_ID"}
    assert found.key == of_key(KEY)
    assert count(data) == 3
    assert b'"a"' not in data


def test_equal_sets_have_equal_bytes_and_other_policies_others():
    """Order of records says nothing, so a cached result is the same file."""
    assert seal(ROWS[::-1], POLICY, KEY) == seal(ROWS, POLICY, KEY)
    assert seal(ROWS, RedactionSpec(), KEY) != seal(ROWS, POLICY, KEY)


def test_nobody_takes_one_out_unnoticed():
    """Nor adds one, nor changes what it says of the policy, even with the seal made anew under another key."""
    whole = json.loads(seal(ROWS, POLICY, KEY))
    without = {**whole, "types": {k: v for k, v in whole["types"].items() if k != "PERSON"}}
    more = {**whole, "types": {**whole["types"], "PERSON": {**whole["types"]["PERSON"], "0" * 12: 1}}}

    for changed in (without, more, {**whole, "policy": "0" * 64}, {k: v for k, v in whole.items() if k != "seal"}):
        with pytest.raises(RedactionError, match="do not fit their seal"):
            unseal(json.dumps(changed).encode(), KEY)


def test_another_key_and_another_file_are_told_apart_from_changed_bytes():
    """Each has another remedy."""
    with pytest.raises(RedactionError, match=f"under key {of_key(OTHER)}; expected {of_key(KEY)}"):
        unseal(seal(ROWS, POLICY, OTHER), KEY)
    for data in (b"", b"[]", b"\xff", b'{"format": "other"}'):
        with pytest.raises(RedactionError, match="no sealed set"):
            unseal(data, KEY)


def test_the_fingerprint_of_the_key_is_the_one_that_runs_are_keyed_by(monkeypatch):
    """So that who has a run's key question can tell which key opens the set."""
    from tasks import places

    monkeypatch.setenv("ASSAY_VALUE_KEY", KEY.decode())

    assert of_key(KEY) == places.value_key_fingerprint()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear ANNA  kowalska, thank you", ["ANNA  kowalska"]),
        ('{"name":"Anna Kowalska","mail":"anna.k@example.org"}', ["Anna Kowalska", "anna.k@example.org"]),
        ("pay to GB82 WEST 1234 5698 7654 32.", ["GB82 WEST 1234 5698 7654 32"]),
        ("pay to GB82WEST12345698765432!", ["GB82WEST12345698765432"]),
        ("Anna wrote to Kowalska", []),
    ],
)
def test_every_run_of_words_is_compared_so_no_detector_is_needed(text, found):
    """Behind labels, in JSON, in another spelling; not in pieces."""
    matcher = Matcher(unseal(seal(ROWS, POLICY, KEY), KEY), KEY)

    assert {text[m.start : m.end].strip(".,!") for m in matcher.anywhere(text)} == set(found)


def test_spans_of_a_detector_are_compared_as_they_are():
    """With the types under which the value was masked, and in how many records."""
    matcher = Matcher(unseal(seal(ROWS, POLICY, KEY), KEY), KEY)
    text = "mail Anna.K@example.org or bob@example.org"

    assert matcher.spans(text, [(5, 23), (27, 42)]) == [Match(5, 23, ("ACCOUNT_ID", "EMAIL"), 1)]
    with pytest.raises(RedactionError, match="expected"):
        Matcher(unseal(seal(ROWS, POLICY, KEY), KEY), OTHER)
