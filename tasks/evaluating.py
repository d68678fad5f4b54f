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
    calibration,
    constraining,
    generation,
    harness,
    likelihood,
    reading,
    safety,
    scoring,
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
from tasks import merging, shards
from tasks.merging import merged
from tasks.places import checkout, store, threads
from tasks.remembered import LAYING, LIBRARIES, machine, remembered, way

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VERSION = 1  # Raise on any change here that could change an evaluation: it is part of its key.

SLACK = 8
"""Tokens that an answer may be longer by if another value stands in it: tokens end elsewhere then."""

Report = Callable[[dict[str, Any]], None]
Prompts = Sequence[list[int]]

METHODS = (generation, likelihood, prompting, scoring, *LAYING, merging, *merging.METHODS)
"""Whose versions two evaluations must share to be compared, whatever they were asked."""

METRICS = ("exact_match", "field_accuracy", "format_adherence", "label_f1")
"""The same, by name below ``assay.evaluation.metrics``: importing them imports ``evaluate``."""


class Asked(NamedTuple):
    """A model, and what it is asked by."""

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
    spec = EvaluationSpec.model_validate(job["spec"])
    prompt, questions = PromptSpec.model_validate(job["prompt"]), Questions.model_validate(job["questions"])
    records = [row for shard in shards.each(Dataset.model_validate(job["test"])) for row in shard]
    varied = variants.draw(records, spec.robustness) if spec.robustness else []
    every = [*records, *varied]
    # Another engine takes the device for itself, so it is through before this one's weights are there.
    said = _elsewhere(place, job["dtype"], prompt, spec, every, report) if spec.engine == "vllm" else None
    model, tokenizer = generation.load(place, job["dtype"], threads())
    asked = Asked(digest, model, tokenizer, prompt, spec, questions)
    prompts = _prompts(tokenizer, prompt, model.config.max_position_embeddings - spec.max_new_tokens, every)
    answers = _scored(asked, every, said or _said(asked, prompts, report))
    choices = _choices(asked, report)
    more: dict[str, Sequence[evaluations.Outcome]] = {
        "texts": _texts(asked),
        "probes": _probes(asked),
        "variants": answers[len(records) :],
        "guesses": _guesses(asked, records, prompts),
    }
    summary = _summary(asked, answers[: len(records)], choices, more)
    evaluation = Evaluation(
        question=_question(asked, job, every, prompts), model=digest, **summary, environment=_environment(asked)
    )
    of_every: dict[str, Sequence[evaluations.Outcome]] = {"answers": answers[: len(records)], "choices": choices}
    for name, outcomes in (of_every | more).items():
        if outcomes:
            write_atomically(folder / f"{name}.jsonl", evaluations.to_jsonl(outcomes))
    write_atomically(folder / "summary.json", evaluation.model_dump_json(indent=1).encode())


def _environment(asked: Asked) -> dict[str, Any]:
    """Where it was asked, and by what, as a report shows it."""
    told = {**machine(asked.model), "machine": platform.machine(), "answers by": asked.spec.engine}
    return told | ({} if asked.spec.engine == "transformers" else {"requests timed with": "transformers"})


def _prompts(tokenizer: "PreTrainedTokenizerBase", prompt: PromptSpec, room: int, of: Iterable[Record]) -> Prompts:
    return [list(prompting.encode(tokenizer, prompt.system, r.context, None, room).input_ids) for r in of]


def _elsewhere(
    place: Path, dtype: str, prompt: PromptSpec, spec: EvaluationSpec, records: Sequence[Record], report: Report
) -> list[str]:
    """Answers of the other engine, to the very prompts that this one would be asked."""
    from transformers import AutoConfig, AutoTokenizer

    vllm.check()
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True, trust_remote_code=False)
    config = AutoConfig.from_pretrained(place, local_files_only=True, trust_remote_code=False)
    prompts = _prompts(tokenizer, prompt, config.max_position_embeddings - spec.max_new_tokens, records)
    return vllm.answer(place, dtype, prompts, spec.max_new_tokens, spec.batch_size, _heard(report))


def _said(asked: Asked, prompts: Prompts, report: Report) -> list[str]:
    spec = asked.spec
    how = (prompts, spec.max_new_tokens, spec.batch_size, _heard(report))
    with remembered("answers", asked.digest, way(asked.model, generation)) as known:
        return generation.answer(asked.model, asked.tokenizer, *how, known=known, constrain=constraint(asked))


def _heard(report: Report) -> Callable[[int, int], None]:
    return lambda done, of: report({"event": "answers", "step": done, "of": of})


