"""Evaluating: the job that asks a model all that a recipe wants to know of it.

Baseline and candidate go through the same lines, so they cannot diverge. Changed records are answered together with the
test side itself: an answer depends on its prompt, and not on what was asked beside it.
"""

import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from assay import evaluations
from assay.artifacts import Artifact, Dataset, Questions, digest_of
from assay.evaluation import (
    attention,
    batching,
    calibration,
    constraining,
    generation,
    harness,
    likelihood,
    reading,
    safety,
    scoring,
    seats,
    texts,
    variants,
    vllm,
)
from assay.evaluations import Evaluation
from assay.model import prompting
from assay.outcomes import Answer, Choice, Guess, TextLoss
from assay.records import Record
from assay.spec import PromptSpec
from assay.store import write_atomically
from assay.trials import EvaluationSpec
from tasks import shards
from tasks.merging import merged
from tasks.places import checkout, store, threads
from tasks.remembered import remembered

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VERSION = 1  # Raise on any change here that could change an evaluation: it is part of its key.

Report = Callable[[dict[str, Any]], None]

LAYING = (attention, batching, seats)
"""How items are laid side by side, on which no result hangs but by rounding."""

METHODS = (generation, likelihood, prompting, scoring, *LAYING)
"""Whose versions two evaluations must share to be compared, whatever they were asked."""

LIBRARIES = ("torch", "transformers", "tokenizers")


class Asked(NamedTuple):
    """A model, and what it is asked by."""

    place: Path
    """Of its weights."""

    digest: str
    """Of its weights."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    prompt: PromptSpec
    spec: EvaluationSpec
    questions: Questions


def evaluate(job: dict[str, Any], folder: Path, report: Report) -> None:
    """Ask a model everything; leave ``summary.json`` and a file of outcomes for each kind of item asked."""
    adapter = Artifact.model_validate(job["adapter"]) if job["adapter"] else None
    place, digest = merged(Artifact.model_validate(job["base"]), adapter, job["dtype"], folder)
    model, tokenizer = generation.load(place, job["dtype"], threads())
    spec = EvaluationSpec.model_validate(job["spec"])
    prompt, questions = PromptSpec.model_validate(job["prompt"]), Questions.model_validate(job["questions"])
    asked = Asked(place, digest, model, tokenizer, prompt, spec, questions)
    records = [row for shard in shards.each(Dataset.model_validate(job["test"])) for row in shard]
    varied = variants.draw(records, spec.robustness) if spec.robustness else []
    prompts = _prompts(asked, [*records, *varied])
    answers = _answers(asked, [*records, *varied], prompts, report)
    choices = _choices(asked, report)
    more: dict[str, Sequence[evaluations.Outcome]] = {
        "texts": _texts(asked),
        "probes": _probes(asked),
        "variants": answers[len(records) :],
        "guesses": _guesses(asked, records, prompts),
    }
    summary = _summary(asked, answers[: len(records)], choices, more)
    evaluation = Evaluation(
        question=_question(asked, job, [*records, *varied], prompts),
        model=digest,
        **summary,
        environment={"threads": threads(), "machine": platform.machine(), "cpu": generation.capability()},
    )
    of_every: dict[str, Sequence[evaluations.Outcome]] = {"answers": answers[: len(records)], "choices": choices}
    for name, outcomes in (of_every | more).items():
        if outcomes:
            write_atomically(folder / f"{name}.jsonl", evaluations.to_jsonl(outcomes))
    write_atomically(folder / "summary.json", evaluation.model_dump_json(indent=1).encode())


def _prompts(asked: Asked, records: Iterable[Record]) -> list[list[int]]:
    window = asked.model.config.max_position_embeddings - asked.spec.max_new_tokens
    system = asked.prompt.system
    return [list(prompting.encode(asked.tokenizer, system, r.context, None, window).input_ids) for r in records]


def _answers(asked: Asked, records: Sequence[Record], prompts: Sequence[list[int]], report: Report) -> list[Answer]:
    def heard(done: int, of: int) -> None:
        report({"event": "answers", "step": done, "of": of})

    spec = asked.spec
    how = (prompts, spec.max_new_tokens, spec.batch_size, heard)
    if spec.engine == "vllm":
        said = vllm.answer(asked.place, str(asked.model.dtype).removeprefix("torch."), *how)
    else:
        with remembered("answers", asked.digest, _way(asked, generation)) as known:
            said = generation.answer(asked.model, asked.tokenizer, *how, known=known, constrain=constraint(asked))
    return scoring.score(records, said, schema(asked.questions), asked.prompt.label, spec.metrics)


def constraint(asked: Asked) -> constraining.Constraint | None:
    """What keeps answers within the schema, if the recipe asks for that."""
    if not asked.spec.constrained:
        return None
    ends = sorted(generation.ends(asked.model))
    return constraining.Constraint(asked.tokenizer, schema(asked.questions), ends, asked.model.config.vocab_size)


def _way(asked: Asked, method: ModuleType) -> dict[str, Any]:
    """All that an item's result may hang on beside the item and the weights."""
    return {
        "methods": {each.__name__: each.VERSION for each in (method, *LAYING)},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "dtype": str(asked.model.dtype),
        "threads": threads(),
        "cpu": generation.capability(),
    }


