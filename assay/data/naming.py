"""Naming: which values of a label or an attribute may be told to anybody.

Attributes are not redacted, and one may hold what somebody typed. A value is named only if at least :data:`RARE`
subjects have it (k-anonymity with k = 5; Sweeney 2002, doi:10.1142/S0218488502001648): with records in their place,
one customer who wrote six times would be named. And only if it is no longer than :data:`LONGEST`: what is longer is
a text and no category.
"""

import hashlib

RARE = 5
"""A value that fewer subjects have is not named."""

LONGEST = 64
"""Characters."""


class Holders:
    """Who has each value, up to the :data:`RARE` subjects that it takes; eight bytes stand for a subject."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[bytes, ...]] = {}

    def add(self, value: str, subject: str) -> None:
        """Note that a subject has a value."""
        known = self._of.get(value, ())
        # Two subjects taken for one make a value seem rarer than it is, which names nobody.
        if len(known) < RARE and (one := short(subject)) not in known:
            self._of[value] = (*known, one)

    def clear(self) -> None:
        """Forget all, once no value is to be named."""
        self._of.clear()

    def __contains__(self, value: object) -> bool:
        """Whether a value may be named."""
        return isinstance(value, str) and len(value) <= LONGEST and len(self._of.get(value, ())) >= RARE


def short(text: str) -> bytes:
    """Eight bytes that stand for a text: among a million, two are taken for one in some three of a hundred million."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
