"""What a JSON Schema, and the lines at hand, say of the shape of an entry.

Each member of an object becomes a slot: a local variable of the compiled proof. Members that an open object
has and its schema does not name are learned from lines that were decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from nsm_gate.model import Path
from nsm_gate.proofs.learned import Learned, kind_of

KINDS = frozenset({"null", "boolean", "integer", "number", "string", "object", "array"})
SILENT = frozenset(
    {
        "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "examples", "default",
        "deprecated", "readOnly", "writeOnly", "$ref",
    }
)  # fmt: skip
"""Keywords that refuse nothing by themselves (`$ref` is followed)."""

_NUMBERS = frozenset({"integer", "number"})
_NUMERIC = _NUMBERS | {"null"}

_MOST_SLOTS = 400


class Unsupported(Exception):
    """The schema, or the shape of the lines, is beyond what is compiled."""


class Slot(NamedTuple):
    """A place that holds a value.

    Attributes:
        path: From the entry's root; of an item of a list, from the item.
        name: The local variable of the proof.
        kinds: JSON types that the value may have.
        optional: Whether the member may be absent.
        sure: Whether the object that holds it is always there.
        nodes: Schemas that hold for the value without a condition.
        object: Its members, where it may be an object.
        recurs: Whether it is an object that holds the same values in many lines.
        item: What its items are, where it may be a list.
        strays: Those of the types that the schema refuses: once each, and nothing else follows from it.
    """

    path: Path
    name: str
    kinds: frozenset[str]
    optional: bool
    sure: bool
    nodes: tuple[Mapping[str, Any], ...]
    object: Object | None
    item: Slot | None
    recurs: bool = False
    strays: frozenset[str] = frozenset()

    @property
    def known(self) -> str:
        """Return code that holds where the slot has a value other than null."""
        tests = [f"{self.name} is not None"] if "null" in self.kinds else []
        if self.optional or not self.sure:
            tests.append(f"{self.name} is not U")
        return f"({' and '.join(tests)})" if tests else "True"

    @property
    def stray(self) -> str:
        """Return code that holds where the slot has a value that the schema refuses."""
        return f"({self.name}.__class__ is str)" if self.strays else "False"


class Object(NamedTuple):
    """An object.

    Attributes:
        number: Of the object in its outline.
        slots: In the order of its members.
        nodes: Schemas that hold for it without a condition.
        required: Members that a schema requires, and decoding does not.
    """

    number: int
    slots: tuple[Slot, ...]
    nodes: tuple[Mapping[str, Any], ...]
    required: tuple[str, ...]

    def get(self, member: str) -> Slot | None:
        """Return the slot of a member."""
        return next((slot for slot in self.slots if slot.path[-1] == member), None)


def flat(node: Any, root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a schema and those that it refers to: all of them hold."""
    found: list[Mapping[str, Any]] = []
    while True:
        if node is True:
            return found
        if not isinstance(node, Mapping) or len(found) > 16:
            raise Unsupported("a schema that refuses everything, or refers in circles")
        found.append(node)
        reference = node.get("$ref")
        if reference is None:
            return found
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise Unsupported(f"a reference to {reference!r}")
        node = root
        for step in reference[2:].split("/"):
            node = node.get(step) if isinstance(node, Mapping) else None


