"""Measure what ``kill -9`` does to training: at random moments, each followed by the same command.

    python bench/measure_kills.py --kills 20
    python bench/measure_kills.py --kills 20 --recipe recipes/support_triage --set training.epochs=1

The flow is run as far as its training, whose inputs are kept; then the training step's own path is taken again and
again: once undisturbed, and for each kill once to a random moment between its first step and its last, and once to
its end. Every other kill takes the command that started the training too, with its whole process group. Prints one
JSON object: how many adapters have the digest of the undisturbed one, and how many steps were done twice, which is at
most the interval between two checkpoints (``ASSAY_CHECKPOINT_STEPS``).
"""

import argparse
import contextlib
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

Event = dict[str, Any]


def main() -> int:
    """Kill, go on, compare; or be what is killed."""
    options = parse()
    if options.once:
        return train(*map(Path, options.once))
    home = (options.home or Path(tempfile.mkdtemp(prefix="assay-kills-"))).absolute()
    os.environ |= {"ASSAY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    job = inputs(options, home)
    found = measure(job, home, options.kills, random.Random(options.seed))
    print(json.dumps(found | {"seed": options.seed, "recipe": str(options.recipe or "small")}, indent=1))
    return 0 if found["equal"] == found["kills"] else 1


def train(job: Path, work: Path) -> int:
    """What the training step does with its folder, without what only Prefect sees of it."""
    from tasks.models import fit

    fit(json.loads(job.read_text()), work, lambda _: None)
    return 0


def inputs(options: argparse.Namespace, home: Path) -> Path:
    """The job of the recipe's training, as the flow hands it over; the flow is ended there."""
    recipe = options.recipe
    if recipe is None:
        from tests.flows import small

        folder = home / "recipe"
        folder.mkdir(parents=True)
        recipe = small.recipe(folder)
    settings = [word for setting in options.settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "cli.main", "run", str(recipe), *settings]
    with (home / "flow.log").open("w") as log, started(command, log) as flow:
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


def measure(job: Path, home: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """One undisturbed training, and as many killed ones as were asked for."""
    whole = home / "work" / "undisturbed"
    finish(job, whole)
    wanted, times = digests(whole), [event["seconds"] for event in events(whole) if event["event"] == "step"]
    done: list[dict[str, Any]] = []
    missed = 0
    while len(done) < kills:
        moment = dice.uniform(0, times[-1] - times[0])
        work = home / "work" / f"killed-{len(done)}-{missed}"
        took = strike(job, work, moment, with_command=len(done) % 2 == 1)
        if took is None:  # It was over before its time came.
            missed += 1
            continue
        done.append(took | {"equal": digests(work) == wanted})
        print(json.dumps(done[-1]), file=sys.stderr)
        shutil.rmtree(work)
    return {
        "kills": kills,
        "equal": sum(each["equal"] for each in done),
        "steps": max(steps(whole)),
        "interval": int(os.environ.get("ASSAY_CHECKPOINT_STEPS") or 10),
        "most_repeated": max((each["repeated"] for each in done), default=0),
        "killed_after_step": [each["after"] for each in done],
        "repeated": [each["repeated"] for each in done],
        "with_command": sum(each["with_command"] for each in done),
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
    resumed = next((event["step"] for event in events(work) if event["event"] == "resumed"), 0)
    return {"after": after, "resumed": resumed, "repeated": max(0, after - resumed), "with_command": with_command}


def command_of(job: Path, work: Path) -> list[str]:
    """This script, as what is killed."""
    return [sys.executable, str(Path(__file__).resolve()), "--once", str(job), str(work)]


def finish(job: Path, work: Path) -> None:
    """Train to the end."""
    work.mkdir(parents=True, exist_ok=True)
    subprocess.run(command_of(job, work), check=True, cwd=ROOT, stdout=sys.stderr)


@contextlib.contextmanager
def started(command: list[str], log: Any) -> Iterator["subprocess.Popen[bytes]"]:  # noqa: ANN401
    """A command in a process group of its own, gone when this is left."""
    with subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True) as running:
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
    path = work / "progress.jsonl"
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        if line.endswith(b"\n"):
            yield json.loads(line)


def steps(work: Path) -> Iterator[int]:
    """Steps that it did."""
    return (event["step"] for event in events(work) if event["event"] == "step")


def digests(work: Path) -> dict[str, str]:
    """Of the adapter's files."""
    from assay.model import weights

    return {path.name: weights.sha256(path) for path in sorted((work / "adapter").iterdir())}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--recipe", type=Path, help="default: a small one, made for tests")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--home", type=Path, help="an ASSAY_HOME where data steps may be cached; default: new")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--once", nargs=2, metavar=("JOB", "WORK"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
