"""Which ways a recipe asks for, what each is given, and how a share of the training rows is taken."""

import importlib.metadata
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from assay import recipes
from assay.artifacts import Dataset, Tokenised
from assay.errors import DataError
from assay.evaluation.metrics import further
from assay.model import rows
from assay.records import Record, Turn, to_parquet
from assay.trials import ApproachesSpec
from tasks import approaches, shards

BASE = {"licence": "Apache-2.0", "dtype": "bfloat16"}
LARGER = [
    {"uri": "hub:org/Larger-1B", "digest": "a" * 64, **BASE},
    {"uri": "package:dist/Other.Q4.gguf", "digest": "b" * 64, **BASE},
]


def record(number: int) -> Record:
    """Three of each subject."""
    text = Turn("user", f"hello {number}")
    return Record(id=f"r{number}", subject=f"s{number // 3}", bucket=0, source="t", context=(text,),
                  completion=f'{{"intent": "{"ab"[number % 2]}"}}')  # fmt: skip


def names(**fields: object) -> list[str]:
    """Of the ways that a recipe asks for."""
    return [way.name for way in approaches.ways(ApproachesSpec(**fields), bound=False)]


def test_five_ways_are_compared_by_default():
    """Prompted ones first, the first of them zero-shot, which others are held against."""
    assert names() == ["zero-shot", "few-shot", "retrieval", "fine-tuned", "fine-tuned + retrieval"]


def test_constrained_ways_shares_and_further_bases_come_on_top():
    """Each named by what is different of it."""
    found = names(constrained=True, learning_curve=[0.25, 0.5], bases=LARGER)

    assert found[3:9] == [
        "Larger-1B: zero-shot", "Larger-1B: few-shot", "Larger-1B: retrieval",
        "Other.Q4: zero-shot", "Other.Q4: few-shot", "Other.Q4: retrieval",
    ]  # fmt: skip
    assert found[11:22] == [f"{name}, constrained" for name in found[:11]]
    assert found[22:] == ["fine-tuned on 25 %", "fine-tuned on 50 %"]
    assert len(set(found)) == len(found)


def test_where_the_recipe_binds_answers_every_way_is_bound_and_asked_once():
    """It would be served so; ways that were not bound would be out by their form alone."""
    found = approaches.ways(ApproachesSpec(constrained=True, learning_curve=(0.5,)), bound=True)

    assert [way.name for way in found] == [*names(), "fine-tuned on 50 %"]
    assert all(way.constrained for way in found)


def test_bases_of_one_name_are_numbered_and_one_base_is_not_named_twice():
    """Two versions of a model may be called alike, and are not one."""
    twins = [LARGER[0], LARGER[0] | {"digest": "c" * 64}]

    assert names(bases=twins)[3] == "Larger-1B (1): zero-shot"
    assert names(bases=twins)[6] == "Larger-1B (2): zero-shot"
    with pytest.raises(ValidationError, match="found one digest twice"):
        ApproachesSpec(bases=[LARGER[0], LARGER[0]])


def dataset(store, first: int, last: int) -> Dataset:
    """Records in two shards."""
    middle = (first + last) // 2
    parts = ([record(n) for n in range(first, middle)], [record(n) for n in range(middle, last)])
    return Dataset(shards=tuple(store.put("records", to_parquet(part)) for part in parts))


def test_a_test_side_without_records_is_refused(store):
    """As a run refuses it: nobody can be asked nothing."""
    with pytest.raises(DataError, match="Check the test side"):
        approaches.draw.fn(Dataset(shards=(store.put("records", to_parquet([])),)), 10, 0)


def test_a_sample_is_locked_and_examples_are_filed_by_id(store):
    """The same requests whoever asks; few-shot shows all of them the same, and nobody himself."""
    train, test = dataset(store, 0, 30), dataset(store, 100, 140)
    locked = approaches.draw.fn(test, 10, 0)
    few = approaches.choose.fn(train, locked, "intent", 4, 0)
    nearest = approaches.retrieve.fn(train, locked, 2)

    ids = [each.id for shard in shards.each(locked) for each in shard]
    assert len(ids) == 10
    assert approaches.draw.fn(test, 10, 0) == locked

    shown, near = (json.loads(store.get(each)) for each in (few, nearest))
    assert sorted(shown) == sorted(near) == sorted(ids)
    assert len({tuple(each) for each in shown.values()}) == 1
    assert all(len(each) == 2 and not set(each) & set(ids) for each in near.values())


def test_a_request_that_is_also_an_example_is_refused(store):
    """Somebody split the data wrongly."""
    train = dataset(store, 0, 30)

    with pytest.raises(DataError, match="both among the examples and among the requests"):
        approaches.retrieve.fn(train, approaches.draw.fn(train, 5, 0), 2)


def test_a_share_of_the_rows_keeps_subjects_whole_and_lies_within_a_larger_share(store):
    """Rows stay beside their records, shard by shard; what is held out stays as it is."""
    train = dataset(store, 0, 30)
    laid = [
        store.put("tokens", rows.to_parquet([rows.Row((int(r.id[1:]), 2), 1) for r in found], [r.id for r in found]))
        for found in shards.each(train)
    ]
    held_out = store.put("tokens", b"x")
    tokens = Tokenised(train=Dataset(shards=tuple(laid)), validation=Dataset(shards=(held_out,)), facts=held_out)

    def kept(part: float) -> set[int]:
        found = approaches.subset.fn(tokens, train, part, 0)
        assert found.validation == tokens.validation
        return {row.input_ids[0] for shard in found.train.shards for row in rows.from_parquet(store.get(shard))}

    half = kept(0.5)
    assert len(half) == 15
    assert all({3 * s, 3 * s + 1, 3 * s + 2} <= half for s in {number // 3 for number in half})
    assert kept(0.2) < half < kept(0.9)


def test_what_a_way_is_given_names_the_code_of_metrics_and_what_constrains_it(store):
    """They are in the key: a changed metric measures something else, another release may allow something else."""
    written = Path(__file__).parents[2] / "recipes" / "support_triage" / "recipe.yaml"
    measured = {"f1": "assay.evaluation.metrics.token_f1:TokenF1"}
    spec = recipes.parse(written.read_bytes(), "recipe.yaml", {"evaluation.metrics": measured})
    filed = store.put("x", b"x")
    none = Dataset(shards=())
    material = approaches.Material(bases=(filed,), adapters={}, locked=none, train=none, few=filed, nearest=filed)
    free, bound = (
        approaches.given(approaches.Way(name="w", constrained=each), spec, material, filed)[-1]
        for each in (False, True)
    )

    assert free.code == further.identity(measured)
    assert free.releases == {}
    assert bound.releases == {"llguidance": importlib.metadata.version("llguidance")}
