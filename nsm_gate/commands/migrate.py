"""`nsm-gate migrate`: entries of an old format become lines of a log, each judged before it is written.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse
import os

from nsm_gate.commands.append import seconds
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.nouns import TYPE_CHECKING

if TYPE_CHECKING:
    from nsm_gate.migrating import Migrated

_EPILOG = """\
The mapping says for each member of the new entry where it comes from; schemas/mapping.schema.json describes
it, and docs/migrate.md shows one. Every new line is judged as one that is appended; what the policy refuses,
or cannot be converted, goes to the file of rejects with the reasons. Exit codes: 0 everything is migrated, 1
some entries are rejected, 2 nothing is written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument("old", metavar="OLD", help="JSON Lines, a JSON array, or CSV with a header")
    parser.add_argument("new", metavar="NEW", help="the new log; it is made")
    parser.add_argument("--map", metavar="MAPPING.yaml", required=True, help="how entries are converted")
    parser.add_argument(
        "--append", action="store_true",
        help="add to a log that is there; what it has already is left out, so that a run can be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--rejects", metavar="PATH", help="where rejected entries go (default: NEW with .rejects.jsonl)"
    )
    parser.add_argument("--dry-run", action="store_true", help="judge and tell, and write nothing")
    parser.add_argument(
        "--lock-timeout", type=seconds, default=60.0, metavar="SECONDS",
        help="how long to wait while other programs append (default: 60)",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-v", "--verbose", action="store_true", help="list every reject")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Migrate, print what became of the old file, and return the exit code."""
    from nsm_gate.commands.migration import Files, migrated
    from nsm_gate.render.migration import render
    from nsm_gate.render.style import Style

    files = Files(
        args.old, args.new, args.rejects or _rejects(args.new), args.map, args.append, args.lock_timeout
    )
    found: Migrated = migrated(files, args.config, world, dry=args.dry_run)
    style = Style(world.colored(args.color), world.width(), args.verbose)
    world.stdout.write(render(found, files.old, files.new, files.rejects, style, dry=args.dry_run))
    return int(bool(found.rejects))


def _rejects(new: str) -> str:
    root, ending = os.path.splitext(new)
    return f"{root if ending == '.jsonl' else new}.rejects.jsonl"
