"""What two runs have otherwise: settings, results and the rest, each by its name.

Two runs of one log kind are compared value by value. Runs of different log kinds keep the same things at
different places: they are compared by the words of both (`accuracy`, `cycle_weight`), and by the members of
their configuration that are called alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import DecimalException

from nsm_gate.exact import canonical
from nsm_gate.flat import flat, spelled
from nsm_gate.model import Json
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import LogKind
from nsm_gate.records import Record
from nsm_gate.values import CONTEXT, UNKNOWN, Value, decimal, is_number

RESULTS, SETTINGS, OTHER = "results", "configuration", "other"


class Difference(NamedTuple):
    """A value that two runs have otherwise.

    Attributes:
        group: `results`, `configuration` or `other`.
        mine: The run's; None where it is absent or null.
        theirs: The other run's.
    """

    group: str
    name: str
    mine: Json
    theirs: Json

    @property
    def change(self) -> tuple[Value, Value]:
        """Return how far the run's number is from the other's, and as a share of it, where both are known."""
        if not (is_number(self.mine) and is_number(self.theirs)):
            return UNKNOWN, UNKNOWN
        mine, theirs = decimal(self.mine), decimal(self.theirs)
        try:
            gap = CONTEXT.subtract(mine, theirs)
            return gap, CONTEXT.divide(gap, theirs.copy_abs()) if theirs else UNKNOWN
        except DecimalException:
            return UNKNOWN, UNKNOWN


class Compared(NamedTuple):
    """Two runs side by side.

    Attributes:
        same: How many values that both have are equal.
        only_mine: Settings that only the run has, where the log kinds differ.
        only_theirs: Settings that only the other run has, where the log kinds differ.
    """

    differences: Sequence[Difference]
    same: int
    only_mine: Sequence[str] = ()
    only_theirs: Sequence[str] = ()


def compare(mine: Record, theirs: Record, metrics: Collection[str]) -> Compared:
    """Compare two runs.

    Args:
        mine: The run.
        theirs: The other one, such as its reference.
        metrics: Members of the run that domains declare.
    """
    if mine.kind.name == theirs.kind.name:
        return _alike(mine, theirs, metrics)
    return _unlike(mine, theirs)


def _alike(mine: Record, theirs: Record, metrics: Collection[str]) -> Compared:
    kind = mine.kind
    ours, others = flat(mine.entry.value, kind), flat(theirs.entry.value, kind)
    told = {spelled(path, kind) for path in (*kind.key, kind.run_id, kind.findings) if path}
    made, same = [], 0
    for name in dict.fromkeys((*ours, *others)):
        one, other = ours.get(name), others.get(name)
        if name in told or canonical(one) == canonical(other):
            same += name not in told and one is not None
        # An object that one run has and the other has not shows by its members.
        elif not (one is None and name in ours and _is_parent(name, others)) and not (
            other is None and name in others and _is_parent(name, ours)
        ):
            made.append(Difference(group_of(name, kind, metrics), name, one, other))
    order = (RESULTS, SETTINGS, OTHER)
    made.sort(key=lambda each: order.index(each.group))
    return Compared(made, same)


def _is_parent(name: str, row: Mapping[str, Json]) -> bool:
    return any(other.startswith((f"{name}.", f"{name}[")) for other in row)


def group_of(name: str, kind: LogKind, metrics: Collection[str]) -> str:
    """Return whether a name is of the results, the configuration or other things.

    Args:
        name: As queries call it.
        kind: The log kind.
        metrics: Members of the run that domains declare.
    """
    places = {spelled(place, kind) for places in kind.names.values() for place in places}
    if name in metrics or (kind.results and _below(name, spelled(kind.results, kind))):
        return RESULTS
    if any(_below(name, spelled(path, kind)) for path in kind.configuration):
        return SETTINGS
    return RESULTS if name in places else OTHER


def _below(name: str, above: str) -> bool:
    return name == above or name.startswith((f"{above}.", f"{above}["))


def _unlike(mine: Record, theirs: Record) -> Compared:
    made, same = [], 0
    words = [name for name in mine.kind.names if name in theirs.kind.names]
    for word in words:
        one, other = _value(mine, word), _value(theirs, word)
        if canonical(one) == canonical(other):
            same += one is not None
        else:
            setting = any(_is_setting(record, word) for record in (mine, theirs))
            made.append(Difference(SETTINGS if setting else RESULTS, word, one, other))
    ours, others = dict(_settings(mine, words)), dict(_settings(theirs, words))
    for name in ours:
        if name in others and canonical(ours[name]) != canonical(others[name]):
            made.append(Difference(SETTINGS, name, ours[name], others[name]))
        else:
            same += name in others
    made.sort(key=lambda each: each.group == SETTINGS)
    only = [name for name, value in ours.items() if name not in others and value is not None]
    lacking = [name for name, value in others.items() if name not in ours and value is not None]
    return Compared(made, same, only, lacking)


def _value(record: Record, word: str) -> Json:
    value = record.value((word,))
    return None if value is UNKNOWN else value


def _is_setting(record: Record, word: str) -> bool:
    place = record.place((word,))
    return any(place[: len(path)] == path for path in record.kind.configuration)


def _settings(record: Record, words: Collection[str]) -> Iterator[tuple[str, Json]]:
    """Yield the members of the configuration without what holds them; words are compared already."""
    kind = record.kind
    told = {spelled(record.place((word,)), kind) for word in words}
    above = [spelled(path, kind) for path in kind.configuration]
    for name, value in flat(record.entry.value, kind).items():
        holder = next((each for each in above if name.startswith(f"{each}.")), None)
        if holder is not None and name not in told:
            yield name[len(holder) + 1 :], value
