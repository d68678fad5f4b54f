"""Arms: ways to answer requests, and how far apart two of them are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

Advice = Literal["fine_tune", "do_not_fine_tune", "undecided", "none"]
Outlook = Literal["pays", "does_not_pay", "cannot_tell"]
Pairs = Mapping[tuple[str, str], "Gap"]
"""(one, other) → how much better the one is; for every two arms in both orders."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How much better one arm is than another on the same items, as a share of items."""

    mean: float
    lower: float
    upper: float
    n: int
    p_better: float
    """Small if it is shown to be better by more than the margin."""

    p_no_better: float
    """Small if it is shown to be better by less than the margin, if at all."""

    p_no_worse: float
    """Small if it is shown to be worse by less than the margin, if at all."""

    p_worse: float
    """Small if it is shown to be worse by more than the margin."""

    needed: int | None = None
    """Items that would tell it from the margin with 80 % power, if this mean is the truth."""

    def swapped(self) -> "Gap":
        """The same gap, as the other arm sees it; what would tell that from its margin is another number."""
        return Gap(
            mean=-self.mean,
            lower=-self.upper,
            upper=-self.lower,
            n=self.n,
            p_better=self.p_worse,
            p_no_better=self.p_no_worse,
            p_no_worse=self.p_no_better,
            p_worse=self.p_better,
        )


@dataclass(frozen=True, slots=True)
class Option:
    """One arm."""

    name: str
    tuned: bool
    quality: float
    """Mean of the target metric, in 0 … 1."""

    format_lower: float
    format_upper: float
    prompt_tokens: float
    seconds: float
    """Device-seconds a request."""

    quality_upper: float = 1.0
    """Bound of ``quality``."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as better, and what an answer is worth."""

    metric: str
    """What ``quality`` is, in words."""

    margin: float
    confidence: float
    min_format_adherence: float
    training_seconds: float
    """Device-seconds that the tuned arms' adapter took."""

    volume: int | None = None
    """Requests expected."""

    outlook: Outlook | None = None
    """Of more examples, if a learning curve was drawn."""


class Tested(BaseModel):
    """A tuned arm against a prompted one."""

    model_config = ConfigDict(frozen=True)

    tuned: str
    prompted: str
    mean: float
    lower: float
    upper: float
    p_better: float
    """Adjusted, of a tuned arm that is better by no more than the margin."""

    p_no_better: float
    """Adjusted, of a tuned arm that is better by the margin or more."""

    break_even: int | None
    """Requests that repay training; None if the tuned arm costs as much a request or more."""


class Recommendation(BaseModel):
    """What to do, why, and what would change it."""

    model_config = ConfigDict(frozen=True)

    advice: Advice
    arm: str | None
    """The one to use; in doubt the best prompted one, which costs no training."""

    sentence: str
    evidence: tuple[str, ...]
    would_change: tuple[str, ...]
    needed: int | None
    """Items that would decide, if it is undecided."""

    tested: tuple[Tested, ...]
    ruled_out: tuple[str, ...]
    """Arms whose answers lack the form."""
