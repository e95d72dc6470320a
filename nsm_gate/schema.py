"""Judge a record against a JSON Schema, with our own messages from keyword, place and value.

jsonschema-rs judges: its patterns run in linear time. Never its own messages: they embed the record.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping

from nsm_gate.errors import GateError
from nsm_gate.model import Json
from nsm_gate.native import engine
from nsm_gate.nouns import Any, NamedTuple, dataclass
from nsm_gate.pointers import pointer, show
from nsm_gate.whereabouts import HERE, mark

MAX_ERRORS = 20
_SHOWN = 20
"""Values of an enumeration that a message names."""
_REGEX_BYTES = 1 << 20
_AWAY = re.compile(r"Resource ('.+') is not present in a registry")


class Flaw(NamedTuple):
    """One way in which a record breaks its schema.

    Attributes:
        pointer: Place of the value, or of the member that is absent.
        keyword: The schema keyword that refused it.
        message: The fact.
        hint: The remedy.
        member: Name of the member that is absent or not known, where that is the flaw.
        conditional: Whether it holds only because of another value of the record.
    """

    pointer: str
    keyword: str
    message: str
    hint: str
    member: str | None = None
    conditional: bool = False

    @property
    def is_cut(self) -> bool:
        """Return whether it stands for all that is not listed."""
        return not self.keyword

    @property
    def is_unknown_member(self) -> bool:
        """Return whether a closed object has a member that it does not know."""
        return self.keyword in ("additionalProperties", "unevaluatedProperties")


@dataclass
class SchemaError(GateError):
    """A schema is none.

    Attributes:
        steps: Where in the schema, from its root.
    """

    steps: tuple[str | int, ...] = ()


class Validator:
    """A compiled schema. Fetches nothing."""

    def __init__(self, schema: Mapping[str, Any], path: str) -> None:
        """Compile the schema; SchemaError where it is not one."""
        self.schema = schema
        self._judging = mark(f"rule schema, by {path}")
        native = engine()
        try:
            with HERE.busy(f"the compilation of {path}"):
                self._engine = native.validator_for(
                    dict(schema),
                    offline=True,
                    validate_formats=True,
                    pattern_options=native.RegexOptions(size_limit=_REGEX_BYTES),
                    mask="the value",
                )
        except Exception as error:  # the engine raises several unrelated types
            fact = " ".join(str(error).split("\n")[0].split())[:200]
            steps = tuple(getattr(error, "instance_path", ()))
            fact = fact.replace("the value", show(steps[-1]), 1) if steps else fact
            hint = "check it against the draft that its $schema names"
            away = _AWAY.match(fact)
            if away is not None:
                fact = f"it refers to {away[1]}, and nothing is fetched"
                hint = "copy what it refers to into its $defs"
            elif getattr(getattr(error, "kind", None), "format", None) == "regex":
                fact, hint = _unusable(native, str(error.instance))  # type: ignore[attr-defined]
            raise SchemaError(f"not a usable JSON Schema: {fact}", hint, path, steps=steps) from None

    def accepts(self, value: Json) -> bool:
        """Return whether the value satisfies the schema."""
        HERE.doing(self._judging)
        return bool(self._engine.is_valid(value))

    def refused(self, value: Json, most: int) -> Iterator[str]:
        """Yield the pointers of at most so many values that are refused, each as the engine names it."""
        if not self.accepts(value):
            for error in itertools.islice(self._engine.iter_errors(value), most):
                yield pointer(*error.instance_path)

    def flaws(self, value: Json, *, likely: bool = False) -> Iterator[Flaw]:
        """Yield the flaws of a value in the order of the schema: those of `MAX_ERRORS` errors, and a last one
        where there are more.

        Args:
            value: To judge.
            likely: Whether there probably are some: it is not asked first whether there are any.
        """
        if likely:
            HERE.doing(self._judging)
        elif self.accepts(value):
            return
        for count, error in enumerate(self._engine.iter_errors(value)):
            if count == MAX_ERRORS:
                yield Flaw("", "", "more breaks the schema than is listed", "mend what is listed first")
                return
            yield from self._flaws_of(error)

    def _flaws_of(self, error: Any) -> Iterator[Flaw]:
        kind = error.kind
        steps = list(error.instance_path)
        where = pointer(*steps)
        # Not the last step of schema_path: a member may be called `type`.
        keyword = str(kind.name)
        name = type(kind).__name__
        label = _label(steps)
        if name == "Required":
            member = kind.property
            absent = f"{label}.{member}" if steps else member
            yield Flaw(where + pointer(member), keyword, f"{absent} is absent", f"add {show(member)}", member)
        elif name in ("AdditionalProperties", "UnevaluatedProperties"):
            more = len(kind.unexpected) - MAX_ERRORS
            for number, member in enumerate(kind.unexpected[:MAX_ERRORS], 1):
                fact = f"{label} has no member {show(member)}"
                fact += f", nor {more:,} more" * (number == MAX_ERRORS and more > 0)
                yield Flaw(where + pointer(member), keyword, fact, "remove or rename it", member)
        else:
            fact, hint = self._refusal(name, kind, error)
            joined = f"{label} {fact}" if name not in _SAYINGS else f"{label}: {fact}"
            conditional = not {"then", "else"}.isdisjoint(error.schema_path)
            yield Flaw(where, keyword, joined, hint, conditional=conditional)

    def _refusal(self, name: str, kind: Any, error: Any) -> tuple[str, str]:
        shown = show(error.instance)
        if name == "Type":
            wanted = " or ".join(_TYPES.get(word, word) for word in kind.types)
            return f"is {shown}, not {wanted}", f"write {wanted}"
        if name == "Enum":
            options = ", ".join(show(option) for option in kind.options[:_SHOWN])
            more = len(kind.options) - _SHOWN
            options += f" … and {more:,} more" * (more > 0)
            return f"is {shown}, not one of {options}", f"write one of {options}"
        if name == "Constant":
            return f"is {shown}, not {show(kind.expected_value)}", f"write {show(kind.expected_value)}"
        if name in _BOUNDS:
            words = _BOUNDS[name]
            return (
                f"is {shown}, {words[0]} {show(kind.limit)}",
                f"write a value {words[1]} {show(kind.limit)}",
            )
        if name in _SIZES:
            few, unit, order = _SIZES[name]
            if kind.limit == 1 and not error.instance:
                return "is empty", f"write at least 1 {unit}"
            return f"has {few} {show(kind.limit)} {unit}s", f"write {order} {show(kind.limit)} {unit}s"
        if name == "Pattern" and not str(error.instance).strip():
            return "is blank", "write at least one character that is not white space"
        if name == "Pattern":
            return f"is {shown}, which does not match {kind.pattern}", self._asked(error)
        if name == "Format":
            return f"is {shown}, not a {kind.format}", self._asked(error)
        if name == "FalseSchema":
            return "is not allowed here", "remove it"
        said = self._description(error)
        # "a completed run records a result: final_metrics, ...": what follows the colon is the remedy.
        asked = said.rstrip(".").partition(": ")[2]
        return (said or f"breaks the schema's {name}"), f"log {asked or 'what the schema asks for'}"

    def _asked(self, error: Any) -> str:
        """Return a remedy from what the schema says of the place."""
        said = self._description(error).rstrip(".")
        return f"write what the schema describes: {said[:1].lower()}{said[1:]}" if said else ""

    def _description(self, error: Any) -> str:
        """Return what the schema says of the place that refused, if it says anything."""
        node: Any = self.schema
        said = ""
        for step in list(error.schema_path)[:-1]:
            if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
                node = _local(self.schema, node["$ref"])
            if isinstance(node, Mapping):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                node = None
            if isinstance(node, Mapping):
                said = str(node.get("description", ""))
        return said


_SAYINGS = {"Not", "AnyOf", "OneOfNotValid", "OneOfMultipleValid", "Contains"}
_TYPES = {
    "string": "a string", "number": "a number", "integer": "a whole number", "null": "null",
    "boolean": "true or false", "object": "an object", "array": "a list",
}  # fmt: skip
_BOUNDS = {
    "Minimum": ("below the minimum of", "of at least"),
    "Maximum": ("above the maximum of", "of at most"),
    "ExclusiveMinimum": ("not above", "above"),
    "ExclusiveMaximum": ("not below", "below"),
}
_SIZES = {
    "MinLength": ("fewer than", "character", "at least"),
    "MaxLength": ("more than", "character", "at most"),
    "MinItems": ("fewer than", "item", "at least"),
    "MaxItems": ("more than", "item", "at most"),
    "MinProperties": ("fewer than", "member", "at least"),
    "MaxProperties": ("more than", "member", "at most"),
}


def _unusable(native: Any, pattern: str) -> tuple[str, str]:
    """Say why a pattern cannot be compiled, and the remedy."""
    try:
        large = native.RegexOptions(size_limit=_REGEX_BYTES * 64)
        native.validator_for({"pattern": pattern}, offline=True, pattern_options=large)
    except Exception:  # as above
        hint = "the gate's patterns know no look-around and no back-references"
        return f"the pattern {show(pattern)} cannot be used", hint
    fact = f"the pattern {show(pattern)} takes over {_REGEX_BYTES >> 20} MiB when it is compiled"
    return fact, "repeat less in it: a{1,1000} stands for a thousand times a"


def resolved(node: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a subschema with its local `$ref` followed, members beside it winning."""
    for _ in range(16):
        if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
            break
        target = _local(root, node["$ref"])
        beside = {name: member for name, member in node.items() if name != "$ref"}
        node = {**(target if isinstance(target, Mapping) else {}), **beside}
    return node if isinstance(node, Mapping) else {}


def _local(root: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        root = root.get(step) if isinstance(root, Mapping) else None
    return root


def _label(steps: list[Any]) -> str:
    text = ""
    for step in steps:
        name = str(step) if len(str(step)) <= 60 else f"{str(step)[:59]}…"
        text += f"[{step}]" if isinstance(step, int) else f".{name}" if text else name
    return text or "the entry"
