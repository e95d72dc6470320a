"""An entry has no members that its format does not know.

Why: a misspelt name is a value that nobody reads. In objects that take further members (hyperparameters,
architecture, metrics) only a name that is almost a known one is reported, and only where the known one
is absent.
Fix: rename it, or add it to the schema.
Example: `"finding": "..."` instead of `"findings"`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import At, Problem, Severity
from nsm_gate.names import is_slip, nearest
from nsm_gate.nouns import Any
from nsm_gate.pointers import pointer, show
from nsm_gate.records import Record
from nsm_gate.schema import resolved


def run(subject: Subject) -> Iterator[Problem]:
    """Yield unknown members of closed objects, and near misses in open ones."""
    record, schema = subject.record, subject.record.kind.schema
    metrics = {m for d in subject.policy.domains.values() for m in d.metrics}
    for flaw in subject.flaws:
        steps = tuple(_steps(flaw.pointer)) if flaw.is_unknown_member else ()
        # A domain may bring metrics of its own.
        if steps and not (steps[:-1] == record.kind.run and steps[-1] in metrics):
            options, present = _declared(record.entry.value, schema, steps[:-1])
            near = nearest(steps[-1], [name for name in options if name not in present])
            near = near or nearest(steps[-1], [name for name in options if is_slip(steps[-1], name)])
            hint = f"did you mean {near!r}?" if near else "remove it, or add it to the schema"
            yield Problem("unknown-field", flaw.message, hint, record.line, pointer=flaw.pointer, at=At.NAME)
    yield from _near_misses(record, schema)


def _steps(where: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in where.split("/")[1:]]


def _declared(value: Any, schema: Mapping[str, Any], path: Sequence[str]) -> tuple[list[str], set[str]]:
    """Return the members that the schema declares at a path, and those that the entry has there."""
    node = resolved(schema, schema)
    for step in path:
        inner = node.get("properties", {}).get(step) if isinstance(node.get("properties"), Mapping) else None
        node = resolved(node.get("items") if inner is None and step.isdigit() else inner, schema)
        if isinstance(value, list):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    members = node.get("properties")
    return list(members) if isinstance(members, Mapping) else [], set(value) if isinstance(
        value, dict
    ) else set()


def _near_misses(record: Record, schema: Mapping[str, Any]) -> Iterator[Problem]:
    members = _members(schema)
    pending: list[tuple[Any, Any, tuple[str, ...]]] = [(record.entry.value, schema, ())]
    while pending:
        value, node, path = pending.pop()
        properties, is_open = members(node)
        for member, inner in value.items():
            if member in properties:
                if isinstance(inner, dict):
                    pending.append((inner, properties[member], (*path, member)))
                continue
            absent = [name for name in properties if name not in value] if is_open else []
            near = next((name for name in absent if is_slip(member, name)), None)
            if near:
                fact = f"{show(member)} is not a known member of {'.'.join(path) or 'the entry'}"
                hint = f"did you mean {near!r}?"
                where = pointer(*path, member)
                yield Problem("unknown-field", fact, hint, record.line, pointer=where, at=At.NAME)


_Members = tuple[Mapping[str, Any], bool]
_KNOWN: dict[int, tuple[Mapping[str, Any], dict[int, _Members]]] = {}
"""Schema -> it, and for each of its nodes that was asked for, the members that it declares and whether it
takes others. Both are held by their identity: they live as long as the schema does."""


def _members(schema: Mapping[str, Any]) -> Callable[[Any], _Members]:
    """Return what tells the declared members of a node of a schema, and whether it takes others."""
    kept = _KNOWN.get(id(schema))
    if kept is None or kept[0] is not schema:
        kept = _KNOWN[id(schema)] = (schema, {})
    known = kept[1]

    def of(node: Any) -> _Members:
        found = known.get(id(node))
        if found is None:
            whole = resolved(node, schema)
            declared = whole.get("properties")
            is_open = whole.get("additionalProperties", True) is not False
            found = known[id(node)] = (declared, is_open) if isinstance(declared, Mapping) else ({}, False)
        return found

    return of


CHECK = EntryCheck("unknown-field", __doc__, Severity.WARNING, run, owns=True)
