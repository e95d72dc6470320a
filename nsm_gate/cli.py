"""Joins the commands. Set-up errors are caught here, once."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import BinaryIO, NoReturn, TextIO

from nsm_gate import __version__
from nsm_gate.commands import check, rules
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.watch import Watch, watched
from nsm_gate.edge.files import write_file
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.render.json import render_error
from nsm_gate.render.untrusted import plain

_COMMANDS = {
    "check": (check, "judge the lines that a change appends to the logs"),
    "rules": (rules, "what is checked, and why"),
}


class _Usage(Exception):
    """The arguments do not parse."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{self.format_usage()}{self.prog}: {message}\n")


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
    for name, (module, said) in _COMMANDS.items():
        module.add_arguments(sub.add_parser(name, help=said, description=said))
    args: argparse.Namespace | None = None
    try:
        args = parser.parse_args(argv)
        if args.command is None:
            raise _Usage(parser.format_help())
        code: int = _COMMANDS[args.command][0].execute(args, world)
        stdout.flush()
        return code
    except _Usage as error:
        stderr.write(plain_rows(str(error)))
        return 2
    except GateError as error:
        return _refuse((error,), args, world)
    except GateErrors as errors:
        return _refuse(errors.errors, args, world)
    except BrokenPipeError:
        return 2
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


def _place_of(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"


def plain_rows(text: str) -> str:
    """Return text of several lines with each made safe for a terminal."""
    return "".join(f"{plain(row, 2000)}\n" for row in text.rstrip("\n").split("\n"))


def _refuse(errors: Sequence[GateError], args: argparse.Namespace | None, world: Surroundings) -> int:
    """Say why nothing could be judged, on stderr, and as JSON where JSON was asked for."""
    for error in errors:
        world.stderr.write(f"nsm-gate: error: {plain(str(error), 2000)}\n")
        if error.hint:
            world.stderr.write(f"  {plain(error.hint, 2000)}\n")
    for wanted in getattr(args, "output_format", None) or []:
        name, _, path = wanted.partition(":")
        if name == "json" and path:
            # A report of an earlier run must not pass for this one's.
            with contextlib.suppress(OSError):
                write_file(os.path.join(world.cwd, path), render_error(errors[0]))
        elif name == "json":
            world.stdout.write(render_error(errors[0]))
    return 2


def console() -> int:
    """Run with the process's own streams: the console script."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")

    def work(watch: Watch) -> int:
        code = main(
            sys.argv[1:], sys.stdin.buffer, sys.stdout, sys.stderr, os.environ, os.getcwd(), watch=watch
        )
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except BrokenPipeError:
            return 2
        return code

    return watched(work, sys.stderr)
