"""Properties of redaction with the real detector: what becomes of a record is that record's own affair.

Batches, shards and the order of rows are how the work is cut, and must not show in a byte of what comes out, nor in
its audit. The tagger computes windows of equal length together, so a recall that fell with the batch would show here.
"""

import re
from collections import defaultdict
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.policy import RedactionSpec
from assay.privacy.detection import detector
from assay.privacy.detection.detector import Detector
from assay.privacy.measurement.seeding import planted
from assay.privacy.replacement.redaction import audit_to_parquet, redact
from assay.records import PLACEHOLDER, Known, Record, Turn, to_parquet

SPEC = RedactionSpec()
KEY = b"k" * 32
ROWS = 16
FEW = settings(max_examples=5, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))

PEOPLE = ("Anna Kowalska", "sipho diomaroma", "WEI ZHANG", "Padmini Villégnault", "Mary-Jane O'Tassle", "Will Xu-Brook")
SAID = (
    "Hi, I'm {name} and order no. {order} never came. Ring me on {phone}, please.",
    "{name} here again; my mail is {mail} and the refund was for 23.99 euros.",
    "the kettle i bought under {order} leaks, thats all",
    "Please send it to 12 Baker Street, London. Regards,\n{name}\n{phone}",
    "Was it you who wrote to {mail}? The card was 5555 5503 9101 3358.",
    "",
    "Thanks, nothing more.",
)
ANSWERS = (
    '{{"intent": "refund", "order_id": "{order}", "note": "{name} wrote", "tries": 2}}',
    "Dear {name}, noted.",
    "ok",
)


def made(number: int) -> Record:
    """A record of this number: other people, words, answers and lengths for other numbers."""
    random = Random(number)
    values = {
        "name": random.choice(PEOPLE),
        "order": f"{random.choice(['AB', 'EK', 'NP'])}-{random.randint(10_000, 999_999)}",
        "phone": f"020 7946 0{random.randint(100, 999)}",
        "mail": f"post{random.randint(100, 999)}@example.org",
    }
    turns = tuple(
        Turn(
            random.choice(["user", "assistant"]), random.choice(SAID).format_map(values) * (9 if number % 8 == 5 else 1)
        )
        for _ in range(random.randint(1, 3))
    )
    known = (Known("PERSON", values["name"]), Known("PHONE", values["phone"])) if number % 3 == 0 else ()
    return Record(
        id=f"r{number:05}", subject="s", bucket=1, source="x", context=turns,
        completion=random.choice(ANSWERS).format_map(values), attributes={"channel": "mail", "by": values["name"]},
        known=known,
    )  # fmt: skip


def written(find, shards):
    """Each record's bytes, and those of its audit or the reason for which it was dropped, by id."""
    found = {}
    for shard in shards:
        kept, dropped, audited = redact(shard, SPEC, find, KEY)
        found |= {r.id: (to_parquet([r]), audit_to_parquet([a])) for r, a in zip(kept, audited, strict=True)}
        found |= {d.id: d for d in dropped}
    return found


@pytest.fixture(scope="module")
def find():
    """The real detector's callable."""
    return Detector(SPEC).find


@pytest.fixture(scope="module")
def alone(find):
    """What becomes of the first records, each redacted by itself."""
    return written(find, [[made(number)] for number in range(ROWS)])


@pytest.fixture(scope="module")
def seeded(find):
    """Records of which every personal value is known, made of redacted ones."""
    kept, _, _ = redact([made(number) for number in range(ROWS)], SPEC, find)
    types = ("PERSON", "EMAIL", "PHONE", "ORDER_ID", "CREDIT_CARD")
    return [each.record for each in planted(kept, 12, 7, dict.fromkeys(types, 6))]


@pytest.fixture(scope="module")
def whole(find, seeded):
    """What becomes of the seeded records as one shard."""
    return written(find, [seeded])


