"""Tasks of lm-eval come out as its own command would have them, document by document, and leave nothing behind."""

import json
import logging
import os
import random
import shutil
import socket
import sys
from pathlib import Path

import pytest

from assay.errors import ModelError, RecipeError, SourceError
from assay.evaluation import generation, harness, likelihood
from tests import tiny_model

BENCHMARKS = Path(__file__).parents[3] / "recipes" / "benchmarks"
OURS = ["assay_minimal_pair", "assay_cloze", "assay_choice"]

DOCUMENTS = [
    {"say": f"Where is parcel {place}?", "ends": [" It is here.", " here", " No."], "right": place % 3, "kind": kind}
    for place, kind in enumerate(["a", "a", "a", "b", "b", "c", "c", "c"])
]
PICK = {
    "task": "pick",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "data/documents.jsonl"}},
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "say",
    "doc_to_choice": "ends",
    "doc_to_target": "right",
    "target_delimiter": "",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    "metadata": {"version": 3.0, "group": "kind"},
}
TASKS = [
    PICK,
    PICK
    | {
        "task": "weighed",
        "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in ("acc", "acc_norm")],
        "metadata": {"version": 1.0},
    },
    PICK
    | {
        "task": "foresee",
        "output_type": "loglikelihood",
        "doc_to_choice": None,
        "doc_to_target": " I have waited",
        "metric_list": [
            {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
            {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
        ],
    },
    PICK
    | {
        "task": "write",
        "output_type": "generate_until",
        "doc_to_choice": None,
        "doc_to_target": "{{ends[right]}}",
        "generation_kwargs": {"until": ["."], "max_gen_toks": 3},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    },
    PICK
    | {
        "task": "roll",
        "output_type": "loglikelihood_rolling",
        "doc_to_choice": None,
        "doc_to_target": "say",
        "metric_list": [{"metric": "word_perplexity", "aggregation": "weighted_perplexity", "higher_is_better": False}],
    },
    PICK | {"task": "lost", "dataset_kwargs": {"data_files": {"test": "data/absent.jsonl"}}},
    PICK | {"task": "endless", "doc_to_text": "{{say * 200}}"},
    PICK | {"task": "misgrouped", "metadata": {"version": 1.0, "group": "paradigm"}},
    {
        "group": "both",
        "task": ["pick", "weighed"],
        "aggregate_metric_list": [{"metric": "acc", "weight_by_size": True}],
    },
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A model of two layers with lively weights."""
    import torch

    model, tokenizer = generation.load(tiny_model.build(tmp_path_factory.mktemp("tiny")), "float32", 1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model, tokenizer


@pytest.fixture
def folder(tmp_path):
    """A folder of task files with their data below it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "documents.jsonl").write_text("".join(json.dumps(each) + "\n" for each in DOCUMENTS))
    for task in TASKS:
        (tmp_path / f"{task.get('task') if 'group' not in task else task['group']}.yaml").write_text(json.dumps(task))
    return tmp_path


def test_results_equal_those_of_lm_eval_itself(loaded, folder, monkeypatch):
    """Called as its users call it, from the folder in which its relative paths hold."""
    from lm_eval import evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    theirs = evaluate(
        HFLM(pretrained=loaded[0], tokenizer=loaded[1], batch_size=3),
        TaskManager(include_path=folder, include_defaults=False).load(["both"]),
        bootstrap_iters=0,
    )
    monkeypatch.chdir("/")

    ours = harness.ask(*loaded, ["both"], folder, None, 3, bootstraps=0)

    assert ours.results == theirs["results"]
    for name, metric in (("pick", "acc"), ("weighed", "acc_norm")):
        right = [each.correct for each in ours.choices if each.id.startswith(f"{name}:")]
        assert right == [bool(sample[metric]) for sample in theirs["samples"][name]]
        assert sum(right) / len(right) == theirs["results"][name][f"{metric},none"]


def test_a_margin_says_which_document_is_right(loaded, folder):
    """It is of the metric that decides, so above zero means right, whatever the number of choices."""
    found = harness.score(*loaded, ["both"], folder, None, 3)

    assert {each.correct for each in found} == {True, False}
    assert all(each.correct == (each.margin > 0) for each in found)


def test_documents_are_clustered_by_the_field_that_the_file_names(loaded, folder):
    """Those of a paradigm share its errors; without a name each document stands for itself."""
    found = harness.score(*loaded, ["pick", "weighed"], folder, None, 8)
    groups = [each.group for each in found]

    assert groups == [f"pick: {each['kind']}" for each in DOCUMENTS] + ["weighed"] * len(DOCUMENTS)
    assert [each.kind for each in found] == [""] * len(DOCUMENTS) + ["document"] * len(DOCUMENTS)


def test_tasks_without_choices_are_right_or_wrong_too(loaded, folder):
    """A continuation that would be written greedily, and a text that equals the one wanted; neither has a margin."""
    found = harness.score(*loaded, ["foresee", "write"], folder, None, 4)

    assert len(found) == 2 * len(DOCUMENTS)
    assert {each.margin for each in found} == {0.0}


def test_a_limit_draws_by_digest_and_not_the_first(loaded, folder):
    """A file sorted by paradigm would be asked about one paradigm; and the draw depends on no order of the file."""
    asked = harness.score(*loaded, ["pick"], folder, 4, 3)
    places = [int(each.id.split(":")[1]) for each in asked]
    whole = {each.id: each for each in harness.score(*loaded, ["pick"], folder, None, 3)}
    lines = (folder / "data" / "documents.jsonl").read_text().splitlines()
    (folder / "data" / "documents.jsonl").write_text("\n".join(reversed(lines)))
    turned = [
        len(DOCUMENTS) - 1 - int(each.id.split(":")[1]) for each in harness.score(*loaded, ["pick"], folder, 4, 3)
    ]

    assert len(places) == 4
    assert places != [0, 1, 2, 3]
    assert sorted(turned) == places
    assert all(each.correct == whole[each.id].correct for each in asked)


def test_nothing_is_left_behind_and_nothing_asked_of_a_network(loaded, folder, monkeypatch, capfd):
    """Random states, variables, log level and settings are as before; local tasks need no network at all."""
    import datasets
    import numpy as np
    import torch

    tried = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host, **_: tried.append(host) or [])
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)

    def state():
        return (
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            torch.random.get_rng_state().tolist(),
            dict(os.environ),
            logging.getLogger("lm_eval").level,
            datasets.config.HF_UPDATE_DOWNLOAD_COUNTS,
            sorted(str(path) for path in folder.rglob("*")),
        )

    before = state()

    harness.score(*loaded, ["both"], folder, 2, 3)
    harness.digest(["both"], folder, 2)

    assert state() == before
    assert tried == []
    assert capfd.readouterr() == ("", "")


