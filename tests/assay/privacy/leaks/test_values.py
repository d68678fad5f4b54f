"""What was masked is derived from raw records and marks; what would mean nothing is left out and counted."""

import pytest

from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
from assay.privacy.leaks import values as leaks
from assay.privacy.leaks.values import Invented, Ordinary, OwnText, Value, choose, known, masked
from assay.privacy.replacement.drafts import Mark
from assay.privacy.replacement.redaction import redact
from assay.records import Known

KEY = b"0123456789abcdef"
NOTHING = OwnText(["plain text of ours, say 654321 or Grace Hopper"])


def test_what_a_real_redaction_masked_is_derived_again_and_proved_by_its_fingerprint(record):
    """In a message, in the JSON of an answer with escapes, and as a known value."""
    raw = record(
        "I am Żaneta Kwiatkowiak, mail zaneta@example.org about order QX-904417",
        '{"order_id": "QX-904417", "name": "\\u017baneta Kwiatkowiak"}',
        known=(Known("PERSON", "Żaneta Kwiatkowiak"),),
    )
    detector = Detector(RedactionSpec(profile="fast"))
    (_,), _, (audited,) = redact([raw], RedactionSpec(profile="fast"), detector.find, KEY)

    found, unproven = masked(raw, audited.marks, KEY)

    assert unproven == 0
    assert {value.text for value in found} == {"Żaneta Kwiatkowiak", "zaneta@example.org", "QX-904417"}


def test_a_mark_that_does_not_fit_is_counted_and_its_place_looked_for_all_the_same(record):
    """Other raw records, or another key, than at the time: nobody should take silence for proof."""
    raw = record("I am Anna Kowalska")
    mark = Mark("context[0]", 5, 18, "PERSON", "high", "0" * 12)
    beyond = Mark("context[7]", 0, 4, "PERSON", "high", "0" * 12)

    found, unproven = masked(raw, [mark, beyond], KEY)

    assert [value.text for value in found] == ["Anna Kowalska"]
    assert unproven == 2


def test_types_that_the_policy_keeps_are_not_looked_for(record):
    """They stand in the redacted records by decision."""
    raw = record("in Graz", known=(Known("CITY", "Graz"), Known("PERSON", "Anna Kowalska")))

    assert [value.type for value in known(raw, {"CITY"})] == ["PERSON"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Bo", leaks.SHORT),
        ("12-3", leaks.SHORT),
        ("4711", leaks.SHORT_DIGITS),
        ("65 43 21", None),
        ("654321", leaks.OWN_TEXT),
        ("grace hopper", leaks.OWN_TEXT),
        ("Hopper Grace", None),
        ("Rose", leaks.ORDINARY),
        ("李小龙", None),
        ("Quillon", None),
    ],
)
def test_values_that_mean_nothing_are_left_out_with_the_reason(text, reason):
    """Counted by type, never by value."""
    chosen = choose([Value("USERNAME", text)], NOTHING, {"rose"})

    assert chosen.left_out == ({reason: {"USERNAME": 1}} if reason else {})
    assert len(chosen.values) == (reason is None)


def test_the_words_of_a_name_are_looked_for_too_and_each_value_once():
    """First and last names may leak alone; spellings of one value are one value, with the words beside all of them."""
    given = [
        Value("PERSON", "Anna Kowalska", frozenset({"am"})),
        Value("PERSON", "ANNA  KOWALSKA", frozenset({"from"})),
        Value("ADDRESS", "12 Baker Street"),
    ]

    chosen = choose(given, NOTHING, ())

    assert sorted(value.text for value in chosen.values) == ["12 Baker Street", "Anna", "Anna Kowalska", "Kowalska"]
    assert chosen.counts == {"ADDRESS": 1, "PERSON": 3}
    assert {value.near for value in chosen.values if value.type == "PERSON"} == {frozenset({"am", "from"})}


def test_a_word_is_ordinary_if_several_subjects_use_it_in_small_letters_and_unmasked(record):
    """Three customers who write of a bill; one who is called so does not make it a name everywhere."""
    ordinary = Ordinary()
    for number in range(3):
        ordinary.read(
            record("my bill is wrong, says kowalska", subject=f"s{number}"),
            [Mark("context[0]", 23, 31, "PERSON", "high")],
        )
    ordinary.read(record("my rose is dead", subject="s1"), [])

    assert "bill" in ordinary.words
    assert {"rose", "kowalska"} & ordinary.words == set()


def test_a_value_is_certain_if_one_of_its_marks_is_or_somebody_knew_it(record):
    """So are the words of a name that is; what only models said, with a score under 0.85, is not."""
    raw = record("Anna Kowalska and Quillon and Thiis", known=(Known("PERSON", "Quillon"),))
    marks = [
        Mark("context[0]", 0, 13, "PERSON", "high"),
        Mark("context[0]", 18, 25, "PERSON", "low"),
        Mark("context[0]", 30, 35, "PERSON", "medium"),
    ]

    chosen = choose([*masked(raw, marks)[0], *known(raw)], NOTHING, ())

    assert {value.text for value in chosen.values if not value.is_certain} == {"Thiis"}
    assert {"Anna", "Kowalska", "Quillon"} <= {value.text for value in chosen.values if value.is_certain}


def test_what_was_invented_is_known_whatever_its_spelling():
    """Words of a name, and numbers in other groups."""
    invented = Invented(["Anna Kowalska", "+44 (20) 7946-0958", "12 Baker Street"])

    for value in ("anna", "Kowalska", "Baker", "20 79 46 09 58", "44-20-7946-0958"):
        assert invented.holds(value), value
    for value in ("Ann", "Kowalska Anna", "7946 0959", "Annapolis"):
        assert not invented.holds(value), value


def test_values_are_not_shown_by_accident():
    """A traceback or a log that prints one shows its type."""
    value = Value("PERSON", "Anna Kowalska", frozenset({"mrs"}))

    assert "Anna" not in repr(value)
    assert "Anna" not in repr(choose([value], NOTHING, ()))
