"""The rule language: parse once; evaluate to a value or to unknown; explain with the values.

A subset of Python's expressions over one run. Three-valued: a missing or null value, a wrong type and
arithmetic that has no result are `UNKNOWN`, and `and`, `or` and `not` follow Kleene's strong logic.
Evaluation never raises and never loops. Numbers are compared as they are written: arithmetic is done
in decimals, so that `0.60 >= 0.55 + 0.05` holds.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException
from typing import Any, Final

MAX_LENGTH = 1000
MAX_DEPTH = 32

_CONTEXT = Context(prec=34)


class Unknown:
    """The third truth value."""

    def __repr__(self) -> str:
        """Return `unknown`."""
        return "unknown"

    def __bool__(self) -> bool:
        """Return False: what is unknown never passes."""
        return False


UNKNOWN: Final = Unknown()

Value = Any
"""bool, int, float, Decimal, str, list, dict or UNKNOWN; never None."""

Lookup = Callable[[tuple[str, ...]], Value]
"""Dotted path -> its value, or UNKNOWN where it is missing or null."""


class ExpressionError(ValueError):
    """The text is not an expression of the rule language.

    Attributes:
        column: Where in the text, from 1.
        hint: The remedy.
    """

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        """Keep the place and the remedy beside the message."""
        super().__init__(message)
        self.column = column
        self.hint = hint


# --- values -----------------------------------------------------------------------------------


def is_number(value: Value) -> bool:
    """Return whether a value counts as a number: never a bool, never NaN or infinite."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is Decimal:
        return bool(value.is_finite())
    return kind is int


def decimal(value: Value) -> Decimal:
    """Return a number as the decimal that a person would write it as."""
    if type(value) is float:
        return Decimal(repr(value))
    return value if type(value) is Decimal else Decimal(value)


def _order(one: Value, other: Value) -> int | Unknown:
    """Return -1, 0 or 1, or UNKNOWN where the two cannot be ordered."""
    if is_number(one) and is_number(other):
        if type(one) is Decimal or type(other) is Decimal:
            one, other = decimal(one), decimal(other)
        return int(one > other) - int(one < other)
    if type(one) is str and type(other) is str:
        return int(one > other) - int(one < other)
    return UNKNOWN


def _equal(one: Value, other: Value) -> bool | Unknown:
    if type(one) is bool and type(other) is bool:
        return bool(one == other)
    order = _order(one, other)
    return UNKNOWN if isinstance(order, Unknown) else order == 0


def _contained(one: Value, other: Value) -> bool | Unknown:
    if type(one) is str and type(other) is str:
        return one in other
    if type(other) is not list or one is UNKNOWN:
        return UNKNOWN
    results = [_equal(one, item) for item in other]
    if any(result is True for result in results):
        return True
    return False if all(result is False for result in results) else UNKNOWN


def _negated(value: bool | Unknown) -> bool | Unknown:
    return UNKNOWN if isinstance(value, Unknown) else not value


def _test(operator: str, one: Value, other: Value) -> bool | Unknown:
    if operator == "in":
        return _contained(one, other)
    if operator == "not in":
        return _negated(_contained(one, other))
    if operator == "==":
        return _equal(one, other)
    if operator == "!=":
        return _negated(_equal(one, other))
    order = _order(one, other)
    if isinstance(order, Unknown):
        return UNKNOWN
    if operator == "<":
        return order < 0
    if operator == "<=":
        return order <= 0
    if operator == ">":
        return order > 0
    return order >= 0


