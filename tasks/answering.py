"""Answering: the jobs that ask one way of using a model the locked set, and that time several ways in turn.

A way is a base, an adapter or none, a system turn, examples or none, and whether the schema binds the answer. Examples
stand before the request as turns of a conversation, the nearest last, where a model heeds it most (Zhao et al. 2021,
arXiv:2102.09690, on recency). A prompt that does not fit the window loses examples from the far end first, and that is
counted.

What a model said is remembered by prompt, where :mod:`tasks.evaluating` remembers it too: the tuned model that a run
asked is not asked the same again.
"""

import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from assay import evaluations
from assay.artifacts import Artifact, Dataset, digest_of
from assay.evaluation import constraining, generation, scoring
from assay.model import prompting
from assay.records import Record, Turn
from assay.store import write_atomically
from tasks import alternating, shards
from tasks.merging import merged
from tasks.places import store, threads
from tasks.remembered import machine, remembered, way

VERSION = 2  # Raise on any change here that could change an answer or a timing: it is part of their keys.

Report = Callable[[dict[str, Any]], None]
Model = Any
Tokenizer = Any


class Loaded(NamedTuple):
    """A model in memory."""

    model: Model
    tokenizer: Tokenizer
    digest: str
    """Of what its weights are made of."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request as a model reads it."""

    ids: list[int]
    examples: int
    """That stand in it."""

    lost: int
    """That found no room."""

    cut: bool
    """Whether even the request itself lost its beginning."""


def answer(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Ask one way the whole set; leave ``answers.jsonl`` and ``facts.json``."""
    model, tokenizer, digest = _loaded(job, folder)
    asked, how = _records(job["asked"]), job["how"]
    prompts = prompts_of(job, tokenizer, model, asked)
    bound = constraint(job, model, tokenizer)

    def heard(done: int, of: int) -> None:
        report({"event": "answers", "step": done, "of": of})

    ids = [prompt.ids for prompt in prompts]
    room, size = how["max_new_tokens"], how["batch_size"]
    with remembered("answers", digest, way(model, generation)) as known:
        said = generation.answer(model, tokenizer, ids, room, size, heard, known=known, constrain=bound)
    answers = scoring.score(asked, said, _schema(job), job["label"], how["metrics"])
    facts = facts_of(prompts) | {"environment": machine(model) | {"machine": platform.machine()}}
    write_atomically(folder / "answers.jsonl", evaluations.to_jsonl(answers))
    write_atomically(folder / "facts.json", json.dumps(facts, sort_keys=True).encode())


def clock(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Time single requests of all ways in turn, so that whatever else the machine does falls on each alike.

    Models are held in memory together, each once. What is left is ``timings.json``: name of the way → its timings.
    """
    ways = job["ways"]
    records = _records(ways[0]["asked"])[: job["requests"]]
    timers = [_timer(each, loaded, records) for each, loaded in zip(ways, _sharing(ways, folder), strict=True)]
    found = alternating.in_turn(timers, [record.id for record in records], job["requests"], report)
    told = {made["name"]: [asdict(each) for each in timings] for made, timings in zip(ways, found, strict=True)}
    write_atomically(folder / "timings.json", json.dumps(told, sort_keys=True).encode())


def prompts_of(job: Mapping[str, Any], tokenizer: Tokenizer, model: Model, asked: Sequence[Record]) -> list[Prompt]:
    """The prompt of each request, its examples before it."""
    room = model.config.max_position_embeddings - job["how"]["max_new_tokens"]
    wanted, examples = {}, {}
    if job["examples"]:
        wanted = json.loads(store().get(Artifact.model_validate(job["examples"])))
        examples = {record.id: record for record in _records(job["train"])}
    return [
        prompt(tokenizer, job["system"], [examples[id] for id in wanted.get(record.id, ())], record, room)
        for record in asked
    ]


def prompt(tokenizer: Tokenizer, system: str, nearest: Sequence[Record], request: Record, room: int) -> Prompt:
    """One prompt in at most ``room`` tokens: the examples, nearest last, and the request.

    What has no room beside the whole request is left out, the farthest first; if the request alone has none, its
    beginning goes, as in training.
    """
    for kept in range(len(nearest), -1, -1):
        turns = [turn for record in reversed(nearest[:kept]) for turn in shown(record)]
        row = prompting.encode(tokenizer, system, [*turns, *request.context], None, room)
        if kept == 0 or not row.truncated:
            break
    return Prompt(list(row.input_ids), kept, len(nearest) - kept, row.truncated)


def shown(record: Record) -> list[Turn]:
    """A record as an example: what was said, and the right answer."""
    return [*(turn for turn in record.context if turn.role != "system"), Turn("assistant", record.completion)]


def facts_of(prompts: Sequence[Prompt]) -> dict[str, float]:
    """What all prompts of a way came to."""
    return {
        "prompt_tokens": sum(len(each.ids) for each in prompts) / len(prompts),
        "examples": sum(each.examples for each in prompts) / len(prompts),
        "lost": sum(each.lost for each in prompts),
        "cut": sum(each.cut for each in prompts),
    }


def constraint(job: Mapping[str, Any], model: Model, tokenizer: Tokenizer) -> constraining.Constraint | None:
    """What binds the answers of a way, if anything does."""
    if not job["how"]["constrained"]:
        return None
    ends = sorted(generation.ends(model))
    return constraining.Constraint(tokenizer, _schema(job), ends, int(model.config.vocab_size))


def _sharing(ways: Iterable[Mapping[str, Any]], folder: Path) -> list[Loaded]:
    """The model of each way; one that several use is loaded once."""
    loaded: dict[str, Loaded] = {}
    found = []
    for each in ways:
        name = digest_of([each["base"]["digest"], (each["adapter"] or {}).get("digest")])
        if name not in loaded:
            (folder / name[:12]).mkdir(exist_ok=True)
            loaded[name] = _loaded(each, folder / name[:12])
        found.append(loaded[name])
    return found


def _timer(asked: Mapping[str, Any], loaded: Loaded, records: Sequence[Record]) -> alternating.Timer:
    """What answers one request of a way at a time."""
    model, tokenizer, _ = loaded
    prompts = [each.ids for each in prompts_of(asked, tokenizer, model, records)]
    return alternating.Timer(model, prompts, asked["how"]["max_new_tokens"], constraint(asked, model, tokenizer))


def _loaded(job: Mapping[str, Any], folder: Path) -> Loaded:
    adapter = Artifact.model_validate(job["adapter"]) if job["adapter"] else None
    place, digest = merged(Artifact.model_validate(job["base"]), adapter, job["dtype"], folder)
    return Loaded(*generation.load(place, job["dtype"], threads()), digest)


def _records(filed: Mapping[str, Any]) -> list[Record]:
    return [record for shard in shards.each(Dataset.model_validate(filed)) for record in shard]


def _schema(job: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(store().get(Artifact.model_validate(job["schema"])))
    return schema
