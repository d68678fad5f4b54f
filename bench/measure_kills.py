"""Measure what ``kill -9`` does to training: at random moments, each followed by the same start.

    python bench/measure_kills.py --kills 20
    python bench/measure_kills.py --kills 20 --recipe recipes/support_triage --set training.epochs=1

The flow is run as far as its training, whose inputs are kept; then what the training *step* calls,
``tasks.models.fit``, is started again and again in a process of its own, which starts the training's: once undisturbed,
and for each kill once to a random moment between its first step and its last, and once to its end. Every other kill
takes the process that called ``fit`` too, with its whole group. The last ``--commands`` kills take ``assay run``
itself, with its server and all, in a copy of the home in which nothing is trained yet; the same command then goes on
to its verdict.

Prints one JSON object: how many adapters have the digest of the undisturbed one, and how many steps were done twice.
Exit status 0 only if all of them have, and none did more steps twice than lie between two checkpoints
(``ASSAY_CHECKPOINT_STEPS``).
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

Event = dict[str, Any]

JUDGED = {0, 3, 4}
"""Exit statuses of ``assay run`` that came to a verdict: accepted, refused, inconclusive."""


def main() -> int:
    """Kill, go on, compare; or be what is killed."""
    options = parse()
    if options.once:
        return train(*map(Path, options.once))
    home = (options.home or Path(tempfile.mkdtemp(prefix="assay-kills-"))).absolute()
    os.environ |= {"ASSAY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    job = inputs(options, home)
    found = measure(job, home, options, random.Random(options.seed))
    print(json.dumps(found | {"seed": options.seed, "recipe": str(options.recipe or "small")}, indent=1))
    return 0 if found["equal"] == found["kills"] and found["most_repeated"] <= found["interval"] else 1


def train(job: Path, work: Path) -> int:
    """What the training step does with its folder, without what only Prefect sees of it."""
    from tasks.models import fit

    fit(json.loads(job.read_text()), work, lambda _: None)
    return 0


def inputs(options: argparse.Namespace, home: Path) -> Path:
    """The job of the recipe's training, as the flow hands it over; the flow is ended there."""
    if options.recipe is None:
        from tests.flows import small

        folder = home / "recipe"
        folder.mkdir(parents=True)
        options.recipe = small.recipe(folder)
    with (home / "flow.log").open("w") as log, started(whole_command(options), log) as flow:
        while True:
            for path in home.glob("work/*/job.json"):
                if (path.parent / "progress.jsonl").exists() and any(steps(path.parent)):
                    kept = shutil.copy(path, home / "job.json")
                    kill(flow, path.parent, with_command=True)
                    shutil.rmtree(path.parent)
                    return Path(kept)
            if flow.poll() is not None:
                sys.exit(f"the flow ended before its training began; see {home / 'flow.log'}")
            time.sleep(0.1)


def whole_command(options: argparse.Namespace) -> list[str]:
    """``assay run`` of the recipe."""
    settings = [word for setting in options.settings for word in ("--set", setting)]
    return [sys.executable, "-m", "cli.main", "run", str(options.recipe), *settings]


def measure(job: Path, home: Path, options: argparse.Namespace, dice: random.Random) -> dict[str, Any]:
    """One undisturbed training, and as many killed ones as were asked for."""
    with tempfile.TemporaryDirectory(dir=home.parent) as elsewhere:
        untrained = Path(elsewhere) / "untrained"
        shutil.copytree(home, untrained, symlinks=True)
        whole = home / "work" / "undisturbed"
        finish(job, whole)
        wanted, times = digest(whole), [event["seconds"] for event in events(whole) if event["event"] == "step"]
        done: list[dict[str, Any]] = []
        missed = 0
        while len(done) < options.kills:
            moment, number = dice.uniform(0, times[-1] - times[0]), len(done)
            name = f"killed-{number}-{missed}"
            if number < options.kills - options.commands:
                took = strike(job, home / "work" / name, moment, with_command=number % 2 == 1)
            else:
                took = strike_command(options, untrained, Path(elsewhere) / name, moment)
            if took is None:  # It was over before its time came.
                missed += 1
                continue
            done.append(took | {"equal": took.pop("adapter") == wanted})
            print(json.dumps(done[-1]), file=sys.stderr)
    return {
        "kills": options.kills,
        "equal": sum(each["equal"] for each in done),
        "steps": max(steps(whole)),
        "interval": int(os.environ.get("ASSAY_CHECKPOINT_STEPS") or 10),
        "most_repeated": max((each["repeated"] for each in done), default=0),
        "killed_after_step": [each["after"] for each in done],
        "repeated": [each["repeated"] for each in done],
        "with_command": sum(each["with_command"] for each in done),
        "of_whole_commands": options.commands,
        "missed": missed,
        "undisturbed_seconds": times[-1],
        "adapter": wanted,
        "machine": platform.machine(),
    }


