"""`nsm-gate rules test`: judge the examples of the rules, and say which outcomes they show.

The examples of a pack are judged by the pack, those of the repository by all its rules.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge.configs import CONFIG
from nsm_gate.edge.trees import Files
from nsm_gate.errors import GateError
from nsm_gate.names import plural, suggestion
from nsm_gate.policy import Policy
from nsm_gate.render.untrusted import plain
from nsm_gate.trial import Trial, criteria_of, try_out

_OUTCOMES = ("met", "missed", "unknown")
_WORDS = {"log": "log kind", "experiment_type": "experiment type", "domain": "domain"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiment types, domains or log kinds")
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument(
        "--complete", action="store_true",
        help="fail where a criterion has no example of met, of missed or of unknown",
    )  # fmt: skip


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print a table of criteria and outcomes; return 1 where an example gets another verdict than it says."""
    with opened(world) as space:
        policy = space.policy(space.work, args.config, examples=True)
        # A repository may ask more than the pack whose examples were written before it.
        bare = f"extends: {policy.pack or 'nsm'}\n".encode()
        pack = space.policy(Files({CONFIG: bare}), None, examples=True)
    world.watch.tell(seconds=policy.limits.seconds)
    wanted = _wanted(policy, args.names)
    trials: dict[tuple[str, str], list[Trial]] = {owner: [] for owner in wanted}
    for example in policy.examples:
        if example.owner in trials:
            world.watch.tell(at=example.path)
            judges = pack if example in pack.examples else policy
            trials[example.owner].append(try_out(example, judges, world.now()))
    failed = total = lacking = criteria = 0
    for owner, made in trials.items():
        rows, without = _table(policy, owner, made)
        world.stdout.write("".join(f"{row}\n" for row in rows))
        total += len(made)
        failed += sum(bool(trial.faults) for trial in made)
        lacking += without
        criteria += len(criteria_of(policy, owner))
    said = f"{plural(total, 'example')}: {total - failed:,} passed"
    if failed:
        said += f", {failed:,} failed"
    if lacking:
        said += f" · {lacking:,} of {plural(criteria, 'criterion', 'criteria')} "
        said += f"{'lacks' if lacking == 1 else 'lack'} an example of met, missed or unknown"
    elif criteria:
        said += " · every criterion has examples of met, missed and unknown"
    world.stdout.write(f"{said}\n")
    return int(failed > 0 or (args.complete and lacking > 0))


def _wanted(policy: Policy, names: Sequence[str]) -> list[tuple[str, str]]:
    groups = {"log": policy.logs, "experiment_type": policy.experiment_types, "domain": policy.domains}
    owners = [(group, name) for group, members in groups.items() for name in members]
    known = {name for _, name in owners}
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"the policy knows {', '.join(sorted(known))}"
            raise GateError(f"no experiment type, domain or log kind is called {name!r}", hint)
    return [owner for owner in owners if not names or owner[1] in names]


def _table(policy: Policy, owner: tuple[str, str], trials: Sequence[Trial]) -> tuple[list[str], int]:
    """Return the rows that tell of one rules file, and how many of its criteria lack an example."""
    criteria = criteria_of(policy, owner)
    counts = {criterion.name: dict.fromkeys(_OUTCOMES, 0) for criterion in criteria}
    for trial in trials:
        for name, outcome in trial.example.expect.items():
            if not trial.faults and outcome in counts.get(name, ()):
                counts[name][outcome] += 1
    group, name = owner
    rows = [f"{_WORDS[group]} {name} · {plural(len(trials), 'example')}"]
    width = max((len(criterion) for criterion in counts), default=0)
    if counts:
        rows.append(f"    {''.ljust(width)}  {'  '.join(outcome.rjust(7) for outcome in _OUTCOMES)}")
    lacking = 0
    for criterion, found in counts.items():
        whole = all(found.values())
        lacking += not whole
        cells = "  ".join((str(count) if count else "–").rjust(7) for count in found.values())
        rows.append(f"  {'✓' if whole else '–'} {criterion.ljust(width)}  {cells}")
    for trial in trials:
        if trial.faults:
            example = trial.example
            rows.append(f"  ✗ {plain(example.name, 200)}  {plain(example.path)}:{example.line}")
            rows += [f"      {plain(fault, 2000)}" for fault in trial.faults]
    return [*rows, ""], lacking
