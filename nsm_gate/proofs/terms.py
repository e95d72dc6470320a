"""Expressions of the rule language as code over the slots of an outline.

An expression is true, false or unknown; the code says where it is proven true, and where it is proven
false. Numbers of the log compare as they are, which is what comparing them as decimals gives; arithmetic in
floats decides only beyond its own error. Whatever has no short code is evaluated as the rules evaluate it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter

from msgspec import UNSET

from nsm_gate.expressions import (
    Arithmetic,
    Both,
    Call,
    Comparison,
    Either,
    Literal,
    Lookup,
    Name,
    Node,
    Not,
)
from nsm_gate.functions import FUNCTIONS
from nsm_gate.model import Path
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.policy import LogKind
from nsm_gate.proofs.code import FALSE, TRUE, Constants, both, either, negated
from nsm_gate.proofs.outline import Outline, Slot
from nsm_gate.proofs.places import places
from nsm_gate.values import UNKNOWN, Value, is_number

_GUARD = "1e-9"
"""Relative error that arithmetic in floats stays far below, for the few operations that are compiled."""
_WORDS = 1000
"""Texts whose evaluation is remembered."""
_INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class Unprovable(Exception):
    """Nothing is known of an expression: it reads what no slot holds."""


class Proof(NamedTuple):
    """When an expression is true or false, as code.

    Attributes:
        true: Where this holds, it is true.
        false: Where this holds, it is false.
        may_be_true: Where this does not hold, it is not true.
        may_be_false: Where this does not hold, it is not false.
    """

    true: str
    false: str
    may_be_true: str
    may_be_false: str


def _exact(true: str, false: str) -> Proof:
    return Proof(true, false, true, false)


class Number(NamedTuple):
    """A number as code.

    Attributes:
        known: Code that holds where it has a value.
        size: Code for the sum of the magnitudes that it is computed from; empty for what stands in the log.
        constant: The number itself, where the rules state it.
        whole: Whether it is a whole number always, of which floats have no part.
    """

    code: str
    known: str
    size: str = ""
    constant: Decimal | None = None
    whole: bool = False


class Scalar(NamedTuple):
    """A name of the rules as code.

    Attributes:
        kinds: JSON types that its value may have.
        known: Code that holds where it has a value other than null.
    """

    code: str
    kinds: frozenset[str]
    known: str


class Terms:
    """Compiles expressions over the entries of one log kind.

    Attributes:
        prelude: Assignments that the code relies on, in order: variable -> code.
    """

    def __init__(self, kind: LogKind, outline: Outline, constants: Constants) -> None:
        """Compile nothing yet."""
        self._kind = kind
        self._outline = outline
        self._constants = constants
        self.prelude: dict[str, str] = {}

    # --- names --------------------------------------------------------------------------------

    def places(self, name: tuple[str, ...]) -> Sequence[Path]:
        """Return where a dotted name may stand, as records find it."""
        return places(self._kind, name)

    def scalar(self, name: tuple[str, ...]) -> Scalar | None:
        """Return the variable of a name; None where it may be no scalar.

        A name that no line has is the constant None.
        """
        slots = [slot for slot in map(self.slot, self.places(name)) if slot is not None]
        kinds = frozenset[str]().union(*(slot.kinds for slot in slots))
        if {"object", "array"} & kinds or any(self.crosses(path) for path in self.places(name)):
            return None
        if not slots:
            return Scalar("None", frozenset(), FALSE)
        if len(slots) == 1:
            return Scalar(slots[0].name, kinds, slots[0].known)
        variable = f"n_{'_'.join(slot.name for slot in slots)}"
        code = slots[-1].name
        for slot in reversed(slots[:-1]):
            code = f"({slot.name} if {slot.known} else {code})"
        self.prelude.setdefault(variable, code)
        return Scalar(variable, kinds, f"({variable} is not None and {variable} is not U)")

    def slot(self, path: Path) -> Slot | None:
        """Return the slot at a path from the entry's root."""
        return self._outline.find(path) if path else None

    def crosses(self, path: Path) -> bool:
        """Return whether a path may lead through a list."""
        slots = [self.slot(path[:end]) for end in range(1, len(path))]
        return any(slot is not None and slot.item is not None for slot in slots)

    def series(self, name: tuple[str, ...]) -> str | None:
        """Return the variable of a series of numbers: None where it is unknown; None where it is no series.

        What is a series of anything else makes the line one that is not proven.
        """
        paths = self.places(name)
        if not any(self.crosses(path) or self._is_list(path) for path in paths):
            return None
        try:
            reader = self._reader(name)
        except Unprovable:
            return None
        lists = [v for v, path in zip(reader.variables, paths, strict=True) if v != "None"]
        if len(set(lists)) != 1:
            return None
        variable = f"s_{'_'.join(name)}".replace(" ", "_")
        if not variable.isidentifier():
            return None
        read = self._constants.name(_numbers_of(reader), "R")
        # Read where it is first asked for: most laws see before that they do not apply.
        self.prelude.setdefault(variable, "F")
        value = f"{read}({lists[0]}) if {lists[0]}.__class__ is list else None"
        return f"({variable} if {variable} is not F else ({variable} := {value}))"

    def _is_list(self, path: Path) -> bool:
        slot = self.slot(path)
        return slot is not None and slot.kinds <= {"array", "null"}

    def strays(self, node: Node) -> str:
        """Return code that holds where an expression reads what the schema refuses."""
        slots = [self.slot(place) for name in node.paths() for place in self.places(name)]
        return either(dict.fromkeys(slot.stray for slot in slots if slot is not None))

    # --- truth --------------------------------------------------------------------------------

    def truth(self, node: Node) -> Proof:
        """Return when an expression is proven true, and when false; Unprovable where never."""
        match node:
            case Both(items):
                parts = [self.truth(item) for item in items]
                return _all(parts)
            case Either(items):
                return _inverse(_all([_inverse(self.truth(item)) for item in items]))
            case Not(item):
                return _inverse(self.truth(item))
            case Literal(constant) if type(constant) is bool:
                return _exact(str(constant), str(not constant))
            case Name(path, gaps) if not gaps:
                found = self.scalar(path)
                if found is not None:
                    return _exact(f"({found.code} is True)", f"({found.code} is False)")
            case Comparison(first, rest):
                return self._chain(first, rest)
            case Call("known", (Name(path, False),), ()):
                found = self.scalar(path)
                listed = self.series(path) if found is None else None
                if found is not None or listed is not None:
                    known = found.known if found is not None else f"({listed} is not None)"
                    return _exact(known, negated(known))
            case Call("decreasing" | "increasing", (Name(path, False),), ()):
                listed = self.series(path)
                if listed is not None:
                    ordered = "GE" if node.name == "decreasing" else "LE"
                    known = f"({listed} is not None and len({listed}) > 1)"
                    strict = ">" if ordered == "GE" else "<"
                    holds = (
                        f"({listed}[0] {strict} {listed}[-1] and all(map({ordered}, {listed}, {listed}[1:])))"
                    )
                    return _exact(both([known, holds]), both([known, negated(holds)]))
            case Call("close", (one, other), options):
                closeness = self._close(one, other, options)
                if closeness is not None:
                    return closeness
        return self.evaluated(node)

    def _chain(self, first: Node, rest: Sequence[tuple[str, Node]]) -> Proof:
        parts, left = [], first
        for operator, right in rest:
            parts.append(self._link(left, operator, right))
            left = right
        return _all(parts)

    def _link(self, left: Node, operator: str, right: Node) -> Proof:
        one, other = self.number(left), self.number(right)
        if one is not None and other is not None and operator in _INVERSE:
            return self._order(one, operator, other)
        if operator in ("==", "!="):
            same = self._words(left, right) or self._booleans(left, right)
            if same is not None:
                return same if operator == "==" else _inverse(same)
        if operator in ("in", "not in") and one is not None and isinstance(right, Name) and not right.gaps:
            listed = self.series(right.path)
            if listed is not None:
                known = both([one.known, f"({listed} is not None)"])
                inside = f"({one.code} in {listed})"
                found = _exact(both([known, inside]), both([known, negated(inside)]))
                return found if operator == "in" else _inverse(found)
        return self.evaluated(Comparison(left, ((operator, right),)))

    def _order(self, one: Number, operator: str, other: Number) -> Proof:
        known = both([one.known, other.known])
        if not (one.size or other.size):
            exact = all(
                n.constant is None or Decimal(repr(float(n.constant))) == n.constant for n in (one, other)
            )
            signs = [operator, _INVERSE[operator]]
            if not exact:
                # A constant with more digits than a float holds: what lies at its float is left open.
                strict = {"<=": "<", ">=": ">", "==": ""}
                signs = [strict.get(sign, sign) for sign in signs]
            true, false = (f"({one.code} {sign} {other.code})" if sign else FALSE for sign in signs)
            if exact:
                return _exact(both([known, true]), both([known, false]))
            return _guarded(known, true, false)
        gap = f"({one.code} - {other.code})"
        size = " + ".join(n.size or f"abs({n.code})" for n in (one, other))
        guard = f"{_GUARD} * ({size})"
        below, above = f"({gap} < -{guard})", f"({gap} > {guard})"
        apart = {
            "<": (below, above), "<=": (below, above), ">": (above, below), ">=": (above, below),
            "==": (FALSE, either([below, above])), "!=": (either([below, above]), FALSE),
        }[operator]  # fmt: skip
        return _guarded(known, *apart)

    def _close(self, one: Node, other: Node, options: Sequence[tuple[str, Node]]) -> Proof | None:
        tolerance: Any = Decimal("1e-9")
        for name, node in options:
            if name != "tolerance" or not isinstance(node, Literal) or not is_number(node.constant):
                return None
            tolerance = node.constant
        left, right = self.number(one), self.number(other)
        if left is None or right is None or tolerance < Decimal("1e-8"):
            return None
        known = both([left.known, right.known])
        size = " + ".join(n.size or f"abs({n.code})" for n in (left, right))
        gap = f"abs({left.code} - {right.code})"
        limit = repr(float(tolerance))
        return _guarded(
            known,
            f"({gap} < {limit} * 0.999999 - {_GUARD} * ({size}))",
            f"({gap} > {limit} * 1.000001 + {_GUARD} * ({size}))",
        )

    def _words(self, left: Node, right: Node) -> Proof | None:
        names = []
        for node in (left, right):
            if isinstance(node, Literal) and type(node.constant) is str:
                names.append((repr(node.constant), TRUE))
            elif isinstance(node, Name) and not node.gaps:
                found = self.scalar(node.path)
                if found is None or not found.kinds <= {"null", "string"}:
                    return None
                names.append((found.code, found.known))
            else:
                return None
        (one, first), (other, second) = names
        known = both([first, second])
        return _exact(both([known, f"({one} == {other})"]), both([known, f"({one} != {other})"]))

    def _booleans(self, left: Node, right: Node) -> Proof | None:
        if not (self._is_boolean(left) and self._is_boolean(right)):
            return None
        one, other = self.truth(left), self.truth(right)
        return Proof(
            either([both([one.true, other.true]), both([one.false, other.false])]),
            either([both([one.true, other.false]), both([one.false, other.true])]),
            either(
                [both([one.may_be_true, other.may_be_true]), both([one.may_be_false, other.may_be_false])]
            ),
            either(
                [both([one.may_be_true, other.may_be_false]), both([one.may_be_false, other.may_be_true])]
            ),
        )

    def _is_boolean(self, node: Node) -> bool:
        if isinstance(node, Name) and not node.gaps:
            found = self.scalar(node.path)
            return found is not None and found.kinds <= {"null", "boolean"}
        if isinstance(node, Literal):
            return type(node.constant) is bool
        return isinstance(node, (Comparison, Both, Either, Not))

    # --- numbers ------------------------------------------------------------------------------

    def number(self, node: Node) -> Number | None:
        """Return a numeric expression as code, or None where it has none."""
        match node:
            case Literal(constant) if is_number(constant):
                exact = constant if type(constant) is Decimal else Decimal(repr(constant))
                if abs(exact) > Decimal("1e300"):
                    return None
                whole = exact == exact.to_integral_value() and abs(exact) < 2**53
                code = repr(int(exact)) if whole else repr(float(exact))
                return Number(code, TRUE, constant=exact, whole=whole)
            case Name(path, False):
                found = self.scalar(path)
                if found is None:
                    return None
                whole = "number" not in found.kinds
                if found.kinds <= {"null", "integer", "number"}:
                    return Number(found.code, found.known, whole=whole)
                if {"integer", "number"} & found.kinds:
                    return Number(found.code, f"({found.code}.__class__ in NUMBERS)", whole=whole)
                return None
            case Call("min" | "max" | "last", (Name(path, False),), ()):
                listed = self.series(path)
                if listed is None:
                    return None
                name = node.name
                return Number(f"{listed}[-1]" if name == "last" else f"{name}({listed})", f"({listed})")
            case Call("lookup", (Name(keys, False), key, Name(values, False)), ()):
                sought, known, held = self.number(key), self.series(keys), self.series(values)
                if sought is None or sought.size or known is None or held is None:
                    return None
                there = f"({known} is not None and {held} is not None)"
                value = f"LOOKUP({known}, {sought.code}, {held})"
                return Number(value, both([sought.known, there, f"({value} is not None)"]))
            case Call("abs", (arg,), ()):
                inner = self.number(arg)
                if inner is None:
                    return None
                size = "" if inner.whole else inner.size or f"abs({inner.code})"
                return Number(f"abs({inner.code})", inner.known, size, whole=inner.whole)
            case Arithmetic(operator, left, right) if operator in "+-*":
                one, other = self.number(left), self.number(right)
                if one is None or other is None:
                    return None
                code, known = f"({one.code} {operator} {other.code})", both([one.known, other.known])
                if one.whole and other.whole:
                    return Number(code, known, whole=True)
                sizes = [n.size or f"abs({n.code})" for n in (one, other)]
                joined = " * " if operator == "*" else " + "
                size = joined.join(f"({size})" for size in sizes)
                return Number(code, known, size)
        return None

    # --- what has no short code ---------------------------------------------------------------

    def evaluated(self, node: Node) -> Proof:
        """Return the truth of an expression by evaluating it as the rules do, over the slots' values."""
        reads: dict[tuple[str, ...], _Reader] = {}
        for part in _walk(node):
            if isinstance(part, Name):
                if part.gaps:
                    raise Unprovable(part.path)
                reads[part.path] = self._reader(part.path).slim()
        variables = list(dict.fromkeys(name for reader in reads.values() for name in reader.variables))
        where = {
            path: (reader, [variables.index(n) for n in reader.variables]) for path, reader in reads.items()
        }

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

        name = self._constants.name(evaluate, "E")
        call = f"{name}({', '.join(variables)})"
        # What is missing makes nearly everything unknown: that is seen without a call.
        there = TRUE
        if not any(isinstance(part, (Both, Either, Not)) or _takes_unknown(part) for part in _walk(node)):
            scalars = [self.scalar(path) for path in reads]
            there = both([scalar.known for scalar in scalars if scalar is not None])
        return _exact(both([there, f"({call} is True)"]), both([there, f"({call} is False)"]))

    def _reader(self, name: tuple[str, ...]) -> _Reader:
        """Return what reads a name's value as a record would."""
        parts: list[tuple[str, Any]] = []
        for path in self.places(name):
            slot = self.slot(path)
            through = next(
                (
                    (end, found)
                    for end in range(1, len(path))
                    if (found := self.slot(path[:end])) is not None and found.item is not None
                ),
                None,
            )
            if through is not None:
                end, found = through
                if len(path) - end != 1 or found.item is None:
                    raise Unprovable(name)
                inner = found.item.object.get(path[end]) if found.item.object is not None else None
                if inner is not None and {"object", "array"} & inner.kinds:
                    raise Unprovable(name)
                parts.append((found.name, _Pluck(inner.name if inner is not None else None)))
            elif slot is None:
                parts.append(("None", _as_it_is))
            elif slot.object is not None:
                raise Unprovable(name)
            else:
                parts.append((slot.name, _as_it_is))
        return _Reader(tuple(name for name, _ in parts), tuple(read for _, read in parts))


