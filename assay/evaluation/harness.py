"""The harness: tasks of EleutherAI's lm-evaluation-harness, document by document.

Any task that lm-eval knows by name, or that a folder of task files describes, is put to a model that is loaded already,
and each document comes back as a :class:`~assay.outcomes.Choice` that a paired test can pair::

    score(model, tokenizer, ["blimp"], Path("tasks"), 500, 32)

A document is right if the task's own metric says so: ``acc_norm`` if the task has it, else ``acc``, else
``exact_match``, under the task's first filter. The margin is what that metric compares: log-likelihoods in nats, for
``acc_norm`` in nats per character; 0 where nothing is compared (generated text, a single continuation). A task whose
metric is a mean of something else, such as perplexity, has no documents that are right or wrong, and is refused.

What lm-eval's own command would print is what is computed here: the same seeds, the same order, the same arithmetic
(Gao et al. 2021, doi:10.5281/zenodo.5371628). Two things are different. ``limit`` draws documents by digest, whereas
lm-eval takes the first ones, which in a file sorted by paradigm are of few paradigms. And it calls no git, prints
nothing, asks no network for a task whose data are on this machine, and leaves random states and settings as they were.

``metadata: {group: FIELD}`` in a task file names the field of a document by whose value errors are clustered (a
paradigm, a passage); without it the group is the task, for display, and each document stands for itself. A task file
may name Python functions (``!function``), which run: include only folders you trust. What does not fit the model's
window is refused, where lm-eval would cut it.
"""

import copy
import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from assay.artifacts import digest_of
from assay.errors import ModelError, RecipeError
from assay.evaluation import harness_tasks
from assay.evaluation.harness_tasks import Loaded
from assay.outcomes import Choice

VERSION = 1

RIGHT_OR_WRONG = ("acc_norm", "acc", "exact_match")
"""Metrics of a single document that say whether it is right, the one that decides first."""

BOOTSTRAPS = 100_000
"""Resamples behind a standard error that has no formula, as many as lm-eval's command takes."""

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any
Task = Any
"""Of lm-eval."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model said to tasks."""

    choices: list[Choice]
    results: dict[str, dict[str, Any]]
    """Task or group → metric → value, as lm-eval gives it."""


def score(  # noqa: PLR0913, PLR0917 — model, what it is asked, and how much of it: each is one thing
    model: Model, tokenizer: Tokenizer, tasks: Sequence[str], include: Path | None, limit: int | None, batch_size: int
) -> list[Choice]:
    """Ask ``model`` the documents of ``tasks``: one outcome for each, called ``TASK:PLACE``.

    Args:
        model: A causal model of transformers.
        tokenizer: Its fast tokenizer.
        tasks: Names of tasks or groups.
        include: A folder of task files.
        limit: Documents of each task; all of them if absent.
        batch_size: Requests read together.

    Raises:
        RecipeError: lm-eval is not installed, a task is unknown, cannot be built, or has no right and wrong.
        SourceError: a task's data cannot be had.
        ModelError: a document does not fit the model's window.
    """
    return ask(model, tokenizer, tasks, include, limit, batch_size, bootstraps=0).choices


def ask(  # noqa: PLR0913, PLR0917 — as above
    model: Model,
    tokenizer: Tokenizer,
    tasks: Sequence[str],
    include: Path | None,
    limit: int | None,
    batch_size: int,
    *,
    bootstraps: int = BOOTSTRAPS,
) -> Asked:
    """As :func:`score`, with lm-eval's own results beside the outcomes."""
    with harness_tasks.opened(tasks, include) as loaded:
        from lm_eval import evaluate

        metrics = {name: _metric(name, task) for name, task in loaded["tasks"].items()}
        found = evaluate(
            _reader(model, tokenizer, batch_size),
            loaded,
            samples=_drawn(loaded, limit),
            bootstrap_iters=bootstraps,
        )
        return Asked(
            choices=[
                outcome
                for name, task in loaded["tasks"].items()
                for outcome in _outcomes(name, task, metrics[name], found["samples"][name])
            ],
            results=found["results"],
        )


def digest(tasks: Sequence[str], include: Path | None, limit: int | None = None) -> dict[str, JsonValue]:
    """What identifies the question: lm-eval's release, and of each task its version and all that a model is shown.

    Raises:
        RecipeError, SourceError: as for :func:`score`.
    """
    with harness_tasks.opened(tasks, include) as loaded:
        drawn = _drawn(loaded, limit) or {}
        return {
            "lm_eval": importlib.metadata.version("lm-eval"),
            "files": _files(include) if include else None,
            "limit": limit,
            "tasks": {
                name: {
                    "version": str(task.VERSION),
                    "metric": _metric(name, task),
                    "asked": _asked(task, drawn.get(name)),
                }
                for name, task in sorted(loaded["tasks"].items())
            },
        }


def minimal_pairs(documents: Any) -> Any:  # noqa: ANN401
    """Of a general-ability file, the items of kind ``minimal_pair``: for ``process_docs`` in a task file."""
    return documents.filter(lambda item: item["kind"] == "minimal_pair")


def clozes(documents: Any) -> Any:  # noqa: ANN401
    """Of a general-ability file, the items of kind ``cloze``."""
    return documents.filter(lambda item: item["kind"] == "cloze")


def choices(documents: Any) -> Any:  # noqa: ANN401
    """Of a general-ability file, the items of kind ``choice``."""
    return documents.filter(lambda item: item["kind"] == "choice")


