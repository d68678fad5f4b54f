"""Choices are scored as a reader would who met them one token at a time."""

import json

import pytest

from assay.errors import ModelError, SourceError
from assay.evaluation import generation, likelihood
from assay.evaluation.likelihood import Item, parse, score
from assay.outcomes import Choice
from tests import tiny_model

ITEMS = [
    Item(
        id="p1",
        group="agreement",
        kind="minimal_pair",
        context="",
        choices=["The parcels have arrived.", "The parcels has arrived."],
        gold=0,
    ),
    Item(id="c1", group="cloze", kind="cloze", context="Where is my", choices=[" parcel", " password", " two"], gold=0),
    Item(
        id="q1",
        group="science",
        kind="choice",
        context="Question: what never comes?\nAnswer:",
        choices=[" The reset mail", " The reset mail of two weeks", " today", " order 77"],
        gold=1,
    ),
    Item(id="b1", group="boundary", kind="cloze", context="I was charg", choices=["ed twice", "es"], gold=1),
]

LINE = {"id": "a", "group": "g", "kind": "cloze", "context": "x", "choices": ["y", "z"], "gold": 0}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A model of two layers with lively weights."""
    import torch

    model, tokenizer = generation.load(tiny_model.build(tmp_path_factory.mktemp("tiny")), "float32", 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model, tokenizer


def naive(model, tokenizer, item: Item) -> list[float]:
    """Each choice alone, each token from everything before it."""
    import torch

    scores = []
    for choice in item.choices:
        ids, begins = likelihood._encoded(tokenizer, item, choice)
        total = 0.0
        for at in range(begins, len(ids)):
            with torch.inference_mode():
                total += float(model(torch.tensor([ids[:at]])).logits[0, -1].log_softmax(dim=-1)[ids[at]])
        scores.append(total / len(choice.strip()) if item.kind == "choice" else total)
    return scores


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_scores_equal_a_computation_token_by_token(loaded, batch_size):
    """Trees, padding and batches are ways to be quick, not to differ."""
    choices = score(*loaded, ITEMS, batch_size)

    for item, choice in zip(ITEMS, choices, strict=True):
        scores = naive(*loaded, item)
        expected = scores.pop(item.gold) - max(scores)
        assert choice.margin == pytest.approx(expected, abs=1e-4)
        assert (choice.id, choice.group, choice.correct) == (item.id, item.group, expected > 0)


def test_an_item_does_not_hang_on_what_else_is_asked(loaded):
    """To the last bit: alone, in another order, among others."""
    more = [
        item.model_copy(update={"id": f"{item.id}-{n}", "context": f"{n}{item.context}"})
        for item in ITEMS
        for n in "xyz"
    ]
    whole = {choice.id: choice for choice in score(*loaded, [*ITEMS, *more], 4)}

    for some in ([*reversed(ITEMS), *more[::2]], ITEMS[:1], [*more[3:7], *ITEMS[1:]]):
        assert [whole[item.id] for item in some] == score(*loaded, some, 4)


def test_what_is_known_is_not_asked_again(loaded):
    """A larger benchmark costs its new items only."""
    known: dict[str, str] = {}
    first = score(*loaded, ITEMS[:3], 4, known)
    assert len(known) == 3

    assert score(*loaded, ITEMS, 4, known)[:3] == first
    assert len(known) == 4
    assert {c.margin for c in score(*loaded, ITEMS, 4, dict.fromkeys(known, "-0.5"))} == {-0.5}


def test_another_right_answer_or_batch_is_another_question(loaded):
    """What a margin depends on names it."""
    known: dict[str, str] = {}
    score(*loaded, ITEMS[:1], 4, known)
    score(*loaded, [ITEMS[0].model_copy(update={"gold": 1})], 4, known)
    score(*loaded, ITEMS[:1], 8, known)

    assert len(known) == 3


def test_an_empty_context_is_stood_for_by_the_first_token(loaded):
    """Otherwise the first word of a sentence would have no probability at all."""
    _, tokenizer = loaded

    ids, begins = likelihood._encoded(tokenizer, ITEMS[0], ITEMS[0].choices[0])

    assert (ids[0], begins) == (tokenizer.bos_token_id, 1)
    assert tokenizer.decode(ids[1:]) == ITEMS[0].choices[0]


def test_a_choice_begins_at_the_first_token_that_differs_from_the_context_alone(loaded):
    """Where context and choice melt into one token, that token is the choice's."""
    _, tokenizer = loaded

    ids, begins = likelihood._encoded(tokenizer, ITEMS[3], "ed twice")

    alone = tokenizer.encode("I was charg")
    assert ids == tokenizer.encode("I was charged twice")
    assert ids[:begins] == alone[:begins]
    assert begins < len(alone)


