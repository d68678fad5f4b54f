"""Tasks of lm-eval by name: found among its own and in a folder, built with their data, and taken care of while open.

A folder's files are read as lm-eval reads them, with two differences. A relative path in a task file's ``data_files``
starts at that file's folder, whatever the working directory; and what ``datasets`` makes of local files is written to a
folder that is gone afterwards. Both are said in task files of our own that include the ones given, so nothing of
lm-eval is changed. While tasks are open nothing is printed (a warning of lm-eval's may quote a document), no download
is counted over the network, and random numbers are those of lm-eval's command.
"""

import contextlib
import difflib
import json
import logging
import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import RecipeError, SourceError

SEEDS = {"python": 0, "numpy": 1234, "torch": 1234, "fewshot": 1234}
"""What lm-eval's command sets, before it opens a task."""

Loaded = dict[str, Any]
"""``tasks``, ``groups``, and ``group_map``, which says what each group holds, as lm-eval's task manager gives them."""

Manager = Any
"""Lm-eval's register of tasks."""

_PACKAGED = frozenset({"arrow", "csv", "json", "pandas", "parquet", "text", "xml"})
"""Readers of local files that ``datasets`` brings along."""

_NEAR = 3
"""Names told to whoever misspelt one."""


@contextlib.contextmanager
def opened(tasks: Sequence[str], include: Path | None) -> Iterator[Loaded]:
    """The tasks, ready to be asked, for as long as their data lie on disk."""
    with _quietly(), _seeded(), tempfile.TemporaryDirectory(prefix="assay-harness-") as work:
        manager = _manager(tasks, include, Path(work))
        loaded: Loaded = {"tasks": {}, "groups": {}, "group_map": {}}
        for name in dict.fromkeys(tasks):
            built = _built(manager, name)
            for part, found in loaded.items():
                found.update(built.get(part, {}))
        for task in loaded["tasks"].values():
            if task.get_config("num_fewshot") is None:
                task.set_config(key="num_fewshot", value=0)
            task.set_fewshot_seed(seed=SEEDS["fewshot"])
        yield loaded


def _manager(tasks: Sequence[str], include: Path | None, work: Path) -> Manager:
    """Lm-eval's task manager; its thousands of own tasks are looked through only if one of them is wanted."""
    try:
        from lm_eval.tasks import TaskManager
    except ImportError:
        raise RecipeError(
            "evaluation.harness: found no lm-eval, which it asks with; expected it installed. Install assay[lm-eval]."
        ) from None
    places = [include, _overlaid(TaskManager(include_path=include, include_defaults=False), work)] if include else []
    manager = TaskManager(include_path=places, include_defaults=False)
    if not _wanted(tasks, manager) <= set(manager.all_tasks):
        manager = TaskManager(include_path=places, include_defaults=True)
    for name in tasks:
        if name not in manager.all_tasks:
            near = ", ".join(difflib.get_close_matches(name, manager.all_tasks, _NEAR)) or "none"
            raise RecipeError(
                f"evaluation.harness.tasks: found {name!r}; expected a task or group of lm-eval"
                f"{' or of the included folder' if include else ''} (near names: {near}). Mend the name."
            )
    return manager


def _wanted(tasks: Sequence[str], manager: Manager) -> set[str]:
    """Names asked for, and those that the groups among them list."""
    wanted, left = set[str](), list(tasks)
    while left:
        if (name := left.pop()) not in wanted:
            wanted.add(name)
            entry = manager.task_index.get(name)
            listed = (entry.cfg or {}).get("task") if entry else None
            members = listed if isinstance(listed, list) else []
            left += [m if isinstance(m, str) else m["task"] for m in members if isinstance(m, str) or "task" in m]
    return wanted


def _overlaid(manager: Manager, work: Path) -> Path:
    """A folder of task files that say the same as those of ``manager``, with paths that hold from anywhere.

    ``datasets`` would take relative paths from the working directory, and would leave a copy of the data in its cache.
    """
    folder = work / "tasks"
    folder.mkdir()
    for place, (name, entry) in enumerate(sorted(manager.task_index.items())):
        config = entry.cfg or {}
        given = config.get("dataset_kwargs") or {}
        if entry.yaml_path and config.get("dataset_path") in _PACKAGED and "data_files" in given:
            files = _located(given["data_files"], entry.yaml_path.parent)
            here = given | {"data_files": files, "cache_dir": str(work / "data")}
            told = {"include": str(entry.yaml_path.resolve()), "task": name, "dataset_kwargs": here}
            (folder / f"{place}.yaml").write_text(json.dumps(told))  # JSON is YAML.
    return folder


def _located(files: Any, folder: Path) -> Any:  # noqa: ANN401
    """Paths, in a list or by split, as absolute ones."""
    match files:
        case Mapping():
            return {split: _located(each, folder) for split, each in files.items()}
        case str():
            return files if "://" in files else str(folder.resolve() / files)
        case _:
            return [_located(each, folder) for each in files]


def _built(manager: Manager, name: str) -> Loaded:
    """The task or group called ``name``, with its data."""
    try:
        return dict(manager.load([name]))
    except OSError as error:  # What datasets and hub clients raise: no file, no data set, no connection.
        raise SourceError(
            f"evaluation.harness.tasks: {name} found no data ({type(error).__name__}); expected them on this machine. "
            "Put the file where the task file says, inside the included folder; a task of lm-eval's own takes its data "
            "from a hub, and a run asks no hub: fetch them into its cache first."
        ) from error
    except ImportError as error:
        raise RecipeError(
            f"evaluation.harness.tasks: {name} found no module {error.name!r}; expected it installed. Install what the "
            "task needs."
        ) from error
    except Exception as error:
        raise RecipeError(
            f"evaluation.harness.tasks: {name} cannot be built ({type(error).__name__}); expected a task file of "
            "lm-eval's format. Try it with `lm-eval validate --tasks`."
        ) from error


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """No progress bar, no warning that quotes a document, no count of downloads, no variable left behind."""
    import datasets

    before, logger, settings = dict(os.environ), logging.getLogger("lm_eval"), datasets.config
    level, counts = logger.level, settings.HF_UPDATE_DOWNLOAD_COUNTS
    logger.setLevel(logging.CRITICAL)
    settings.HF_UPDATE_DOWNLOAD_COUNTS = False
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        try:
            yield
        finally:
            logger.setLevel(level)
            settings.HF_UPDATE_DOWNLOAD_COUNTS = counts
            for name in set(os.environ) - set(before):
                del os.environ[name]


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """Random numbers as in lm-eval's command, and afterwards as before."""
    import numpy as np
    import torch

    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 — tasks draw from the global state
    random.seed(SEEDS["python"])
    np.random.seed(SEEDS["numpy"])  # noqa: NPY002
    with torch.random.fork_rng():
        torch.manual_seed(SEEDS["torch"])
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
