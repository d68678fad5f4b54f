"""Of records that say the same, the first stays, and each of the others says which that was."""

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.deduplication import find, fingerprint
from assay.records import Record, Turn


def found(*shards: list[Record]):
    """Ids that stay, and what leaves, over all shards."""
    dropped = find(shards, {r.id: r.side == "test" for shard in shards for r in shard})
    gone = {row.id for row in dropped}
    return [r.id for shard in shards for r in shard if r.id not in gone], dropped


def test_a_repetition_in_a_later_shard_is_dropped_with_the_first_as_reason(record):
    """Case and white space do not make it another record."""
    first, again = record("Where is  my\nparcel?", id="a"), record("where is my PARCEL? ", id="b")

    kept, dropped = found([first], [again])

    assert kept == ["a"]
    assert [(d.id, d.step, d.reason) for d in dropped] == [("b", "deduplicate", "exact duplicate of a")]


def test_a_third_one_names_the_first_too(record):
    """The one that stayed, so that it can be looked at."""
    _, dropped = found([record(id="a"), record(id="b")], [record(id="c")])

    assert [d.reason for d in dropped] == ["exact duplicate of a"] * 2


def test_another_answer_to_the_same_words_is_another_record(record):
    """That they disagree is for a person to see, not for this step."""
    kept, _ = found([record(id="a", completion="{}"), record(id="b", completion="[]")])

    assert kept == ["a", "b"]


def test_words_do_not_move_between_prompt_and_completion(record):
    """A record is two texts and not their sum."""
    one, two = record("a b", "c", id="1"), record("a", "b c", id="2")

    assert fingerprint(one) != fingerprint(two)


def test_a_test_row_is_not_dropped_for_a_training_row_that_repeats_it(record):
    """That is contamination, and it is the training row that must go."""
    kept, dropped = found([record(id="a"), record(id="b", side="test")])

    assert kept == ["a", "b"]
    assert not dropped


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "A ", "b", "c", " c"]), max_size=5), max_size=5))
def test_one_of_each_saying_stays_however_the_shards_are_cut(shards: list[list[str]]):
    """What stays and what leaves say the same things, and each leaves once, in order."""
    numbers = iter(range(1000))
    rows = [[_record(text, str(next(numbers))) for text in shard] for shard in shards]

    kept, dropped = found(*rows)

    said = {r.id: fingerprint(r) for shard in rows for r in shard}
    assert {said[id] for id in kept} == set(said.values())
    assert len(kept) == len(set(said.values()))
    assert [d.id for d in dropped] == sorted({d.id for d in dropped}, key=int)
    assert (kept, dropped) == found([r for shard in rows for r in shard])


def _record(text: str, id: str) -> Record:
    return Record(id=id, subject="s", bucket=0, source="t", context=(Turn("user", text),), completion="")
