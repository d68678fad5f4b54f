"""What is measured on a GPU is what was asked for, and what cannot be is said."""

import argparse
from typing import Any

import pytest

from bench import gpu_plans


def planned(**changes: Any) -> list[gpu_plans.Plan]:
    """All that can be asked for of one model."""
    asked = {"models": ["1B"], "trl": "trl-1.16.0", "compile": True, "choices": True, "curve": True, "smoke": False}
    return list(gpu_plans.plans(argparse.Namespace(**asked | changes)))


@pytest.mark.parametrize("trl", ["trl-1.16.0", None])
def test_what_the_environment_lacks_is_a_row_that_names_the_package(monkeypatch: pytest.MonkeyPatch, trl: str | None):
    """An option that vanishes looks as if it had lost."""
    monkeypatch.setattr(gpu_plans, "find_spec", lambda _: None)

    rows = {(plan.trainer, plan.said): plan.missing for plan in planned(trl=trl)}

    assert {said for trainer, said in rows if trainer == "trl"} == {said for said, _ in gpu_plans.TRL}
    assert rows["trl", "padded, sdpa, Liger"] == ("liger_kernel" if trl else "trl")
    assert rows["assay", "padded, flash attention 2"] == "flash_attn"
    assert not rows["assay", "packed"]


def test_a_smoke_run_asks_only_for_what_is_there(monkeypatch: pytest.MonkeyPatch):
    """It shows that the command works, and compares nothing."""
    monkeypatch.setattr(gpu_plans, "find_spec", lambda _: None)

    found = planned(models=["tiny"], trl=None, compile=False, choices=False, curve=False, smoke=True)

    assert [(plan.trainer, plan.missing) for plan in found] == [("assay", "")]
