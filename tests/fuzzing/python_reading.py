"""The rule language as Python reads it: an evaluator over Python's own syntax tree, three-valued.

Shares no code with the gate. It knows the core of the language; what it does not know it leaves alone.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException
from typing import Any

_CONTEXT = Context(prec=34)
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[A-Za-z_][A-Za-z0-9_]*")
_LEADING_ZERO = re.compile(r"(?<![\w.])0[0-9]")
_OURS = {"and", "or", "not", "in", "true", "false", "True", "False"}


class Unknown:
    """Neither true nor false, nor any other value."""


UNKNOWN = Unknown()
Lookup = Callable[[tuple[str, ...]], Any]


class Beyond(Exception):
    """Something that this evaluator does not know."""


def tree(text: str) -> ast.expr | None:
    """Return how Python reads a text of the rule language, or None where it is no expression to it.

    Raises:
        Beyond: The text means something else to Python: it uses one of its words as a name, or writes 007.
    """
    bare = [word for word in _WORD.findall(text) if word[0] not in "\"'"]
    if _LEADING_ZERO.search(text) or any(keyword.iskeyword(word) and word not in _OURS for word in bare):
        raise Beyond
    # Literals may be adjacent to Python, and its strings may be of bytes or formatted.
    if re.search(r"[\"']\s*[\"']|[A-Za-z0-9_][\"']", text):
        raise Beyond
    source = f"({text}\n)"  # since a newline is white space to the rule language
    try:
        body = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    for node in ast.walk(body):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            # As it is written: 0.1 is a tenth.
            node.value = Decimal(ast.get_source_segment(source, node) or "")  # type: ignore[assignment]
    return body


def value(node: ast.expr, lookup: Lookup) -> Any:
    """Return the value of an expression over one run, or UNKNOWN.

    Raises:
        Beyond: It holds what this evaluator does not know.
    """
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        path = _path(node)
        if path in (("true",), ("True",)):
            return True
        if path in (("false",), ("False",)):
            return False
        found = lookup(path)
        return UNKNOWN if found is None else found
    if isinstance(node, ast.BoolOp):
        return _junction(node, lookup)
    if isinstance(node, ast.UnaryOp):
        return _unary(node, lookup)
    if isinstance(node, ast.BinOp):
        return _arithmetic(node, lookup)
    if isinstance(node, ast.Compare):
        return _chain(node, lookup)
    if isinstance(node, ast.List):
        items = [value(item, lookup) for item in node.elts]
        return UNKNOWN if any(item is UNKNOWN for item in items) else items
    if isinstance(node, ast.Call):
        return _call(node, lookup)
    raise Beyond


def _constant(node: ast.Constant) -> Any:
    if isinstance(node.value, (bool, int, str, Decimal)):
        return node.value
    raise Beyond


def _path(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*_path(node.value), node.attr)
    if isinstance(node, ast.Subscript):
        member = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(member, str):
            return (*_path(node.value), member)
    raise Beyond


def _junction(node: ast.BoolOp, lookup: Lookup) -> Any:
    values = [value(item, lookup) for item in node.values]
    decisive = isinstance(node.op, ast.Or)
    if any(item is decisive for item in values):
        return decisive
    return (not decisive) if all(item is (not decisive) for item in values) else UNKNOWN


def _unary(node: ast.UnaryOp, lookup: Lookup) -> Any:
    if isinstance(node.op, ast.Not):
        inner = value(node.operand, lookup)
        return not inner if isinstance(inner, bool) else UNKNOWN
    operand: ast.expr = node
    negative = False
    while isinstance(operand, ast.UnaryOp) and isinstance(operand.op, (ast.UAdd, ast.USub)):
        negative ^= isinstance(operand.op, ast.USub)
        operand = operand.operand
    if operand is node:
        raise Beyond
    inner = value(operand, lookup)
    if not negative:
        return inner  # two signs, and a plus, are dropped
    if not _is_number(inner):
        return UNKNOWN
    # A number that is written out keeps its digits; of a computed one the negative is computed.
    written = isinstance(operand, ast.Constant)
    return _decimal(inner).copy_negate() if written else _CONTEXT.subtract(Decimal(0), _decimal(inner))


_OPERATIONS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: _CONTEXT.add, ast.Sub: _CONTEXT.subtract, ast.Mult: _CONTEXT.multiply, ast.Div: _CONTEXT.divide,
}  # fmt: skip


def _arithmetic(node: ast.BinOp, lookup: Lookup) -> Any:
    operation = _OPERATIONS.get(type(node.op))
    if operation is None:
        raise Beyond
    left, right = value(node.left, lookup), value(node.right, lookup)
    if not (_is_number(left) and _is_number(right)):
        return UNKNOWN
    try:
        return operation(_decimal(left), _decimal(right))
    except DecimalException:
        return UNKNOWN


def _chain(node: ast.Compare, lookup: Lookup) -> Any:
    values = [value(item, lookup) for item in (node.left, *node.comparators)]
    links = [_holds(op, values[at], values[at + 1]) for at, op in enumerate(node.ops)]
    if any(link is False for link in links):
        return False
    return True if all(link is True for link in links) else UNKNOWN


def _holds(op: ast.cmpop, one: Any, other: Any) -> Any:
    if isinstance(op, (ast.In, ast.NotIn)):
        found = _contains(one, other)
        return found if found is UNKNOWN or isinstance(op, ast.In) else not found
    if isinstance(op, (ast.Eq, ast.NotEq)) and isinstance(one, bool) and isinstance(other, bool):
        return (one == other) is isinstance(op, ast.Eq)
    if _is_number(one) and _is_number(other):
        one, other = _decimal(one), _decimal(other)
    elif not (isinstance(one, str) and isinstance(other, str)):
        return UNKNOWN
    for kind, test in (
        (ast.Eq, one == other), (ast.NotEq, one != other), (ast.Lt, one < other),
        (ast.LtE, one <= other), (ast.Gt, one > other), (ast.GtE, one >= other),
    ):  # fmt: skip
        if isinstance(op, kind):
            return test
    raise Beyond


def _contains(one: Any, other: Any) -> Any:
    if isinstance(one, str) and isinstance(other, str):
        return one in other
    if one is UNKNOWN or not isinstance(other, list):
        return UNKNOWN
    links = [_holds(ast.Eq(), one, item) for item in other]
    if any(link is True for link in links):
        return True
    return False if all(link is False for link in links) else UNKNOWN


def _call(node: ast.Call, lookup: Lookup) -> Any:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise Beyond
    args = [value(arg, lookup) for arg in node.args]
    name = node.func.id
    if name == "known" and len(args) == 1:
        return args[0] is not UNKNOWN
    if name == "first" and args:
        return next((arg for arg in args if arg is not UNKNOWN), UNKNOWN)
    if name == "abs" and len(args) == 1:
        return abs(_decimal(args[0])) if _is_number(args[0]) else UNKNOWN
    if name in ("min", "max") and len(args) > 1:
        if not all(_is_number(arg) for arg in args):
            return UNKNOWN
        return (min if name == "min" else max)(_decimal(arg) for arg in args)
    raise Beyond


def _is_number(item: Any) -> bool:
    if isinstance(item, bool):
        return False
    if isinstance(item, float):
        return item == item and item not in (float("inf"), float("-inf"))
    return isinstance(item, (int, Decimal))


def _decimal(item: Any) -> Decimal:
    return Decimal(repr(item)) if isinstance(item, float) else Decimal(item)
