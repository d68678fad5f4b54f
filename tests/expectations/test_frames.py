"""Frames hold what records and answers hold, and only what is asked for."""

import dataclasses

import pytest

from assay.errors import ExpectationError
from assay.model import prompting, rows
from assay.outcomes import Answer
from assay.records import Record, Turn, label_of, to_parquet
from expectations import frames
from tests.expectations.conftest import record

ODD = ["{", "[1]", "7", '"a"', "null", '{"label": null}', '{"label": {"b": 1}}', '{"label": 3}', "", '{"other": "a"}']


def talk(*contents, id="t-1", completion="answer"):
    """A record whose context has these turns."""
    context = tuple(Turn("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(contents))
    return dataclasses.replace(record(1, id=id, completion=completion), context=context)


@pytest.mark.parametrize(
    "talks",
    [[("hello",), ("there",)], [("hello", "yes", "more"), ("there",)], [(), ("there",)], [()], []],
    ids=["one turn", "some", "none", "only none", "no row"],
)
def test_a_prompt_is_what_the_record_says_it_is(talks):
    """However many turns, and whatever Arrow makes of them."""
    records = [talk(*contents, id=f"t-{i}") for i, contents in enumerate(talks)]

    assert frames.of_records(to_parquet(records), "label")["prompt"].tolist() == [r.prompt for r in records]


def test_a_conversation_ends_on_its_answer():
    """As training would see it."""
    made = frames.of_records(to_parquet([talk("a", "b", "c"), talk("d", id="t-2")]), "label")

    assert made["messages"].tolist() == [
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "answer"},
        ],
        [{"role": "user", "content": "d"}, {"role": "assistant", "content": "answer"}],
    ]


def test_a_label_is_what_the_records_room_says_it_is():
    """There is one meaning of a label, however odd the completion; twice the same text is twice the same label."""
    records = [talk("a", id=f"t-{i}", completion=text) for i, text in enumerate([*ODD, '{"label": "x"}', *ODD])]

    made = frames.of_records(to_parquet(records), "label", columns=["label"])

    assert made["label"].tolist() == [label_of(r, "label") for r in records]


def test_attributes_are_columns_and_what_a_record_lacks_is_missing():
    """Of the first and the last record, of one and of all."""
    records = [record(0), record(1, region="north"), record(2)]
    records[2].attributes.clear()

    made = frames.of_records(to_parquet(records), "label")

    assert made["region"].tolist() == [None, "north", None]
    assert made["channel"].tolist() == ["email", "email", None]


def test_the_side_is_given_or_the_records_own():
    """A pinned record says where it belongs until it has been split."""
    data = to_parquet([record(0), dataclasses.replace(record(1), side="test")])

    assert frames.of_records(data, "label")["side"].tolist() == [None, "test"]
    assert frames.of_records(data, "label", side="train")["side"].tolist() == ["train", "train"]


def test_only_what_is_asked_for_is_made():
    """The key is always among it; what nobody has is not."""
    made = frames.of_records(to_parquet([record(0)]), "label", columns=["prompt", "channel", "absent"])

    assert list(made.columns) == ["id", "prompt", "channel"]


def test_tokens_stand_beside_their_records():
    """As training files them; a row's labels are its own, not its neighbour's."""
    encoded = [
        prompting.Encoded((7, 8, 9, 2), 2, truncated=False, fits=True),
        prompting.Encoded((5, 6, 2), 1, truncated=True, fits=True),
    ]
    data = to_parquet([record(0), record(1)])

    made = frames.of_records(data, "label", tokens=rows.to_parquet(encoded, ["t-0000", "t-0001"]))

    assert [cell.tolist() for cell in made["input_ids"]] == [[7, 8, 9, 2], [5, 6, 2]]
    assert [cell.tolist() for cell in made["labels"]] == [[-100, -100, 9, 2], [-100, 6, 2]]
    assert (made["prompt_tokens"].tolist(), made["truncated"].tolist()) == ([2, 1], [False, True])
    with pytest.raises(ExpectationError, match="other rows"):
        frames.of_records(data, "label", tokens=rows.to_parquet(encoded, ["t-0001", "t-0000"]))


def test_what_is_known_goes_by_row():
    """Also where all rows know of equally many values, which an array would take for a table."""
    data = to_parquet([record(0), record(1), record(2)])

    made = frames.of_records(data, "label", raw={"t-0000": ("a", "b"), "t-0001": ("c", "d")})

    assert made["known"].tolist() == [("a", "b"), ("c", "d"), None]


@pytest.mark.parametrize("name", ["prompt", "label", "known", "input_ids"])
def test_an_attribute_named_like_a_column_is_refused(name):
    """It would overwrite what is checked, even where nobody asked for it."""
    data = to_parquet([record(1), dataclasses.replace(record(2), attributes={name: ""})])

    with pytest.raises(ExpectationError, match=name):
        frames.of_records(data, "label", columns=["id"])


ANSWER = Answer(
    id="a",
    subject="s",
    expected="{}",
    answer="x",
    scores={"exact_match": 1.0},
    label_expected="b",
    label_predicted=None,
    attributes={"channel": "web"},
)


def test_an_answer_has_a_column_per_score_and_attribute():
    """What was predicted is missing where the answer did not parse."""
    made = frames.of_answers([ANSWER, dataclasses.replace(ANSWER, id="b", label_predicted="b", attributes={})])

    assert made["predicted"].tolist() == [None, "b"]
    assert made["exact_match"].tolist() == [1.0, 1.0]
    assert made["channel"].tolist() == ["web", None]
    assert made["label"].tolist() == ["b", "b"]
    for clash in ({"scores": {"label": 1.0}}, {"attributes": {"exact_match": "x"}}):
        with pytest.raises(ExpectationError, match="rename"):
            frames.of_answers([dataclasses.replace(ANSWER, **clash)])


def test_every_column_is_of_objects():
    """So that a shard in which a column is empty is like any other."""
    data = to_parquet([Record(id="a", subject="s", bucket=0, source="x", context=(), completion="")])

    for made in (frames.of_records(data, "label"), frames.of_answers([ANSWER])):
        assert {str(dtype) for dtype in made.dtypes} == {"object"}


def test_many_small_shards_make_the_frame_of_one():
    """Where rows were cut into files decides nothing."""
    some = [record(f"r{i}", prompt=f"message {i}", completion='{"intent": "refund"}') for i in range(7)]
    parts = [to_parquet(some[:3]), to_parquet(some[3:4]), to_parquet(some[4:])]

    assert frames.of_records(parts, "intent").equals(frames.of_records(to_parquet(some), "intent"))
