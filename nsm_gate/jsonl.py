"""Bytes -> physical lines -> `Entry | Malformed`, strictly; JSON pointer -> columns.

jiter decides what is JSON; the scanner here only explains a refusal, finds what jiter lets through
(1e999) and knows where in the line a value stands. It runs for lines with a problem, not for others.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import jiter

from nsm_gate.model import At, Entry, Json, Line, Malformed
from nsm_gate.pointers import pointer

MAX_DEPTH = 64
MAX_LINE = 1 << 20

_BLANK = b" \t\r\f\v"
_BOM = b"\xef\xbb\xbf"
_CONFLICT = re.compile(rb"(?:<{7}|>{7}|\|{7})(?: |$)|={7}\r?$")
# 200 digits with a two-digit exponent stay below 1.8e308, so nothing else can be infinite.
_MAYBE_INFINITE = re.compile(rb"[eE]\+?[0-9]{3}|[0-9]{200}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BEGUN_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)?")
_WORD = re.compile(r"[+-]?[^\s\"{}\[\],:]+")
_SPACE = re.compile(r"[ \t\r]*")
_STOP = re.compile(r'["\\\x00-\x1f]')
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_MAX_DIGITS = 4300  # of a whole number: jiter's limit, and the interpreter's
_LITERALS = {"true", "false", "null"}
_TORN = "line is torn: it ends inside {}"
_INTERRUPTED = "a writer was interrupted: remove the line, or log the run again"
_UTF_16 = "the file looks like UTF-16: save it as UTF-8"
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


def split(data: bytes) -> tuple[list[bytes], bool]:
    r"""Return the lines of a log without their newlines, and whether the last one has its own.

    Splits on `\n` only. Not splitlines(): U+2028 and a bare CR are legal inside a JSON string or
    between tokens, and would move every later line number.
    """
    lines = data.split(b"\n")
    if not lines[-1]:
        return lines[:-1], True
    return lines, False


def decode(line: Line, max_bytes: int = MAX_LINE) -> Entry | Malformed:
    """Decode one physical line, strictly.

    An entry is one JSON object (RFC 8259) in UTF-8, without a byte order mark, NaN, infinities, lone
    surrogates or duplicate members, at most `MAX_DEPTH` deep and `max_bytes` long.
    """
    raw = line.raw
    if not raw.strip(_BLANK):
        return Malformed(line, "blank-line", "line is blank", "remove it", 1, max(len(raw), 1) + 1)
    if len(raw) > max_bytes:
        return Malformed(
            line,
            "invalid-json",
            f"line is {len(raw):,} bytes long, over the limit of {max_bytes:,}",
            "keep large arrays in a file of their own and log its path, or raise limits.line",
            1,
            2,
        )
    try:
        value = jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        return _explain(line, str(error))
    if type(value) is not dict:
        return _explain(line, "not an object")
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        return _explain(line, "too deep")
    if _MAYBE_INFINITE.search(raw) and _has_infinity(value):
        return _explain(line, "a number is infinite")
    return Entry(line, value)


def text(raw: bytes) -> str:
    """Return a line's text for display, with U+FFFD for what is not UTF-8."""
    return raw.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Place:
    """Columns of a value, and of the name of the member that holds it (None for items)."""

    value: tuple[int, int]
    name: tuple[int, int] | None


def places(raw: bytes) -> dict[str, Place]:
    """Return the columns of every value of a line that decodes, by JSON pointer."""
    found: dict[str, Place] = {}
    with contextlib.suppress(_Fault):
        found.update(_Scanner(text(raw)).run())
    return found


def columns(found: dict[str, Place], where: str, at: At) -> tuple[int, int]:
    """Return the columns that a pointer stands for.

    What is absent is pointed at by the name of its nearest ancestor; at the root, by the brace that
    opens the entry.
    """
    place = found.get(where)
    if place is not None and at is At.VALUE:
        return place.value
    while place is None and where:
        where = where.rpartition("/")[0]
        place = found.get(where)
    if place is None:
        return 1, 2
    if place.name is not None:
        return place.name
    return place.value[0], place.value[0] + 1


def _deeper_than(value: Json, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        children = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not children:
            return False
        level = children
    return True


def _has_infinity(value: Json) -> bool:
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, float) and math.isinf(node):
            return True
    return False


