"""What specifications are built of: a frozen base class, and the types of single values.

Two kinds of field are told apart from those that decide a model: :data:`Located` says where bytes were found (their
digest bears identity, so the same bytes at another path make the same model), and :data:`Declared` says by what
right they are used. Both are shown in reports and are in no key of a step that computes.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
Said = Annotated[str, Field(min_length=1)]

CONTEXT = "context"
"""Marks a field that no computation reads, so that it is never part of a key."""

Declared = Annotated[str, Field(min_length=1, json_schema_extra={CONTEXT: True})]
Located = Annotated[str, Field(min_length=1, json_schema_extra={CONTEXT: True})]


class Spec(BaseModel):
    """Frozen, closed to unknown keys, and built of ordered values only."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)
