"""An entry has no members that its format does not know.

Why: a misspelt name is a value that nobody reads. In objects that take further members (hyperparameters,
architecture, metrics) only a name that is almost a known one is reported.
Fix: rename it, or add it to the schema.
Example: `"finding": "..."` instead of `"findings"`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import At, Problem, Severity
from nsm_gate.pointers import pointer


def run(subject: Subject) -> Iterator[Problem]:
    """Yield unknown members of closed objects, and near misses in open ones."""
    record = subject.record
    metrics = {m for d in subject.policy.domains.values() for m in d.metrics}
    schema = subject.validator.schema
    pending: list[tuple[Any, Any, tuple[str, ...]]] = [(record.entry.value, schema, ())]
    while pending:
        value, node, path = pending.pop()
        node = _resolved(node, schema)
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
            near = difflib.get_close_matches(member, absent if not closed else list(properties), n=1)
            if not closed and not (near and _slip(member, near[0])):
                continue
            where = ".".join(path) or "the entry"
            fact = (
                f"{where} has no member {member!r}"
                if closed
                else f"{member!r} is not a known member of {where}"
            )
            hint = f"did you mean {near[0]!r}?" if near else "remove it, or add it to the schema"
            yield Problem(
                "unknown-field", fact, hint, record.line, pointer=pointer(*path, member), at=At.NAME
            )


def _resolved(node: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(16):
        if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
            break
        target: Any = root
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target.get(step) if isinstance(target, Mapping) else None
        node = {
            **(target if isinstance(target, Mapping) else {}),
            **{k: v for k, v in node.items() if k != "$ref"},
        }
    return node if isinstance(node, Mapping) else {}


def _slip(word: str, other: str) -> bool:
    """Return whether two names differ by case and underscores, or by one letter or a swap of two."""
    one, two = (w.replace("_", "").replace("-", "").lower() for w in (word, other))
    if one == two:
        return True
    if len(word) < 4 or abs(len(one) - len(two)) > 1:
        return False
    if len(one) == len(two):
        apart = [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
        swap = len(apart) == 2 and one[apart[0]] == two[apart[1]] and one[apart[1]] == two[apart[0]]
        digits = any(one[i].isdigit() or two[i].isdigit() for i in apart)
        return (len(apart) == 1 or swap) and not digits
    long, short = (one, two) if len(one) > len(two) else (two, one)
    return any(long[:i] + long[i + 1 :] == short and not long[i].isdigit() for i in range(len(long)))


CHECK = EntryCheck("unknown-field", __doc__, Severity.WARNING, run, owns=True)
