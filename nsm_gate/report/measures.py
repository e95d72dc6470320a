"""The numbers that a run measured, and its history by epoch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator

from nsm_gate.model import Json, Path
from nsm_gate.policy import LogKind, Policy, UseDomain
from nsm_gate.records import Record
from nsm_gate.report.nouns import Epochs
from nsm_gate.values import Value, is_number

_MOST_EPOCHS = 2_000
_MOST_COLUMNS = 24
_STEP = "epoch"


def words(kind: LogKind, policy: Policy) -> tuple[str, ...]:
    """Return the names that the rules give the measures of a log kind: its own, and those of domains.

    A name of a setting (`cycle_weight`), and that of a series, is none.
    """
    settings = [path for path in (*kind.configuration, kind.hyperparameters) if path]

    def is_setting(places: Iterable[Path]) -> bool:
        return all(any(place[: len(path)] == path for path in settings) for place in places)

    drawn = kind.history[0] if kind.history else ""
    own = [name for name, places in kind.names.items() if name != drawn and not is_setting(places)]
    groups = (kind.criteria, *(t.criteria for t in policy.experiment_types.values()))
    asked = [
        criterion.subject[0]
        for group in (*groups, *(domain.criteria for domain in policy.domains.values()))
        for criterion in group
        if not isinstance(criterion, UseDomain) and criterion.subject and len(criterion.subject) == 1
    ]
    domains = [metric for domain in policy.domains.values() for metric in domain.metrics]
    return tuple(dict.fromkeys((*own, *(name for name in (*domains, *asked) if name not in kind.names))))


def metrics(record: Record, names: Iterable[str]) -> dict[str, float]:
    """Return the finite numbers of a run: by the names of the rules, then what else stands in its results."""
    kind = record.kind
    found: dict[str, float] = {}
    read: set[Path] = set()
    for name in names:
        value = number(record.value((name,)))
        read.add(record.place((name,)))
        if value is not None:
            found[name] = value
    results = record.at(kind.results)
    if isinstance(results, dict) and kind.results is not None:
        for name, inner in results.items():
            value = number(inner)
            if value is not None and (*kind.results, name) not in read:
                found.setdefault(name, value)
    seconds = number(record.at(kind.seconds))
    if seconds is not None and kind.seconds is not None:
        found.setdefault(kind.seconds[-1], seconds)
    return found


def number(value: Value) -> float | None:
    """Return a finite number as a float; None for anything else, and for an integer beyond floats."""
    if not is_number(value):
        return None
    try:
        made = float(value)
    except OverflowError:
        return None
    return made if math.isfinite(made) else None


def classes(record: Record) -> tuple[float, float] | None:
    """Return the accuracies of two classes, where the log kind says where they stand and both are rates."""
    found = [number(record.at(path)) for path in record.kind.class_accuracies]
    rates = [rate for rate in found if rate is not None and 0 <= rate <= 1]
    return (rates[0], rates[1]) if len(found) == len(rates) == 2 else None


def epochs(record: Record) -> Epochs | None:
    """Return the history of a run: a list of objects, or of plain numbers, where the log kind has it."""
    for holder, member in _holders(record.kind):
        items = record.at(holder)
        if not isinstance(items, list) or len(items) < 2:
            continue
        rows = items[:_MOST_EPOCHS]
        if all(isinstance(item, dict) for item in rows):
            made = _columns(rows)
            if made is not None:
                return made
        elif all(number(item) is not None for item in rows):
            numbers = tuple(number(item) for item in rows)
            return Epochs(tuple(range(1, len(rows) + 1)), {member: numbers})
    return None


def _holders(kind: LogKind) -> Iterator[tuple[Path, str]]:
    """Yield the places at which a history may stand, and the name of a plain one."""
    if kind.history is None:
        return
    for path in kind.names.get(kind.history[0], (kind.run + kind.history,)):
        for end in range(len(path), len(kind.run), -1):
            yield path[:end], kind.history[0].removesuffix("_history")


def _columns(rows: list[dict[str, Json]]) -> Epochs | None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: tuple(number(row.get(name)) for row in rows) for name in names}
    counted = columns.pop(_STEP, ())
    steps = tuple(value for value in counted if value is not None)
    if len(steps) < len(rows) or any(b <= a for a, b in itertools.pairwise(steps)):
        steps = tuple(range(1, len(rows) + 1))
    kept = {name: values for name, values in columns.items() if sum(v is not None for v in values) > 1}
    return Epochs(steps, dict(list(kept.items())[:_MOST_COLUMNS])) if kept else None
