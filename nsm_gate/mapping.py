"""How an entry of an old format becomes one of a log kind: fields, where each comes from, and conversions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from nsm_gate.conversions import Step, Unconvertible
from nsm_gate.expressions import Node
from nsm_gate.model import Json, Path
from nsm_gate.nouns import Any, Final, NamedTuple
from nsm_gate.pointers import pointer
from nsm_gate.timestamps import written
from nsm_gate.values import UNKNOWN, Value

ABSENT: Final = object()
"""What stands where the old entry has nothing."""


class Old(NamedTuple):
    """An entry of an old file.

    Attributes:
        number: Its line in the file; in a JSON array, its place in it, from 1.
        raw: The entry as one line of JSON.
        original: What the file holds, as text.
        fault: Why it cannot be read, where that is known already.
    """

    number: int
    raw: bytes
    original: str
    fault: str = ""


class From(NamedTuple):
    """A value of the old entry: of several places, the first that is not null."""

    places: tuple[str, ...]


class Parts(NamedTuple):
    """A list of values, each with a source of its own."""

    items: tuple[Source, ...]


class Constant(NamedTuple):
    """The same value for every entry."""

    value: Json


class Computed(NamedTuple):
    """What an expression of the rule language gives over the old entry."""

    node: Node


class Now(NamedTuple):
    """The time of the migration."""


Origin = From | Parts | Constant | Computed | Now


class Source(NamedTuple):
    """Where a value comes from, and what is done to it.

    Attributes:
        origin: Where it comes from.
        steps: Conversions, in order; null passes through.
        default: What stands for a value that is absent or null; ABSENT for nothing.
        now: Whether the time of the migration stands for one.
        optional: Whether no entry need have it.
        rename: Members of an object, or of each object of a list: old name -> new name.
        without: Members of it that are left out.
    """

    origin: Origin
    steps: tuple[Step, ...] = ()
    default: Any = ABSENT
    now: bool = False
    optional: bool = False
    rename: Mapping[str, str] = {}
    without: tuple[str, ...] = ()

    def names(self) -> Iterator[tuple[str, bool]]:
        """Yield every place of the old entry that is read, and whether it may be missing everywhere."""
        if isinstance(self.origin, From):
            yield from ((place, self.optional) for place in self.origin.places)
        elif isinstance(self.origin, Computed):
            yield from ((".".join(path), self.optional) for path in self.origin.node.paths())
        elif isinstance(self.origin, Parts):
            for item in self.origin.items:
                yield from ((name, optional or self.optional) for name, optional in item.names())


class Field(NamedTuple):
    """A member of the new entry.

    Attributes:
        target: Its path from the entry's root.
        defined_at: Line and column in the mapping.
        places: Line and column of what it reads, by name, where that has a place of its own.
    """

    target: Path
    source: Source
    defined_at: tuple[int, int]
    places: Mapping[str, tuple[int, int]] = {}


class Plan(NamedTuple):
    """A whole mapping.

    Attributes:
        path: Its file.
        log: Name of the log kind that the new log is of.
        form: How the old file is written: `jsonl`, `json` or `csv`; empty where its name and start tell.
        delimiter: What separates the cells of a CSV file.
        nulls: Texts of the old file that stand for null.
        nan_is_null: Whether NaN and infinities of the old file stand for null.
        where: Only entries for which this is true are migrated.
        fields: In the order of the file.
    """

    path: str
    log: str
    form: str
    delimiter: str
    nulls: frozenset[str]
    nan_is_null: bool
    where: Node | None
    fields: tuple[Field, ...]
    where_at: tuple[int, int] = (1, 1)


class Fault(NamedTuple):
    """Why an entry cannot be migrated."""

    pointer: str
    message: str
    hint: str


def find(value: Json, parts: Sequence[str]) -> Any:
    """Return what stands at a dotted path of an old entry, or ABSENT.

    A member whose own name has dots in it is found too: of names that fit, the longest counts. A number
    takes an item of a list; any other name takes the member of each of its objects.
    """
    if not parts:
        return value
    if isinstance(value, dict):
        for count in range(len(parts), 0, -1):
            name = ".".join(parts[:count])
            if name in value:
                return find(value[name], parts[count:])
    elif isinstance(value, list):
        if parts[0].isascii() and parts[0].isdigit():
            index = int(parts[0][:9])
            return find(value[index], parts[1:]) if index < len(value) else ABSENT
        found = [find(item, parts) for item in value]
        if found and not all(item is ABSENT for item in found):
            return [None if item is ABSENT else item for item in found]
    return ABSENT


def convert(entry: Mapping[str, Json], plan: Plan, now: datetime) -> dict[str, Json] | list[Fault]:
    """Return the new entry, or why there is none.

    Args:
        entry: The old entry, with its nulls.
        plan: The mapping.
        now: The time of the migration, in UTC.
    """
    made: dict[str, Json] = {}
    # A whole object first, then the members that are set in it.
    ordered = sorted(plan.fields, key=lambda field: len(field.target))
    faults = [fault for field in ordered if (fault := _fill(made, field, entry, now)) is not None]
    return faults or made


def _fill(made: dict[str, Json], field: Field, entry: Mapping[str, Json], now: datetime) -> Fault | None:
    """Put a field's value into the new entry; return why that cannot be."""
    try:
        value = _value(field.source, entry, now)
        if value is not ABSENT:
            _put(made, field.target, value)
    except Unconvertible as error:
        return Fault(pointer(*field.target), f"{'.'.join(field.target)}: {error}", error.hint)
    return None


