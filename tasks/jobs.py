"""Jobs: what runs in the process that :mod:`tasks.launch` starts. ``python -m tasks.jobs KIND FOLDER PARENT``.

Each job loads references from the store, calls methods, and leaves files in its folder.
"""

import errno
import functools
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.artifacts import Artifact, Dataset, Tokenised
from assay.errors import AssayError
from assay.model import adapter, dynamics, machine, prompting, rows, session, training, weights
from assay.records import Record, from_parquet
from assay.store import write_atomically
from assay.tuning import TrainingSpec
from tasks import alternating, answering, asking, assessing, evaluating, nodes, probing
from tasks.faults import described
from tasks.places import checkout, checkpoint_steps, store

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Report = Callable[[dict[str, Any]], None]

VERSION = 2  # Raise on any change here that could change an adapter or an evaluation: it is part of their keys.

stopping = False


def main() -> int:
    """Run one job; an error is left as ``error.json``, or as ``error-RANK.json`` by those who do not lead."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    if kind == "train":  # The others have nothing to save.
        signal.signal(signal.SIGTERM, _stop)
    nodes.die_with(int(sys.argv[3]), signal.SIGTERM if kind == "train" else signal.SIGKILL)
    job = json.loads((folder / "job.json").read_text())
    try:
        JOBS[kind](job, folder, _reporter(folder))
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
    general = [Artifact.model_validate(job["replayed"])] if job["replayed"] else []
    replayed = _rows(general)
    examples = [*_rows(tokens.train.shards), *replayed]
    ids = [id for shard in (*tokens.train.shards, *general) for id in rows.ids(store().get(shard))]
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
    write_atomically(folder / "dynamics.parquet", dynamics.named(work, ids, len(replayed)))
    # Its name is its digest: a path is no part of a model.
    adapter.save(model, f"sha256:{job['base_digest']}", job["base_digest"], folder / "adapter")
    write_atomically(folder / "record.json", json.dumps(record, sort_keys=True).encode())


def _rows(shards: Sequence[Artifact]) -> list[rows.Row]:
    return [row for shard in shards for row in rows.from_parquet(store().get(shard))]


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


JOBS: dict[str, Callable[[dict[str, Any], Path, Report], None]] = {
    "prepare": prepare,
    "train": train,
    "evaluate": evaluating.evaluate,
    "time_requests": alternating.time_requests,
    "probe": probing.probe,
    "replay": asking.replay,
    "answer": answering.answer,
    "clock": answering.clock,
}


if __name__ == "__main__":
    sys.exit(main())
