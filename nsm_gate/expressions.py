"""The rule language's expressions: evaluated over one run to a value or to unknown.

A subset of Python's expressions. `and`, `or` and `not` follow Kleene's strong logic (false and unknown is
false). Evaluation never raises and never loops. `nsm_gate.parser` makes expressions from text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, DecimalException

from nsm_gate.functions import FUNCTIONS
from nsm_gate.nouns import Protocol, dataclass
from nsm_gate.values import CONTEXT, UNKNOWN, Unknown, Value, decimal, is_number, test


class Lookup(Protocol):
    """Finds what a name of an expression stands for in one run."""

    def __call__(self, path: tuple[str, ...], gaps: bool = False, /) -> Value:
        """Return the value at a path, or UNKNOWN where it is missing or null.

        Args:
            path: Dotted member names.
            gaps: Whether a series of which a value is missing is handed over with its gaps, rather than
                as UNKNOWN: None where an item holds null, UNKNOWN where it lacks the member.
        """


class Node:
    """A part of a parsed expression."""

    __slots__ = ()

    def value(self, lookup: Lookup) -> Value:
        """Return the value over one run, or UNKNOWN."""
        raise NotImplementedError

    def margin(self, lookup: Lookup) -> Decimal | None:
        """Return the signed distance to the nearest threshold; negative is missed."""
        return None

    def children(self) -> Sequence[Node]:
        """Return the parts, in order."""
        return ()

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Yield every path that is read, in order, each once."""
        seen: set[tuple[str, ...]] = set()
        pending: list[Node] = [self]
        while pending:
            node = pending.pop()
            if isinstance(node, Name) and node.path not in seen:
                seen.add(node.path)
                yield node.path
            pending.extend(reversed(node.children()))


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, string, true or false."""

    constant: Value
    text: str

    def value(self, lookup: Lookup) -> Value:
        """Return the constant."""
        return self.constant


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A dotted path of the run, or of a reference.

    Attributes:
        gaps: Whether a series comes with its gaps.
    """

    path: tuple[str, ...]
    gaps: bool = False

    def value(self, lookup: Lookup) -> Value:
        """Return what stands there."""
        return lookup(self.path, True) if self.gaps else lookup(self.path)


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A list that the rule spells out."""

    items: tuple[Node, ...]

    def value(self, lookup: Lookup) -> Value:
        """Return the values, or UNKNOWN where one of them is."""
        values = [item.value(lookup) for item in self.items]
        return UNKNOWN if UNKNOWN in values else values

    def children(self) -> Sequence[Node]:
        """Return the items."""
        return self.items


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`+ - * /` of two numbers."""

    operator: str
    left: Node
    right: Node

    def value(self, lookup: Lookup) -> Value:
        """Return the result as a decimal."""
        left, right = self.left.value(lookup), self.right.value(lookup)
        if not (is_number(left) and is_number(right)):
            return UNKNOWN
        one, other = decimal(left), decimal(right)
        try:
            if self.operator == "+":
                result = CONTEXT.add(one, other)
            elif self.operator == "-":
                result = CONTEXT.subtract(one, other)
            elif self.operator == "*":
                result = CONTEXT.multiply(one, other)
            else:
                result = CONTEXT.divide(one, other)
        except DecimalException:
            return UNKNOWN
        return result

    def children(self) -> Sequence[Node]:
        """Return both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """A chain such as `0.2 <= accuracy < 0.4`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]

    def value(self, lookup: Lookup) -> Value:
        """Return whether every link holds."""
        left = self.first.value(lookup)
        result: bool | Unknown = True
        for operator, node in self.rest:
            right = node.value(lookup)
            holds = test(operator, left, right)
            if holds is False:
                return False
            if holds is UNKNOWN:
                result = UNKNOWN
            left = right
        return result

    def margin(self, lookup: Lookup) -> Decimal | None:
        """Return the least distance over the links."""
        margins: list[Decimal] = []
        left = self.first.value(lookup)
        for operator, node in self.rest:
            right = node.value(lookup)
            if operator not in ("<", "<=", ">", ">=") or not (is_number(left) and is_number(right)):
                return None
            gap = CONTEXT.subtract(decimal(right), decimal(left))
            margins.append(gap if operator[0] == "<" else gap.copy_negate())
            left = right
        return min(margins)

    def children(self) -> Sequence[Node]:
        """Return the compared parts."""
        return (self.first, *(node for _, node in self.rest))


@dataclass(frozen=True, slots=True)
class Both(Node):
    """`and`: false wins over unknown."""

    items: tuple[Node, ...]

    def value(self, lookup: Lookup) -> Value:
        """Return Kleene's conjunction."""
        result: bool | Unknown = True
        for item in self.items:
            value = item.value(lookup)
            if value is False:
                return False
            if value is not True:
                result = UNKNOWN
        return result

    def margin(self, lookup: Lookup) -> Decimal | None:
        """Return the least margin of the parts."""
        margins = [item.margin(lookup) for item in self.items]
        known = [margin for margin in margins if margin is not None]
        return min(known) if len(known) == len(margins) else None

    def children(self) -> Sequence[Node]:
        """Return the parts."""
        return self.items


@dataclass(frozen=True, slots=True)
class Either(Node):
    """`or`: true wins over unknown."""

    items: tuple[Node, ...]

    def value(self, lookup: Lookup) -> Value:
        """Return Kleene's disjunction."""
        result: bool | Unknown = False
        for item in self.items:
            value = item.value(lookup)
            if value is True:
                return True
            if value is not False:
                result = UNKNOWN
        return result

    def margin(self, lookup: Lookup) -> Decimal | None:
        """Return the greatest margin of the parts."""
        margins = [item.margin(lookup) for item in self.items]
        known = [margin for margin in margins if margin is not None]
        return max(known) if len(known) == len(margins) else None

    def children(self) -> Sequence[Node]:
        """Return the parts."""
        return self.items


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`not`: unknown stays unknown."""

    item: Node

    def value(self, lookup: Lookup) -> Value:
        """Return the negation."""
        value = self.item.value(lookup)
        return not value if type(value) is bool else UNKNOWN

    def children(self) -> Sequence[Node]:
        """Return the part."""
        return (self.item,)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of the closed table."""

    name: str
    args: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...]

    def value(self, lookup: Lookup) -> Value:
        """Return the function's value; UNKNOWN where an argument is."""
        function = FUNCTIONS[self.name]
        args = [arg.value(lookup) for arg in self.args]
        options = {name: node.value(lookup) for name, node in self.options}
        if UNKNOWN in options.values() or (not function.takes_unknown and UNKNOWN in args):
            return UNKNOWN
        try:
            return function.call(args, options)
        except DecimalException:
            return UNKNOWN

    def why(self, lookup: Lookup) -> str:
        """Say what in the values decided, where the function can tell; else nothing. It has a value there."""
        tells = FUNCTIONS[self.name].why
        if tells is None:
            return ""
        args = [arg.value(lookup) for arg in self.args]
        return tells(args, {name: node.value(lookup) for name, node in self.options})

    def children(self) -> Sequence[Node]:
        """Return the arguments."""
        return (*self.args, *(node for _, node in self.options))
