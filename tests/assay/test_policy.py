"""The policy for personal data: what it takes, and what it refuses."""

import re

import pytest
from pydantic import ValidationError

from assay.policy import ENTITY_TYPES, MeasurementSpec, RecogniserSpec, RedactionSpec


def recogniser(name: str = "patients") -> RecogniserSpec:
    """A model of the organisation's own, as a recipe names it."""
    return RecogniserSpec(
        name=name, kind="spacy", uri="models/ours", digest="0" * 64, labels={"PAT": "PATIENT"}, licence="ours"
    )


def test_what_is_not_named_is_masked():
    """A type that somebody forgets must not be one that passes."""
    assert RedactionSpec().entities == ENTITY_TYPES
    assert set(ENTITY_TYPES) - set(RedactionSpec(policy={"CITY": "keep"}).entities) == {"CITY"}


def test_secrets_are_neither_kept_nor_imitated():
    """A key in a training set is a key that is lost."""
    for action in ("keep", "surrogate"):
        with pytest.raises(ValidationError, match="SECRET is always masked"):
            RedactionSpec(policy={"SECRET": action})
    assert RedactionSpec.only("PHONE").entities == ("SECRET", "PHONE")


def test_a_type_that_nothing_finds_is_refused_with_those_that_are():
    """A typo is seen at a glance."""
    with pytest.raises(ValidationError, match=r"\['PERSONS'\] are found by nothing; expected some of \['ACCOUNT_ID'"):
        RedactionSpec(policy={"PERSONS": "mask"})


def test_a_recogniser_brings_its_own_types():
    """They are masked like any other, unless the policy says otherwise."""
    spec = RedactionSpec(recognisers=(recogniser(),), policy={"PATIENT": "surrogate"})

    assert spec.types == (*ENTITY_TYPES, "PATIENT")
    assert spec.surrogates == {"PATIENT"}


def test_recognisers_of_one_name_are_refused():
    """A report names them."""
    with pytest.raises(ValidationError, match="names must differ"):
        RedactionSpec(recognisers=(recogniser(), recogniser()))


ASKED: dict[str, object] = {"floors": {"PERSON": 0.95}, "max_leak": 0.05}


def test_what_a_measurement_must_show_has_no_default():
    """A gate that nobody decided on would pass."""
    for missing in ASKED:
        with pytest.raises(ValidationError, match=f"{missing}\n  Field required"):
            MeasurementSpec.model_validate({name: value for name, value in ASKED.items() if name != missing})
    with pytest.raises(ValidationError, match="at least 1 item"):
        MeasurementSpec.model_validate(ASKED | {"floors": {}})


@pytest.mark.parametrize(
    "wrong",
    [{"max_leak": 1.0}, {"max_leak": 0.51}, {"max_leak": 0}, {"floors": {"PERSON": 0}}, {"floors": {"PERSON": 1}}],
)
def test_limits_that_ask_nothing_or_that_nothing_shows_are_refused(wrong: dict[str, object]):
    """All may leak, none may; every bound passes, none can."""
    with pytest.raises(ValidationError, match="should be"):
        MeasurementSpec.model_validate(ASKED | wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"floors": {"PERSON": 0.99}}, "PERSON 0.99 at 0.95 confidence takes 299 records.* Raise least to 299"),
        ({"least": 58}, "found least 58.* Raise least to 59"),
        ({"confidence": 0.99}, "takes 90 records.* Raise least to 90"),
        ({"max_leak": 0.001}, "max_leak 0.001 .* found seeded 600, which gives 500. Raise seeded to 3594"),
        ({"seeded": 60}, "found seeded 60, which gives 50. Raise seeded to 71"),
    ],
)
def test_what_too_few_records_could_show_is_refused_with_how_many_it_takes(wrong: dict[str, object], said: str):
    """Before a run that could only end in a refusal."""
    with pytest.raises(ValidationError, match=said):
        MeasurementSpec.model_validate(ASKED | wrong)


@pytest.mark.parametrize("shapes", [[], ["none"], ['"##"'], ["\\##"], ["#\n#"]])
def test_a_shape_has_a_letter_or_a_digit_to_draw_and_can_stand_in_json(shapes: list[str]):
    """Else every value of the type is the same, or breaks what it stands in."""
    with pytest.raises(ValidationError, match="shapes"):
        MeasurementSpec.model_validate(ASKED | {"shapes": {"ORDER_ID": shapes}})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"floors": {"PERSONS": 0.9}}, r"floors: \['PERSONS'\] are found by nothing; expected some of \['ACCOUNT_ID'"),
        ({"shapes": {"SHOE": ["##"]}}, r"shapes: \['SHOE'\] are found by nothing"),
        ({"floors": {"CITY": 0.9}}, r"floors: \['CITY'\] are kept by redaction.policy; mask them there"),
        ({"floors": {"PATIENT": 0.9}}, r"floors: no value of \['PATIENT'\] can be seeded; say in shapes"),
        ({"floors": {"PATIENT": 0.9}, "shapes": {"PATIENT": ["P-###"]}}, None),
        ({}, None),
    ],
)
def test_only_types_that_are_replaced_can_be_asked_about(asked: dict[str, object], said: str | None):
    """A floor of a type that stays could never be shown, and a typo would be no floor."""
    redaction = RedactionSpec(policy={"CITY": "keep"}, recognisers=(recogniser(),))
    fault = MeasurementSpec.model_validate(ASKED | asked).fault(redaction)

    assert fault is None if said is None else re.search(said, fault or "")
