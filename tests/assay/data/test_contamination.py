"""Screening drops what quotes an evaluation text, says which, and refuses a leaked source."""

import json

import pytest

from assay.data.contamination import Index, benchmark_texts, runs, screen
from assay.errors import ContaminationError, DataError
from assay.spec import CurationSpec

LENIENT = CurationSpec(contamination_words=3, max_contaminated=1)
ASKED = "tell me where is my card please"


def screened(records, texts=None, asked=(), spec=LENIENT):
    """Kept and dropped over shards of one record each."""
    index = Index({"t1": ASKED} if texts is None else texts, spec.contamination_words)
    parts = list(screen(([r] for r in records), index, {r.id: r.id in asked for r in records}, spec))
    return [r for kept, _ in parts for r in kept], [d for _, dropped in parts for d in dropped]


def test_a_quotation_is_dropped_with_the_text_it_quotes_and_how_much(record):
    """A reviewer can look at both; the words themselves stay out of the reason."""
    kept, dropped = screened([record("Hello! Where is my CARD?")])

    assert kept == []
    assert (dropped[0].id, dropped[0].step) == ("r1", "decontaminate")
    assert dropped[0].reason == "quotes evaluation text t1: 67% of the shorter text's runs"


@pytest.mark.parametrize("text", ["where is the card", "card my is where", "", "?!", "tell me"])
def test_text_sharing_no_run_is_kept(record, text: str):
    """Shared words in another order are not a quotation, and no words are none."""
    kept, dropped = screened([record(text)])

    assert (len(kept), dropped) == (1, [])


def test_a_run_shared_in_passing_is_kept(record):
    """Formulas of a trade recur; a quotation shares most of the shorter text."""
    long = record("where is my card asked the lady in the shop around the corner while it rained")

    assert screened([long])[1] == []
    assert screened([long], spec=LENIENT.model_copy(update={"contamination_overlap": 0.2}))[1] != []


def test_of_two_quoted_texts_the_one_quoted_most_is_named_and_a_tie_has_one_winner(record):
    """Whatever the order in which they were read."""
    texts = {"less": "a b c x y z q", "most": "a b c d", "more": "a b c d"}

    for order in (texts, dict(reversed(texts.items()))):
        assert "text most: 100%" in screened([record("a b c d")], order)[1][0].reason


def test_a_text_shorter_than_a_run_is_compared_whole():
    """One-word utterances can still be copies."""
    assert runs("Refund!", 13) == runs("refund", 13)
    assert len(runs("Refund!", 13)) == 1
    assert len(runs(" ".join("abcdefghijklmno"), 13)) == 3


def test_evaluation_records_are_never_dropped(record):
    """They are what is asked, so they quote themselves."""
    kept, dropped = screened([record(ASKED, id="t1")], asked={"t1"})

    assert ([r.id for r in kept], dropped) == (["t1"], [])


def test_each_record_comes_out_exactly_once_and_in_order(record):
    """Kept and dropped partition the input: nothing vanishes without a reason."""
    records = [record(text, id=text) for text in ("a b c", "x y z", "b c d", "p q r")]

    kept, dropped = screened(records, {"1": "x y z", "2": "a b c"})

    assert [r.id for r in kept] == ["b c d", "p q r"]
    assert [d.id for d in dropped] == ["a b c", "x y z"]


def test_a_leaked_source_is_refused_rather_than_trimmed(record):
    """Above the limit the data is wrong, not dirty; test rows do not thin the share."""
    training = [record(ASKED, id="1"), *(record("another thing entirely", id=str(i)) for i in range(2, 11))]
    test = [record(ASKED, id=f"t{i}") for i in range(90)]
    spec = LENIENT.model_copy(update={"max_contaminated": 0.05})

    with pytest.raises(ContaminationError, match=r"found 1 of 10 training records .* expected at most 5%"):
        screened([*training, *test], asked={r.id for r in test}, spec=spec)
    assert len(screened(training, spec=spec.model_copy(update={"max_contaminated": 0.1}))[1]) == 1


def test_a_benchmark_gives_each_items_text_with_its_right_choice():
    """That is what a training record would have to quote."""
    item = {"id": 7, "context": "The sky is", "choices": [" green.", " blue."], "gold": 1}

    assert benchmark_texts(f"{json.dumps(item)}\n\n".encode()) == {"benchmark:7": "The sky is blue."}


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"id": 1, "context": "", "choices": ["a"], "gold": 1}'])
def test_a_line_that_is_no_item_is_refused_with_its_number(line: str):
    """A benchmark is a file that somebody edits."""
    with pytest.raises(DataError, match="benchmark line 2: found no item; expected"):
        benchmark_texts(f"\n{line}".encode())