# --- functions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the closed table.

    Attributes:
        call: Positional values and keyword values -> value. Unknown arguments are handed over only
            where `takes_unknown`.
        least: How many positional arguments it needs.
        most: How many it takes.
        options: Names of its keyword arguments.
        usage: How it is written.
        summary: What it gives, in one sentence.
        takes_unknown: Whether it is called although an argument is unknown.
    """

    call: Callable[[Sequence[Value], Mapping[str, Value]], Value]
    least: int
    most: int
    options: tuple[str, ...]
    usage: str
    summary: str
    takes_unknown: bool = False


def _numbers(value: Value) -> list[Decimal] | None:
    if type(value) is not list or not value or not all(is_number(item) for item in value):
        return None
    return [decimal(item) for item in value]


def _abs(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return decimal(args[0]).copy_abs() if is_number(args[0]) else UNKNOWN


def _extreme(pick: Callable[[list[Decimal]], Decimal]) -> Callable[..., Value]:
    def call(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
        values = _numbers(args[0] if len(args) == 1 else list(args))
        return UNKNOWN if values is None else pick(values)

    return call


def _len(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return len(args[0]) if type(args[0]) in (str, list, dict) else UNKNOWN


def _close(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    tolerance = options.get("tolerance", Decimal("1e-9"))
    if not (is_number(args[0]) and is_number(args[1]) and is_number(tolerance)):
        return UNKNOWN
    return _CONTEXT.subtract(decimal(args[0]), decimal(args[1])).copy_abs() <= decimal(tolerance)


def _known(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return args[0] is not UNKNOWN


def _first_known(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return next((arg for arg in args if arg is not UNKNOWN), UNKNOWN)


def _achieved(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    value = args[0]
    if type(value) is bool:
        return value
    if type(value) is str:
        return value.strip().lower() == "achieved"
    return decimal(value) >= 1 if is_number(value) else UNKNOWN


def _steps(args: Sequence[Value], options: Mapping[str, Value], sign: int) -> Value:
    values = _numbers(args[0])
    tolerance = options.get("tolerance", 0)
    if values is None or len(values) < 2 or not is_number(tolerance):
        return UNKNOWN
    allowed = decimal(tolerance)
    steps = [_CONTEXT.multiply(sign, _CONTEXT.subtract(b, a)) for a, b in itertools.pairwise(values)]
    return (
        all(step <= allowed for step in steps)
        and _CONTEXT.multiply(sign, _CONTEXT.subtract(values[-1], values[0])) < 0
    )


def _decreasing(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    return _steps(args, options, 1)


def _increasing(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    return _steps(args, options, -1)


def _stable(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    if type(args[0]) is str:
        return args[0].strip().lower() == "stable"
    values = _numbers(args[0])
    tolerance = options.get("tolerance", Decimal("0.1"))
    if values is None or len(values) < 2 or not is_number(tolerance):
        return UNKNOWN
    spread = _CONTEXT.subtract(max(values), min(values))
    return spread <= _CONTEXT.multiply(decimal(tolerance), max(v.copy_abs() for v in values))


def _lookup(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    keys, key, values = args
    if type(keys) is not list or type(values) is not list or len(keys) != len(values):
        return UNKNOWN
    found = [v for k, v in zip(keys, values, strict=True) if _equal(k, key) is True]
    return found[-1] if found else UNKNOWN


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": Function(_abs, 1, 1, (), "abs(x)", "the absolute value of a number"),
    "min": Function(_extreme(min), 1, 16, (), "min(series) or min(x, y, ...)", "the smallest number"),
    "max": Function(_extreme(max), 1, 16, (), "max(series) or max(x, y, ...)", "the largest number"),
    "len": Function(_len, 1, 1, (), "len(x)", "how many items, members or characters x has"),
    "close": Function(
        _close, 2, 2, ("tolerance",), "close(x, y, tolerance=1e-9)",
        "whether two numbers differ by at most the tolerance",
    ),
    "known": Function(
        _known, 1, 1, (), "known(x)", "whether x is there and not null; never unknown", True
    ),
    "first": Function(_first_known, 1, 16, (), "first(x, y, ...)", "the first that is known", True),
    "achieved": Function(
        _achieved, 1, 1, (), "achieved(x)",
        'whether x is true, "achieved", or a measure of at least 1',
    ),
    "decreasing": Function(
        _decreasing, 1, 1, ("tolerance",), "decreasing(series, tolerance=0)",
        "whether no step rises by more than the tolerance and the last value is below the first",
    ),
    "increasing": Function(
        _increasing, 1, 1, ("tolerance",), "increasing(series, tolerance=0)",
        "whether no step falls by more than the tolerance and the last value is above the first",
    ),
    "stable": Function(
        _stable, 1, 1, ("tolerance",), "stable(series, tolerance=0.1)",
        'whether a series spreads by at most this share of its largest size, or x is "stable"',
    ),
    "lookup": Function(
        _lookup, 3, 3, (), "lookup(keys, key, values)",
        "the value that stands in one series where the key stands in the other",
    ),
}  # fmt: skip


STATES: Final = frozenset({"achieved", "decreasing", "increasing", "stable"})
"""Functions of one value that a test may name alone."""


# --- nodes ------------------------------------------------------------------------------------


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
    """A dotted path of the run, or of a reference."""

    path: tuple[str, ...]

    def value(self, lookup: Lookup) -> Value:
        """Return what stands there."""
        return lookup(self.path)


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
                result = _CONTEXT.add(one, other)
            elif self.operator == "-":
                result = _CONTEXT.subtract(one, other)
            elif self.operator == "*":
                result = _CONTEXT.multiply(one, other)
            else:
                result = _CONTEXT.divide(one, other)
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
            holds = _test(operator, left, right)
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
            gap = _CONTEXT.subtract(decimal(right), decimal(left))
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

    def children(self) -> Sequence[Node]:
        """Return the arguments."""
        return (*self.args, *(node for _, node in self.options))


# --- parser -----------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""[ \t\n]*(?:
    (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(?![\w.])
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<string>"[^"\\\n]*"|'[^'\\\n]*')
    |(?P<operator><=|>=|==|!=|[-+*/<>()\[\],.=])
    |(?P<end>$)
    )""",
    re.VERBOSE,
)
_COMPARE = {"<", "<=", ">", ">=", "==", "!="}
_WORDS = {"and", "or", "not", "in", "true", "false", "True", "False", "if", "else", "is", "lambda"}


