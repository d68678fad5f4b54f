"""Contenders: one trainer in one process, on the tokens that all of them get, and what each of its steps took.

    python -m bench.contenders entry.json

An entry (:class:`bench.contest.Entry`, as JSON) names a trainer: Assay's, TRL's ``SFTTrainer``, or a plain
transformers ``Trainer`` with peft. All load the same prepared base, adapt the matrices that the
recipe names, draw the same adapter from the same seed, and see the same examples in the
same batches, in the order of :func:`assay.model.rows.order`, which already puts rows of like length together; so their
losses are those of one experiment, within rounding. The peers get nothing else of ours.

Nothing is saved while it trains. The held-out loss is computed afterwards by one function for all, on a fresh copy of
the base that got the learned adapter.
"""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from assay.model.prompting import Encoded
from assay.tuning import TrainingSpec
from bench import peers
from bench.contest import Clock, Entry, Settings, read

NEVER = 10**6
"""Steps between two checkpoints: a contest writes none."""


def main() -> None:
    """Train one contender and write what it took."""
    entry = Entry(**json.loads(Path(sys.argv[1]).read_text()))
    if entry.trl:
        sys.path.insert(0, entry.trl)
    import torch

    torch.set_num_threads(entry.threads)
    Path(entry.out).write_text(json.dumps(compete(entry)))


def compete(entry: Entry) -> dict[str, Any]:
    """Train as ``entry`` says.

    Returns:
        ``points`` (see :class:`Clock`), peak memory in bytes, tokens, operations, held-out loss, environment.
    """
    from assay.model import costs

    spec, settings = TrainingSpec.model_validate(entry.spec), Settings(**entry.settings)
    train, held_out = read(Path(entry.examples))
    contender = {"assay": assay, "trl": peers.trl, "trainer": peers.plain}[entry.trainer]
    clock = Clock()
    model, found = contender(entry, spec, settings, train, clock)
    peak = {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, **device_peak()}
    tokens = spec.epochs * sum(len(row.input_ids) for row in train)
    learned = spec.epochs * sum(len(row.input_ids) - row.prompt_length for row in train)
    operations = costs.operations(model, tokens, learned)
    layout = found.get("record", {}).get("layout")
    return {
        "trainer": entry.trainer,
        "points": clock.points,
        "tokens": tokens,
        "learned_tokens": learned,
        "operations": operations["done"],
        "executed_operations": executed(model, layout, spec.epochs, learned) if layout else operations["done"],
        "parameters": sum(p.numel() for p in model.get_base_model().parameters() if not p.requires_grad),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "held_out_loss": held_out_loss(entry, spec, model, held_out) if held_out else None,
        "environment": environment(),
        **peak,
        **found,
    }


def assay(
    entry: Entry, spec: TrainingSpec, settings: Settings, train: Sequence[Encoded], clock: Clock
) -> tuple[Any, dict[str, Any]]:
    """Train by the product's own functions; its record is part of the result."""
    from assay.model import adapter, session, training

    model = adapter.attach(Path(entry.base), spec)
    if settings.attention:
        model.get_base_model().set_attn_implementation(settings.attention)
    job = session.Job(base_digest="contest", checkpoint_every=NEVER, **settings.job)

    def report(event: dict[str, Any]) -> None:
        if event["event"] == "step":
            clock.note(event["loss"], event["tokens"])

    clock.start()
    record = training.train(job, model, train, held_out=[], spec=spec, work=Path(entry.work), report=report)
    return model, {"record": {name: value for name, value in record.items() if name != "losses"}}


def executed(model: Any, layout: Mapping[str, Any], epochs: int, learned: int) -> int:  # noqa: ANN401
    """Operations that were done in fact, by what the record says of its layout.

    Layers above the first that learns saw ``computed_tokens``; those below saw them too, or, where they were reused,
    each example's once and not in each epoch.
    """
    base = model.get_base_model()
    first, learned_weights, above, under = first_adapted(base), 0, 0, 0
    for name, weight in base.named_parameters():
        layer = next((int(part) for part in name.split(".") if part.isdigit()), -1)
        if weight.requires_grad:
            learned_weights += weight.numel()
        elif weight.ndim == 2 and layer >= first:
            above += weight.numel()
        elif weight.ndim == 2 and layer >= 0:
            under += weight.numel()
    tokens = layout["computed_tokens"]
    below = tokens / epochs if layout["reused_layers"] else tokens
    head = base.get_output_embeddings().weight.numel()
    return int((4 * above + 6 * learned_weights) * tokens + 2 * under * below + 4 * head * learned)


def first_adapted(base: Any) -> int:  # noqa: ANN401
    """The first layer that an adapter lies in."""
    names = [name for name, weight in base.named_parameters() if weight.requires_grad]
    return min(int(part) for name in names for part in name.split(".") if part.isdigit())


def held_out_loss(entry: Entry, spec: TrainingSpec, model: Any, held_out: Sequence[Encoded]) -> float:  # noqa: ANN401
    """Mean loss in nats per learned token, in float32 and by one function for all: no trainer measures itself."""
    import torch
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from torch.nn.functional import cross_entropy

    fresh = peers.adapted(entry, spec, Settings(weights="float32", attention="eager"))
    set_peft_model_state_dict(fresh, get_peft_model_state_dict(model, save_embedding_layers=False))
    fresh = fresh.to(model.device).eval()
    total, learned = 0.0, 0
    with torch.no_grad():
        for row in held_out:
            ids = torch.tensor([row.input_ids], device=fresh.device)
            logits = fresh(input_ids=ids).logits[0, row.prompt_length - 1 : -1]
            total += float(cross_entropy(logits, ids[0, row.prompt_length :], reduction="sum"))
            learned += len(row.input_ids) - row.prompt_length
    return total / learned


def device_peak() -> dict[str, int]:
    """Most bytes that tensors took on a GPU, if there is one."""
    import torch

    return {"device_peak_bytes": torch.cuda.max_memory_allocated()} if torch.cuda.is_available() else {}


def environment() -> dict[str, Any]:
    """What a speed depends on beyond the entry."""
    import torch

    names = ("torch", "transformers", "peft", "accelerate", "trl", "flash_attn", "liger_kernel", "kernels")
    found = {name: version(name) for name in names}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else torch.backends.cpu.get_cpu_capability()
    return {
        **{name: text for name, text in found.items() if text},
        "device": device,
        "threads": torch.get_num_threads(),
    }


def version(name: str) -> str | None:
    """Of an importable distribution; none if there is none."""
    try:
        return metadata.version(name.replace("_", "-"))
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
