"""Bytes -> physical lines -> `Entry | Malformed`, strictly; JSON pointer -> columns.

jiter decides what is JSON; the scanner here only explains a refusal, finds what jiter lets through
(1e999) and knows where in the line a value stands. It runs for lines with a problem, not for others.
"""

from __future__ import annotations

import contextlib
import math
import re

import jiter

from nsm_gate.model import At, Entry, Json, Line, Malformed
from nsm_gate.scanner import MAX_DEPTH, Fault, Place, Scanner

MAX_LINE = 1 << 20

_BOM = b"\xef\xbb\xbf"
_CONFLICT = re.compile(rb"(?:<{7}|>{7}|\|{7})(?: |$)|={7}\r?$")
# 200 digits with a two-digit exponent stay below 1.8e308, so nothing else can be infinite. Every digit is
# made a 0 first: looking for plain text takes a tenth of the time of a pattern.
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_MAYBE_INFINITE = (b"e000", b"e+000", b"0" * 200)
_TORN = "line is torn: it ends inside {}"
_INTERRUPTED = "a writer was interrupted: remove the line, or log the run again"
_UTF_16 = "the file looks like UTF-16: save it as UTF-8"


def split(data: bytes) -> tuple[list[bytes], bool]:
    r"""Return the lines of a text without their newlines, and whether the last one has its own.

    Splits on `\n` only, as `nsm_gate.lines` does over the bytes of a log.
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
    if not raw.strip():
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
    zeros = raw.translate(_DIGITS)
    if any(sign in zeros for sign in _MAYBE_INFINITE) and _has_infinity(value):
        return _explain(line, "a number is infinite")
    return Entry(line, value)


def text(raw: bytes) -> str:
    """Return a line's text for display, with U+FFFD for what is not UTF-8."""
    return raw.decode(errors="replace")


def places(raw: bytes) -> dict[str, Place]:
    """Return the columns of every value of a line, by JSON pointer: up to its fault, where it has one."""
    found: dict[str, Place] = {}
    with contextlib.suppress(Fault):
        found.update(Scanner(text(raw)).run())
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
        decoded = raw.decode()
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode()) + 1
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
        for _ in Scanner(decoded).run():
            pass
    except Fault as fault:
        if fault.torn and not line.terminated:
            fault.reason = _TORN.format(fault.torn)
            fault.hint = _INTERRUPTED
        if "\0" in decoded[:4]:
            fault.hint = _UTF_16
        return Malformed(line, fault.rule, fault.reason, fault.hint, fault.column, fault.end)
    return Malformed(line, "invalid-json", refusal, "write one JSON object a line", 1, 2)