def parse(text: str, bare: Mapping[str, tuple[str, ...]] | None = None) -> Node:
    """Parse one expression; ExpressionError says where it goes wrong and what would be right.

    Args:
        text: The expression.
        bare: Names that stand for a longer path where they stand alone (`best_baseline` for
            `best_baseline.accuracy`).
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression is longer than {MAX_LENGTH} characters", 1)
    return _Parser(text, bare or {}).whole()


_TEST = re.compile(r"\s*(<=|>=|==|!=|<|>)(.*)", re.DOTALL)
_RANGE = re.compile(r"(.*?\S)\s+\.\.\s+(\S.*)", re.DOTALL)


def parse_test(text: str, own: tuple[str, ...], bare: Mapping[str, tuple[str, ...]]) -> Node:
    """Parse a test of one name: `> 0.55`, `0.2 .. 0.4`, `achieved`; or a whole expression."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression is longer than {MAX_LENGTH} characters", 1)
    subject = Name(own)
    found = _TEST.fullmatch(text)
    if found:
        operator, rest = found.groups()
        return Comparison(subject, ((operator, _shifted(rest, bare, found.start(2))),))
    between = _RANGE.fullmatch(text)
    # Two dots inside quotes are text.
    if between and all(between[1].count(quote) % 2 == 0 for quote in "\"'"):
        low = _shifted(between[1], bare, 0)
        high = _shifted(between[2], bare, between.start(2))
        if isinstance(low, Literal) and isinstance(high, Literal):
            order = _order(low.constant, high.constant)
            if order == 1:
                raise ExpressionError("the range is empty", 1, f"write {between[2]} .. {between[1]}")
        return Comparison(low, (("<=", subject), ("<=", high)))
    word = text.strip()
    if word in STATES:
        return Call(word, (subject,), ())
    return parse(text, bare)


def _shifted(text: str, bare: Mapping[str, tuple[str, ...]], offset: int) -> Node:
    try:
        node = parse(text, bare)
    except ExpressionError as error:
        raise ExpressionError(str(error), error.column + offset, error.hint) from None
    if isinstance(node, (Comparison, Both, Either, Not)):
        raise ExpressionError("a test has one threshold", offset + 1, "use assert for more")
    return node


