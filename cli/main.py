"""``assay``: the command line.

Heavy libraries are imported inside the commands that need them, so that help and plans come at once.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assay.errors import AssayError, PromotionRefusedError, TrainingCrashError, UnexpectedError
from cli import comparing, stewards, verifying
from cli.statuses import ACCEPTED, BAD_INPUT, CRASHED, INCONCLUSIVE, REFUSED

if TYPE_CHECKING:
    from pathlib import Path

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
  assay show latest                      steps, verdict and report of a run; a sweep, decision or comparison by its id
  assay list                             runs, sweeps, decisions, comparisons, and versions in the registry
  assay sweep RECIPE --grid training.rank=8,16
                                         train it with each, compare on the validation side, say what to run
  assay decide RECIPE                    fine-tune, prompt or retrieve? every way on one locked set, and what to do
  assay compare 2 3                      one version held against another under the gate, with a report
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
  assay verify leaks RUN                 search everything that is persisted for what a run masked
  assay verify sample RUN --out s.csv    redacted rows for a person to read, and --judge for what that shows
  assay verify retrain RUN               train a run's candidate again from its record: are the bytes the same?
  assay reports serve                    reports and data cards in a browser, on this machine only
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
    _grid(_recipe(commands.add_parser("sweep", help="train a recipe with several settings and compare"), _sweep))
    decide = _recipe(
        commands.add_parser("decide", help="fine-tune, prompt or retrieve? every way asked the same, and what to do"),
        _decide,
    )
    decide.add_argument("--json", action="store_true", help="print one line of JSON on standard output, last")
    show = commands.add_parser("show", help="steps, verdict and report of a run; or a sweep, a comparison, a decision")
    show.add_argument("run", metavar="RUN", help="the beginning of its id, or `latest`: the last run")
    form = show.add_mutually_exclusive_group()
    for name, ending, whom in (("--markdown", "md", "a pull request"), ("--json", "json", "a machine")):
        form.add_argument(name, dest="form", action="store_const", const=ending, default="", help=f"for {whom}")
    show.set_defaults(command=_show)
    comparing.add(commands).set_defaults(command=_compare)
    commands.add_parser("list", help="runs, sweeps, comparisons, decisions, and versions in the registry").set_defaults(
        command=_list
    )
    promote = commands.add_parser("promote", help="point a stage at an accepted version")
    promote.add_argument("version", type=int, metavar="VERSION", help="number of the version, see `assay list`")
    promote.add_argument("--to", required=True, choices=("staging", "production"), dest="stage")
    _model(promote, _promote)
    back = commands.add_parser("roll-back", help="point a stage back at the version before")
    back.add_argument("--from", default="production", choices=("staging", "production"), dest="stage")
    back.add_argument("--reason", default="not given", help="kept in the history; no personal data")
    _model(back, _roll_back)
    stewards.add(commands, _recipe)
    _verify(commands.add_parser("verify", help="look for personal data that should be nowhere; train a run again"))
    digest = commands.add_parser("digest", help="digest of a base model or a recogniser, to pin it in a recipe")
    digest.add_argument(
        "uri", metavar="URI",
        help="package:DISTRIBUTION/FILE, hub:ORG/NAME, a .gguf file, a folder, or a .yaml of recognisers",
    )  # fmt: skip
    digest.set_defaults(command=_digest)
    return parser


def _recipe(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser.add_argument("recipe", metavar="RECIPE", help="a recipe.yaml, or the folder that holds one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings",
        help="change one value by its dotted path, such as training.epochs=2; may be repeated",
    )  # fmt: skip
    parser.set_defaults(command=command)
    return parser


def _grid(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grid", action="append", required=True, metavar="KEY=VALUE,VALUE", help="values of one setting under "
        "training, such as training.rank=8,16; repeated, every combination is a point",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one line of JSON on standard output, last")


def _model(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--model", help="registered name; may be left out if there is only one")
    parser.set_defaults(command=command)


def _verify(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    leaks = commands.add_parser(
        "leaks",
        help="search everything persisted for what a run masked; exit status 3 if found",
        description=verifying.ABOUT,
        epilog=verifying.WORDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    leaks.add_argument("run", metavar="RUN", help="the beginning of a run's id, or `latest`")
    leaks.add_argument(
        "--canaries", metavar="FILE", help="values that you planted: a line each, or JSON lines with `value`"
    )
    leaks.add_argument("--doubtful", action="store_true", help="list the records of words in doubt, by id")
    leaks.add_argument("--json", action="store_true", help="print one line of JSON and nothing else")
    leaks.set_defaults(command=_leaks)
    sample = commands.add_parser(
        "sample",
        help="redacted rows for a person to read; what they show of the leak rate",
        description="Write redacted rows of a run as a table with an empty column `leak`. Whoever reads them fills it "
        "in, and hands it back with --judge FILE --who NAME, which says what share of all rows can leak at most.",
    )
    sample.add_argument("run", metavar="RUN", help="the beginning of a run's id, or `latest`")
    sample.add_argument("--rows", type=int, default=300, metavar="N", help="default: 300; none that leaks shows 1.0 %%")
    sample.add_argument("--seed", type=int, default=0, metavar="N", help="another draws other rows; default: 0")
    sample.add_argument("--out", default="sample.csv", metavar="FILE", help="default: sample.csv")
    sample.add_argument("--judge", metavar="FILE", help="read a filled-in sample back; needs --who")
    sample.add_argument("--who", metavar="NAME", help="with --judge, and needed there: who read the rows")
    sample.set_defaults(command=_sample)
    retrain = commands.add_parser(
        "retrain",
        help="train a run's candidate again from its record; exit status 3 if the bytes differ",
        description=verifying.ABOUT_RETRAINING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    retrain.add_argument("run", metavar="RUN", help="the beginning of a run's id, or `latest`")
    retrain.add_argument("--json", action="store_true", help="print one line of JSON and nothing else")
    retrain.set_defaults(command=_retrain)


def _leaks(chosen: argparse.Namespace) -> int:
    is_clean = verifying.leaks(chosen.run, chosen.canaries, as_json=chosen.json, doubtful=chosen.doubtful)
    return ACCEPTED if is_clean else REFUSED


def _sample(chosen: argparse.Namespace) -> int:
    from cli import sampling

    if chosen.judge:
        sampling.judge(chosen.run, chosen.judge, chosen.who)
    else:
        sampling.write(chosen.run, chosen.rows, chosen.seed, chosen.out)
    return ACCEPTED


def _retrain(chosen: argparse.Namespace) -> int:
    return ACCEPTED if verifying.retrain(chosen.run, as_json=chosen.json) else REFUSED


def _sweep(chosen: argparse.Namespace) -> int:
    from cli import sweeping

    sweeping.sweep(chosen.recipe, chosen.grid, chosen.settings, as_json=chosen.json)
    return ACCEPTED


def _run(chosen: argparse.Namespace) -> int:
    from cli import running

    return VERDICTS[running.run(chosen.recipe, chosen.settings, as_json=chosen.json)]


def _plan(chosen: argparse.Namespace) -> int:
    from cli import running

    running.plan(chosen.recipe, chosen.settings)
    return ACCEPTED


def _show(chosen: argparse.Namespace) -> int:
    from cli import looking

    looking.show(chosen.run, chosen.form)
    return ACCEPTED


def _compare(chosen: argparse.Namespace) -> int:
    return VERDICTS[comparing.compare(chosen)]


def _decide(chosen: argparse.Namespace) -> int:
    from cli import deciding

    deciding.decide(chosen.recipe, chosen.settings, as_json=chosen.json)
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


def _digest(chosen: argparse.Namespace) -> int:
    from pathlib import Path

    from assay.errors import BaseModelError
    from assay.model import weights

    path = weights.locate(chosen.uri, Path())
    try:
        print(weights.digest(path))
    except BaseModelError as error:
        print(_digest_of_recogniser(path, error))
    return ACCEPTED


def _digest_of_recogniser(path: "Path", no_base: AssayError) -> str:
    from assay.errors import RecogniserError
    from assay.privacy.recognisers import opening

    try:
        return opening.digest(path)
    except RecogniserError:
        raise no_base from None


if __name__ == "__main__":
    sys.exit(main())
