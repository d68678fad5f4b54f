"""Perplexity is what a model makes of whole passages, and the passages that are filed are fit for it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from assay.data import contamination
from assay.errors import ModelError, SourceError
from assay.evaluation.texts import Text, parse, score
from assay.policy import RedactionSpec
from assay.privacy.detection.detector import Detector
from tests.assay.evaluation import lively

RECIPES = Path(__file__).resolve().parents[3] / "recipes"
FILED = (RECIPES / "benchmarks" / "held_out_text.jsonl").read_bytes()
RUN = 6
"""Words in a row: fewer are shared by sentences that have nothing to do with one another."""

TEXTS = [
    Text(id="t1", group="letters", text="Where is my parcel? I have waited for two weeks."),
    Text(id="t2", group="news", text="The reset mail never comes."),
]
LINE = {"id": "a", "group": "g", "text": "x y"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A model of two layers with lively weights."""
    return lively.load(tmp_path_factory.mktemp("tiny"))


def test_a_text_is_worth_the_sum_of_its_tokens_after_the_first_of_all(loaded):
    """Every token of it is foreseen, from the token with which the vocabulary begins a text."""
    model, tokenizer = loaded

    for text, loss in zip(TEXTS, score(model, tokenizer, TEXTS, 4), strict=True):
        ids = tokenizer.encode(text.text)
        assert (loss.id, loss.group, loss.tokens) == (text.id, text.group, len(ids))
        assert loss.nats == pytest.approx(-lively.naive(model, [tokenizer.bos_token_id], ids), abs=1e-3)


def test_without_such_a_token_the_texts_own_first_one_is_given(loaded):
    """And is not counted, as nothing foresaw it."""
    model, tokenizer = loaded
    bare = type("Bare", (), {"bos_token_id": None, "encode": staticmethod(tokenizer.encode)})()
    ids = tokenizer.encode(TEXTS[1].text)

    (loss,) = score(model, bare, TEXTS[1:], 4)

    assert loss.tokens == len(ids) - 1
    assert loss.nats == pytest.approx(-lively.naive(model, ids[:1], ids[1:]), abs=1e-3)


def test_a_text_is_scored_alone_as_among_others(loaded):
    """To the bit, whatever the size of a batch and the order."""
    together = score(*loaded, TEXTS * 2, 3)

    assert score(*loaded, TEXTS[1:], 3) == together[1:2] == together[3:]


def test_a_text_longer_than_the_window_is_refused(loaded):
    """Its end would go unread."""
    long = Text(id="t9", group="news", text="Where is my parcel? " * 100)

    with pytest.raises(ModelError, match=r"item t9 has \d+ tokens: the model's window is 256"):
        score(*loaded, [long], 4)


def lines(*rows: dict) -> bytes:
    """JSON lines."""
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lines(LINE, {**LINE, "id": "b", "note": 1}), "held-out text line 2: note"),
        (lines(LINE, {**LINE, "id": "b", "text": " \n"}), "line 2: text"),
        (lines(LINE, {"id": "b", "text": "x"}), "line 2: group"),
        (lines(LINE, LINE), "line 2: id 'a' is on line 1 already"),
        (lines(LINE) + b"\n\n", "line 2: the line"),
        (b"", "line 1: the line"),
        (b"\xff\n", "line 1: the line"),
    ],
)
def test_a_line_that_is_no_text_is_named_and_not_quoted(data, message):
    """A file with a hole in it would measure something else."""
    with pytest.raises(SourceError, match=message) as raised:
        parse(data)
    assert "x y" not in str(raised.value)


def test_the_filed_texts_are_of_eight_kinds_and_of_like_length():
    """Any prefix of the file holds the kinds in proportion."""
    found = parse(FILED)
    kinds = Counter(text.group for text in found)

    assert len(found) == 120
    assert set(kinds.values()) == {15}
    assert len({text.group for text in found[:8]}) == 8
    assert all(60 <= len(text.text.split()) <= 120 for text in found)
    assert len({text.text for text in found}) == 120


def test_no_filed_text_quotes_a_benchmark_a_prompt_or_a_ticket():
    """What is learned cannot be examined."""
    items = contamination.benchmark_texts((RECIPES / "benchmarks" / "general_ability.jsonl").read_bytes()).values()
    data = RECIPES / "support_triage" / "data"
    told = [
        json.loads(line)[name]
        for name, file in (
            ("prompt", RECIPES / "benchmarks" / "general_prompts.jsonl"),
            ("message", data / "tickets.jsonl"),
            ("message", data / "heldout.jsonl"),
        )
        for line in file.read_bytes().splitlines()
    ]
    known = {run for text in (*items, *told) for run in contamination.runs(text, RUN)}

    assert [text.id for text in parse(FILED) if contamination.runs(text.text, RUN) & known] == []


def test_no_filed_text_holds_personal_data():
    """None is about anybody."""
    texts = [text.text for text in parse(FILED)]

    assert not any(Detector(RedactionSpec(profile="fast")).find(texts, [()] * len(texts)))
