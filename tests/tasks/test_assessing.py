"""While a model is trained, it is asked validation records, and nothing else moves for it."""

from pathlib import Path

import pytest

from assay.model import adapter, prompting, session, training, weights
from assay.records import Record, Turn
from assay.tuning import SelectionSpec, TrainingSpec
from tasks import assessing
from tests import tiny_model

SPEC = TrainingSpec(
    method="lora",
    rank=4,
    alpha=8,
    target_modules=("q_proj", "down_proj"),
    learning_rate=0.05,
    epochs=1,
    batch_size=4,
    max_length=128,
    selection=SelectionSpec(every=2, answers=3, max_new_tokens=6),
)
RECORDS = [
    Record(
        id=f"v-{n}",
        source="s",
        subject=f"p-{n}",
        bucket=0,
        context=(Turn("user", f"Where is order {n}?"),),
        completion='{"intent": "delivery"}',
    )
    for n in range(5)
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared base."""
    folder = tmp_path_factory.mktemp("assessing")
    weights.prepare(tiny_model.build(folder / "tiny"), "bfloat16", folder / "base")
    return folder / "base"


def train(base: Path, folder: Path, spec: TrainingSpec) -> dict:
    """As the job does."""
    tokenizer = tiny_model.build_tokenizer()
    rows = [prompting.encode(tokenizer, "s", r.context, r.completion, spec.max_length) for r in RECORDS * 4]
    assess = assessing.assessor(RECORDS, tokenizer, "s", 256, spec)
    job = session.Job(base_digest="0" * 64, assess=assess)
    model = adapter.attach(base, spec)
    return training.train(job, model, rows, held_out=rows[:5], spec=spec, work=folder, report=lambda _: None)


def test_answers_are_generated_by_the_model_as_it_stands_and_move_no_weight(base: Path, tmp_path: Path):
    """Each measurement has the task's metrics, and the losses are those of a run that asked for none."""
    asked = train(base, tmp_path / "asked", SPEC)
    silent = train(base, tmp_path / "silent", SPEC.model_copy(update={"selection": SelectionSpec(every=2)}))

    assert [set(each) for each in asked["measurements"]] == [
        {"step", "train_loss", "held_out_loss", "exact_match", "field_accuracy"}
    ] * 4
    assert all("exact_match" not in each for each in silent["measurements"])
    assert asked["losses"] == silent["losses"]
    assert asked["held_out_losses"] == silent["held_out_losses"]


def test_no_answers_are_asked_unless_the_recipe_says_how_many():
    """Generation costs more than a step."""
    silent = SPEC.model_copy(update={"selection": SelectionSpec()})

    assert assessing.assessor(RECORDS, tiny_model.build_tokenizer(), "s", 256, silent) is None


def test_scores_are_shares_of_answers_and_of_fields():
    """An answer that is no JSON has no field right; a plain text is right or wrong as a whole."""
    wanted = '{"intent": "refund", "order": null}'
    said = ['{"order": null, "intent": "refund"}', '{"intent": "refund", "order": 1}', "refund"]

    assert assessing.scores(said, [wanted] * 3) == {"exact_match": 1 / 3, "field_accuracy": 0.5}
    assert assessing.scores(["yes "], ["yes"]) == {"exact_match": 1.0, "field_accuracy": 1.0}
