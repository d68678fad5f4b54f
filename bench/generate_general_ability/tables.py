"""Reads the hand-written items from `tables/<kind>/<slug>.txt`.

The first line of a table is `# name of the group`, every other line one item. A minimal pair is one
sentence with its alternation in braces, good reading first: `She has {broken|broke} the cup.`; several
alternations switch together, and either side may be empty. A cloze or choice row is
`context | right | wrong | wrong`. A space is put before every continuation.
"""

import pathlib
import re
from typing import cast

from bench.generate_general_ability.item import Draft, Kind

FOLDER = pathlib.Path(__file__).parent / "tables"
_ALTERNATION = re.compile(r"\{([^|{}]*)\|([^|{}]*)\}")


def _reading(row: str, side: int) -> str:
    """The sentence with every alternation resolved to its first (1) or second (2) side."""
    chosen = _ALTERNATION.sub(lambda match: match.group(side), row)
    return re.sub(r" +(?=[ ,.;?!])", "", chosen).strip()


def _draft(slug: str, group: str, kind: Kind, row: str) -> Draft:
    """One row as a draft."""
    if kind == "minimal_pair":
        return Draft(slug, group, kind, "", _reading(row, 1), (_reading(row, 2),))
    context, *endings = (cell.strip() for cell in row.split("|"))
    right, *wrong = (f" {ending}" for ending in endings)
    return Draft(slug, group, kind, context, right, tuple(wrong))


def _table(path: pathlib.Path) -> list[Draft]:
    """Every item of one table, in the order in which it was written."""
    title, *rows = path.read_text(encoding="utf-8").splitlines()
    kind = cast("Kind", path.parent.name)
    return [_draft(path.stem, title.removeprefix("# "), kind, row) for row in rows]


def drafts() -> list[Draft]:
    """Every hand-written item, table by table in the order of their names."""
    return [draft for path in sorted(FOLDER.glob("*/*.txt")) for draft in _table(path)]
