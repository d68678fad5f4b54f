"""Two registered versions, held against one another: from what they answered before, or asked anew."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.errors import AssayError
from flows.compare_versions import compare_versions
from tasks import ledgers, runs, steps, telling
from tasks.comparing import LEDGER
from tasks.places import folder, store
from tests.flows import small
from tests.flows.conftest import Ran

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Compared:
    """A finished comparison: its record, and its steps."""

    record: dict
    states: dict[str, str]


def compare(*given: object) -> Compared:
    """Compare two versions and collect the steps."""
    states: list[steps.StepState] = []
    steps.observers.append(states.append)
    try:
        state = compare_versions(*given, return_state=True)
        state.result()
    finally:
        steps.observers.remove(states.append)
    return Compared(
        ledgers.find(LEDGER, str(state.state_details.flow_run_id)), {each.task: each.state for each in states}
    )


@pytest.fixture(scope="module")
def two(ran: Ran) -> Ran:
    """A second version of the small recipe, of another seed."""
    outcome, _ = small.run(ran.recipe, **{"training.seed": 5})
    assert outcome.registered.version == 2
    return ran


def test_answers_that_are_on_file_are_compared_and_nothing_is_asked(two):
    """Both answered the same question in their own runs; a page says what came of it."""
    found = compare("1", "2")

    assert {"compare", "contrast", "report"} <= found.states.keys()
    assert not {"ingest", "evaluate-candidate"} & found.states.keys()
    assert found.record["verdict"] in {"accepted", "refused", "inconclusive"}
    assert (found.record["before"]["name"], found.record["after"]["name"]) == ("small 1", "small 2")
    assert "answered the same question before" in found.record["asked"]
    page = (folder("reports") / found.record["page"]).read_text()
    assert "Comparison of <strong>small 2</strong> (after) with <strong>small 1</strong> (before)" in page
    assert "<script" not in page
    assert {"exact_match", "latency_p50_ms"} <= found.record["metrics"]["candidate"].keys()


def test_the_page_is_told_in_markdown_and_json_too(two):
    """Beside it, of the same content; and none of them quotes a person."""
    record = compare("1", "2").record
    page = folder("reports") / record["page"]
    content = telling.read(telling.Artifact(kind=telling.KIND, digest=record["content_digest"]))

    assert json.loads(page.with_suffix(".json").read_text())["decision"] == content.verdict.decision
    assert page.with_suffix(".md").read_text().startswith("### ")
    assert small.SECRET not in page.read_text() + page.with_suffix(".md").read_text()


def test_a_recipe_that_is_named_asks_both_by_it(two):
    """Fewer records, shorter answers: what is not on file is asked, of both alike."""
    found = compare("1", "2", None, str(two.recipe), {"evaluation.max_new_tokens": 4})
    again = compare("1", "2", None, str(two.recipe), {"evaluation.max_new_tokens": 4})

    assert found.states["evaluate-candidate"] == "computed"
    assert "were asked the" in found.record["asked"]
    assert set(again.states.values()) == {"cached"}


def test_the_order_says_which_is_the_baseline(two):
    """What one gains the other loses; times are taken anew, each order in turns of its own."""
    forth, back = compare("1", "2").record, compare("2", "1").record
    scores = forth["metrics"]["baseline"].keys() - telling.LATENCIES.values()

    assert "exact_match" in scores
    assert all(forth["metrics"]["baseline"][name] == back["metrics"]["candidate"][name] for name in scores)
    assert forth["page"] != back["page"]


def test_a_comparison_is_no_run_and_moves_no_pointer(two):
    """Nothing is registered, and `latest` names none."""
    before = [row["run"] for row in runs.every()]
    compare("1", "2")

    assert [row["run"] for row in runs.every()] == before


@pytest.mark.parametrize(
    ("given", "message"),
    [(("1", "7"), "found 0 versions named '7'"), (("1", "1"), "found the same weights"), (("1", "2", "x"), "found 0")],
)
def test_what_cannot_be_compared_ends_in_one_line(two, given, message):
    """A version that is not there, the same one twice, another model's name."""
    with pytest.raises(AssayError, match=re.escape(message)):
        compare_versions(*given)

    failed = [row for row in ledgers.every(LEDGER) if (row.get("first"), row.get("second")) == given[:2]]
    assert any(message in row["error"] for row in failed)


def test_the_command_ends_with_the_verdicts_status(two, path_home):
    """As `assay run` does; the last line is for a machine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("assay")), "compare", "1", "2", "--json"],
        env=environment | {"ASSAY_HOME": str(path_home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = json.loads(done.stdout)

    assert done.returncode == {"accepted": 0, "refused": 3, "inconclusive": 4}[told["verdict"]], done.stderr
    assert Path(told["page"]).is_file()
    assert store().holds(
        telling.Artifact(kind=telling.KIND, digest=ledgers.find(LEDGER, told["run"])["content_digest"])
    )
