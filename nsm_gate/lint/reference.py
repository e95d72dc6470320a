"""The reference implementation of JSON Schema, without its way to the network and to Python's patterns.

A pattern of a user's would hang Python's `re`, and formats are not a matter of the reference: patterns and
formats are judged by the gate's own engine in both. Imported by `rules lint` alone: it takes 100 ms.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import referencing
import referencing.exceptions
from jsonschema import validators
from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import specification_with

from nsm_gate.errors import GateError
from nsm_gate.model import Json
from nsm_gate.nouns import Any, Final
from nsm_gate.pointers import pointer
from nsm_gate.schema import Validator
from nsm_gate.whereabouts import HERE

_LATEST = "https://json-schema.org/draft/2020-12/schema"
DRAFTS: Final[Mapping[str, Any]] = {
    _LATEST: validators.Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": validators.Draft201909Validator,
    "http://json-schema.org/draft-07/schema": validators.Draft7Validator,
    "http://json-schema.org/draft-06/schema": validators.Draft6Validator,
    "http://json-schema.org/draft-04/schema": validators.Draft4Validator,
}
LOCAL: Final[referencing.Registry[Any]] = REGISTRY
"""Knows the meta-schemas of the drafts, and has no way to get any other schema."""


class NotCompared(Exception):
    """The reference cannot judge by a schema, or must not; the text says why."""


class Reference:
    """A schema as the reference implementation reads it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Take a schema, of the latest draft where it names none."""
        self.draft = str(schema.get("$schema", _LATEST)).rstrip("#")
        self.schema = schema
        self._matchers: dict[tuple[str, str], Validator] = {}

    @property
    def specification(self) -> Any:
        """Return what tells subschemas and references of the schema's draft."""
        return specification_with(self.draft)

    def breaks(self, most: int) -> Iterator[tuple[str, str]]:
        """Yield where the schema breaks its meta-schema: a pointer and the keyword that refuses.

        The patterns there are the draft's own; formats are left to the engine that compiles them.
        """
        meta = DRAFTS[self.draft]
        judge = meta(meta.META_SCHEMA, registry=LOCAL, format_checker=None)
        for error in itertools.islice(judge.iter_errors(self.schema), most):
            yield pointer(*error.absolute_path), str(error.validator)

    def refused(self, value: Json, most: int) -> list[str]:
        """Return the pointers of at most so many values that are refused; NotCompared where it cannot."""
        odd = "" if self.draft in DRAFTS else "it names another draft"
        odd = odd or _unsafe(self.schema)
        if odd:
            raise NotCompared(odd)
        judge = self._judge()(self.schema, registry=LOCAL, format_checker=None)
        # Not the root's own class, which brings Python's patterns: see _judge.
        judge = judge.evolve(schema=self.schema)
        try:
            places = (place for error in judge.iter_errors(value) for place in _places(error))
            return list(itertools.islice(places, most))
        except referencing.exceptions.Unresolvable as error:
            raise NotCompared(f"a $ref of it leads nowhere: {error.ref!r}") from None
        except RecursionError:
            raise NotCompared("it refers to itself without end") from None
        except GateError as error:
            raise NotCompared(error.message) from None
        except Exception as error:  # a keyword of a form that only the gate's engine takes
            raise NotCompared(f"the reference fails with {type(error).__name__}") from None

    def _judge(self) -> Any:
        """Return the draft's class with patterns and formats handed to the gate's own engine."""
        made = validators.extend(
            DRAFTS[self.draft],
            {
                "pattern": self._pattern,
                "format": self._format,
                "patternProperties": self._pattern_properties,
                "additionalProperties": self._additional_properties,
            },
        )
        usual = made.evolve

        def evolve(judge: Any, **changes: Any) -> Any:
            # A subschema with a $schema, such as the root behind `$ref: "#"`, would get the usual class.
            schema = changes.get("schema", judge.schema)
            if isinstance(schema, Mapping) and "$schema" in schema:
                changes["schema"] = {key: inner for key, inner in schema.items() if key != "$schema"}
            return usual(judge, **changes)

        made.evolve = evolve
        inner = made.descend

        def descend(judge: Any, instance: Json, schema: Any, path: Any = None, **more: Any) -> Any:
            for error in inner(judge, instance, schema, path, **more):
                if schema is False and path is not None:
                    error.path.appendleft(path)  # the reference leaves it out here
                yield error

        made.descend = descend
        return made

    def _matches(self, keyword: str, word: str, text: str) -> bool:
        if (keyword, word) not in self._matchers:
            lone = {"$schema": self.draft, keyword: word}
            self._matchers[keyword, word] = Validator(lone, f"the {keyword} {word!r}")
        with HERE.busy(f"the {keyword} {word!r}"):
            return self._matchers[keyword, word].accepts(text)

    def _pattern(self, _judge: Any, pattern: str, value: Json, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not self._matches("pattern", pattern, value):
            yield ValidationError("pattern")

    def _format(self, _judge: Any, name: str, value: Json, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not self._matches("format", name, value):
            yield ValidationError("format")

    def _pattern_properties(
        self, judge: Any, patterns: Mapping[str, Any], value: Json, _schema: Any
    ) -> Iterator[ValidationError]:
        for pattern, inner in patterns.items() if isinstance(value, dict) else ():
            for name, member in value.items():
                if self._matches("pattern", pattern, name):
                    yield from judge.descend(member, inner, path=name, schema_path=pattern)

    def _additional_properties(
        self, judge: Any, inner: Any, value: Json, schema: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, member in value.items() if isinstance(value, dict) else ():
            if name in known or any(self._matches("pattern", pattern, name) for pattern in patterns):
                continue
            if inner is False:
                yield ValidationError("additionalProperties")
            elif inner is not True:
                yield from judge.descend(member, inner, path=name)


def _places(error: ValidationError) -> Iterator[str]:
    """Yield the places that an error is about, as the gate tells them: of `items: false`, the items."""
    where = list(error.absolute_path)
    if error.validator == "items" and error.validator_value is False:
        schema: Any = error.schema
        first = len(schema.get("prefixItems", ()))
        yield from (pointer(*where, index) for index in range(first, len(error.instance)))
    else:
        yield pointer(*where)


def _unsafe(schema: Mapping[str, Any]) -> str:
    """Say which keywords the reference must not judge by; nothing where there are none."""
    pending: list[Any] = [inner for key, inner in schema.items() if key != "$schema"]
    keys: set[str] = set(schema)
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(node.get("$schema"), str):
                return "a part of it names a draft of its own"
            keys.update(node)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    if {"patternProperties", "unevaluatedProperties"} <= keys:
        return "patternProperties beside unevaluatedProperties would reach Python's patterns"
    return ""
