"""Whether an expression can be true, or false, given what its names may stand for.

What cannot be told counts as possible: `assume` returns None only where no run can make it so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException

from nsm_gate.expressions import (
    Arithmetic,
    Both,
    Call,
    Comparison,
    Either,
    Items,
    Literal,
    Name,
    Node,
    Not,
)
from nsm_gate.lint.ranges import ANYTHING, INFINITY, TRUTH, Range, Values, hull, lone
from nsm_gate.nouns import dataclass, field, replace
from nsm_gate.values import CONTEXT

_DEEPEST = 3
_OPPOSITE = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a run: what its names may stand for, and what expressions came out.

    Attributes:
        of: Path -> what it may stand for, where nothing was assumed yet.
        depth: How many comparisons of truth values this is inside of.
    """

    of: Callable[[tuple[str, ...]], Values]
    names: Mapping[tuple[str, ...], Values] = field(default_factory=dict)
    facts: Mapping[Node, bool] = field(default_factory=dict)
    depth: int = 0

    def look(self, path: tuple[str, ...]) -> Values:
        """Return what a name may stand for."""
        return self.names[path] if path in self.names else self.of(path)

    def narrowed(self, node: Node, values: Values) -> State | None:
        """Return the state with a node's values cut down; None where nothing is left of them."""
        if not (values.known or values.missing):
            return None
        return replace(self, names={**self.names, node.path: values}) if isinstance(node, Name) else self


def assume(node: Node, truth: bool, state: State) -> State | None:
    """Return what is known where an expression comes out so; None where it cannot."""
    if node in state.facts:
        return state if state.facts[node] is truth else None
    found = _assumed(node, truth, state)
    return None if found is None else replace(found, facts={**found.facts, node: truth})


def can(node: Node, truth: bool, state: State) -> bool:
    """Return whether an expression can come out so."""
    return assume(node, truth, state) is not None


def _assumed(node: Node, truth: bool, state: State) -> State | None:
    if isinstance(node, Not):
        return assume(node.item, not truth, state)
    if isinstance(node, (Both, Either)):
        parts = [(item, truth) for item in node.items]
        return _every(parts, state) if isinstance(node, Both) is truth else _some(parts, state)
    if isinstance(node, Comparison):
        lefts = [node.first, *(right for _, right in node.rest)]
        if len(node.rest) == 1:
            operator, right = node.rest[0]
            return _link(node.first, operator if truth else _OPPOSITE[operator], right, state)
        links: list[tuple[Node, bool]] = [
            (Comparison(left, (link,)), truth) for left, link in zip(lefts, node.rest, strict=False)
        ]
        return _every(links, state) if truth else _some(links, state)
    if isinstance(node, Call) and node.name == "known":
        argument = node.args[0]
        values = value(argument, state)
        if truth:
            return state.narrowed(argument, replace(values, missing=False))
        return state.narrowed(argument, Values(missing=True)) if values.missing else None
    values = value(node, state)
    return state.narrowed(node, Values(flags=frozenset((truth,)))) if truth in values.flags else None


def _every(parts: list[tuple[Node, bool]], state: State) -> State | None:
    found: State | None = state
    for part, truth in parts:
        found = assume(part, truth, found) if found is not None else None
    return found


def _some(parts: list[tuple[Node, bool]], state: State) -> State | None:
    """Return what is known where one of several comes out so; which one is not known."""
    ways = [way for part, truth in parts if (way := assume(part, truth, state)) is not None]
    return ways[0] if len(ways) == 1 else state if ways else None


def _link(left: Node, operator: str, right: Node, state: State) -> State | None:
    one, other = value(left, state), value(right, state)
    if operator in ("in", "not in"):
        return _membership(left, one, operator == "in", right, other, state)
    found = state.narrowed(left, _against(one, operator, other))
    if found is None:
        return None
    return found.narrowed(right, _against(other, _MIRRORED[operator], one))


def _membership(
    left: Node, one: Values, inside: bool, right: Node, other: Values, state: State
) -> State | None:
    if not isinstance(right, Items):
        texts = one.texts != frozenset() and other.texts != frozenset()
        listed = other.items is not None and (not inside or _against(one, "==", other.items).known)
        return state if (texts or listed) and one.known else None
    found = one if not inside else Values()
    for item in right.items:
        option = value(item, state)
        found = found.join(_against(one, "==", option)) if inside else _against(found, "!=", option)
    return state.narrowed(left, found)


def _against(one: Values, operator: str, other: Values) -> Values:
    """Return those of one set's values that compare so with some value of the other."""
    alike = one.alike(other)
    if operator == "==":
        return alike.meet(replace(other, missing=False))
    if operator == "!=":
        return alike.without(other)
    bound = _bound(operator, other.numbers) if other.numbers else None
    texts = alike.texts
    if texts is not None and other.texts is not None:
        texts = frozenset(text for text in texts if any(_ordered(text, operator, o) for o in other.texts))
    found = Values(texts=texts)
    return found if bound is None else found.join(alike.meet(Values(numbers=(bound,))))