class Outline:
    """The shape of a log kind's entries."""

    def __init__(
        self,
        schema: Mapping[str, Any],
        learned: Learned,
        asked: Collection[Path] = frozenset(),
        computed: Collection[Path] = frozenset(),
    ) -> None:
        """Lay the shape out; Unsupported where it cannot be.

        Args:
            schema: The log kind's.
            learned: What the lines look like.
            asked: Members that a check of its own asks for: a line without them decodes all the same.
            computed: Members whose type decides more than whether the schema takes them.
        """
        if learned.is_full:
            raise Unsupported("too many members")
        self.schema = schema
        self._asked = asked
        self._computed = computed
        self._learned = learned
        self._count = 0
        self.objects: list[Object] = []
        self._pending: set[int] = set()
        root = self._slot((), flat(schema, schema), False, (), sure=True)
        if root.object is None or root.kinds != {"object"}:
            raise Unsupported("an entry that is no object")
        self.root = root.object

    def find(self, path: Sequence[str]) -> Slot | None:
        """Return the slot at a path of members, or None where there is none."""
        at: Object | None = self.root
        slot = None
        for member in path:
            slot = at.get(member) if at is not None else None
            if slot is None:
                return None
            at = slot.object
        return slot

    def _slot(
        self, path: Path, nodes: Sequence[Mapping[str, Any]], optional: bool, seen: Path, *, sure: bool
    ) -> Slot:
        self._count += 1
        if self._count > _MOST_SLOTS or len(seen) > 16:
            raise Unsupported("too many members")
        kinds = _kinds(nodes)
        observed = self._learned.kinds.get(seen, set())
        if kinds is None:
            # Nothing says what it is: what the lines have.
            kinds = frozenset(observed)
        if "integer" in kinds and "number" in kinds:
            kinds = kinds - {"integer"}
        strays = self._strays(path, nodes, kinds, seen) & observed
        kinds |= strays
        name = f"v{self._count}"
        inner = item = None
        if "object" in kinds:
            inner = self._object(path, nodes, seen, sure=sure and not optional and kinds == {"object"})
        if "array" in kinds:
            items = [part for node in nodes for part in flat(node.get("items", True), self.schema)]
            if any("prefixItems" in node for node in nodes):
                raise Unsupported("prefixItems")
            item = self._slot((), items, False, (*seen, "*"), sure=False)
            if item.item is not None:
                raise Unsupported("a list of lists")
        recurs = inner is not None and self._learned.recurs(seen)
        return Slot(path, name, kinds, optional, sure, tuple(nodes), inner, item, recurs, strays)

    def _strays(
        self, path: Path, nodes: Sequence[Mapping[str, Any]], kinds: frozenset[str], seen: Path
    ) -> frozenset[str]:
        """Return types that a line may have here all the same, since one flaw is all that they give.

        That is a number written as text, the commonest of all wrong types.
        """
        once = sum("type" in node for node in nodes) == 1
        # What a list holds has no place of its own.
        if not once or "*" in seen or path in self._computed:
            return frozenset()
        return frozenset({"string"}) if kinds <= _NUMERIC and kinds & _NUMBERS else frozenset()

    def _object(self, path: Path, nodes: Sequence[Mapping[str, Any]], seen: Path, *, sure: bool) -> Object:
        declared: dict[str, list[Mapping[str, Any]]] = {}
        required: set[str] = set()
        closed = False
        rest: list[Mapping[str, Any]] = []
        for node in nodes:
            if {"patternProperties", "propertyNames", "unevaluatedProperties"} & set(node):
                raise Unsupported("names of members by pattern")
            required.update(node.get("required", ()))
            for member, inner in node.get("properties", {}).items():
                declared.setdefault(member, []).extend(flat(inner, self.schema))
            others = node.get("additionalProperties", True)
            if others is False:
                closed = True
            elif others is not True:
                rest += flat(others, self.schema)
        if closed and any(
            "properties" in n for n in nodes if n.get("additionalProperties", True) is not False
        ):
            raise Unsupported("a closed object whose members stand in two places")
        if not closed:
            for member in self._learned.members(seen):
                declared.setdefault(member, list(rest))
        number = len(self.objects)
        self.objects.append(Object(number, (), (), ()))
        slots = [
            self._slot(
                (*path, member),
                inner,
                member not in required or (*path, member) in self._asked,
                (*seen, member),
                sure=sure,
            )
            for member, inner in declared.items()
        ]
        if required - set(declared):
            raise Unsupported("a required member that nothing describes")
        lenient = tuple(name for name in required if (*path, name) in self._asked)
        made = Object(number, tuple(slot for slot in slots if slot.kinds), tuple(nodes), lenient)
        self.objects[number] = made
        return made


def _kinds(nodes: Sequence[Mapping[str, Any]]) -> frozenset[str] | None:
    """Return the types that all schemas allow; None where none of them says."""
    allowed: frozenset[str] | None = None
    for node in nodes:
        said = node.get("type")
        if said is None and isinstance(node.get("enum"), list):
            said = [kind_of(option) for option in node["enum"]]
        if said is None:
            continue
        words = frozenset([said] if isinstance(said, str) else said)
        if not words <= KINDS:
            raise Unsupported("a type that JSON does not have")
        if allowed is None:
            allowed = words
        else:
            both = allowed & words
            if ("integer" in allowed and "number" in words) or ("number" in allowed and "integer" in words):
                both |= {"integer"}
            allowed = both
    return allowed
