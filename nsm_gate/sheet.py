"""One run on one sheet: its values in sections, by the names that queries use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nsm_gate.differences import RESULTS, SETTINGS, group_of
from nsm_gate.flat import flat, spelled
from nsm_gate.model import Json
from nsm_gate.nouns import NamedTuple
from nsm_gate.records import Record

_HISTORY, _TIMES, _OTHER = "history", "times", "other"


class Sheet(NamedTuple):
    """A run's values.

    Attributes:
        sections: Title and rows of name and value.
        nulls: Names that are null.
        texts: What the run says of itself: the findings, the error.
    """

    sections: Sequence[tuple[str, Sequence[tuple[str, Json]]]]
    nulls: Sequence[str]
    texts: Sequence[tuple[str, str]]


def sheet(record: Record, metrics: Collection[str]) -> Sheet:
    """Return everything that a run's line holds, each value once.

    Args:
        record: The run.
        metrics: Members of the run that domains declare.
    """
    kind = record.kind
    said = [path for path in (kind.findings, kind.error_message, kind.reason) if path]
    headed = [path for path in (kind.run_id, kind.status, kind.domain, kind.experiment_type, *said) if path]
    told = {spelled(path, kind) for path in headed}
    times = {spelled(path, kind) for path in (*kind.times, kind.seconds) if path}
    made: dict[str, list[tuple[str, Json]]] = {
        RESULTS: [],
        SETTINGS: [],
        _HISTORY: [],
        _TIMES: [],
        _OTHER: [],
    }
    nulls = []
    for name, value in flat(record.entry.value, kind).items():
        if name in told:
            continue
        if value is None:
            nulls.append(name)
        elif isinstance(value, list) and (not value or isinstance(value[0], dict)):
            made[_HISTORY] += _series(name, value)
        else:
            group = _TIMES if name in times else group_of(name, kind, metrics)
            made[group].append((name, value))
    texts = [(path[-1], text) for path in said if (text := record.text(path))]
    return Sheet([(title, rows) for title, rows in made.items() if rows], nulls, texts)


def _series(name: str, items: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Yield each member of a list of objects as a series; the list itself where they are no objects."""
    if not items or not all(isinstance(item, dict) for item in items):
        yield name, items
        return
    for member in dict.fromkeys(member for item in items for member in item):
        yield f"{name}.{member}", [item.get(member) for item in items]
