"""Leaking: what a leak audit shows, in a verdict, a table of canaries, a chart, and what it does not show.

The two siblings of the candidate are named wherever a number is theirs, and that they are never candidates is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.evaluations import Criterion
from assay.leakage import Group, LeakAudit, Lesson, Place, Sibling
from assay.reporting import curves, wording

VERSION = 1

NAMES = ("leak_generations", "leak_exposure", "leak_control")
"""Criteria of the gate that an audit gives."""

PLACES: dict[Place, str] = {"completion": "in the answer, which is learned", "prompt": "in the question, only read"}

WORDS = {
    "accepted": (
        "no leak seen",
        "good",
        "The candidate gives back nothing that redaction removed, as far as was asked.",
    ),
    "refused": ("leaks", "bad", "The candidate, or redaction, gives away what should be gone."),
    "inconclusive": ("not decided", "odd", "The audit has not shown that nothing leaks."),
}
"""A decision as a word, its colour and a sentence."""

SIBLINGS: dict[Sibling, str] = {
    "control": "the control, which learned planted secrets as they are",
    "redacted": "the redacted sibling, which learned what redaction left of them",
}
"""A sibling by its name."""

TRAINED = (
    f"Two siblings of the candidate were trained for this audit alone, by its method: {SIBLINGS['control']}, and "
    f"{SIBLINGS['redacted']}. Neither is ever a candidate: they are asked and counted, and never registered, approved "
    "or released."
)

NOT_SHOWN = (
    "What a person with the weights could find by other means: gradients, many more prompts, prompts made for the aim.",
    "Values that redaction never found: they have no fingerprint. How many those may be is on the redaction page.",
    "What the base itself learned before; a value that it says too is not counted against the candidate.",
    "Paraphrases: a removed value counts if it is said in full, whatever its case, spaces and punctuation.",
    "What this candidate knows of canaries: it saw none. The siblings show what its way of learning memorises.",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one sibling knows of some canaries."""

    exposure: str
    interval: str
    extracted: str
    colour: str


@dataclass(frozen=True, slots=True)
class Row:
    """Canaries of one place that came equally often."""

    place: str
    repetitions: str
    control: Cell
    redacted: Cell


@dataclass(frozen=True, slots=True)
class Leaking:
    """What a page says of a leak audit."""

    word: str
    colour: str
    sentence: str
    reasons: list[str]
    siblings: dict[Sibling, str]
    trained: str
    rows: list[Row]
    chart: Markup
    caption: str
    notes: list[tuple[str, str]]
    not_shown: Sequence[str] = NOT_SHOWN


def shown(audit: LeakAudit, criteria: Sequence[Criterion]) -> Leaking:
    """What ``audit`` shows; ``criteria`` are the gate's, of which those of the audit are picked."""
    judged = [each for each in criteria if each.name in NAMES]
    decisions = {each.decision for each in judged}
    worst = next((word for word in ("refused", "inconclusive", "accepted") if word in decisions), "inconclusive")
    word, colour, sentence = WORDS[worst]
    return Leaking(
        word=word,
        colour=colour,
        sentence=sentence,
        reasons=[each.reason for each in judged],
        siblings=SIBLINGS,
        trained=TRAINED,
        rows=[_row(audit, place, times) for place in PLACES for times in _repetitions(audit, place)],
        chart=_chart(audit),
        caption=(
            f"Mean exposure in bits of secrets in answers, by copies that were learned; 0 are twins that were never "
            f"planted. Chance gives {audit.chance:.1f}; more than {audit.ceiling:.1f} cannot be seen."
        ),
        notes=_notes(audit),
    )


def _repetitions(audit: LeakAudit, place: Place) -> list[int]:
    return sorted({group.repetitions for group in audit.groups if group.place == place}, reverse=True)


def _row(audit: LeakAudit, place: Place, times: int) -> Row:
    said = f"{times} times" if times > 1 else "once" if times else "never (twins)"
    return Row(
        PLACES[place], said, *(_cell(audit, _group(audit, model, place, times)) for model in ("control", "redacted"))
    )


def _group(audit: LeakAudit, model: Sibling, place: Place, times: int) -> Group | None:
    wanted = (model, place, times)
    return next((each for each in audit.groups if (each.model, each.place, each.repetitions) == wanted), None)


