"""An answer is untrusted: it is JSON wholly, or it is not JSON."""

import pytest

from assay.evaluation.metrics import answers


@pytest.mark.parametrize("text", ['{"a": 1}', ' {"a": 1}\n', "null", "[]", '"ä"', "0", '{"a": {"b": [1, null]}}'])
def test_a_text_that_is_wholly_json_is_read(text):
    """White space around it is part of JSON."""
    assert answers.read(text) is not answers.UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        "",
        'Sure! {"a": 1}',
        '{"a": 1} I hope this helps.',
        '```json\n{"a": 1}\n```',
        '{"a": 1}{"b": 2}',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 1}',
        '{"b": {"a": 1, "a": 2}}',
        '"\\ud800"',
        '"\n"',
        "1" * 5_000,
    ],
)
def test_any_other_text_is_unreadable(text):
    """Prose, fences, repeated names, numbers without a value, half a character."""
    assert answers.read(text) is answers.UNREADABLE


@pytest.mark.parametrize(
    "text",
    ["[" * 99_999, '{"a":' * 19_000, "[" * 65 + "]" * 65, "[" * 900 + "]" * 900, '"' + "x" * 100_000 + '"'],
    ids=["open", "objects", "deep", "deeper", "long"],
)
def test_hostile_sizes_neither_crash_nor_count(text):
    """A model can be made to write anything."""
    assert answers.read(text) is answers.UNREADABLE


def test_the_deepest_allowed_answer_is_read():
    """The limit is where the docstring says."""
    assert answers.read("[" * answers.MAX_DEPTH + "]" * answers.MAX_DEPTH) is not answers.UNREADABLE


@pytest.mark.parametrize(("one", "other"), [("1.0", "1"), ("1e2", "100"), ('{"a":1,"b":2}', '{"b":2,"a":1}')])
def test_one_value_has_one_spelling(one, other):
    """Order of names and form of numbers are not content."""
    assert answers.spell(answers.read(one)) == answers.spell(answers.read(other))


@pytest.mark.parametrize(("one", "other"), [("true", "1"), ('"1"', "1"), ("[1,2]", "[2,1]"), ("null", '""')])
def test_different_values_have_different_spellings(one, other):
    """Though Python thinks that True equals 1."""
    assert answers.spell(answers.read(one)) != answers.spell(answers.read(other))


@pytest.mark.parametrize(
    ("text", "label"), [('{"k": "v"}', "v"), ('{"k": 3}', "3"), ("{}", None), ("[1]", None), ("v", None)]
)
def test_a_label_is_a_field_of_an_object(text, label):
    """Anything else has none."""
    assert answers.label(text, "k") == label