def _explain(line: Line, refusal: str) -> Malformed:
    """Say what is wrong with a line that was refused."""
    raw = line.raw
    if raw.startswith(_BOM):
        hint = "save the file as UTF-8 without a byte order mark"
        return Malformed(line, "invalid-json", "line begins with a byte order mark", hint, 1, 2)
    if _CONFLICT.match(raw):
        mark = text(raw[:7])
        hint = "resolve the merge: keep the lines of both sides and remove the markers"
        return Malformed(line, "invalid-json", f"merge conflict marker {mark!r}", hint, 1, 8)
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode("utf-8")) + 1
        if error.reason == "unexpected end of data" and not line.terminated:
            return Malformed(
                line, "invalid-json", _TORN.format("a character"), _INTERRUPTED, column, column + 1
            )
        reason = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        hint = "write the log with encoding='utf-8'"
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw[:4]:
            hint = _UTF_16
        return Malformed(line, "invalid-json", reason, hint, column, column + 1)
    try:
        for _ in _Scanner(decoded).run():
            pass
    except _Fault as fault:
        if fault.torn and not line.terminated:
            fault.reason = _TORN.format(fault.torn)
            fault.hint = _INTERRUPTED
        if "\0" in decoded[:4]:
            fault.hint = _UTF_16
        return Malformed(line, fault.rule, fault.reason, fault.hint, fault.column, fault.end)
    return Malformed(line, "invalid-json", refusal, "write one JSON object a line", 1, 2)


@dataclass
class _Fault(Exception):
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


