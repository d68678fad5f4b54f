"""Equal weights differ in nothing; others by how much, and where."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from assay.model.differences import between


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    """Two matrices."""
    return {"a": torch.tensor([[1.0, -4.0], [2.0, 0.0]]), "b": torch.ones(3, dtype=torch.bfloat16)}


def folder(path: Path, weights: dict[str, torch.Tensor]) -> Path:
    """Weights as a model's folder holds them."""
    path.mkdir()
    save_file(weights, path / "adapter_model.safetensors")
    return path


def test_equal_weights_differ_in_nothing(tmp_path, weights):
    """To the bit."""
    found = between(folder(tmp_path / "one", weights), folder(tmp_path / "other", weights))

    assert (found.matrices, found.differing, found.largest, found.where, found.unmatched) == (2, 0, 0.0, "", ())


def test_a_difference_is_told_relative_to_the_largest_weight_of_its_matrix(tmp_path, weights):
    """A weight near zero that moved a little is no large difference."""
    moved = weights | {"a": torch.tensor([[1.0, -4.0], [2.0, 0.004]])}

    found = between(folder(tmp_path / "one", weights), folder(tmp_path / "other", moved))

    assert found.differing == 1
    assert found.where == "a"
    assert found.largest == pytest.approx(0.001)


def test_what_only_one_has_or_has_otherwise_is_named(tmp_path, weights):
    """Another shape, another type, another name."""
    others = {"a": torch.ones(2), "c": torch.ones(1), "b": torch.ones(3)}

    assert between(folder(tmp_path / "one", weights), folder(tmp_path / "other", others)).unmatched == ("a", "b", "c")


def test_what_is_not_finite_is_infinitely_far(tmp_path, weights):
    """A NaN compares with nothing."""
    broken = weights | {"a": torch.full((2, 2), math.nan)}

    assert between(folder(tmp_path / "one", weights), folder(tmp_path / "other", broken)).largest == math.inf
