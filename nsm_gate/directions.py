"""Which way a metric is better, as the criteria and references of the policy have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nsm_gate.expressions import Comparison, Name
from nsm_gate.policy import Criterion, LogKind, Policy

Way = tuple[tuple[str, ...], bool]


def directions(policy: Policy, kinds: Iterable[LogKind]) -> Mapping[tuple[str, ...], bool]:
    """Return for each metric that criteria put a bar to whether more of it is better.

    A bar from below (`> 0.55`) wants more, one from above (`< 0.40`) less; where criteria disagree, the
    metric is left out. The places that a name of the log kind stands for are better the same way.
    """
    kinds = list(kinds)
    ways: dict[tuple[str, ...], set[bool]] = {}
    for path, more in _ways(policy, kinds):
        ways.setdefault(path, set()).add(more)
    found = {path: more.pop() for path, more in ways.items() if len(more) == 1}
    for kind in kinds:
        for name, places in kind.names.items():
            if (name,) in found:
                for place in places:
                    if place[: len(kind.run)] == kind.run:
                        found.setdefault(place[len(kind.run) :], found[name,])
    return found


def _ways(policy: Policy, kinds: Iterable[LogKind]) -> Iterator[Way]:
    types = [each.criteria for each in policy.experiment_types.values()]
    domains = [each.criteria for each in policy.domains.values()]
    for criteria in (*types, *domains, *(kind.criteria for kind in kinds)):
        for criterion in criteria:
            if isinstance(criterion, Criterion):
                yield from _of_criterion(criterion)
    for kind in kinds:
        for reference in kind.references.values():
            yield reference.by, reference.pick == "max"


def _of_criterion(criterion: Criterion) -> Iterator[Way]:
    for branch in criterion.branches:
        test = branch.test
        if isinstance(test, Comparison) and len(test.rest) == 1 and isinstance(test.first, Name):
            operator = test.rest[0][0]
            if operator[0] in "<>" and test.first.path == criterion.subject:
                yield test.first.path, operator[0] == ">"
