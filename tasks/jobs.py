"""Jobs: what runs in the process that :mod:`tasks.launch` starts. ``python -m tasks.jobs KIND FOLDER PARENT``.

Each job loads references from the store, calls methods, and leaves files in its folder.
"""

import ctypes
import errno
import functools
import importlib.metadata
import json
import os
import platform
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay import evaluations
from assay.artifacts import Artifact, Dataset, digest_of
from assay.errors import AssayError
from assay.evaluation import generation, likelihood, scoring
from assay.model import adapter, prompting, rows, training, weights
from assay.records import Record, from_parquet
from assay.spec import EvaluationSpec, PromptSpec, TrainingSpec
from assay.store import write_atomically
from tasks.faults import described
from tasks.places import checkout, checkpoint_steps, store, threads

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Report = Callable[[dict[str, Any]], None]

VERSION = 1  # Raise on any change here that could change an adapter or an evaluation: it is part of their keys.

METHODS = (generation, likelihood, prompting, scoring)
"""Whose versions two evaluations must share to be compared."""

stopping = False


def main() -> int:
    """Run one job; an error that Assay means is left as ``error.json``."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    _die_with_parent(int(sys.argv[3]))
    signal.signal(signal.SIGTERM, _stop)
    job = json.loads((folder / "job.json").read_text())
    try:
        {"prepare": prepare, "train": train, "evaluate": evaluate}[kind](job, folder, _reporter(folder))
    except AssayError as error:
        return _leave(folder, type(error).__name__, str(error))
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}
        said = f"the {kind} process: {described(error)}: {error.strerror}. Free some space or mend the permissions."
        return _leave(folder, "StoreError" if full else "TrainingCrashError", said)
    except MemoryError as error:
        return _leave(folder, "TrainingCrashError", described(error))
    except Exception as error:  # noqa: BLE001  # its text may quote a record: only its kind and place go on
        return _leave(folder, "UnexpectedError", described(error))
    return 0


def prepare(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Write the base model to ``folder/base``, after checking that it is the one named."""
    del report
    weights.verify(Path(job["path"]), job["digest"])
    shutil.rmtree(folder / "base", ignore_errors=True)
    weights.prepare(Path(job["path"]), job["dtype"], folder / "base")


def tokenise(base: Artifact, shard: Artifact, system: str, max_length: int) -> Artifact:
    """One shard's rows as training takes them; in a process of the pool."""
    tokenizer = _tokenizer(base)
    records = from_parquet(store().get(shard))
    encoded = [prompting.encode(tokenizer, system, r.context, r.completion, max_length) for r in records]
    return store().put("tokens", rows.to_parquet(encoded, [record.id for record in records]))


def facts(base: Artifact, max_length: int) -> Artifact:
    """What a suite must know of the model: the tokens it may read, and those that end its turn."""
    window = json.loads((checkout(base) / "config.json").read_text()).get("max_position_embeddings", max_length)
    known = {"model_window": min(window, max_length), "end_of_turn": list(prompting.stops(_tokenizer(base)))}
    return store().put("model-facts", json.dumps(known, sort_keys=True).encode())


@functools.cache
def _tokenizer(base: Artifact) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkout(base), local_files_only=True)


