"""The policy for personal data: which are looked for, by what, what is put in their place, and what that must show.

Everything in :class:`RedactionSpec` can change a redacted record, so it is in the key of the step that redacts.
:class:`MeasurementSpec` says how redaction is measured in every run and what it must show; it changes no record.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assay.fields import Declared, Fraction, Located, Name, Positive, Sha256, Spec

ENTITY_TYPES: tuple[str, ...] = (
    "SECRET",
    "CREDIT_CARD",
    "IBAN",
    "SSN",
    "EMAIL",
    "URL",
    "IP_ADDRESS",
    "DATE_OF_BIRTH",
    "ADDRESS",
    "ORDER_ID",
    "ACCOUNT_ID",
    "PHONE",
    "USERNAME",
    "PERSON",
    "CITY",
)
"""Every type that is known without a recogniser of one's own. Of two that overlap with equal trust, the earlier names
the whole."""

ALWAYS_MASKED = "SECRET"
"""The type that no policy can keep or imitate: keys, tokens and passwords."""

Action = Literal["mask", "surrogate", "keep"]
"""``mask``: a placeholder such as ``[PERSON_1]``, numbered within its record. ``surrogate``: an invented value of the
same shape, the same one in the whole corpus. ``keep``: it stays."""

EntityType = Annotated[str, Field(pattern=r"^[A-Z][A-Z_]{0,39}$")]
Language = Literal["en", "es", "fr", "de", "it", "pt", "nl"]


class RecogniserSpec(Spec):
    """A detector of the organisation's own, beside those of the profile."""

    name: Name
    kind: Literal["presidio", "huggingface", "gliner", "spacy"]
    """``presidio``: a YAML file of recognisers in Presidio's format. ``huggingface``: a token classifier.
    ``gliner``: a GLiNER model. ``spacy``: a spaCy pipeline with named entities."""

    uri: Located
    """A local file or folder, ``package:DISTRIBUTION/FILE``, or ``hub:ORG/NAME``."""

    revision: str | None = None
    """Commit of a hub model."""

    digest: Sha256
    """sha256 of the file, or of the manifest of the folder (`assay digest PATH` prints it)."""

    labels: Annotated[dict[str, EntityType], Field(min_length=1)]
    """What it calls a type → the type here, known or new; what it finds under other labels is ignored."""

    threshold: Fraction = 0.5
    """Score under which its spans are ignored."""

    licence: Declared


