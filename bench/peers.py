"""Peers: TRL's ``SFTTrainer`` and a plain transformers ``Trainer``, on the rows and with the adapter that Assay gets.

They are given what their manuals offer: labels on the completion only, rows of like length in one batch, bf16, the
attention of their choice, no activation checkpointing, no saving. TRL's packing ("bfd") makes one flat row of all
that it packed, as its padding-free collator does, so on a CPU only the latter is tried.
"""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.model import rows
from assay.model.prompting import Encoded
from assay.tuning import TrainingSpec
from bench.contest import Clock, Entry, Settings

IGNORED = -100
"""The label that transformers does not learn."""


def plain(
    entry: Entry, spec: TrainingSpec, settings: Settings, train: Sequence[Encoded], clock: Clock
) -> tuple[Any, dict[str, Any]]:
    """Train by transformers' own Trainer, whose loss reads the logits of every token."""
    from transformers import DataCollatorWithFlattening, Trainer, TrainingArguments

    model = adapted(entry, spec, settings)
    flat = settings.layout == "padding-free"
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**arguments(entry, spec, settings, len(train))),
        train_dataset=features(train, spec, settings, with_mask=not flat),
        data_collator=DataCollatorWithFlattening() if flat else stack,
        callbacks=[recorder(clock, known_tokens(train, spec, settings))],
    )
    clock.start()
    trainer.train()
    return model, {}


def trl(
    entry: Entry, spec: TrainingSpec, settings: Settings, train: Sequence[Encoded], clock: Clock
) -> tuple[Any, dict[str, Any]]:
    """Train by TRL's SFTTrainer on rows that are tokenised and labelled already, which it takes as they are."""
    from datasets import Dataset
    from transformers import Trainer
    from trl import SFTConfig, SFTTrainer

    class WholeHead(SFTTrainer):
        compute_loss = Trainer.compute_loss

    model = adapted(entry, spec, settings)
    layout = {"padded": {}, "padding-free": {"padding_free": True}, "packed": {"packing": True}}[settings.layout]
    length = spec.max_length if settings.layout == "packed" else None
    trainer = (SFTTrainer if settings.fused_head else WholeHead)(
        model=model,
        args=SFTConfig(**arguments(entry, spec, settings, len(train)), **layout, max_length=length),
        train_dataset=Dataset.from_list(features(train, spec, settings, with_mask=False)),
        processing_class=tokenizer(Path(entry.base)),
        callbacks=[recorder(clock, known_tokens(train, spec, settings))],
    )
    clock.start()
    trainer.train()
    return model, {}