def holds(node: Node, entry: Mapping[str, Json]) -> Value:
    """Return whether an expression holds for an old entry: true, false or UNKNOWN."""
    return node.value(_lookup(entry))


def _lookup(entry: Mapping[str, Json]) -> Any:
    def lookup(path: tuple[str, ...], gaps: bool = False, /) -> Value:
        found = find(entry, path)
        if found is ABSENT or found is None:
            return UNKNOWN
        if isinstance(found, list) and None in found and not gaps:
            return UNKNOWN
        return found

    return lookup


def _value(source: Source, entry: Mapping[str, Json], now: datetime) -> Any:
    value = _read(source.origin, entry, now)
    if value is ABSENT or value is None:
        if source.now:
            return written(now)
        return value if source.default is ABSENT else source.default
    value = _reshaped(value, source)
    for step in source.steps:
        value = step(value)
        if value is None:
            break
    return value


def _read(origin: Origin, entry: Mapping[str, Json], now: datetime) -> Any:
    if isinstance(origin, From):
        found = [find(entry, place.split(".")) for place in origin.places]
        known = [value for value in found if value is not ABSENT]
        return next((value for value in known if value is not None), known[0] if known else ABSENT)
    if isinstance(origin, Parts):
        parts = [_value(item, entry, now) for item in origin.items]
        return [None if part is ABSENT else part for part in parts]
    if isinstance(origin, Constant):
        return origin.value
    if isinstance(origin, Computed):
        value = origin.node.value(_lookup(entry))
        return ABSENT if value is UNKNOWN else _plain(value)
    return written(now)


def _plain(value: Value) -> Json:
    """Return a value of the rule language as JSON has it."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return int(value) if isinstance(exponent, int) and 0 <= exponent < 20 else float(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _reshaped(value: Json, source: Source) -> Json:
    if not (source.rename or source.without):
        return value
    if isinstance(value, list):
        return [_reshaped(item, source) for item in value]
    if not isinstance(value, dict):
        raise Unconvertible("it is no object, whose members could be renamed or left out")
    made: dict[str, Json] = {}
    for name, inner in value.items():
        if name in source.without:
            continue
        new = source.rename.get(name, name)
        if new in made:
            raise Unconvertible(f"two members would be called {new!r}", "leave one of them out with without:")
        made[new] = inner
    return made


def _put(made: dict[str, Json], target: Path, value: Json) -> None:
    holder = made
    for depth, member in enumerate(target[:-1], 1):
        inner = holder.get(member)
        if inner is not None and not isinstance(inner, dict):
            raise Unconvertible(f"{'.'.join(target[:depth])} is no object to put {target[-1]!r} in")
        # A copy: what was read from the old entry is not to change.
        holder[member] = holder = dict(inner or {})
    holder[target[-1]] = value