def test_a_digest_is_of_all_that_is_asked_and_of_no_place(loaded, folder, tmp_path):
    """Moved, a folder asks the same; another word, another limit or another file asks something else."""
    first = harness.digest(["pick"], folder, 4)
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "moved")

    assert harness.digest(["pick"], moved, 4) == first
    assert first["lm_eval"].startswith("0.4.")
    assert first["tasks"]["pick"]["version"] == "3.0"
    assert harness.digest(["pick"], moved, 5) != first
    data = moved / "data" / "documents.jsonl"
    data.write_text(data.read_text().replace("parcel", "letter"))
    assert harness.digest(["pick"], moved, 4)["tasks"] != first["tasks"]
    (moved / "pick.yaml").write_text((folder / "pick.yaml").read_text().replace("3.0", "3.1"))
    assert harness.digest(["pick"], moved, 4)["files"] != first["files"]


@pytest.mark.parametrize(
    ("task", "error", "message"),
    [
        ("roll", RecipeError, r"roll is measured by word_perplexity; expected one of acc_norm, acc, exact_match"),
        ("lost", SourceError, r"lost found no data \(FileNotFoundError\)"),
        ("misgrouped", RecipeError, r"names 'paradigm' as metadata.group; expected .* say, ends, right, kind"),
        ("endless", ModelError, r"found a request of \d+ tokens; expected at most 257"),
    ],
)
def test_what_cannot_be_paired_is_refused_by_name(loaded, folder, task, error, message):
    """A number that is no outcome, a file that is not there, a field that is none, a text that would be cut."""
    with pytest.raises(error, match=message):
        harness.score(*loaded, [task], folder, None, 3)


@pytest.mark.slow
def test_a_misspelt_task_is_told_what_it_may_have_meant(folder):
    """Among lm-eval's own thousands, which take seconds to look through."""
    with pytest.raises(RecipeError, match=r"found 'piqua'; expected .*near names: piqa"):
        harness.digest(["piqua"], folder)


def test_without_lm_eval_the_extra_is_named(folder, monkeypatch):
    """It is no dependency of Assay's."""
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", None)

    with pytest.raises(RecipeError, match=r"Install assay\[lm-eval\]"):
        harness.digest(["pick"], folder)


def test_the_embedded_items_agree_with_our_own_reading(loaded):
    """In float32 both readings of an item come to one margin, ties and lengths included."""
    found = {each.id: each for each in harness.score(*loaded, ["assay_general_ability"], BENCHMARKS, 12, 8)}
    items = likelihood.parse((BENCHMARKS / "general_ability.jsonl").read_bytes())
    kinds = {name: [item for item in items if item.kind == name.removeprefix("assay_")] for name in OURS}
    own = {f"{name}:{place}": item for name, each in kinds.items() for place, item in enumerate(each)}
    asked = [item for id, item in own.items() if id in found]
    ours = {item.id: choice for item, choice in zip(asked, likelihood.score(*loaded, asked, 8), strict=True)}

    assert len(asked) == len(found) == 12 * len(OURS)
    for id, theirs in found.items():
        assert theirs.group == f"{id.split(':')[0]}: {own[id].group}"
        assert theirs.margin == pytest.approx(ours[own[id].id].margin, abs=2e-3)