class _Reader(NamedTuple):
    """Reads a name from the variables of its places: the first that is known and no empty series."""

    variables: tuple[str, ...]
    reads: tuple[Callable[[Any], Value], ...]

    def slim(self) -> _Reader:
        """Return a reader without the places where no line has anything."""
        pairs = [pair for pair in zip(*self, strict=True) if pair[1] != _Pluck(None)]
        return _Reader(*zip(*pairs, strict=True)) if pairs else self

    def read(self, args: Sequence[Any]) -> Value:
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


def _all(parts: Sequence[Proof]) -> Proof:
    return Proof(
        both(part.true for part in parts),
        either(part.false for part in parts),
        both(part.may_be_true for part in parts),
        either(part.may_be_false for part in parts),
    )


def _inverse(part: Proof) -> Proof:
    return Proof(part.false, part.true, part.may_be_false, part.may_be_true)


def _guarded(known: str, true: str, false: str) -> Proof:
    """Return a proof that leaves open what lies between true and false."""
    return Proof(
        both([known, true]), both([known, false]), both([known, negated(false)]), both([known, negated(true)])
    )


def _takes_unknown(node: Node) -> bool:
    return isinstance(node, Call) and FUNCTIONS[node.name].takes_unknown


def _numbers_of(reader: _Reader) -> Callable[[list[Any]], list[Any] | None]:
    """Return what reads a series of numbers from its list; ValueError where it holds anything else."""
    plucks = [read.member for read in reader.reads if isinstance(read, _Pluck)]
    quick = None
    if plucks and plucks[0] is not None and isinstance(reader.reads[0], _Pluck):
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


NUMBERS = frozenset({int, float})


def lookup(keys: Sequence[Any], key: Any, values: Sequence[Any]) -> Any:
    """Return the last value whose key is the one that is sought; None where there is none."""
    if len(keys) != len(values):
        return None
    found = [value for known, value in zip(keys, values, strict=True) if known == key]
    return found[-1] if found else None


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


def _as_it_is(value: Any) -> Value:
    return UNKNOWN if value is None or value is UNSET else value


class _Pluck(NamedTuple):
    """Reads one member of every item of a list, as records do; the member's slot, or None for no slot."""

    member: str | None

    def __call__(self, value: Any) -> Value:
        if type(value) is not list or not value:
            return UNKNOWN
        plucked = []
        for item in value:
            found = getattr(item, self.member, None) if self.member is not None else None
            if found is None or found is UNSET:
                return UNKNOWN
            plucked.append(found)
        return plucked


def _walk(node: Node) -> Sequence[Node]:
    found, pending = [], [node]
    while pending:
        part = pending.pop()
        found.append(part)
        pending.extend(part.children())
    return found


__all__ = ["Lookup", "Number", "Proof", "Terms", "Unprovable"]