class _Scanner:
    """Walks the text of one line, value by value, without recursion."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0

    def run(self) -> Iterator[tuple[str, Place]]:
        """Yield every value's pointer and columns; raise `_Fault` at the first fault."""
        stack: list[_Frame] = []
        where, name = "", None
        while True:
            self.space()
            start = self.at
            char = self.peek(stack, "a value")
            if char in "{[":
                if len(stack) == MAX_DEPTH:
                    hint = "flatten the entry, or keep the structure in a file of its own"
                    raise _Fault(f"nested deeper than {MAX_DEPTH} levels", hint, start + 1, start + 2)
                if char == "[" and not stack:
                    raise self.not_object("an array", start, start + 1)
                stack.append(_Frame(where, start, name, char == "{", set()))
                self.at += 1
                self.space()
                if self.peek(stack, "a container") != "}]"[char == "["]:
                    where, name = self.member(stack)
                    continue
                self.at += 1
                yield self.close(stack)
            else:
                self.scalar(char, stack)
                if not stack:
                    raise self.not_object("a bare value", start, self.at)
                yield where, Place((start + 1, self.at + 1), name)
            while stack:
                self.space()
                char = self.peek(stack, "a container")
                if char == "}]"[not stack[-1].is_object]:
                    self.at += 1
                    yield self.close(stack)
                    continue
                if char != ",":
                    kind, parts = ("object", "members") if stack[-1].is_object else ("array", "items")
                    fact = f"{self.show()} where a comma or the end of the {kind} belongs"
                    raise self.fault(fact, f"write a comma between two {parts}")
                self.at += 1
                self.space()
                if self.peek(stack, "a container") in "}]":
                    raise self.fault("comma before a closing bracket", "remove the comma")
                where, name = self.member(stack)
                break
            else:
                self.space()
                if self.at < len(self.line):
                    rest = self.line[self.at]
                    hint = "write one object a line, each ended by a newline"
                    fact = "a second object on the line" if rest == "{" else "text after the object"
                    raise _Fault(fact, hint, self.at + 1, len(self.line) + 1)
                return

    def close(self, stack: list[_Frame]) -> tuple[str, Place]:
        frame = stack.pop()
        return frame.where, Place((frame.start + 1, self.at + 1), frame.name)

    def member(self, stack: list[_Frame]) -> tuple[str, tuple[int, int] | None]:
        """Read up to the next value of the innermost container; return its pointer and name."""
        frame = stack[-1]
        if not frame.is_object:
            frame.count += 1
            return f"{frame.where}/{frame.count - 1}", None
        start = self.at
        if self.line[start] != '"':
            quotes = "write member names in double quotes"
            raise self.fault(f"{self.show()} where a member name belongs", quotes)
        self.string(stack)
        token = self.line[start : self.at]
        key = str(jiter.from_json(token.encode())) if "\\" in token else token[1:-1]
        span = (start + 1, self.at + 1)
        if key in frame.seen:
            hint = "keep one of the two: readers disagree about which one counts"
            raise _Fault(f"member {key!r} appears twice", hint, *span, rule="duplicate-member")
        frame.seen.add(key)
        self.space()
        if self.peek(stack, "an object") != ":":
            hint = "write a colon between a member's name and its value"
            raise self.fault(f"{self.show()} where a colon belongs", hint)
        self.at += 1
        return frame.where + pointer(key), span

    def scalar(self, char: str, stack: list[_Frame]) -> None:
        if char == '"':
            self.string(stack)
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
                    raise _Fault(fact, "log a float", start + 1, self.at + 1)
            elif math.isinf(float(token)):
                hint = "write null, and say in the findings why the value is missing"
                shown = token if len(token) <= 40 else f"{token[:40]}…"
                raise _Fault(f"{shown} is beyond what a float holds", hint, start + 1, self.at + 1)
            return
        if word is None or char == "'":
            hint = "write strings in double quotes" if char == "'" else ""
            raise self.fault(f"{self.show()} where a value belongs", hint or self.remedy(stack))
        if word[0] in _LITERALS:
            self.at = word.end()
            return
        begun = any(literal.startswith(word[0]) for literal in _LITERALS)
        if word.end() == len(self.line) and (begun or _BEGUN_NUMBER.fullmatch(word[0])):
            raise self.torn("a value")
        hint = _WORDS.get(word[0].lstrip("+-").lower(), "")
        if not hint and (char.isdigit() or char in "+-."):
            hint = "write numbers like 0.5, 12 or 1e-4"
            raise _Fault(f"{word[0][:40]!r} is not a JSON number", hint, start + 1, word.end() + 1)
        hint = hint or self.remedy(stack)
        raise _Fault(f"{word[0][:40]!r} is not JSON", hint, start + 1, word.end() + 1)

    def remedy(self, stack: list[_Frame]) -> str:
        if self.line[self.at].isspace():
            return "write plain spaces between values"
        return "write a JSON value, or null" if stack else _ONE_OBJECT

    def string(self, stack: list[_Frame]) -> None:
        start = self.at
        self.at += 1
        while True:
            stop = _STOP.search(self.line, self.at)
            if stop is None:
                self.at = len(self.line)
                raise self.torn("a string")
            self.at = stop.start()
            char = stop[0]
            if char == '"':
                self.at += 1
                return
            if char != "\\":
                fact = f"control character U+{ord(char):04X} in a string"
                raise self.fault(fact, f"write it as \\u{ord(char):04x}")
            self.escape(start)

    def escape(self, start: int) -> None:
        begin = self.at
        char = self.line[begin + 1 : begin + 2]
        if not char:
            raise self.torn("a string")
        if char != "u":
            if char not in '"\\/bfnrt':
                fact = f"escape '\\{char}' does not exist in JSON"
                raise _Fault(fact, "write a backslash as \\\\", begin + 1, begin + 3)
            self.at += 2
            return
        code = _HEX.match(self.line, begin + 2)
        if code is None:
            if len(self.line) < begin + 6:
                raise self.torn("a string")
            hint = "write four hex digits, or the character itself"
            raise _Fault("escape \\u without four hex digits", hint, begin + 1, begin + 3)
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
                raise self.torn("a string")
        if 0xD800 <= value < 0xE000:
            hint = "write the character itself, in UTF-8"
            raise _Fault(f"lone surrogate \\u{code[0]}", hint, begin + 1, begin + 7)

    def space(self) -> None:
        found = _SPACE.match(self.line, self.at)
        if found:
            self.at = found.end()

    def peek(self, stack: list[_Frame], inside: str) -> str:
        if self.at < len(self.line):
            return self.line[self.at]
        if stack:
            inside = "an object" if stack[-1].is_object else "an array"
        raise self.torn(inside)

    def show(self) -> str:
        return repr(self.line[self.at])

    def fault(self, reason: str, hint: str) -> _Fault:
        return _Fault(reason, hint, self.at + 1, self.at + 2)

    def torn(self, inside: str) -> _Fault:
        end = max(len(self.line), 1)
        hint = "write the whole object on one line (json.dumps without indent)"
        return _Fault(f"line ends inside {inside}", hint, end, end + 1, torn=inside)

    def not_object(self, what: str, start: int, end: int) -> _Fault:
        hint = _ONE_OBJECT
        return _Fault(f"line holds {what}, not an object", hint, start + 1, end + 1)
