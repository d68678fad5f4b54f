"""Tables whose longer cells are wrapped, so that a sentence can stand beside a number at any width."""

import shutil
import textwrap
from collections.abc import Collection, Sequence

NARROW = 16
"""Characters under which a column of sentences is no longer read; rows become paragraphs instead."""

GAP = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]], wraps: Collection[int]) -> str:
    """Rows under their head, the columns ``wraps`` wrapped to the terminal, the others as wide as they need."""
    return wrapped(head, rows, wraps, shutil.get_terminal_size().columns)


def wrapped(head: Sequence[str], rows: Sequence[Sequence[str]], wraps: Collection[int], width: int) -> str:
    """As :func:`table`, for ``width`` characters."""
    widest = [max(len(line) for row in (head, *rows) for line in row[i].split("\n")) for i in range(len(head))]
    fixed = sum(widest[i] for i in range(len(head)) if i not in wraps) + len(GAP) * (len(head) - 1)
    each = (width - fixed) // max(1, len(wraps))
    if each < NARROW and sum(widest) > width:
        return "\n\n".join(_paragraph(head, row, width) for row in rows)
    widths = [min(size, each) if i in wraps else size for i, size in enumerate(widest)]
    spare = width - sum(widths) - len(GAP) * (len(head) - 1)
    for i in sorted(wraps):  # What one column of sentences does not need, the next may have.
        more = max(0, min(spare, widest[i] - widths[i]))
        widths[i], spare = widths[i] + more, spare - more
    ruled = [_row(head, widths), _row(["─" * size for size in widths], widths)]
    drawn = [_row(row, widths) for row in rows]
    between = "\n\n" if any("\n" in row for row in drawn) else "\n"
    return "\n".join([*ruled, between.join(drawn)])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = [_lines(cell, size) for cell, size in zip(cells, widths, strict=True)]
    height = max(len(lines) for lines in parts)
    padded = [[*lines, *[""] * (height - len(lines))] for lines in parts]
    return "\n".join(
        GAP.join(f"{text:<{size}}" for text, size in zip(line, widths, strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    )


def _lines(cell: str, width: int) -> list[str]:
    return [part for line in cell.split("\n") for part in textwrap.wrap(line, max(1, width)) or [""]] or [""]


def _paragraph(head: Sequence[str], row: Sequence[str], width: int) -> str:
    """One row as lines, each cell after its column's name."""
    size = max(map(len, head)) + len(GAP)
    room = max(NARROW, width - size)
    return "\n".join(
        f"{name if not number else '':<{size}}{line}".rstrip()
        for name, cell in zip(head, row, strict=True)
        for number, line in enumerate(_lines(cell, room))
    )
