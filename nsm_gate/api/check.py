"""`nsm_gate.check`: what `nsm-gate check` finds, as a report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Literal  # noqa: TID251  # where a program imports it, no hook runs

from nsm_gate.api.world import PathLike, one_error, surroundings, text
from nsm_gate.commands import check as command
from nsm_gate.edge import ci
from nsm_gate.errors import GateError
from nsm_gate.model import Report


def check(
    *paths: PathLike,
    base: str | None = None,
    staged: bool = False,
    all: bool = False,  # noqa: A002 - as the command calls it
    rules_from: Literal["base", "head"] | None = None,
    fail_on: Literal["error", "warning", "notice", "never"] = "error",
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    config: PathLike | None = None,
    jobs: int = 1,
    use_ci: bool = True,
    cwd: PathLike | None = None,
) -> Report:
    """Judge the lines that a change appends to the logs, as `nsm-gate check` does; nothing is printed.

    The limit `seconds` of the configuration is not kept: that takes a process of its own, which a library
    does not start. A thread may call it while others run.

    Args:
        paths: Logs and folders; without any, every log that the policy knows.
        base: Judge what is new since the merge base with this revision.
        staged: Judge what is staged.
        all: Judge every line.
        rules_from: Whose rules judge; None for the base's on a CI pull request, else the head's.
        fail_on: Severity from which the report's `exit_code` is 1.
        select: Report only these rules.
        ignore: Do not report these rules.
        config: Configuration to use instead of the repository's.
        jobs: How many processes judge a long log; more than one are forked from this one.
        use_ci: Whether a CI system that runs this may name the base.
        cwd: The folder to work in, and that paths start at; the current one where it is None.

    Returns:
        The report: `findings`, `verdicts`, `logs`, `runs`, `exit_code`. Paths in it start at the root of the
        repository, lines and columns at 1.

    Raises:
        GateError: Nothing could be judged: the message, the remedy in `hint`, and where there is one the
            file, line and column. Several mistakes of the configuration are the lines of one message.
    """
    if sum((base is not None, staged, all)) > 1:
        raise GateError("base, staged and all are three ways to say what is judged", "give one of them")
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    # The defaults are the command's own.
    args = parser.parse_args([])
    args.paths = [str(text(path)) for path in paths]
    args.base, args.staged, args.all = base, staged, all
    args.rules_from, args.fail_on, args.config = rules_from, fail_on, text(config)
    args.select, args.ignore, args.jobs = list(select) or None, list(ignore) or None, jobs
    if fail_on not in ("error", "warning", "notice", "never"):
        raise GateError(f"no severity is called {fail_on!r}", "fail_on is error, warning, notice or never")
    if rules_from not in (None, "base", "head"):
        raise GateError(f"no rules are of {rules_from!r}", "rules_from is base or head")
    if "-" in args.paths:
        raise GateError("a program has no standard input to judge", "name a log")
    world = surroundings(cwd)
    if not use_ci:
        world = world._replace(environ=ci.without(world.environ))
    with one_error():
        return command.report_of(args, world)
