"""Text -> expression, once, when the rules are loaded. Length and depth are limited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

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
from nsm_gate.functions import FUNCTIONS, STATES
from nsm_gate.names import suggestion
from nsm_gate.pointers import COUNT
from nsm_gate.values import decimal, is_number, order

MAX_LENGTH = 1000
MAX_DEPTH = 32
_SPLIT = "make several criteria of it"


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
        raise ExpressionError(f"expression is longer than {MAX_LENGTH} characters", 1, _SPLIT)
    return _Parser(text, bare or {}).whole()


_TEST = re.compile(r"\s*(<=|>=|==|!=|<|>)(.*)", re.DOTALL)
_RANGE = re.compile(r"(.*?\S)\s+\.\.\s+(\S.*)", re.DOTALL)


def parse_test(text: str, own: tuple[str, ...], bare: Mapping[str, tuple[str, ...]]) -> Node:
    """Parse a test of one name: `> 0.55`, `0.2 .. 0.4`, `achieved`; or a whole expression."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression is longer than {MAX_LENGTH} characters", 1, _SPLIT)
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
            ranked = order(low.constant, high.constant)
            if ranked == 1:
                raise ExpressionError("the range is empty", 1, f"write {between[2]} .. {between[1]}")
        return Comparison(low, (("<=", subject), ("<=", high)))
    word = text.strip()
    if word in STATES:
        return state(word, own)
    return parse(text, bare)


def state(word: str, path: tuple[str, ...], options: tuple[tuple[str, Node], ...] = ()) -> Call:
    """Return the test that a function of one value makes of a name."""
    return Call(word, (Name(path, gaps=FUNCTIONS[word].names),), options)


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
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", self.tokens[self.at][2], _SPLIT)
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
            hint = suggestion(name, FUNCTIONS) or f"the functions are {', '.join(FUNCTIONS)}"
            raise ExpressionError(f"unknown function {name!r}", column, hint)
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
        if function.names:
            args = [self.named(name, arg, column) for arg in args]
        if name == "standard_error" and len(args) == 1:
            args.append(self.count(name, args[0], column))
        if name == "count":
            return self.count(name, args[0], column)
        return Call(name, tuple(args), tuple(options.items()))

    @staticmethod
    def named(function: str, arg: Node, column: int) -> Name:
        if not isinstance(arg, Name):
            hint = f"write {FUNCTIONS[function].usage}"
            raise ExpressionError(f"{function} looks at a name, not at a computed value", column, hint)
        return Name(arg.path, gaps=True)

    @staticmethod
    def count(function: str, arg: Node, column: int) -> Name:
        """Return the name of the count of examples behind a rate."""
        if not isinstance(arg, Name):
            hint = f"write {FUNCTIONS[function].usage}"
            raise ExpressionError(f"{function} needs the name of a rate", column, hint)
        return Name((*arg.path[:-1], COUNT, arg.path[-1]))
