"""An entry seen through its log kind: where its run, key, status and metrics stand."""

from __future__ import annotations

from nsm_gate.model import Entry, Json, Path
from nsm_gate.nouns import Any, Final, NamedTuple
from nsm_gate.pointers import COUNT
from nsm_gate.policy import LogKind
from nsm_gate.timestamps import Instant, parse
from nsm_gate.values import UNKNOWN, Value

ABSENT: Final = object()
"""What `Record.at` returns where a member is not there at all."""


def walk(value: Json, path: tuple[str, ...]) -> Value:
    """Return what stands at a path, or UNKNOWN where it is absent or null.

    A path over a list of objects plucks: the list of what stands in each, UNKNOWN where one lacks it
    or there is none.
    """
    for index, member in enumerate(path):
        if isinstance(value, dict):
            value = value.get(member)
        elif isinstance(value, list):
            plucked = [walk(item, path[index:]) for item in value]
            return plucked if plucked and not any(v is UNKNOWN for v in plucked) else UNKNOWN
        else:
            return UNKNOWN
    return UNKNOWN if value is None else value


def series(value: Json, path: tuple[str, ...]) -> Value:
    """Return a series with its gaps: None where an item holds null, UNKNOWN where it lacks the member.

    What is no series is returned as `walk` returns it.
    """
    for index, member in enumerate(path):
        if isinstance(value, list):
            rest = path[index:]
            return [_gap(item, rest) for item in value] if value else UNKNOWN
        if not isinstance(value, dict):
            return UNKNOWN
        value = value.get(member)
    return UNKNOWN if value is None or value == [] else value


def _gap(item: Json, path: tuple[str, ...]) -> Value:
    for member in path:
        if not isinstance(item, dict) or member not in item:
            return UNKNOWN
        item = item[member]
    return item


class Record(NamedTuple):
    """An entry of a known log kind.

    Attributes:
        path: The log that holds it.
        appended: Whether the change under judgement brings it.
    """

    entry: Entry
    kind: LogKind
    path: str
    appended: bool = False

    @property
    def line(self) -> int:
        """Return the number of its physical line."""
        return self.entry.line.number

    def at(self, path: Path | None) -> Any:
        """Return the raw value at a path from the entry's root, or ABSENT."""
        value: Any = self.entry.value if path is not None else ABSENT
        for member in path or ():
            value = value.get(member, ABSENT) if isinstance(value, dict) else ABSENT
        return value

    def text(self, path: Path | None) -> str | None:
        """Return the string at a path, or None where there is no string."""
        value = self.at(path)
        return value if isinstance(value, str) else None

    @property
    def name(self) -> str | None:
        """Return the run's name, as people say it."""
        value = self.at(self.kind.run_id)
        return value if isinstance(value, str) else None

    @property
    def status(self) -> str | None:
        """Return running, completed or failed; a log kind without a status holds completed runs."""
        return self.text(self.kind.status) if self.kind.status else "completed"

    @property
    def experiment_type(self) -> str | None:
        """Return the experiment type's name, if it is there."""
        return self.text(self.kind.experiment_type)

    @property
    def domain(self) -> str | None:
        """Return the domain's name, if it is there."""
        return self.text(self.kind.domain)

    @property
    def key(self) -> tuple[str | int, ...] | None:
        """Return what identifies the run; None where a part is no string or 64-bit integer."""
        parts = []
        for path in self.kind.key:
            value = self.at(path)
            # Not isinstance: True == 1 would make two keys one.
            if type(value) is str or (type(value) is int and -(2**63) <= value < 2**63):
                parts.append(value)
            else:
                return None
        return tuple(parts)

    @property
    def instant(self) -> Instant | None:
        """Return when the line was logged, where that is a valid time."""
        text = self.text(self.kind.logged)
        parsed = parse(text) if text is not None else ""
        return parsed if isinstance(parsed, Instant) else None

    def place(self, name: tuple[str, ...]) -> Path:
        """Return where a dotted name of the rules stands: its first known place, or its first."""
        if name[0] == "entry":
            return name[1:]
        if COUNT in name:
            # A count that no log kind declares is a member that no entry has.
            return self.kind.rates.get(name[-1], name) if len(name) == 2 else name
        places = self.kind.names.get(name[0], ()) if len(name) == 1 else ()
        for path in places:
            value = walk(self.entry.value, path)
            # A history of objects is no measure: the word is for a series of numbers.
            empty = type(value) is list and (not value or type(value[0]) is dict)
            if value is not UNKNOWN and not empty:
                return path
        return places[0] if places else self.kind.run + name

    def value(self, name: tuple[str, ...], gaps: bool = False, /) -> Value:
        """Return what a dotted name of the rules stands for in this run."""
        place = self.place(name)
        return series(self.entry.value, place) if gaps else walk(self.entry.value, place)

    def value_like(self, name: tuple[str, ...], other: Record) -> Value:
        """Return a name's value at the place where the other run of this log kind has it."""
        if other.kind.name != self.kind.name:
            return self.value(name)
        return walk(self.entry.value, other.place(name))
