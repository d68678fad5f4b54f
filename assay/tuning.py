"""How a model is taught: what of a recipe decides the weights, and what it is said to cost.

Everything in :class:`TrainingSpec` may change the weights, so all of it is in the key of training. How many devices
share the work, how much of a batch passes through one at a time, and whether activations are kept or computed again is
a deployment's business; it may move the last bits of a weight, as another processor may, and is in the record.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from assay.fields import Declared, Fraction, Located, Name, Positive, Said, Sha256, Spec

Method = Literal["lora", "rslora", "dora", "qlora", "full"]
"""Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685); scaled by alpha/√rank (Kalajdzievski 2023, arXiv:2312.03732);
with magnitudes of their own (Liu et al. 2024, arXiv:2402.09353); over a base in 4 bits (Dettmers et al. 2023,
arXiv:2305.14314); every weight."""

Measured = Literal["held_out_loss", "exact_match", "field_accuracy"]
"""What is measured on the validation side while a model is trained."""


class SelectionSpec(Spec):
    """Which of the weights that training passes through become the candidate, and when to stop looking.

    Only the validation side is asked: the test side sees the candidate alone.
    """

    every: Positive | None = None
    """Optimiser steps between two measurements; after each epoch if absent. The start is always measured."""

    metric: Measured = "held_out_loss"
    """By which weights are preferred: loss in nats per learned token (less is better), or a share of answers."""

    keep: Literal["last", "best"] = "last"
    patience: Positive | None = None
    """Training ends after so many measurements in a row that better none before; never if absent."""

    answers: Annotated[int, Field(ge=0)] = 0
    """Validation records answered at each measurement, for the metrics of the task; none by default."""

    max_new_tokens: Positive = 64
    """Of such an answer."""

    @model_validator(mode="after")
    def _what_is_asked_for_is_measured(self) -> Self:
        if self.metric != "held_out_loss" and not self.answers:
            raise ValueError(f"metric {self.metric} needs `answers`: say how many validation records to answer")
        return self


class TrainingSpec(Spec):
    """What is learned of the completions' tokens, and how."""

    method: Method
    rank: Positive | None = None
    """Of each low-rank update; for every method but ``full``."""

    alpha: Positive | None = None
    """The update is scaled by alpha / rank, or alpha / √rank in ``rslora``."""

    dropout: Fraction = 0.0
    """Of what enters an update."""

    target_modules: tuple[str, ...] = ()
    """Matrices that are adapted, by the ends of their names; in ``full``, those that are learned, or all if absent."""

    last_layers: Positive | None = None
    """Adapt only this many of the last layers; all of them if absent."""

    learning_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_share: Fraction = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    neftune_noise: Annotated[float, Field(ge=0)] = 0.0
    """Uniform noise added to embeddings while training (Jain et al. 2023, arXiv:2310.05914); 0 adds none."""

    epochs: Positive
    batch_size: Positive
    """Examples per optimiser step."""

    max_length: Positive
    """Tokens of prompt and completion; a longer example is truncated on the left of its prompt, and counted."""

    layout: Literal["packed", "padded"] = "packed"
    """A batch is one row of tokens without padding, in which no example sees another, or a rectangle with padding."""

    compile: bool = False
    """Compile the layers (``torch.compile``): fewer, larger kernels, whose sums round otherwise. Needs a compiler."""

    selection: SelectionSpec = SelectionSpec()
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _is_compiled_packed(self) -> Self:
        if self.compile and (self.layout == "padded" or self.neftune_noise):
            raise ValueError("compile goes with layout `packed` and without `neftune_noise`: padded rows change shape")
        return self

    @model_validator(mode="after")
    def _fits_its_method(self) -> Self:
        if self.method == "full":
            if given := [name for name in ("rank", "alpha", "dropout") if getattr(self, name)]:
                raise ValueError(f"method `full` has no adapter: leave out {given}")
        elif absent := [name for name in ("rank", "alpha", "target_modules") if not getattr(self, name)]:
            raise ValueError(f"method `{self.method}` needs {absent}")
        return self


class ReplaySpec(Spec):
    """Answers of the base itself to general prompts, learned beside the task so that less is forgotten.

    Self-generated, so nobody's text is added: what the base would say without the adapter is what it learns to keep.
    """

    name: Name
    prompts: Located
    """A JSONL file of ``{"id", "prompt"}``."""

    digest: Sha256 | None = None
    """Of the bytes. If it is given, other bytes are refused; if not, it is filled in when a run starts."""

    licence: Declared
    share: Annotated[float, Field(gt=0, lt=1)]
    """Of the training examples that are replay."""

    system: Said = "You are a helpful assistant."
    """The system turn that stands before these prompts, in asking and in learning."""

    temperature: Annotated[float, Field(gt=0)] = 0.7
    max_new_tokens: Positive = 96
    seed: Annotated[int, Field(ge=0)] = 0


class PriceSpec(Spec):
    """What a device costs here. It moves no weight: it is multiplied with hours, and shown."""

    device_hour: Annotated[float, Field(ge=0, json_schema_extra={"context": True})]
    """In ``currency``, for one device: a GPU, or a CPU process with its threads."""

    currency: Declared
    as_of: Declared
    """Date of the price, ISO 8601."""
