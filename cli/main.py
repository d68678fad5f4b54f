"""``assay``: the command line.

Heavy libraries are imported inside the commands that need them, so that help and plans come at once.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence

from assay.errors import AssayError, PromotionRefusedError, TrainingCrashError, UnexpectedError

ACCEPTED, CRASHED, BAD_INPUT, REFUSED, INCONCLUSIVE = 0, 1, 2, 3, 4
UNWRITABLE = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "no space left",
    errno.EACCES: "no permission to write",
    errno.EPERM: "no permission to write",
    errno.EROFS: "a read-only disk",
}
VERDICTS = {"accepted": ACCEPTED, "refused": REFUSED, "inconclusive": INCONCLUSIVE}

ABOUT = """\
Governed fine-tuning: from a base model and your own records to a promoted model, with the proof left behind.

  assay plan recipes/support_triage      what would run, what is cached, and what in a key changed
  assay run recipes/support_triage       run it: validate, redact, curate, train, evaluate, judge, register
  assay show latest                      steps, verdict and report of a run
  assay list                             runs, and versions in the registry
  assay promote 3 --to staging           point a stage at an accepted version
  assay roll-back --from production      point it back at the version before

for who answers for the data:

  assay expectations lint                what is wrong with the suites and waivers in ./expectations, line by line
  assay expectations show raw            a suite as a table: what is asked, what follows, and why
  assay expectations try raw new.jsonl   what a suite would say of data, before anybody runs anything
  assay curate review RECIPE             the records that a person should look at, as a table to fill in
  assay curate correct RECIPE review.csv --who YOU
                                         the decisions in it, added to the recipe's corrections
  assay redact IN.jsonl --text COLUMN --out OUT.jsonl
                                         one file with placeholders instead of personal data; --preview shows both
  assay reports serve                    reports and data cards in a browser, on this machine only
"""

REDACTS = """\
Replace personal data in the text of one file by placeholders such as [PERSON_1]. Nothing leaves this machine.

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

EXITS = """\
exit status: 0 accepted (or done), 2 bad input, 3 refused, 4 inconclusive, 1 crash
state lies under ASSAY_HOME (default: .assay in the working directory); with PREFECT_API_URL set the run is shown there
"""


def main(arguments: Sequence[str] | None = None) -> int:  # noqa: PLR0911  # one for each way to end
    """Run one command and return its exit status."""
    chosen = _parser().parse_args(arguments)
    from tasks.places import prepare_environment

    command: Callable[[argparse.Namespace], int] = chosen.command
    try:
        if chosen.keeps_state:
            prepare_environment()
        return command(chosen)
    except PromotionRefusedError as error:
        print(f"assay: refused: {error}", file=sys.stderr)
        return REFUSED
    except (TrainingCrashError, UnexpectedError) as error:
        print(f"assay: crashed: {error}", file=sys.stderr)
        return CRASHED
    except AssayError as error:
        print(f"assay: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Who read us has seen enough.
        return ACCEPTED
    except OSError as error:
        if error.errno not in UNWRITABLE:
            return _unforeseen(error)
        print(
            f"assay: found {UNWRITABLE[error.errno]}; expected room and permission to write under ASSAY_HOME; "
            "mend that, or set ASSAY_HOME to another folder",
            file=sys.stderr,
        )
        return BAD_INPUT
    except KeyboardInterrupt:
        print("assay: interrupted; the same command goes on from where it was", file=sys.stderr)
        return CRASHED
    except Exception as error:  # noqa: BLE001  # its text may quote a record: only its kind and place are shown
        return _unforeseen(error)


def _unforeseen(error: Exception) -> int:
    from tasks.faults import described

    if os.environ.get("ASSAY_DEBUG"):
        raise error
    print(f"assay: crashed: {described(error)}; ASSAY_DEBUG=1 shows all of it", file=sys.stderr)
    return CRASHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assay", description=ABOUT, epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(keeps_state=True)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _recipe(commands.add_parser("run", help="take a recipe to a registered version with a verdict"), _run).add_argument(
        "--json", action="store_true", help="end with one line of JSON and print nothing else on standard output"
    )
    _recipe(commands.add_parser("plan", help="say what would run and why, without running it"), _plan)
    show = commands.add_parser("show", help="steps, verdict and report of a run")
    show.add_argument("run", metavar="RUN", help="the beginning of a run's id, or `latest`")
    show.set_defaults(command=_show)
    commands.add_parser("list", help="runs, and versions in the registry").set_defaults(command=_list)
    promote = commands.add_parser("promote", help="point a stage at an accepted version")
    promote.add_argument("version", type=int, metavar="VERSION", help="number of the version, see `assay list`")
    promote.add_argument("--to", required=True, choices=("staging", "production"), dest="stage")
    _model(promote, _promote)
    back = commands.add_parser("roll-back", help="point a stage back at the version before")
    back.add_argument("--from", default="production", choices=("staging", "production"), dest="stage")
    back.add_argument("--reason", default="not given", help="kept in the history; no personal data")
    _model(back, _roll_back)
    _expectations(commands.add_parser("expectations", help="read, compare and try out what must hold of the data"))
    _curate(commands.add_parser("curate", help="look at doubtful records, and decide on them"))
    _reports(commands.add_parser("reports", help="reports and data cards, to be read in a browser"))
    _redact(commands.add_parser("redact", help="replace personal data in the text of one file"))
    digest = commands.add_parser("digest", help="digest of a base model, to pin it in a recipe")
    digest.add_argument("uri", metavar="URI", help="package:DISTRIBUTION/FILE, hub:ORG/NAME, a .gguf file or a folder")
    digest.set_defaults(command=_digest)
    return parser


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


def _curate(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    review = _recipe(commands.add_parser("review", help="write the records that a person should look at"), _review)
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


def _recipe(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser.add_argument("recipe", metavar="RECIPE", help="a recipe.yaml, or the folder that holds one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings",
        help="change one value by its dotted path, such as training.epochs=2; may be repeated",
    )  # fmt: skip
    parser.set_defaults(command=command)
    return parser


def _model(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--model", help="registered name; may be left out if there is only one")
    parser.set_defaults(command=command)


def _run(chosen: argparse.Namespace) -> int:
    from cli import running

    return VERDICTS[running.run(chosen.recipe, chosen.settings, as_json=chosen.json)]


def _plan(chosen: argparse.Namespace) -> int:
    from cli import running

    running.plan(chosen.recipe, chosen.settings)
    return ACCEPTED


def _show(chosen: argparse.Namespace) -> int:
    from cli import looking

    looking.show(chosen.run)
    return ACCEPTED


def _list(_: argparse.Namespace) -> int:
    from cli import looking

    looking.list_all()
    return ACCEPTED


def _promote(chosen: argparse.Namespace) -> int:
    from cli import releasing

    releasing.promote(chosen.model, chosen.version, chosen.stage)
    return ACCEPTED


def _roll_back(chosen: argparse.Namespace) -> int:
    from cli import releasing

    releasing.roll_back(chosen.model, chosen.stage, chosen.reason)
    return ACCEPTED


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
        spans=chosen.spans,
        page=chosen.preview,
        shown=chosen.preview_rows,
    )
    return ACCEPTED if redacting.redact(order) else REFUSED


def _digest(chosen: argparse.Namespace) -> int:
    from pathlib import Path

    from assay.model import weights

    print(weights.digest(weights.locate(chosen.uri, Path())))
    return ACCEPTED


if __name__ == "__main__":
    sys.exit(main())
