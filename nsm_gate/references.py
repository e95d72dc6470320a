"""Pick the run that a criterion compares with: always the strongest comparable one, never the latest.

A candidate is a completed run of the reference's log kind, logged earlier than the judged run, not
that run itself, represented by its latest line, and satisfying `where` and `same`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal

from nsm_gate.model import Json, Path
from nsm_gate.nouns import NamedTuple
from nsm_gate.pointers import dotted, show
from nsm_gate.policy import Reference
from nsm_gate.records import Record, walk
from nsm_gate.values import UNKNOWN, Value, decimal, is_number


class Picked(NamedTuple):
    """The outcome of a pick.

    Attributes:
        record: The strongest candidate, or None.
        candidates: How many runs were comparable.
        reason: Why there is none, in words.
        none: What the rules say holds then: unknown, pass, warn or fail.
    """

    record: Record | None
    candidates: int
    reason: str = ""
    none: str = "unknown"


def pick(reference: Reference, this: Record, earlier: Iterable[Record]) -> Picked:
    """Pick among the runs logged before `this`.

    Args:
        reference: The declaration.
        this: The judged run.
        earlier: Latest lines of the other runs of the reference's log kind, as of the judged line.
    """
    best: tuple[Decimal, Record] | None = None
    count = 0
    group = same(reference, this, judged=True)
    for candidate in earlier:
        if group is None or same(reference, candidate) != group or not eligible(reference, candidate, this):
            continue
        count += 1
        value = strength(
            reference, candidate, this.place(reference.by) if candidate.kind is this.kind else None
        )
        if value is not None and (best is None or value > best[0]):
            best = (value, candidate)
    return Picked(best[1], count) if best else none(reference, count)


def none(reference: Reference, count: int) -> Picked:
    """Return the pick of nothing, with the reason."""
    by = ".".join(reference.by)
    reason = f"none of {count} comparable runs has {by}" if count else "no comparable run was logged before"
    return Picked(None, count, f"{reference.name}: {reason}", reference.none)


def strength(reference: Reference, candidate: Record, place: Path | None) -> Decimal | None:
    """Return how strong a candidate is, larger is stronger; None where it lacks the metric there."""
    value = walk(candidate.entry.value, place) if place is not None else candidate.value(reference.by)
    if not is_number(value):
        return None
    return decimal(value) if reference.pick == "max" else -decimal(value)


def same(reference: Reference, record: Record, *, judged: bool = False) -> str | None:
    """Return the fields that must agree, as canonical text; None where one of them is missing.

    Args:
        reference: The declaration.
        record: A candidate, or the judged run.
        judged: Whether it is the judged run.
    """
    values = [record.value(path) for path in reference.same]
    for theirs, ours in reference.pairs:
        value = record.value(ours if judged else theirs)
        # == knows no objects and lists.
        values.append(UNKNOWN if isinstance(value, (dict, list)) else value)
    if any(value is UNKNOWN for value in values):
        return None
    return agreement(values)


def agreement(values: Iterable[Json]) -> str:
    """Return values that must agree as canonical text."""
    return json.dumps([canonical(value) for value in values], sort_keys=True)


def eligible(reference: Reference, candidate: Record, this: Record | None) -> bool:
    """Return whether a completed run satisfies `where`; without `this`, whether it does but for `pairs`."""
    if candidate.status != "completed":
        return False
    where = reference.where if this is not None else reference.rest
    if where is None:
        return True

    def lookup(path: tuple[str, ...], gaps: bool = False, /) -> Value:
        if path[0] == "this":
            return this.value(path[1:], gaps) if this is not None and len(path) > 1 else UNKNOWN
        return candidate.value(path, gaps)

    return where.value(lookup) is True


def shortcoming(reference: Reference, candidate: Record, this: Record) -> str:
    """Say why a run is not comparable; nothing where it is."""
    if candidate.status != "completed":
        return f"is {candidate.status or 'without a status'}, not completed"
    if same(reference, this, judged=True) is None:
        paths = (*reference.same, *(ours for _, ours in reference.pairs))
        lacking = [dotted(path) for path in paths if this.value(path) is UNKNOWN]
        return f"the judged run has no {', '.join(lacking)} to agree in"
    for path in reference.same:
        mine, theirs = this.value(path), candidate.value(path)
        if theirs is UNKNOWN or canonical(mine) != canonical(theirs):
            return f"{dotted(path)} differs{_difference(mine, theirs)}"
    if reference.where is not None and not eligible(reference, candidate, this):
        reads = []
        for path in reference.where.paths():
            value = this.value(path[1:]) if path[0] == "this" else candidate.value(path)
            reads.append(f"{dotted(path)} {'absent' if value is UNKNOWN else show(value)}")
        return f"where does not hold: {', '.join(reads)}"
    return ""


def _difference(mine: Value, theirs: Value) -> str:
    """Say what another run has otherwise: the members, where both have an object."""
    if theirs is UNKNOWN:
        return ": absent"
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        return f": {show(theirs)}"
    names = [
        name
        for name in {**mine, **theirs}
        if name not in mine or name not in theirs or canonical(mine[name]) != canonical(theirs[name])
    ]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f" in {', '.join(names[:3])}{more}"


def depends_on_this(reference: Reference) -> bool:
    """Return whether `where` looks at the judged run otherwise than for an equality."""
    return reference.rest is not None and any(path[0] == "this" for path in reference.rest.paths())


def canonical(value: Json) -> Json:
    """Return a value with 400.0 and 400 made one."""
    if isinstance(value, dict):
        return {name: canonical(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
