"""The bars that the rules set for a metric, and the strongest run that there was to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from nsm_gate.expressions import Both, Comparison, Name, Node
from nsm_gate.history import Book
from nsm_gate.policy import Criterion, Policy, Reference
from nsm_gate.records import Record
from nsm_gate.references import eligible, strength
from nsm_gate.report.measures import metrics, number, words
from nsm_gate.report.nouns import Step, Target
from nsm_gate.values import UNKNOWN, Value

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def targets(policy: Policy, owners: Collection[str]) -> tuple[Target, ...]:
    """Return every bar that a criterion holds a metric against, of the owners named, each once."""
    found: dict[Target, None] = {}
    for group in (policy.logs, policy.experiment_types, policy.domains):
        for name, owner in group.items():
            for criterion in owner.criteria if name in owners else ():
                if isinstance(criterion, Criterion):
                    found.update(dict.fromkeys(_of(criterion, name)))
    return tuple(found)


def better(found: Collection[Target]) -> dict[str, str]:
    """Return metric -> `>` or `<`: where most of its bars say that better values lie."""
    votes: dict[str, Counter[str]] = {}
    for target in found:
        votes.setdefault(target.metric, Counter())[target.operator[0]] += 1
    return {metric: said.most_common(1)[0][0] for metric, said in votes.items()}


def _of(criterion: Criterion, owner: str) -> Iterator[Target]:
    for branch in criterion.branches:
        for metric, operator, value in _bars(branch.test):
            yield Target(metric, operator, value, owner, branch.expected, criterion.source)


def _bars(test: Node) -> Iterator[tuple[str, str, float]]:
    """Yield (metric, operator, value) of each link that compares a single name with a constant."""
    if isinstance(test, Both):
        for item in test.items:
            yield from _bars(item)
    if not isinstance(test, Comparison):
        return
    left = test.first
    for operator, right in test.rest:
        if operator in _FLIPPED:
            one, other = _constant(left), _constant(right)
            if isinstance(left, Name) and len(left.path) == 1 and other is not None:
                yield left.path[0], operator, other
            elif isinstance(right, Name) and len(right.path) == 1 and one is not None:
                yield right.path[0], _FLIPPED[operator], one
        left = right


def _constant(node: Node) -> float | None:
    """Return what a node is worth whatever the run."""
    return number(node.value(_nothing)) if not any(node.paths()) else None


def _nothing(_path: tuple[str, ...], _gaps: bool = False, /) -> Value:
    return UNKNOWN


def strongest(reference: Reference, books: Sequence[Book], policy: Policy) -> tuple[Step, ...]:
    """Return the runs that a reference might have picked, each from the time when it was the strongest.

    Only for a reference that asks the same of every run: another has no one strongest run.
    """
    if reference.same or reference.pairs or _looks_at_this(reference):
        return ()
    rows: list[tuple[datetime, Record]] = []
    for book in books:
        for index in range(len(book.lines)):
            record = book.record(index)
            if record is not None and record.instant is not None and eligible(reference, record, None):
                rows.append((record.instant.utc, record))
    rows.sort(key=lambda row: row[0])
    steps: list[Step] = []
    best = None
    for time, record in rows:
        value = strength(reference, record, None)
        if value is not None and (best is None or value > best):
            best = value
            found = metrics(record, words(record.kind, policy))
            steps.append(Step(milliseconds(time), record.name or "", found))
    return tuple(steps)


def _looks_at_this(reference: Reference) -> bool:
    return reference.where is not None and any(path[0] == "this" for path in reference.where.paths())


def milliseconds(time: datetime) -> int:
    """Return a time as JavaScript counts it: milliseconds since 1970, UTC."""
    return round(time.timestamp() * 1000)
