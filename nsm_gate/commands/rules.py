"""`nsm-gate rules`: what is checked, and why."""

from __future__ import annotations

import argparse

from nsm_gate.checks import CHECKS
from nsm_gate.checks.check import Check
from nsm_gate.commands import rules_impact, rules_lint, rules_show, rules_test
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.render.untrusted import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    sub = parser.add_subparsers(dest="what", metavar="list | show ID | lint | test | impact")
    said = "every rule with its default severity, and the one that it has here where that is another"
    config = "configuration to use instead of nsm-gate.yaml"
    listed = sub.add_parser("list", help=said, description=f"{said.capitalize()}. {rules_show.FALLBACK}")
    listed.add_argument("--config", metavar="FILE", help=config)
    said = "what a rule, experiment type, domain, log kind or criterion asks, and where it is defined"
    show = sub.add_parser("show", help=said, description=rules_show.__doc__)
    show.add_argument("id", metavar="ID", help="RULE, TYPE, DOMAIN, LOG, or one criterion: TYPE.CRITERION")
    show.add_argument("--config", metavar="FILE", help=config)
    rules_lint.add_arguments(
        sub.add_parser("lint", help="what is wrong with rules that load", description=rules_lint.__doc__)
    )
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
    if args.what == "lint":
        return rules_lint.execute(args, world)
    if args.what == "test":
        return rules_test.execute(args, world)
    if args.what == "impact":
        return rules_impact.execute(args, world)
    if args.what == "show":
        return rules_show.execute(args, world)
    here = rules_show.in_force(args, world)
    width = max(len(check.id) for check in CHECKS)
    for check in CHECKS:
        said = rules_show.differing(check, here)
        row = f"{check.id.ljust(width)}  {check.severity.word.ljust(7)}  {summary(check)}"
        world.stdout.write(f"{row}  [here: {plain(said)}]\n" if said else f"{row}\n")
    return 0


def summary(check: Check) -> str:
    """Return the first sentence of a check's documentation."""
    return check.doc.strip().split("\n")[0]
