"""Trials: what baseline and candidate are asked, and what a candidate must show.

What is demanded must be measured, or all would pass; and held-out text, safety and the leak audit, which cost time,
must also be judged: :class:`~assay.spec.RunSpec` refuses either half alone. All else that is measured is shown, and
what of it got worse beyond doubt is told beside the verdict.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assay.bases import BaseSpec
from assay.fields import Fraction, Located, Name, Positive, Said, Sha256, Spec

Variant = Literal["typos", "case", "paraphrase", "long_context"]
"""How a test record is changed without changing its right answer."""

Bound = Annotated[float, Field(ge=1)]
"""A ratio that must not be exceeded."""


class BenchmarkSpec(Spec):
    """Items in a file: what the model could do before, and should still."""

    name: Name
    uri: Located
    digest: Sha256 | None = None
    """Of the bytes. If it is given, other bytes are refused; if not, it is filled in when a run starts."""


class HarnessSpec(Spec):
    """Tasks of EleutherAI's lm-evaluation-harness, asked beside the embedded items (extra ``lm-eval``)."""

    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of tasks or groups."""

    include: Located | None = None
    """A folder of task files of one's own. The harness's own tasks fetch their data from a hub."""

    limit: Positive | None = None
    """Items of each task, drawn by digest of the document and not the first ones; all of them if absent."""


class RobustnessSpec(Spec):
    """Test records asked again, changed in a way that should not matter."""

    variants: Annotated[tuple[Variant, ...], Field(min_length=1)]
    records: Positive
    """Records that are changed, the same for each variant."""

    seed: Annotated[int, Field(ge=0)] = 0


class EvaluationSpec(Spec):
    """What baseline and candidate are asked, in the same way."""

    max_new_tokens: Positive
    batch_size: Positive
    """Prompts decoded together; part of identity because the shape of a batch moves greedy text."""

    engine: Literal["transformers", "vllm"] = "transformers"
    """What decodes; ``vllm`` needs a GPU and the extra of that name."""

    constrained: bool = False
    """Whether an answer can only be what the output schema allows; both models are then asked so."""

    latency_requests: Positive = 30
    """Single requests timed, after a warm-up, of both models in turn."""

    slices: tuple[str, ...] = ()
    """Attributes by whose values the metrics are also given."""

    metrics: dict[str, str] = Field(default_factory=dict)
    """Further metrics of an answer: name → ``package.module:Class``, a subclass of ``evaluate.Metric``."""

    general_ability: BenchmarkSpec
    harness: HarnessSpec | None = None
    held_out_text: BenchmarkSpec | None = None
    """Texts that no model has seen, for perplexity."""

    safety: BenchmarkSpec | None = None
    """Requests that should be refused, and their harmless likes that should not."""

    robustness: RobustnessSpec | None = None
    calibration_records: Annotated[int, Field(ge=0)] = 0
    """Test records on which every value of the label is weighed, if the schema lists them; none by default."""

    @model_validator(mode="after")
    def _engine_can_be_constrained(self) -> Self:
        if self.constrained and self.engine != "transformers":
            raise ValueError(f"constrained: found engine {self.engine}, expected transformers, which can be")
        return self


class GateSpec(Spec):
    """What a candidate must show. There are no defaults that pass; what is absent is not asked."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    """Of each one-sided bound, such as 0.95."""

    target: str
    """The metric on which the candidate must be superior: ``exact_match``, ``field_accuracy``, or one of the recipe's
    own metrics."""

    min_gain: Fraction
    """By at least this much, as a share of items, at the lower bound."""

    further_targets: dict[str, Fraction] = Field(default_factory=dict)
    """Other metrics on which it must be superior, and by how much."""

    min_format_adherence: Fraction
    """At the lower bound."""

    ability_margin: Fraction
    """Non-inferiority margin on general ability, as a share of items."""

    max_perplexity_ratio: Bound | None = None
    """Candidate's perplexity on held-out text over the baseline's, at the upper bound."""

    safety_margin: Fraction | None = None
    """Non-inferiority margin on the harmful requests that are refused, as a share of them."""

    over_refusal_margin: Fraction | None = None
    """The same on their harmless likes that are answered; shown and not judged if absent."""

    slice_margin: Fraction | None = None
    """Non-inferiority margin of the target on every slice."""

    min_slice: Positive = 30
    """Records below which a slice is shown and not judged."""

    robustness_margin: Fraction | None = None
    """What the candidate may lose of its target metric when the same records come in another form."""

    max_latency_ratio: Bound
    """Candidate's median latency over the baseline's, at the upper bound."""

    max_leak_rate: Fraction | None = None
    """Share of the leak audit's prompts that are answered with a redacted value, at the upper bound."""

    max_exposure: Annotated[float, Field(ge=0)] | None = None
    """Bits by which a planted and redacted canary may be likelier than one never planted, at the upper bound."""


class LeakAuditSpec(Spec):
    """How it is tried whether a model gives back what redaction removed."""

    mode: Literal["cheap", "full"] = "cheap"
    """``cheap`` for each run, ``full`` for a release; what each costs is in :mod:`assay.evaluation.memorisation`."""

    seed: Annotated[int, Field(ge=0)] = 0


class ApproachesSpec(Spec):
    """Ways to the same end that are compared by ``assay decide``: prompting, retrieval, fine-tuning."""

    records: Positive = 200
    """Test records that every arm answers, the same for all."""

    shots: Positive = 4
    """Examples in a few-shot prompt."""

    retrieved: Positive = 4
    """Nearest training records in a retrieval-augmented prompt."""

    system: Said | None = None
    """The system turn of prompted arms, written to be prompted with; the recipe's own if absent."""

    constrained: bool = False
    """Whether every arm is asked once more with its decoding bound to the output schema."""

    bases: tuple[BaseSpec, ...] = ()
    """Further base models that are prompted beside the recipe's own, such as a larger one."""

    learning_curve: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    """Shares of the training records on which adapters are trained besides, to see whether more would pay."""

    margin: Fraction = 0.02
    """Difference of the gate's target, as a share of items, up to which two arms count as equally good."""

    volume: Positive | None = None
    """Requests that are expected over the life of the model, over which training is repaid; not weighed if absent."""

    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _shares_rise(self) -> Self:
        if list(self.learning_curve) != sorted(set(self.learning_curve)):
            raise ValueError(f"learning_curve: found {list(self.learning_curve)}, expected shares that rise")
        return self

    @model_validator(mode="after")
    def _bases_differ(self) -> Self:
        digests = [base.digest for base in self.bases]
        if len(set(digests)) != len(digests):
            raise ValueError("bases: found one digest twice, expected models that differ")
        return self
