"""A model is asked everything in one job: what makes two evaluations comparable, and what is asked only once."""

import importlib.metadata
import json
from pathlib import Path

import pytest

from assay.artifacts import Dataset, Questions
from assay.evaluation import generation, vllm
from assay.evaluations import Evaluation, from_jsonl
from assay.model import changes, weights
from assay.outcomes import Guess
from assay.records import Record, Turn, to_parquet
from assay.spec import PromptSpec
from assay.trials import BenchmarkSpec, EvaluationSpec
from tasks import answering, evaluating, merging
from tasks.places import checkout, store
from tasks.remembered import way
from tests.tasks.small_training import SYSTEM

SCHEMA = {
    "type": "object",
    "required": ["intent"],
    "properties": {"intent": {"enum": ["delivery", "refund"]}, "note": {"type": "string"}},
}
ITEM = {
    "id": "a",
    "group": "facts",
    "kind": "cloze",
    "context": "Two and two is",
    "choices": [" four", " five"],
    "gold": 0,
}
TEXT = {"id": "t", "group": "prose", "text": "A lighthouse is a tower with a lamp."}


def ticket(number: int, text: str = "where is my parcel", **more: str) -> Record:
    """A request; ``more`` is said in its answer before the label."""
    completion = json.dumps({**more, "intent": "delivery"})
    turns = (Turn("user", f"{text} of order {number}"),)
    return Record(id=f"r{number}", subject=f"s{number}", bucket=0, source="t", context=turns, completion=completion)


LONG = ticket(3, "where is the parcel " * 40, note="left with a neighbour " * 3)


@pytest.fixture(scope="module")
def job(given) -> dict:
    """Four records, one of which fills the model's window, with an answer longer than what the model may say."""
    spec = EvaluationSpec(
        max_new_tokens=4,
        batch_size=2,
        slices=("product", "channel"),
        calibration_records=4,
        general_ability=BenchmarkSpec(name="general", uri="items.jsonl"),
        held_out_text=BenchmarkSpec(name="texts", uri="texts.jsonl"),
    )
    questions = Questions(
        schema_=store().put("schema", json.dumps(SCHEMA).encode()),
        benchmark=store().put("benchmark", json.dumps(ITEM).encode()),
        text=store().put("benchmark", json.dumps(TEXT).encode()),
        releases={"lm-eval": "0.0"},
    )
    asked = Dataset(shards=(store().put("records", to_parquet([*map(ticket, range(3)), LONG])),))
    return {
        "base": given.inputs["base"].model_dump(mode="json"), "adapter": None, "dtype": "float32",
        "test": asked.model_dump(mode="json"), "questions": questions.model_dump(mode="json"),
        "prompt": PromptSpec(system=SYSTEM, output_schema="schema.json", label="intent").model_dump(mode="json"),
        "spec": spec.model_dump(mode="json"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def asked(job, tmp_path_factory) -> Path:
    """What the job left."""
    folder = tmp_path_factory.mktemp("asked")
    evaluating.evaluate(job, folder, lambda _: None)
    return folder


def told(folder: Path) -> Evaluation:
    """What was found in sum."""
    return Evaluation.model_validate_json((folder / "summary.json").read_bytes())


def test_the_question_names_all_that_two_evaluations_must_share(asked):
    """Slices, releases, and the version of all that an answer, its score and its weights went through."""
    question = told(asked).question

    assert question["slices"] == ["channel", "product"]
    assert question["libraries"]["peft"] == importlib.metadata.version("peft")
    assert question["libraries"]["lm-eval"] == "0.0"
    assert {
        "tasks.evaluating", "tasks.merging", weights.__name__, changes.__name__, "assay.evaluation.reading",
        "assay.evaluation.texts", "assay.evaluation.metrics.exact_match", "assay.evaluation.metrics.label_f1",
    } <= question["methods"].keys()  # fmt: skip


def test_the_environment_says_on_which_device(asked):
    """An answer may move with it."""
    import torch

    device = told(asked).environment["device"]

    assert device == (f"cuda: {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "cpu")


def test_a_long_answer_costs_its_prompt_and_not_the_evaluation(asked, job, monkeypatch, tmp_path):
    """To give the label's beginning there must be room for it, or the record is left out."""
    guesses = from_jsonl((asked / "guesses.jsonl").read_bytes(), Guess)
    assert [guess.id for guess in guesses] == ["r0", "r1", "r2", "r3"]

    endless = store().put("records", to_parquet([ticket(0), ticket(1, note="and so on " * 200)]))
    evaluating.evaluate(job | {"test": Dataset(shards=(endless,)).model_dump(mode="json")}, tmp_path, lambda _: None)
    assert [guess.id for guess in from_jsonl((tmp_path / "guesses.jsonl").read_bytes(), Guess)] == ["r0"]


def answers(folder: Path) -> dict[str, bytes]:
    """What is remembered of them, file by file."""
    return {path.name: path.read_bytes() for path in (folder / "remembered" / "answers").iterdir()}


def as_a_way(job: dict) -> dict:
    """The same, as ``assay decide`` asks it of one way."""
    spec = job["spec"]
    how = {"max_new_tokens": spec["max_new_tokens"], "batch_size": spec["batch_size"], "metrics": {}}
    return {
        "base": job["base"], "adapter": None, "dtype": job["dtype"], "asked": job["test"], "examples": None,
        "train": None, "schema": job["questions"]["schema_"], "system": SYSTEM, "label": "intent",
        "how": how | {"constrained": False},
    }  # fmt: skip


def test_what_an_evaluation_asked_is_not_asked_again_to_decide(asked, job, given, tmp_path):
    """The tuned model of a run is one of the ways that are compared."""
    before = answers(given.home)
    answering.answer(as_a_way(job), tmp_path, lambda _: None)

    assert answers(given.home) == before
    assert (tmp_path / "answers.jsonl").read_bytes() == (asked / "answers.jsonl").read_bytes()


@pytest.mark.parametrize("method", [weights, changes, merging], ids=lambda method: method.__name__)
def test_a_mended_merge_is_asked_anew(given, monkeypatch, method):
    """Weights are named by what they are merged of: old answers would be those of other weights."""
    model, _ = generation.load(checkout(given.inputs["base"]), "float32", 1)
    before = way(model, generation)
    monkeypatch.setattr(method, "VERSION", method.VERSION + 70)

    assert before["libraries"]["peft"] == importlib.metadata.version("peft")
    assert way(model, generation) != before


def test_another_engine_is_through_before_these_weights_are_there(job, tmp_path, monkeypatch):
    """It takes the device for itself; what it is asked is what this one would be asked."""
    order: list[str] = []

    def answered(_, dtype, prompts, *how):
        order.append(f"{dtype} {len(prompts)} {how[0]} {how[1]}")
        return ["{}" for _ in prompts]

    load = generation.load
    monkeypatch.setattr(vllm, "check", lambda: None)
    monkeypatch.setattr(vllm, "answer", answered)
    monkeypatch.setattr(generation, "load", lambda *given: order.append("load") or load(*given))
    spec = job["spec"] | {"engine": "vllm", "calibration_records": 0, "held_out_text": None}

    evaluating.evaluate(job | {"spec": spec}, tmp_path, lambda _: None)

    assert order == ["float32 4 4 2", "load"]
    assert told(tmp_path).environment["requests timed with"] == "transformers"
