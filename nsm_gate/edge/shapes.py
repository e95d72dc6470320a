"""What our own YAML looks like: held against the schemas that the package ships for it."""

from __future__ import annotations

from collections.abc import Mapping

import jiter

from nsm_gate.edge import packs
from nsm_gate.errors import GateError
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any
from nsm_gate.schema import Validator
from nsm_gate.strict_yaml import Node
from nsm_gate.whereabouts import HERE


def own_schema(name: str) -> Mapping[str, Any]:
    """Return one of the schemas of our own YAML."""
    data = packs.schema(name)
    if data is None:
        raise GateError(f"{name} is missing from this installation", "reinstall nsm-gate")
    schema: Mapping[str, Any] = jiter.from_json(data)
    return schema


def check_shape(root: Node, validator: Validator) -> list[GateError]:
    """Return how a file breaks the schema of our own YAML, each with its place."""
    mistakes = []
    schema = validator.schema
    with HERE.busy(f"the shape of {root.path}"):
        flaws = list(validator.flaws(root.plain()))
    for flaw in flaws:
        steps: list[str | int] = [
            int(step) if step.isascii() and step.isdigit() else step for step in _steps(flaw.pointer)
        ]
        node = root.at(*steps)
        hint = flaw.hint
        if flaw.member and flaw.keyword != "required":
            parent = root.at(*steps[:-1])
            options = _members(schema, [str(s) for s in steps[:-1]])
            line, column = parent.keys.get(flaw.member, (node.line, node.column))
            hint = suggestion(flaw.member, options) or flaw.hint
            if any(char in flaw.member for char in "()<>=") and parent.value[flaw.member].value is None:
                hint = "inside { } a comma ends the value: put the expression before it in quotes"
            mistakes.append(GateError(flaw.message, hint, root.path, line, column))
            continue
        if node.block and node.value in ("", None):
            hint = 'an unquoted > begins a block of text: put the test in quotes, "> 1"'
        mistakes.append(GateError(flaw.message, hint, node.path, node.line, node.column))
    return mistakes


def _steps(where: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in where.split("/")[1:]]


def _members(schema: Mapping[str, Any], steps: list[str]) -> list[str]:
    """Return the member names that our own schemas declare at a place, for suggestions."""
    found: set[str] = set()
    pending: list[tuple[Any, list[str]]] = [(schema, steps)]
    while pending:
        node, rest = pending.pop()
        if not isinstance(node, Mapping):
            continue
        if "$ref" in node:
            pending.append((schema["$defs"][str(node["$ref"]).rpartition("/")[2]], rest))
        pending += [(item.get("then"), rest) for item in node.get("allOf", ())]
        pending.append((node.get("then"), rest))
        if not rest:
            found.update(node.get("properties", ()))
        elif rest[0] in node.get("properties", ()):
            pending.append((node["properties"][rest[0]], rest[1:]))
        else:
            pending.append((node.get("additionalProperties"), rest[1:]))
            pending.append((node.get("items"), rest[1:]))
    return sorted(found)
