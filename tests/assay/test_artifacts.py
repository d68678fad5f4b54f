"""Keys are the same everywhere, or not made at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts import cache_key
from assay.bases import BaseSpec
from assay.errors import UnstableKeyError
from assay.spec import ContaminationSpec, SplitSpec

BASE = BaseSpec(uri="models/a.gguf", digest="0" * 64, licence="Apache-2.0", dtype="float32")
QUESTION = {"step": "s", "versions": {"m": 1}, "inputs": {"spec": ContaminationSpec(), "base": BASE}}


def test_a_key_is_the_same_in_a_process_with_another_hash_seed():
    """The same question has one name on every machine."""
    program = "from tests.assay.test_artifacts import QUESTION, cache_key; print(cache_key(**QUESTION), end='')"
    command = [sys.executable, "-c", program]

    keys = {
        subprocess.check_output(command, env=os.environ | {"PYTHONHASHSEED": seed}, text=True, cwd=Path.cwd())
        for seed in "12"
    }

    assert keys == {cache_key(**QUESTION)}


@pytest.mark.parametrize(
    "change",
    [{"step": "t"}, {"versions": {"m": 2}}, {"inputs": {"spec": ContaminationSpec(words=5), "base": BASE}}],
)
def test_a_key_changes_with_step_version_or_input(change):
    """Each part of the question is part of its name."""
    assert cache_key(**QUESTION | change) != cache_key(**QUESTION)


@pytest.mark.parametrize("change", [{"uri": "elsewhere/b.gguf"}, {"licence": "MIT"}])
def test_where_bytes_were_found_and_by_what_right_they_are_used_is_in_no_key(change):
    """The same bytes at another path make the same model."""
    moved = QUESTION["inputs"] | {"base": BASE.model_copy(update=change)}

    assert cache_key("s", {"m": 1}, moved) == cache_key(**QUESTION)


def test_two_specs_with_equal_fields_have_different_keys():
    """A field name alone does not say what is asked."""

    class Other(ContaminationSpec):
        pass

    assert cache_key("s", {}, {"spec": Other()}) != cache_key("s", {}, {"spec": ContaminationSpec()})


def test_a_specs_fields_and_a_mapping_of_them_have_different_keys():
    """A type is part of what is asked."""
    plain = ContaminationSpec().model_dump()

    assert cache_key("s", {}, {"spec": plain}) != cache_key("s", {}, {"spec": ContaminationSpec()})


@pytest.mark.parametrize(
    "value", [{"a", "b"}, {1: "a"}, float("nan"), float("inf"), object(), len, Path(), b"bytes", [{"deep": {"a"}}]]
)
def test_a_value_without_canonical_bytes_is_refused(value):
    """A guess here would be a stale result later."""
    with pytest.raises(UnstableKeyError, match="no canonical bytes"):
        cache_key("s", {}, {"x": value})


def test_a_split_spec_has_one_key_however_it_was_written():
    """Numbers are compared as values, not as they were typed."""
    one = SplitSpec.model_validate({"train": 1, "validation": 0, "test": 0})
    two = SplitSpec.model_validate({"train": 1.0, "validation": "0", "test": 0.0})

    assert cache_key("s", {}, {"spec": one}) == cache_key("s", {}, {"spec": two})
