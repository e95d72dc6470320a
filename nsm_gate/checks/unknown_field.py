"""An entry has no members that its format does not know.

Why: a misspelt name is a value that nobody reads. In objects that take further members (hyperparameters,
architecture, metrics) only a name that is almost a known one is reported, and only where the known one
is absent.
Fix: rename it, or add it to the schema.
Example: `"finding": "..."` instead of `"findings"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import At, Problem, Severity
from nsm_gate.names import is_slip, nearest
from nsm_gate.pointers import pointer
from nsm_gate.schema import resolved


def run(subject: Subject) -> Iterator[Problem]:
    """Yield unknown members of closed objects, and near misses in open ones."""
    record = subject.record
    metrics = {m for d in subject.policy.domains.values() for m in d.metrics}
    schema = subject.validator.schema
    pending: list[tuple[Any, Any, tuple[str, ...]]] = [(record.entry.value, schema, ())]
    while pending:
        value, node, path = pending.pop()
        node = resolved(node, schema)
        properties = node.get("properties")
        if not isinstance(value, dict) or not isinstance(properties, Mapping):
            continue
        closed = node.get("additionalProperties") is False
        for member, inner in value.items():
            if member in properties:
                pending.append((inner, properties[member], (*path, member)))
                continue
            if path == record.kind.run and member in metrics:
                continue
            absent = [name for name in properties if name not in value]
            near = nearest(member, absent)
            if near is None and closed:
                near = nearest(member, [name for name in properties if is_slip(member, name)])
            if not closed and not (near and is_slip(member, near)):
                continue
            where = ".".join(path) or "the entry"
            fact = (
                f"{where} has no member {member!r}"
                if closed
                else f"{member!r} is not a known member of {where}"
            )
            hint = f"did you mean {near!r}?" if near else "remove it, or add it to the schema"
            yield Problem(
                "unknown-field", fact, hint, record.line, pointer=pointer(*path, member), at=At.NAME
            )


CHECK = EntryCheck("unknown-field", __doc__, Severity.WARNING, run, owns=True)
