"""Expressions of the rule language as code over the slots of an outline.

An expression is true, false or unknown; the code says where it is proven true, and where it is proven
false. Numbers of the log compare as they are, which is what comparing them as decimals gives; arithmetic in
floats decides only beyond its own error. Whatever has no short code is evaluated as the rules evaluate it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from nsm_gate.expressions import (
    Arithmetic,
    Both,
    Call,
    Comparison,
    Either,
    Literal,
    Name,
    Node,
    Not,
)
from nsm_gate.functions import FUNCTIONS
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.proofs.code import FALSE, TRUE, Constants, both, either, negated
from nsm_gate.proofs.evaluating import Reader, evaluator
from nsm_gate.proofs.variables import Names, Unprovable
from nsm_gate.values import is_number

_GUARD = "1e-9"
"""Relative error that arithmetic in floats stays far below, for the few operations that are compiled."""
_INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


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


class Terms:
    """Compiles expressions over the entries of one log kind."""

    def __init__(self, names: Names, constants: Constants) -> None:
        """Compile nothing yet."""
        self._names = names
        self._constants = constants

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
                found = self._names.scalar(path)
                if found is not None:
                    return _exact(f"({found.code} is True)", f"({found.code} is False)")
            case Comparison(first, rest):
                return self._chain(first, rest)
            case Call("known", (Name(path, False),), ()):
                found = self._names.scalar(path)
                listed = self._names.series(path) if found is None else None
                if found is not None or listed is not None:
                    known = found.known if found is not None else f"({listed} is not None)"
                    return _exact(known, negated(known))
            case Call("decreasing" | "increasing", (Name(path, False),), ()):
                listed = self._names.series(path)
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
            listed = self._names.series(right.path)
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
                found = self._names.scalar(node.path)
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
            found = self._names.scalar(node.path)
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
                found = self._names.scalar(path)
                if found is None:
                    return None
                whole = "number" not in found.kinds
                if found.kinds <= {"null", "integer", "number"}:
                    return Number(found.code, found.known, whole=whole)
                if {"integer", "number"} & found.kinds:
                    return Number(found.code, f"({found.code}.__class__ in NUMBERS)", whole=whole)
                return None
            case Call("min" | "max" | "last", (Name(path, False),), ()):
                listed = self._names.series(path)
                if listed is None:
                    return None
                name = node.name
                return Number(f"{listed}[-1]" if name == "last" else f"{name}({listed})", f"({listed})")
            case Call("lookup", (Name(keys, False), key, Name(values, False)), ()):
                sought, known, held = self.number(key), self._names.series(keys), self._names.series(values)
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
        reads: dict[tuple[str, ...], Reader] = {}
        for part in _walk(node):
            if isinstance(part, Name):
                if part.gaps:
                    raise Unprovable(part.path)
                reads[part.path] = self._names.reader(part.path).slim()
        variables = list(dict.fromkeys(name for reader in reads.values() for name in reader.variables))
        evaluate = evaluator(node, reads, variables)
        name = self._constants.name(evaluate, "E")
        call = f"{name}({', '.join(variables)})"
        # What is missing makes nearly everything unknown: that is seen without a call.
        there = TRUE
        if not any(isinstance(part, (Both, Either, Not)) or _takes_unknown(part) for part in _walk(node)):
            scalars = [self._names.scalar(path) for path in reads]
            there = both([scalar.known for scalar in scalars if scalar is not None])
        return _exact(both([there, f"({call} is True)"]), both([there, f"({call} is False)"]))


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


def _walk(node: Node) -> Sequence[Node]:
    found, pending = [], [node]
    while pending:
        part = pending.pop()
        found.append(part)
        pending.extend(part.children())
    return found
