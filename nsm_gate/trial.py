"""Judge one example of the rules: an entry, after what was logged before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from nsm_gate.changes import compare
from nsm_gate.engine import Task, run
from nsm_gate.history import Book, LogInput
from nsm_gate.model import Json, Report, Severity, Verdict
from nsm_gate.names import suggestion
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import Criterion, Example, Policy
from nsm_gate.whereabouts import HERE

_VERDICT_RULES = ("criterion-missed", "criterion-unknown")


class Trial(NamedTuple):
    """What judging an example gave.

    Attributes:
        faults: How it differs from what the example says, each in one line; empty where it agrees.
        verdicts: Every verdict of the entry.
    """

    example: Example
    faults: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


def try_out(example: Example, policy: Policy, now: datetime) -> Trial:
    """Judge an example and compare what it gets with what it says."""
    report = judged(example, policy, now)
    own = {criterion.name: criterion.defined_at for criterion in criteria_of(policy, example.owner)}
    # Where several files have a criterion of one name, the example speaks of that of its own file.
    outcomes = {
        verdict.criterion: verdict
        for verdict in report.verdicts
        if own.get(verdict.criterion, verdict.defined_at) == verdict.defined_at
    }
    faults = []
    for criterion, wanted in example.expect.items():
        verdict = outcomes.get(criterion)
        if verdict is None:
            hint = suggestion(criterion, outcomes) or f"it is judged by {', '.join(outcomes) or 'none'}"
            faults.append(f"{criterion}: no such criterion is asked of this entry; {hint}")
        elif verdict.outcome.value != wanted:
            said = verdict.outcome.value
            faults.append(f"{criterion}: expected {wanted}, is {said}: {verdict.explanation}")
    found = [finding for finding in report.findings if finding.rule not in _VERDICT_RULES]
    faults += [
        f"{finding.rule}: {finding.message}"
        for finding in found
        if finding.severity is Severity.ERROR and finding.rule not in example.findings
    ]
    reported = {finding.rule for finding in report.findings}
    silent = [rule for rule in example.findings if rule not in reported]
    faults += [f"{rule}: expected to report, and does not" for rule in silent]
    return Trial(example, tuple(faults), tuple(report.verdicts))


def criteria_of(policy: Policy, owner: tuple[str, str]) -> list[Criterion]:
    """Return the criteria that a rules file states itself.

    Args:
        policy: All rules.
        owner: `log`, `experiment_type` or `domain`, and the name.
    """
    group, name = owner
    if group == "log":
        items = policy.logs[name].criteria
    elif group == "experiment_type":
        items = policy.experiment_types[name].criteria
    else:
        items = policy.domains[name].criteria
    return [item for item in items if isinstance(item, Criterion)]


def judged(example: Example, policy: Policy, now: datetime) -> Report:
    """Return the report on an example's entry as if a change had just appended it."""
    books: dict[str, Book] = {}
    for name in {*example.before, example.log}:
        lines = [_line(entry) for entry in example.before.get(name, ())]
        head = [*lines, _line(example.entry)] if name == example.log else lines
        change = compare([lines], [lines], head)
        limit = policy.limits.line
        books[name] = Book(f"{name}.jsonl", policy.logs[name], head, True, change, limit)

    def books_of(kind: str) -> Sequence[Book]:
        return [books[kind]] if kind in books else []

    base = "what was logged before"
    task = Task(
        policy._replace(waivers=()),
        [LogInput(books[example.log], base)],
        books_of,
        1,
        now,
        base,
        "an example",
    )
    with HERE.instead(example.path, example.line):
        return run(task)


def _line(entry: Mapping[str, Json]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace")
