"""The tagger in whole numbers finds the names that it found in floating point, whatever stands beside a text."""

import pytest

from assay.errors import BaseModelError
from assay.privacy.detection import eight_bits
from assay.privacy.detection.personal_names import FILES, Tagger, _checked

MODEL = "onnx/model_q4.onnx"
TEXTS = [
    "Hi, I'm Anna Kowalska from 12 Baker Street, London.",
    "Please ask Ingeborg Szöllösy, who signed for it, or Johannes Varvio in Dresden.",
    "order 4471 is late and nobody answers the phone",
    "",
    "Padmini Villégnault signed for it. " + "The parcel was wet. " * 150 + "Ask Dmitri Petrov, please.",
]


@pytest.fixture(scope="module")
def published():
    """The model as it was published."""
    return _checked(MODEL, FILES[MODEL])


@pytest.fixture(scope="module")
def whole(published):
    """A tagger that computes in whole numbers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    tagger = Tagger()
    tagger._session = onnxruntime.InferenceSession(
        eight_bits.rewritten(published), options, providers=["CPUExecutionProvider"]
    )
    return tagger


def people(text, tags):
    """Words taken for names."""
    return [text[tag.start : tag.end] for tag in tags if tag.label in {"GIVEN_NAME", "SURNAME"}]


def test_names_are_still_found(whole):
    """Also behind the first window."""
    found = [people(text, tags) for text, tags in zip(TEXTS, whole.tag(TEXTS, 0.3), strict=True)]

    assert [" ".join(names) for names in found] == [
        "Anna Kowalska",
        "Ingeborg Szöllösy Johannes Varvio",
        "",
        "",
        "Padmini Villégnault Dmitri Petrov",
    ]


def test_a_texts_neighbours_move_no_bit(whole):
    """Whole numbers add up the same in any order."""
    together = whole.tag(TEXTS, 0.0)

    assert together == [whole.tag([text], 0.0)[0] for text in TEXTS]
    assert together == whole.tag(TEXTS[::-1], 0.0)[::-1]


def test_no_product_is_left_in_four_bits_and_equal_models_give_equal_bytes(published):
    """Rewriting is a function of the file alone."""
    model = eight_bits.rewritten(published)

    assert b"MatMulNBits" in published
    assert b"MatMulNBits" not in model
    assert model.count(b"MatMulInteger") >= 37
    assert model == eight_bits.rewritten(published)


def test_a_model_of_another_build_is_refused(published):
    """Ranges measured for one say nothing of another."""
    with pytest.raises(BaseModelError, match="other products than the 25"):
        eight_bits.rewritten(eight_bits.rewritten(published))
