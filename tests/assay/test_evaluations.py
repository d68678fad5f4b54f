"""Items outlive the process that made them, byte for byte."""

import pytest

from assay import evaluations
from assay.errors import ArtifactCorruptError
from assay.outcomes import Answer, Choice, Guess, TextLoss, Timing
from tests.assay.evaluation.test_comparison import answers, choices


def test_items_survive_their_bytes():
    """Equal items give equal bytes, whatever characters a model writes."""
    kept = answers([1, 0])
    odd = Answer(
        id="é",
        subject="s",
        expected="\u2028",
        answer="\x00\x85 {",
        scores={"exact_match": 0.5},
        label_expected="",
        label_predicted=None,
        attributes={"k": "v"},
    )
    text = TextLoss(id="t", group="g", nats=1.5, tokens=3)
    guess = Guess(id="t", subject="s", expected="a", probabilities={"a": 0.25, "b": 0.75})

    for items, kind in (([*kept, odd], Answer), (choices([1, 0, 1]), Choice), ([text], TextLoss), ([guess], Guess)):
        written = evaluations.to_jsonl(items)
        assert evaluations.from_jsonl(written, kind) == items
        assert evaluations.to_jsonl(evaluations.from_jsonl(written, kind)) == written


@pytest.mark.parametrize("data", [b"{}\n", b"nonsense\n", b'{"id": 1}\n', b"\xff\n", b"\n"])
def test_items_that_cannot_be_read_are_refused(data):
    """They carry a verdict."""
    for kind in (Answer, Choice, TextLoss, Guess, Timing):
        with pytest.raises(ArtifactCorruptError, match="line 1"):
            evaluations.from_jsonl(data, kind)
