"""The whole path on a model of two layers: real data steps, real training, a real registry."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from prefect import flow, unmapped
from prefect.futures import wait

from assay.artifacts import Artifact, Splits
from assay.data import sources
from assay.errors import RedactionError
from assay.evaluations import Verdict
from assay.privacy.measurement.reviewing import Read
from assay.records import dropped_from_parquet, from_parquet
from assay.spec import DOORWAYS
from tasks import pages, publishing, runs, sampling, steps
from tasks.caching import answer_to
from tasks.data import ingest, redact
from tasks.doorways import validate
from tasks.inputs import open_recipe
from tasks.models import prepare_base, tokenise, train
from tasks.places import folder, store, subject_key_fingerprint, value_key_fingerprint
from tests.flows import small


@pytest.fixture
def watched() -> Iterator[list[steps.StepState]]:
    """Every step that ends while the test runs."""
    states: list[steps.StepState] = []
    steps.observers.append(states.append)
    yield states
    steps.observers.remove(states.append)


def computed(states: list[steps.StepState]) -> list[str]:
    """Names of the steps that were not taken from the cache, one for each shard."""
    return sorted(state.task for state in states if state.state == "computed")


def copied(recipe: Path, to: Path) -> Path:
    """The recipe's folder somewhere else."""
    shutil.copytree(recipe.parent, to)
    return to / recipe.name


def stored(kind: str) -> set[str]:
    """Digests of the store's Parquet files that hold records, or what was dropped."""
    column = {"records": "completion", "dropped": "step"}[kind]
    files = [path for path in Path(store().root).glob("*/*") if path.read_bytes()[:4] == b"PAR1"]
    return {path.name for path in files if column in pq.read_schema(path).names}


def test_a_recipe_becomes_a_registered_version_with_a_verdict(ran):
    """Two epochs teach a random model next to nothing: the gate says so, and the version is filed all the same."""
    verdict = Verdict.model_validate_json(store().get(ran.outcome.verdict))

    assert ran.outcome.registered.version == 1
    assert verdict.decision in {"refused", "inconclusive"}
    assert {criterion.name for criterion in verdict.criteria} >= {"general_ability", "latency"}


def test_the_same_recipe_asks_no_question_twice(ran):
    """Every step answers from its record, and registration from the registry."""
    outcome, states = small.run(ran.recipe)

    assert outcome == ran.outcome
    assert {state.state for state in states} == {"cached"}


def test_the_report_asks_nothing_of_a_network(ran):
    """One page that opens from disk: no script, no address."""
    page = store().get(ran.outcome.page).decode()

    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_a_run_ends_before_anything_is_learned_if_redaction_is_not_shown_to_be_good_enough(ran):
    """With a page and in the record; nothing that would learn has been asked."""
    asked = {"measurement.least": 59, "measurement.seeded": 120, "measurement.floors.PERSON": 0.95}
    with pytest.raises(RedactionError, match="redaction is not shown to be good enough: PERSON"):
        small.run(ran.recipe, **{"redaction.profile": "fast", **asked})

    record = runs.find("latest")
    assert record["verdict"] is None
    assert record["redaction"]["reasons"]
    assert not {step["task"] for step in record["steps"]} & {"train", "split", "validate-redacted"}
    page = (folder("reports") / record["redaction"]["page"]).read_text()
    assert "Not shown to be good enough" in page


def test_what_a_person_found_in_a_sample_is_on_the_runs_page(ran):
    """It comes after the run, so the page is laid out anew."""
    run = next(record["run"] for record in runs.every() if record["verdict"] is not None)
    drawn = sampling.draw(run, 5, 0)
    back = [Read(number, row, "no") for number, row in enumerate(drawn.rows, start=2)]
    page = folder("reports") / runs.find(run)["redaction"]["page"]
    before = page.read_text()

    sampling.file(run, sampling.judge(run, back, 0)[1], "A. Steward")

    assert "Nobody has read a sample" in before
    assert "A. Steward read 5 redacted rows" in page.read_text()


