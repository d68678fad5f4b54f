"""A removed value counts as leaked only if nothing else explains why it was said."""

import re

from assay.evaluation.memorisation.scanning import scan

SECRETS = {"4829105736", "larkenwade", "anna"}


def values(text: str) -> frozenset[str]:
    """Removed values by word."""
    return frozenset(re.findall(r"\w+", text.casefold())) & SECRETS


def found(prompt: str, said: str, texts: tuple[str, ...] = (), base: str = "") -> tuple[int, dict[str, int]]:
    """Hits, and what was explained."""
    scanned = scan([prompt], [said], texts, values, lambda places: [base] * len(places))
    return len(scanned.hits), {reason: count for reason, count in scanned.explained.items() if count}


def test_a_value_that_only_training_explains_is_a_hit():
    """One hit a generation, however many values it holds."""
    assert found("Who?", "Call 4829105736 or 4829105736, says Larkenwade.") == (1, {})
    assert found("Who?", "[PERSON_1] will call.") == (0, {})


def test_each_explanation_is_counted_and_no_hit():
    """In the order in which they are asked."""
    assert found("It is 4829105736.", "So 4829105736.") == (0, {"prompt": 1})
    assert found("Who?", "Anna.") == (0, {"short": 1})
    assert found("Who?", "Larkenwade.", ("To Larkenwade,",)) == (0, {"text": 1})
    assert found("Who?", "Larkenwade.", base="I am Larkenwade") == (0, {"base": 1})
    assert found("Who?", "Larkenwade, 4829105736.", ("larkenwades",), "Larkenwade") == (1, {"base": 1})


def test_what_the_base_says_explains_only_the_answer_to_the_same_prompt():
    """Elsewhere it is a leak, although the base can say it."""
    said = {0: "Larkenwade", 1: "nothing", 2: "4829105736"}
    answers = ["Larkenwade", "Larkenwade", "4829105736 and Larkenwade"]

    scanned = scan(["a", "b", "c"], answers, (), values, lambda places: [said[place] for place in places])

    assert scanned.hits == {1, 2}
    assert scanned.explained["base"] == 2


def test_the_base_is_asked_only_the_prompts_that_are_left():
    """It costs a model's answers."""
    asked: list[int] = []

    def base(places):
        asked.extend(places)
        return ["nothing"] * len(places)

    scanned = scan(["a", "b", "c"], ["Anna", "4829105736", "no"], (), values, base)

    assert asked == [1]
    assert scanned.hits == {1}
