"""A run has no metrics of another domain.

Why: a planning run with a mean reciprocal rank is a mix-up of domains or of log lines.
Fix: set it to null, or correct the run's domain.
Example: `"domain": "planning", "mrr": 0.62`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.records import ABSENT


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each non-null metric that only other domains have."""
    record = subject.record
    if subject.domain is None:
        return
    own = set(subject.domain.metrics)
    for domain in subject.policy.domains.values():
        for metric in domain.metrics:
            path = record.kind.run + tuple(metric.split("."))
            if metric in own or record.at(path) is ABSENT or record.at(path) is None:
                continue
            fact = f"{metric} is a metric of {domain.name}, and this run is {subject.domain.name}"
            hint = "set it to null, or correct the domain"
            yield Problem("foreign-domain-metric", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("foreign-domain-metric", __doc__, Severity.WARNING, run)
