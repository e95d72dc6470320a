"""How an entry is laid out, for those who ask for it: the order of its members, and its white space.

Values, names, numbers and escapes stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from nsm_gate.edits import Edit, Fix
from nsm_gate.model import Line
from nsm_gate.nouns import Any
from nsm_gate.scanner import Place
from nsm_gate.schema import resolved

ORDER = "member-order"
SPACING = "spacing"

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|([ \t\r]+)|([:,])')


def spacing(line: Line, text: str) -> Fix | None:
    """Return the fix that leaves one space behind each colon and comma, and no other."""
    made = _TOKEN.sub(_spaced, text)
    return _whole(line, text, made, "one space behind each colon and comma, and no other")


def _spaced(found: re.Match[str]) -> str:
    string, _space, sign = found.groups()
    return string or (f"{sign} " if sign else "")


def order(line: Line, text: str, found: Mapping[str, Place], schema: Mapping[str, Any]) -> Fix | None:
    """Return the fix that puts members into the order of the schema; those that it does not know go last.

    Args:
        line: The line.
        text: The line, decoded.
        found: The places of its values, by JSON pointer.
        schema: The JSON Schema of its log kind.
    """
    inner: dict[str, list[str]] = {}
    # Values come in the order in which they end, so that those of one object are in its order.
    for where in found:
        if where:
            inner.setdefault(where.rpartition("/")[0], []).append(where)
    made = _Layout(text, found, inner, schema).value("", schema)
    start, end = found[""].value
    return _whole(line, text, text[: start - 1] + made + text[end - 1 :], "members in the schema's order")


class _Layout:
    """Writes values again, with their members in order. As deep as an entry may nest."""

    def __init__(
        self,
        text: str,
        found: Mapping[str, Place],
        inner: Mapping[str, list[str]],
        schema: Mapping[str, Any],
    ) -> None:
        self.text = text
        self.found = found
        self.inner = inner
        self.schema = schema

    def value(self, where: str, node: Any) -> str:
        """Return what stands at a pointer; between members, what stood there stays."""
        start, end = self.found[where].value
        children = self.inner.get(where, [])
        if not children:
            return self.text[start - 1 : end - 1]
        node = resolved(node, self.schema)
        declared = node.get("properties")
        members = declared if isinstance(declared, Mapping) else {}
        names = [_name(child) for child in children]
        chunks = [
            self.member(child, members.get(name) if self.found[child].name else node.get("items"))
            for child, name in zip(children, names, strict=True)
        ]
        if self.found[children[0]].name is not None:
            rank = {name: number for number, name in enumerate(members)}
            after = len(rank)
            chunks = [chunks[i] for i in sorted(range(len(chunks)), key=lambda i: rank.get(names[i], after))]
        parts = [self.text[start - 1 : self.start(children[0])]]
        for number, child in enumerate(children):
            stop = self.start(children[number + 1]) if number + 1 < len(children) else end - 1
            parts += [chunks[number], self.text[self.found[child].value[1] - 1 : stop]]
        return "".join(parts)

    def member(self, where: str, node: Any) -> str:
        place = self.found[where]
        return self.text[self.start(where) : place.value[0] - 1] + self.value(where, node)

    def start(self, where: str) -> int:
        """Return where a member begins, by its name, or an item by its value, from 0."""
        place = self.found[where]
        return (place.name or place.value)[0] - 1


def _name(where: str) -> str:
    return where.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _whole(line: Line, text: str, made: str, message: str) -> Fix | None:
    if made == text:
        return None
    return Fix(True, message, (Edit(line.number, 1, len(text) + 1, made),))
