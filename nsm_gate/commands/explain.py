"""`nsm-gate explain RUN`: which rules judged one run, what they read, and why they say what they say."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from nsm_gate.commands.one_run import Shelf, one_run
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import opened
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.logs import Logs
from nsm_gate.explain import Candidate, Explained, arithmetic, explained
from nsm_gate.model import Outcome, Report
from nsm_gate.policy import Policy, Reference
from nsm_gate.records import Record
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

_MARKS = {Outcome.MET: "✓", Outcome.MISSED: "✗", Outcome.UNKNOWN: "?", Outcome.NOT_APPLICABLE: "–"}
_ROLES = {Outcome.MET: "good", Outcome.MISSED: "warning", Outcome.UNKNOWN: "warning"}
_CANDIDATES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", metavar="RUN", help="name of a run, as the logs have it")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="logs or folders to look in")
    parser.add_argument("--line", type=int, metavar="N", help="the line, where several are of this run")
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of nsm-gate.yaml")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("-v", "--verbose", action="store_true", help="show every candidate of a reference")


def execute(args: argparse.Namespace, world: Surroundings) -> int:
    """Print how the run is judged; the exit code does not tell the verdict."""
    style = Style(world.colored(args.color), world.width(), args.verbose)
    with opened(world, args.paths) as space:
        policy = space.policy(space.work, args.config)
        space.work.limit = policy.limits.file
        world.watch.tell(seconds=policy.limits.seconds)
        logs = Logs(policy, Comparison(space.work, (), (), "none", "every line is judged"), space.git)
        inputs = [item for item in logs.select(space.paths) if item.fault is None and item.gone is None]
        shelf = Shelf(inputs, logs.books_of)
        found = one_run(args.run, args.line, shelf, policy, world)
        record, report = found.record, found.report
        made = list(explained(record, policy, found.candidates, report.verdicts))
    rows = [*_heading(record, policy, style), *_criteria(made, record, style), *_findings(report, style)]
    world.stdout.write("".join(f"{row}\n" for row in rows))
    return 0


def _heading(record: Record, policy: Policy, style: Style) -> Iterator[str]:
    facts = [f"{record.path} line {record.line}", record.experiment_type, record.domain, record.status]
    yield (
        style.paint(plain(record.name or "(no run id)"), "bold")
        + " · "
        + " · ".join(plain(fact) for fact in facts if fact)
    )
    yield f"judged by {plain(policy.source)}"
    yield f"  log kind {record.kind.name}  {plain(record.kind.defined_at)}"
    kind = policy.experiment_types.get(record.experiment_type or "")
    if kind is not None:
        yield f"  experiment type {plain(kind.name)}  {plain(kind.defined_at)}"
    domain = policy.domains.get(record.domain or "")
    if domain is not None:
        yield f"  domain {plain(domain.name)}  {plain(domain.defined_at)}"
    if record.kind.experiment_type is not None and kind is None:
        named = f"no rule defines the experiment type {plain(record.experiment_type or '', 80)}"
        yield f"  {named if record.experiment_type else 'no experiment type'}: no criteria of a type apply"


def _criteria(made: Sequence[Explained], record: Record, style: Style) -> Iterator[str]:
    if not made:
        yield ""
        yield "no criterion is asked of it"
    for item in made:
        verdict, criterion = item.verdict, item.criterion
        yield ""
        mark = f"{_MARKS[verdict.outcome]} {plain(criterion.name)}: {verdict.outcome.value}"
        yield f"{style.paint(mark, _ROLES.get(verdict.outcome, 'dim'))}  {plain(criterion.defined_at)}"
        source = f"  ({plain(criterion.source)})" if criterion.source else ""
        for number, branch in enumerate(criterion.branches):
            several = len(criterion.branches) > 1
            word = "asks" if not several else "first asks" if number == 0 else "else asks"
            yield f"    {word} {plain(branch.expected)}{source if number == 0 else ''}"
        for read in item.reads:
            place = f"  at {plain(read.place)}" if read.place else ""
            yield f"    reads {plain(read.name)} = {plain(read.value)}{place}"
        for reference, candidates in item.references:
            yield from _reference(reference, candidates, style)
        yield f"    so {plain(verdict.explanation, 2000)}"
        for row in arithmetic(item, record):
            yield f"       {row}"


def _reference(reference: Reference, candidates: Sequence[Candidate], style: Style) -> Iterator[str]:
    pick = f"{reference.pick}({'.'.join(reference.by)}) of {reference.log}"
    yield f"    {plain(reference.name)} is the {plain(pick)}  {plain(reference.defined_at)}"
    if not candidates:
        yield f"      no run of {plain(reference.log)} was logged before: {reference.none}"
    shown = candidates if style.verbose else candidates[:_CANDIDATES]
    for candidate in shown:
        mark = "–" if candidate.reason else "✓"
        strength = f"  {plain(candidate.strength)}" if candidate.strength else ""
        why = f"  {plain(candidate.reason)}" if candidate.reason else "  picked"
        place = f"{plain(candidate.path)}:{candidate.line}"
        yield f"      {mark} {plain(candidate.run or '(no run id)', 80)}  {place}{strength}{why}"
    if len(shown) < len(candidates):
        yield f"      … and {len(candidates) - len(shown):,} more: -v shows all"


def _findings(report: Report, style: Style) -> Iterator[str]:
    verdict_rules = ("criterion-missed", "criterion-unknown")
    found = [finding for finding in report.findings if finding.rule not in verdict_rules]
    if not found:
        return
    yield ""
    yield "findings of its line"
    for finding in found:
        state = "waived" if finding.waived is not None else finding.severity.word
        yield f"    {style.paint(f'{state} {finding.rule}', state)}  {plain(finding.message)}"
