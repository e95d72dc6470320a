"""Joins the commands. Set-up errors are caught here, once."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone

from nsm_gate.commands.quick import Declared
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.watch import Watch, watched
from nsm_gate.edge.discovery import Ahead
from nsm_gate.edge.files import is_report, write_file
from nsm_gate.errors import GateError, GateErrors, Misread, Unwritten
from nsm_gate.nouns import Any, BinaryIO, Protocol, TextIO
from nsm_gate.render.json import render_error
from nsm_gate.render.untrusted import plain

_COMMANDS = {
    "check": "judge the lines that a change appends to the logs",
    "fix": "mend what a machine can mend in lines that are not logged yet",
    "migrate": "turn entries of an old format into lines of a log",
    "explain": "which rules judge one run, and the arithmetic of each verdict",
    "runs": "which runs the logs hold, and how they compare",
    "show": "one run in full, or what it has otherwise than its reference",
    "rules": "what is checked, and why",
    "config": "what is in force here, and where it is set",
    "init": "set a repository up, or write the file of a new experiment type or domain",
    "report": "write what the logs hold as one page for people, with charts and verdicts",
    "new": "print a skeleton entry with everything that the policy requires",
    "append": "judge entries, and append them to a log so that nothing is torn, lost or doubled",
    "merge-driver": "join the lines that two branches appended (called by git)",
    "textconv": "show each line of a log as a readable block (called by git diff)",
}
"""Module of `nsm_gate.commands` -> what the command does."""


class _Command(Protocol):
    """What a module of a command offers."""

    def add_arguments(self, parser: Any) -> None:
        """Declare the options."""

    def execute(self, args: Any, world: Surroundings) -> int:
        """Run; return the exit code."""


def _module(name: str) -> _Command:
    """Import a command when it is asked for: a hook pays for every import."""
    found: _Command = importlib.import_module(f"nsm_gate.commands.{name.replace('-', '_')}")
    return found


def _plain(argv: Sequence[str]) -> Any:
    """Return the arguments of a plain command line of the hooks' command; None for any other."""
    if not argv or argv[0] != "check":
        return None
    declared = Declared()
    _module(argv[0]).add_arguments(declared)
    return declared.read(argv[1:], command=argv[0])


def _parsed(argv: Sequence[str]) -> Any:
    from nsm_gate.commands.parsing import parse

    return parse(argv, _COMMANDS, _module)


def _ahead(argv: Sequence[str], environ: Mapping[str, str], cwd: str) -> Ahead | None:
    """Ask git, while the rest is still being loaded, what the hook will want to know."""
    if argv[:1] != ["check"] or "--staged" not in argv:
        return None
    try:
        asked = Ahead(cwd, environ)
    except OSError:
        return None  # the command says so, where it needs git
    importlib.import_module("nsm_gate.checks")
    asked.go_on()
    return asked


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
    args: Any = None
    ahead: Ahead | None = None
    try:
        ahead = _ahead(argv, environ, cwd)
        args = _plain(argv) or _parsed(argv)
        code = _module(args.command).execute(args, world._replace(ahead=ahead))
        stdout.flush()
        return code
    except Misread as error:
        stderr.write(plain_rows(str(error)))
        form = _asks_for(argv)
        if form:
            fact = str(error).strip().split("\n")[-1].removeprefix("nsm-gate: ")
            chosen = next((word for word in argv if not word.startswith("-")), "")
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
        if error.strerror is None or error.filename is not None:  # not what the streams of a process raise
            return _broken(error, args, world)
        return _refuse((GateError(f"the report cannot be written: {error.strerror}"),), None, world)
    except KeyboardInterrupt:
        stderr.write("nsm-gate: interrupted\n")
        return 2
    except SystemExit as exit_:  # --help and --version
        return int(exit_.code or 0)
    except Exception as error:  # a bug must not look like a verdict, nor like a traceback
        return _broken(error, args, world)
    finally:
        if ahead is not None:
            ahead.close()


def _broken(error: Exception, args: Any, world: Surroundings) -> int:
    fact = f"internal error: {type(error).__name__}: {error} ({_place_of(error)})"
    return _refuse((GateError(fact, "report it with the input that caused it"),), args, world)


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
    args: Any,
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
    if getattr(args, "command", None) == "check" and not (published or args.no_ci):
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
    try:
        cwd = os.getcwd()
    except OSError as error:
        fact = f"the current folder cannot be found: {error.strerror}"
        _report((GateError(fact, "go to a folder that is there"),), (), sys.stdout, sys.stderr, "")
        return 2

    def work(watch: Watch) -> int:
        code = main(sys.argv[1:], stdin, sys.stdout, sys.stderr, os.environ, cwd, watch=watch)
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            return 2
        return code

    def refuse(error: GateError, formats: Sequence[str]) -> None:
        _report((error,), formats, sys.stdout, sys.stderr, cwd)
        sys.stdout.flush()

    return watched(work, refuse)
