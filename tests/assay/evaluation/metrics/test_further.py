"""A recipe's own metric is asked as ours are, or refused with what to do."""

import hashlib
from pathlib import Path

import pytest

from assay.errors import RecipeError
from assay.evaluation.metrics import further

OWN = """
import datasets
import evaluate


class Base(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = datasets.Features({"predictions": text, "references": text})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)


class PerItem(Base):
    def _compute(self, predictions, references, per_item=False, **_):
        items = [float(len(p) == len(r)) for p, r in zip(predictions, references)]
        return {"items": items} if per_item else {"same_length": sum(items) / len(items)}


class Bare(Base):
    def _compute(self, predictions, references):
        return {"same": [p == r for p, r in zip(predictions, references)], "mean": 0.5}


class WithSchema(Base):
    def _compute(self, predictions, references, schema):
        return {"items": [schema["weight"]] * len(predictions)}


class Mean(Base):
    def _compute(self, predictions, references):
        return {"mean": 0.5}


class Short(Base):
    def _compute(self, predictions, references):
        return {"items": [1.0]}


class Percent(Base):
    def _compute(self, predictions, references):
        return {"items": [87.5] * len(predictions)}


class Unknown(Base):
    def _compute(self, predictions, references):
        return {"items": [float("nan")] * len(predictions)}


class Failing(Base):
    def _compute(self, predictions, references):
        raise ValueError(predictions[0])


class NoMetric:
    pass
"""


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed module of somebody's metrics."""
    module = tmp_path / "own_measures.py"
    module.write_text(OWN)
    (tmp_path / "own_broken.py").write_text("raise RuntimeError('secret')")
    monkeypatch.syspath_prepend(tmp_path)
    return module


def asked(*names: str, folder: str = "") -> list[dict[str, float]]:
    """What metrics of these classes say of two answers."""
    loaded = further.load({name.lower(): f"own_measures:{name}" for name in names})
    return further.ask(loaded, ["ab", "cd"], ["ab", "xyz"], {"schema": {"weight": 0.25}, "names": []}, folder)


def test_a_metric_gives_one_score_a_pair(tmp_path):
    """By per_item and items if it knows them, by its only list if not; it is handed what it takes."""
    assert asked("PerItem", "Bare", "WithSchema", folder=str(tmp_path)) == [
        {"peritem": 1.0, "bare": 1.0, "withschema": 0.25},
        {"peritem": 0.0, "bare": 0.0, "withschema": 0.25},
    ]


def test_ours_are_asked_by_path_too(tmp_path):
    """Token F1 is there for answers in prose."""
    loaded = further.load({"words": "assay.evaluation.metrics.token_f1:TokenF1"})

    assert further.ask(loaded, ["a late parcel"], ["late"], {}, str(tmp_path)) == [{"words": pytest.approx(2 / 3)}]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Mean", r"evaluation.metrics.mean: found no list of scores for 2 answers"),
        ("Short", r"found 1 scores for 2 answers; expected one each, under the key items"),
        ("Percent", r"found a score that is not a number in 0 … 1"),
        ("Unknown", r"found a score that is not a number in 0 … 1"),
    ],
)
def test_what_cannot_be_paired_or_compared_is_refused(name, says, tmp_path):
    """A mean, a score missing, per cent, NaN."""
    with pytest.raises(RecipeError, match=says):
        asked(name, folder=str(tmp_path))


def test_what_a_metric_raises_is_told_by_its_kind_alone(tmp_path):
    """It may quote an answer."""
    with pytest.raises(RecipeError, match="Failing failed with ValueError") as raised:
        asked("Failing", folder=str(tmp_path))

    assert "ab" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("name", "path", "says"),
    [
        ("x", "own_measures", r"evaluation.metrics.x: found 'own_measures'; expected package.module:Class"),
        ("x", "own_measures:PerItem()", r"expected package.module:Class"),
        ("x", "../own:PerItem", r"expected package.module:Class"),
        ("x", "no_such_module:X", r"module no_such_module cannot be imported \(ModuleNotFoundError\)"),
        ("x", "own_broken:X", r"module own_broken cannot be imported \(RuntimeError\)"),
        ("x", "own_measures:Absent", r"has no class Absent that is an evaluate.Metric"),
        ("x", "own_measures:NoMetric", r"has no class NoMetric that is an evaluate.Metric"),
        ("exact_match", "own_measures:PerItem", r"found the name 'exact_match'; expected"),
        ("field:x", "own_measures:PerItem", r"found the name 'field:x'; expected"),
        ("Accuracy", "own_measures:PerItem", r"found the name 'Accuracy'; expected"),
    ],
)
def test_a_name_or_a_path_that_leads_nowhere_is_refused(name, path, says):
    """Before a model is asked anything."""
    with pytest.raises(RecipeError, match=says):
        further.load({name: path})


def test_its_code_has_a_name(own):
    """Another metric under the same path is another question."""
    found = further.identity({"x": "own_measures:PerItem"})

    assert found == {"x": hashlib.sha256(own.read_bytes()).hexdigest()}
