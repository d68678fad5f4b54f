"""Texts: how well a model foresees ordinary prose, the most sensitive dial of what fine-tuning costs.

A file of texts is JSON lines, one passage a line::

    {"id": "encyclopaedic-001", "group": "encyclopaedic", "text": "A lighthouse is a tower …"}

A passage is worth its negative log-likelihood, in nats: the sum over its tokens of -log p(token | all before it).
Perplexity is exp(nats / tokens), over one text or over many (Jelinek et al. 1977, doi:10.1121/1.2016299); a
model that has lost nothing has a ratio of 1 to its baseline. Choices among answers hardly move while perplexity already
doubles, since every token of every passage is a measurement.

A passage is read after the token with which the vocabulary begins a text. Where there is none, its own first token is
given and not foreseen. Only models with one tokenizer are comparable: perplexity is per token. How passages are laid
out, so that one does not depend on its neighbours, is in :mod:`assay.evaluation.reading`.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from assay.evaluation import items, reading
from assay.outcomes import TextLoss

VERSION = 1

Model = Any
"""A causal language model of transformers."""

Tokenizer = Any


class Text(items.Item):
    """A passage that no model has seen."""

    group: Annotated[str, Field(min_length=1)]
    """Kind of text. Kinds are chosen by hand and no sample of all there are, so they are strata and no clusters: each
    passage stands for itself, and what is said holds of texts of these kinds."""

    text: Annotated[str, Field(min_length=1, pattern=r"\S")]


def parse(data: bytes) -> list[Text]:
    """Read a file of texts.

    Raises:
        SourceError: it is empty, or a line is no text, or an id comes twice; names the line.
    """
    return items.parse(data, Text, "held-out text")


def score(
    model: Model, tokenizer: Tokenizer, texts: Sequence[Text], batch_size: int, known: reading.Known | None = None
) -> list[TextLoss]:
    """How well ``model`` foresees each of ``texts``, in their order.

    Args:
        model: A causal model of transformers with a body and an output layer.
        tokenizer: Its tokenizer.
        texts: From :func:`parse`.
        batch_size: Texts read together at most.
        known: As :func:`assay.evaluation.reading.log_likelihoods` takes it.

    Raises:
        ModelError: a text does not fit the model's window, or is a single token that nothing stands before.
    """
    forks = [_fork(tokenizer, text) for text in texts]
    found = reading.log_likelihoods(model, forks, batch_size, known)
    return [
        TextLoss(id=text.id, group=text.group, nats=-total, tokens=len(fork.tails[0]))
        for text, fork, (total,) in zip(texts, forks, found, strict=True)
    ]


def _fork(tokenizer: Tokenizer, text: Text) -> reading.Fork:
    ids = tokenizer.encode(text.text, add_special_tokens=False)
    before = reading.first(tokenizer) or ids[:1]
    return reading.Fork(text.id, before, [ids if reading.first(tokenizer) else ids[1:]])