def _metric(name: str, task: Task) -> str:
    """The metric by which a document of ``task`` is right or wrong."""
    if getattr(task, "UNSAFE_CODE", False) or getattr(task, "MULTIMODAL", False):
        raise RecipeError(
            f"evaluation.harness.tasks: {name} runs generated code, or shows pictures or sound; expected a task of "
            "text alone. Leave it out."
        )
    known = list(task.aggregation())
    found = next((metric for metric in RIGHT_OR_WRONG if metric in known), None)
    if found is None:
        raise RecipeError(
            f"evaluation.harness.tasks: {name} is measured by {', '.join(known) or 'nothing that it names'}; expected "
            f"one of {', '.join(RIGHT_OR_WRONG)}, which says of each document whether it is right. Leave it out; for "
            "perplexity there is evaluation.held_out_text."
        )
    return found


def _drawn(loaded: Loaded, limit: int | None) -> dict[str, list[int]] | None:
    """Places of the documents that are asked, rising, for each task; None for all."""
    if limit is None:
        return None
    drawn = {}
    for name, task in loaded["tasks"].items():
        keys = [hashlib.sha256(_canonical(document)).digest() for document in task.eval_docs]
        drawn[name] = sorted(sorted(range(len(keys)), key=lambda place: (keys[place], place))[:limit])
    return drawn


def _outcomes(name: str, task: Task, metric: str, samples: Sequence[dict[str, Any]]) -> Iterator[Choice]:
    """One outcome for each document, under the task's first filter."""
    metadata = task.get_config("metadata")
    field = metadata.get("group") if isinstance(metadata, dict) else None
    for sample in samples:
        if sample["filter"] != samples[0]["filter"]:
            return
        value = sample.get(metric)
        if value not in {0, 1}:
            raise RecipeError(
                f"evaluation.harness.tasks: {name} gives a document's {metric} as {type(value).__name__}, neither 0 "
                "nor 1; expected right or wrong. Leave it out."
            )
        yield Choice(
            id=f"{name}:{sample['doc_id']}",
            group=f"{name}: {_group(name, sample['doc'], field)}" if field else name,
            kind="" if field else "document",
            correct=bool(value),
            margin=_margin(task, metric, sample),
        )


def _group(name: str, document: Mapping[str, Any], field: str) -> str:
    if field not in document:
        raise RecipeError(
            f"evaluation.harness.tasks: the file of {name} names {field!r} as metadata.group; expected a field of its "
            f"documents: {', '.join(document)}. Mend the file."
        )
    return str(document[field])


def _margin(task: Task, metric: str, sample: dict[str, Any]) -> float:
    """Score of the best right choice minus that of the best wrong one; 0 if choices were not compared."""
    if task.OUTPUT_TYPE != "multiple_choice" or metric == "exact_match":
        return 0.0
    texts = task.doc_to_choice(sample["doc"])
    told = task.doc_to_text(sample["doc"]) if getattr(task, "multiple_input", 0) else sample["target"]
    gold = {
        texts.index(each) if isinstance(each, str) else each for each in (told if isinstance(told, list) else [told])
    }
    sums = [float(answer[0]) for answer in sample["filtered_resps"][: len(texts)]]
    scores = [total / len(text) if metric == "acc_norm" else total for total, text in zip(sums, texts, strict=True)]
    right = [value for place, value in enumerate(scores) if place in gold]
    wrong = [value for place, value in enumerate(scores) if place not in gold]
    return max(right) - max(wrong) if right and wrong else 0.0


def _asked(task: Task, places: list[int] | None) -> str:
    """Digest of all that a model is shown and of what is right, few-shot examples included."""
    task.build_all_requests(samples=places)
    return digest_of([[list(map(_plain, each.args)), _plain(task.doc_to_target(each.doc))] for each in task.instances])


def _files(folder: Path) -> str:
    """Digest of the task files in ``folder`` and of the Python beside them."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in {"", ".py", ".yaml", ".yml"})
    return digest_of(
        {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    )


def _canonical(document: Any) -> bytes:  # noqa: ANN401
    return json.dumps(document, sort_keys=True, ensure_ascii=False, default=str).encode()


def _plain(value: Any) -> str:  # noqa: ANN401
    return _canonical(value).decode()


def _reader(model: Model, tokenizer: Tokenizer, batch_size: int) -> Any:  # noqa: ANN401
    """The model as lm-eval reads with it, which refuses what it would have to cut."""
    from lm_eval.models.huggingface import HFLM

    class Whole(HFLM):
        def _loglikelihood_tokens(self, requests: Any, *rest: Any, **others: Any) -> Any:  # noqa: ANN401
            longest = max(len(context) + len(continuation) for _, context, continuation in requests)
            _refuse_too_long(longest, self.max_length + 1)
            return super()._loglikelihood_tokens(requests, *rest, **others)

        def tok_batch_encode(self, strings: list[str], *rest: Any, left_truncate_len: Any = None, **others: Any) -> Any:  # noqa: ANN401
            found = super().tok_batch_encode(strings, *rest, **others)
            _refuse_too_long(found[0].shape[1], left_truncate_len)
            return found

    padded = tokenizer if tokenizer.pad_token_id is not None else copy.deepcopy(tokenizer)  # lm-eval would change it
    return Whole(pretrained=model, tokenizer=padded, batch_size=batch_size)


def _refuse_too_long(found: int, most: int | None) -> None:
    if most is not None and found > most:
        raise ModelError(
            f"evaluation.harness.tasks: found a request of {found} tokens; expected at most {most}, which the model "
            "reads at once beside what it may answer. Leave that task out, or show fewer examples."
        )
