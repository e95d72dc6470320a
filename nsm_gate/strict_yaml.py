"""YAML, made strict: plain data with places, and nothing that can surprise or explode.

Works on libyaml's events, so no constructor runs: no tags, anchors, aliases or merge keys; `1e-3` is a
number, `off` and `12:30` are strings; duplicate keys and keys that are not strings are mistakes. Every
node keeps its file, line and column. See https://yaml.org/spec/1.2.2/#103-core-schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import yaml

from nsm_gate.errors import GateError
from nsm_gate.nouns import Any, dataclass, field

MAX_BYTES = 256 * 1024
MAX_EVENTS = 20_000
MAX_SCALAR = 10_000
MAX_DEPTH = 32

_INTEGER = re.compile(r"[-+]?[0-9]{1,40}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_LITERALS: dict[str, Any] = {
    "true": True, "True": True, "false": False, "False": False,
    "null": None, "Null": None, "~": None, "": None,
}  # fmt: skip
_SWALLOWED = re.compile(r":\s*(>)\s*[^\s>]")
_BREAKS = re.compile("[\x85\u2028\u2029]")


@dataclass(slots=True)
class Node:
    """A YAML value and where it stands.

    Attributes:
        value: A scalar, or a list of Nodes, or a dict from key to Node.
        path: The file.
        line: From 1.
        column: From 1.
        block: Whether it is a block scalar (`|` or `>`).
        keys: For a mapping, the place of each key: name -> (line, column).
        text: A scalar as it is written: `0.40` where the value is 0.4.
        quoted: Whether the scalar stands in quotes.
    """

    value: Any
    path: str
    line: int
    column: int
    block: bool = False
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    text: str = ""
    quoted: bool = False

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def error(self, message: str, hint: str = "", offset: int = 0) -> GateError:
        """Return a mistake at this place."""
        return GateError(message, hint, self.path, self.line, self.column + offset)

    def inside(self, message: str, hint: str, column: int) -> GateError:
        """Return a mistake inside a scalar's text, at a column of it from 1.

        A folded text has no columns of its own: then the scalar is pointed at.
        """
        whole = self.block or "\n" in self.text
        return self.error(message, hint, 0 if whole else column - 1 + self.quoted)

    def get(self, key: str) -> Node | None:
        """Return a member of a mapping, if it is there."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield the members of a mapping; nothing for other values."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def at(self, *steps: str | int) -> Node:
        """Return the deepest node that exists along a path of keys and indices."""
        node = self
        for step in steps:
            inner = node.value
            if isinstance(inner, dict) and step in inner:
                node = inner[str(step)]
            elif isinstance(inner, list) and isinstance(step, int) and step < len(inner):
                node = inner[step]
            else:
                break
        return node


def load(data: bytes, path: str) -> tuple[Node | None, list[GateError]]:
    """Return the document's root, or None, and every mistake that was found."""
    if len(data) > MAX_BYTES:
        return None, [GateError(f"file is over {MAX_BYTES // 1024} KiB", "split it", path)]
    try:
        source = data.decode("utf-8")
    except UnicodeDecodeError:
        return None, [GateError("file is not UTF-8", "save it as UTF-8", path)]
    hidden = _BREAKS.search(source)
    if hidden:
        # libyaml breaks lines there, editors and reviewers' diffs do not: a comment could set a key.
        before = source[: hidden.start()]
        line, column = before.count("\n") + 1, hidden.start() - before.rfind("\n")
        fact = f"line separator U+{ord(hidden[0]):04X}"
        return None, [GateError(fact, "end lines with a newline", path, line, column)]
    reader = _Reader(path)
    try:
        for event in yaml.parse(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            reader.take(event)
    except GateError as error:
        return None, [*reader.errors, error]
    except yaml.MarkedYAMLError as error:
        return None, [*reader.errors, _broken(error, source, path)]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, [*reader.errors, GateError(f"not YAML: {str(error).splitlines()[0]}", "", path)]
    if reader.root is None and not reader.errors:
        return Node({}, path, 1, 1), []
    return reader.root, reader.errors


def _broken(error: yaml.MarkedYAMLError, source: str, path: str) -> GateError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    rows = source.split("\n")
    for number in (line, line - 1):
        row = rows[number - 1] if 0 < number <= len(rows) else ""
        swallowed = _SWALLOWED.search(row)
        if swallowed:
            return GateError(
                "YAML takes an unquoted > for a block of text",
                'put the test in quotes, "> 0.55", or write {above: 0.55}',
                path, number, swallowed.start(1) + 1,
            )  # fmt: skip
    problem = " ".join(str(error.problem or "cannot be read").split())
    if "maximum nesting depth" in problem:  # libyaml's own, which looks ahead of the events
        return GateError(f"nested deeper than {MAX_DEPTH}", "flatten it", path, line, column)
    hint = "put a text that holds : # , [ ] { } or quotes in single quotes, and indent alike"
    return GateError(f"not YAML: {problem}", hint, path, line, column)


class _Reader:
    """Builds nodes from events, with the limits checked before anything grows."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root: Node | None = None
        self.errors: list[GateError] = []
        self.stack: list[tuple[Node, Node | None]] = []
        self.events = 0

    def take(self, event: Any) -> None:
        self.events += 1
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if self.events > MAX_EVENTS:
            raise GateError(f"over {MAX_EVENTS:,} values", "split the file", self.path, line, column)
        if getattr(event, "anchor", None) is not None:
            raise GateError(
                "anchors and aliases are not allowed", "repeat the value", self.path, line, column
            )
        if getattr(event, "tag", None) is not None:
            raise GateError("tags are not allowed", "remove the tag", self.path, line, column)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self.stack) == MAX_DEPTH:
                raise GateError(f"nested deeper than {MAX_DEPTH}", "flatten it", self.path, line, column)
            empty: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self.stack.append((Node(empty, self.path, line, column), None))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self.add(self.stack.pop()[0])
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_SCALAR:
                raise GateError(f"text over {MAX_SCALAR:,} characters", "shorten it", self.path, line, column)
            plain = event.style is None or event.style == ""
            value = _resolve(event.value) if plain else event.value
            self.add(
                Node(
                    value,
                    self.path,
                    line,
                    column,
                    event.style in ("|", ">"),
                    text=event.value,
                    quoted=event.style in ("'", '"'),
                )
            )
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise GateError("a second document", "write one document a file", self.path, line, column)

    def add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent, key = self.stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif key is None:
            self.stack[-1] = (parent, node)
        else:
            self.stack[-1] = (parent, None)
            self.member(parent, key, node)

    def member(self, parent: Node, key: Node, node: Node) -> None:
        if not isinstance(key.value, str):
            self.errors.append(key.error("a key is not text", "put it in quotes"))
        elif key.value == "<<":
            self.errors.append(key.error("merge keys are not allowed", "repeat the members"))
        elif key.value in parent.value:
            first = parent.keys[key.value][0]
            self.errors.append(key.error(f"key {key.value!r} is already set on line {first}", "keep one"))
        else:
            parent.value[key.value] = node
            parent.keys[key.value] = (key.line, key.column)


def _resolve(text: str) -> Any:
    if text in _LITERALS:
        return _LITERALS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
