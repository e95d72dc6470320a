"""Every name that an expression reads is held against the schema of the log kinds it applies to.

A name that no run can have makes a criterion unknown for ever: an unknown member of a closed object, or
a near miss of a declared name in an open one, is a mistake of the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nsm_gate.model import Path
from nsm_gate.names import is_slip, nearest
from nsm_gate.policy import LogKind, Reference
from nsm_gate.schema import resolved

Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What names mean in one log kind.

    Attributes:
        logs: All log kinds, for references.
        references: Those that are in reach of the expression.
        metrics: Members of the run that domains declare.
    """

    kind: LogKind
    logs: Mapping[str, LogKind]
    references: Mapping[str, Reference]
    metrics: Collection[str]

    def fault(self, name: Name) -> tuple[str, str] | None:
        """Return what is wrong with a name, and the remedy; None where nothing is."""
        head = name[0]
        if head in self.references:
            other = self.logs.get(self.references[head].log)
            if other is None or len(name) == 1:
                return None
            return Names(other, self.logs, {}, self.metrics).fault(name[1:])
        if head == "this":
            return None if len(name) == 1 else Names(self.kind, self.logs, {}, self.metrics).fault(name[1:])
        if len(name) == 1 and (head in self.kind.names or head in self.metrics):
            return None
        if head == "entry":
            return self._walk((), name[1:])
        return self._walk(self.kind.run, name)

    def _walk(self, start: Path, name: Sequence[str]) -> tuple[str, str] | None:
        schema = self.kind.schema
        node = resolved(schema, schema)
        for member in start:
            node = resolved(node.get("properties", {}).get(member), schema)
        for depth, member in enumerate(name):
            node = _item(node, schema)
            members: Mapping[str, Any] = node.get("properties") or {}
            if member not in members:
                return self._missing(node, members, name, depth)
            node = resolved(members[member], schema)
        return None

    def _missing(
        self, node: Mapping[str, Any], members: Mapping[str, Any], name: Sequence[str], depth: int
    ) -> tuple[str, str] | None:
        member, shown = name[depth], ".".join(name)
        words = [*members, *self.kind.names, *self.references] if depth == 0 else list(members)
        near = nearest(member, words)
        closed = node.get("additionalProperties") is False
        if not closed and not (near and is_slip(member, near)):
            return None
        hint = "add it to the schema, to names: of the log kind or to metrics: of a domain"
        if near:
            hint = f"did you mean {'.'.join((*name[:depth], near))!r}?"
        return f"{self.kind.name} has no {shown!r}", hint


def _item(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a list's items, since a path over a list plucks."""
    if "properties" not in node and "items" in node:
        return resolved(node["items"], schema)
    return node