def laid_out() -> dict[str, bytes]:
    """Every page of the deployment, by its path below the reports."""
    root = folder("reports")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_link_of_every_page_leads_to_a_page(ran):
    """What a steward clicks on is there: doorways, data card, Croissant, report, and back to the index."""
    found = laid_out()
    names = {name.rpartition("/")[2] for name in found}

    broken = [
        (name, link)
        for name, page in found.items()
        if name.endswith(".html")
        for link in re.findall(r'href="([^"#]+)', page.decode())
        if not (folder("reports") / name).parent.joinpath(link).is_file()
    ]

    assert {"index.html", "card.html", "croissant.json", *(f"{door}.html" for door in DOORWAYS)} <= names
    assert broken == []


def test_pages_can_be_made_anew_from_the_records_and_the_store(ran):
    """Nothing is on a page alone."""
    before = laid_out()
    shutil.rmtree(folder("reports"))

    pages.build()

    assert laid_out().keys() == before.keys()
    assert {name: page for name, page in laid_out().items() if not name.startswith(("runs/", "index"))} == {
        name: page for name, page in before.items() if not name.startswith(("runs/", "index"))
    }


def test_prefect_links_every_page_of_a_run(ran):
    """Who looks at a run on the server finds what a steward reads."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        keys = {found.key for found in client.read_artifacts()}

    assert {"report", "data-card", "verdict", *(f"expectations-{door}" for door in DOORWAYS)} <= keys


def test_moving_the_data_recomputes_nothing(ran, tmp_path):
    """Bytes bear identity, paths do not."""
    outcome, states = small.run(copied(ran.recipe, tmp_path / "elsewhere"))

    assert outcome.registered == ran.outcome.registered
    assert computed(states) == []


def test_another_gate_judges_again_and_computes_nothing_before(ran):
    """A task sees only its slice of the recipe."""
    outcome, states = small.run(ran.recipe, **{"gate.min_gain": 0.2})

    assert computed(states) == ["compare", "register", "report", "tell"]
    assert outcome.adapter == ran.outcome.adapter
    assert next(s.reason for s in states if s.task == "compare") == "gate.min_gain: 0.1 → 0.2"


@flow(persist_result=False)
def redact_only(recipe: str) -> None:
    """The path as far as redaction."""
    given = open_recipe(recipe)
    spec = given.spec
    form, twins = given.questions.schema_, spec.curation.near_duplicates
    asked = (given.suites["raw"], given.waived["raw"], form, spec.prompt.label, twins)
    raw = validate(ingest(spec.sources, subject_key_fingerprint()), "raw", *asked)
    wait(redact.map(raw.records.shards, unmapped(spec.redaction), unmapped(value_key_fingerprint()), unmapped({})))


@flow(persist_result=False)
def train_only(recipe: str, sides: Splits, seed: int) -> Artifact:
    """The base and the adapter, on sides that are there already."""
    spec = open_recipe(recipe, {"training.seed": seed}).spec
    base, system = prepare_base(spec.base), spec.prompt.system
    tokens = tokenise(base, sides.train, sides.validation, system, spec.training.max_length)
    return train(base, tokens, None, sides.validation, spec.base.digest, system, spec.training).adapter


def test_new_rows_are_redacted_in_their_own_shards_only(ran, tmp_path, monkeypatch, watched):
    """What was redacted before is not redacted again, wherever the rows were put."""
    monkeypatch.setattr(sources, "SHARD_ROWS", 20)
    recipe = copied(ran.recipe, tmp_path / "sharded")
    rows = small.rows(121)
    small.write_jsonl(recipe.parent / "tickets.jsonl", rows)
    redact_only(str(recipe))
    first = computed(watched).count("redact")
    small.write_jsonl(recipe.parent / "tickets.jsonl", [*rows[:60], *small.rows(3, first=900), *rows[60:]])

    redact_only(str(recipe))

    assert first > 4
    assert 1 <= computed(watched).count("redact") - first <= 2


def test_a_plan_says_which_component_changed_and_runs_nothing(ran):
    """The plan walks the flow that would run, and stops where an answer is missing."""
    from flows.train_candidate import train_candidate

    with steps.planning() as states:
        train_candidate.fn(str(ran.recipe), {"training.learning_rate": 0.02})

    found = {state.task: (state.state, state.reason) for state in states}
    assert found["train"] == ("would run", "spec.learning_rate: 0.01 → 0.02")
    assert found["evaluate-baseline"][0] == "cached"
    assert found["evaluate-candidate"][0] == "waits"


def test_every_record_is_kept_or_filed_with_a_reason(ran):
    """Nothing vanishes between the source and the sides."""
    given = {row["ticket"] for row in small.rows(120) + small.rows(30, side="h")}
    kept = {r.id for d in stored("records") for r in from_parquet(store().get(Artifact(kind="records", digest=d)))}
    gone = [r for d in stored("dropped") for r in dropped_from_parquet(store().get(Artifact(kind="dropped", digest=d)))]

    assert kept | {row.id for row in gone} >= given
    assert all(row.reason for row in gone)


def test_a_killed_training_goes_on_to_the_same_adapter(ran, path_home, monkeypatch, watched):
    """Kill -9 in the middle of training: the retry resumes, and its bytes are those of an undisturbed run."""
    monkeypatch.setenv("ASSAY_CHECKPOINT_STEPS", "3")
    sides = next(found for path in folder("results").iterdir() if isinstance(found := answer_to(path.name), Splits))
    killed: list[int] = []
    seen: list[str] = []

    def kill_once(task: str, event: dict) -> None:
        seen.append(event["event"])
        if task == "train" and event["event"] == "checkpoint" and not killed:
            killed.extend(child for child in jobs() if os.kill(child, signal.SIGKILL) is None)

    monkeypatch.setattr(publishing, "listeners", [kill_once])
    disturbed = train_only(str(ran.recipe), sides, 5)
    forget(disturbed)
    monkeypatch.setattr(publishing, "listeners", [])

    undisturbed = train_only(str(ran.recipe), sides, 5)

    assert killed
    assert "resumed" in seen
    assert computed(watched).count("train") == 2
    assert undisturbed == disturbed


def jobs() -> list[int]:
    """Processes that train for this one, by their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if {b"tasks.jobs", b"train", str(os.getpid()).encode()} <= set(words):
            found.append(int(path.parent.name))
    return found


