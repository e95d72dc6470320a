"""Runs -> groups of runs: how many there are, and how their metrics compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, DecimalException

from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.queries import Row, group_key, rank
from nsm_gate.terms import Term
from nsm_gate.values import CONTEXT, UNKNOWN, Value, decimal, is_number


class Group(NamedTuple):
    """Runs that agree in what they are grouped by.

    Attributes:
        values: What they agree in, and what is said of them, by the name of the column.
    """

    values: Mapping[str, Value]


def counted(rows: Iterable[Row], terms: Sequence[Term]) -> list[Group]:
    """Return how many runs each group has, the largest group first."""
    groups = [Group({**agreed, "count": len(members)}) for agreed, members in _groups(rows, terms)]
    return sorted(groups, key=lambda group: -group.values["count"])


def compared(
    rows: Iterable[Row],
    terms: Sequence[Term],
    metrics: Sequence[Term],
    better: Mapping[str, bool],
) -> list[Group]:
    """Return how the metrics of groups compare: count, mean, least, greatest, and the best with its run.

    Args:
        rows: The runs; each has its name under `run`.
        terms: What they are grouped by.
        metrics: What is compared.
        better: Whether more is better, by the text of the metric; without it there is no best.
    """
    made = []
    for agreed, members in _groups(rows, terms):
        values: dict[str, Value] = {**agreed, "count": len(members)}
        for metric in metrics:
            values |= _measured(members, metric.text, better.get(metric.text))
        made.append(Group(values))
    return made


def measures(metric: str, more: bool | None) -> tuple[str, ...]:
    """Return the columns that are made of a metric."""
    best = () if more is None else (f"{metric}.best", f"{metric}.best_run")
    return (f"{metric}.count", f"{metric}.mean", f"{metric}.min", f"{metric}.max", *best)


def _measured(rows: Sequence[Row], metric: str, more: bool | None) -> dict[str, Any]:
    found = [(decimal(value), row) for row in rows if is_number(value := row.values[metric])]
    numbers = [number for number, _ in found]
    low, high = (min(numbers), max(numbers)) if numbers else (UNKNOWN, UNKNOWN)
    values = {
        f"{metric}.count": len(found), f"{metric}.mean": _mean(numbers),
        f"{metric}.min": low, f"{metric}.max": high,
    }  # fmt: skip
    if more is not None:
        best = high if more else low
        # The first run that reached it.
        run = next((row.values["run"] for number, row in found if number == best), UNKNOWN)
        values |= {f"{metric}.best": best, f"{metric}.best_run": run}
    return values


def _mean(numbers: Sequence[Decimal]) -> Value:
    if not numbers:
        return UNKNOWN
    try:
        total = Decimal(0)
        for number in numbers:
            total = CONTEXT.add(total, number)
        return CONTEXT.divide(total, Decimal(len(numbers)))
    except DecimalException:
        return UNKNOWN


def _groups(rows: Iterable[Row], terms: Sequence[Term]) -> list[tuple[dict[str, Value], list[Row]]]:
    """Return the groups in the order of what they agree in; those that lack it last."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(group_key(row, terms), []).append(row)
    made = [({t.text: members[0].values[t.text] for t in terms}, members) for members in groups.values()]
    return sorted(made, key=lambda each: [_rank(value) for value in each[0].values()])


def _rank(value: Value) -> tuple[bool, int, Value]:
    return (True, 0, 0) if value is UNKNOWN else (False, *rank(value))
