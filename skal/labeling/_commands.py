"""The command line: `python -m skal label` and its companions."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skal._extras import install_hint
from skal.labeling._advice import Stop
from skal.labeling._session import LabelingSession
from skal.labeling._table import Table, opened, seen_from, table_in
from skal.labeling.files._formats import FORMATS

# Options that are given when a session begins, and then kept in its file.
BEGINNING = "id", "text", "label", "target", "strategy"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Those of the process by default.

    Returns
    -------
    int
        0, or 1 after an error, which is printed as one line.
    """
    args = _parser().parse_args(arguments)
    try:
        args.run(args)
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"skal: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skal", description="Label a table, and lose nothing."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, text in (
        ("label", _label, "label rows at the terminal"),
        ("init", _init, "begin a session for a table"),
        ("next", _next, "write the next questions to a file"),
        ("import", _import, "read answers from a file"),
        ("export", _export, "write all labels to a file"),
        ("status", _status, "say how good the model is, and what labels bring"),
        ("verdict", _verdict, "say whether choosing has paid"),
    ):
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        one.add_argument("journal", type=Path, help="the file of the session")
        _OPTIONS[name](one)
    return parser


def _begins(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    parser.add_argument("table", nargs=nargs, help="a CSV file with the rows")
    parser.add_argument("--id", default="", help="the column with ids")
    parser.add_argument("--text", default="", help="the column with texts")
    parser.add_argument("--label", default="", help="the column with known labels")
    parser.add_argument("--classes", help="the classes, separated by commas")
    parser.add_argument(
        "--target", choices=["class", "labels", "number"], default="class"
    )
    parser.add_argument("--strategy", default="", help="a strategy of skal, by name")
    parser.add_argument("--audit", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)


def _labels(parser: argparse.ArgumentParser) -> None:
    _begins(parser, "?")
    parser.add_argument("--by", default="", help="your name")


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the file")
    parser.add_argument("--format", choices=list(FORMATS))


def _asks(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("-n", type=int, default=20, help="number of questions")
    parser.add_argument("--by", default="", help="the annotator")


def _imports(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--by", help="the annotator, if the file names none")


def _advises(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--goal", type=float, help="stop at this score")
    parser.add_argument("--worth", type=float, help="what a score of 1 is worth")
    parser.add_argument("--cost", type=float, default=1.0, help="the cost of a label")
    parser.add_argument("-n", type=int, default=100, help="labels to look ahead")


_OPTIONS: dict[str, Any] = {
    "label": _labels,
    "init": _begins,
    "next": _asks,
    "import": _imports,
    "export": _file,
    "status": _advises,
    "verdict": lambda parser: None,
}


def _begun(args: argparse.Namespace) -> LabelingSession:
    """Begin a session for a table, or open it if it is there."""
    given = {name: getattr(args, name) for name in BEGINNING}
    table = Table(seen_from(args.journal, args.table), **given)
    params: dict[str, Any] = {"audit": args.audit}
    if not args.journal.exists():
        params["random_state"] = args.seed
    if args.classes:
        params["classes"] = [name.strip() for name in args.classes.split(",")]
    return opened(args.journal, table, params, is_new=True)


def _known(args: argparse.Namespace) -> LabelingSession:
    """Open a session that was begun."""
    return opened(args.journal, *table_in(args.journal), is_new=False)


def _init(args: argparse.Namespace) -> None:
    with _begun(args) as session:
        print(session.progress())


def _label(args: argparse.Namespace) -> None:
    try:
        from skal.labeling._console import ConsoleLoop
    except ImportError as error:
        raise ImportError(
            f"The console loop needs rich ({error}): {install_hint('label')}."
        ) from error
    with _begun(args) if args.table else _known(args) as session:
        ConsoleLoop(session, args.by).run()


def _next(args: argparse.Namespace) -> None:
    with _known(args) as session:
        questions = session.ask(args.n, by=args.by)
        n = session.export(args.file, args.format, questions=questions)
        print(f"{n} questions are in {args.file}.")


def _import(args: argparse.Namespace) -> None:
    with _known(args) as session:
        n = session.read(args.file, args.format, by=args.by)
        print(f"{n} answers are new. {session.progress()}")


def _export(args: argparse.Namespace) -> None:
    with _known(args) as session:
        n = session.export(args.file, args.format)
        print(f"{n} rows are in {args.file}.")


def _status(args: argparse.Namespace) -> None:
    with _known(args) as session:
        print(session.progress())
        if session.labels():
            stop = Stop(target=args.goal, worth=args.worth, cost=args.cost)
            print(session.advice(stop, args.n))


def _verdict(args: argparse.Namespace) -> None:
    with _known(args) as session:
        print(session.verdict())
