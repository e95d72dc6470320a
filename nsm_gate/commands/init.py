"""`nsm-gate init`: set a repository up, or write the rules file of something new. Nothing is overwritten.

What does the work is imported where it is done: the hook pays for every import of every command.
"""

from __future__ import annotations

import argparse

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.errors import GateError

_EPILOG = """\
Without --type and --domain: nsm-gate.yaml, the hooks' stanza for pre-commit, a GitHub workflow, the logs'
lines of .gitattributes, and a section of AGENTS.md that tells coding agents how to log a run. A file that is
there is left alone, and what to add to it is shown; to .gitattributes and AGENTS.md a marked block is
appended, once. Exit codes: 0 done, or nothing to do; 1 with --dry-run, where something would be written or
set; 2 it cannot be done.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EPILOG
    parser.add_argument("--type", metavar="NAME", help="write the rules file of a new experiment type")
    parser.add_argument("--domain", metavar="NAME", help="write the rules file of a new domain")
    parser.add_argument("--repo", metavar="URL", help="address from which hooks and CI install nsm-gate")
    parser.add_argument("--rev", metavar="REV", help="tag or commit of it")
    parser.add_argument("--git-config", action="store_true", help="register merge driver and textconv too")
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be written, and write nothing"
    )


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Write what is missing; return 0, or 1 where a dry run has something to show."""
    if args.type is not None or args.domain is not None:
        changes = _rules(args, world)
    else:
        changes = _repository(args, world)
    return int(changes and args.dry_run)


def _rules(args: argparse.Namespace, world: Surroundings) -> bool:
    from nsm_gate.commands.new_rules import steps
    from nsm_gate.commands.steps import carried_out

    if args.repo is not None or args.rev is not None or args.git_config:
        fact = "--repo, --rev and --git-config set a repository up"
        raise GateError(fact, "give them without --type and --domain")
    with opened(world) as space:
        # All of them first: where one cannot be written, none is.
        planned = list(steps(space, args.type, args.domain, world.now()))
        changes = carried_out(planned, space.root, args.dry_run, world)
    if not args.dry_run:
        names = " ".join(name for name in (args.type, args.domain) if name is not None)
        world.stdout.write(f"next: put your own words and numbers in, then run nsm-gate rules test {names}\n")
    return changes


def _repository(args: argparse.Namespace, world: Surroundings) -> bool:
    from nsm_gate.commands.setting_up import register, steps
    from nsm_gate.commands.setup_texts import PLACEHOLDER, Source
    from nsm_gate.commands.steps import Write, carried_out

    source = Source.of(args.repo, args.rev)
    with opened(world, needs_git=True) as space:
        if space.git is None:
            raise GateError("there is no git repository here", "run git init first")
        planned = list(steps(space, space.git, source))
        changes = carried_out(planned, space.root, args.dry_run, world)
        if any(isinstance(step, Write) and PLACEHOLDER in step.text for step in planned):
            what = "the address and a tag of nsm-gate"
            world.stdout.write(f"replace {PLACEHOLDER} by {what}, or give --repo and --rev from the start\n")
        registers = register(space.git, args.git_config, args.dry_run, world)
    return changes or registers
