"""What a log kind's schema allows at the places that names of the rules stand for.

What a schema says in a way that is not followed here (conditions, negations, patterns) rules nothing out.
"""

from __future__ import annotations

from collections.abc import Mapping

from nsm_gate.lint.ranges import ANYTHING, MISSING, NUMBER, TEXT, TRUTH, Range, Values, lone
from nsm_gate.model import Path
from nsm_gate.nouns import Any, dataclass, replace
from nsm_gate.pointers import COUNT
from nsm_gate.policy import LogKind, Policy, Reference
from nsm_gate.values import decimal, is_number

_DEEPEST = 100
_SORTS = {
    "number": NUMBER,
    "integer": Values(numbers=(Range(whole=True),)),
    "string": TEXT,
    "boolean": TRUTH,
    "null": MISSING,
    "object": Values(objects=True),
    "array": Values(items=ANYTHING.items),
}
_LEGACY = ("draft-03", "draft-04", "draft-06", "draft-07")


@dataclass(frozen=True, slots=True)
class Declared:
    """The values that names may have in the runs of one log kind."""

    kind: LogKind
    policy: Policy
    references: Mapping[str, Reference]

    def of(self, name: tuple[str, ...]) -> Values:
        """Return what a name of the rules may stand for; there may always be no value."""
        reference = self.references.get(name[0])
        if reference is not None:
            other = self.policy.logs.get(reference.log)
            if len(name) == 1 or other is None:
                return MISSING
            return Declared(other, self.policy, {}).of(name[1:])
        found = Values()
        for place in self._places(name):
            found = found.join(self.at(place))
        return replace(found, missing=True)

    def _places(self, name: tuple[str, ...]) -> tuple[Path, ...]:
        kind = self.kind
        if name[0] == "entry":
            return (name[1:],)
        if COUNT in name:
            return (kind.rates[name[-1]],) if name[-1] in kind.rates else ()
        return kind.names.get(name[0], (kind.run + name,)) if len(name) == 1 else (kind.run + name,)

    def at(self, place: Path) -> Values:
        """Return what may stand at a path from the entry's root."""
        schema = self.kind.schema
        return _at(schema, place, _Schema(schema), 0)


class _Schema:
    """A schema's root, for its references."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        # A part is looked at once a path: parts that name each other would explode, or never end.
        self.seen: dict[tuple[int, Path], Values] = {}
        # Up to draft 7, what stands beside $ref counts for nothing.
        self.alone = any(word in str(root.get("$schema", "")) for word in _LEGACY)

    def follow(self, reference: str) -> Any:
        """Return what a local reference leads to; True where that cannot be told."""
        node: Any = self.root
        if reference == "#":
            return node
        if not reference.startswith("#/") or "%" in reference:
            return True
        for step in reference[2:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and step in node and "$id" not in node.get(step, ()):
                node = node[step]
            else:
                return True
        return node

    def parts(self, node: Mapping[str, Any]) -> tuple[list[Any], list[list[Any]], bool]:
        """Return the subschemas that hold beside a node, groups of which one holds, and if it counts."""
        target = node.get("$ref")
        beside = [self.follow(target)] if isinstance(target, str) else []
        if beside and self.alone:
            return beside, [], False
        groups = [node[key] for key in ("anyOf", "oneOf") if isinstance(node.get(key), list)]
        every = node.get("allOf")
        return [*beside, *(every if isinstance(every, list) else ())], groups, True


def _at(node: Any, path: Path, schema: _Schema, depth: int) -> Values:
    """Return what may stand at a path below a subschema. A path over a list plucks."""
    if node is False:
        return Values()
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return ANYTHING
    key = (id(node), path)
    if key not in schema.seen:
        schema.seen[key] = ANYTHING  # where it meets itself
        schema.seen[key] = _looked_up(node, path, schema, depth)
    return schema.seen[key]


def _looked_up(node: Mapping[str, Any], path: Path, schema: _Schema, depth: int) -> Values:
    beside, groups, counts = schema.parts(node)
    found = ANYTHING
    if counts:
        found = _member(node, path, schema, depth) if path else _whole(node, schema, depth)
    for part in beside:
        found = found.meet(_at(part, path, schema, depth + 1))
    for group in groups:
        either = Values()
        for part in group:
            either = either.join(_at(part, path, schema, depth + 1))
        found = found.meet(either)
    return found


def _member(node: Mapping[str, Any], path: Path, schema: _Schema, depth: int) -> Values:
    own = _own(node)
    found = MISSING
    if own.objects:
        members = node.get("properties")
        members = members if isinstance(members, Mapping) else {}
        if path[0] in members:
            inner = members[path[0]]
        else:
            inner = True if node.get("patternProperties") else node.get("additionalProperties", True)
        found = found.join(_at(inner, path[1:], schema, depth + 1))
    if own.items is not None:
        inner = node.get("items", True) if not node.get("prefixItems") else True
        found = found.join(Values(items=_at(inner, path, schema, depth + 1)))
    return found


def _whole(node: Mapping[str, Any], schema: _Schema, depth: int) -> Values:
    own = _own(node)
    if own.items is None or "items" not in node or "prefixItems" in node:
        return own
    return replace(own, items=_at(node["items"], (), schema, depth + 1))


def _own(node: Mapping[str, Any]) -> Values:
    """Return what a subschema's own keywords allow."""
    sorts = node.get("type")
    sorts = [sorts] if isinstance(sorts, str) else sorts
    found = ANYTHING
    if isinstance(sorts, list):
        found = Values()
        for sort in sorts:
            found = found.join(_SORTS.get(sort, ANYTHING))
    options = [node["const"]] if "const" in node else node.get("enum")
    if isinstance(options, list):
        allowed = Values()
        for option in options:
            allowed = allowed.join(lone(option))
        found = found.meet(replace(allowed, items=ANYTHING.items if allowed.items is not None else None))
    bounds = replace(ANYTHING, numbers=(_bounds(node),))
    return found.meet(bounds) if bounds.numbers != (Range(),) else found


def _bounds(node: Mapping[str, Any]) -> Range:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    found = Range()
    if is_number(low):
        found = found.meet(Range(low=decimal(low), low_in=above is not True)) or found
    if is_number(high):
        found = found.meet(Range(high=decimal(high), high_in=below is not True)) or found
    if is_number(above):
        found = found.meet(Range(low=decimal(above), low_in=False)) or found
    if is_number(below):
        found = found.meet(Range(high=decimal(below), high_in=False)) or found
    return found
