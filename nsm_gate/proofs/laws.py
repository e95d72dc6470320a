"""What is left of a JSON Schema once the types are checked, as code: bounds, words, conditions.

The code of a subschema holds exactly where the value satisfies it; a keyword that is not known here makes
the whole outline one that is not compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import jsonschema_rs

from nsm_gate.nouns import Any
from nsm_gate.proofs.code import FALSE, TRUE, Constants, both, either, negated
from nsm_gate.proofs.outline import SILENT, Object, Outline, Slot, Unsupported, flat
from nsm_gate.proofs.types import Types

_OPERATORS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
_BY_OBJECT = {"required", "properties", "additionalProperties", "dependentRequired"}
_OF_TIMES = tuple(
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    rf"(\.[0-9]{{1,9}})?(Z|\+00:00){end}$"
    for end in ("", "?")
)
"""Patterns that every time has which `texts.instant` reads."""
_OF_TYPE = re.compile(r"\((\w+)\.__class__ is (\w+)\)")
_REMEMBERED = 4096
_LONGEST_PROOF = 60_000
_MOST_PARTS = 4000
"""Subschemas of conditions: those that share their parts by reference multiply."""
_DEEPEST = 24


class Laws:
    """Compiles the schema of an outline."""

    def __init__(self, outline: Outline, types: Types, constants: Constants) -> None:
        """Keep what the code refers to."""
        self._outline = outline
        self._types = types
        self._constants = constants
        self._tests: dict[str, str] = {}
        self._clocks: Mapping[str, str] = {}
        self._explained: Mapping[str, str] = {}
        self._asserted = True
        self._parts = self._depth = 0
        self.left_out: list[tuple[str, str]] = []

    def code(self, clocks: Mapping[str, str], explained: Mapping[str, str]) -> list[str]:
        """Return code that, all of it, holds where a decoded entry satisfies its schema.

        Args:
            clocks: Slots of times. Patterns that every time written with Z has are left out for them, and
                kept in `left_out`: the slot's variable, and the test of the pattern.
            explained: Variable of a slot -> code that holds where a check of its own reports the value: it
                then satisfies what its own schemas ask.
        """
        self._clocks, self._explained = clocks, explained
        made = self._object(self._outline.root)
        if sum(map(len, made)) > _LONGEST_PROOF:
            raise Unsupported("a schema of too many conditions")
        return made

    # --- what holds without a condition -------------------------------------------------------

    def _object(self, made: Object) -> list[str]:
        parts = []
        for node in made.nodes:
            parts += self._rest(node, None, made)
        parts += [self._excused(made.get(member), self._there(made, member)) for member in made.required]
        for slot in made.slots:
            if slot.object is not None and slot.sure and not slot.optional and slot.kinds == {"object"}:
                parts += self._object(slot.object)
                continue
            inner = self._excused(slot, self._slot(slot))
            if inner != TRUE:
                parts.append(either([f"{slot.name} is U", inner]) if slot.optional else inner)
        return parts

    def _excused(self, slot: Slot | None, holds: str) -> str:
        """Return code of what is asked of a slot, where nothing is reported of it already."""
        excuse = self._explained.get(slot.name) if slot is not None and self._asserted else None
        return holds if excuse is None else either([excuse, holds])

    def _if_it_were(self, node: Any, at: Slot | Object | None) -> str:
        """Return code that holds where a subschema does that is not asked for, but whose truth counts."""
        asserted, self._asserted = self._asserted, False
        try:
            return self.holds(node, at)
        finally:
            self._asserted = asserted

    def _slot(self, slot: Slot) -> str:
        parts = []
        if slot.object is None:
            for node in slot.nodes:
                parts += self._rest(node, slot, None)
        else:
            mixed = slot.kinds != {"object"}
            if mixed and any(self._is_condition(word) for node in slot.nodes for word in node):
                raise Unsupported("a condition on what may be an object")
            inner = both(self._object(slot.object))
            parts.append(either([negated(self.kind(slot, "object")), inner]))
            for node in slot.nodes:
                # The keywords for objects are seen to already.
                for word, value in node.items():
                    if word in ("type", "items", *_BY_OBJECT) or self._is_condition(word):
                        continue
                    if not self._types.enforces(slot, node, word):
                        parts.append(self._keyword(word, value, node, slot))
        if slot.item is not None:
            inner = self._slot(slot.item)
            if inner != TRUE:
                loop = f"all([{inner} for {slot.item.name} in {slot.name}])"
                parts.append(either([negated(self.kind(slot, "array")), loop]))
        return both(parts)

    @staticmethod
    def _is_condition(word: str) -> bool:
        return word in ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")

    def _rest(self, node: Mapping[str, Any], slot: Slot | None, made: Object | None) -> list[str]:
        """Return code for the keywords of a schema that the types do not check."""
        parts = []
        for word, value in node.items():
            if word in ("type", "required", "properties", "additionalProperties", "items") or word in SILENT:
                continue
            if slot is not None and self._types.enforces(slot, node, word):
                continue
            if slot is not None and slot.name in self._clocks and word == "pattern" and value in _OF_TIMES:
                self.left_out.append((slot.name, self._text_test(word, value)))
                continue
            parts.append(self._keyword(word, value, node, slot if slot is not None else made))
        return parts

    # --- a subschema that may or may not hold -------------------------------------------------

    def holds(self, node: Any, at: Slot | Object | None) -> str:
        """Return code that holds where what stands at a place satisfies a subschema."""
        self._parts += 1
        self._depth += 1
        if self._parts > _MOST_PARTS or self._depth > _DEEPEST:
            raise Unsupported("conditions that multiply, or refer in circles")
        parts = []
        for part in flat(node, self._outline.schema) if node is not False else ():
            for word, value in part.items():
                if word not in SILENT:
                    parts.append(self._keyword(word, value, part, at))
        self._depth -= 1
        made = FALSE if node is False else both(parts)
        if len(made) > _LONGEST_PROOF:
            raise Unsupported("a condition that is too long")
        return made

    def _keyword(self, word: str, value: Any, node: Mapping[str, Any], at: Slot | Object | None) -> str:
        if word in SILENT or word in ("then", "else"):
            return TRUE
        if word == "if":
            holds = self._if_it_were(value, at)
            then = self.holds(node.get("then", True), at)
            other = self.holds(node.get("else", True), at)
            return both([either([negated(holds), then]), either([holds, other])])
        if word == "allOf":
            return both([self.holds(option, at) for option in value])
        if word == "anyOf":
            return either([self._if_it_were(option, at) for option in value])
        if word == "oneOf":
            return f"(({' + '.join(self._if_it_were(option, at) for option in value)}) == 1)"
        if word == "not":
            return negated(self._if_it_were(value, at))
        if isinstance(at, Object):
            return self._of_object(word, value, at)
        if at is None:
            raise Unsupported(f"{word} of a place that has no shape")
        if word in _BY_OBJECT:
            if at.object is None:
                return TRUE
            return either([negated(self.kind(at, "object")), self._of_object(word, value, at.object)])
        return self._of_value(word, value, at)

    def _of_object(self, word: str, value: Any, made: Object) -> str:
        if word == "type":
            return TRUE if "object" in ([value] if isinstance(value, str) else value) else FALSE
        if word == "required":
            return both([self._excused(made.get(member), self._there(made, member)) for member in value])
        if word == "properties":
            parts = []
            for member, inner in value.items():
                slot = made.get(member)
                if slot is None:
                    continue  # no line that decodes has it
                held = self._excused(slot, self.holds(inner, slot))
                # In an object that is not there, every slot is absent.
                parts.append(either([f"{slot.name} is U", held]) if held != TRUE else TRUE)
            return both(parts)
        if word == "dependentRequired":
            parts = []
            for member, others in value.items():
                need = both([self._there(made, other) for other in others])
                parts.append(either([negated(self._there(made, member)), need]))
            return both(parts)
        raise Unsupported(f"{word} of an object")

    @staticmethod
    def _there(made: Object, member: str) -> str:
        slot = made.get(member)
        if slot is None:
            return FALSE
        return f"({slot.name} is not U)" if slot.optional else TRUE

    def kind(self, slot: Slot, word: str) -> str:
        """Return code that tells whether a slot's value, if it is there, is of a JSON type."""
        name = slot.name
        number = {"integer", "number"} & slot.kinds
        if word == "number":
            if not number:
                return FALSE
            return TRUE if slot.kinds <= {"integer", "number"} else f"({name}.__class__ in NUMBERS)"
        if word == "integer" and "number" in slot.kinds:
            return f"({name}.__class__ is int or ({name}.__class__ is float and {name}.is_integer()))"
        if word not in slot.kinds:
            return FALSE
        if len(slot.kinds) == 1:
            return TRUE
        if word == "null":
            return f"({name} is None)"
        if word == "object" and slot.object is not None:
            struct = self._constants.name(self._types.structs[slot.object.number], "S")
            return f"({name}.__class__ is {struct})"
        kinds = {"boolean": "bool", "string": "str", "integer": "int", "array": "list"}
        return f"({name}.__class__ is {kinds[word]})"

    def _of_value(self, word: str, value: Any, slot: Slot) -> str:
        name = slot.name
        if word == "type":
            wanted = [value] if isinstance(value, str) else value
            others = set(slot.kinds) - set(wanted)
            if "number" in wanted:
                others.discard("integer")
            if not others:
                return TRUE
            return either([self.kind(slot, kind) for kind in wanted])
        if word == "const":
            return self._same(slot, value)
        if word == "enum":
            return either([self._same(slot, option) for option in value])
        if word in _OPERATORS:
            if type(value) not in (int, float):
                raise Unsupported(word)
            return either([negated(self.kind(slot, "number")), f"({name} {_OPERATORS[word]} {value!r})"])
        if word in ("minLength", "maxLength") and type(value) is int:
            operator = ">=" if word == "minLength" else "<="
            return either([negated(self.kind(slot, "string")), f"(len({name}) {operator} {value})"])
        if word in ("pattern", "format"):
            test = self._text_test(word, value)
            return either([negated(self.kind(slot, "string")), f"{test}({name})"])
        if word in ("minItems", "maxItems") and type(value) is int:
            operator = ">=" if word == "minItems" else "<="
            return either([negated(self.kind(slot, "array")), f"(len({name}) {operator} {value})"])
        if word in ("items", "contains"):
            return self._items(word, value, slot)
        raise Unsupported(word)

    def _items(self, word: str, value: Any, slot: Slot) -> str:
        if slot.item is None:
            return TRUE
        if not slot.item.kinds:
            # Lines that decode hold an empty list here.
            return TRUE if word == "items" else negated(self.kind(slot, "array"))
        held = self._if_it_were(value, slot.item)
        if word == "items" and held == TRUE:
            return TRUE
        loop = f"{'all' if word == 'items' else 'any'}([{held} for {slot.item.name} in {slot.name}])"
        typed = _OF_TYPE.fullmatch(held)
        if typed is not None and typed[1] == slot.item.name:
            types = f"map(type, {slot.name})"
            loop = f"{{{typed[2]}}}.issuperset({types})" if word == "items" else f"({typed[2]} in {types})"
        if held == FALSE:
            loop = FALSE if word == "contains" else f"(not {slot.name})"
        return either([negated(self.kind(slot, "array")), loop])

    def _same(self, slot: Slot, value: Any) -> str:
        name = slot.name
        if value is None:
            return self.kind(slot, "null")
        if type(value) is bool:
            return f"({name} is {value})" if "boolean" in slot.kinds else FALSE
        if type(value) is str:
            return f"({name} == {value!r})" if "string" in slot.kinds else FALSE
        if type(value) in (int, float):
            return both([self.kind(slot, "number"), f"({name} == {value!r})"])
        raise Unsupported("a constant that is no scalar")

    def _text_test(self, word: str, value: Any) -> str:
        key = f"{word} {value!r}"
        if key not in self._tests:
            self._tests[key] = self._constants.name(_remembering({word: value}, self._outline.schema), "P")
        return self._tests[key]


def _remembering(law: dict[str, Any], schema: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return the engine's own judgement of a text, remembered for the texts that come again."""
    draft = {"$schema": schema["$schema"]} if "$schema" in schema else {}
    test = jsonschema_rs.validator_for(
        {**draft, **law}, offline=True, validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20),
    ).is_valid  # fmt: skip
    known: set[str] = set()

    def holds(text: str) -> bool:
        if text in known:
            return True
        if not test(text):
            return False
        if len(known) < _REMEMBERED:
            known.add(text)
        return True

    return holds