def _choices(asked: Asked, report: Report) -> list[Choice]:
    items = likelihood.parse(store().get(asked.questions.benchmark))
    with remembered("choices", asked.digest, _way(asked, likelihood)) as known:
        found = likelihood.score(asked.model, asked.tokenizer, items, asked.spec.batch_size, known)
    if own := asked.spec.harness:
        include = checkout(asked.questions.harness) if asked.questions.harness else None
        found += harness.score(asked.model, asked.tokenizer, own.tasks, include, own.limit, asked.spec.batch_size)
    report({"event": "choices", "step": len(found), "of": len(found)})
    return found


def _texts(asked: Asked) -> list[TextLoss]:
    if (filed := asked.questions.text) is None:
        return []
    with remembered("readings", asked.digest, _way(asked, reading)) as known:
        return texts.score(asked.model, asked.tokenizer, texts.parse(store().get(filed)), asked.spec.batch_size, known)


def _probes(asked: Asked) -> list[Choice]:
    if (filed := asked.questions.safety) is None:
        return []
    with remembered("readings", asked.digest, _way(asked, reading)) as known:
        return safety.score(
            asked.model, asked.tokenizer, safety.parse(store().get(filed)), asked.spec.batch_size, known
        )


def _guesses(asked: Asked, records: Sequence[Record], prompts: Sequence[list[int]]) -> list[Guess]:
    labels = calibration.labels(schema(asked.questions), asked.prompt.label)
    chosen = sorted(range(len(records)), key=lambda place: digest_of(records[place].id))
    chosen = sorted(chosen[: asked.spec.calibration_records]) if labels else []
    if not chosen:
        return []
    rows = [prompts[place] for place in chosen]
    of = [records[place] for place in chosen]
    label, size = asked.prompt.label, asked.spec.batch_size
    with remembered("readings", asked.digest, _way(asked, reading)) as known:
        return calibration.guess(asked.model, asked.tokenizer, rows, of, label, labels, size, known)


def _summary(
    asked: Asked, answers: Sequence[Answer], choices: Sequence[Choice], more: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    """The fields of an evaluation that are sums."""
    summed = scoring.summarise(answers, asked.spec.slices)
    rates = {"general_ability": choices, "safety": [probe for probe in more["probes"] if probe.kind == "harmful"]}
    metrics = summed["metrics"] | {
        name: sum(each.correct for each in items) / len(items) for name, items in rates.items() if items
    }
    return {
        "metrics": metrics,
        "fields": summed["fields"],
        "slices": summed["slices"],
        "ability_groups": likelihood.by_group(choices),
        "calibration": calibration.summarise(more["guesses"]).model_dump(mode="json") if more["guesses"] else {},
    }


def _question(
    asked: Asked, job: Mapping[str, Any], records: Sequence[Record], prompts: Sequence[list[int]]
) -> dict[str, Any]:
    """All that must be the same for two evaluations to be compared."""
    spec, filed = asked.spec, asked.questions
    told = {
        "items": digest_of([[r.id, [*p], r.completion] for r, p in zip(records, prompts, strict=True)]),
        "template": prompting.digest(asked.tokenizer, asked.prompt.system),
        "schema": filed.schema_.digest,
        "label": asked.prompt.label,
        "general_ability": filed.benchmark.digest,
        "decoding": {
            "strategy": "greedy",
            "max_new_tokens": spec.max_new_tokens,
            "batch_size": spec.batch_size,
            "engine": spec.engine,
            "constrained": spec.constrained,
        },
        "dtype": job["dtype"],
        "weights": "merged",
        "metrics": {name: [path, filed.metrics.get(name)] for name, path in spec.metrics.items()},
        "calibration_records": spec.calibration_records,
        "held_out_text": filed.text.digest if filed.text else None,
        "safety": filed.safety.digest if filed.safety else None,
        "robustness": spec.robustness.model_dump(mode="json") if spec.robustness else None,
        "methods": {method.__name__: method.VERSION for method in (*METHODS, *_further(asked))},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
    if own := spec.harness:
        include = checkout(filed.harness) if filed.harness else None
        told["harness"] = harness.digest(own.tasks, include, own.limit)
    return told


def _further(asked: Asked) -> list[ModuleType]:
    """Methods that these questions in particular go through."""
    spec, filed = asked.spec, asked.questions
    wanted: dict[ModuleType, object] = {
        texts: filed.text,
        safety: filed.safety,
        variants: spec.robustness,
        calibration: spec.calibration_records,
        harness: spec.harness,
        constraining: spec.constrained,
        vllm: spec.engine == "vllm",
    }
    return [method for method, is_asked in wanted.items() if is_asked]


def schema(questions: Questions) -> dict[str, Any]:
    """The schema that an answer must satisfy."""
    found: dict[str, Any] = json.loads(store().get(questions.schema_))
    return found
