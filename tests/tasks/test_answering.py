"""What a model is shown beside a request, what finds no room, and how ways are timed in turn."""

import json

import pytest

from assay import evaluations
from assay.artifacts import Dataset
from assay.model import weights
from assay.outcomes import Answer
from assay.records import Record, Turn, to_parquet
from tasks import answering
from tests import tiny_model

SYSTEM = "Reply with JSON."
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["intent"],
    "properties": {"intent": {"enum": ["delivery", "refund"]}},
}


def ticket(number: int, text: str = "where is my parcel", intent: str = "delivery") -> Record:
    """A request or an example."""
    turns = (Turn("system", "ignored"), Turn("user", f"{text} {number}"))
    completion = json.dumps({"intent": intent})
    return Record(id=f"r{number}", subject=f"s{number}", bucket=0, source="t", context=turns, completion=completion)


@pytest.fixture(scope="module")
def tokenizer():
    """Of the tiny model."""
    return tiny_model.build_tokenizer()


def test_examples_are_turns_before_the_request_the_nearest_last(tokenizer):
    """Each with its right answer; their own system turns are left out."""
    made = answering.prompt(tokenizer, SYSTEM, [ticket(1), ticket(2)], ticket(9), 1000)
    text = tokenizer.decode(made.ids)

    assert text.index("parcel 2") < text.index("parcel 1") < text.index("parcel 9")
    assert text.count("assistant\n{") == 2
    assert text.count("ignored") == 1
    assert text.endswith("assistant\n")
    assert (made.examples, made.lost, made.cut) == (2, 0, False)


def test_what_has_no_room_is_left_out_from_the_far_end_and_counted(tokenizer):
    """The nearest stays longest; a request that has none alone loses its beginning."""
    alone = len(answering.prompt(tokenizer, SYSTEM, [], ticket(9), 1000).ids)
    one = len(answering.prompt(tokenizer, SYSTEM, [ticket(1)], ticket(9), 1000).ids)
    made = answering.prompt(tokenizer, SYSTEM, [ticket(1), ticket(2)], ticket(9), one)
    bare = answering.prompt(tokenizer, SYSTEM, [ticket(1), ticket(2)], ticket(9), alone)
    cut = answering.prompt(tokenizer, SYSTEM, [ticket(1)], ticket(9), alone - 4)

    assert (made.examples, made.lost) == (1, 1)
    assert "parcel 1" in tokenizer.decode(made.ids)
    assert (bare.examples, bare.lost, bare.cut) == (0, 2, False)
    assert (cut.examples, cut.lost, cut.cut) == (0, 1, True)
    assert answering.facts_of([made, bare, cut])["lost"] == 4
    assert answering.facts_of([made, bare, cut])["cut"] == 1


@pytest.fixture
def job(store, home, tmp_path):
    """What asks the tiny model three requests, each with one example."""
    base = store.put_tree("base", weights.prepare(tiny_model.build(tmp_path / "tiny"), "float32", tmp_path / "base")
                          or tmp_path / "base")  # fmt: skip
    asked = store.put("records", to_parquet([ticket(number) for number in range(3)]))
    train = store.put("records", to_parquet([ticket(number, "refund me", "refund") for number in range(10, 14)]))
    examples = store.put("examples", json.dumps({f"r{number}": [f"r{number + 10}"] for number in range(3)}).encode())
    how = {"max_new_tokens": 24, "batch_size": 2, "metrics": {}, "constrained": False}
    return {
        "base": base.model_dump(mode="json"), "adapter": None, "system": SYSTEM, "label": "intent", "dtype": "float32",
        "asked": Dataset(shards=(asked,)).model_dump(mode="json"),
        "train": Dataset(shards=(train,)).model_dump(mode="json"),
        "examples": examples.model_dump(mode="json"),
        "schema": store.put("schema", json.dumps(SCHEMA).encode()).model_dump(mode="json"), "how": how,
    }  # fmt: skip


def test_a_way_answers_and_says_what_its_prompts_came_to(job, tmp_path, monkeypatch):
    """Freely, a model that learned nothing keeps no form; under the schema it does."""
    monkeypatch.setenv("ASSAY_THREADS", "1")
    found = {}
    for bound in (False, True):
        folder = tmp_path / str(bound)
        folder.mkdir()
        answering.answer(job | {"how": job["how"] | {"constrained": bound}}, folder, lambda _: None)
        answers = evaluations.from_jsonl((folder / "answers.jsonl").read_bytes(), Answer)
        found[bound] = [answer.scores["format_adherence"] for answer in answers]

    facts = json.loads((folder / "facts.json").read_text())
    assert found == {False: [0.0] * 3, True: [1.0] * 3}
    assert facts["examples"] == 1
    assert facts["lost"] == facts["cut"] == 0
    assert facts["environment"]["device"] == "cpu"


def test_ways_are_timed_in_turn_and_a_model_is_loaded_once(job, tmp_path, monkeypatch):
    """Of each way the same requests; the warm-up is not counted."""
    monkeypatch.setenv("ASSAY_THREADS", "1")
    bound = {"how": job["how"] | {"constrained": True}}
    ways = [{"name": "free", **job}, {"name": "bare", **job, "examples": None}, {"name": "bound", **job, **bound}]
    heard: list[dict] = []

    answering.clock({"ways": ways, "requests": 3}, tmp_path, heard.append)

    timed = json.loads((tmp_path / "timings.json").read_text())
    assert list(timed) == ["bare", "bound", "free"]
    assert [row["id"] for row in timed["free"]] == [row["id"] for row in timed["bound"]] == ["r0", "r1", "r2"]
    assert all(0 < row["first_ms"] <= row["total_ms"] for rows in timed.values() for row in rows)
    assert timed["bare"][0]["prompt_tokens"] < timed["free"][0]["prompt_tokens"]
    assert [event["step"] for event in heard] == [1, 2, 3]
    assert len([path for path in tmp_path.iterdir() if path.is_dir() and len(path.name) == 12]) == 1
