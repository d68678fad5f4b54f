"""Jobs: what runs in the process that :mod:`tasks.launch` starts. ``python -m tasks.jobs KIND FOLDER PARENT``.

Each job loads references from the store, calls methods, and leaves files in its folder.
"""

import errno
import functools
import importlib.metadata
import json
import platform
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay import evaluations
from assay.artifacts import Artifact, Dataset, Tokenised, digest_of
from assay.errors import AssayError
from assay.evaluation import generation, likelihood, scoring
from assay.model import adapter, machine, prompting, rows, session, training, weights
from assay.records import Record, from_parquet
from assay.spec import PromptSpec
from assay.store import write_atomically
from assay.trials import EvaluationSpec
from assay.tuning import TrainingSpec
from tasks import asking, assessing, nodes
from tasks.faults import described
from tasks.places import checkout, checkpoint_steps, store, threads

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Report = Callable[[dict[str, Any]], None]

VERSION = 2  # Raise on any change here that could change an adapter or an evaluation: it is part of their keys.

METHODS = (generation, likelihood, prompting, scoring)
"""Whose versions two evaluations must share to be compared."""

stopping = False


def main() -> int:
    """Run one job; an error is left as ``error.json``, or as ``error-RANK.json`` by those who do not lead."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    if kind == "train":  # The others have nothing to save.
        signal.signal(signal.SIGTERM, _stop)
    nodes.die_with(int(sys.argv[3]), signal.SIGTERM if kind == "train" else signal.SIGKILL)
    job = json.loads((folder / "job.json").read_text())
    try:
        made = {"prepare": prepare, "train": train, "evaluate": evaluate, "replay": asking.replay}
        made[kind](job, folder, _reporter(folder))
    except Exception as error:  # noqa: BLE001  # its text may quote a record: only its kind and place go on
        told, message = _told(kind, error)
        name = f"error-{nodes.rank()}.json" if nodes.rank() else "error.json"
        left = {"type": told, "message": message, "stopped": stopping}
        write_atomically(folder / name, json.dumps(left).encode())
        return 1
    return 0


def _told(kind: str, error: Exception) -> tuple[str, str]:
    """The name of an error in Assay's tree, and what may be said of it."""
    if isinstance(error, AssayError):
        return type(error).__name__, str(error)
    if machine.lacked_memory(error):  # Training is worth another try with less at once; the others as they are.
        return "OutOfMemoryError" if kind == "train" else "TrainingCrashError", described(error)
    if isinstance(error, OSError):
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}
        said = f"the {kind} process: {described(error)}: {error.strerror}. Free some space or mend the permissions."
        return "StoreError" if full else "TrainingCrashError", said
    return "UnexpectedError", described(error)


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
    known = {
        "model_window": min(_window(base, max_length), max_length),
        "end_of_turn": list(prompting.stops(_tokenizer(base))),
    }
    return store().put("model-facts", json.dumps(known, sort_keys=True).encode())


def _window(base: Artifact, default: int) -> int:
    """Tokens that the model reads at once."""
    config = json.loads((checkout(base) / "config.json").read_text())
    return int(config.get("max_position_embeddings", default))


@functools.cache
def _tokenizer(base: Artifact) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkout(base), local_files_only=True)


def train(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Train an adapter into ``folder/adapter`` and its record into ``folder/record.json``."""
    spec, tokens = TrainingSpec.model_validate(job["spec"]), Tokenised.model_validate(job["tokens"])
    replayed = _rows([Artifact.model_validate(job["replayed"])] if job["replayed"] else [])
    examples = [*_rows(tokens.train.shards), *replayed]
    base = Artifact.model_validate(job["base"])
    validation = list(_records(Dataset.model_validate(job["validation"])))
    asked = session.Job(
        base_digest=job["base_digest"],
        checkpoint_every=checkpoint_steps(),
        micro_batch=job["micro_batch"],
        checkpoint_activations=job["checkpoint_activations"],
        processes=nodes.ranks(),
        stop=lambda: stopping,
        assess=assessing.assessor(validation, _tokenizer(base), job["system"], _window(base, spec.max_length), spec),
    )
    nodes.take_device()
    model = adapter.attach(checkout(base), spec)
    held_out, work = _rows(tokens.validation.shards), folder / "checkpoints"
    record = training.train(asked, model, examples, held_out=held_out, spec=spec, work=work, report=report)
    if nodes.rank():
        return
    spent = adapter.operations(model, record["tokens"], record["learned_tokens"])
    record |= {"examples": len(examples), "replayed": len(replayed), "update_size": adapter.update_size(model)}
    record |= {"operations": spent["done"], "operations_of_full_tuning": spent["full"]}
    if job["replayed"]:
        record["replay"] = asking.counts(store().get(Artifact.model_validate(job["replayed"])))
    # Its name is its digest: a path is no part of a model.
    adapter.save(model, f"sha256:{job['base_digest']}", job["base_digest"], folder / "adapter")
    write_atomically(folder / "record.json", json.dumps(record, sort_keys=True).encode())


def _rows(shards: Sequence[Artifact]) -> list[rows.Row]:
    return [row for shard in shards for row in rows.from_parquet(store().get(shard))]


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
    if nodes.rank():
        return lambda _: None
    file = (folder / "progress.jsonl").open("a", buffering=1)

    def report(event: dict[str, Any]) -> None:
        file.write(json.dumps(event) + "\n")

    return report


def _stop(*_: object) -> None:
    """Take word to stop; a step that does not end in time is not waited for."""
    global stopping  # noqa: PLW0603  # a signal handler has no other place to leave word
    if not stopping:
        signal.setitimer(signal.ITIMER_REAL, nodes.GRACE)  # Its signal ends the process.
    stopping = True


if __name__ == "__main__":
    sys.exit(main())
