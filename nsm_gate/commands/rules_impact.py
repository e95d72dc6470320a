"""`nsm-gate rules impact`: judge the whole log under the old rules and under the new ones."""

from __future__ import annotations

import argparse

from nsm_gate.checks import DEFAULTS
from nsm_gate.commands.progress import Progress
from nsm_gate.commands.ruling import unreadable
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace, opened
from nsm_gate.edge.bases import Comparison, resolve
from nsm_gate.edge.files import CommitTree
from nsm_gate.edge.logs import Logs
from nsm_gate.engine import Task, run
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.impact import Turn, sentences, turns
from nsm_gate.model import Report
from nsm_gate.names import plural
from nsm_gate.policy import Policy
from nsm_gate.render.json import dump
from nsm_gate.render.untrusted import plain
from nsm_gate.rule_changes import RuleChange, differences

_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--base", metavar="REF", help="the old rules are those of the merge base with REF")
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument(
        "--fail-on-loosening", action="store_true",
        help="exit 1 where the new rules ask less: of a run in the log, or by their words alone",
    )  # fmt: skip
    parser.add_argument("--output-format", choices=("text", "json"), default="text")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every run that turns")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print what differs between the two judgements; return 1 on a loosening where that is to fail."""
    with opened(world, needs_git=True) as space:
        git = space.git
        if git is None:
            raise GateError("rules impact compares two commits, and there is no git repository here")
        comparison = resolve(git, space.work, world.environ, base=args.base)
        if not comparison.bases:
            raise GateError("there is no base to take the old rules from", "name one with --base")
        base = comparison.bases[0]
        new = space.policy(space.work, args.config)
        try:
            old = space.policy(CommitTree(git, base, new.limits.file), args.config)
        except (GateError, GateErrors) as error:
            raise unreadable(error, base[:7], "name a --base whose rules load") from None
        world.watch.tell(seconds=new.limits.seconds)
        changes = differences(old, new, DEFAULTS)
        reports = [_judged(policy, space, world) for policy in (old, new)]
    found = turns(*reports)
    loosened = any(turn.looser for turn in found) or any(change.direction == "looser" for change in changes)
    lines = sum(log.lines for log in reports[1].logs)
    if args.output_format == "json":
        world.stdout.write(_json(comparison, changes, found, lines, loosened=loosened))
    else:
        world.stdout.write(_text(comparison, changes, found, lines, verbose=args.verbose, loosened=loosened))
    return int(loosened and args.fail_on_loosening)


def _judged(policy: Policy, space: Workspace, world: Surroundings) -> Report:
    everything = Comparison(space.work, (), (), "none", "every line is judged")
    logs = Logs(policy, everything, space.git)
    with Progress(world) as progress:
        return run(
            Task(
                policy, logs.select(None), logs.books_of, 0, world.now(), "none", everything.why,
                tick=progress.tick, begin=lambda path: world.watch.tell(at=path), whole=True,
            )
        )  # fmt: skip


def _text(
    comparison: Comparison,
    changes: list[RuleChange],
    found: list[Turn],
    lines: int,
    *,
    verbose: bool,
    loosened: bool,
) -> str:
    why = f"{plain(comparison.base)} ({plain(comparison.why)})"
    rows = [f"judged {plural(lines, 'line')} by the rules of {why} and by those of the work tree", ""]
    if changes:
        rows += [f"{plural(len(changes), 'rule')} changed"]
        rows += [f"  {plain(change.sentence)}  {plain(_place(change))}" for change in changes]
        rows.append("")
    shown = found if verbose else found[:_SHOWN]
    for turn in shown:
        mark = "-" if turn.looser else "+"
        name = plain(turn.run or "(no run id)", 80)
        rows.append(
            f"  {mark} {plain(turn.path)}:{turn.line}  {name}  "
            f"{plain(turn.subject, 80)}: {turn.before} → {turn.after}"
        )
        rows.append(f"      {plain(turn.detail)}")
    if len(shown) < len(found):
        rows.append(f"  … and {len(found) - len(shown):,} more: -v shows all")
    if found:
        rows.append("")
    said = "; ".join(sentences(found)) or "no run is judged otherwise"
    if loosened:
        said += " · the rules are looser"
    return "".join(f"{row}\n" for row in [*rows, said])


def _place(change: RuleChange) -> str:
    piece = change.after or change.before
    return piece.place if piece else ""


def _json(
    comparison: Comparison, changes: list[RuleChange], found: list[Turn], lines: int, *, loosened: bool
) -> str:
    document = {
        "version": 1,
        "base": comparison.base,
        "lines": lines,
        "changes": [
            {
                "what": change.what, "name": change.name, "direction": change.direction or None,
                "before": change.before.shown if change.before else None,
                "after": change.after.shown if change.after else None,
                "defined_at": _place(change),
            }
            for change in changes
        ],
        "turns": [
            {
                "path": turn.path, "line": turn.line, "run": turn.run,
                "criterion" if turn.criterion else "rule": turn.subject,
                "before": turn.before, "after": turn.after, "looser": turn.looser, "detail": turn.detail,
            }
            for turn in found
        ],
        "summary": {"turned": len(found), "loosened": loosened, "said": sentences(found)},
    }  # fmt: skip
    return dump(document)
