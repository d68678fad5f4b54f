"""Versions are found by what they are called, and their answers by what was asked of them."""

from pathlib import Path

import pytest

from assay.artifacts import Evaluated, digest_of
from assay.errors import DataError, IncomparableError, RegistryError
from assay.leakage import LeakAudit
from assay.model import weights
from assay.reporting.content import Content
from assay.trials import GateSpec
from tasks import comparing, contestants, registry, runs, telling
from tasks.inputs import open_recipe
from tasks.places import folder
from tests import tiny_model
from tests.assay.evaluation.memorisation.audits import audit
from tests.assay.reporting.test_report import GATE, content
from tests.flows import small
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


def test_an_answer_that_an_older_release_told_otherwise_is_none(rows, store):
    """It is passed over, and what was asked since is found."""
    shard = store.put("records", b"x")
    old = store.put("evaluation", b'{"question": {}, "latency": {}}')
    for row in rows[:2]:
        registered.answered(store, row, {"items": "a"}, shard)
        registered.remember(row, Evaluated(summary=old, answers=old, choices=old), shard)

    assert contestants.alike(*contestants.both("1", "2")).test.shards == (shard,)


def test_the_recipe_is_that_of_the_run_which_made_the_version(rows):
    """With what was changed in it; a version made elsewhere has none here."""
    runs.file(registered.record("abc", 2, **{"a.b": 1}))

    assert contestants.recipe_of(contestants.find("2")) == ("/somewhere/recipe.yaml", {"a.b": 1})
    with pytest.raises(DataError, match=r"triage 1: found no run on file that made it; .* --recipe"):
        contestants.recipe_of(contestants.find("1"))


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small recipe, whose base is named and not there, since no model is asked anything."""
    monkeypatch.setattr(tiny_model, "build", lambda folder: folder)
    monkeypatch.setattr(weights, "digest", lambda _: "0" * 64)
    return small.recipe(tmp_path)


@pytest.mark.parametrize(
    ("settings", "anew"),
    [({}, False), ({"gate.min_gain": 0.2}, False), ({"evaluation.slices": []}, True), ({"prompt.system": "x"}, True)],
)
def test_both_are_asked_anew_if_more_than_the_gate_is_changed(rows, recipe, settings, anew):
    """What is on file was asked by other settings then."""
    runs.file(registered.record("abc", 2, str(recipe)))
    found = contestants.judge(contestants.find("2"), None, settings)

    assert found.asks_anew is anew
    assert contestants.judge(contestants.find("2"), str(recipe), settings).asks_anew


def test_a_recipe_that_was_changed_since_is_said_to_judge(rows, recipe, store):
    """By the digest that the version was registered with; a changed gate that was asked for is no such change."""
    runs.file(registered.record("abc", 2, str(recipe)))
    rows[1]["recipe"] = digest_of(open_recipe(str(recipe)).card)
    first, second = contestants.both("1", "2")
    pair = contestants.Pair(None, None, None)
    same = contestants.judge(second, None, {"gate.min_gain": 0.2})
    (recipe if recipe.is_file() else recipe / "recipe.yaml").open("a").write("\nrepeat_seeds: [7]\n")
    changed = contestants.judge(contestants.find("2"), None, {})

    assert not same.differs
    assert changed.differs
    assert "differs" not in comparing.named(first, second, pair, same)["asked"]
    assert comparing.named(first, second, pair, changed)["asked"].endswith(
        "Judged by the recipe as it is now, which differs from that of triage 2."
    )


def test_of_several_common_questions_that_of_the_recipe_is_taken(rows, recipe, store):
    """Else the last: another comparison may have asked both something shorter since."""
    given = open_recipe(str(recipe))
    first, second = contestants.both("1", "2")
    own, other = (store.put("records", text) for text in (b"own", b"other"))
    for row in rows[:2]:
        registered.answered(store, row, {"items": "own"}, own, **contestants.asked_by(given))
    for row in rows[:2]:
        registered.answered(store, row, {"items": "other"}, other)

    assert contestants.alike(first, second).test.shards == (other,)
    assert contestants.alike(first, second, given).test.shards == (own,)


def test_the_leak_audit_is_that_of_the_run_which_made_the_version(rows, store):
    """If it is on file, and the gate demands anything of it."""
    told: Content = content("accepted").model_copy(update={"leaks": audit()})
    filed = {"pages": {"content_digest": telling.file(told).digest}}
    runs.file(registered.record("abc", 2) | filed)
    first, second = contestants.both("1", "2")
    gate = GateSpec.model_validate(GATE.model_dump() | {"max_leak_rate": 0.1, "max_exposure": 1.0})

    assert LeakAudit.model_validate_json(store.get(contestants.leaks(second, gate))) == audit()
    assert contestants.leaks(first, gate) is None
    assert contestants.leaks(second, gate.model_copy(update={"max_exposure": None})) is None


def base(store, name: str, template: str) -> str:
    """Digest of a base that holds a tokenizer and nothing else."""
    place = folder("work") / name
    tiny_model.build_tokenizer(template).save_pretrained(place)
    return store.put_tree("base", place).digest


def test_bases_that_read_text_otherwise_are_refused_before_anything_is_asked(rows, store):
    """Hours of asking would end in the same word."""
    rows[0]["base"] = base(store, "first", tiny_model.TEMPLATE)
    rows[1]["base"] = base(store, "second", tiny_model.TEMPLATE + "{# no word #}")
    rows[2]["base"] = base(store, "third", tiny_model.TEMPLATE.replace("im_start", "im_begin"))
    first, second, third = (
        contestants.find(name, model) for name, model in (("1", "triage"), ("2", "triage"), ("3", "other"))
    )

    contestants.refuse_unlike(first, second, "Reply with JSON.")
    with pytest.raises(IncomparableError, match=r"triage 1 and other 3: found bases with different chat templates"):
        contestants.refuse_unlike(first, third, "Reply with JSON.")
