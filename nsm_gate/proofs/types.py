"""An outline as types that msgspec checks while it decodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from nsm_gate.proofs.outline import Object, Outline, Slot, Unsupported

_BOUNDS = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt"}
_LARGE = 2**53
_HUGE = 2**62


class Types:
    """The decoder of an outline.

    Attributes:
        decode: Bytes -> the entry as a structure; ValueError where it does not fit.
        structs: Object number -> its type.
    """

    def __init__(self, outline: Outline) -> None:
        """Make the types; Unsupported where they cannot be."""
        self.structs: dict[int, type] = {}
        self._enforced: set[tuple[str, int, str]] = set()
        try:
            self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._struct(outline.root)).decode
        except (TypeError, ValueError) as error:
            raise Unsupported(str(error)) from None

    def _struct(self, made: Object) -> type:
        fields: list[Any] = []
        names: dict[str, str] = {}
        for slot in sorted(made.slots, key=lambda slot: slot.optional):
            kind = self._type(slot)
            names[slot.name] = slot.path[-1]
            fields.append((slot.name, kind | UnsetType, UNSET) if slot.optional else (slot.name, kind))
        struct = msgspec.defstruct(
            f"Object{made.number}", fields, rename=names, forbid_unknown_fields=True, gc=False, frozen=True
        )
        self.structs[made.number] = struct
        return struct

    def _type(self, slot: Slot) -> Any:
        options: list[Any] = []
        words = self._words(slot)
        if words is not None:
            options.append(Literal[tuple(words)])
        elif "string" in slot.kinds:
            least = self._enforce(slot, "minLength", lambda bound: type(bound) is int and bound >= 0)
            options.append(Annotated[str, Meta(min_length=max(least))] if least else str)
        for kind, made in (("null", None), ("boolean", bool)):
            if kind in slot.kinds:
                options.append(made)
        bounds = {}
        if {"integer", "number"} & slot.kinds:
            for keyword, word in _BOUNDS.items():
                found = self._enforce(slot, keyword, lambda b: type(b) is int and abs(b) < _LARGE)
                if found:
                    bounds[word] = max(found) if word[0] == "g" else min(found)
            if ("ge" in bounds and "gt" in bounds) or ("le" in bounds and "lt" in bounds):
                raise Unsupported("two bounds on one side")
            # A whole number beyond 64 bits is left to the careful reader: its arithmetic may round.
            whole = {"ge": -_HUGE, "le": _HUGE, **bounds}
            whole = {
                word: bound
                for word, bound in whole.items()
                if {"ge": "gt", "le": "lt"}.get(word) not in bounds
            }
            options.append(Annotated[int, Meta(**whole)])  # type: ignore[call-overload]
            if "number" in slot.kinds:
                options.append(Annotated[float, Meta(**bounds)] if bounds else float)  # type: ignore[call-overload]
        if slot.object is not None:
            options.append(self._struct(slot.object))
        if slot.item is not None:
            options.append(list[self._type(slot.item)] if slot.item.kinds else _EMPTY)  # type: ignore[misc]
        if not options:
            raise Unsupported("a value without a type")
        return Union[tuple(options)]  # noqa: UP007  # of what is known at run time

    def _words(self, slot: Slot) -> list[str] | None:
        """Return the words of an enumeration of words; None where it is none."""
        for node in slot.nodes:
            options = node.get("enum")
            if isinstance(options, list) and all(type(o) is str or o is None for o in options):
                if sum("enum" in other for other in slot.nodes) > 1 or "string" not in slot.kinds:
                    return None
                if ("null" in slot.kinds) != (None in options):
                    return None
                self._enforced.add((slot.name, id(node), "enum"))
                return [option for option in options if option is not None]
        return None

    def _enforce(self, slot: Slot, keyword: str, fits: Any) -> list[int]:
        found = []
        for node in slot.nodes:
            if keyword in node and fits(node[keyword]):
                self._enforced.add((slot.name, id(node), keyword))
                found.append(node[keyword])
        return found

    def enforces(self, slot: Slot, node: Mapping[str, Any], keyword: str) -> bool:
        """Return whether decoding checks a keyword of a schema that holds for a slot without a condition."""
        return (slot.name, id(node), keyword) in self._enforced


_EMPTY = Annotated[list[None], Meta(max_length=0)]
