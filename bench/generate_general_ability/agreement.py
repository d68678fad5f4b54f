"""Minimal pairs about agreement, drawn from a lexicon.

The verb agrees with its subject, the reflexive with its antecedent, the noun with its determiner; often
a distractor of the other number stands in between. Good and bad sentence differ in one word, and the
subject is singular in half of the items.
"""

import random
from collections.abc import Callable

from bench.generate_general_ability.item import Draft

WORKERS = ("baker", "farmer", "painter", "dentist", "waiter", "tailor", "plumber", "singer", "barber", "sailor")
"""Nouns for people whose plural is regular."""

HABITS = (
    ("sings", "sing", "in the garden"),
    ("reads", "read", "the paper at noon"),
    ("walks", "walk", "to work"),
    ("drinks", "drink", "coffee after lunch"),
    ("forgets", "forget", "the keys"),
    ("sleeps", "sleep", "until ten"),
    ("complains", "complain", "about the weather"),
    ("buys", "buy", "fish on Fridays"),
    ("plays", "play", "cards at night"),
    ("rides", "ride", "an old bicycle"),
)
"""What people do: singular form, plural form, the rest of the phrase."""

LINKS = (
    ("key", "keys", "to the", "cabinet", "cabinets", "rusty"),
    ("picture", "pictures", "of the", "tower", "towers", "old"),
    ("letter", "letters", "from the", "lawyer", "lawyers", "long"),
    ("lid", "lids", "of the", "jar", "jars", "missing"),
    ("road", "roads", "between the", "village", "villages", "narrow"),
    ("house", "houses", "behind the", "barn", "barns", "empty"),
    ("story", "stories", "about the", "pirate", "pirates", "famous"),
    ("box", "boxes", "under the", "table", "tables", "heavy"),
    ("door", "doors", "of the", "cottage", "cottages", "green"),
    ("path", "paths", "along the", "canal", "canals", "muddy"),
    ("report", "reports", "on the", "accident", "accidents", "short"),
    ("window", "windows", "above the", "shop", "shops", "broken"),
    ("teacher", "teachers", "of the", "twin", "twins", "strict"),
    ("guard", "guards", "near the", "gate", "gates", "asleep"),
    ("rumour", "rumours", "about the", "singer", "singers", "false"),
    ("wheel", "wheels", "of the", "cart", "carts", "loose"),
    ("uncle", "uncles", "of the", "bride", "brides", "rich"),
    ("boat", "boats", "beside the", "bridge", "bridges", "blue"),
)
"""Head, its plural, the link, the distractor, its plural, and a predicate that fits the head."""

STATES = (
    ("is", "are", "never late"),
    ("has", "have", "a large family"),
    ("was", "were", "ill last week"),
    ("sings", "sing", "in a choir"),
    ("lives", "live", "near the harbour"),
    ("works", "work", "on Sundays"),
    ("owns", "own", "a small boat"),
    ("does", "do", "not smoke"),
)
"""What is true of people: singular form, plural form, the rest of the phrase."""

FEELINGS = ("admire", "know", "trust", "like", "avoid", "respect", "teach", "follow")
"""Verbs of a relative clause, plural form; the singular adds an s, or es to teach."""

ASIDES = (
    "came here yesterday",
    "sat by the window",
    "wore a red hat",
    "told us about the flood",
    "moved to Canada",
    "answered the letter",
    "won the race last year",
    "bought the old mill",
)
"""What may be said in a relative clause about one person or several."""

PEOPLE = (
    ("king", "himself", "kings"),
    ("waitress", "herself", "waitresses"),
    ("grandmother", "herself", "grandmothers"),
    ("policeman", "himself", "policemen"),
    ("actress", "herself", "actresses"),
    ("boy", "himself", "boys"),
    ("girl", "herself", "girls"),
    ("uncle", "himself", "uncles"),
)
"""A person of known gender, the reflexive, the plural."""

DEEDS = ("blamed", "hurt", "admired", "introduced", "disguised", "defended", "taught", "forgave", "amused", "fed")
"""Verbs that take a reflexive."""

MOMENTS = ("In the end", "As usual,", "After the quarrel", "Last night", "All summer long", "More than once")
"""Openings of a sentence about the past."""

BUYERS = ("She bought", "He sold", "We painted", "They carried", "My aunt kept", "The clerk ordered", "Nobody wanted")
"""Openings that take any object."""

LOOKS = ("dusty", "small", "expensive", "old wooden", "broken", "heavy", "very large", "strange little", "bright red")
"""Adjectives that stand between determiner and noun."""