def strike(job: Path, work: Path, moment: float, *, with_command: bool) -> dict[str, Any] | None:
    """Train to ``moment`` seconds after the first step, kill, and train to the end; None if it was over by then."""
    work.mkdir(parents=True)
    with (work / "command.log").open("w") as log, started(command_of(job, work), log) as running:
        while not any(steps(work)) and running.poll() is None:
            time.sleep(0.02)
        time.sleep(moment)
        if (work / "record.json").exists() or running.poll() is not None:
            running.wait()
            return None
        kill(running, work, with_command=with_command)
        running.wait()
    after = max(steps(work))
    finish(job, work)
    found = outcome(after, list(events(work)), digest(work), with_command=with_command)
    shutil.rmtree(work)
    return found


def strike_command(options: argparse.Namespace, home: Path, copy: Path, moment: float) -> dict[str, Any] | None:
    """As :func:`strike`, of ``assay run`` in a copy of a home, which then runs to its verdict."""
    shutil.copytree(home, copy, symlinks=True)
    environment = {"ASSAY_HOME": str(copy)}
    with (copy / "command.log").open("w") as log:
        with started(whole_command(options), log, environment) as running:
            while not (found := [path for path in copy.glob("work/*") if any(steps(path))]):
                if running.poll() is not None:
                    sys.exit(f"the command ended before its training began; see {copy / 'command.log'}")
                time.sleep(0.02)
            [work] = found
            time.sleep(moment)
            kill(running, work, with_command=True)
        if not (work / "job.json").exists() or (work / "record.json").exists():
            return None
        after = max(steps(work))
        (work / "progress.jsonl").unlink()  # The next start removes it too; until then it would be taken for its own.
        seen: list[Event] = []
        with started(whole_command(options), log, environment) as running:
            while running.poll() is None:
                seen = max(seen, [*events(work)], key=len)
                time.sleep(0.1)
    if running.returncode not in JUDGED:
        sys.exit(f"the command did not come to its verdict; see {copy / 'command.log'}")
    run = json.loads(max(copy.glob("runs/*.json"), key=lambda path: path.stat().st_mtime).read_text())
    return outcome(after, seen, run["adapter_digest"], with_command=True)


def outcome(after: int, again: list[Event], adapter: str, *, with_command: bool) -> dict[str, Any]:
    """What came of one kill after so many steps, by the events of the start that followed."""
    resumed = next((event["step"] for event in again if event["event"] == "resumed"), 0)
    told = {"after": after, "resumed": resumed, "repeated": max(0, after - resumed)}
    return {**told, "with_command": with_command, "adapter": adapter}


def command_of(job: Path, work: Path) -> list[str]:
    """This script, as what is killed."""
    return [sys.executable, str(Path(__file__).resolve()), "--once", str(job), str(work)]


def finish(job: Path, work: Path) -> None:
    """Train to the end."""
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run(command_of(job, work), check=True, cwd=ROOT, stdout=sys.stderr)


@contextlib.contextmanager
def started(
    command: list[str],
    log: Any,  # noqa: ANN401
    environment: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command in a process group of its own, gone when this is left."""
    told = os.environ | (environment or {})
    with subprocess.Popen(command, cwd=ROOT, env=told, stdout=log, stderr=log, start_new_session=True) as running:
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def kill(command: "subprocess.Popen[bytes]", work: Path, *, with_command: bool) -> None:
    """SIGKILL every process of a training, and the group of the command that started it if that is asked for."""
    if with_command:
        os.killpg(command.pid, signal.SIGKILL)
    for child in children(work):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def children(work: Path) -> Iterator[int]:
    """Processes that train in a folder, by their command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if {b"tasks.jobs", b"train", str(work.absolute()).encode()} <= set(words):
                yield int(path.parent.name)


def events(work: Path) -> Iterator[Event]:
    """What the last process in a folder reported; a torn line was never said."""
    try:
        said = (work / "progress.jsonl").read_bytes()
    except FileNotFoundError:  # Nothing was said yet, or all is done and filed.
        return
    for line in said.splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def steps(work: Path) -> Iterator[int]:
    """Steps that it did."""
    return (event["step"] for event in events(work) if event["event"] == "step")


def digest(work: Path) -> str:
    """Of the adapter, as the store would file it."""
    from assay.store import manifest_of

    return hashlib.sha256(json.dumps({"files": manifest_of(work / "adapter")}, sort_keys=True).encode()).hexdigest()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--commands", type=int, default=2, help="so many of them take `assay run` itself")
    parser.add_argument("--recipe", type=Path, help="default: a small one, made for tests")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--home", type=Path, help="an ASSAY_HOME where data steps may be cached; default: new")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--once", nargs=2, metavar=("JOB", "WORK"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
