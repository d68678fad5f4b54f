"""Only an accepted version moves, only onto a stage where it is not, only back to what stood there; and it is told."""

import pytest

from assay import release
from assay.errors import ArtifactCorruptError, PromotionRefusedError, RegistryError
from assay.release import Standing, Transition, promotion, rollback, rollback_target, standing, verify

WHEN = "2026-01-01T00:00:00+00:00"


def version(number: int, decision: str = "accepted", **fields) -> Standing:
    """A version as a registry and its verdict tell of it."""
    plain = {"model": "m", "identity": f"identity-{number}", "weights": f"w{number}", "judged": f"w{number}"}
    return Standing(version=number, decision=decision, **plain | fields)


def promoted(*numbers: int, stage="production") -> list[Transition]:
    """A history in which versions were promoted in this order."""
    history: list[Transition] = []
    for number in numbers:
        history.append(promotion(history, version(number), stage, "ada", WHEN))
    return history


def rolled_back(history: list[Transition], stage="production") -> list[Transition]:
    """The history after one more roll-back."""
    target = version(rollback_target(history, "m", stage).version)
    return [*history, rollback(history, target, stage, "ada", WHEN, "too slow")]


def held(history: list[Transition], stage="production") -> list[int]:
    """Versions that stand at a stage, the current one last."""
    return [transition.version for transition in standing(history, stage)]


def test_nothing_stands_where_nothing_was_promoted():
    """An empty history is whole."""
    verify([])

    assert held([]) == []


def test_the_last_promotion_stands_and_each_transition_names_the_one_before():
    """Who, when and what are in it."""
    history = promoted(1, 2)
    verify(history)

    assert held(history) == [1, 2]
    assert [t.number for t in history] == [1, 2]
    assert [t.previous for t in history] == [None, history[0].digest()]
    assert (history[1].who, history[1].when, history[1].identity) == ("ada", WHEN, "identity-2")


def test_stages_do_not_know_of_each_other():
    """One chain tells of both, so neither can be edited behind the other's back."""
    history = promoted(1, stage="staging")
    history.append(promotion(history, version(1), "production", "ada", WHEN))
    verify(history)

    assert (held(history, "staging"), held(history)) == ([1], [1])
    with pytest.raises(RegistryError, match="found only version 1 in staging"):
        rollback_target(history, "m", "staging")


def test_a_roll_back_takes_the_last_one_off_and_a_second_one_the_one_before():
    """As one who steps back twice is two steps back, and not where he was."""
    history = rolled_back(promoted(1, 2, 3))
    assert held(history) == [1, 2]

    history = rolled_back(history)
    verify(history)
    assert held(history) == [1]
    assert history[-1].action == "roll-back"
    assert history[-1].reason == "too slow"


def test_a_version_that_was_rolled_back_may_be_promoted_again():
    """It is a decision like the first one, and is told as one."""
    history = rolled_back(promoted(1, 2))
    history.append(promotion(history, version(2), "production", "bob", WHEN))
    verify(history)

    assert held(history) == [1, 2]


@pytest.mark.parametrize("decision", ["refused", "inconclusive", "", "Accepted"])
def test_a_version_without_an_accepted_verdict_is_refused(decision: str):
    """There is one word that opens the gate."""
    with pytest.raises(PromotionRefusedError, match="expected 'accepted'"):
        promotion([], version(1, decision), "staging", "ada", WHEN)


def test_a_verdict_about_other_weights_is_refused():
    """However good it was."""
    with pytest.raises(PromotionRefusedError, match="its verdict is about weights w2; the version is w1"):
        promotion([], version(1, judged="w2"), "staging", "ada", WHEN)


def test_a_version_is_not_promoted_onto_itself():
    """A roll-back would then go nowhere."""
    with pytest.raises(PromotionRefusedError, match="version 1 is in production already"):
        promotion(promoted(1), version(1), "production", "ada", WHEN)


@pytest.mark.parametrize(
    ("history", "says"),
    [
        ([], "found no version in"),
        (promoted(1), "found only version 1"),
        (rolled_back(promoted(1, 2)), "only version 1"),
    ],
)
def test_there_must_be_something_to_roll_back_to(history: list[Transition], says: str):
    """A stage is never left empty by a step back."""
    with pytest.raises(RegistryError, match=says):
        rollback_target(history, "m", "production")
    with pytest.raises(RegistryError, match=says):
        rollback(history, version(1), "production", "ada", WHEN, "x")


@pytest.mark.parametrize("target", [version(1), version(3), version(9), version(2, identity="other")])
def test_a_roll_back_goes_to_what_stood_there_before_and_nowhere_else(target: Standing):
    """Otherwise the history would say one version and the pointer another."""
    with pytest.raises(RegistryError, match=r"expected version 2 \(identity-2\)"):
        rollback(promoted(1, 2, 3), target, "production", "ada", WHEN, "x")


@pytest.mark.parametrize("spoilt", [{"decision": "refused"}, {"judged": "other"}])
def test_a_roll_back_to_an_unfit_version_is_refused(spoilt: dict[str, str]):
    """Its verdict or its bytes may have changed since."""
    target = version(1).model_copy(update=spoilt)

    with pytest.raises(PromotionRefusedError):
        rollback(promoted(1, 2), target, "production", "ada", WHEN, "x")


def edited(history: list[Transition], place: int, **fields) -> list[Transition]:
    """The history with one transition changed by hand."""
    return [t.model_copy(update=fields) if i == place else t for i, t in enumerate(history)]


WHOLE = rolled_back(promoted(1, 2, 3))


@pytest.mark.parametrize(
    "history",
    [
        *(edited(WHOLE, 1, **{name: value}) for name, value in (
            ("version", 7), ("who", "eve"), ("when", "2025"), ("stage", "staging"), ("action", "roll-back"),
            ("identity", "other"), ("reason", "none"), ("previous", None), ("number", 9), ("model", "n"),
        )),
        WHOLE[1:],
        [WHOLE[0], *WHOLE[2:]],
        [WHOLE[1], WHOLE[0], *WHOLE[2:]],
        [*WHOLE, WHOLE[-1]],
    ],
)  # fmt: skip
def test_a_history_that_was_edited_is_noticed(history: list[Transition]):
    """Whatever was changed, taken out, turned round or said twice."""
    verify(WHOLE)

    with pytest.raises(ArtifactCorruptError, match="does not follow from the one before it"):
        verify(history)


def test_a_transition_has_one_digest_after_it_was_written_and_read():
    """It is filed as JSON."""
    first = WHOLE[0]

    assert Transition.model_validate_json(first.model_dump_json()).digest() == first.digest()
    assert release.Transition.model_validate(first.model_dump()) == first
