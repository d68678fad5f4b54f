"""Canaries are told apart by their handles alone, and their twins stand in no row."""

import random

from assay.evaluation.memorisation import canaries


def invent(_: str, draw: random.Random) -> str:
    """Nine digits."""
    return str(draw.randrange(10**8, 10**9))


def planted(seed: int = 0) -> list[canaries.Canary]:
    """Two of each place and number of repetitions."""
    return canaries.plant(
        ("ACCOUNT_ID", "CREDIT_CARD"),
        invent,
        ['{"a": 1}'],
        sizes={"completion": 2, "prompt": 2},
        repetitions=(1, 4, 16),
        others=5,
        seed=seed,
    )


def test_each_canary_has_a_twin_and_everything_differs():
    """Handles and secrets come once; a twin is like its canary in place, kind and repetitions."""
    made = planted()

    assert len(made) == 24
    assert len({canary.prompt for canary in made}) == len({canary.secret for canary in made}) == 24
    for canary, twin in zip(made[::2], made[1::2], strict=True):
        assert (canary.place, canary.kind, canary.repetitions) == (twin.place, twin.kind, twin.repetitions)
        assert (canary.planted, twin.planted) == (True, False)
    assert {canary.kind for canary in made} == {"ACCOUNT_ID", "CREDIT_CARD"}


def test_the_secret_stands_where_it_is_said_to():
    """Another takes its place without changing anything else."""
    for canary in planted():
        assert (canary.secret in canary.answer()) == (canary.place == "completion")
        assert (canary.secret in canary.turns()[0].content) == (canary.place == "prompt")
        other = canary.others[0]
        assert canary.answer(other).replace(other, canary.secret) == canary.answer()


def test_canaries_are_the_same_for_a_seed_and_survive_being_written():
    """Others for another seed."""
    made = planted()

    assert made == planted() == canaries.from_json(canaries.to_json(made))
    assert made != planted(1)