class RedactionSpec(Spec):
    """Which personal data are replaced, and by what."""

    profile: Literal["fast", "standard", "strict"] = "standard"
    """``fast``: rules and known values. ``standard``: a tagger too. ``strict``: a second, independent tagger too."""

    policy: dict[EntityType, Action] = Field(default_factory=dict)
    """Entity type → what is put in its place. A type that is not named is masked."""

    recognisers: tuple[RecogniserSpec, ...] = ()

    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en", "es", "fr", "de", "it", "pt", "nl")
    """A text that is clearly in another language is set aside: the detectors do not know its names."""

    threshold: Fraction = 0.3
    """Score under which the tagger's spans are ignored."""

    max_characters: Positive = 20_000
    """A longer text is dropped with a reason rather than passed half examined."""

    @classmethod
    def only(cls, *types: str, **others: object) -> Self:
        """A policy that masks these types and, of the rest, only what is always masked."""
        kept = {kind: "keep" for kind in ENTITY_TYPES if kind not in {*types, ALWAYS_MASKED}}
        return cls.model_validate({"policy": kept | dict.fromkeys(types, "mask"), **others})

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that may be found: the known ones, then those of recognisers."""
        own = sorted({kind for each in self.recognisers for kind in each.labels.values()} - set(ENTITY_TYPES))
        return (*ENTITY_TYPES, *own)

    @property
    def entities(self) -> tuple[str, ...]:
        """Types that are replaced."""
        return tuple(kind for kind in self.types if self.policy.get(kind) != "keep")

    @property
    def surrogates(self) -> frozenset[str]:
        """Types of which another value is put in place."""
        return frozenset(kind for kind, action in self.policy.items() if action == "surrogate")

    def with_masks(self) -> Self:
        """The same policy with placeholders in the place of surrogates.

        What is found does not depend on what is put in its place, but an invented value of a reserved range is taken
        for a surrogate: so redaction of seeded values is measured with masks.
        """
        policy = {kind: "mask" if action == "surrogate" else action for kind, action in self.policy.items()}
        return self.model_copy(update={"policy": policy})

    @model_validator(mode="after")
    def _policy_is_of_known_types(self) -> Self:
        if unknown := sorted(set(self.policy) - set(self.types)):
            raise ValueError(f"policy: {unknown} are found by nothing; expected some of {sorted(self.types)}")
        if self.policy.get(ALWAYS_MASKED, "mask") != "mask":
            raise ValueError(f"policy: {ALWAYS_MASKED} is always masked; leave it out")
        names = [each.name for each in self.recognisers]
        if len(set(names)) != len(names):
            raise ValueError(f"recognisers: names must differ, got {names}")
        return self


PLAIN_SHARE = 6
"""One seeded record in so many holds nothing personal."""

_TRIALS = 10_000_000
"""No advice to seed more than this is given."""

Floor = Annotated[float, Field(gt=0, lt=1)]
Limit = Annotated[float, Field(gt=0, le=0.5)]
Shape = Annotated[str, Field(pattern=r'^[^"\\\x00-\x1f]*[?#][^"\\\x00-\x1f]*$')]


def needed(floor: float, confidence: float = 0.95) -> int | None:
    """Trials to seed so that a share of ``floor`` is shown if all go well: log(1 - c) / log(floor).

    The lower bound of n of n is (1 - c)^(1/n) (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404). None if no
    number of trials shows it, as of a floor of 1.
    """
    if floor <= 0:
        return 1
    trials = math.ceil(math.log(1 - confidence) / math.log(floor) - 1e-9) if floor < 1 else math.inf
    return int(trials) if trials <= _TRIALS else None


class MeasurementSpec(Spec):
    """How redaction is measured in the run, on seeded records, and what the bounds must show.

    What must be shown has no defaults: it is a decision. What no outcome could show is refused.
    """

    seeded: Annotated[int, Field(ge=PLAIN_SHARE)] = 600
    """Records with invented values that go through the same steps as the data; one in six holds none."""

    least: Positive = 60
    """Records with a value of each type at the least: with 59, all masked, a recall of 0.95 is shown at 95 %
    confidence."""

    seed: Annotated[int, Field(ge=0)] = 0
    shapes: dict[EntityType, Annotated[tuple[Shape, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Forms that a type's values have here, ``?`` a letter and ``#`` a digit, such as ``??-######``. A type of one's
    own recogniser is seeded only if it has one."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Of each one-sided bound."""

    floors: Annotated[dict[EntityType, Floor], Field(min_length=1)]
    """Entity type → recall that must be shown, at the lower bound."""

    max_leak: Limit
    """Share of seeded records with a direct identifier left, at the upper bound."""

    max_over_redaction: Fraction = 0.01
    """Share of letters masked in records without personal data, at the upper bound."""

    @model_validator(mode="after")
    def _enough_is_seeded(self) -> Self:
        carrying = self.seeded - self.seeded // PLAIN_SHARE
        for kind, floor in sorted(self.floors.items()):
            self._refuse_too_few(f"floors: {kind} {floor:g}", floor, "least", self.least)
            self._refuse_too_few(f"floors: {kind} {floor:g}", floor, "seeded", carrying)
        self._refuse_too_few(f"max_leak {self.max_leak:g}", 1 - self.max_leak, "seeded", carrying)
        return self

    def _refuse_too_few(self, asked: str, share: float, name: str, trials: int) -> None:
        """Refuse what could not be shown if every one of so many records went well."""
        enough = needed(share, self.confidence)
        if enough is None:
            raise ValueError(f"{asked} cannot be shown by any number of seeded records; ask for less")
        if enough > trials:
            more = enough if name == "least" else -(-enough * PLAIN_SHARE // (PLAIN_SHARE - 1))
            raise ValueError(
                f"{asked} at {self.confidence:g} confidence takes {enough} records with personal data, all masked; "
                f"found {name} {getattr(self, name)}, which gives {trials}. Raise {name} to {more}, or ask for less"
            )

    def fault(self, redaction: RedactionSpec) -> str | None:
        """What is asked of types that are not replaced, or cannot be seeded; None if nothing is."""
        for name, given in (("floors", self.floors), ("shapes", self.shapes)):
            if unknown := sorted(set(given) - set(redaction.types)):
                return f"{name}: {unknown} are found by nothing; expected some of {sorted(redaction.entities)}"
            if kept := sorted(set(given) - set(redaction.entities)):
                return f"{name}: {kept} are kept by redaction.policy; mask them there, or leave them out here"
        if bare := sorted(set(self.floors) - set(ENTITY_TYPES) - set(self.shapes)):
            return f"floors: no value of {bare} can be seeded; say in shapes what they look like, such as '??-######'"
        return None
