"""Records that quote an evaluation text are found, with which one, and a leaked source is refused."""

import json

import pytest

from assay.data.contamination import SHORTEST, Index, benchmark_texts, find, gathered, runs
from assay.errors import ContaminationError, DataError
from assay.spec import ContaminationSpec

LENIENT = ContaminationSpec(words=3, max_share=1)
ASKED = "tell me where is my card please"


def found(records, texts=None, asked=(), spec=LENIENT):
    """What leaves, over shards of one record each."""
    index = Index({"t1": ASKED} if texts is None else texts, spec.words)
    return find(([r] for r in records), index, {r.id: r.id in asked for r in records}, spec)


def words(first: int, last: int) -> str:
    """Words ``first`` to ``last``, each of them different."""
    return " ".join(f"w{i}" for i in range(first, last + 1))


def test_a_quotation_is_dropped_with_the_text_it_quotes_and_how_much(record):
    """A reviewer can look at both; the words themselves stay out of the reason."""
    dropped = found([record("Hello! Where is my CARD?")])

    assert (dropped[0].id, dropped[0].step) == ("r1", "decontaminate")
    assert dropped[0].reason == "quotes evaluation text t1: 67% of the shorter text's runs"


@pytest.mark.parametrize("text", ["where is the card", "card my is where", "", "?!", "tell me"])
def test_text_sharing_no_run_is_kept(record, text: str):
    """Shared words in another order are not a quotation, and no words are none."""
    assert found([record(text)]) == []


def test_a_run_shared_in_passing_is_kept(record):
    """Formulas of a trade recur; a quotation shares most of the shorter text."""
    long = record("where is my card asked the lady in the shop around the corner while it rained")

    assert found([long]) == []
    assert found([long], spec=LENIENT.model_copy(update={"overlap": 0.2})) != []


def test_of_two_quoted_texts_the_one_quoted_most_is_named_and_a_tie_has_one_winner(record):
    """Whatever the order in which they were read."""
    texts = {"less": "a b c x y z q", "most": "a b c d", "more": "a b c d"}

    for order in (texts, dict(reversed(texts.items()))):
        assert "text most: 100%" in found([record("a b c d")], order)[0].reason


def test_a_text_shorter_than_a_run_is_compared_whole():
    """One-word utterances can still be copies."""
    assert runs("Refund!", 13) == runs("refund", 13)
    assert len(runs("Refund!", 13)) == 1
    assert len(runs(" ".join("abcdefghijklmno"), 13)) == 3


@pytest.mark.parametrize("length", range(SHORTEST, 13))
def test_a_short_evaluation_text_is_found_inside_a_longer_record(record, length: int):
    """It has one run, of its own length; whoever says all of it quotes it."""
    short = {"short": words(1, length), "long": words(100, 150)}
    inside = record(f"By the way: {words(1, length).upper()}! {words(20, 40)}")

    dropped = found([inside], short, spec=ContaminationSpec(words=13, max_share=1))

    assert [d.reason for d in dropped] == ["quotes evaluation text short: 100% of the shorter text's runs"]


def test_most_of_a_short_evaluation_text_is_no_quotation(record):
    """All its words but one, at either end, are another text."""
    for text in (f"{words(1, 9)} x", f"x {words(2, 10)}", words(1, 9)):
        assert found([record(f"{text} {words(20, 40)}")], {"short": words(1, 10)}, spec=ContaminationSpec()) == []


def test_a_text_of_a_few_words_is_a_quotation_only_of_one_that_says_just_that(record):
    """Many say "where is my parcel" and quote nobody."""
    asked = {"short": words(1, SHORTEST - 1)}
    whole, inside = record(words(1, SHORTEST - 1)), record(f"hello {words(1, SHORTEST - 1)}")

    assert len(found([whole], asked, spec=ContaminationSpec(max_share=1))) == 1
    assert found([inside], asked, spec=ContaminationSpec(max_share=1)) == []


def test_of_texts_that_start_alike_each_is_looked_for_at_its_own_length(record):
    """The longest of them may be the only one that is not there."""
    texts = {str(length): words(1, length) for length in (8, 10, 12)}

    dropped = found([record(f"{words(1, 11)} {words(20, 40)}")], texts, spec=ContaminationSpec(max_share=1))

    assert dropped[0].reason.startswith(("quotes evaluation text 8: 100%", "quotes evaluation text 10: 100%"))
    assert found([record(f"{words(1, 7)} {words(20, 40)}")], texts, spec=ContaminationSpec()) == []


def test_evaluation_records_are_never_dropped(record):
    """They are what is asked, so they quote themselves."""
    assert found([record(ASKED, id="t1")], asked={"t1"}) == []


def test_each_quoting_record_is_named_once_and_in_order(record):
    """Whoever is not named stays."""
    records = [record(text, id=text) for text in ("a b c", "x y z", "b c d", "p q r")]

    assert [d.id for d in found(records, {"1": "x y z", "2": "a b c"})] == ["a b c", "x y z"]


def test_a_leaked_source_is_refused_rather_than_trimmed(record):
    """Above the limit the data is wrong, not dirty; test rows do not thin the share."""
    training = [record(ASKED, id="1"), *(record("another thing entirely", id=str(i)) for i in range(2, 11))]
    test = [record(ASKED, id=f"t{i}") for i in range(90)]
    spec = LENIENT.model_copy(update={"max_share": 0.05})

    with pytest.raises(ContaminationError, match=r"found 1 of 10 training records .* expected at most 5%"):
        found([*training, *test], asked={r.id for r in test}, spec=spec)
    assert len(found(training, spec=spec.model_copy(update={"max_share": 0.1}))) == 1


def test_a_benchmark_gives_each_items_text_with_its_right_choice():
    """That is what a training record would have to quote."""
    item = {"id": 7, "context": "The sky is", "choices": [" green.", " blue."], "gold": 1}

    assert benchmark_texts(f"{json.dumps(item)}\n\n".encode()) == {"benchmark:7": "The sky is blue."}


def test_every_file_that_a_model_is_examined_in_counts():
    """A training row may quote a held-out text or a safety probe no more than a benchmark; ids may meet."""
    item = {"id": 1, "context": "The sky is", "choices": [" blue."], "gold": 0}
    files = {
        "general_ability": json.dumps(item).encode(),
        "held_out_text": json.dumps({"id": 1, "group": "letters", "text": "Dear neighbour."}).encode(),
        "safety": json.dumps({"id": 1, "request": "How does a lock work?", "kind": "benign"}).encode(),
    }

    assert benchmark_texts(gathered(files)) == {
        "benchmark:general_ability:1": "The sky is blue.",
        "benchmark:held_out_text:1": "Dear neighbour.",
        "benchmark:safety:1": "How does a lock work?",
    }


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"id": 1, "context": "", "choices": ["a"], "gold": 1}'])
def test_a_line_that_is_no_item_is_refused_with_its_number(line: str):
    """A benchmark is a file that somebody edits."""
    with pytest.raises(DataError, match="benchmark line 2: found no item; expected"):
        benchmark_texts(f"\n{line}".encode())


def test_what_every_evaluation_text_ends_on_quotes_none_of_them():
    """A signature that hundreds of texts share is found in nobody's training row."""
    signature = "kind regards from all of us at the desk that never sleeps nor forgets a parcel"
    texts = {f"t{i}": f"message number {i} {signature}" for i in range(150)}

    index = Index(texts, 5)

    assert index.quoted(f"quite another request. {signature}") is None
    assert index.quoted("message number 7 kind regards") is not None
