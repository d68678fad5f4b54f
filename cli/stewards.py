"""Commands of who answers for the data: suites, waivers, reviews, redaction of a file, pages.

As in :mod:`cli.main`, heavy libraries are imported inside the commands that need them.
"""

import argparse
from collections.abc import Callable
from typing import Any

from cli.statuses import ACCEPTED, BAD_INPUT, REFUSED

Recipe = Callable[[argparse.ArgumentParser, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]
"""Adds the arguments by which a recipe is named and changed."""

REDACTS = """\
Replace personal data in the text of one file by placeholders such as [PERSON_1]. Nothing leaves this machine.

Types named by --surrogate are replaced by invented values of the same shape instead, the same one for a value in every
row, file and run of this deployment: they depend on its key of values. A value too short or odd for one is masked.

Within a row a value has one placeholder, in whichever column it stands; another row's [PERSON_1] is somebody else.
Columns that are not named are written as they are. A --known column is written as the placeholder of its value, or as
[TYPE_0] where it cannot be found. A text that holds JSON stays JSON. With --spans each row says what was replaced:
{start, end, type}, and the column if there are several texts; characters of the text as it was, or of a value that is
no text: of its JSON text as it stands in the line.
"""

REDACT_EXITS = """\
A row that cannot be examined (too long, letters that are not read, no such column, a detector that fails) is not
written: its id and the reason go beside OUT, to NAME.quarantine.jsonl. A broken line of IN stops the command, and
no file is written.
exit status: 0 every row was examined and written, 3 some were set aside, 2 bad input, 1 crash
"""


def add(commands: Any, recipe: Recipe) -> None:  # noqa: ANN401  # argparse has no public name for it
    """Add them to a command line."""
    _expectations(commands.add_parser("expectations", help="read, compare and try out what must hold of the data"))
    _curate(commands.add_parser("curate", help="look at doubtful records, and decide on them"), recipe)
    _reports(commands.add_parser("reports", help="reports and data cards, to be read in a browser"))
    _redact(commands.add_parser("redact", help="replace personal data in the text of one file"))


def _expectations(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    suite = "a suite's file, or its name in ./expectations"
    lint = commands.add_parser("lint", help="say what is wrong with suites and waivers, a line for each mistake")
    lint.add_argument("files", nargs="*", metavar="FILE", help="suites, waivers, or folders; default: ./expectations")
    lint.set_defaults(command=_lint, keeps_state=False)
    show = commands.add_parser("show", help="a suite as a table")
    show.add_argument("suite", metavar="SUITE", help=suite)
    show.set_defaults(command=_show_suite, keeps_state=False)
    diff = commands.add_parser("diff", help="what one version of a suite asks otherwise than another")
    diff.add_argument("before", metavar="BEFORE", help=f"{suite}; - is standard input")
    diff.add_argument("after", metavar="AFTER", help=suite)
    diff.set_defaults(command=_diff, keeps_state=False)
    tried = commands.add_parser("try", help="what a suite would say of data; exit status 3 if it would stop a run")
    tried.add_argument("suite", metavar="SUITE", help=suite)
    tried.add_argument("data", metavar="DATA", help=".jsonl, .csv or .parquet, or a recipe, whose sources are read")
    tried.add_argument("--columns", metavar="PAIRS", help="the suite's names = the file's: prompt=message,id=ticket")
    tried.add_argument("--schema", metavar="FILE", help="JSON schema that answers must satisfy; a recipe names its own")
    tried.add_argument("--waivers", metavar="FILE", help="failures that are let pass; a recipe names its own")
    tried.add_argument("--json", action="store_true", help="print the outcome as JSON and nothing else")
    tried.set_defaults(command=_try)


def _curate(parser: argparse.ArgumentParser, recipe: Recipe) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    review = recipe(commands.add_parser("review", help="write the records that a person should look at"), _review)
    review.add_argument("--out", default="review.csv", metavar="FILE", help="default: review.csv")
    review.add_argument("--force", action="store_true", help="write over a file that somebody has filled in")
    correct = commands.add_parser("correct", help="add what a person decided to the recipe's corrections")
    correct.add_argument("recipe", metavar="RECIPE", help="a recipe.yaml, or the folder that holds one")
    correct.add_argument("reviewed", metavar="REVIEW.csv", help="what `review` wrote, with decisions filled in")
    correct.add_argument("--who", required=True, metavar="NAME", help="who answers for the decisions")
    correct.set_defaults(command=_correct)


def _redact(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = REDACTS, REDACT_EXITS
    parser.add_argument("source", metavar="IN", help=".jsonl, or .csv with a header")
    parser.add_argument("--out", required=True, metavar="OUT", help="written when all is done; same ending as IN")
    parser.add_argument(
        "--text", required=True, action="append", dest="texts", metavar="COLUMN",
        help="text to look in; may be repeated: all texts of a row are read together",
    )  # fmt: skip
    parser.add_argument(
        "--known", action="append", default=[], metavar="TYPE=COLUMN",
        help="a column that is personal data itself: looked for in the texts, never written; may be repeated",
    )  # fmt: skip
    parser.add_argument("--id", metavar="COLUMN", help="what rows are called in lists; default: their line")
    parser.add_argument("--entities", metavar="A,B", help="types to replace; default: all that are known")
    parser.add_argument(
        "--profile", default="standard", choices=("fast", "standard", "strict"),
        help="fast: rules and known values; standard: a tagger too; strict: a second one; default: standard",
    )  # fmt: skip
    parser.add_argument(
        "--surrogate", metavar="A,B", help="types to replace by invented values rather than placeholders"
    )
    parser.add_argument("--spans", action="store_true", help="add a column `spans`: what was replaced where")
    parser.add_argument("--preview", metavar="PAGE.html", help="a page with rows before and after; holds personal data")
    parser.add_argument("--preview-rows", type=int, default=50, metavar="N", help="rows on that page; default: 50")
    parser.set_defaults(command=_redact_file, keeps_state=False)


def _reports(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="show them to a browser on this machine, read-only")
    serve.add_argument("--port", type=int, default=8765, help="default: 8765")
    serve.set_defaults(command=_serve)
    build = commands.add_parser("build", help="lay them out as files that open from disk")
    build.set_defaults(command=_build)


def _lint(chosen: argparse.Namespace) -> int:
    from cli import expecting

    return ACCEPTED if expecting.lint(chosen.files) else BAD_INPUT


def _show_suite(chosen: argparse.Namespace) -> int:
    from cli import expecting

    expecting.show(chosen.suite)
    return ACCEPTED


def _diff(chosen: argparse.Namespace) -> int:
    from cli import expecting

    expecting.diff(chosen.before, chosen.after)
    return ACCEPTED


def _try(chosen: argparse.Namespace) -> int:
    from cli import trying

    given = (chosen.suite, chosen.data, chosen.columns, chosen.schema, chosen.waivers)
    return ACCEPTED if trying.try_out(*given, as_json=chosen.json) else REFUSED


def _review(chosen: argparse.Namespace) -> int:
    from cli import curating

    curating.review(chosen.recipe, chosen.settings, chosen.out, force=chosen.force)
    return ACCEPTED


def _correct(chosen: argparse.Namespace) -> int:
    from cli import curating

    curating.correct(chosen.recipe, chosen.reviewed, chosen.who)
    return ACCEPTED


def _serve(chosen: argparse.Namespace) -> int:
    from cli import serving

    serving.serve(chosen.port)
    return ACCEPTED


def _build(_: argparse.Namespace) -> int:
    from cli import serving

    serving.build()
    return ACCEPTED


def _redact_file(chosen: argparse.Namespace) -> int:
    from cli import redacting

    order = redacting.parse(
        chosen.source,
        chosen.out,
        chosen.texts,
        chosen.known,
        id=chosen.id,
        entities=chosen.entities,
        profile=chosen.profile,
        surrogate=chosen.surrogate,
        spans=chosen.spans,
        page=chosen.preview,
        shown=chosen.preview_rows,
    )
    return ACCEPTED if redacting.redact(order) else REFUSED