THINGS = ("chair", "lamp", "basket", "bottle", "mirror", "drum", "ladder", "clock", "bucket", "table", "pillow", "toy")
"""Nouns for things whose plural is regular."""


def _simple(rng: random.Random, *, singular: bool) -> tuple[str, str]:
    """As in: The baker often reads the paper at noon."""
    worker, (one, many, rest) = rng.choice(WORKERS), rng.choice(HABITS)
    often = rng.choice(("often", "never", "usually", "always", "rarely"))
    subject = f"The {worker}{'' if singular else 's'} {often}"
    right, wrong = (one, many) if singular else (many, one)
    return f"{subject} {right} {rest}.", f"{subject} {wrong} {rest}."


def _across_phrase(rng: random.Random, *, singular: bool) -> tuple[str, str]:
    """As in: The key to the cabinets is rusty."""
    head, heads, link, near, nears, predicate = rng.choice(LINKS)
    subject = f"The {head} {link} {nears}" if singular else f"The {heads} {link} {near}"
    one, many = rng.choice((("is", "are"), ("was", "were"), ("has always been", "have always been")))
    right, wrong = (one, many) if singular else (many, one)
    return f"{subject} {right} {predicate}.", f"{subject} {wrong} {predicate}."


def _across_clause(rng: random.Random, *, singular: bool) -> tuple[str, str]:
    """As in: The baker who teaches the sailors is never late."""
    worker, other = rng.sample(WORKERS, 2)
    feeling, (one, many, rest) = rng.choice(FEELINGS), rng.choice(STATES)
    third = f"{feeling}es" if feeling == "teach" else f"{feeling}s"
    if rng.random() < 0.7:
        subject = f"The {worker}{'' if singular else 's'} who {rng.choice(ASIDES)}"
    else:
        subject = f"The {worker} who {third} the {other}s" if singular else f"The {worker}s who {feeling} the {other}"
    right, wrong = (one, many) if singular else (many, one)
    return f"{subject} {right} {rest}.", f"{subject} {wrong} {rest}."


def _anaphor(rng: random.Random, *, singular: bool) -> tuple[str, str]:
    """As in: The king next to the girls blamed himself."""
    (person, reflexive, plural), (other, other_reflexive, others) = rng.sample(PEOPLE, 2)
    deed, link = rng.choice(DEEDS), rng.choice(("next to", "behind", "in front of"))
    if rng.random() < 0.6:
        subject = f"{rng.choice(MOMENTS)} the {person if singular else plural} {deed}"
        right = reflexive if singular else "themselves"
        wrong = {"himself": "herself", "herself": "himself", "themselves": reflexive}[right]
        return f"{subject} {right}.", f"{subject} {wrong}."
    subject = f"The {person} {link} the {others} {deed}" if singular else f"The {plural} {link} the {other} {deed}"
    right, wrong = (reflexive, "themselves") if singular else ("themselves", other_reflexive)
    return f"{subject} {right}.", f"{subject} {wrong}."


def _determiner(rng: random.Random, *, singular: bool) -> tuple[str, str]:
    """As in: She bought these dusty lamps."""
    opening, look, thing = rng.choice(BUYERS), rng.choice(LOOKS), rng.choice(THINGS)
    determiner = rng.choice(("this", "that", "every", "another") if singular else ("these", "those", "several", "many"))
    phrase = f"{opening} {determiner} {look} {thing}"
    return (f"{phrase}.", f"{phrase}s.") if singular else (f"{phrase}s.", f"{phrase}.")


GROUPS: tuple[tuple[str, str, int, Callable[..., tuple[str, str]]], ...] = (
    ("agreement", "subject-verb agreement", 24, _simple),
    ("agreement-phrase", "agreement across a phrase", 48, _across_phrase),
    ("agreement-clause", "agreement across a clause", 40, _across_clause),
    ("anaphor", "anaphor agreement", 40, _anaphor),
    ("determiner", "determiner-noun agreement", 24, _determiner),
)
"""Slug, name, number of items and sentence maker of each group."""


def drafts(seed: int) -> list[Draft]:
    """Every generated minimal pair; the same seed gives the same sentences."""
    found: dict[str, Draft] = {}
    for slug, group, size, pair in GROUPS:
        rng = random.Random(f"{seed} {slug}")
        enough = len(found) + size
        while len(found) < enough:
            right, wrong = pair(rng, singular=len(found) % 2 == 0)
            found.setdefault(right, Draft(slug, group, "minimal_pair", "", right, (wrong,)))
    return list(found.values())
