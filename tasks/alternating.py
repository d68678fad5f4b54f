"""Alternating: the job that times baseline and candidate in turn, in one process.

Two models timed one after the other are compared across whatever else the machine did meanwhile: on two busy cores the
same model was half as quick a minute later. Here both are in memory, every request is asked of both, and who comes
first changes with each request (A B, B A, A B …), so that what slows the machine evenly slows both alike. Both are
warmed up first: the first requests pay for allocation and thread pools.

The requests are test records in an order by digest of their ids, the same whichever models are timed; if there are
fewer records than requests they come again, told apart as ``ID#2``. Nothing is shared between requests.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import evaluations
from assay.artifacts import Artifact, Dataset, digest_of
from assay.errors import ModelError
from assay.evaluation import constraining, generation
from assay.model import prompting
from assay.outcomes import Timing
from assay.records import Record
from assay.spec import PromptSpec
from assay.store import write_atomically
from assay.trials import EvaluationSpec
from tasks import shards
from tasks.merging import merged
from tasks.places import store, threads

VERSION = 1  # Raise on any change here that could change what is timed: it is part of the key of timing.

WARM_UP = 3
"""Requests made of each model before the clock counts."""

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Timer:
    """A model that answers one request at a time."""

    model: generation.Model
    prompts: list[list[int]]
    max_new_tokens: int
    constrain: generation.Constrain | None

    def __call__(self, place: int, id: str) -> Timing:
        """Ask the prompt at ``place``."""
        prompt = self.prompts[place]
        first, total, tokens = generation.request(self.model, prompt, self.max_new_tokens, self.constrain)
        return Timing(id=id, first_ms=first * 1e3, total_ms=total * 1e3, tokens=tokens, prompt_tokens=len(prompt))


def time_requests(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Time both models; leave ``baseline.jsonl`` and ``candidate.jsonl``.

    Raises:
        ModelError: there is no record to ask.
    """
    spec = EvaluationSpec.model_validate(job["spec"])
    records = drawn([row for shard in shards.each(Dataset.model_validate(job["test"])) for row in shard], spec)
    timers = [_timer(job, _weights(job, arm, folder), records) for arm in ("baseline", "candidate")]
    found = in_turn(timers, [record.id for record in records], spec.latency_requests, report)
    for name, timings in zip(("baseline", "candidate"), found, strict=True):
        write_atomically(folder / f"{name}.jsonl", evaluations.to_jsonl(timings))


def drawn(records: Sequence[Record], spec: EvaluationSpec) -> list[Record]:
    """The records that are asked, the same ones and in the same order every time.

    Raises:
        ModelError: there is none.
    """
    if not records:
        raise ModelError("timing was asked of no record: expected at least one. Check the test side of the split.")
    return sorted(records, key=lambda record: digest_of(record.id))[: spec.latency_requests]


def in_turn(
    timers: Sequence[Callable[[int, str], Timing]], ids: Sequence[str], requests: int, report: Report
) -> list[list[Timing]]:
    """Timings of each timer, after a warm-up of each."""
    found: list[list[Timing]] = [[] for _ in timers]
    for turn, timer in ((turn, timer) for turn in range(WARM_UP) for timer in timers):
        timer(turn % len(ids), ids[turn % len(ids)])
    for turn in range(requests):
        again, place = divmod(turn, len(ids))
        for arm in range(len(timers))[:: 1 if turn % 2 == 0 else -1]:
            found[arm].append(timers[arm](place, f"{ids[place]}#{again + 1}" if again else ids[place]))
        report({"event": "timings", "step": turn + 1, "of": requests})
    return found


def _timer(job: dict[str, Any], weights: Path, records: Sequence[Record]) -> Timer:
    prompt, spec = PromptSpec.model_validate(job["prompt"]), EvaluationSpec.model_validate(job["spec"])
    model, tokenizer = generation.load(weights, job["dtype"], threads())
    room = model.config.max_position_embeddings - spec.max_new_tokens
    prompts = [list(prompting.encode(tokenizer, prompt.system, r.context, None, room).input_ids) for r in records]
    bound = _constraint(job, model, tokenizer) if spec.constrained else None
    return Timer(model, prompts, spec.max_new_tokens, bound)


def _weights(job: dict[str, Any], arm: str, folder: Path) -> Path:
    """Of the candidate; or of what it is timed against: the base alone, or another base and adapter."""
    names = ("base", "adapter") if arm == "candidate" else ("against_base", "against")
    base, learned = (Artifact.model_validate(job[name]) if job.get(name) else None for name in names)
    place = folder / arm
    place.mkdir(exist_ok=True)
    return merged(base or Artifact.model_validate(job["base"]), learned, job["dtype"], place)[0]


def _constraint(job: dict[str, Any], model: Any, tokenizer: Any) -> generation.Constrain:  # noqa: ANN401
    schema = json.loads(store().get(Artifact.model_validate(job["schema"])))
    ends = sorted(generation.ends(model))
    return constraining.Constraint(tokenizer, schema, ends, model.config.vocab_size)
