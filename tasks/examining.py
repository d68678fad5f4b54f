"""The examining step: a recipe that cannot be trained on its base and its rows is refused before a GPU is taken.

What it would take is filed: parameters, steps, operations and memory, and what looks unusual; `assay show` prints it.
"""

import json
import warnings

from assay.artifacts import Artifact, Tokenised
from assay.model import adapter, architecture, changes, costs, fitness, rows
from assay.tuning import TrainingSpec
from tasks.places import checkout, store
from tasks.pool import in_process, release
from tasks.steps import step

VERSION = 1  # Raise on any change here that could change what is filed: it is part of its key.


@step(
    "tasks.examining",
    fitness,
    adapter,
    architecture,
    changes,
    costs,
    rows,
    libraries=("torch", "transformers", "peft"),
    timeout_seconds=None,
)
def examine(base: Artifact, tokens: Tokenised, spec: TrainingSpec, replay: Artifact | None = None) -> Artifact:
    """Refuse a recipe that cannot be trained; file what training would take."""
    found = in_process(examined, base, tokens, spec, replay)
    release()
    return found


def examined(base: Artifact, tokens: Tokenised, spec: TrainingSpec, replay: Artifact | None) -> Artifact:
    """What :func:`examine` files; in a process of the pool, for it builds the model, if without weights."""
    also = (replay,) if replay else ()
    learned = fitness.laid(store().get(shard) for shard in (*tokens.train.shards, *also))
    held_out = fitness.laid(store().get(shard) for shard in tokens.validation.shards)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # What a library will call otherwise is no news to who runs it.
        found = fitness.examine(checkout(base), list(learned), list(held_out), spec)
    return store().put("fitness", json.dumps(found, sort_keys=True).encode())
