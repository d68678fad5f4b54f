"""Records that say nearly the same are found, all of them and no others, and labels decide what becomes of them."""

import json
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.near_duplicates import CROWD, SURE, Pair, Twins, bands, find, fold
from assay.records import Record, Turn
from assay.spec import NearDuplicatesSpec

SPEC = NearDuplicatesSpec(shingle_words=2, jaccard=0.7, on_found="drop")
REVIEW = SPEC.model_copy(update={"on_found": "review"})
LONG = "one two three four five six seven eight nine ten eleven twelve"
"""Eleven shingles of two words."""


def said(text: str, id: str, label: str = "refund") -> Record:
    """A record of a label."""
    answer = json.dumps({"intent": label})
    return Record(id=id, subject="s", bucket=0, source="t", context=(Turn("user", text),), completion=answer)


def found(*records: Record, spec: NearDuplicatesSpec = SPEC, asked: tuple[str, ...] = ()):
    """Over one shard."""
    return find([list(records)], {r.id: r.id in asked for r in records}, "intent", spec)


def pairs(texts: list[str], spec: NearDuplicatesSpec = SPEC) -> list[Pair]:
    """Of texts, by their number."""
    twins = Twins(spec)
    twins.add(texts, [str(i) for i in range(len(texts))])
    return twins.pairs()


def jaccard(one: str, other: str, n: int) -> float:
    """By the definition, on sets of strings."""
    a, b = ({tuple(w[i : i + n]) for i in range(max(1, len(w) - n + 1))} for w in (fold(one), fold(other)))
    return len(a & b) / len(a | b) if fold(one) and fold(other) else 0.0


def test_a_later_twin_of_the_same_label_is_dropped_with_the_first_and_how_like_it_is():
    """A steward can look at both; no word of either is quoted."""
    result = found(said(LONG, "a"), said("something else altogether", "b"), said(f"{LONG} thanks", "c"))

    assert result.suspects == ()
    assert [(d.id, d.step, d.reason) for d in result.dropped] == [
        ("c", "deduplicate", "near duplicate of a: Jaccard 0.92")
    ]


def test_case_punctuation_and_the_numbers_of_placeholders_make_no_difference():
    """Another record's PERSON_1 is somebody else, so the number says nothing."""
    one, other = "I am [PERSON_1], my card is [CREDIT_CARD_1]!", "i am [PERSON_7] - my CARD is [CREDIT_CARD_2]"

    assert pairs([one, other]) == [Pair("0", "1", 1.0)]
    assert pairs(["[PERSON_1]", "person", "[CITY_1]"]) == []


def test_twins_whose_labels_differ_both_stay_and_are_both_suspects():
    """One of the two is wrong, and only a person can say which."""
    result = found(said(LONG, "a"), said(LONG, "b", "delivery"))

    assert result.dropped == ()
    assert [(s.id, s.kind, s.doubt, s.twin, s.suggestion) for s in result.suspects] == [
        ("a", "disagreement", 1.0, "b", None),
        ("b", "disagreement", 1.0, "a", None),
    ]
    assert result.suspects[0].reason == "says nearly the same as b, which is answered otherwise: Jaccard 1.00"


def test_a_policy_of_review_lists_twins_and_drops_nobody():
    """Disagreements are listed either way."""
    result = found(said(LONG, "a"), said(f"{LONG} ok", "b"), said(LONG, "c", "delivery"), spec=REVIEW)

    assert result.dropped == ()
    assert [(s.id, s.kind, s.twin) for s in result.suspects] == [
        ("b", "near_duplicate", "a"),
        ("a", "disagreement", "c"),
        ("c", "disagreement", "a"),
        ("b", "disagreement", "c"),
    ]


def test_of_a_chain_the_one_unlike_all_that_stay_stays():
    """Nothing leaves unless one like it is kept: b goes for a, so c has nobody to go for."""
    a, b, c = LONG, f"{LONG} p q", f"{LONG[4:]} p q r s"

    assert [(p.first, p.later) for p in pairs([a, b, c])] == [("0", "1"), ("1", "2")]
    assert [d.id for d in found(said(a, "a"), said(b, "b"), said(c, "c")).dropped] == ["b"]


