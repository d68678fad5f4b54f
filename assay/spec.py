"""The run specification: one frozen object, a recipe, that decides a candidate model.

A value is here exactly if changing it may change the model or the judgement of it. Where a step
runs, under which token, on which device, how often it saves a checkpoint, is a deployment's
business. Two kinds of field are told apart from those: :data:`Located` says where bytes were found
(their digest bears identity, so the same bytes at another path make the same model), and
:data:`Declared` says by what right they are used; both are shown in reports and are in no key of a
step that computes.

A recipe is a YAML file. Relative URIs in it start at its own folder.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assay.bases import BaseSpec
from assay.fields import Declared, Fraction, Located, Name, Positive, Said, Sha256, Spec
from assay.policy import MeasurementSpec, RedactionSpec
from assay.trials import ApproachesSpec, EvaluationSpec, GateSpec, LeakAuditSpec
from assay.tuning import PriceSpec, ReplaySpec, TrainingSpec


class ColumnsSpec(Spec):
    """Which column of the source holds what. Give ``messages``, or ``prompt`` and ``completion``."""

    messages: str | None = None
    """A list of ``{role, content}`` that ends on the assistant's answer."""

    prompt: str | None = None
    """The user's text."""

    completion: str | None = None
    """The answer to learn; a JSON value is kept as its JSON text."""

    subject: str
    """Who the record is about: splitting and erasure go by it. Kept only as a keyed pseudonym."""

    id: str | None = None
    """A stable key that is not personal data; without one, a digest of the row serves."""

    attributes: tuple[str, ...] = ()
    """Columns kept for slices and expectations, as text. They must not hold personal data."""

    known_values: dict[str, str] = Field(default_factory=dict)
    """Entity type → column whose value is personal data about the subject; redaction looks for it in the text."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if (self.messages is None) == (self.prompt is None) or (self.prompt is None) != (self.completion is None):
            raise ValueError("name either `messages`, or both `prompt` and `completion`")
        return self

    @model_validator(mode="after")
    def _personal_columns_stay_out(self) -> Self:
        personal = {self.subject, *self.known_values.values()}
        if shown := sorted(personal & {*self.attributes, self.id}):
            raise ValueError(f"{shown} hold personal data: they cannot be `id` or `attributes`, which are not redacted")
        return self


class SourceSpec(Spec):
    """Records to ingest, and the right to do so."""

    name: Name
    uri: Located
    """A path, a URL that fsspec opens, or ``hub:ORG/NAME`` for a dataset on a hub."""

    format: Literal["jsonl", "csv", "parquet", "datasets", "hub"]
    columns: ColumnsSpec
    licence: Declared
    lawful_basis: Declared
    """Why these records may be used for training, in the words of the record of processing."""

    side: Literal["train", "validation", "test"] | None = None
    """Pins every record to one side; without it the subject decides."""

    revision: str | None = None
    """Commit of a hub dataset."""

    digest: Sha256 | None = None
    """Of the bytes. If it is given, other bytes are refused; if not, it is filled in when a run starts."""


class PromptSpec(Spec):
    """What stands around the user's text, and what must come back."""

    system: Said
    """Sent as the system turn, to the baseline and the candidate alike."""

    output_schema: Located
    """URI of the JSON schema that an answer must satisfy."""

    label: Said
    """Field of the answer that macro F1 is computed on."""


class ExpectationsSpec(Spec):
    """The suite at each doorway, by URI."""

    raw: Located
    redacted: Located
    curated: Located
    splits: Located
    predictions: Located
    waivers: Located | None = None
    """Failures that a named person lets pass until a date."""


DOORWAYS: tuple[str, ...] = ("raw", "redacted", "curated", "splits", "predictions")
"""Where a suite stands, in the order in which records pass them."""


OnFound = Literal["review", "drop"]
"""List what was found for a person to look at, or drop it as well."""


class ContaminationSpec(Spec):
    """When a training record counts as quoting an evaluation text (n-gram overlap)."""

    words: Positive = 13
    """In a run; Brown et al. (2020) used 13."""

    overlap: Fraction = 0.5
    """Share of the shorter text's runs that must be shared for a record to count as a quotation."""

    max_share: Fraction = 0.05
    """Above this share of the records the source is refused, not trimmed."""


class NearDuplicatesSpec(Spec):
    """When two records say nearly the same (Broder 1997)."""

    shingle_words: Positive = 2
    """Consecutive words that make a shingle."""

    jaccard: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Shared shingles over all shingles of both, from which two records are near duplicates."""

    on_found: OnFound = "drop"
    """Twins whose labels differ are listed for review whatever this says: one of the two is wrong."""


class LabelNoiseSpec(Spec):
    """Which labels to doubt: confident learning on out-of-fold predictions (Northcutt et al. 2021)."""

    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: Annotated[int, Field(ge=0)] = 0
    on_found: OnFound = "review"


class OutliersSpec(Spec):
    """Which records are unlike the rest, in length or in language."""

    deviations: Annotated[float, Field(gt=0)] = 5.0
    """Modified z-score of the logarithm of the length (Iglewicz and Hoaglin 1993) above which a text is an outlier."""

    language_share: Fraction = 0.02
    """A language that fewer of the records are in is an outlier."""

    min_words: Positive = 12
    """A shorter text's language is not judged."""

    on_found: OnFound = "review"


