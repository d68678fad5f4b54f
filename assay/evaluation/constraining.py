"""Constraining: which tokens may come next if an answer is to satisfy a JSON schema.

The schema becomes a grammar of bytes, and llguidance says after every token which tokens of the vocabulary keep the
answer a beginning of some text in it (Willard & Louf 2023, arXiv:2307.09702, on masks from a grammar). A whole answer
therefore always parses and always satisfies the schema; only one that ``max_new_tokens`` cut off does not. Spaces stand
where ``json.dumps`` puts them and nowhere else, as in what a model is taught: with spaces at will a model can fill its
answer with them. Properties come in the order of the schema.

That a form is kept says nothing of what stands in it: a model forced into a form can do worse at what it says (Tam et
al. 2024, arXiv:2408.02442), which is why constrained decoding is an arm of its own.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from typing import Any

from assay.errors import RecipeError

VERSION = 1

_WRITTEN = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_MOST = 4096
"""Beginnings whose masks are kept: requests of one kind share most of them."""

Tensor = Any
Tokenizer = Any


class Constraint:
    """Allowed next tokens under a schema."""

    def __init__(self, tokenizer: Tokenizer, schema: Mapping[str, Any], ends: Sequence[int], vocabulary: int) -> None:
        """Prepare the masks of ``schema`` for a model.

        Args:
            tokenizer: Of transformers, fast.
            schema: JSON schema of an answer.
            ends: Ids that end a turn; each may come once the answer is whole.
            vocabulary: Width of the model's logits, which may be more than the tokenizer's tokens.

        Raises:
            RecipeError: the schema asks for what no grammar of ours can.
        """
        from llguidance import LLMatcher

        self.digest = hashlib.sha256(
            json.dumps([VERSION, _release(), dict(schema), _WRITTEN, sorted(ends)], sort_keys=True).encode()
        ).hexdigest()
        """Names what is allowed: schema, ends, and the release of the library whose grammar it is."""

        known = len(tokenizer)
        self._tokenizer = _lifted(tokenizer, known, [end for end in sorted(ends) if end < known])
        self._known, self._vocabulary = known, vocabulary
        grammar = LLMatcher.grammar_from_json_schema(dict(schema), overrides=_WRITTEN)
        self._start = LLMatcher(self._tokenizer, grammar)
        if self._start.is_error():
            why = self._start.get_error().strip().splitlines()[0]
            raise RecipeError(
                f"prompt.output_schema: found a schema that answers cannot be constrained by ({why}); expected one "
                "without such keywords. Simplify the schema, or leave `constrained` out."
            )
        self._matchers: dict[tuple[int, ...], Any] = {}
        self._masks: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, said: Mapping[int, Sequence[int]]) -> Tensor:
        """Which tokens may come next in each row.

        Args:
            said: Row → its new tokens so far, none at its start.

        Returns:
            Booleans, rows x vocabulary, in the order of ``said``. A row that cannot go on may only end.
        """
        import torch

        return torch.stack([self._mask(tuple(row)) for row in said.values()])

    def _mask(self, row: tuple[int, ...]) -> Tensor:
        if (mask := self._masks.get(row)) is None:
            mask = self._computed(self._matcher(row))
            if len(self._masks) >= _MOST:
                self._masks.clear()
                self._matchers.clear()
            self._masks[row] = mask
        return mask

    def _matcher(self, row: tuple[int, ...]) -> Any:  # noqa: ANN401
        """The state after ``row``, from that after its longest beginning that is known."""
        if (found := self._matchers.get(row)) is None:
            known = next((end for end in range(len(row) - 1, -1, -1) if row[:end] in self._matchers), 0)
            found = self._matchers.get(row[:known], self._start).deep_copy()
            for token in row[known:]:
                found.consume_token(token)
            self._matchers[row] = found
        return found

    def _computed(self, matcher: Any) -> Tensor:  # noqa: ANN401
        import torch
        from llguidance.torch import allocate_token_bitmask, fill_next_token_bitmask

        mask = torch.zeros(self._vocabulary, dtype=torch.bool)
        if matcher.is_error() or matcher.is_stopped():
            mask[list(self._tokenizer.eos_tokens)] = True
            return mask
        packed = allocate_token_bitmask(1, self._known)
        fill_next_token_bitmask(matcher, packed)
        bits = (packed[0][:, None] >> torch.arange(32, dtype=torch.int32)) & 1
        mask[: self._known] = bits.flatten()[: self._known].bool()
        return mask


def _release() -> str:
    return importlib.metadata.version("llguidance")


def _lifted(tokenizer: Tokenizer, known: int, ends: list[int]) -> Any:  # noqa: ANN401
    """The tokenizer as llguidance reads it."""
    from llguidance import hf

    return hf.from_tokenizer(tokenizer, n_vocab=known, eos_token=ends)
