"""Items outlive the process that made them, byte for byte."""

import pytest

from assay import evaluations
from assay.errors import ArtifactCorruptError
from assay.outcomes import Answer
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

    for items, encode, decode in (
        ([*kept, odd], evaluations.answers_to_jsonl, evaluations.answers_from_jsonl),
        (choices([1, 0, 1]), evaluations.choices_to_jsonl, evaluations.choices_from_jsonl),
    ):
        assert decode(encode(items)) == items
        assert encode(decode(encode(items))) == encode(items)


@pytest.mark.parametrize("data", [b"{}\n", b"nonsense\n", b'{"id": 1}\n', b"\xff\n", b"\n"])
def test_items_that_cannot_be_read_are_refused(data):
    """They carry a verdict."""
    for decode in (evaluations.answers_from_jsonl, evaluations.choices_from_jsonl):
        with pytest.raises(ArtifactCorruptError, match="line 1"):
            decode(data)
