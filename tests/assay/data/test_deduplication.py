"""Of records that say the same, the first stays, and each of the others says which that was."""

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.deduplication import fingerprint, screen
from assay.records import Record, Turn


def screened(*shards: list[Record]):
    """Ids that stay, and what leaves, over all shards."""
    parts = list(screen(shards))
    return [r.id for kept, _ in parts for r in kept], [d for _, dropped in parts for d in dropped]


def test_a_repetition_in_a_later_shard_is_dropped_with_the_first_as_reason(record):
    """Case and white space do not make it another record."""
    first, again = record("Where is  my\nparcel?", id="a"), record("where is my PARCEL? ", id="b")

    kept, dropped = screened([first], [again])

    assert kept == ["a"]
    assert [(d.id, d.step, d.reason) for d in dropped] == [("b", "deduplicate", "exact duplicate of a")]


def test_a_third_one_names_the_first_too(record):
    """The one that stayed, so that it can be looked at."""
    _, dropped = screened([record(id="a"), record(id="b")], [record(id="c")])

    assert [d.reason for d in dropped] == ["exact duplicate of a"] * 2


def test_another_answer_to_the_same_words_is_another_record(record):
    """That they disagree is for the data issue, not for this step."""
    kept, _ = screened([record(id="a", completion="{}"), record(id="b", completion="[]")])

    assert kept == ["a", "b"]


def test_words_do_not_move_between_prompt_and_completion(record):
    """A record is two texts and not their sum."""
    one, two = record("a b", "c", id="1"), record("a", "b c", id="2")

    assert fingerprint(one) != fingerprint(two)


def test_a_test_row_is_not_dropped_for_a_training_row_that_repeats_it(record):
    """That is contamination, and it is the training row that must go."""
    kept, dropped = screened([record(id="a"), record(id="b", side="test")])

    assert kept == ["a", "b"]
    assert not dropped


def test_two_equal_records_of_one_id_are_not_both_kept(record):
    """An id is no proof that a record was seen once."""
    kept, dropped = screened([record(id="a"), record(id="a")])

    assert (len(kept), len(dropped)) == (1, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "A ", "b", "c", " c"]), max_size=5), max_size=5))
def test_each_record_comes_out_exactly_once_and_in_order(shards: list[list[str]]):
    """Kept and dropped partition the input, and how it was cut into shards decides nothing."""
    numbers = iter(range(1000))
    rows = [[_record(text, str(next(numbers))) for text in shard] for shard in shards]

    kept, dropped = screened(*rows)

    ids = [r.id for shard in rows for r in shard]
    assert sorted(kept + [d.id for d in dropped], key=int) == ids
    assert kept == sorted(kept, key=int)
    assert (kept, dropped) == screened([r for shard in rows for r in shard])


def _record(text: str, id: str) -> Record:
    return Record(id=id, subject="s", bucket=0, source="t", context=(Turn("user", text),), completion="")
