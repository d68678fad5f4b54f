"""Claims: what may be said of redaction after it was measured, in sentences for people who measure nothing.

A bound is rounded towards the worse, so that no sentence says more than was shown: one above up, one below down. What a
measurement does not show is said beside what it does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay.reporting import wording
from assay.reporting.redacting import Bounds, Capture, Redacting, Sample, Share

VERSION = 3

PROFILES = {
    "fast": "rules, and values known from a record's own columns",
    "standard": "rules, values known from a record's own columns, and a tagger",
    "strict": "rules, values known from a record's own columns, a tagger, and a second one that is independent of it",
}

INVENTED = (
    "types that get one were measured with placeholders in their place. What is found does not depend on that, but how "
    "often a real value is taken for an invented one is not shown here."
)

ACTIONS = {"mask": "placeholder", "surrogate": "invented value", "keep": "stays"}
"""What is put in the place of a type's values, in a word or two."""

RECAPTURE = (
    "Two detectors looked at the same records, and from how often they agree follows how much both missed (Chapman "
    "1951). This takes them to miss independently of one another; in truth both miss the hard ones, so read it as the "
    "least. It also takes all that they found to be personal data."
)

LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
}

NOT_SHOWN = (
    (
        "Blind spots",
        (
            "values are planted where redaction found one before, and in sentences of ours. A place of the data in "
            "which it always fails is never one to fill."
        ),
    ),
    ("Invented names", "what is planted was made up for this. Names of people may be harder to find, or easier."),
    (
        "Known values",
        "none was given for what was planted. In the data, what a record's own columns say is masked too.",
    ),
    ("Describing", "a person can be known by what is told, without any value that could be masked."),
)
"""What no measurement of this kind shows."""

_SHOWN_TYPES = 6
_THIN = "\u202f"
_NEAR = 0.99
_SMALL = 0.1


def at_most(bound: float) -> str:
    """An upper bound of a share in per cent, rounded up: to two figures under ten per cent, else to one decimal."""
    if bound >= 1:
        return f"100{_THIN}%"
    places = 1 if bound >= _SMALL or not bound else 1 - math.floor(math.log10(100 * bound))
    return _percent(math.ceil(round(100 * bound * 10**places, 6)) / 10**places, places)


def at_least(bound: float) -> str:
    """A lower bound of a share in per cent, rounded down: to two decimals from 99 per cent on, else to one."""
    places = 2 if _NEAR <= bound < 1 else 1
    return _percent(math.floor(round(100 * bound * 10**places, 6)) / 10**places, places)


def headline(redacting: Redacting) -> str:
    """What a run has shown of its redaction, in one sentence."""
    if not redacting.planted:
        return "No value was planted, so nothing is shown of how well redaction works."
    said = f"Of {_count(redacting.planted)} invented values planted in {_carriers(redacting.sources)}, "
    said += f"{_count(redacting.masked)} were masked whole"
    if not redacting.leaks.of:
        return f"{said}; no record with a direct identifier was among them, so nothing bounds how many leak."
    return f"{said}; with {level(redacting)} confidence {leaking(redacting)} of such records keep a direct identifier."


def _carriers(sources: int | None) -> str:
    if sources is None:
        return "this run's own kind of text"
    return "one record of this run" if sources == 1 else f"{_count(sources)} distinct records of this run"


def leaking(bounds: Bounds) -> str:
    """The bound of the leak rate."""
    return f"at most {at_most(bounds.leaks.upper)}"


def level(bounds: Bounds) -> str:
    """The confidence of each bound."""
    return f"{100 * bounds.confidence:.3g}{_THIN}%"


def for_machines(redacting: Redacting) -> str:
    """What was measured, with every bound, in a sentence or two; without spaces that machines stumble over."""
    recalls = ", ".join(
        f"{each.type} {at_least(each.full.lower)} ({each.full.count} of {each.full.of})" for each in redacting.recall
    )
    said = (
        f"{headline(redacting)} With the same confidence at most {at_most(redacting.over_plain.upper)} of letters "
        f"in text without personal data are masked, and of each type at least so much is masked whole: {recalls}."
    )
    refused = "" if redacting.passed else f" This is not what was asked for: {'; '.join(redacting.reasons)}."
    return (said + refused).replace(f"{_THIN}%", " %").replace(_THIN, ",")


def method(redacting: Redacting) -> str:
    """What looks for personal data."""
    said = PROFILES.get(redacting.profile, "detectors of its own")
    beside = f"; beside them {_listed(redacting.recognisers)}" if redacting.recognisers else ""
    return f"Profile {redacting.profile}: {said}{beside}."


