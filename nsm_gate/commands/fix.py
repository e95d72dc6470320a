"""`nsm-gate fix`: mend what a machine can mend in lines that are not logged history yet.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from nsm_gate.commands.append import seconds
from nsm_gate.commands.surroundings import Surroundings

_EPILOG = """\
Safe fixes leave what an entry says: line endings, the last newline, blank lines, and a Z for times that say
or mean UTC. Only new lines of the work tree are changed, never logged history; staging is left to you. Exit
codes: 1 something was fixed (or, with --diff, would be), 0 there was nothing to fix, 2 it cannot be done.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options. Their names follow ruff's."""
    parser.epilog = _EPILOG
    parser.add_argument("paths", nargs="*", metavar="PATH", help="logs or folders (default: every log)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--base", metavar="REF", help="fix what is new since the merge base with REF")
    which.add_argument("--all", action="store_true", help="fix every line; outside git only")
    parser.add_argument(
        "--unsafe", action="store_true",
        help="with fixes after which an entry does not say the same: NaN to null, another offset to UTC, a "
        "number for a run id that is taken",
    )  # fmt: skip
    parser.add_argument("--diff", action="store_true", help="show what would be fixed, and change nothing")
    parser.add_argument("--order", action="store_true", help="also put members into the schema's order")
    parser.add_argument(
        "--spacing",
        action="store_true",
        help="also leave one space behind each colon and comma, and no other",
    )
    parser.add_argument("--select", action="append", metavar="RULE", help="fix only findings of these rules")
    parser.add_argument(
        "--ignore", action="append", metavar="RULE", help="do not fix findings of these rules"
    )
    parser.add_argument(
        "--lock-timeout", type=seconds, default=60.0, metavar="SECONDS",
        help="how long to wait while other programs append (default: 60)",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing is fixed")
    parser.add_argument("-v", "--verbose", action="store_true", help="list every fix")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Fix, print what was done and what remains, and return the exit code."""
    from nsm_gate.checks import BY_ID
    from nsm_gate.commands.fixing import differences, fix
    from nsm_gate.errors import GateError, GateErrors
    from nsm_gate.mending import Wish
    from nsm_gate.render.fixes import render
    from nsm_gate.render.style import Style

    if "-" in args.paths:
        hint = "nsm-gate check - --output-format json gives the edits of each finding"
        raise GateError("standard input cannot be fixed where it lies", hint)
    wish = Wish(args.unsafe, args.order, args.spacing, _names(args.select, args.ignore))
    outcome = fix(args, world, tuple(BY_ID), wish)
    style = Style(world.colored(args.color), world.width(), args.verbose, args.quiet)
    if args.diff:
        world.stdout.write(differences(outcome.mended, style))
    said = render(outcome.mended, style, outcome.written, outcome.stage, wish, dry=args.diff)
    (world.stderr if args.diff else world.stdout).write(said)
    if outcome.errors:
        raise GateErrors(outcome.errors)
    return int(bool(outcome.mended.logs))


def fix_first(args: argparse.Namespace, world: Surroundings, rules: Sequence[str]) -> int:
    """Fix for `check`: say on stderr what was done, and return how many fixes that was.

    Args:
        args: The command line of `check`.
        world: Where the command runs.
        rules: The rules that report.
    """
    from nsm_gate.commands.fixing import differences, fix
    from nsm_gate.errors import GateError, GateErrors
    from nsm_gate.mending import UNASKED, Wish
    from nsm_gate.render.fixes import render
    from nsm_gate.render.style import Style

    if not (args.fix or args.diff):
        raise GateError("--unsafe says which fixes", "give --fix or --diff with it")
    if "-" in args.paths:
        raise GateError("standard input cannot be fixed where it lies", "the JSON output gives the edits")
    wish = Wish(args.unsafe, names=rules if args.select else (*rules, *UNASKED))
    outcome = fix(args, world, rules, wish)
    style = Style(world.colored(args.color), world.width(), args.verbose, quiet=not args.diff)
    if args.diff:
        world.stdout.write(differences(outcome.mended, style))
    said = render(outcome.mended, style, outcome.written, outcome.stage, wish, dry=args.diff, brief=args.fix)
    world.stderr.write(said)
    if outcome.errors:
        raise GateErrors(outcome.errors)
    return len(outcome.mended.done)


def _names(select: Sequence[str] | None, ignore: Sequence[str] | None) -> list[str]:
    """Return the names of the fixes that are wanted."""
    from nsm_gate.errors import GateError, GateErrors
    from nsm_gate.fixes import FIXES
    from nsm_gate.mending import UNASKED
    from nsm_gate.names import suggestion

    known = (*FIXES, *UNASKED)
    chosen, dropped = (
        [n for item in items or () for n in item.split(",") if n] for items in (select, ignore)
    )
    unknown = [name for name in (*chosen, *dropped) if name not in known]
    if unknown:
        errors = [
            GateError(
                f"there is no fix for {name!r}",
                suggestion(name, known) or f"there is one for {', '.join(known)}",
            )
            for name in unknown
        ]
        raise GateErrors(tuple(errors))
    left = [name for name in chosen or known if name not in dropped]
    if not left:
        raise GateError("no fix is left to make", "name a rule with --select, or ignore fewer")
    return left
