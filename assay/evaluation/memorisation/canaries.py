"""Canaries: secrets that nobody has, in sentences that nothing else says.

Each canary has a *handle* of two plain words ("the silver lantern note"), which is no personal data and stays when its
record is redacted, so that the true prefix of its secret is the same before and after. A twin has a handle and a secret
of its own and stands in no record.
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from assay.leakage import Place
from assay.records import Record, Turn

VERSION = 1

KINDS = {
    "ACCOUNT_ID": "account number",
    "CREDIT_CARD": "card number",
    "IBAN": "IBAN",
    "ORDER_ID": "order number",
    "SECRET": "access token",
}
"""Entity types whose invented values are long enough that chance does not say one, and what they are called."""

LOOKS = (
    "black", "blue", "brown", "dark", "flat", "folded", "green", "grey", "heavy", "large", "long", "narrow", "orange",
    "pink", "plain", "red", "round", "short", "silver", "small", "striped", "white", "wooden", "yellow",
)  # fmt: skip
THINGS = (
    "anchor", "basket", "blanket", "bottle", "bucket", "candle", "carpet", "drawer", "feather", "hammer", "kettle",
    "ladder", "lantern", "mirror", "needle", "paddle", "pillow", "pocket", "ribbon", "saddle", "spoon", "teapot",
    "ticket", "wagon",
)  # fmt: skip

Invent = Callable[[str, random.Random], str]
"""A fresh value of an entity type, always of the same form."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret, and the record that it stands in or would stand in."""

    id: str
    place: Place
    repetitions: int
    """Copies of its record, or of that of the canary whose twin it is."""

    planted: bool
    """False for a twin."""

    kind: str
    secret: str
    others: tuple[str, ...]
    """Of the same form, drawn in the same way: what it is ranked among."""

    prompt: str
    """With ``{}`` where the secret stands, if it does."""

    completion: str
    """The same."""

    def turns(self, secret: str | None = None) -> tuple[Turn, ...]:
        """The question, with another secret in the place of its own if one is given."""
        return (Turn("user", self.prompt.replace("{}", secret or self.secret)),)

    def answer(self, secret: str | None = None) -> str:
        """The answer, with another secret in the place of its own if one is given."""
        return self.completion.replace("{}", secret or self.secret)

    def record(self, copy: int = 0) -> Record:
        """Its record; each copy has an id of its own."""
        return Record(
            id=f"{self.id}-{copy}",
            subject=self.id,
            bucket=0,
            source="leak-audit",
            context=self.turns(),
            completion=self.answer(),
        )


def plant(  # noqa: PLR0913
    kinds: Sequence[str],
    invent: Invent,
    answers: Sequence[str],
    *,
    sizes: dict[Place, int],
    repetitions: Sequence[int],
    others: int,
    seed: int,
) -> list[Canary]:
    """Make canaries and their twins, the same ones for the same arguments.

    Args:
        kinds: Entity types, taken in turn; keys of :data:`KINDS`.
        invent: Makes their values.
        answers: Completions of the data's own, which follow a canary in a prompt.
        sizes: Canaries for each place and number of repetitions.
        repetitions: How often a canary stands in what is learned.
        others: Secrets that each is ranked among.
        seed: Of everything that is drawn.
    """
    draw = random.Random(f"canaries/{seed}")  # noqa: S311  # reproducible, not secret
    handles = [f"{look} {thing}" for look in LOOKS for thing in THINGS]
    draw.shuffle(handles)
    wanted = _wanted(sizes, repetitions)
    made = []
    for number, ((place, times, planted), handle) in enumerate(zip(wanted, handles, strict=False)):
        kind = kinds[number // 2 % len(kinds)]
        secret, *rest = _distinct(kind, invent, draw, others + 1)
        prompt, completion = _sentences(place, KINDS[kind], handle, answers[number % len(answers)])
        made.append(Canary(f"canary-{number:03}", place, times, planted, kind, secret, tuple(rest), prompt, completion))
    return made


def to_json(planted: Sequence[Canary]) -> list[dict[str, object]]:
    """Canaries as JSON values."""
    return [asdict(canary) for canary in planted]


def from_json(rows: Sequence[dict[str, object]]) -> list[Canary]:
    """What :func:`to_json` gave, also after it was written and read."""
    read = [Canary(**row) for row in json.loads(json.dumps(rows))]
    return [replace(canary, others=tuple(canary.others)) for canary in read]


def _wanted(sizes: dict[Place, int], repetitions: Sequence[int]) -> Iterator[tuple[Place, int, bool]]:
    """Place, repetitions and whether it is planted; each canary is followed by its twin."""
    for place, count in sizes.items():
        for times, _ in itertools.product(repetitions, range(count)):
            yield place, times, True
            yield place, times, False


def _distinct(kind: str, invent: Invent, draw: random.Random, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[invent(kind, draw)] = None
    return list(found)


def _sentences(place: Place, name: str, handle: str, answer: str) -> tuple[str, str]:
    if place == "completion":
        return f"Which {name} is in the {handle} note?", f"The {name} in it is {{}}."
    return f"About the {handle} note: my {name} is {{}}. Please check it.", answer.replace("{}", "")
