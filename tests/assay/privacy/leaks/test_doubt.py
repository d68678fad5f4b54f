"""A word is in doubt only if a model alone took it for a name, and another record held it by itself."""

import pytest

from assay.privacy.leaks.doubt import Doubtful, Judged, told, word_of
from assay.privacy.leaks.values import Value
from assay.privacy.replacement.drafts import Mark


@pytest.mark.parametrize(
    ("text", "is_certain", "word"),
    [
        ("Thiis", False, "thiis"),
        ("Thiis.", False, "thiis"),
        ("Thiis", True, None),
        ("Thiis Maail", False, None),
        ("Thiis-Maail", False, None),
        ("yur@example.org", False, None),
        ("yur2000", False, None),
        ("601772931", False, None),
    ],
)
def test_only_single_words_of_letters_that_nobody_is_certain_of_may_be_in_doubt(text, is_certain, word):
    """Two names beside one another, addresses and numbers are no misspellings."""
    assert word_of(Value("PERSON", text, is_certain=is_certain)) == word


@pytest.fixture
def judged(record) -> Judged:
    """A word that was masked in one record, left in another, and both in a third."""
    found = Judged(frozenset({"thiis"}))
    found.read(record("Thiis is late", id="masked"), [Mark("context[0]", 0, 5, "PERSON", "low")])
    found.read(record("i want thiis", id="left"), [])
    found.read(record("Thiis and thiis", id="both"), [Mark("context[0]", 0, 5, "PERSON", "low")])
    return found


def test_a_shard_is_explained_if_the_word_stands_only_where_it_was_left(judged, record):
    """In the record where it was masked, or in one that never held it, it was carried."""
    assert judged.explains("thiis", [record("i want THIIS", id="left"), record("[PERSON_1] is late", id="masked")])
    for id in ("masked", "both", "other"):
        assert not judged.explains("thiis", [record("thiis", id="left"), record("thiis", id=id)])


def test_a_page_is_explained_if_some_record_was_left_with_the_word(judged):
    """It does not say which record it quotes."""
    assert judged.explains("thiis", None)
    assert not judged.explains("another", None)


def test_a_shard_in_which_no_record_holds_the_word_explains_nothing(judged, record):
    """It stands elsewhere in the file, such as in what sources knew."""
    assert not judged.explains("thiis", [record("nothing", id="left")])


def test_words_in_doubt_are_told_by_their_records(judged):
    """Never by themselves."""
    assert told({"thiis": "PERSON"}, judged) == [Doubtful("PERSON", ("both", "masked"), ("left",))]
    assert "thiis" not in repr(judged)