def forget(adapter: Artifact) -> None:
    """Remove the record of the training that made ``adapter``."""
    for record in folder("results").glob("*"):
        if adapter.digest.encode() in record.read_bytes() and b"record" in record.read_bytes():
            record.unlink()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources.0.uri": "nowhere.jsonl"}, "found nothing at"),
        ({"sources.0.columns.prompt": "words"}, "found no column 'words'"),
        ({"base.digest": "0" * 64}, "expected 0000"),
        ({"prompt.output_schema": "tickets.jsonl"}, "no valid JSON schema"),
        ({"training.target_modules": ["not_a_module"]}, "not_a_module"),
        ({"evaluation.max_new_tokens": 100_000}, "max_new_tokens"),  # And not that training was stopped for it.
    ],
)
def test_bad_input_ends_in_one_line_that_says_what_to_do(ran, settings, message):
    """Whatever is wrong, a person reads one line, and nothing is registered."""
    from assay.errors import AssayError

    with pytest.raises(AssayError, match=message) as caught:
        small.run(ran.recipe, **settings)

    assert "\n" not in str(caught.value)


def test_the_record_of_a_run_names_its_steps(ran):
    """What `assay show` prints is on file."""
    records = [json.loads(path.read_text()) for path in folder("runs").glob("*.json")]

    assert any(
        record["verdict"] and {"train", "register"} <= {s["task"] for s in record["steps"]} for record in records
    )


def test_the_command_line_ends_with_one_line_of_json_and_the_verdicts_status(ran, path_home):
    """What a script reads: everything cached, every metric by its name, an exit status that tells the verdict."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("assay")), "run", str(ran.recipe), "--json"],
        env=environment | {"ASSAY_HOME": str(path_home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    told = json.loads(done.stdout)
    assert done.returncode == {"refused": 3, "inconclusive": 4}[told["verdict"]], done.stderr
    assert set(told) == {
        "verdict", "reasons", "version", "adapter_digest", "report", "wall_seconds", "steps", "metrics",
            "cost",
    }  # fmt: skip
    assert {step["state"] for step in told["steps"]} == {"cached"}
    assert told["adapter_digest"] == ran.outcome.adapter.digest
    for side in ("baseline", "candidate"):
        wanted = {"exact_match", "format_adherence", "general_ability", "latency_p50_ms"}
        assert wanted <= told["metrics"][side].keys()
    assert Path(told["report"]).is_file()
