"""Walks the text of one JSON line: where each value stands, or what the first fault is.

Iterative, since a hostile line nests as deep as it is long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import jiter

from nsm_gate.nouns import NamedTuple, dataclass
from nsm_gate.pointers import pointer

MAX_DEPTH = 64

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BEGUN_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)?")
_WORD = re.compile(r"[+-]?[^\s\"{}\[\],:]+")
_SPACE = re.compile(r"[ \t\r]*")
_STOP = re.compile(r'["\\\x00-\x1f]')
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_MAX_DIGITS = 4300  # of a whole number: jiter's limit, and the interpreter's
_LITERALS = {"true", "false", "null"}
_ONE_OBJECT = 'write one object a line: {"...": ...}'
_WORDS = {
    "nan": "write null, and say in the findings why the value is missing",
    "infinity": "write null, and say in the findings why the value is missing",
    "inf": "write null, and say in the findings why the value is missing",
    "none": "write null: this is Python's repr, not JSON (use json.dumps)",
    "undefined": "write null",
    "true": "write true: this is Python's repr, not JSON (use json.dumps)",
    "false": "write false: this is Python's repr, not JSON (use json.dumps)",
}


class Place(NamedTuple):
    """Columns of a value, and of the name of the member that holds it (None for items)."""

    value: tuple[int, int]
    name: tuple[int, int] | None


@dataclass
class Fault(Exception):
    """The first fault of a line.

    Attributes:
        torn: Where the line ends too early, what it ends inside.
    """

    reason: str
    hint: str
    column: int
    end: int
    rule: str = "invalid-json"
    torn: str = ""


@dataclass(slots=True)
class _Frame:
    """A container that is still open."""

    where: str
    start: int
    name: tuple[int, int] | None
    is_object: bool
    seen: set[str]
    count: int = 0


class Scanner:
    """Walks the text of one line, value by value, without recursion."""

    def __init__(self, line: str) -> None:
        """Begin at the start of the line."""
        self.line = line
        self.at = 0

    def run(self) -> Iterator[tuple[str, Place]]:
        """Yield every value's pointer and columns; raise `Fault` at the first fault."""
        stack: list[_Frame] = []
        where, name = "", None
        while True:
            self._space()
            start = self.at
            char = self._peek(stack, "a value")
            if char in "{[":
                if len(stack) == MAX_DEPTH:
                    hint = "flatten the entry, or keep the structure in a file of its own"
                    raise Fault(f"nested deeper than {MAX_DEPTH} levels", hint, start + 1, start + 2)
                if char == "[" and not stack:
                    raise self._not_object("an array", start, start + 1)
                stack.append(_Frame(where, start, name, char == "{", set()))
                self.at += 1
                self._space()
                if self._peek(stack, "a container") != "}]"[char == "["]:
                    where, name = self._member(stack)
                    continue
                self.at += 1
                yield self._close(stack)
            else:
                self._scalar(char, stack)
                if not stack:
                    raise self._not_object("a bare value", start, self.at)
                yield where, Place((start + 1, self.at + 1), name)
            while stack:
                self._space()
                char = self._peek(stack, "a container")
                if char == "}]"[not stack[-1].is_object]:
                    self.at += 1
                    yield self._close(stack)
                    continue
                if char != ",":
                    kind, parts = ("object", "members") if stack[-1].is_object else ("array", "items")
                    fact = f"{self._show()} where a comma or the end of the {kind} belongs"
                    raise self._fault(fact, f"write a comma between two {parts}")
                self.at += 1
                self._space()
                if self._peek(stack, "a container") in "}]":
                    raise self._fault("comma before a closing bracket", "remove the comma")
                where, name = self._member(stack)
                break
            else:
                self._space()
                if self.at < len(self.line):
                    rest = self.line[self.at]
                    hint = "write one object a line, each ended by a newline"
                    fact = "a second object on the line" if rest == "{" else "text after the object"
                    raise Fault(fact, hint, self.at + 1, len(self.line) + 1)
                return

    def _close(self, stack: list[_Frame]) -> tuple[str, Place]:
        frame = stack.pop()
        return frame.where, Place((frame.start + 1, self.at + 1), frame.name)

    def _member(self, stack: list[_Frame]) -> tuple[str, tuple[int, int] | None]:
        """Read up to the next value of the innermost container; return its pointer and name."""
        frame = stack[-1]
        if not frame.is_object:
            frame.count += 1
            return f"{frame.where}/{frame.count - 1}", None
        start = self.at
        if self.line[start] != '"':
            quotes = "write member names in double quotes"
            raise self._fault(f"{self._show()} where a member name belongs", quotes)
        self._string(stack)
        token = self.line[start : self.at]
        key = str(jiter.from_json(token.encode())) if "\\" in token else token[1:-1]
        span = (start + 1, self.at + 1)
        if key in frame.seen:
            hint = "keep one of the two: readers disagree about which one counts"
            raise Fault(f"member {key!r} appears twice", hint, *span, rule="duplicate-member")
        frame.seen.add(key)
        self._space()
        if self._peek(stack, "an object") != ":":
            hint = "write a colon between a member's name and its value"
            raise self._fault(f"{self._show()} where a colon belongs", hint)
        self.at += 1
        return frame.where + pointer(key), span

    def _scalar(self, char: str, stack: list[_Frame]) -> None:
        if char == '"':
            self._string(stack)
            return
        start = self.at
        found = _NUMBER.match(self.line, start)
        word = _WORD.match(self.line, start)
        if found and word and found.end() == word.end():
            self.at = found.end()
            token = found[0]
            digits = token.removeprefix("-")
            if digits.isdigit():
                if len(digits) > _MAX_DIGITS:
                    fact = f"number of {len(digits):,} digits"
                    raise Fault(fact, "log a float", start + 1, self.at + 1)
            elif math.isinf(float(token)):
                hint = "write null, and say in the findings why the value is missing"
                shown = token if len(token) <= 40 else f"{token[:40]}…"
                raise Fault(f"{shown} is beyond what a float holds", hint, start + 1, self.at + 1)
            return
        if word is None or char == "'":
            hint = "write strings in double quotes" if char == "'" else ""
            raise self._fault(f"{self._show()} where a value belongs", hint or self._remedy(stack))
        if word[0] in _LITERALS:
            self.at = word.end()
            return
        begun = any(literal.startswith(word[0]) for literal in _LITERALS)
        if word.end() == len(self.line) and (begun or _BEGUN_NUMBER.fullmatch(word[0])):
            raise self._torn("a value")
        hint = _WORDS.get(word[0].lstrip("+-").lower(), "")
        if not hint and (char.isdigit() or char in "+-."):
            hint = "write numbers like 0.5, 12 or 1e-4"
            raise Fault(f"{word[0][:40]!r} is not a JSON number", hint, start + 1, word.end() + 1)
        hint = hint or self._remedy(stack)
        raise Fault(f"{word[0][:40]!r} is not JSON", hint, start + 1, word.end() + 1)

    def _remedy(self, stack: list[_Frame]) -> str:
        if self.line[self.at].isspace():
            return "write plain spaces between values"
        return "write a JSON value, or null" if stack else _ONE_OBJECT

    def _string(self, stack: list[_Frame]) -> None:
        start = self.at
        self.at += 1
        while True:
            stop = _STOP.search(self.line, self.at)
            if stop is None:
                self.at = len(self.line)
                raise self._torn("a string")
            self.at = stop.start()
            char = stop[0]
            if char == '"':
                self.at += 1
                return
            if char != "\\":
                fact = f"control character U+{ord(char):04X} in a string"
                raise self._fault(fact, f"write it as \\u{ord(char):04x}")
            self._escape(start)

    def _escape(self, start: int) -> None:
        begin = self.at
        char = self.line[begin + 1 : begin + 2]
        if not char:
            raise self._torn("a string")
        if char != "u":
            if char not in '"\\/bfnrt':
                fact = f"escape '\\{char}' does not exist in JSON"
                raise Fault(fact, "write a backslash as \\\\", begin + 1, begin + 3)
            self.at += 2
            return
        code = _HEX.match(self.line, begin + 2)
        if code is None:
            if len(self.line) < begin + 6:
                raise self._torn("a string")
            hint = "write four hex digits, or the character itself"
            raise Fault("escape \\u without four hex digits", hint, begin + 1, begin + 3)
        self.at = begin + 6
        value = int(code[0], 16)
        if 0xD800 <= value < 0xDC00:
            rest = self.line[self.at : self.at + 6]
            if rest.startswith("\\u"):
                low = _HEX.match(self.line, self.at + 2)
                if low and 0xDC00 <= int(low[0], 16) < 0xE000:
                    self.at += 6
                    return
            if len(rest) < 6 and "\\uDC00".startswith(rest[:2]) and self.at + len(rest) == len(self.line):
                raise self._torn("a string")
        if 0xD800 <= value < 0xE000:
            hint = "write the character itself, in UTF-8"
            raise Fault(f"lone surrogate \\u{code[0]}", hint, begin + 1, begin + 7)

    def _space(self) -> None:
        found = _SPACE.match(self.line, self.at)
        if found:
            self.at = found.end()

    def _peek(self, stack: list[_Frame], inside: str) -> str:
        if self.at < len(self.line):
            return self.line[self.at]
        if stack:
            inside = "an object" if stack[-1].is_object else "an array"
        raise self._torn(inside)

    def _show(self) -> str:
        return repr(self.line[self.at])

    def _fault(self, reason: str, hint: str) -> Fault:
        return Fault(reason, hint, self.at + 1, self.at + 2)

    def _torn(self, inside: str) -> Fault:
        end = max(len(self.line), 1)
        hint = "write the whole object on one line (json.dumps without indent)"
        return Fault(f"line ends inside {inside}", hint, end, end + 1, torn=inside)

    def _not_object(self, what: str, start: int, end: int) -> Fault:
        hint = _ONE_OBJECT
        return Fault(f"line holds {what}, not an object", hint, start + 1, end + 1)
