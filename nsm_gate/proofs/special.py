"""A proof for lines of one shape: what the shape decides is decided once, and not line by line.

The lines of a log come in few shapes: which members are there and of which type, the status, the experiment
type, the domain. Most of what a proof asks is decided by them. So for each shape that is frequent the proof's
code is gone through once, with what the shape says put in its place; what is left compares numbers and reads
times. The results are the same: `tests/test_many.py` holds one against the other.
"""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

_MOST = 512
"""Shapes that get code of their own."""
_COUNTED = 8192
"""Shapes that are counted; a log with more has none that is frequent."""
_FREQUENT = 300
"""Lines of a shape that are worth the time that its code takes to make."""

Fact = tuple[Any, Any]
"""The type of a variable, and its value where that is known, else `_OPEN`."""
_OPEN: Any = object()
_BUILTINS = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


class Shapes:
    """The code of a proof for each frequent shape of lines.

    Attributes:
        key: Code that makes the shape's key of the tuples.
        any: The function for lines of any shape.
        made: Key -> function, for the shapes that have one.
    """

    def __init__(
        self,
        rows: Sequence[str],
        params: str,
        tuples: Mapping[str, Sequence[str]],
        told: Sequence[str],
        space: dict[str, Any],
    ) -> None:
        """Read the code.

        Args:
            rows: The code for any shape.
            params: Its parameters.
            tuples: Parameter that holds a tuple -> the variables that the code unpacks it into.
            told: Variables of few values, which are part of the shape.
            space: What the code names.
        """
        self._params = params
        self._space = space
        self.any = self._function("\n".join(_definition(params, rows)))
        self._body = ast.parse("\n".join(rows)).body
        found = _Asked([name for names in tuples.values() for name in names])
        for row in self._body:
            found.visit(row)
        self._told = [name for name in told if name in found.types]
        self._told += sorted(name for name in found.truths if name not in self._told)
        self._tuples = tuples
        # Of a tuple whose absent members are counted, all are part of the shape.
        self._typed = {
            values: [name for name in names if name in found.types or values in found.counted]
            for values, names in tuples.items()
        }
        self.key = self._key(tuples)
        self._reads = [_names(row) for row in self._body]
        self._stored = Counter(name for row in self._body for name in _stores(row))
        self._folded: dict[tuple[Any, ...], _Rest] = {}
        self._counts: Counter[Any] = Counter()
        self._worth = _FREQUENT
        self.made: dict[Any, Callable[..., Any]] = {}

    def _key(self, tuples: Mapping[str, Sequence[str]]) -> str:
        parts = []
        for values, slots in tuples.items():
            places = [number for number, name in enumerate(slots) if name in self._typed[values]]
            if len(places) == 1:
                parts.append(f"{values}[{places[0]}].__class__")
            elif len(places) == len(slots):
                parts.append(f"*map(type, {values})")
            elif places:
                getter = f"G_{values}"
                self._space[getter] = operator.itemgetter(*places)
                parts.append(f"*map(type, {getter}({values}))")
        for name in self._told:
            values = next(values for values, names in tuples.items() if name in names)
            parts.append(f"{values}[{list(tuples[values]).index(name)}]")
        return f"({', '.join(parts)},)" if parts else "()"

    def other(self, key: Any) -> Callable[..., Any]:
        """Return the function for a line whose shape has none yet, and make it one where it is frequent."""
        count = self._counts[key] + 1
        if count == 1 and len(self._counts) >= _COUNTED:
            return self.any
        self._counts[key] = count
        if count < self._worth or len(self.made) >= _MOST:
            return self.any
        made = self.made[key] = self._make(key)
        return made

    def begin(self, step: int) -> None:
        """Count for some lines, of which each stands for so many."""
        self._worth = max(2, -(-_FREQUENT // step))

    def go_on(self) -> None:
        """Count for every line from now on."""
        self._worth = _FREQUENT
        self._counts.clear()

    # --- one shape ------------------------------------------------------------------------------

    def _make(self, key: Sequence[Any]) -> Callable[..., Any]:
        parts = iter(key)
        facts: dict[str, Fact] = {}
        for names in self._typed.values():
            facts |= {slot: _fact(type_) for slot, type_ in zip(names, parts, strict=False)}
        for name, value in zip(self._told, parts, strict=True):
            facts[name] = (facts[name][0], value)
        for values, slots in self._tuples.items():
            if slots and all(name in facts for name in slots):
                facts[values] = (tuple, sum(facts[name][0] is UnsetType for name in slots))
        rests: list[_Rest] = []
        for number, (row, read) in enumerate(zip(self._body, self._reads, strict=True)):
            known = tuple(facts.get(name) for name in read)
            place = (number, *known)
            folded = self._folded.get(place)
            if folded is None:
                left = list(_Fold(facts, self._space).statement(row))
                folded = self._folded[place] = _Rest(left, frozenset(n for row in left for n in _loads(row)))
            rests.append(folded)
            self._alias(folded.rows, facts)
        loaded = frozenset().union(*(rest.loads for rest in rests))
        module = ast.parse("\n".join(_definition(self._params, ["pass"])))
        function = module.body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101  # for mypy
        function.body = [made for rest in rests for row in rest.rows for made in _slim(row, loaded)]
        return self._function(module)

    def _alias(self, rows: Sequence[ast.stmt], facts: dict[str, Fact]) -> None:
        """Take over what is known of a variable that another one is now a name for."""
        for row in rows:
            if isinstance(row, ast.Assign) and isinstance(row.value, ast.Name):
                target = row.targets[0]
                if isinstance(target, ast.Name) and self._stored[target.id] == 1 and row.value.id in facts:
                    facts[target.id] = facts[row.value.id]

    def _function(self, source: str | ast.Module) -> Callable[..., Any]:
        # The names of this program's own constants alone; texts of lines and rules are never code.
        space = self._space
        exec(compile(source, "<proof of a shape>", "exec"), space)  # noqa: S102
        made: Callable[..., Any] = space.pop("_proof")
        return made


class _Rest(NamedTuple):
    """What a shape leaves of a statement, and the variables that it reads."""

    rows: list[ast.stmt]
    loads: frozenset[str]


def _definition(params: str, rows: Sequence[str]) -> Iterator[str]:
    yield f"def _proof({params}):"
    for row in rows:
        yield from (f"    {line}" for line in row.split("\n"))


def _fact(type_: Any) -> Fact:
    if type_ is UnsetType:
        return UnsetType, UNSET
    return (type_, None) if type_ is type(None) else (type_, _OPEN)


class _Asked(ast.NodeVisitor):
    """Finds the variables whose types the code asks for, and those of which it asks whether they are true."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self.types: set[str] = set()
        self.truths: set[str] = set()
        self.counted: set[str] = set()

    def visit_Call(self, node: ast.Call) -> None:
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "ABSENT"
            and isinstance(node.args[0], ast.Name)
        ):
            self.counted.add(node.args[0].id)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        if isinstance(left, ast.Attribute) and isinstance(left.value, ast.Name) and left.attr == "__class__":
            self.types.add(left.value.id)
        elif isinstance(left, ast.Name):
            if isinstance(node.ops[0], (ast.Is, ast.IsNot)):
                self.types.add(left.id)
                right = node.comparators[0]
                if isinstance(right, ast.Constant) and right.value is not None:
                    self.truths.add(left.id)
            elif isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                self.types.add(left.id)
        self.generic_visit(node)
        self.types &= self._names
        self.truths &= self._names


def _names(row: ast.AST) -> tuple[str, ...]:
    return tuple(sorted({node.id for node in ast.walk(row) if isinstance(node, ast.Name)}))


def _loads(row: ast.AST) -> Iterator[str]:
    for node in ast.walk(row):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def _stores(row: ast.AST) -> Iterator[str]:
    for node in ast.walk(row):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _slim(row: ast.stmt, loaded: frozenset[str]) -> Iterator[ast.stmt]:
    """Yield a row without what nobody reads: of a tuple that is unpacked, only what is wanted."""
    if not isinstance(row, ast.Assign):
        yield row
        return
    target = row.targets[0]
    if isinstance(target, ast.Name):
        if target.id in loaded or not isinstance(row.value, (ast.Name, ast.Constant)):
            yield row
        return
    if not isinstance(target, ast.Tuple) or not isinstance(row.value, ast.Name):
        yield row
        return
    wanted = [
        (number, name)
        for number, name in enumerate(target.elts)
        if isinstance(name, ast.Name) and name.id in loaded
    ]
    if len(wanted) * 2 > len(target.elts):
        yield row
        return
    for number, name in wanted:
        index = ast.copy_location(ast.Constant(number), row)
        part = ast.copy_location(ast.Subscript(row.value, index, ast.Load()), row)
        yield ast.copy_location(ast.Assign([name], part), row)


_KEPT = (ast.NamedExpr, ast.FormattedValue)
"""Expressions of which only the value is looked into."""


class _Fold:
    """Puts what is known of variables in their place."""

    def __init__(self, facts: Mapping[str, Fact], space: Mapping[str, Any]) -> None:
        self._facts = facts
        self._space = space

    def statement(self, row: ast.stmt) -> Iterator[ast.stmt]:
        """Yield what is left of a statement."""
        if isinstance(row, ast.If):
            test = self.condition(row.test)
            if isinstance(test, ast.Constant):
                for inner in row.body if test.value else row.orelse:
                    yield from self.statement(inner)
                return
            body = [made for inner in row.body for made in self.statement(inner)]
            other = [made for inner in row.orelse for made in self.statement(inner)]
            if body or other:
                yield ast.copy_location(
                    ast.If(test, body or [ast.copy_location(ast.Pass(), row)], other), row
                )
        elif isinstance(row, (ast.Assign, ast.AugAssign)):
            value = self.value(row.value)
            if isinstance(row, ast.AugAssign):
                yield ast.copy_location(ast.AugAssign(row.target, row.op, value), row)
            else:
                yield ast.copy_location(ast.Assign(row.targets, value), row)
        elif isinstance(row, ast.Return) and row.value is not None:
            yield ast.copy_location(ast.Return(self.value(row.value)), row)
        elif not isinstance(row, ast.Pass):
            yield row

    def condition(self, node: ast.expr) -> ast.expr:
        """Return what is true where an expression is: a constant where that is known."""
        if isinstance(node, ast.BoolOp):
            ends = isinstance(node.op, ast.Or)
            kept: list[ast.expr] = []
            for part in node.values:
                made = self.condition(part)
                if not isinstance(made, ast.Constant):
                    kept.append(made)
                elif bool(made.value) is ends:
                    return ast.copy_location(ast.Constant(ends), node)
            if not kept:
                return ast.copy_location(ast.Constant(not ends), node)
            return kept[0] if len(kept) == 1 else ast.copy_location(ast.BoolOp(node.op, kept), node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            made = self.condition(node.operand)
            if isinstance(made, ast.Constant):
                return ast.copy_location(ast.Constant(not made.value), node)
            return ast.copy_location(ast.UnaryOp(node.op, made), node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            known = self._compared(node)
            if known is not None:
                return ast.copy_location(ast.Constant(known), node)
        return self.value(node)

    def value(self, node: ast.expr) -> ast.expr:
        """Return an expression of the same value."""
        if isinstance(node, (ast.Name, ast.Constant)):
            return node
        if isinstance(node, ast.IfExp):
            test = self.condition(node.test)
            if isinstance(test, ast.Constant):
                return self.value(node.body if test.value else node.orelse)
            made = ast.IfExp(test, self.value(node.body), self.value(node.orelse))
            return ast.copy_location(made, node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            known = self._compared(node)
            if known is not None:
                return ast.copy_location(ast.Constant(known), node)
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.Lambda)):
            return node  # they have variables of their own
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ABSENT":
            values = node.args[0]
            if isinstance(values, ast.Name) and values.id in self._facts:
                return ast.copy_location(ast.Constant(self._facts[values.id][1]), node)
        fields: dict[str, Any] = {}
        for name, field in ast.iter_fields(node):
            if isinstance(field, list):
                fields[name] = [self.value(part) if isinstance(part, ast.expr) else part for part in field]
            elif isinstance(field, ast.expr) and not (isinstance(node, _KEPT) and name != "value"):
                fields[name] = self.value(field)
            else:
                fields[name] = field
        return ast.copy_location(type(node)(**fields), node)

    def _compared(self, node: ast.Compare) -> bool | None:
        """Return what a comparison comes to, or None where it takes the value."""
        left, sign, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(left, ast.Attribute) and isinstance(left.value, ast.Name) and left.attr == "__class__":
            fact = self._facts.get(left.value.id)
            if fact is None or not isinstance(right, ast.Name):
                return None
            if isinstance(sign, ast.In) and right.id == "NUMBERS":
                return fact[0] in self._space[right.id]
            if isinstance(sign, ast.Is):
                return fact[0] is (_BUILTINS.get(right.id) or self._space.get(right.id))
            return None
        fact = self._facts.get(left.id) if isinstance(left, ast.Name) else None
        if fact is None:
            return None
        if isinstance(right, ast.Name):
            if right.id != "U" or not isinstance(sign, (ast.Is, ast.IsNot)):
                return None
            return (fact[0] is UnsetType) is isinstance(sign, ast.Is)
        if not isinstance(right, ast.Constant):
            return None
        if isinstance(sign, (ast.Is, ast.IsNot)):
            if right.value is not None and fact[0] is bool:
                if fact[1] is _OPEN:
                    return None
                return (fact[1] is right.value) is isinstance(sign, ast.Is)
            if right.value is not None and right.value is not True and right.value is not False:
                return None
            return (fact[0] is type(right.value)) is isinstance(sign, ast.Is)
        if isinstance(sign, (ast.Eq, ast.NotEq)):
            if fact[1] is not _OPEN:
                return bool(fact[1] == right.value) is isinstance(sign, ast.Eq)
            texts = [fact[0] is str, isinstance(right.value, str)]
            return isinstance(sign, ast.NotEq) if any(texts) and not all(texts) else None
        return None
