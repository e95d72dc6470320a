"""`nsm-gate rules`: what is checked, and why."""

from __future__ import annotations

import argparse

from nsm_gate.checks import BY_ID, CHECKS
from nsm_gate.checks.check import Check
from nsm_gate.commands import rules_impact, rules_test
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.errors import GateError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    sub = parser.add_subparsers(dest="what", metavar="list | show ID | test | impact")
    sub.add_parser("list", help="every rule with its default severity")
    show = sub.add_parser("show", help="what a rule asks, why, and how to mend a breach")
    show.add_argument("id", metavar="ID")
    rules_test.add_arguments(
        sub.add_parser("test", help="judge the examples of the rules", description=rules_test.__doc__)
    )
    rules_impact.add_arguments(
        sub.add_parser(
            "impact", help="which runs the changed rules judge otherwise", description=rules_impact.__doc__
        )
    )


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print the rules, or one of them."""
    if args.what == "test":
        return rules_test.execute(args, world)
    if args.what == "impact":
        return rules_impact.execute(args, world)
    if args.what == "show":
        check = BY_ID.get(args.id)
        if check is None:
            raise GateError(f"no rule is called {args.id!r}", "nsm-gate rules list shows them")
        world.stdout.write(f"{check.id} ({check.severity.word})\n\n{check.doc.strip()}\n")
        return 0
    width = max(len(check.id) for check in CHECKS)
    for check in CHECKS:
        world.stdout.write(f"{check.id.ljust(width)}  {check.severity.word.ljust(7)}  {summary(check)}\n")
    return 0


def summary(check: Check) -> str:
    """Return the first sentence of a check's documentation."""
    return check.doc.strip().split("\n")[0]
