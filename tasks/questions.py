"""Questions: the files that both models are asked from, read, checked and pinned.

Each is checked before anything runs: a benchmark that cannot be read, a schema that is none or a library that is not
there would otherwise be found after training.
"""

import importlib.metadata
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from assay.artifacts import Artifact, Questions
from assay.errors import RecipeError
from assay.evaluation import likelihood, safety, texts
from assay.evaluation.comparison import power
from assay.spec import PromptSpec
from assay.trials import BenchmarkSpec, EvaluationSpec, GateSpec
from tasks.files import contents, pinned
from tasks.places import store

BENCHMARKS: dict[str, Callable[[bytes], object]] = {
    "general_ability": likelihood.parse,
    "held_out_text": texts.parse,
    "safety": safety.parse,
}
"""Files of items that an evaluation may name, and what reads each."""


def questions(spec: EvaluationSpec, prompt: PromptSpec) -> tuple[Questions, dict[str, Artifact]]:
    """All that is asked from, and of it the benchmarks by the field of the recipe that names them.

    Raises:
        RecipeError: a file is not there, is not what it should be, or a library that asks from it is missing.
    """
    benchmarks = _benchmarks(spec)
    schema = _schema(prompt.output_schema)
    _refuse_unknown_label(prompt, schema)
    asked = Questions(
        schema_=schema,
        benchmark=benchmarks["general_ability"],
        text=benchmarks.get("held_out_text"),
        safety=benchmarks.get("safety"),
        harness=_own_tasks(spec),
        metrics=metrics(spec.metrics),
        releases=releases({"lm-eval": spec.harness, "llguidance": spec.constrained, "vllm": spec.engine == "vllm"}),
    )
    return asked, benchmarks


def shown_by(asked: Questions, gate: GateSpec) -> list[str]:
    """What as many items can show of what a gate demands, a sentence each; the test side is not counted here."""
    items = len(likelihood.parse(store().get(asked.benchmark)))
    probes = safety.parse(store().get(asked.safety)) if asked.safety else []
    passages = texts.parse(store().get(asked.text)) if asked.text else []
    harmful = sum(probe.kind == "harmful" for probe in probes)
    plans = power.planned(gate, 0, items, harmful, len(passages))
    return [plan.sentence for plan in plans if plan.name != "target"]


def located(spec: EvaluationSpec, here: Callable[[str], str]) -> EvaluationSpec:
    """An evaluation with every URI made absolute."""
    found: dict[str, Any] = {
        name: each.model_copy(update={"uri": here(each.uri)}) for name, each in _named(spec).items()
    }
    if spec.harness and spec.harness.include:
        found["harness"] = spec.harness.model_copy(update={"include": here(spec.harness.include)})
    return spec.model_copy(update=found)


def with_digests(spec: EvaluationSpec, benchmarks: Mapping[str, Artifact]) -> EvaluationSpec:
    """An evaluation that names its benchmarks by digest."""
    found = {name: each.model_copy(update={"digest": benchmarks[name].digest}) for name, each in _named(spec).items()}
    return spec.model_copy(update=found)


def metrics(named: Mapping[str, str]) -> dict[str, str]:
    """What metrics of a recipe's own are made of: other code measures something else.

    Raises:
        RecipeError: one of them cannot be loaded.
    """
    if not named:
        return {}
    from assay.evaluation.metrics import further

    return further.identity(named)


def releases(wanted: Mapping[str, object]) -> dict[str, str]:
    """Releases of those libraries that are wanted; whoever lacks one is told before anything runs.

    Args:
        wanted: A library that not every recipe needs, by name → whether this one does.

    Raises:
        RecipeError: one is not installed.
    """
    found = {}
    for name in (name for name, is_wanted in wanted.items() if is_wanted):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise RecipeError(
                f"evaluation: found no {name}, which this recipe asks with; expected it installed. "
                f"Install assay[{name}]."
            ) from None
    return found


def _named(spec: EvaluationSpec) -> dict[str, BenchmarkSpec]:
    """The benchmarks that an evaluation names, by the field that does."""
    return {name: each for name in BENCHMARKS if (each := getattr(spec, name)) is not None}


def _benchmarks(spec: EvaluationSpec) -> dict[str, Artifact]:
    found = {name: pinned(each.uri, "benchmark", each.digest) for name, each in _named(spec).items()}
    for name, filed in found.items():
        BENCHMARKS[name](store().get(filed))
    return found


def _own_tasks(spec: EvaluationSpec) -> Artifact | None:
    """The folder of task files of the recipe's own, if it names one."""
    if spec.harness is None or spec.harness.include is None:
        return None
    path = Path(spec.harness.include)
    if not any(path.glob("**/*.yaml")):
        raise RecipeError(
            f"evaluation.harness.include: found no task file (*.yaml) in {path}; expected a folder of them, on a disk "
            "of this machine. Check the path."
        )
    return store().put_tree("harness", path)


def _schema(uri: str) -> Artifact:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    data = contents(uri, "schema")
    try:
        Draft202012Validator.check_schema(json.loads(data))
    except (ValueError, SchemaError) as error:
        # Its message would quote the file, which may be data named by mistake.
        where = f"at {error.json_path}: {error.validator}" if isinstance(error, SchemaError) else "it is not JSON"
        raise RecipeError(
            f"schema {uri}: found no valid JSON schema ({where}); expected draft 2020-12. Mend the file."
        ) from None
    return store().put("schema", data)


def _refuse_unknown_label(prompt: PromptSpec, schema: Artifact) -> None:
    fields = json.loads(store().get(schema)).get("properties", {})
    if prompt.label not in fields:
        raise RecipeError(
            f"prompt.label: found {prompt.label!r}; expected a property of the schema: {', '.join(fields)}."
        )
