"""Items: the lines of a file from which both models are asked.

JSON lines, one object a line, each closed to unknown keys and told by an id of its own. A file with a hole in it would
measure something else, so the first line that is no item is refused, by its number and never by its text.
"""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.errors import SourceError


class Item(BaseModel):
    """A line of such a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    id: Annotated[str, Field(min_length=1)]
    """Unique in its file."""


Kind = TypeVar("Kind", bound=Item)


def parse(data: bytes, kind: type[Kind], what: str) -> list[Kind]:
    """Read a file of items.

    Args:
        data: JSON lines, with or without a newline at the end.
        kind: of item.
        what: the file is called in messages.

    Raises:
        SourceError: it is empty, or a line is no item, or an id comes twice; names the line.
    """
    found: list[Kind] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
        item = _item(line, number, kind, what)
        if item.id in seen:
            raise SourceError(f"{what} line {number}: id {item.id!r} is on line {seen[item.id]} already; rename one")
        seen[item.id] = number
        found.append(item)
    return found


def _item(line: bytes, number: int, kind: type[Kind], what: str) -> Kind:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise SourceError(
            f"{what} line {number}: {where}: {first['msg']}. Expected a JSON object with exactly "
            f"{', '.join(kind.model_fields)}."
        ) from None
