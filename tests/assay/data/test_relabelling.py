"""Another label, and not a byte beside it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.relabelling import relabelled


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"intent": "refund", "order": null}', '{"intent": "billing", "order": null}'),
        ('{"order":null,"intent":"refund"}', '{"order":null,"intent":"billing"}'),
        ('{\n "intent" : "refund"\n}\n', '{\n "intent" : "billing"\n}\n'),
        ('{"intent": null}', '{"intent": "billing"}'),
        ('{"a": {"intent": "refund"}, "intent": "x"}', '{"a": {"intent": "refund"}, "intent": "billing"}'),
        ('{"intent": "a", "intent": "b"}', '{"intent": "a", "intent": "billing"}'),
        ('{"s": "}, \\"intent\\": 1", "intent": "x"}', '{"s": "}, \\"intent\\": 1", "intent": "billing"}'),
    ],
)
def test_only_the_value_of_the_field_changes(before: str, after: str):
    """Order, blanks and nesting stay; of a key that stands twice the one that counts is changed."""
    assert relabelled(before, "intent", "billing") == after


@pytest.mark.parametrize(
    "completion", ["", "hello", "[]", '["intent"]', "{}", '{"other": 1}', '{"intent": ', "[" * 99999]
)
def test_an_answer_without_the_field_is_told(completion: str):
    """Rather than given one."""
    assert relabelled(completion, "intent", "billing") is None


def test_a_number_stays_a_number_and_letters_are_written_as_in_the_rest():
    """A label is text when a person types it."""
    assert relabelled('{"stars": 3}', "stars", "4") == '{"stars": 4}'
    assert relabelled('{"stars": 3}', "stars", "NaN") == '{"stars": "NaN"}'
    assert relabelled('{"a": "ü", "l": "x"}', "l", "Rücksendung") == '{"a": "ü", "l": "Rücksendung"}'
    assert relabelled('{"a": "\\u00fc", "l": "x"}', "l", "ü") == '{"a": "\\u00fc", "l": "\\u00fc"}'


@given(
    st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists)),
    st.text(),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_any_object_differs_in_nothing_but_the_label(answer: dict, label: str, indent: int | None, ascii: bool):  # noqa: A002, FBT001
    """Read back, it is the object with that one field replaced."""
    answer["label"] = "old"
    text = json.dumps(answer, indent=indent, ensure_ascii=ascii)

    assert json.loads(str(relabelled(text, "label", label))) == answer | {"label": label}
