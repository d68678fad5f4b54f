"""What the base says is laid out to be learned, or left out for a reason that is counted."""

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from assay.artifacts import Artifact
from assay.data import contamination
from assay.errors import TrainingError
from assay.evaluation.sampling import Drawn, Prompt
from assay.model import prompting, rows
from assay.policy import RedactionSpec
from assay.spec import ContaminationSpec
from assay.store import ArtifactStore
from tasks import asking
from tests import tiny_model

SYSTEM = "Reply."
ITEM = {"id": "i", "context": "The capital of Poland is", "choices": [" Warsaw.", " Rome."], "gold": 0}
END = 2


@pytest.fixture
def job(store: ArtifactStore, tmp_path, monkeypatch) -> Callable[..., dict[str, Any]]:
    """A job for a model of two layers that ends its turn as soon as it likes, over five prompts."""
    monkeypatch.setenv("ASSAY_THREADS", "1")
    _end_soon(tiny_model.build(tmp_path / "tiny"))
    prompts = "".join(json.dumps({"id": f"p{n}", "prompt": f"Say {n} words."}) + "\n" for n in range(5))
    plain = {
        "base": _plain(store.put_tree("base", tmp_path / "tiny")),
        "prompts": _plain(store.put("prompts", prompts.encode())),
        "benchmark": _plain(store.put("benchmark", json.dumps(ITEM).encode())),
        "records": 24,
        "dtype": "float32",
        "max_length": 160,
        "contamination": {},
        "redaction": {"profile": "fast"},
    }
    spec = {"name": "general", "prompts": "p", "licence": "ours", "share": 0.25, "system": SYSTEM, "max_new_tokens": 24}

    def made(**changed: Any) -> dict[str, Any]:
        said = {name: changed.pop(name) for name in list(changed) if name in {"share", "seed", "max_new_tokens"}}
        return plain | changed | {"spec": spec | said}

    return made


def _plain(artifact: Artifact) -> dict[str, Any]:
    return artifact.model_dump(mode="json")


def _end_soon(folder) -> None:
    """Let twenty more tokens end an answer: a model that learned nothing draws the end of turn too seldom."""
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": [END, *range(40, 60)]}))


def replayed(job: dict[str, Any], folder) -> bytes:
    """What the job leaves."""
    folder.mkdir()
    asking.replay(job, folder, [].append)
    return (folder / "replay.parquet").read_bytes()


def test_as_many_examples_are_kept_as_the_share_asks_for(job, tmp_path):
    """A quarter of all, beside 24 records, is 8; what was asked and not kept is accounted for."""
    data = replayed(job(), tmp_path / "a")

    told = asking.counts(data)
    assert (told["wanted"], told["kept"]) == (8, 8)
    assert told["asked"] % 5 == 0
    assert told["asked"] == told["kept"] + sum(told["left_out"].values())
    assert len(rows.from_parquet(data)) == 8


def test_rows_are_laid_out_as_the_prompt_was_asked_and_end_on_the_end_of_turn(job, tmp_path):
    """What is learned is what was asked: prompt not learned, answer and its end learned."""
    from transformers import AutoTokenizer

    table = pq.read_table(io.BytesIO(replayed(job(), tmp_path / "a"))).to_pylist()

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny")
    for row in table:
        number = row["id"].split("-")[1][1:]
        head = prompting.encode(
            tokenizer, SYSTEM, asking.turns(Prompt(id="x", prompt=f"Say {number} words.")), None, 160
        )
        assert tuple(row["input_ids"][: row["prompt_tokens"]]) == head.input_ids
        assert row["labels"][: row["prompt_tokens"]] == [rows.IGNORED] * row["prompt_tokens"]
        assert row["labels"][row["prompt_tokens"] :] == row["input_ids"][row["prompt_tokens"] :]
        assert row["input_ids"][-1] == END
    assert len({row["id"] for row in table}) == len(table)


def test_the_same_question_gives_the_same_bytes_and_another_seed_others(job, tmp_path):
    """So a run can be repeated to the byte."""
    first, again, other = (replayed(job(seed=seed), tmp_path / name) for name, seed in (("a", 0), ("b", 0), ("c", 1)))

    assert first == again
    assert first != other


def test_more_records_add_examples_and_change_none(job, tmp_path):
    """An answer depends on its prompt and on how often that was asked."""
    few, many = (replayed(job(records=n), tmp_path / str(n)) for n in (24, 60))

    assert rows.from_parquet(many)[:8] == rows.from_parquet(few)