def test_what_choices_share_is_read_once():
    """Two rows of five tokens that share three make seven."""
    tree = likelihood._tree([([1, 2, 3, 4, 5], 2), ([1, 2, 3, 6, 7], 2)])

    assert tree.ids == [1, 2, 3, 4, 5, 6, 7]
    assert tree.positions == [0, 1, 2, 3, 4, 3, 4]
    assert tree.branch == [0, 0, 0, 1, 1, 2, 2]
    assert tree.scored == [(0, 1, 3), (0, 2, 4), (0, 3, 5), (1, 1, 3), (1, 2, 6), (1, 5, 7)]


def test_a_tie_is_wrong():
    """A model that cannot tell has not chosen."""
    assert not likelihood._margin(ITEMS[0], [-3.0, -3.0]) > 0


def test_kind_choice_is_scored_per_character():
    """A longer answer is not wrong for being longer."""
    item = Item(id="q", group="g", kind="choice", context="c", choices=[" abcd", " ab"], gold=0)

    assert likelihood._margin(item, [-4.0, -3.0]) == pytest.approx(-1.0 + 1.5)


def test_groups_are_counted_by_name():
    """The report shows which ability went."""
    found = likelihood.by_group(
        [
            Choice(id=i, group=g, correct=r, margin=0.0)
            for i, g, r in (("1", "b", True), ("2", "a", False), ("3", "b", False))
        ]
    )

    assert found == {"a": {"n": 1, "accuracy": 0}, "b": {"n": 2, "accuracy": 0.5}}
    assert list(found) == ["a", "b"]


def test_an_item_longer_than_the_window_is_refused(loaded):
    """Truncated, it would be another item."""
    item = ITEMS[1].model_copy(update={"context": "Where is my parcel? " * 100})

    with pytest.raises(ModelError, match=r"item c1 has \d+ tokens: the model's window is 256"):
        score(*loaded, [item], 4)


def lines(*rows: dict) -> bytes:
    """JSON lines."""
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_a_benchmark_is_read_line_by_line():
    """With or without a newline at its end."""
    data = lines(LINE, {**LINE, "id": "b", "kind": "choice", "gold": 1})

    assert [(item.id, item.kind, item.gold) for item in parse(data)] == [("a", "cloze", 0), ("b", "choice", 1)]
    assert parse(data + b"\n") == parse(data)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**LINE, "id": "b", "gold": 2}, "line 2: .*gold is 2, but there are 2 choices"),
        ({**LINE, "id": "b", "gold": True}, "line 2: gold"),
        ({**LINE, "id": "b", "choices": ["y"]}, "line 2: choices"),
        ({**LINE, "id": "b", "choices": ["y", "y"]}, "line 2: .*must differ"),
        ({**LINE, "id": "b", "choices": ["y", " "]}, "line 2: .*none may be blank"),
        ({**LINE, "id": "b", "kind": "essay"}, "line 2: kind"),
        ({**LINE, "id": "b", "note": "x"}, "line 2: note"),
        ({"id": "b"}, "line 2: group"),
        (LINE, "line 2: id 'a' is on line 1 already"),
    ],
)
def test_a_line_that_is_no_item_is_named(row, message):
    """A benchmark with a hole in it would measure something else."""
    with pytest.raises(SourceError, match=message):
        parse(lines(LINE, row))


@pytest.mark.parametrize("data", [b"", b"\n", lines(LINE) + b"\n\n", b"\xff\xfe", b"[1]", b'{"id": '])
def test_bytes_that_are_no_benchmark_are_refused(data):
    """Empty, blank, not UTF-8, not an object, cut off."""
    with pytest.raises(SourceError, match=r"line \d"):
        parse(data)