def test_the_most_similar_of_those_that_stay_is_named():
    """Not the first that would do, nor a more similar one that has left."""
    near, nearer = f"{LONG} x y z", f"{LONG} x"
    apart = (said("unlike", "u"), said(near, "a", "delivery"), said(nearer, "b", "delivery"))

    result = found(said(f"{LONG} v w x", "far"), *apart, said(LONG, "d", "delivery"))

    assert {d.id: d.reason for d in result.dropped}["d"].startswith("near duplicate of a")
    assert found(*apart[1:], said(LONG, "d", "delivery"), spec=REVIEW).suspects[-1].twin == "b"


def test_a_suspect_names_a_twin_that_stays_if_there_is_one():
    """A reviewer should not be sent to a record that has left."""
    wrong = said(LONG, "w", "delivery")
    result = found(said(f"{LONG} x y", "a"), said(LONG, "b"), wrong)

    assert [d.id for d in result.dropped] == ["b"]
    assert {s.id: s.twin for s in result.suspects} == {"a": "w", "w": "a"}


def test_evaluation_records_are_listed_and_never_dropped():
    """They are locked; what a training row shares with one is contamination's business."""
    rows = [said(LONG, "t"), said(LONG, "e1"), said(f"{LONG} ok", "e2"), said(LONG, "e3", "delivery")]

    result = found(*rows, asked=("e1", "e2", "e3"))

    assert result.dropped == ()
    assert [(s.id, s.kind, s.twin) for s in result.suspects] == [
        ("e2", "near_duplicate", "e1"),
        ("e1", "disagreement", "e3"),
        ("e3", "disagreement", "e1"),
        ("e2", "disagreement", "e3"),
    ]


def test_only_what_users_say_is_compared():
    """A system turn is the same in every record, and an answer repeats whatever is asked."""

    def talk(id: str, text: str) -> Record:
        turns = (Turn("system", f"{LONG} and so on"), Turn("user", text), Turn("assistant", LONG), Turn("user", "ok"))
        return Record(id=id, subject="s", bucket=0, source="t", context=turns, completion='{"intent": "x"}')

    assert found(talk("a", "where is my parcel now"), talk("b", "I want my money back")).dropped == ()
    assert len(found(talk("a", "where is my parcel now"), talk("b", "Where is my parcel, now?")).dropped) == 1


@pytest.mark.parametrize("texts", [[], [""], ["", "?!", " "], ["one"], ["", LONG]])
def test_texts_without_words_are_like_no_other(texts: list[str]):
    """Not even like one another."""
    assert pairs(texts) == []


def test_a_text_shorter_than_a_shingle_is_one_shingle():
    """One-word messages can be twins, and are not twins of what starts with them."""
    spec = SPEC.model_copy(update={"shingle_words": 3})

    assert pairs(["thanks", "Thanks!", "thanks a", "thanks a lot"], spec) == [Pair("0", "1", 1.0)]


def test_ids_name_each_later_twin_once_in_order():
    """For a suite that counts them."""
    twins = Twins(SPEC)
    twins.add([LONG, "else", LONG], ["c", "b", "a"])
    twins.add([f"{LONG} ok"], ["d"])

    assert twins.ids() == ["a", "d"]
    assert Twins(SPEC).ids() == []


WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=14)
"""Texts with many repetitions."""

EDITED = st.lists(WORDS, min_size=1, max_size=6).flatmap(
    lambda bases: st.lists(
        st.tuples(st.sampled_from(bases), st.integers(0, 14), st.sampled_from(["", "x", "y z"])), max_size=16
    )
)
"""A base with something put in at a place: texts that are often, and never surely, near one another."""


@settings(max_examples=80, deadline=None)
@given(EDITED, st.integers(1, 3), st.sampled_from([0.5, 0.7, 0.9]))
def test_brute_force_finds_the_same_pairs(edits: list, n: int, threshold: float):
    """Every reported pair reaches the threshold, with its true similarity, and none at 0.9 or above is missed."""
    texts = [" ".join([*base[:at], word, *base[at:]]) for base, at, word in edits]
    spec = NearDuplicatesSpec(shingle_words=n, jaccard=threshold)

    reported = {(int(p.first), int(p.later)): p.jaccard for p in pairs(texts, spec)}
    true = {(i, j): jaccard(texts[i], texts[j], n) for i, j in combinations(range(len(texts)), 2)}

    assert all(value == true[pair] >= threshold for pair, value in reported.items())
    # Bands made for 0.9 may miss one in fifty of the pairs just there; those made for less find them all.
    surely = 0.9 if threshold < 0.9 else 1.0
    assert {pair for pair, value in true.items() if value >= surely} <= set(reported)


