"""Joins the commands. Set-up errors are caught here, once."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import itertools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, BinaryIO, NoReturn, Protocol, TextIO

from nsm_gate import __version__
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.watch import Watch, watched
from nsm_gate.edge.files import is_report, write_file
from nsm_gate.errors import GateError, GateErrors, Unwritten
from nsm_gate.render.json import render_error
from nsm_gate.render.untrusted import plain

_COMMANDS = {
    "check": "judge the lines that a change appends to the logs",
    "explain": "which rules judge one run, and the arithmetic of each verdict",
    "runs": "which runs the logs hold, and how they compare",
    "show": "one run in full, or what it has otherwise than its reference",
    "rules": "what is checked, and why",
    "config": "what is in force here, and where it is set",
    "init": "set a repository up, or write the file of a new experiment type or domain",
    "new": "print a skeleton entry with everything that the policy requires",
    "merge-driver": "join the lines that two branches appended (called by git)",
    "textconv": "show each line of a log as a readable block (called by git diff)",
}
"""Module of `nsm_gate.commands` -> what the command does."""


class _Command(Protocol):
    """What a module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""

    def execute(self, args: argparse.Namespace, world: Surroundings) -> int:
        """Run; return the exit code."""


def _module(name: str) -> _Command:
    """Import a command when it is asked for: a hook pays for every import."""
    found: _Command = importlib.import_module(f"nsm_gate.commands.{name.replace('-', '_')}")
    return found


class _Usage(Exception):
    """The arguments do not parse."""


class _Parser(argparse.ArgumentParser):
    def __init__(self, *args: Any, **options: Any) -> None:
        # An abbreviation would change its meaning when an option is added.
        super().__init__(*args, **{**options, "allow_abbrev": False})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(_joined(args or ()), namespace)

    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{self.format_usage()}{self.prog}: {message}\n")


def _joined(argv: Sequence[str]) -> list[str]:
    """Return arguments in which `--sort -accuracy` is one: argparse takes the value for an option."""
    made: list[str] = []
    for word in argv:
        if made and made[-1] == "--sort" and "--" not in made and word.startswith("-"):
            made[-1] = f"--sort={word}"
        else:
            made.append(word)
    return made


def _now() -> datetime:
    return datetime.now(timezone.utc)


def main(
    argv: Sequence[str],
    stdin: BinaryIO,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str],
    cwd: str,
    now: Callable[[], datetime] = _now,
    watch: Watch | None = None,
) -> int:
    """Run one command; return 0 clean, 1 findings, 2 could not judge."""
    world = Surroundings(stdin, stdout, stderr, environ, cwd, now, watch or Watch())
    parser = _Parser(prog="nsm-gate", description="The gate in front of a log of experiments.")
    parser.add_argument("--version", action="version", version=f"nsm-gate {__version__}")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    # The first word is the command: no option before it takes a value.
    chosen = next((word for word in argv if not word.startswith("-")), None)
    for name, said in _COMMANDS.items():
        command = sub.add_parser(name, help=said, description=said)
        if name == chosen:
            _module(name).add_arguments(command)
    args: argparse.Namespace | None = None
    try:
        args = parser.parse_args(argv)
        if args.command is None:
            raise _Usage(parser.format_help())
        code = _module(args.command).execute(args, world)
        stdout.flush()
        return code
    except _Usage as error:
        stderr.write(plain_rows(str(error)))
        form = _asks_for(argv)
        if form:
            fact = str(error).strip().split("\n")[-1].removeprefix("nsm-gate: ")
            hint = f"nsm-gate {chosen if chosen in _COMMANDS else 'check'} --help shows the options"
            stdout.write(_error_as(form, GateError(fact, hint)))
        return 2
    except GateError as error:
        return _refuse((error,), args, world)
    except GateErrors as errors:
        return _refuse(errors.errors, args, world, published=isinstance(errors, Unwritten))
    except BrokenPipeError:
        return 2
    except OSError as error:
        return _refuse((GateError(f"the report cannot be written: {error.strerror}"),), None, world)
    except KeyboardInterrupt:
        stderr.write("nsm-gate: interrupted\n")
        return 2
    except SystemExit as exit_:  # --help and --version
        return int(exit_.code or 0)
    except Exception as error:  # a bug must not look like a verdict, nor like a traceback
        place = _place_of(error)
        hint = "report it with the input that caused it"
        return _refuse(
            (GateError(f"internal error: {type(error).__name__}: {error} ({place})", hint),), args, world
        )


def _asks_for(argv: Sequence[str]) -> str:
    """Return the format with an error object that arguments which do not parse ask for, if any."""
    pairs = list(itertools.pairwise(argv))
    asked = (
        form
        for form in ("json", "jsonl")
        if f"--output-format={form}" in argv or ("--output-format", form) in pairs
    )
    return next(asked, "")


def _error_as(form: str, error: GateError) -> str:
    if form == "json":
        return render_error(error)
    from nsm_gate.render import jsonl

    return jsonl.render_error(error)


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"


def plain_rows(text: str) -> str:
    """Return text of several lines with each made safe for a terminal."""
    return "".join(f"{plain(row, 2000)}\n" for row in text.rstrip("\n").split("\n"))


def _refuse(
    errors: Sequence[GateError],
    args: argparse.Namespace | None,
    world: Surroundings,
    *,
    published: bool = False,
) -> int:
    """Say why nothing could be judged, on stderr and in every output that was asked for.

    Args:
        errors: Why.
        args: The command line, where it parses.
        world: Where the command runs.
        published: Whether a report was published all the same, and only a part of it could not be written.
    """
    wanted = getattr(args, "output_format", None) or []
    formats = [wanted] if isinstance(wanted, str) else wanted
    _report(errors, formats, world.stdout, world.stderr, world.cwd)
    if getattr(args, "command", None) == "check" and not (published or args.no_ci):  # type: ignore[union-attr]
        from nsm_gate.commands.publish import publish_error

        publish_error(errors, world.environ)
    return 2


def _report(
    errors: Sequence[GateError], formats: Sequence[str], stdout: TextIO, stderr: TextIO, cwd: str
) -> None:
    said = "".join(
        f"nsm-gate: error: {plain(str(error), 2000)}\n"
        + (f"  {plain(error.hint, 2000)}\n" if error.hint else "")
        for error in errors
    )
    stderr.write(said)
    for wanted in formats:
        name, _, path = wanted.partition(":")
        if path and name == "json":
            # A report of an earlier run must not pass for this one's; anything else is left alone, since
            # nothing has told yet whether it is a log.
            place = os.path.join(cwd, path)
            if is_report(place):
                with contextlib.suppress(OSError):
                    write_file(place, render_error(errors[0]))
        elif not path and name in ("json", "jsonl"):
            stdout.write(_error_as(name, errors[0]))


def console() -> int:
    """Run with the process's own streams: the console script."""
    if sys.stdout is None or sys.stderr is None:
        return 2  # closed: there is nowhere to say anything
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    stdin = io.BytesIO() if sys.stdin is None else sys.stdin.buffer

    def work(watch: Watch) -> int:
        code = main(sys.argv[1:], stdin, sys.stdout, sys.stderr, os.environ, os.getcwd(), watch=watch)
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            return 2
        return code

    def refuse(error: GateError, formats: Sequence[str]) -> None:
        _report((error,), formats, sys.stdout, sys.stderr, os.getcwd())
        sys.stdout.flush()

    return watched(work, refuse)
