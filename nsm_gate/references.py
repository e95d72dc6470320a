"""Pick the run that a criterion compares with: always the strongest comparable one, never the latest.

A candidate is a completed run of the reference's log kind, logged earlier than the judged run, not
that run itself, represented by its latest line, and satisfying `where` and `same`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from nsm_gate.expressions import UNKNOWN, Value, decimal, is_number
from nsm_gate.policy import Reference
from nsm_gate.records import Record


@dataclass(frozen=True, slots=True)
class Picked:
    """The outcome of a pick.

    Attributes:
        record: The strongest candidate, or None.
        candidates: How many runs were comparable.
        reason: Why there is none, in words.
    """

    record: Record | None
    candidates: int
    reason: str = ""


def pick(reference: Reference, this: Record, earlier: Iterable[Record]) -> Picked:
    """Pick among the runs logged before `this`.

    Args:
        reference: The declaration.
        this: The judged run.
        earlier: Latest lines of the other runs of the reference's log kind, as of the judged line.
    """
    best: tuple[Decimal, Record] | None = None
    count = 0
    for candidate in earlier:
        if candidate.status != "completed" or not _comparable(reference, this, candidate):
            continue
        count += 1
        value = candidate.value_like(reference.by, this)
        if not is_number(value):
            continue
        strength = decimal(value) if reference.pick == "max" else -decimal(value)
        if best is None or strength > best[0]:
            best = (strength, candidate)
    if best is not None:
        return Picked(best[1], count)
    by = ".".join(reference.by)
    reason = f"none of {count} comparable runs has {by}" if count else "no comparable run was logged before"
    return Picked(None, count, f"{reference.name}: {reason}")


def _comparable(reference: Reference, this: Record, candidate: Record) -> bool:
    for path in reference.same:
        mine, other = this.value(path), candidate.value(path)
        if mine is UNKNOWN or other is UNKNOWN or type(mine) is not type(other) or mine != other:
            return False
    if reference.where is None:
        return True

    def lookup(path: tuple[str, ...]) -> Value:
        if path[0] == "this":
            return this.value(path[1:]) if len(path) > 1 else UNKNOWN
        return candidate.value(path)

    return reference.where.value(lookup) is True
