"""Help comes at once; whatever is wrong with what was typed is said in lines that one can act on."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from assay.errors import (
    AssayError,
    DataError,
    IncomparableError,
    PromotionRefusedError,
    RegistryError,
    StoreError,
    TrainingCrashError,
)
from cli import main as command_line
from cli import serving
from cli.main import main
from cli.running import parse_settings

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes" / "support_triage"
HEAVY = ("prefect", "torch", "pandas", "mlflow", "transformers", "great_expectations", "pyarrow", "pydantic")


def typed(*words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What a process of its own answers."""
    command = [sys.executable, "-m", "cli.main", *words]
    environment = {"ASSAY_HOME": str(home)} if home else {}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment}
    )


def test_help_imports_nothing_heavy_and_answers_within_a_second():
    """Measured as processor time, which a busy machine does not change."""
    program = (
        "import sys, time\n"
        "from cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules], 'TIME', time.process_time())"
    )
    said = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=ROOT).splitlines()[-1]

    assert said.startswith("HEAVY [] ")
    assert float(said.split()[-1]) < 1


@pytest.mark.parametrize(
    "command",
    [
        (), ("run",), ("plan",), ("show",), ("list",), ("promote",), ("roll-back",), ("digest",), ("expectations",),
        ("expectations", "lint"), ("expectations", "show"), ("expectations", "diff"), ("expectations", "try"),
        ("curate",), ("curate", "review"), ("curate", "correct"), ("redact",), ("verify",), ("verify", "leaks"),
        ("verify", "sample"), ("reports",), ("reports", "serve"),
        ("reports", "build"),
    ],
)  # fmt: skip
def test_every_command_teaches(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    """What it does, what it takes, and what the whole gives back."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "usage: assay" in said
    if not command:
        assert "exit status: 0 accepted" in said
        assert "assay run recipes/support_triage" in said


@pytest.mark.parametrize(
    "words",
    [
        (), ("fly",), ("run",), ("promote", "one", "--to", "staging"), ("promote", "1", "--to", "moon"),
        ("expectations",), ("expectations", "try", "raw"), ("curate", "correct", "a", "b"),
        ("reports", "serve", "--port", "http"),
    ],
)  # fmt: skip
def test_what_is_no_command_is_bad_input(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    """With the usage, on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(words)

    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert "usage: assay" in told.err


def test_a_missing_recipe_is_one_line_and_nothing_is_written(tmp_path: Path):
    """In a process of its own: no traceback, no server, no state."""
    found = typed("run", str(tmp_path / "nowhere"), home=tmp_path / "home")

    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1
    assert found.stderr.startswith("assay: recipe: found nothing at ")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["training.epoch=2"], "recipe.yaml: training.epoch: unknown key"),
        (["training.epochs=0"], "recipe.yaml: training.epochs: input should be greater than or equal to 1"),
        (["nothing.here=1"], "recipe.yaml: cannot set nothing.here: there is no such place"),
        (["training.epochs"], "--set: found 'training.epochs'; expected KEY=VALUE"),
        (["=2"], "--set: found '=2'; expected KEY=VALUE"),
        (["training.epochs=[2"], "--set training.epochs: the value is no YAML"),
        (["name=2026-02-30"], "--set name: the value is no YAML"),
        (["prompt.output_schema=nowhere.json"], "schema: found nothing at "),
        (["sources.0.uri=nowhere.jsonl"], "tickets: found nothing at "),
        (["sources.0.digest=" + "a" * 64], "source tickets: found bytes with digest "),
    ],
)
def test_a_bad_setting_is_bad_input_in_one_line(settings: list[str], says: str, home: Path, capsys):
    """Before a server is started."""
    code = main(["run", str(RECIPE), *(word for setting in settings for word in ("--set", setting))])

    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert told.err.startswith(f"assay: {says}")
    assert told.err.count("\n") == 1
    assert not list((home / "prefect").iterdir())


def test_a_store_or_a_home_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """A store under a file, which root may not write either."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    for name, says in (("ASSAY_STORE", "assay: artefact store "), ("ASSAY_HOME", "assay: cannot make ")):
        monkeypatch.setenv(name, str(tmp_path / "file" / "below"))

        assert main(["run", str(RECIPE)]) == 2
        told = capsys.readouterr()
        assert told.err.startswith(says)
        assert told.err.count("\n") == 1


def test_settings_are_yaml():
    """Numbers are numbers, lists are lists; the last of two wins, and a value may hold the sign."""
    given = ["a.b=2", "c=[x, y]", "d=null", "e=text", "f=k=v", "g=1e-3", "a.b=3"]

    assert parse_settings(given) == {"a.b": 3, "c": ["x", "y"], "d": None, "e": "text", "f": "k=v", "g": "1e-3"}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PromotionRefusedError("x"), 3),
        (TrainingCrashError("x"), 1),
        (StoreError("x"), 2),
        (DataError("x"), 2),
        (IncomparableError("x"), 2),
        (RegistryError("x"), 2),
        (AssayError("x"), 2),
        (OSError(28, "No space left on device"), 2),
        (KeyboardInterrupt(), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_refusal_has_its_exit_status_and_one_line(error: BaseException, code: int, monkeypatch, capsys):
    """Scripts read the one, people the other."""

    def fails(_: object) -> int:
        raise error

    monkeypatch.setattr(command_line, "_list", fails)

    assert main(["list"]) == code
    told = capsys.readouterr().err
    assert told.startswith("assay: ")
    assert told.count("\n") == 1


@pytest.mark.usefixtures("home")
def test_nothing_was_run_yet(capsys):
    """The first thing that somebody tries who has read nothing."""
    assert main(["list"]) == 0
    assert "no runs yet" in capsys.readouterr().out

    assert main(["show", "latest"]) == 2
    assert "found 0 runs named 'latest'" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_reports_are_served_where_one_says_and_built_where_one_does_not(monkeypatch: pytest.MonkeyPatch):
    """The parser's part; what is served has tests of its own."""
    did: list[object] = []
    monkeypatch.setattr(serving, "serve", did.append)
    monkeypatch.setattr(serving, "build", lambda: did.append("built"))

    assert [main(["reports", *words]) for words in (["serve"], ["serve", "--port", "9"], ["build"])] == [0, 0, 0]
    assert did == [8765, 9, "built"]


def test_verdicts_have_the_exit_statuses_of_the_manual():
    """They are the command line's only promise to a pipeline."""
    assert command_line.VERDICTS == {"accepted": 0, "refused": 3, "inconclusive": 4}


def test_a_recogniser_has_a_digest_too(tmp_path, capsys):
    """A recipe pins it as it pins a base."""
    file = tmp_path / "ours.yaml"
    file.write_text("recognizers: []\n")
    other = tmp_path / "notes.md"
    other.write_text("none")

    assert main(["digest", str(file)]) == 0
    assert capsys.readouterr().out.strip() == hashlib.sha256(file.read_bytes()).hexdigest()
    assert main(["digest", str(other)]) == 2
    assert "expected .gguf or a folder" in capsys.readouterr().err
