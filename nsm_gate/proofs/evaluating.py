"""Reads the values of an expression from the variables of a proof, and evaluates it as the rules do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter

from msgspec import UNSET

from nsm_gate.expressions import Call, Literal, Node
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.values import UNKNOWN, Value, is_number

_WORDS = 1000
"""Texts whose evaluation is remembered."""
NUMBERS = frozenset({int, float})


class Reader(NamedTuple):
    """Reads a name from the variables of its places: the first that is known and no empty series."""

    variables: tuple[str, ...]
    reads: tuple[Callable[[Any], Value], ...]

    def slim(self) -> Reader:
        """Return a reader without the places where no line has anything."""
        pairs = [pair for pair in zip(*self, strict=True) if pair[1] != Pluck(None)]
        return Reader(*zip(*pairs, strict=True)) if pairs else self

    def read(self, args: Sequence[Any]) -> Value:
        """Return the name's value, given those of the variables."""
        first: Value = UNKNOWN
        for index, (arg, read) in enumerate(zip(args, self.reads, strict=True)):
            value = read(arg)
            empty = type(value) is list and (not value or _is_object(value[0]))
            if value is not UNKNOWN and not empty:
                return value
            if not index:
                first = value
        return first


def _is_object(value: Any) -> bool:
    return value is not None and value.__class__ not in (float, int, str, bool)


def as_it_is(value: Any) -> Value:
    """Return the value of a slot as a record would; UNKNOWN where it is absent or null."""
    return UNKNOWN if value is None or value is UNSET else value


class Pluck(NamedTuple):
    """Reads one member of every item of a list, as records do; the member's slot, or None for no slot."""

    member: str | None

    def __call__(self, value: Any) -> Value:
        """Return the members of the items; UNKNOWN where one of them has none."""
        if type(value) is not list or not value:
            return UNKNOWN
        plucked = []
        for item in value:
            found = getattr(item, self.member, None) if self.member is not None else None
            if found is None or found is UNSET:
                return UNKNOWN
            plucked.append(found)
        return plucked


def numbers_of(reader: Reader) -> Callable[[list[Any]], list[Any] | None]:
    """Return what reads a series of numbers from its list; ValueError where it holds anything else."""
    plucks = [read.member for read in reader.reads if isinstance(read, Pluck)]
    quick = None
    if plucks and plucks[0] is not None and isinstance(reader.reads[0], Pluck):
        quick = attrgetter(plucks[0])

    def read(items: list[Any]) -> list[Any] | None:
        if quick is not None and items and _is_object(items[0]):
            # The first place, where every item has a number: nothing else is asked then.
            try:
                plucked = list(map(quick, items))
            except AttributeError:
                plucked = [None]
            if NUMBERS.issuperset(map(type, plucked)):
                return plucked
        value = reader.read([items] * len(reader.variables))
        if value is UNKNOWN:
            return None
        if type(value) is not list or not NUMBERS.issuperset(map(type, value)):
            raise ValueError("a series of more than numbers")
        return value

    return read


def lookup(keys: Sequence[Any], key: Any, values: Sequence[Any]) -> Any:
    """Return the last value whose key is the one that is sought; None where there is none."""
    if len(keys) != len(values):
        return None
    found = [value for known, value in zip(keys, values, strict=True) if known == key]
    return found[-1] if found else None


def evaluator(
    node: Node, reads: Mapping[tuple[str, ...], Reader], variables: Sequence[str]
) -> Callable[..., Value]:
    """Return what evaluates an expression, given the values of variables.

    Args:
        node: The expression.
        reads: Name that it reads -> what reads it.
        variables: Those of all readers, in the order in which their values are given.
    """
    where = {path: (reader, [variables.index(n) for n in reader.variables]) for path, reader in reads.items()}
    words: dict[tuple[Any, ...], Value] = {}
    quick = _spread(node) if len(variables) == 1 else None

    def evaluate(*args: Any) -> Value:
        # Words come again; numbers, of which one may equal another, do not count as words.
        if set(map(type, args)) == {str}:
            known = words.get(args)
            if known is None and len(words) < _WORDS:
                known = words[args] = evaluated(args)
            return evaluated(args) if known is None else known
        told = quick(args[0]) if quick is not None else None
        return evaluated(args) if told is None else told

    def evaluated(args: Sequence[Any]) -> Value:
        values = {path: reader.read([args[i] for i in at]) for path, (reader, at) in where.items()}

        def lookup(path: tuple[str, ...], _gaps: bool = False, /) -> Value:
            return values[path]

        return node.value(lookup)

    return evaluate


def _spread(node: Node) -> Callable[[Any], bool | None] | None:
    """Return what tells of a list whether it is stable, or None where floats do not decide.

    None for other calls.
    """
    if not isinstance(node, Call) or node.name != "stable":
        return None
    options = {
        name: option.constant if isinstance(option, Literal) else None for name, option in node.options
    }
    share: Any = options.get("tolerance", Decimal("0.1"))
    last = options.get("last", 0)
    if not is_number(share) or type(last) is not int or last < 0 or last == 1:
        return None
    tolerance = float(share)

    def stable(values: Any) -> bool | None:
        if type(values) is not list or not NUMBERS.issuperset(map(type, values)) or len(values) < (last or 2):
            return None
        tail = values[-last:]
        most, least = max(tail), min(tail)
        gap = most - least - tolerance * max(abs(most), abs(least))
        guard = 1e-9 * (1 + abs(tolerance)) * (abs(most) + abs(least))
        return gap < 0 if abs(gap) > guard else None

    return stable
