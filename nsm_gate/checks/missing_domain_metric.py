"""A completed run has its domain's metrics, where its experiment type asks for them.

Why: a comparison of domains without the domains' own metrics compares nothing but accuracy.
Fix: log the metric; where it could not be measured, log the run under another experiment type.
Example: a causal run of domain_exploration without `intervention_accuracy`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.records import ABSENT


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each of the domain's metrics that is absent or null."""
    record, kind = subject.record, subject.experiment_type
    if kind is None or subject.domain is None or not kind.asks_domain_metrics or record.status != "completed":
        return
    for metric in subject.domain.metrics:
        path = record.kind.run + tuple(metric.split("."))
        value = record.at(path)
        if value is ABSENT or value is None:
            what = "absent" if value is ABSENT else "null"
            fact = f"{metric} is {what}: {kind.name} asks for the metrics of {subject.domain.name}"
            yield Problem("missing-domain-metric", fact, f"log {metric}", record.line, pointer=pointer(*path))


CHECK = EntryCheck("missing-domain-metric", __doc__, Severity.ERROR, run, owns=True)
