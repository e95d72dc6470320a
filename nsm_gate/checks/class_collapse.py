"""A model does not predict one class only.

Why: with one class under 0.01 and the other over 0.99, the accuracy is the share of a class in the data,
not a result. It is worth logging, and worth a warning.
Fix: nothing in the log; say so in the findings, and look at the loss and the balance of the data.
Example: accuracy_class_0 0.0044, accuracy_class_1 0.9943.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.values import is_number


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where one class accuracy is under 0.01 and another over 0.99."""
    record = subject.record
    rates = [(path, record.at(path)) for path in record.kind.class_accuracies]
    numbers = [(path, value) for path, value in rates if is_number(value)]
    if len(numbers) < 2 or record.status != "completed":
        return
    low, high = min(numbers, key=lambda item: item[1]), max(numbers, key=lambda item: item[1])
    if low[1] < 0.01 and high[1] > 0.99:
        fact = f"class collapse: {low[0][-1]} {show(low[1])}, {high[0][-1]} {show(high[1])}"
        hint = "the accuracy only mirrors the data's balance: say so in the findings"
        yield Problem("class-collapse", fact, hint, record.line, pointer=pointer(*low[0]))


CHECK = EntryCheck("class-collapse", __doc__, Severity.WARNING, run)