class BalanceSpec(Spec):
    """How far the label's classes may differ in size."""

    max_ratio: Annotated[float, Field(ge=1)] | None = None
    """Records of a class that has more than this many times those of the smallest are dropped; none if absent."""

    slices: tuple[str, ...] = ()
    """Attributes by whose values label shares are compared."""


class CurationSpec(Spec):
    """What leaves the training set, what a person should look at, and what a person decided."""

    corrections: Located | None = None
    """File of decisions on single records, as `assay curate correct` writes it."""

    contamination: ContaminationSpec = ContaminationSpec()
    near_duplicates: NearDuplicatesSpec = NearDuplicatesSpec()
    label_noise: LabelNoiseSpec = LabelNoiseSpec()
    outliers: OutliersSpec = OutliersSpec()
    balance: BalanceSpec = BalanceSpec()


class SplitSpec(Spec):
    """Shares of subjects, not of records, so that nobody is on both sides."""

    train: Fraction
    validation: Fraction
    test: Fraction
    salt: str = "0"

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1):
            raise ValueError(f"split shares must sum to 1, got {total:g}")
        return self


class ReleaseSpec(Spec):
    """Under which name the candidate is registered."""

    model: Name


class RunSpec(Spec):
    """A recipe, parsed."""

    name: Name
    owner: Said
    purpose: Said
    intended_use: Said
    sources: Annotated[tuple[SourceSpec, ...], Field(min_length=1)]
    base: BaseSpec
    prompt: PromptSpec
    expectations: ExpectationsSpec
    redaction: RedactionSpec
    measurement: MeasurementSpec
    curation: CurationSpec
    split: SplitSpec
    training: TrainingSpec
    replay: ReplaySpec | None = None
    repeat_seeds: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Seeds of further trainings that only show how far chance moves a result; none of them is a candidate."""

    price: PriceSpec | None = None
    evaluation: EvaluationSpec
    leak_audit: LeakAuditSpec | None = None
    approaches: ApproachesSpec | None = None
    gate: GateSpec
    release: ReleaseSpec

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError(f"sources: names must differ, got {names}")
        return self

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        seeds = [self.training.seed, *self.repeat_seeds]
        if len(set(seeds)) != len(seeds):
            raise ValueError(
                f"repeat_seeds: found {list(self.repeat_seeds)}, expected seeds that differ from one another "
                f"and from training.seed, {self.training.seed}"
            )
        return self

    @model_validator(mode="after")
    def _what_is_measured_is_judged(self) -> Self:
        asked, gate = self.evaluation, self.gate
        halves: dict[str, tuple[object, object]] = {
            "evaluation.held_out_text and gate.max_perplexity_ratio": (asked.held_out_text, gate.max_perplexity_ratio),
            "evaluation.safety and gate.safety_margin": (asked.safety, gate.safety_margin),
            "leak_audit and gate.max_leak_rate": (self.leak_audit, gate.max_leak_rate),
            "leak_audit and gate.max_exposure": (self.leak_audit, gate.max_exposure),
        }
        if alone := [names for names, (one, other) in halves.items() if (one is None) != (other is None)]:
            raise ValueError(f"{'; '.join(alone)}: found one of two, expected both or neither")
        needed = {
            "gate.robustness_margin": (gate.robustness_margin, "evaluation.robustness", asked.robustness),
            "gate.over_refusal_margin": (gate.over_refusal_margin, "evaluation.safety", asked.safety),
            "gate.slice_margin": (gate.slice_margin, "evaluation.slices", asked.slices),
        }
        for demand, (margin, name, given) in needed.items():
            if margin is not None and not given:
                raise ValueError(f"{demand}: found no {name}, expected it; say what to ask")
        return self

    @model_validator(mode="after")
    def _targets_are_measured(self) -> Self:
        known = {"exact_match", "field_accuracy", *self.evaluation.metrics}
        if unknown := sorted({self.gate.target, *self.gate.further_targets} - known):
            raise ValueError(f"gate: found the targets {unknown}, expected metrics among {sorted(known)}")
        return self

    @model_validator(mode="after")
    def _what_is_measured_is_replaced(self) -> Self:
        if fault := self.measurement.fault(self.redaction):
            raise ValueError(f"measurement.{fault}")
        return self

    @model_validator(mode="after")
    def _known_values_are_masked(self) -> Self:
        known = {kind for source in self.sources for kind in source.columns.known_values}
        if kept := sorted(known - set(self.redaction.entities)):
            raise ValueError(f"redaction.policy keeps {kept}, which sources give as known personal data; mask them")
        return self