class _Parser:
    def __init__(self, text: str, bare: Mapping[str, tuple[str, ...]]) -> None:
        self.text = text
        self.bare = bare
        self.tokens = list(self._tokens())
        self.at = 0
        self.depth = 0

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        at = 0
        while True:
            found = _TOKEN.match(self.text, at)
            if found is None:
                rest = self.text[at:].lstrip(" \t\n")
                column = len(self.text) - len(rest) + 1
                hint = {"&": "write and", "|": "write or", "!": "write not"}.get(rest[0], "")
                if ".." in self.text:
                    hint = "write a range with spaces: 0.2 .. 0.4"
                raise ExpressionError(f"{rest[0]!r} has no meaning here", column, hint)
            kind = found.lastgroup or "end"
            yield kind, found[kind], found.start(kind) + 1
            if kind == "end":
                return
            at = found.end()

    def peek(self) -> str:
        kind, text, _ = self.tokens[self.at]
        return text if kind in ("operator", "name") else ""

    def take(self) -> tuple[str, str, int]:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        kind, found, column = self.take()
        if kind != "operator" or found != text:
            raise ExpressionError(f"{text!r} expected, {self.show(kind, found)} found", column)

    @staticmethod
    def show(kind: str, text: str) -> str:
        return "the end" if kind == "end" else repr(text)

    def whole(self) -> Node:
        node = self.either()
        kind, text, column = self.take()
        if kind != "end":
            hint = "compare with ==" if text == "=" else ""
            raise ExpressionError(f"{text!r} is not expected here", column, hint)
        return node

    def either(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", self.tokens[self.at][2])
        items = [self.both()]
        while self.peek() == "or":
            self.take()
            items.append(self.both())
        self.depth -= 1
        return items[0] if len(items) == 1 else Either(tuple(items))

    def both(self) -> Node:
        items = [self.negation()]
        while self.peek() == "and":
            self.take()
            items.append(self.negation())
        return items[0] if len(items) == 1 else Both(tuple(items))

    def negation(self) -> Node:
        count = 0
        while self.peek() == "not":
            self.take()
            count += 1
        node = self.comparison()
        # not not x is x for truth values, and unknown for all else: keep at most two.
        for _ in range(count if count < 3 else 2 - count % 2):
            node = Not(node)
        return node

    def comparison(self) -> Node:
        first = self.sum()
        rest: list[tuple[str, Node]] = []
        while True:
            word = self.peek()
            if word == "not" and self.tokens[self.at + 1][1] == "in":
                self.take()
                self.take()
                rest.append(("not in", self.sum()))
            elif word == "in" or word in _COMPARE:
                self.take()
                rest.append((word, self.sum()))
            else:
                return Comparison(first, tuple(rest)) if rest else first

    def sum(self) -> Node:
        node = self.product()
        while self.peek() in ("+", "-"):
            operator = self.take()[1]
            node = Arithmetic(operator, node, self.product())
        return node

    def product(self) -> Node:
        node = self.signed()
        while self.peek() in ("*", "/"):
            operator = self.take()[1]
            if self.peek() in ("*", "/"):
                hint = "powers and whole division are not part of the rule language"
                raise ExpressionError(f"{operator * 2!r} has no meaning here", self.tokens[self.at][2], hint)
            node = Arithmetic(operator, node, self.signed())
        return node

    def signed(self) -> Node:
        negative = False
        while self.peek() in ("-", "+"):
            negative ^= self.take()[1] == "-"
        node = self.atom()
        if not negative:
            return node
        if isinstance(node, Literal) and is_number(node.constant):
            # Not -x: that rounds a decimal to the ambient precision.
            return Literal(decimal(node.constant).copy_negate(), f"-{node.text}")
        return Arithmetic("-", Literal(0, "0"), node)

    def atom(self) -> Node:
        kind, text, column = self.take()
        if kind == "number":
            return Literal(Decimal(text) if any(c in text for c in ".eE") else int(text), text)
        if kind == "string":
            return Literal(text[1:-1], text)
        if kind == "operator" and text == "(":
            node = self.either()
            self.expect(")")
            return node
        if kind == "operator" and text == "[":
            return Items(tuple(self.listed("]")))
        if kind == "name" and text.lower() in ("true", "false"):
            return Literal(text.lower() == "true", text.lower())
        if kind == "name" and text.lower() in ("null", "none"):
            raise ExpressionError(
                f"{text!r} cannot be compared with", column, "write known(x) or not known(x)"
            )
        if kind == "name" and text not in _WORDS:
            return self.call(text, column) if self.peek() == "(" else self.path(text)
        raise ExpressionError(f"a value is expected, {self.show(kind, text)} found", column)

    def listed(self, end: str) -> Iterator[Node]:
        while self.peek() != end:
            yield self.either()
            if self.peek() != ",":
                break
            self.take()
        self.expect(end)

    def path(self, first: str) -> Node:
        members = [first]
        while self.peek() in (".", "["):
            bracket = self.take()[1] == "["
            kind, text, column = self.take()
            if kind != ("string" if bracket else "name"):
                what = "a quoted member name" if bracket else "a member name"
                hint = 'write ["name"]' if bracket else 'write x["name"] where the name is not a word'
                raise ExpressionError(f"{what} is expected, {self.show(kind, text)} found", column, hint)
            members.append(text[1:-1] if bracket else text)
            if bracket:
                self.expect("]")
        path = tuple(members)
        return Name(self.bare.get(first, path) if len(path) == 1 else path)

    def call(self, name: str, column: int) -> Node:
        function = FUNCTIONS.get(name)
        if function is None:
            known = ", ".join(FUNCTIONS)
            raise ExpressionError(f"unknown function {name!r}", column, f"the functions are {known}")
        self.expect("(")
        args: list[Node] = []
        options: dict[str, Node] = {}
        while self.peek() != ")":
            kind, text, where = self.tokens[self.at]
            if kind == "name" and self.tokens[self.at + 1][1] == "=":
                if text not in function.options or text in options:
                    raise ExpressionError(f"{name} has no option {text!r}", where, f"write {function.usage}")
                self.at += 2
                options[text] = self.either()
            else:
                args.append(self.either())
            if self.peek() != ",":
                break
            self.take()
        self.expect(")")
        if not function.least <= len(args) <= function.most:
            fact = f"{name} does not take {len(args)} values"
            raise ExpressionError(fact, column, f"write {function.usage}")
        return Call(name, tuple(args), tuple(options.items()))
