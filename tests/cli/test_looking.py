"""A run that is over can be looked at, however it ended and however long ago."""

import pytest

from cli.main import main
from tasks import runs
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
