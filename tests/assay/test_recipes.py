"""A recipe is a full specification, or a list of what is wrong and where."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from assay import recipes
from assay.errors import RecipeError
from assay.spec import RunSpec

RECIPE = Path(__file__).parents[2] / "recipes" / "support_triage" / "recipe.yaml"


@pytest.fixture
def tree() -> dict[str, Any]:
    """A recipe that is right, as plain values, for a test to spoil."""
    return yaml.safe_load(RECIPE.read_bytes())


def refusal(data: bytes | dict[str, Any], settings: dict[str, object] | None = None) -> list[str]:
    """The lines in which a recipe is refused."""
    with pytest.raises(RecipeError) as caught:
        recipes.parse(data if isinstance(data, bytes) else yaml.safe_dump(data).encode(), "r.yaml", settings)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("r.yaml") for line in lines)
    return lines


def test_the_recipe_that_comes_with_it_is_right(tree: dict[str, Any]):
    """And says all that a model depends on."""
    spec = recipes.parse(RECIPE.read_bytes(), "recipe.yaml")

    assert spec == RunSpec.model_validate(tree)
    assert spec.sources[1].side == "test"


def test_a_setting_changes_one_value_by_its_path():
    """In a mapping by key, in a list by index; the rest stays."""
    settings: dict[str, object] = {"training.epochs": 7, "sources.0.uri": "other.jsonl", "curation.balance.slices": []}

    spec = recipes.parse(RECIPE.read_bytes(), "recipe.yaml", settings)

    plain = recipes.parse(RECIPE.read_bytes(), "recipe.yaml")
    assert (spec.training.epochs, spec.sources[0].uri, spec.curation.balance.slices) == (7, "other.jsonl", ())
    assert spec.sources[1] == plain.sources[1]
    assert spec.gate == plain.gate


@pytest.mark.parametrize(
    "path", ["trainning.epochs", "sources.9.uri", "sources.first.uri", "name.first", "training.rank.x"]
)
def test_a_setting_for_a_place_that_is_not_there_is_refused(path: str):
    """A typing error must not be an experiment that did not happen."""
    assert refusal(RECIPE.read_bytes(), {path: 1}) == [
        f"r.yaml: cannot set {path}: there is no such place. Give the dotted path of a value in the recipe."
    ]


def test_a_setting_for_a_key_that_is_not_known_is_refused():
    """A recipe is closed, by whichever way a key gets in."""
    assert refusal(RECIPE.read_bytes(), {"training.epoch": 3})[0].startswith("r.yaml: training.epoch: unknown key")


def test_every_mistake_has_its_line_and_its_path(tree: dict[str, Any]):
    """One reading mends them all."""
    del tree["gate"]["min_gain"]
    tree["sources"][1]["colour"] = "red"
    tree["training"]["epochs"] = 0
    tree["split"]["train"] = 0.5

    lines = refusal(tree)

    assert len(lines) == 4
    for start in (
        "r.yaml: gate.min_gain: missing",
        "r.yaml: sources.1.colour: unknown key",
        "r.yaml: training.epochs: input should be greater than or equal to 1",
        "r.yaml: split: value error, split shares must sum to 1, got 0.6",
    ):
        assert any(line.startswith(start) for line in lines), start


@pytest.mark.parametrize(
    "key", ["confidence", "target", "min_gain", "min_format_adherence", "ability_margin", "max_latency_ratio"]
)
def test_no_part_of_a_gate_has_a_default(tree: dict[str, Any], key: str):
    """A gate that opens because nobody said otherwise is no gate."""
    del tree["gate"][key]

    assert refusal(tree) == [f"r.yaml: gate.{key}: missing; expected a value"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.learning_rate", float("inf")),
        ("training.max_grad_norm", float("inf")),
        ("gate.max_latency_ratio", float("inf")),
        ("gate.min_gain", float("nan")),
        ("gate.confidence", 0.5),
        ("base.digest", "abc"),
        ("sources.0.licence", ""),
        ("name", "Has Spaces"),
        ("evaluation.general_ability.digest", "0"),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_path(path: str, value: object):
    """Infinity included: it would have no place in a key, and no gate would close on it."""
    (line,) = refusal(RECIPE.read_bytes(), {path: value})

    assert line.startswith(f"r.yaml: {path}: ")


@pytest.mark.parametrize(
    "columns", [{"subject": "s"}, {"subject": "s", "prompt": "p"}, {"subject": "s", "messages": "m", "prompt": "p"}]
)
def test_a_source_has_one_shape(columns: dict[str, str], tree: dict[str, Any]):
    """Messages, or a prompt and its completion."""
    tree["sources"][0]["columns"] = columns

    (line,) = refusal(tree)

    assert line.startswith("r.yaml: sources.0.columns: value error, name either `messages`")


def test_two_sources_of_one_name_are_refused(tree: dict[str, Any]):
    """A record names its source."""
    tree["sources"][1]["name"] = tree["sources"][0]["name"]

    (line,) = refusal(tree)

    assert "names must differ" in line


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"name: [a\nowner: b", "line 2: found no valid YAML"),
        (b"name: \xff", "found a byte that is not UTF-8 at offset 6"),
        (b"name: a\x00b", "found no valid YAML"),
        (b"base: {revision: 2026-02-30}", "found no valid YAML (a value that cannot be read)"),
        (b"gate:\n  min_gain: 0.1\n  min_gain: 0.0", "line 3: found no valid YAML (key `min_gain` stands twice)"),
        (b"name: !!python/object/apply:os.getcwd []", "line 1: found no valid YAML"),
        (b"- a", "found list; expected a mapping"),
        (b"", "found NoneType; expected a mapping"),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_in_one_line(data: bytes, says: str):
    """With the line if there is one, and nothing in it is run."""
    (line,) = refusal(data)

    assert says in line


def test_a_mapping_may_still_be_used_twice_and_added_to():
    """Anchors and merges are no repetition."""
    text = RECIPE.read_text().replace("    columns: *columns", "    columns: {<<: *columns, attributes: [channel]}")

    spec = recipes.parse(text.encode(), "r.yaml")

    assert spec.sources[1].columns.attributes == ("channel",)
    assert spec.sources[1].columns.prompt == spec.sources[0].columns.prompt


def test_a_recipe_says_what_redaction_must_show(tree: dict[str, Any]):
    """Of types that it replaces."""
    assert refusal({name: value for name, value in tree.items() if name != "measurement"}) == [
        "r.yaml: measurement: missing; expected a value"
    ]
    [line] = refusal(RECIPE.read_bytes(), {"redaction.policy.PHONE": "keep"})
    assert "PHONE" in line
    del tree["sources"][0]["columns"]["known_values"]["PHONE"]
    tree["sources"][1]["columns"] = tree["sources"][0]["columns"]
    [line] = refusal(tree, {"redaction.policy.PHONE": "keep"})
    assert line.startswith("r.yaml: recipe: value error, measurement.floors: ['PHONE'] are kept by redaction.policy")


@pytest.mark.parametrize(
    ("part", "field"),
    [("gate", "max_perplexity_ratio"), ("gate", "safety_margin"), ("gate", "max_leak_rate"), ("gate", "max_exposure")],
)
def test_what_is_measured_is_judged_and_what_is_judged_measured(tree: dict[str, Any], part: str, field: str):
    """A number that nobody judges is no gate, and a demand that nobody measures lets all pass."""
    asked = {"max_perplexity_ratio": 1.5, "safety_margin": 0.05, "max_leak_rate": 0.01, "max_exposure": 2.0}
    benchmark = {"name": "b", "uri": "b.jsonl"}
    tree["gate"] |= asked
    tree["evaluation"] |= {"held_out_text": benchmark, "safety": benchmark}
    tree["leak_audit"] = {}
    RunSpec.model_validate(tree)

    del tree[part][field]

    (line,) = refusal(tree)
    assert field in line
    assert "found one of two, expected both or neither" in line


@pytest.mark.parametrize(
    ("margin", "asked"),
    [
        ("slice_margin", "evaluation.slices"),
        ("over_refusal_margin", "evaluation.safety"),
        ("robustness_margin", "evaluation.robustness"),
    ],
)
def test_a_margin_for_what_nobody_asks_is_refused(tree: dict[str, Any], margin: str, asked: str):
    """It would be found after training otherwise."""
    for field in ("slices", "safety", "robustness"):
        tree["evaluation"].pop(field, None)
    for field in ("slice_margin", "safety_margin", "robustness_margin"):
        tree["gate"].pop(field, None)
    tree["gate"][margin] = 0.1

    (line,) = refusal(tree)
    assert f"gate.{margin}: found no {asked}, expected it; say what to ask" in line


def test_a_target_that_nobody_measures_is_refused(tree: dict[str, Any]):
    """But a metric of the recipe's own is one that is measured."""
    tree["gate"]["further_targets"] = {"token_f1": 0.05}

    (line,) = refusal(tree)
    assert "found the targets ['token_f1'], expected metrics among ['exact_match', 'field_accuracy']" in line

    tree["evaluation"]["metrics"] = {"token_f1": "assay.evaluation.metrics.token_f1:TokenF1"}
    RunSpec.model_validate(tree)
