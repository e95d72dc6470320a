"""`nsm-gate append`: judge entries, and append them to a log.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse
import os

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.entries import Text
from nsm_gate.errors import GateError
from nsm_gate.model import Severity
from nsm_gate.policy import Limits

_FORMATS = ("text", "concise", "json", "jsonl")
_HOURS = 1e9  # seconds
_EPILOG = """\
Entries are JSON objects: one, on as many rows as it likes, or one a row. All of them are appended, or none.
They are judged as nsm-gate check judges them, behind what the log holds: what check would refuse is not
appended. An entry that the log holds already counts as appended, so that a command can be repeated. Where
there is no time stamp it is filled in, in UTC; so are branch and commit where a log kind's key asks for
them, from git. Exit codes: 0 the log holds the entries, 1 they were refused, 2 the log cannot be written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument("log", metavar="LOG", help="the log to append to")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="files of entries (default: -, which is standard input)"
    )
    parser.add_argument(
        "--by-time", action="store_true",
        help="append the entries in the order in which they were logged, to join logs of several runs",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="judge the entries, and append nothing")
    parser.add_argument(
        "--lock-timeout", type=seconds, default=60.0, metavar="SECONDS",
        help="how long to wait while other programs append (default: 60)",
    )  # fmt: skip
    parser.add_argument(
        "--fail-on", choices=("error", "warning", "notice", "never"), default="error",
        help="severity from which entries are refused (default: error)",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--output-format", choices=_FORMATS, default="text", help="default: text")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing is found")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every run and criterion")


def seconds(text: str) -> float:
    """Return how long to wait; ValueError where that is no time."""
    value = float(text)
    if not 0 <= value < 10**9:
        raise ValueError
    return value


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Append, print what was found and what was done, and return the exit code."""
    from nsm_gate.commands.appending import appended
    from nsm_gate.commands.next_lines import Asked
    from nsm_gate.render import FORMATS
    from nsm_gate.render.appended import document, outcome, sentences
    from nsm_gate.render.json import dump
    from nsm_gate.render.style import Style

    # What is read may come from a program that takes its hours.
    world.watch.tell(seconds=_HOURS, formats=[args.output_format])
    given = _given(args.files or ["-"], world)
    world.watch.tell(seconds=Limits().seconds)
    fail_on = None if args.fail_on == "never" else Severity.of(args.fail_on)
    made = appended(
        Asked(args.log, given, args.config, fail_on, args.lock_timeout, args.by_time, args.dry_run), world
    )
    report = made.report
    if args.output_format == "json":
        world.stdout.write(document(made))
    elif args.output_format == "jsonl":
        world.stdout.write(dump({"kind": "append", **outcome(made)}, None))
        world.stdout.write(FORMATS["jsonl"](report, Style()))
    elif not (args.quiet and made.written and not report.findings):
        style = Style(world.colored(args.color), world.width(), args.verbose, args.quiet)
        world.stdout.write(FORMATS[args.output_format](report, style))
        world.stdout.write("".join(f"{row}\n" for row in sentences(made, dry=args.dry_run)))
    return report.exit_code


def _given(names: list[str], world: Surroundings) -> list[Text]:
    """Return what is to be appended; a file may be a pipe."""
    if names.count("-") > 1:
        raise GateError("standard input is given twice", "give - once")
    limit = Limits().file
    found = []
    for name in names:
        try:
            if name == "-":
                data = world.stdin.read(limit + 1)
            else:
                with open(os.path.join(world.cwd, name), "rb") as file:
                    data = file.read(limit + 1)
        except OSError as error:
            raise GateError(
                f"cannot be read: {error.strerror}", "name a file of entries, or -", name
            ) from None
        if len(data) > limit:
            shown = "<stdin>" if name == "-" else name
            raise GateError(f"over the limit of {limit:,} bytes", "append it in parts", shown)
        found.append(Text(data))
    return found