@settings(max_examples=60, deadline=None)
@given(EDITED, st.randoms(use_true_random=False))
def test_the_order_of_shards_changes_who_is_first_and_nothing_else(edits: list, random):
    """Nor does it matter how they are cut."""
    texts = [" ".join([*base[:at], word, *base[at:]]) for base, at, word in edits]
    ids = [str(i) for i in range(len(texts))]
    order = random.sample(range(len(texts)), len(texts))
    shuffled = Twins(SPEC)
    for at in order:
        shuffled.add([texts[at]], [ids[at]])

    straight = {(frozenset((p.first, p.later)), p.jaccard) for p in pairs(texts)}
    assert {(frozenset((p.first, p.later)), p.jaccard) for p in shuffled.pairs()} == straight
    assert all(order.index(int(p.first)) < order.index(int(p.later)) for p in shuffled.pairs())


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_a_pair_at_the_threshold_is_a_candidate_almost_surely(threshold: float):
    """By the formula, and no band longer by one would do."""
    count, rows = bands(threshold)

    assert count * rows <= 256
    assert 1 - (1 - threshold**rows) ** count >= SURE
    assert rows == 256 or 1 - (1 - threshold ** (rows + 1)) ** (256 // (rows + 1)) < SURE


def test_planted_twins_just_above_the_threshold_are_found():
    """2,000 pairs at 0.72: rensa's minima agree as often as the formula of the bands has it, all but one in 700."""
    texts = []
    for i in range(2_000):
        words = [f"w{i}x{k}" for k in range(26)]
        texts += [" ".join(words), " ".join([*words[:22], "p", "q", "r", "s"])]
    assert round(jaccard(texts[0], texts[1], 2), 2) == 0.72

    reported = {(p.first, p.later) for p in pairs(texts)}

    assert reported <= {(str(i), str(i + 1)) for i in range(0, len(texts), 2)}
    assert len(reported) >= 1_985


def test_a_form_letter_costs_its_number_and_not_the_square_of_it():
    """Of a thousand who send the same text each has a twin, and pairs stay few enough to keep."""
    many = [f"{LONG} reference {i}" for i in range(1_000)]

    linked = pairs(many)

    assert {int(p.later) for p in linked} == set(range(1, 1_000))
    assert len(linked) < 2 * CROWD * 1_000
    assert len(pairs([LONG] * 1_000)) == sum(min(i, CROWD) for i in range(1_000))


def test_texts_are_not_kept_and_what_is_kept_is_small():
    """A million texts of forty words must fit a laptop: at 600 bytes each they take 0.6 GB."""
    twins = Twins(SPEC)
    twins.add([" ".join(f"w{i}x{k}" for k in range(40)) for i in range(2_000)], [str(i) for i in range(2_000)])

    arrays = [*twins._shingles, *twins._counts, *twins._keys]
    kept = [array if array.base is None else array.base for array in arrays]
    assert sum(array.nbytes for array in kept) < 600 * 2_000
    assert not any(array.dtype == object for array in kept)


def test_the_same_words_under_other_instructions_are_another_request():
    """Without a label, and with another system turn or another answer, nothing is dropped."""

    def asked(id: str, system: str, answer: str) -> Record:
        turns = (Turn("system", system), Turn("user", LONG))
        return Record(id=id, subject="s", bucket=0, source="t", context=turns, completion=answer)

    rows = (asked("f", "To French.", "un"), asked("g", "To German.", "eins"), asked("h", "To French.", "une"))

    there = found(*rows)

    assert there.dropped == ()
    assert {(s.id, s.twin, s.kind) for s in there.suspects} == {("f", "h", "disagreement"), ("h", "f", "disagreement")}
    assert found(rows[0], asked("i", "To French.", "Un ")).dropped != ()
