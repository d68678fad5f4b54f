"""Versions are found by what they are called, and their answers by what was asked of them."""

import pytest

from assay.errors import DataError, RegistryError
from tasks import contestants, registry, runs
from tasks.places import folder
from tests.tasks import registered


@pytest.fixture
def rows(store, monkeypatch) -> list[dict]:
    """Two versions of one model and one of another."""
    found = registered.versions(store)
    monkeypatch.setattr(registry, "versions", lambda: found)
    return found


@pytest.mark.parametrize(
    ("name", "number"), [("1", 1), ("production", 1), ("candidate", 2), ("staging", 2), ("abc", 2), ("latest", 2)]
)
def test_a_version_is_found_by_number_by_where_it_stands_or_by_its_run(rows, name, number):
    """Whatever a person has at hand."""
    runs.file(registered.record("fed", 1))
    runs.file(registered.record("abc", 2))

    assert contestants.find(name, "triage").number == number


@pytest.mark.parametrize("name", ["9", "nosuch"])
def test_what_is_not_there_is_said_with_what_could_be(rows, name):
    """And where to look."""
    with pytest.raises(RegistryError, match=r"found 0 versions named .* `assay list`"):
        contestants.find(name)


def test_a_version_whose_bytes_are_gone_is_not_compared(rows, store):
    """With what to restore."""
    rows[0]["adapter"] = "f" * 64

    with pytest.raises(DataError, match="triage 1: found no adapter ffffffffffff in the store"):
        contestants.find("1")


def test_a_model_is_not_compared_with_itself(rows):
    """Under two names it is the same weights all the same."""
    with pytest.raises(RegistryError, match="found the same weights"):
        contestants.both("1", "production")


def test_answers_to_one_question_are_taken_from_what_is_on_file(rows, store):
    """By base and adapter, and only if all that was asked is the same."""
    shard = store.put("records", b"x")
    first, second = contestants.both("1", "2")
    registered.answered(store, rows[0], {"items": "a"}, shard)
    registered.answered(store, rows[1], {"items": "b"}, shard)

    assert contestants.alike(first, second) is None
    registered.answered(store, rows[1], {"items": "a"}, shard)
    found = contestants.alike(first, second)
    assert found.test.shards == (shard,)
    assert found.baseline.summary != found.candidate.summary


def test_an_answer_that_is_damaged_is_none(rows, store):
    """A record counts only while what it names is whole."""
    first, second = contestants.both("1", "2")
    for row in rows[:2]:
        registered.answered(store, row, {"items": "a"}, store.put("records", b"x"))
    for path in folder("results").iterdir():
        path.write_text("{}")

    assert contestants.alike(first, second) is None


def test_the_recipe_is_that_of_the_run_which_made_the_version(rows):
    """With what was changed in it; a version made elsewhere has none here."""
    runs.file(registered.record("abc", 2, **{"a.b": 1}))

    assert contestants.recipe(contestants.find("2")) == ("/somewhere/recipe.yaml", {"a.b": 1})
    with pytest.raises(DataError, match=r"triage 1: found no run on file that made it; .* --recipe"):
        contestants.recipe(contestants.find("1"))