def reviewed(sample: Sample, confidence: float) -> str:
    """What a person's reading shows."""
    rows = "1 redacted row" if sample.rows == 1 else f"{_count(sample.rows)} redacted rows"
    found = f"something left in {_count(sample.leaks)}" if sample.leaks else "nothing left in any"
    return (
        f"{sample.who} read {rows} on {sample.day} and found {found}: with {100 * confidence:.3g}{_THIN}% confidence "
        f"at most {at_most(sample.upper)} of rows leak."
    )


@dataclass(frozen=True, slots=True)
class Missed:
    """What both detectors missed of a type, in words."""

    capture: Capture
    number: str
    interval: str


def missed(capture: Capture) -> Missed:
    """Estimate and interval of what both detectors missed, the latter less what was found."""
    number = "none" if not capture.missed else "under 1" if capture.missed < 1 else f"about {_count(capture.missed)}"
    if not capture.both:
        return Missed(capture, number if capture.missed else "not known", "they never agree, which bounds nothing")
    if not capture.missed:
        return Missed(capture, number, "one found all that the other did, which bounds nothing")
    low = max(math.floor(capture.lower - capture.found), 0)
    high = "" if capture.upper is None else _count(math.ceil(capture.upper - capture.found))
    return Missed(capture, number, f"{_count(low)} to {high}" if high else f"{_count(low)} or more")


def ways_on(redacting: Redacting) -> list[str]:
    """What can be done about a measurement that did not show enough; nothing if it did."""
    short = [each for each in redacting.asked() if redacting.standing(each) == "short"]
    missed = [each.type for each in short if each.full.count < each.full.of]
    few = [each.type for each in short if each.full.count == each.full.of]
    leaky, most = redacting.leaks.upper > redacting.max_leak, redacting.max_over_redaction
    ways = [
        (
            f"Find more{_of(missed)}: another profile, or a recogniser of your own. See what assay redact previews.",
            missed or (leaky and redacting.leaks.count),
        ),
        (
            f"Plant more{_of(few)}: so few say too little, however well they are masked. It costs nothing but time.",
            not redacting.repeats and (few or (leaky and not redacting.leaks.count)),
        ),
        (
            f"Give more records{_of(few)}: the same few served again and again, which says little of others.",
            redacting.repeats and (few or (leaky and not redacting.leaks.count)),
        ),
        (
            "Mask less: keep a type that nobody asks you to replace, or ignore what the tagger is less sure of.",
            most is not None and redacting.over_plain.upper > most,
        ),
        ("Ask for less: the owner of the data answers for that, and the recipe says it for all to see.", True),
    ]
    return [] if redacting.passed else [way for way, helps in ways if helps]


def _of(types: Sequence[str]) -> str:
    return f" of {_listed(types)}" if types else ""


def not_shown(redacting: Redacting) -> list[tuple[str, str]]:
    """What the measurement leaves open: in a word, and in a sentence; first what this policy in particular does."""
    kept, unplanted = _listed(redacting.kept), _listed(redacting.unplanted)
    said = [
        ("Kept", f"{kept}, as the policy says. Such values stay, and are no leak here.", kept),
        ("Not planted", f"{unplanted}. Nothing is shown of how well these are found.", unplanted),
        ("Invented values", INVENTED, "surrogate" in redacting.policy.values()),
        ("Few records", _few(redacting), redacting.repeats),
        ("Languages", _languages(redacting.languages), "always"),
        ("Set aside", _aside(redacting.dropped), redacting.dropped.count),
    ]
    return [*((name, rest) for name, rest, there in said if there), *NOT_SHOWN]


def _few(redacting: Redacting) -> str:
    return (
        f"the data have {_carriers(redacting.sources)} to plant in, and each served several times. Bounds count every "
        "record once, however often it served."
    )


def _languages(languages: Sequence[str]) -> str:
    others = _listed([LANGUAGES.get(each, each) for each in languages if each != "en"])
    let_in = f" {others} may come by too, and are measured as far as the data have them." if others else ""
    return f"sentences of ours are English; the rest is in the language of the data.{let_in}"


def _aside(dropped: Share) -> str:
    were = "record was" if dropped.count == 1 else "records were"
    return (
        f"{_count(dropped.count)} of {_count(dropped.of)} seeded {were} dropped rather than redacted. They leak "
        "nothing, and their values count nowhere."
    )


def _listed(words: Sequence[str]) -> str:
    """The first few words with what joins them; of none, nothing."""
    shown = [*words[:_SHOWN_TYPES], *([f"{len(words) - _SHOWN_TYPES} more"] if len(words) > _SHOWN_TYPES else [])]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def _count(number: float) -> str:
    return wording.count(number)


def _percent(value: float, places: int) -> str:
    """With no more noughts at the end than one that says how exact it is."""
    whole, _, part = f"{value:.{places}f}".partition(".")
    part = part[:1] + part[1:].rstrip("0")
    return f"{whole}{_THIN}%" if float(value) in {0.0, 100.0} else f"{whole}.{part}{_THIN}%"
