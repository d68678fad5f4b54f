"""Clozes whose last word was said before: where a thing is, and who did what.

Some of the wrong choices also occur in the passage, so that copying the nearest noun is not enough.
"""

import random

from bench.generate_general_ability.item import Draft

THINGS = ("keys", "gloves", "scissors", "matches", "glasses", "coins", "stamps", "candles", "pencils", "biscuits")
"""Small things in the plural."""

PLACES = ("drawer", "cupboard", "basket", "kitchen", "garage", "cellar", "attic", "car", "suitcase", "box")
"""Where things may be put."""

NAMES = ("Anna", "Peter", "Maria", "David", "Laura", "Thomas", "Julia", "Martin", "Emma", "Robert", "Sarah", "Paul")
"""First names, all common."""

TRAITS = (
    ("is a nurse", "nurse"),
    ("is a pilot", "pilot"),
    ("is a cook", "cook"),
    ("is a farmer", "farmer"),
    ("sells shoes", "shoe seller"),
    ("drives a taxi", "taxi driver"),
    ("plays the piano", "pianist"),
    ("writes novels", "writer"),
    ("mends clocks", "clockmaker"),
    ("teaches maths", "maths teacher"),
)
"""What a person does, and what such a person is called."""

SIZE = 32
"""Items in each group."""


def _where(rng: random.Random) -> Draft:
    """As in: The keys are in the drawer, and the stamps are in the box. If you need the keys, look in the."""
    (thing, other), places = rng.sample(THINGS, 2), rng.sample(PLACES, 4)
    wanted = rng.randrange(2)
    context = (
        f"The {thing} are in the {places[0]}, and the {other} are in the {places[1]}. "
        f"If you need the {(thing, other)[wanted]}, look in the"
    )
    right = places.pop(wanted)
    return Draft("place-recall", "recall of a place", "cloze", context, f" {right}", tuple(f" {p}" for p in places))


def _who(rng: random.Random) -> Draft:
    """As in: Anna is a nurse, and Peter is a pilot. The name of the nurse is."""
    names, traits = rng.sample(NAMES, 4), rng.sample(TRAITS, 2)
    wanted = rng.randrange(2)
    context = (
        f"I have two neighbours, {names[0]} and {names[1]}. {names[0]} {traits[0][0]}, and {names[1]} {traits[1][0]}. "
        f"The name of the {traits[wanted][1]} is"
    )
    right = names.pop(wanted)
    return Draft("name-recall", "recall of a name", "cloze", context, f" {right}", tuple(f" {n}" for n in names))


def drafts(seed: int) -> list[Draft]:
    """Every generated cloze; the same seed gives the same passages."""
    found: dict[str, Draft] = {}
    for maker in (_where, _who):
        rng = random.Random(f"{seed} {maker.__name__}")
        enough = len(found) + SIZE
        while len(found) < enough:
            draft = maker(rng)
            found.setdefault(draft.context, draft)
    return list(found.values())