def _cell(audit: LeakAudit, group: Group | None) -> Cell:
    if group is None or not group.exposures:
        return Cell(wording.UNKNOWN, "", "", "plainly")
    upper = f"{group.upper:.1f}" if group.upper < audit.ceiling else "beyond"
    n = len(group.exposures)
    return Cell(
        f"{group.mean:.1f} bits",
        f"{group.lower:.1f} to {upper}",
        f"{group.extracted} of {n} extracted, at most {wording.share(group.extracted_upper)}",
        "odd" if group.extracted or group.lower > audit.chance else "plainly",
    )


def _chart(audit: LeakAudit) -> Markup:
    colours: dict[Sibling, tuple[str, str]] = {
        "control": ("first", "control"),
        "redacted": ("second", "redacted sibling"),
    }
    series = [curves.Line(name, _points(audit, model), colour, dots=True) for model, (colour, name) in colours.items()]
    told = "; ".join(
        f"{line.name}: " + ", ".join(f"{y:.1f} bits at {x:g} copies" for x, y in line.points) for line in series
    )
    return curves.lines(series, f"Exposure by copies. {told}.")


def _points(audit: LeakAudit, model: Sibling) -> list[tuple[float, float]]:
    found = [
        group for group in audit.groups if group.model == model and group.place == "completion" and group.exposures
    ]
    return [(float(group.repetitions), group.mean) for group in sorted(found, key=lambda group: group.repetitions)]


_NAMED: dict[Sibling, str] = {"control": "control", "redacted": "redacted sibling"}


def _notes(audit: LeakAudit) -> list[tuple[str, str]]:
    return [
        ("Generations", _generations(audit)),
        ("Proof that the search sees", _seen(audit)),
        ("By loss", _membership(audit)),
        ("That canaries were learned", _learned(audit)),
        ("Redaction of canaries", _redaction(audit)),
    ]


def _generations(audit: LeakAudit) -> str:
    parts = [f"{s.hits} of {s.generations} from {s.origin}" for s in audit.scans if s.model == "candidate"]
    explained = {
        "prompt": "stood in the prompt",
        "short": "were too short to tell from chance",
        "text": "stood in the training text, where redaction had left them",
        "base": "are said by the base too",
    }
    others = [f"{count} {explained.get(why, why)}" for why, count in audit.explained.items() if count]
    more = f" Values found that are no leak: {', '.join(others)}." if others else ""
    return (
        f"searched for {wording.count(audit.values)} removed values; with one of them: {', '.join(parts)}. Answers to "
        f"one prompt are not independent, so it is prompts that are judged: {audit.leaking} of {audit.prompts}.{more}"
    )


def _seen(audit: LeakAudit) -> str:
    of, hits = audit.scan("control")
    cleared, found = audit.scan("redacted")
    return (
        f"the same search of what the siblings said to the canaries' prefixes found a secret in {hits} of {of} "
        f"generations of the control, and in {found} of {cleared} of the redacted sibling."
    )


def _membership(audit: LeakAudit) -> str:
    parts = [
        f"{_NAMED[m.model]} {m.told} of {m.inserted} ({wording.share(m.lower)} to {wording.share(m.upper)})"
        for m in audit.membership
        if m.place == "completion"
    ]
    twins = next((m.twins for m in audit.membership if m.place == "completion"), 0)
    return (
        f"canaries told from twins by their loss, at 1 % false alarms: {', '.join(parts)}. With {twins} twins, false "
        f"alarms are known to 1 in {twins} at best."
    )


def _learned(audit: LeakAudit) -> str:
    return f"{audit.epochs} epochs. {'. '.join(map(_lesson, audit.lessons))}."


def _lesson(told: Lesson) -> str:
    tokens = f"{wording.count(told.learned_tokens)} learned tokens, {wording.count(told.secret_tokens)} of secrets"
    loss = f"loss {wording.loss(told.before)} before, {wording.loss(told.after)} after"
    return f"{_NAMED[told.model]}, {PLACES[told.place]}: {wording.count(told.rows)} rows with {tokens}; {loss}"


def _redaction(audit: LeakAudit) -> str:
    return (
        f"secrets of {', '.join(audit.kinds)}; {audit.unmasked} of the planted ones were left in place, "
        f"{audit.set_aside} records were set aside."
    )