def _bound(operator: str, numbers: tuple[Range, ...]) -> Range:
    whole = hull(numbers)
    if operator[0] == "<":
        return Range(high=whole.high, high_in=whole.high_in and operator == "<=")
    return Range(low=whole.low, low_in=whole.low_in and operator == ">=")


def _ordered(one: str, operator: str, other: str) -> bool:
    smaller = one < other if operator[0] == "<" else one > other
    return smaller or (one == other and operator.endswith("="))


# --- what an expression may stand for -------------------------------------------------------------


def value(node: Node, state: State) -> Values:
    """Return what an expression may come out as."""
    if isinstance(node, Literal):
        return lone(node.constant)
    if isinstance(node, Name):
        return state.look(node.path)
    if isinstance(node, Items):
        items = Values()
        for item in node.items:
            items = items.join(value(item, state))
        return Values(items=items)
    if isinstance(node, Arithmetic):
        sides = [_span(value(side, state)) for side in (node.left, node.right)]
        if sides[0] is None or sides[1] is None:
            return Values(missing=True)
        return Values(numbers=(_result(node.operator, sides[0], sides[1]),), missing=True)
    if isinstance(node, Call):
        return replace(_called(node, state), missing=True)
    if state.depth > _DEEPEST:  # each level asks the one below it twice
        return replace(TRUTH, missing=True)
    inside = replace(state, depth=state.depth + 1)
    flags = frozenset(truth for truth in (True, False) if can(node, truth, inside))
    return Values(flags=flags, missing=True)


def _span(values: Values) -> Range | None:
    return hull(values.numbers) if values.numbers else None


def _result(operator: str, one: Range, other: Range) -> Range:
    """Return the range of a sum, difference, product or quotient."""
    try:
        if operator in "+-":
            if operator == "-":
                other = Range(-other.high, -other.low, other.high_in, other.low_in)
            low, high = CONTEXT.add(one.low, other.low), CONTEXT.add(one.high, other.high)
            return Range(low, high, one.low_in and other.low_in, one.high_in and other.high_in)
        if operator == "/" and other.low <= 0 <= other.high:
            return Range()
        join = CONTEXT.multiply if operator == "*" else CONTEXT.divide
        ends = [join(a, b) for a in (one.low, one.high) for b in (other.low, other.high)]
    except DecimalException:  # infinity times nothing, and the like
        return Range()
    return Range(min(ends), max(ends))


def _called(node: Call, state: State) -> Values:
    args = [value(arg, state) for arg in node.args]
    first = args[0]
    if node.name == "first":
        return _union(args)
    if node.name == "lookup":
        return args[2].items or Values()
    if node.name == "last":
        return Values(numbers=first.items.numbers) if first.items is not None else Values()
    if node.name == "len":
        countable = first.texts != frozenset() or first.items is not None or first.objects
        return Values(numbers=(Range(low=Decimal(0), whole=True),)) if countable else Values()
    if node.name in ("abs", "min", "max", "mean", "change", "standard_error", "relative_change"):
        return _measured(node.name, args)
    if node.name == "known":
        sure = frozenset((True,)) if first.known else frozenset[bool]()
        return Values(flags=sure | (frozenset((False,)) if first.missing else frozenset()))
    if node.name == "achieved":
        return Values(flags=_achieved(first))
    if node.name in ("decreasing", "increasing", "converged", "stable"):
        series = first.items is not None and bool(first.items.numbers)
        word = node.name == "stable" and first.texts != frozenset()
        return TRUTH if series or word else Values()
    return TRUTH if node.name in ("close", "no_nan") else ANYTHING


def _union(several: list[Values]) -> Values:
    found = Values()
    for values in several:
        found = found.join(values)
    return found


def _measured(name: str, args: list[Values]) -> Values:
    """Return the range of a function of numbers."""
    if name in ("min", "max", "mean") and len(args) == 1:
        args = [args[0].items] if args[0].items is not None else []
    spans = [span for span in map(_span, args) if span is not None]
    if len(spans) < len(args) or not spans:
        return Values()
    one = spans[0]
    if name == "abs":
        crosses = one.low <= 0 <= one.high
        ends = [one.low.copy_abs(), one.high.copy_abs()]
        found = Range(Decimal(0) if crosses else min(ends), max(ends))
    elif name == "change":
        found = _result("-", one, spans[1])
    elif name in ("min", "max"):
        pick = min if name == "min" else max
        found = Range(pick(s.low for s in spans), pick(s.high for s in spans))
    elif name == "mean":
        found = hull(spans)
    else:
        found = Range(low=Decimal(0)) if name == "standard_error" else Range(-INFINITY, INFINITY)
    return Values(numbers=(replace(found, whole=False),))


def _achieved(values: Values) -> frozenset[bool]:
    found = set(values.flags)
    for ranged in values.numbers:
        found |= {ranged.high >= 1} | {ranged.low >= 1}
    if values.texts is None:
        found |= {True, False}
    found |= {text.strip().lower() == "achieved" for text in values.texts or ()}
    return frozenset(found)