def _scored(asked: Asked, records: Sequence[Record], said: Sequence[str]) -> list[Answer]:
    return scoring.score(records, said, schema(asked.questions), asked.prompt.label, asked.spec.metrics)


def constraint(asked: Asked) -> constraining.Constraint | None:
    """What keeps answers within the schema, if the recipe asks for that."""
    if not asked.spec.constrained:
        return None
    ends = sorted(generation.ends(asked.model))
    return constraining.Constraint(asked.tokenizer, schema(asked.questions), ends, asked.model.config.vocab_size)


def _choices(asked: Asked, report: Report) -> list[Choice]:
    items = likelihood.parse(store().get(asked.questions.benchmark))
    with remembered("choices", asked.digest, way(asked.model, likelihood)) as known:
        found = likelihood.score(asked.model, asked.tokenizer, items, asked.spec.batch_size, known)
    if own := asked.spec.harness:
        include = checkout(asked.questions.harness) if asked.questions.harness else None
        found += harness.score(asked.model, asked.tokenizer, own.tasks, include, own.limit, asked.spec.batch_size)
    report({"event": "choices", "step": len(found), "of": len(found)})
    return found


def _texts(asked: Asked) -> list[TextLoss]:
    if (filed := asked.questions.text) is None:
        return []
    with remembered("readings", asked.digest, way(asked.model, reading)) as known:
        return texts.score(asked.model, asked.tokenizer, texts.parse(store().get(filed)), asked.spec.batch_size, known)


def _probes(asked: Asked) -> list[Choice]:
    if (filed := asked.questions.safety) is None:
        return []
    with remembered("readings", asked.digest, way(asked.model, reading)) as known:
        return safety.score(
            asked.model, asked.tokenizer, safety.parse(store().get(filed)), asked.spec.batch_size, known
        )


def _guesses(asked: Asked, records: Sequence[Record], prompts: Sequence[list[int]]) -> list[Guess]:
    label, size = asked.prompt.label, asked.spec.batch_size
    labels = calibration.labels(schema(asked.questions), label)
    chosen = sorted(range(len(records)), key=lambda place: digest_of(records[place].id))
    chosen = sorted(chosen[: asked.spec.calibration_records]) if labels else []
    fitting = {place: row for place in chosen if (row := _before(asked, records[place], prompts[place], labels))}
    if not fitting:
        return []
    rows, of = list(fitting.values()), [records[place] for place in fitting]
    with remembered("readings", asked.digest, way(asked.model, reading)) as known:
        return calibration.guess(asked.model, asked.tokenizer, rows, of, label, labels, size, known)


def _before(asked: Asked, record: Record, prompt: list[int], labels: Sequence[str]) -> list[int] | None:
    """The prompt of a record that is given the beginning of its answer as well, cut further if both need that.

    An answer may be longer than what is asked for; None if nothing is left to cut, so that the record is left out.
    """
    texts = [record.completion, max((json.dumps(each) for each in labels), key=len)]
    answer = sum(len(asked.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts) + SLACK
    room = asked.model.config.max_position_embeddings - answer
    if len(prompt) <= room:
        return prompt
    row = prompting.encode(asked.tokenizer, asked.prompt.system, record.context, None, room)
    return list(row.input_ids) if row.fits else None


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
        "slices": sorted(spec.slices),
        "calibration_records": spec.calibration_records,
        "held_out_text": filed.text.digest if filed.text else None,
        "safety": filed.safety.digest if filed.safety else None,
        "robustness": spec.robustness.model_dump(mode="json") if spec.robustness else None,
        "methods": {method.__name__: method.VERSION for method in (*METHODS, *_further(asked))} | {__name__: VERSION},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES} | filed.releases,
    }
    if own := spec.harness:
        include = checkout(filed.harness) if filed.harness else None
        told["harness"] = harness.digest(own.tasks, include, own.limit)
    return told


def _further(asked: Asked) -> list[ModuleType]:
    """Methods that these questions in particular go through, and what scores the answers."""
    spec, filed = asked.spec, asked.questions
    wanted: dict[ModuleType, object] = {
        reading: filed.text or filed.safety or spec.calibration_records,
        texts: filed.text,
        safety: filed.safety,
        variants: spec.robustness,
        calibration: spec.calibration_records,
        harness: spec.harness,
        constraining: spec.constrained,
        vllm: spec.engine == "vllm",
    }
    metrics = [importlib.import_module(f"assay.evaluation.metrics.{name}") for name in METRICS]
    return [*metrics, *(method for method, is_asked in wanted.items() if is_asked)]


def schema(questions: Questions) -> dict[str, Any]:
    """The schema that an answer must satisfy."""
    found: dict[str, Any] = json.loads(store().get(questions.schema_))
    return found
