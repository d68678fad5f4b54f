"""A run that is over can be looked at, however it ended and however long ago."""

import pytest

from assay.store import ArtifactStore
from cli.main import main
from tasks import runs, sweeps
from tests.assay.reporting.test_sweep import content
from tests.cli.test_tables import COST

RECORD = {
    "run": "abc", "started": "2026-11-20T10:00:00", "recipe": "r", "settings": None,
    "steps": [{"task": "train", "state": "computed", "seconds": 1.0, "reason": ""}],
}  # fmt: skip
JUDGED = {
    "verdict": "accepted", "sentence": "Accepted.", "reasons": [], "model": "m", "version": 1, "identity": "i" * 64,
    "adapter_digest": "a" * 64, "report": "r.html", "metrics": {"baseline": {"f1": 0.1}, "candidate": {"f1": 0.2}},
}  # fmt: skip
FAILED = {"verdict": None, "error": "RedactionError: no."}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("ended", [JUDGED, FAILED], ids=["judged", "failed"])
def test_a_run_is_shown_with_what_training_took(ended, capsys: pytest.CaptureFixture[str]):
    """Whether it came to a verdict or not: it was paid for."""
    runs.file(RECORD | ended | {"cost": COST})

    assert main(["show", "latest"]) == 0
    assert (
        "cost      151,234 tokens, 21,000 of them learned, 1,063 a second\n"
        "          6.1e+13 operations, 50.0% of what learning every weight takes\n"
    ) in capsys.readouterr().out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("ended", [JUDGED, FAILED], ids=["judged", "failed"])
def test_a_run_of_before_costs_were_filed_is_shown_without(ended, capsys: pytest.CaptureFixture[str]):
    """As is one that ended before anything was learned."""
    runs.file(RECORD | ended)

    assert main(["show", "abc"]) == 0
    assert "cost" not in capsys.readouterr().out


SWEPT = {
    "run": "def456", "ended": "2026-11-20T11:00:00", "recipe": "r", "settings": {}, "steps": RECORD["steps"],
    "grid": {"training.rank": [8, 16]},
}  # fmt: skip


def compared(store: ArtifactStore) -> dict:
    """A sweep that came to a comparison."""
    filed = {
        "compared": store.put("sweep", content().model_dump_json().encode()).digest,
        "page": "sweeps/def.html",
        "page_digest": store.put("sweep-page", b"<p>a page</p>").digest,
    }
    return SWEPT | filed | {"points": 2, "best": {"training.rank": 8}}


def test_a_sweep_is_found_by_its_id_with_the_command_that_runs_its_best(store, capsys):
    """If no run is called that; its page is laid out."""
    runs.file(RECORD | FAILED)
    sweeps.file(compared(store))

    assert main(["show", "def"]) == 0
    said = capsys.readouterr().out
    assert "sweep     def456" in said
    assert "tried     training.rank: 8, 16" in said
    assert "run it    assay run small --set training.learning_rate=0.002" in said
    assert said.rstrip().endswith("reports/sweeps/def.html")


@pytest.mark.usefixtures("home")
def test_a_sweep_that_failed_says_why_and_is_never_the_latest_run(capsys):
    """What it was told last is about sweeps; `latest` is about runs."""
    runs.file(RECORD | FAILED)
    sweeps.file(SWEPT | {"error": "TrainingError: found 2 points."})

    assert main(["show", "def"]) == 0
    assert "failed    TrainingError: found 2 points." in capsys.readouterr().out
    assert main(["show", "latest"]) == 0
    assert "run       abc" in capsys.readouterr().out


def test_what_is_neither_is_bad_input(home, capsys):
    """With where to look."""
    assert main(["show", "nosuch"]) == 2
    assert "found 0 runs named 'nosuch'" in capsys.readouterr().err


def test_sweeps_are_listed_below_the_runs(store, capsys):
    """With how many points and the best of them, or that they failed."""
    sweeps.file(compared(store))
    sweeps.file(SWEPT | {"run": "fed", "error": "x"})

    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert "SWEEP" in said
    assert "def456  2026-11-20T11:00:00  r       2       rank 8" in said
    assert "fed     2026-11-20T11:00:00  r       -       failed" in said
