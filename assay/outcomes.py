"""How one item of an evaluation came out: the rows that a paired test pairs.

An answer to a test record, a choice among what could be said next, how well a text was foreseen, how likely each value
of a label was held, how long a request took. All of them are told by an id that is no personal data.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model answered to one test record, and how it scored."""

    id: str
    subject: str
    expected: str
    answer: str
    scores: dict[str, float]
    """Per-item metrics in 0 … 1: ``exact_match``, ``format_adherence``, ``field_accuracy``, ``field:NAME``."""

    label_expected: str
    label_predicted: str | None
    """``None`` if the answer did not parse or lacks the field."""

    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one general-ability item came out."""

    id: str
    group: str
    """Items of a group share a paradigm, so their errors are not independent."""

    correct: bool
    kind: str = ""
    """Of a safety probe, ``harmful`` or ``benign``; ``document`` of a harness task that names no group."""

    margin: float
    """Log-likelihood of the right choice minus that of the best wrong one, in nats."""

    @property
    def cluster(self) -> str:
        """With what it may fail together: its group, or itself if it is a document that is independent of others."""
        return f"\0{self.id}" if self.kind == "document" else self.group


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLoss:
    """How well a model foresaw a text."""

    id: str
    group: str
    """Kind of text."""

    nats: float
    """Negative log-likelihood of the text, the first token aside."""

    tokens: int
    """That were foreseen; perplexity is exp(nats / tokens)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How likely a model held each value of a test record's label."""

    id: str
    subject: str
    expected: str
    probabilities: dict[str, float]
    """Value → its share of the probability of all values; they sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one request took, alone on its machine."""

    id: str
    first_ms: float
    """To the first token."""

    total_ms: float
    tokens: int
    """Generated, the end of the turn included."""

    prompt_tokens: int
