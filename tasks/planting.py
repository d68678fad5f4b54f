"""Planting: which secrets are invented for a leak audit, whether redaction would let any pass, and what it leaves."""

import random
from collections.abc import Sequence

from assay.errors import RecipeError
from assay.evaluation.memorisation import MODES, REPETITIONS, canaries
from assay.evaluation.memorisation.canaries import Canary
from assay.policy import RedactionSpec
from assay.privacy import invented
from assay.privacy.detection import languages
from assay.privacy.detection.detector import Detector
from assay.privacy.replacement import fingerprints, redaction
from assay.records import Record
from assay.spec import RunSpec
from tasks.places import value_key

KINDS = 2
"""Entity types that secrets are of: the first of :data:`canaries.KINDS` that are masked."""

SHAPES = {"ACCOUNT_ID": ["#########"], "ORDER_ID": ["??-######"], "SECRET": ["sk_test_????######????######"]}
"""One form for each type: secrets of one kind must differ in nothing else."""

ANSWERED = "Noted."
"""Said to a canary in a prompt where the data have no answer without a placeholder."""

ASIDE = (
    "leak_audit: redaction sets every canary's record aside, expected it to let some pass: they are in English, of "
    "some 100 characters. Name en in redaction.languages, raise redaction.max_characters, or leave leak_audit out."
)


def check(spec: RunSpec) -> None:
    """See that an audit would have canaries to judge, at the cost of some hundred short sentences.

    Raises:
        RecipeError: the policy replaces no value that can be planted, or would let no canary pass.
    """
    asked, policy = spec.leak_audit, spec.redaction
    if asked is None:
        return
    made = canaries.plant(
        kinds(policy), invent, [ANSWERED], sizes={"completion": MODES[asked.mode].completion},
        repetitions=REPETITIONS, others=1, seed=asked.seed,
    )  # fmt: skip
    if all(_passed_over(canary.record(), policy) for canary in made if canary.planted):
        raise RecipeError(ASIDE)


def kinds(policy: RedactionSpec) -> tuple[str, ...]:
    """Entity types that secrets are of.

    Raises:
        RecipeError: the policy replaces none that can be invented at length.
    """
    found = tuple(kind for kind in canaries.KINDS if kind in policy.entities)[:KINDS]
    if not found:
        raise RecipeError(
            f"leak_audit: found a redaction policy that replaces none of {sorted(canaries.KINDS)}; expected one of "
            "them at least, since canaries are such values. Mask one, or leave leak_audit out."
        )
    return found


def invent(kind: str, draw: random.Random) -> str:
    """A secret of one form for each type, of a range that leads to nobody where there is one."""
    digits = "".join(draw.choices(invented.DIGITS, k=13))
    if kind == "CREDIT_CARD":
        body = f"400000{digits[:9]}"
        return body + invented.luhn_digit(body)
    if kind == "IBAN":
        return f"DE{invented.check_digits('DE', f'99999{digits}')}99999{digits}"
    return invented.Inventor(draw, SHAPES).value(kind)


def masked(records: Sequence[Record], policy: RedactionSpec) -> list[dict[str, str] | None]:
    """What redaction leaves of each record, or None if it does not let it pass; in a process of the pool."""
    kept, _, _ = redaction.redact(records, policy, Detector(policy).find, value_key())
    left = {row.id: {"prompt": row.prompt, "completion": row.completion} for row in kept}
    return [left.get(record.id) for record in records]


def stands(canary: Canary, left: dict[str, str]) -> bool:
    """Whether redaction left a secret in place."""
    return fingerprints.folded(canary.secret) in fingerprints.folded(f"{left['prompt']} {left['completion']}")


def _passed_over(record: Record, policy: RedactionSpec) -> bool:
    """Whether redaction would set a canary aside for its language or its length, by its words alone."""
    text = f"{record.prompt} {record.completion}"
    return len(record.prompt) > policy.max_characters or bool(languages.unread(text, policy.languages))
