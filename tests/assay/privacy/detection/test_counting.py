"""What two parts of a detector agree on is counted while a run redacts, and changes nothing of it."""

import pytest

from assay.policy import RedactionSpec
from assay.privacy.detection.counting import Captured, Counting, summed
from assay.privacy.measurement.recapture import estimated
from assay.privacy.replacement.redaction import redact
from assay.records import Record, Turn

SPEC = RedactionSpec(profile="strict")
TEXTS = [
    "Hi, my name is Anna Kowalska. Please call me.",
    "We met Giovanni Bianchi in the shop, he signed it.",
    "Nothing personal here, thank you.",
    "mail me at jane@example.org",
]


@pytest.fixture(scope="module")
def detector(detectors):
    """All three: rules, tagger, second tagger."""
    return detectors["strict"]


def counted(counting, *detectors):
    """Counts by type for one pair of detectors."""
    return {c.type: (c.first, c.second, c.both) for c in counting.captured if c.detectors == detectors}


def test_values_are_counted_by_who_found_them(detector):
    """A cue gives Anna away, nothing but a model Giovanni; the taggers agree on both."""
    counting = Counting(detector)
    found = counting.find(TEXTS, [[] for _ in TEXTS])

    assert found == detector.find(TEXTS, [[] for _ in TEXTS])
    assert counted(counting, "rules", "tagger") == {"EMAIL": (1, 1, 1), "PERSON": (1, 2, 1)}
    assert counted(counting, "rules or tagger", "second tagger") == {"PERSON": (2, 2, 2)}


def record(number, text):
    """A record with an attribute, so that redaction also examines fields."""
    return Record(
        id=f"r{number}",
        context=(Turn("user", text),),
        completion="Done.",
        subject="s",
        bucket=0,
        source="here",
        attributes={"plan": "gold plan"},
    )


def test_redaction_with_and_without_counting_is_the_same_and_counts_each_value_once(detector):
    """Later looks at what is masked already would count it again."""
    records = [record(n, text) for n, text in enumerate(TEXTS)]
    counting = Counting(detector)

    assert redact(records, SPEC, counting.find) == redact(records, SPEC, detector.find)
    assert counted(counting, "rules", "tagger")["PERSON"] == (1, 2, 1)


def test_a_text_that_fails_costs_only_its_own_count(detector, monkeypatch):
    """The batch is examined again text by text; what is then found counts, once."""
    examine = detector.examine

    def fails_on_one(texts, known, *, strict=False):
        if any("shop" in text for text in texts):
            raise MemoryError
        return examine(texts, known, strict=strict)

    monkeypatch.setattr(detector, "examine", fails_on_one)
    counting = Counting(detector)
    kept, dropped, _ = redact([record(n, text) for n, text in enumerate(TEXTS)], SPEC, counting.find)

    assert (len(kept), [d.reason for d in dropped]) == (3, ["detection failed with MemoryError"])
    assert counted(counting, "rules", "tagger") == {"EMAIL": (1, 1, 1), "PERSON": (1, 1, 1)}


def test_rules_alone_have_nobody_to_agree_with(detectors):
    """The fast profile counts nothing rather than something else."""
    counting = Counting(detectors["fast"])
    counting.find(TEXTS, [[] for _ in TEXTS])

    assert counting.captured == ()


def test_counts_of_shards_add_up_to_an_estimate():
    """By pair and type."""
    pair = ("rules", "tagger")
    parts = [
        [Captured(detectors=pair, type="PERSON", first=3, second=4, both=2)],
        [Captured(detectors=pair, type="PERSON", first=1, second=2, both=1)],
        [],
    ]

    assert summed(parts) == (Captured(detectors=pair, type="PERSON", first=4, second=6, both=3),)
    assert estimated(4, 6, 3).missed == pytest.approx(1 * 3 / 4)
