"""What is unlike the rest in length or language is listed, and measured against training records alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.outliers import deviations, find, words
from assay.records import Found, Record, Turn
from assay.spec import OutliersSpec

SPEC = OutliersSpec()
DROP = OutliersSpec(on_found="drop")
ENGLISH = "I ordered a lamp from you two weeks ago and it still has not arrived, please tell me where my parcel is"
CHINESE = "我两个星期前在你们店里订了一盏灯。到现在还没有收到。请告诉我包裹在哪里。"
GERMAN = "Ich habe vor zwei Wochen eine Lampe bestellt und sie ist noch immer nicht da, wo bleibt mein Paket denn"


def said(id: str, text: str = ENGLISH, answer: str = '{"intent": "delivery"}') -> Record:
    """A record."""
    context = (Turn("system", "word " * 400), Turn("user", text))
    return Record(id=id, subject=id, bucket=0, source="t", context=context, completion=answer)


def usual(count: int = 60) -> list[Record]:
    """Records whose lengths differ a little."""
    return [
        said(f"u{i:02}", f"{ENGLISH}{' please' * (i % 7)}", f'{{"intent": "{"x" * (i % 5)}"}}') for i in range(count)
    ]


def found(rows: list[Record], spec: OutliersSpec = SPEC, asked: tuple[str, ...] = ()) -> Found:
    """In one shard."""
    return find([rows], {row.id: row.id in asked for row in rows}, spec)


@pytest.mark.parametrize(
    ("odd", "unit"),
    [
        (said("odd", f"{ENGLISH} " * 40), "words said"),
        (said("odd", ""), "words said"),
        (said("odd", answer="{}" + " " * 9000), "characters answered"),
    ],
)
def test_a_text_far_longer_or_shorter_than_the_rest_is_listed(odd: Record, unit: str):
    """With counts that a person can judge by, of the side that is odd."""
    (suspect,) = found([*usual(), odd]).suspects

    assert (suspect.id, suspect.kind) == ("odd", "length")
    assert unit in suspect.reason
    assert 0.5 < suspect.doubt < 1


def test_lengths_that_differ_a_little_are_no_outliers():
    """Nor is what the system said, which is the same in all."""
    assert found(usual()) == Found()


def test_one_that_differs_where_all_others_are_equal_is_listed():
    """The median absolute deviation is 0 there, and must not hide it."""
    rows = [*(said(str(i)) for i in range(50)), said("odd", f"{ENGLISH} " * 30)]

    assert [s.id for s in found(rows).suspects] == ["odd"]


def test_a_language_of_few_is_listed_and_one_of_many_is_not():
    """Which languages are usual is for the data to say."""
    few = [*usual(), said("de", GERMAN)]
    many = [*usual(30), *(said(f"de{i}", GERMAN) for i in range(30))]

    (suspect,) = found(few).suspects

    assert (suspect.id, suspect.kind, "(de)" in suspect.reason) == ("de", "language", True)
    assert found(many) == Found()


def test_a_language_that_puts_no_spaces_between_words_is_judged_too():
    """By runs of letters three lines of Chinese are three words, and too short to be told."""
    (suspect,) = [s for s in found([*usual(), said("zh", CHINESE)]).suspects if s.kind == "language"]

    assert (suspect.id, "(zh)" in suspect.reason) == ("zh", True)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("where's my 2nd parcel", 5),
        ("包裹在哪里。谢谢", 7),
        ("荷物はどこですか", 8),
        ("iPhone15を買った", 5),
        ("พัสดุอยู่ไหน", 8),
        ("ພັດສະດຸ", 5),
        ("កញ្ចប់", 4),
        ("ပါဆယ်", 3),
        ("", 0),
    ],
)
def test_a_word_is_a_run_of_letters_or_one_letter_of_a_script_without_spaces(text: str, count: int):
    """Signs that stand above or below a letter are no letters, nor is punctuation."""
    assert words(text) == count


def test_the_language_of_a_short_text_is_not_judged():
    """Nor are placeholders words of any language."""
    short = said("de", "Wo bleibt mein Paket denn " + "[PERSON_1] " * 20)

    assert "language" not in {s.kind for s in found([*usual(), short]).suspects}


def test_training_records_leave_only_by_policy_and_evaluation_records_never():
    """What a model is asked is locked."""
    rows = [*usual(), said("asked", GERMAN), said("learned", "")]

    told = found(rows, DROP, asked=("asked",))

    assert [(d.id, d.step) for d in told.dropped] == [("learned", "trim")]
    assert [s.id for s in told.suspects] == ["asked"]
    assert found(rows).dropped == ()


def test_evaluation_records_do_not_say_what_is_usual():
    """Otherwise they would decide who leaves the training set."""
    asked = [said(f"a{i}", GERMAN * 30) for i in range(100)]

    told = found([*usual(), *asked], DROP, asked=tuple(row.id for row in asked))

    assert told.dropped == ()
    assert {s.id for s in told.suspects} == {row.id for row in asked}


def test_without_training_records_nothing_is_usual():
    """And an empty set is passed."""
    assert found([]) == Found()
    assert found(usual(), asked=tuple(row.id for row in usual())) == Found()


@pytest.mark.parametrize("size", [1, 9])
def test_neither_shards_nor_their_order_change_the_outcome(size: int):
    """Rows that are added elsewhere move the boundaries."""
    rows = [*usual(), said("odd", ""), said("de", GERMAN)]
    shards = [rows[at : at + size] for at in range(0, len(rows), size)]

    assert find(reversed(shards), dict.fromkeys((r.id for r in rows), False), SPEC) == found(rows)


def test_reasons_quote_no_text():
    """They are shown where texts are not."""
    told = found([*usual(), said("odd", "Xylophon " * 900), said("de", GERMAN)])

    assert not any(word in s.reason for s in told.suspects for word in (*GERMAN.split(), "Xylophon") if len(word) > 3)


def test_deviations_are_those_of_iglewicz_and_hoaglin():
    """Median 3 and median absolute deviation 1: 0.6745 (100 - 3)."""
    assert deviations([1, 2, 3, 4, 100], [1, 2, 3, 4, 100]) == pytest.approx([-1.349, -0.6745, 0, 0.6745, 65.4265])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=1), st.floats(0.1, 10))
def test_deviations_do_not_depend_on_the_unit(values: list[float], unit: float):
    """Logarithms to another base say the same."""
    values = [round(value, 3) for value in values]

    assert deviations([v * unit for v in values], [v * unit for v in values]) == pytest.approx(
        deviations(values, values), rel=1e-6, abs=1e-6
    )
