"""The policy for personal data: what it takes, and what it refuses."""

import pytest
from pydantic import ValidationError

from assay.policy import ENTITY_TYPES, RecogniserSpec, RedactionSpec


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
