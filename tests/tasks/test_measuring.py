"""The measuring steps plant what a recipe's policy replaces, and judge what came of it."""

from assay.artifacts import Dataset
from assay.policy import ENTITY_TYPES, MeasurementSpec, RecogniserSpec, RedactionSpec
from assay.privacy.measurement import seeding
from assay.records import Record, Turn, to_parquet
from tasks import shards
from tasks.measuring import seed
from tasks.places import store

OWN = RecogniserSpec(
    name="staff", kind="presidio", uri="staff.yml", digest="0" * 64, labels={"A": "STAFF_NUMBER", "B": "DESK"},
    licence="ours",
)  # fmt: skip


def redacted(count: int) -> Dataset:
    """So many redacted records."""
    rows = [
        Record(
            id=f"r{n}", subject="s", bucket=0, source="x", context=(Turn("user", f"[PERSON_1] asks for {n}."),),
            completion="ok", attributes={"agent": "[STAFF_NUMBER_1]"},
        )
        for n in range(count)
    ]  # fmt: skip
    return Dataset(shards=(store().put("records", to_parquet(rows)),))


def test_a_type_of_ones_own_is_planted_if_the_recipe_says_what_it_looks_like():
    """In text and in columns; one without a shape is not, and neither is one that stays."""
    policy = RedactionSpec(recognisers=(OWN,), policy={"CITY": "keep"})
    asked = MeasurementSpec(
        seeded=60, least=10, shapes={"STAFF_NUMBER": ("S-####",)}, floors={"STAFF_NUMBER": 0.7}, max_leak=0.1
    )

    made = seed.fn(redacted(40), policy, asked)

    rows = [record for shard in shards.each(made.records) for record in shard]
    documents = seeding.from_json(store().get(made.values), rows)
    found = {value.type for document in documents for value in document.values}
    places = {value.field for document in documents for value in document.values if value.type == "STAFF_NUMBER"}
    assert found == {*ENTITY_TYPES, "STAFF_NUMBER"} - {"CITY"}
    assert {"attributes[agent]", "context[0]"} <= places
    assert len({document.source for document in documents if not document.plain}) == 40
