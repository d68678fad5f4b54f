"""``assay verify sample``: redacted rows for a person to read, and what it shows that they were read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import DataError, RecipeError
from cli import files
from cli.tables import columns

if TYPE_CHECKING:
    from assay.privacy.measurement.reviewing import Read

COLUMNS = ("leak", "id", "row", "said", "answer", "beside")
_ROW = re.compile(r"(\d+) of (\d+), seed (\d+)")


def write(run: str, rows: int, seed: int, out: str) -> None:
    """Write redacted rows of a run as a table, with an empty column ``leak`` for a person to fill in."""
    if rows < 1 or seed < 0:
        raise RecipeError(f"found {rows} rows, seed {seed}; expected a row or more, and a seed from 0.")
    from assay.data.spreadsheets import encode, literal
    from assay.privacy.measurement import recall
    from assay.store import write_once
    from tasks import sampling

    sample = sampling.draw(run, rows, seed)
    count = len(sample.rows)
    told = (
        ("", literal(row.id), literal(f"{number} of {count}, seed {seed}"), *row.cells)
        for number, row in enumerate(sample.rows, 1)
    )
    try:
        # It shows what customers wrote, redacted; who may read the folder need not be who may read that.
        write_once(Path(out), encode(COLUMNS, told, marked=True), mode=0o600)
    except FileExistsError:
        raise RecipeError(
            f"sample: found a file at {out}; expected none, since somebody may have filled it in. Name another with "
            "--out, or remove it."
        ) from None
    bound = recall.clean_sample(count)
    print(f"run      {sample.run}\nsample   {count:,} of {sample.of:,} redacted rows in {out}")
    print("\nread each row; write yes under `leak` if anything personal is left in it, else no. If none leaks, at")
    print(f"most {bound:.2%} of all rows do, with {recall.CONFIDENCE:.0%} confidence. Then")
    print(f"  assay verify sample {run} --judge {out} --who YOU")


def judge(run: str, path: str, who: str | None) -> None:
    """Read a filled-in sample back, say what it shows, and file that with the run."""
    if not (who or "").strip():
        raise RecipeError("found no name of who read the rows; expected one. Say --who YOU.")
    from assay.privacy.measurement import reviewing
    from tasks import sampling

    back, seed = _back(path)
    sample, reviewed = sampling.judge(run, back, seed)
    place = sampling.file(sample.run, reviewed, str(who).strip())
    print(f"run      {sample.run}\nread     {reviewed.rows:,} of {reviewed.of:,} redacted rows, by {who}")
    print(f"leaks    {reviewed.leaks:,} ({reviewed.rate:.2%} of those read)")
    if reviewed.leaking:
        print(f"         in {', '.join(reviewed.leaking[:10])}{', …' if len(reviewed.leaking) > 10 else ''}")  # noqa: PLR2004
    print(f"bound    at most {reviewed.upper:.2%} of all rows leak, with {reviewed.confidence:.0%} confidence")
    if larger := reviewing.more(reviewed):
        print("\nif as large a share of more rows leaked, reading them would show:")
        print(columns([("ROWS", "AT MOST"), *((f"{rows:,}", f"{upper:.2%}") for rows, upper in larger)]))
    print(f"\nfiled    {place}")


def _back(path: str) -> "tuple[list[Read], int]":
    """The rows of a file that came back, and the seed by which they were drawn."""
    from assay.data.spreadsheets import bare, rows
    from assay.privacy.measurement.reviewing import Drawn, Read

    back: list[Read] = []
    drawn: set[tuple[str, str]] = set()
    for row in rows(files.read(path, "sample"), "sample", COLUMNS):
        if not (told := _ROW.fullmatch(bare(row.cells["row"]))):
            raise DataError(f"sample:{row.line}: found no `row`; expected it as it was written. Restore it.")
        drawn.add((told[2], told[3]))
        text = Drawn(bare(row.cells["id"]), tuple(row.cells[name] for name in COLUMNS[3:]))
        back.append(Read(row.line, text, bare(row.cells["leak"])))
    if len(drawn) != 1 or len(back) != int(next(iter(drawn))[0]):
        raise DataError(
            f"sample: found {len(back)} rows of {len(drawn)} samples; expected all rows of one, as it was written. "
            "Restore them, or write the sample anew."
        )
    return back, int(next(iter(drawn))[1])