def train(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Train an adapter into ``folder/adapter`` and its record into ``folder/record.json``."""
    spec = TrainingSpec.model_validate(job["spec"])
    base = checkout(Artifact.model_validate(job["base"]))
    tokenizer = _tokenizer(Artifact.model_validate(job["base"]))
    system = job["system"]

    def encoded(side: str) -> list[prompting.Encoded]:
        records = _records(Dataset.model_validate(job[side]))
        return [prompting.encode(tokenizer, system, r.context, r.completion, spec.max_length) for r in records]

    examples = encoded("train")
    model = adapter.attach(base, spec)
    record = training.train(
        training.Job(base_digest=job["base_digest"], checkpoint_every=checkpoint_steps(), stop=lambda: stopping),
        model,
        examples,
        held_out=encoded("validation"),
        spec=spec,
        work=folder / "checkpoints",
        report=report,
    )
    spent = adapter.operations(model, record["tokens"], record["learned_tokens"])
    record |= {"examples": len(examples), "operations": spent["done"], "operations_of_full_tuning": spent["full"]}
    # Its name is its digest: a path is no part of a model.
    adapter.save(model, f"sha256:{job['base_digest']}", job["base_digest"], folder / "adapter")
    write_atomically(folder / "record.json", json.dumps(record, sort_keys=True).encode())


def evaluate(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Ask a model everything; leave ``summary.json``, ``answers.jsonl`` and ``choices.jsonl``."""
    prompt, spec = PromptSpec.model_validate(job["prompt"]), EvaluationSpec.model_validate(job["spec"])
    weights_folder, digest = _weights(job, folder)
    model, tokenizer = generation.load(weights_folder, job["dtype"], threads())
    records = list(_records(Dataset.model_validate(job["test"])))
    window = model.config.max_position_embeddings - spec.max_new_tokens
    prompts = [list(prompting.encode(tokenizer, prompt.system, r.context, None, window).input_ids) for r in records]
    said = generation.answer(
        model, tokenizer, prompts, spec.max_new_tokens, spec.batch_size, _counter(report, "answers")
    )
    answers = scoring.score(records, said, _schema(job), prompt.label)
    benchmark = Artifact.model_validate(job["benchmark"])
    choices = likelihood.score(model, tokenizer, likelihood.parse(store().get(benchmark)), spec.batch_size)
    report({"event": "choices", "step": len(choices), "of": len(choices)})
    summary = scoring.summarise(answers, spec.slices)
    groups = likelihood.by_group(choices)
    evaluation = evaluations.Evaluation(
        question={
            "items": digest_of([[r.id, [*p], r.completion] for r, p in zip(records, prompts, strict=True)]),
            "template": prompting.digest(tokenizer, prompt.system),
            "schema": job["schema"]["digest"],
            "label": prompt.label,
            "general_ability": benchmark.digest,
            "decoding": {"strategy": "greedy", "max_new_tokens": spec.max_new_tokens, "batch_size": spec.batch_size},
            "dtype": job["dtype"],
            "weights": "merged",
            "latency_requests": spec.latency_requests,
            "methods": {method.__name__: method.VERSION for method in METHODS},
            "libraries": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "tokenizers")},
        },
        model=digest,
        metrics=summary["metrics"] | {"general_ability": sum(c.correct for c in choices) / len(choices)},
        fields=summary["fields"],
        slices=summary["slices"],
        ability_groups=groups,
        latency=generation.latency(model, prompts, spec.max_new_tokens, spec.latency_requests),
        environment={"threads": threads(), "machine": platform.machine(), "cpu": generation.capability()},
    )
    write_atomically(folder / "answers.jsonl", evaluations.answers_to_jsonl(answers))
    write_atomically(folder / "choices.jsonl", evaluations.choices_to_jsonl(choices))
    write_atomically(folder / "summary.json", evaluation.model_dump_json(indent=1).encode())


def _leave(folder: Path, kind: str, message: str) -> int:
    write_atomically(folder / "error.json", json.dumps({"type": kind, "message": message}).encode())
    return 1


def _weights(job: dict[str, Any], folder: Path) -> tuple[Path, str]:
    """The weights to ask: the base, or the base with the adapter merged in, and their digest."""
    base = Artifact.model_validate(job["base"])
    if job["adapter"] is None:
        return checkout(base), digest_of({"base": base.digest, "adapter": None})
    learned = Artifact.model_validate(job["adapter"])
    merged = folder / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    weights.merge(checkout(base), checkout(learned), merged, job["dtype"])
    return merged, digest_of({"base": base.digest, "adapter": learned.digest})


def _schema(job: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(store().get(Artifact.model_validate(job["schema"])))
    return schema


def _records(records: Dataset) -> Iterator[Record]:
    return (record for shard in records.shards for record in from_parquet(store().get(shard)))


def _counter(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, of: report({"event": what, "step": done, "of": of})


def _reporter(folder: Path) -> Report:
    file = (folder / "progress.jsonl").open("a", buffering=1)

    def report(event: dict[str, Any]) -> None:
        file.write(json.dumps(event) + "\n")

    return report


def _stop(*_: object) -> None:
    global stopping  # noqa: PLW0603  # a signal handler has no other place to leave word
    stopping = True


def _die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent is gone, so that no orphan holds a device."""
    set_parent_death_signal = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
