"""Puts what is known of variables in their place in code, and takes out what is decided then."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

Fact = tuple[Any, Any]
"""The type of a variable, and its value where that is known, else `_OPEN`."""
_OPEN: Any = object()
_BUILTINS = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


def fact_of(type_: Any) -> Fact:
    """Return what the type of a value says: all of it where the type has one value."""
    if type_ is UnsetType:
        return UnsetType, UNSET
    return (type_, None) if type_ is type(None) else (type_, _OPEN)


class Asked(ast.NodeVisitor):
    """Finds the variables whose types the code asks for, and those of which it asks whether they are true."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self.types: set[str] = set()
        self.truths: set[str] = set()
        self.counted: set[str] = set()

    def visit_Call(self, node: ast.Call) -> None:
        """Note a tuple whose absent members are counted."""
        values = _counted(node)
        if values is not None:
            self.counted.add(values)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Note what a comparison asks of a variable."""
        left = node.left
        typed = _typed(left)
        if typed is not None:
            self.types.add(typed)
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


def _typed(node: ast.expr) -> str | None:
    """Return the variable whose type an expression is, if it is one."""
    is_type = isinstance(node, ast.Attribute) and node.attr == "__class__"
    return node.value.id if is_type and isinstance(node.value, ast.Name) else None  # type: ignore[attr-defined]


def _counted(node: ast.expr) -> str | None:
    """Return the tuple whose absent members an expression counts, if it does."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ABSENT":
        return node.args[0].id if isinstance(node.args[0], ast.Name) else None
    return None


def names_in(row: ast.AST) -> tuple[str, ...]:
    """Return all names of a row, sorted."""
    return tuple(sorted({node.id for node in ast.walk(row) if isinstance(node, ast.Name)}))


def loaded_in(row: ast.AST) -> Iterator[str]:
    """Yield the names that a row reads."""
    for node in ast.walk(row):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def stored_in(row: ast.AST) -> Iterator[str]:
    """Yield the names that a row gives a value."""
    for node in ast.walk(row):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def slimmed(row: ast.stmt, loaded: frozenset[str]) -> Iterator[ast.stmt]:
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


class Fold:
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
        values = _counted(node)
        if values is not None and values in self._facts:
            return ast.copy_location(ast.Constant(self._facts[values][1]), node)
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
        typed = _typed(left)
        if typed is not None:
            fact = self._facts.get(typed)
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
