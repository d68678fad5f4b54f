"""Words shared, counted as SQuAD counts them."""

import pytest

from assay.evaluation.metrics.token_f1 import TokenF1, f1


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("The parcel is late.", "parcel is late", 1.0),
        ("the parcel is late", "a parcel was late", 2 / 3),
        ("late late late", "late", 0.5),
        ("It is late, the parcel", "parcel late", 2 * 2 / (4 + 2)),
        ("no", "yes", 0.0),
        ("", "yes", 0.0),
        ("yes", "The.", 0.0),
        ("", "", 1.0),
        ("The", "a", 1.0),
        ("Café", "café!", 1.0),
    ],
)
def test_a_score_equals_its_value_by_hand(prediction, reference, expected):
    """Case, punctuation and articles do not count; how often a word stands does; order does not."""
    assert f1(prediction, reference) == pytest.approx(expected)
    assert f1(reference, prediction) == pytest.approx(expected)


def test_the_mean_is_that_of_the_items(tmp_path):
    """One definition for a report and for a paired test; keywords meant for other metrics are ignored."""
    metric = TokenF1(keep_in_memory=True, cache_dir=str(tmp_path))
    given = {"predictions": ["late parcel", "no"], "references": ["parcel", "yes"], "names": [], "schema": {}}

    assert metric.compute(**given, per_item=True) == {"items": [2 / 3, 0.0]}
    assert metric.compute(**given) == {"token_f1": pytest.approx(1 / 3)}