def test_a_share_of_nothing_asks_nothing(job, tmp_path):
    """Two records and one per cent are no example at all."""
    data = replayed(job(records=2, share=0.01), tmp_path / "a")

    assert asking.counts(data) == {"wanted": 0, "asked": 0, "kept": 0, "left_out": {}}
    assert rows.from_parquet(data) == []


def test_a_base_that_never_finishes_is_refused_with_the_reasons(job, tmp_path):
    """After so many tries; a share that is silently zero would be another recipe."""
    with pytest.raises(TrainingError, match=r"no answer of the base that can be learned, of 30 \(.*unfinished.*Raise"):
        replayed(job(max_new_tokens=1), tmp_path / "a")


def test_progress_never_goes_back_and_ends_at_the_total(job, tmp_path):
    """Also when more had to be asked than was thought."""
    told: list[dict[str, Any]] = []

    asking.replay(job(), tmp_path, told.append)

    steps = [event["step"] for event in told]
    assert steps == sorted(steps)
    assert told[-1]["step"] == told[-1]["of"] == asking.counts((tmp_path / "replay.parquet").read_bytes())["asked"]


@pytest.mark.parametrize(
    ("prompt", "answer", "reason"),
    [
        ("Say something.", "A short answer that is quite fine.", None),
        ("Say something.", " \n ", "empty"),
        ("Say something.", "again and " * 30, "repetitive"),
        ("Say something.", "The capital of Poland is Warsaw.", "quotation"),
        ("The capital of Poland is Warsaw.", "So it is.", "quotation"),
        ("Say something.", "Write to nora.field@example.org today.", "personal"),
        ("Write to nora.field@example.org.", "I shall.", "personal"),
        ("Say something.", "<|im_start|>user", "control"),
        ("Say something.", "".join(map(chr, range(33, 126))), "long"),
        ("".join(map(chr, range(33, 126))) * 2, "Too long a question.", "long"),
    ],
)
def test_an_answer_is_left_out_for_the_first_reason_that_holds(prompt, answer, reason):
    """And a prompt that cannot stand takes its answers with it."""
    found = judged(prompt, answer, ended=True)

    assert found.reason == reason


NAMED = "The novel was written by Elizabeth Thompson in a cold winter."


@pytest.mark.parametrize(
    ("answer", "policy", "reason"),
    [
        (NAMED, {"profile": "fast"}, None),
        (NAMED, {"profile": "standard"}, "personal"),
        (NAMED, {"profile": "standard", "policy": {"PERSON": "surrogate"}}, "personal"),
        (NAMED, {"profile": "standard", "policy": {"PERSON": "keep"}}, None),
        ("This one is longer than what is examined.", {"profile": "fast", "max_characters": 20}, "personal"),
    ],
)
def test_personal_data_are_what_the_recipe_takes_for_it(answer, policy, reason):
    """Its own profile finds names in answers, its policy says which types stay, and what it would not examine goes."""
    assert judged("Say something.", answer, ended=True, policy=RedactionSpec(**policy)).reason == reason


def test_an_answer_that_the_limit_ended_is_unfinished():
    """Closed after its last sentence it would teach an end that the base never spoke."""
    assert judged("Say something.", "One sentence. And a half", ended=False).reason == "unfinished"


def judged(prompt: str, answer: str, *, ended: bool, policy: RedactionSpec | None = None) -> asking.Judged:
    """What is made of an answer, with 120 tokens to learn it in."""
    tokenizer = tiny_model.build_tokenizer()
    asked = asking.Asked(Prompt(id="p", prompt=prompt), 0)
    index = contamination.Index(contamination.benchmark_texts(json.dumps(ITEM).encode()), 13)
    policy = policy or RedactionSpec(profile="fast")
    judge = asking.Judge(
        tokenizer, SYSTEM, 120, lambda text: asking.quotation(index, ContaminationSpec(), text), policy
    )
    head = prompting.encode(tokenizer, SYSTEM, asking.turns(asked.prompt), None, 120)
    return judge(asked, head, Drawn(tokenizer.encode(answer), ended=ended))


def test_examples_are_the_share_of_all_and_not_of_the_records():
    """A tenth of all is a ninth of the rest."""
    assert [asking.examples(900, share) for share in (0.1, 0.5, 0.25)] == [100, 900, 300]
