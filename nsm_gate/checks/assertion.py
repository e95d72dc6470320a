"""The fields of an entry agree with each other.

Why: two members that say the same thing differently make both worthless. The laws stand in the log
kind's YAML: the domain equals the data set's; training and validation examples fit into the total; label
balances sum to 1 and agree with is_balanced; class_balance_delta is the distance of the class
accuracies; best_epoch lies within the epochs and is the best of the history; passes agree with use_dual_pass.
Fix: the message says which fields disagree, and with which values.
Example: `"passes": 1` in a run with `"use_dual_pass": true`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Path, Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.values import UNKNOWN, decimal, is_number


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each law that is known to be broken."""
    record = subject.record
    reported: set[Path] = set()
    for law in record.kind.assertions if subject.laws is None else subject.laws:
        if law.when is not None and law.when.value(record.value) is not True:
            continue
        if law.test.value(record.value) is not False:
            continue
        reads = []
        for path in law.test.paths():
            value = record.value(path)
            shown = str(decimal(value)) if is_number(value) else show(value)
            if value is not UNKNOWN and not isinstance(value, (list, dict)):
                reads.append(f"{'.'.join(path)} {shown}")
        if law.at in reported:
            continue
        reported.add(law.at)
        fact = f"{law.message}: {', '.join(reads)}"
        used = tuple(pointer(*record.place(path)) for path in law.test.paths())
        yield Problem("assertion", fact, law.hint, record.line, pointer=pointer(*law.at), reads=used)


CHECK = EntryCheck("assertion", __doc__, Severity.ERROR, run)