def adapted(entry: Entry, spec: TrainingSpec, settings: Settings) -> Any:  # noqa: ANN401
    """Put the recipe's adapter on a base that keeps its own forward."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, set_seed

    attention = None if settings.defaults else settings.attention
    model = AutoModelForCausalLM.from_pretrained(
        entry.base, dtype=getattr(torch, settings.weights), attn_implementation=attention, local_files_only=True
    )
    set_seed(spec.seed)
    config = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=matrices(model, spec),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def matrices(model: Any, spec: TrainingSpec) -> list[str]:  # noqa: ANN401
    """Full names of what the recipe adapts: its modules, in its last layers."""
    last = model.config.num_hidden_layers - (spec.last_layers or model.config.num_hidden_layers)
    layer = {
        name: next((int(part) for part in name.split(".") if part.isdigit()), -1) for name, _ in model.named_modules()
    }
    return sorted(name for name, at in layer.items() if at >= last and name.rpartition(".")[2] in spec.target_modules)


def arguments(entry: Entry, spec: TrainingSpec, settings: Settings, examples: int) -> dict[str, Any]:
    """Training arguments that both peers take: the recipe, and how it is asked to run."""
    import torch

    steps = -(-examples * spec.epochs // spec.batch_size)
    micro = settings.micro_batch or spec.batch_size
    recipe = {
        "output_dir": entry.work,
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if spec.schedule == "constant" else spec.schedule,
        "warmup_steps": math.ceil(spec.warmup_share * steps),
        "weight_decay": spec.weight_decay,
        "max_grad_norm": spec.max_grad_norm,
        "seed": spec.seed,
        "per_device_train_batch_size": micro,
        "gradient_accumulation_steps": spec.batch_size // micro,
        "num_train_epochs": spec.epochs if settings.defaults else 1,  # Else the rows are laid out for all epochs.
        "use_cpu": not torch.cuda.is_available(),
    }
    silent = {"logging_steps": 1, "save_strategy": "no", "report_to": "none", "disable_tqdm": True}
    if settings.defaults:
        return {**recipe, **silent, "include_num_input_tokens_seen": "non_padding"}
    chosen = {
        "train_sampling_strategy": "sequential",
        "bf16": settings.autocast,
        "gradient_checkpointing": settings.recompute,
        "torch_compile": settings.compile,
        "use_liger_kernel": settings.liger,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }
    return {**recipe, **silent, **chosen}


def features(
    train: Sequence[Encoded], spec: TrainingSpec, settings: Settings, *, with_mask: bool
) -> list[dict[str, list[int]]]:
    """Rows as the peers take them, laid out for all epochs unless the library draws the order."""
    chosen = [train[place] for place in places(train, spec, settings)]
    made = [{"input_ids": list(row.input_ids), "labels": labels(row)} for row in chosen]
    return [{**row, "attention_mask": [1] * len(row["input_ids"])} for row in made] if with_mask else made


def labels(row: Encoded) -> list[int]:
    """What is learned: the completion's own ids, in the place of the prompt nothing."""
    return [IGNORED] * row.prompt_length + list(row.input_ids[row.prompt_length :])


def stack(made: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
    """A batch, padded on the right to its longest row."""
    import torch

    length = max(len(row["input_ids"]) for row in made)
    fill = {"input_ids": 0, "labels": IGNORED, "attention_mask": 0}
    return {k: torch.tensor([row[k] + [v] * (length - len(row[k])) for row in made]) for k, v in fill.items()}


def places(train: Sequence[Encoded], spec: TrainingSpec, settings: Settings) -> Sequence[int]:
    """The order of training: Assay's, or the file's if the library draws one."""
    if settings.defaults:
        return range(len(train))
    return rows.order([len(row.input_ids) for row in train], spec.batch_size, spec.epochs, spec.seed)


def known_tokens(train: Sequence[Encoded], spec: TrainingSpec, settings: Settings) -> list[int]:
    """Real tokens behind after each step; empty if the library decides what a step holds, and counts itself."""
    if settings.defaults or settings.layout == "packed":
        return []
    behind = list(itertools.accumulate(len(train[place].input_ids) for place in places(train, spec, settings)))
    return [*behind[spec.batch_size - 1 :: spec.batch_size], *behind[-1:]][: -(-len(behind) // spec.batch_size)]


def recorder(clock: Clock, known: Sequence[int]) -> Any:  # noqa: ANN401
    """A callback that notes each step when its loss is logged."""
    from transformers import TrainerCallback

    class Recorder(TrainerCallback):
        def on_log(self, _args: Any, state: Any, _control: Any, *, logs: dict[str, float], **_: object) -> None:  # noqa: ANN401
            if "loss" in logs:
                counted = logs.get("num_tokens", logs.get("num_input_tokens_seen", 0))
                clock.note(logs["loss"], int(known[state.global_step - 1] if known else counted))

    return Recorder()


def tokenizer(base: Path) -> Any:  # noqa: ANN401
    """The base's; one that knows nothing but padding, where there is none: rows are tokenised already."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if (base / "tokenizer_config.json").exists():
        return AutoTokenizer.from_pretrained(base, local_files_only=True)
    bare = Tokenizer(WordLevel({"<pad>": 0}, unk_token="<pad>"))
    return PreTrainedTokenizerFast(tokenizer_object=bare, pad_token="<pad>", eos_token="<pad>", unk_token="<pad>")