@FEW
@given(
    order=st.permutations(range(ROWS)),
    cuts=st.sets(st.integers(1, ROWS - 1), max_size=4),
    batch=st.sampled_from([1, 2, 7, 256]),
)
def test_batch_shard_and_order_do_not_show(find, alone, order, cuts, batch):
    """Every byte of every record and of its audit is what it is when the record is alone."""
    rows = [made(number) for number in order]
    edges = [0, *sorted(cuts), len(rows)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "BATCH", batch)
        found = written(find, [rows[a:b] for a, b in pairwise(edges)])

    assert found == alone


@FEW
@given(seed=st.randoms(use_true_random=False), size=st.integers(1, 12))
def test_recall_on_seeded_records_does_not_fall_with_the_shard(find, seeded, whole, seed, size):
    """What is measured on seeded records holds for shards of any size and order."""
    rows = list(seeded)
    seed.shuffle(rows)

    assert written(find, [rows[at : at + size] for at in range(0, len(rows), size)]) == whole


def test_more_rows_than_a_batch_are_redacted_like_few(find, alone):
    """Copies of a record on both sides of a batch's edge come out the same."""
    short = sorted(map(made, range(ROWS)), key=lambda row: len(row.text))[:6]
    rows = short * (detector.BATCH // len(short) + 2)
    kept, dropped, _ = redact(rows, SPEC, find)

    assert len(rows) > detector.BATCH
    assert not dropped
    assert {(r.id, to_parquet([r])) for r in kept} == {(r.id, alone[r.id][0]) for r in short}


@FEW
@given(numbers=st.lists(st.integers(0, 9_999), min_size=1, max_size=8, unique=True))
def test_what_is_redacted_stays_as_it_is(find, numbers):
    """A second pass changes nothing, drops nothing and marks nothing."""
    once, _, _ = redact([made(number) for number in numbers], SPEC, find)
    twice, dropped, audited = redact(once, SPEC, find)

    assert (twice, dropped) == (once, [])
    assert not any(audit.marks for audit in audited)


@FEW
@given(numbers=st.lists(st.integers(0, 9_999), min_size=1, max_size=8, unique=True))
def test_a_known_value_never_survives(find, numbers):
    """Neither in turns, answer nor columns, whatever its case and spelling."""
    records = {r.id: r for r in map(made, numbers)}
    kept, _, _ = redact(list(records.values()), SPEC, find)

    for record in kept:
        text = "".join(filter(str.isalnum, "\n".join([record.text, *record.attributes.values()]).casefold()))
        for known in records[record.id].known:
            assert "".join(filter(str.isalnum, known.value.casefold())) not in text


@FEW
@given(
    words=st.lists(
        st.sampled_from(["the", "parcel", "is", "late", "again,", "and", "I", "wait.", "\n", "😀"]), max_size=12
    ),
    value=st.sampled_from(["Zebedee Quuxworth", "QX 77-ZT/5519", "v.q+z@example.net", "+44 20 7946 0018"]),
    place=st.integers(0, 12),
    case=st.sampled_from([str, str.upper, str.lower, str.title]),
)
def test_a_known_value_never_survives_among_any_words(find, words, value, place, case):
    """At any word boundary, in any case."""
    said = " ".join([*words[:place], case(value), *words[place:]])
    kind = "EMAIL" if "@" in value else "PERSON"
    record = Record(
        id="r", subject="s", bucket=0, source="x", context=(Turn("user", said),), completion=f"You wrote: {said}",
        attributes={"note": said}, known=(Known(kind, value),),
    )  # fmt: skip
    kept, _, _ = redact([record], SPEC, find)

    assert all(value.casefold() not in f"{r.text}\n{r.attributes['note']}".casefold() for r in kept)


@FEW
@given(numbers=st.lists(st.integers(0, 9_999), min_size=1, max_size=8, unique=True))
def test_placeholders_are_numbered_from_one_without_gaps(find, numbers):
    """Per type, within a record: a gap would say that something is missing."""
    kept, _, _ = redact([made(number) for number in numbers], SPEC, find)

    for record in kept:
        used = defaultdict(set)
        for match in PLACEHOLDER.finditer("\n".join([record.text, *record.attributes.values()])):
            used[match[1]].add(int(re.findall(r"\d+", match[0])[-1]))
        assert all(numbers == set(range(1, len(numbers) + 1)) for numbers in used.values()), dict(used)
