"""A rate is one that a whole number of examples gives.

Why: an accuracy over n examples is k/n. 0.435 of 429 does not exist: 186 of 429 is 0.4336 and 187 is 0.4359.
The arithmetic: with d decimals logged, some whole k must satisfy |k/n - accuracy| <= 0.5 * 10^-d; half a
millionth more is allowed for single precision. Then the run was scored on other data than it says.
Fix: log the number of examples that were scored, or the accuracy to all its digits.
Example: accuracy 0.435 with val_size 429; the run was scored on 400 examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.values import decimal, is_number

_SINGLE_PRECISION = Decimal("5e-7")


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each rate that no whole number of the counted examples gives."""
    record = subject.record
    for name, count_path in record.kind.rates.items():
        path, count, rate = record.place((name,)), record.at(count_path), record.value((name,))
        if type(count) is not int or not 0 < count < 10**9 or not is_number(rate) or not 0 <= rate <= 1:
            continue
        exact = decimal(rate)
        digits = -int(exact.as_tuple().exponent)
        allowed = Decimal(5).scaleb(-digits - 1) + _SINGLE_PRECISION
        nearest = (exact * count).to_integral_value()
        if abs(nearest / count - exact) <= allowed:
            continue
        fact = (
            f"{'.'.join(path)} {show(rate)} is no whole number of {count} examples: "
            f"{nearest} of them is {nearest / count:.{min(digits, 12) + 1}f}"
        )
        hint = f"log the number that was scored in {count_path[-1]}, or all digits of the rate"
        yield Problem("impossible-metric", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("impossible-metric", __doc__, Severity.WARNING, run)
