"""Code that takes a decoded entry apart, and sees that no member is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import astuple

from nsm_gate.proofs.frame import Frame
from nsm_gate.proofs.outline import Object, Slot, Unsupported
from nsm_gate.proofs.types import Types


class Unpacking:
    """Writes the code that reads an entry into variables.

    Attributes:
        head: Code that decodes a line, and makes the tuples by which its shape is told.
        tuples: Variable of a tuple -> the variables that it is unpacked into.
        functions: Code of the functions that read objects which recur.
    """

    def __init__(self, frame: Frame) -> None:
        """Write nothing yet."""
        self._frame = frame
        self.head: list[str] = []
        self.tuples: dict[str, list[str]] = {}
        self.functions: list[str] = []

    def recurring(self, made: Object) -> Iterator[Slot]:
        """Yield the objects of which much the same is proven line by line: it is remembered."""
        for slot in made.slots:
            if slot.object is None:
                continue
            if slot.recurs and not is_ambiguous(slot):
                yield slot
            elif slot.sure and not slot.optional and slot.kinds == {"object"}:
                yield from self.recurring(slot.object)

    def code(self, memos: Sequence[Memo], needed: str) -> Iterator[str]:
        """Yield code that reads the entry into the slots' variables, and sees that no member is double.

        The text has a colon for each member and for each in a string. One more is a member written twice.
        """
        # A line that ends otherwise, or spells a colon as an escape, is left to the careful reader.
        self.head += [
            "if raw[-1] != 125 or len(raw) > LIMIT or (92 in raw and COLON in raw): return None",
            "e = decode(raw)",
        ]
        yield "bad = open_ = missed = met = 0"
        yield "needs = candidates = ()"
        count = _Count()
        by_name = {memo.slot.name: memo for memo in memos}
        yield from self._members(self._frame.outline.root, "e", count, by_name, needed, sure=True, place="e")
        yield f"if raw.count(58) != {count.code}: return None"

    def _members(
        self, made: Object, value: str, count: _Count, memos: Mapping[str, Memo], needed: str,
        *, sure: bool, place: str | None = None,
    ) -> Iterator[str]:  # fmt: skip
        """Yield code that unpacks an object.

        Args:
            made: The object.
            value: The variable that holds it.
            count: Takes how many colons it is written with.
            memos: Objects that are remembered, by variable.
            needed: Code that reads the variables.
            sure: Whether it is always there.
            place: Code for the object where no variable is unpacked yet; its tuple is then made beforehand.
        """
        order = sorted(made.slots, key=lambda slot: slot.optional)
        if not order:
            return
        struct = self._frame.constants.name(self._frame.types.structs[made.number], "S")
        names = ", ".join(slot.name for slot in order)
        values = f"t{made.number}"
        colons = sum(1 + slot.path[-1].count(":") for slot in order)
        optional = any(slot.optional for slot in order)
        if optional and any(":" in slot.path[-1] for slot in order):
            raise Unsupported("an optional member with a colon in its name")
        absent = f" - ABSENT({values})" if optional and place is not None else ""
        absent = absent or (f" - {values}.count(U)" if optional else "")
        if sure:
            taken = f"{values} = T({place or value})"
            count.fixed += colons
            count.parts.append(absent)
        else:
            empty = self._frame.constants.name((UNSET,) * len(order), "A")
            taken = f"{values} = T({place or value}) if ({place or value}).__class__ is {struct} else {empty}"
            count.parts.append(f" + ({colons}{absent} if {value}.__class__ is {struct} else 0)")
        if place is None:
            yield taken
        else:
            self.tuples[values] = [slot.name for slot in order]
            self.head.append(taken)
        yield f"({names},) = {values}"
        for slot in order:
            if "string" in slot.kinds and not self._has_no_colon(slot):
                colons_in = f"{slot.name}.count(':')"
                if slot.optional or slot.kinds != {"string"}:
                    colons_in = f"({colons_in} if {slot.name}.__class__ is str else 0)"
                count.parts.append(f" + {colons_in}")
            if slot.item is not None and slot.item.kinds:
                if "string" in slot.item.kinds:
                    raise Unsupported("a list of texts")
                if slot.item.object is not None:
                    counter = self._frame.constants.name(_counter(slot.item.object, self._frame.types), "C")
                    count.parts.append(f" + ({counter}({slot.name}) if {slot.name}.__class__ is list else 0)")
            if slot.object is None:
                continue
            memo = memos.get(slot.name)
            inner_sure = sure and slot.kinds == {"object"} and not slot.optional
            if memo is None:
                inner = f"{values}[{order.index(slot)}]" if place is not None else None
                yield from self._members(
                    slot.object, slot.name, count, memos, needed, sure=inner_sure, place=inner
                )
                continue
            yield from self._remembered(memo, needed, sure=inner_sure)
            count.parts.append(f" + c_{slot.name}")

    def _remembered(self, memo: Memo, needed: str, *, sure: bool) -> Iterator[str]:
        """Write the function of an object that recurs; yield the code that looks its results up."""
        slot = memo.slot
        wanted = set(_VARIABLE.findall(needed))
        exports = [name for name in memo.variables if name in wanted and name != slot.name]
        count = _Count()
        inner: list[str] = []
        if slot.object is not None:
            inner += self._members(slot.object, slot.name, count, {}, "", sure=sure)
        inner += ["bad = 0", *memo.rows]
        result = ", ".join([f"c_{slot.name}", "bad", *exports])
        inner += [f"c_{slot.name} = {count.code}", f"return ({result})"]
        self.functions += [f"def remember_{slot.name}({slot.name}):", *(f"    {row}" for row in inner)]
        store = self._frame.constants.name({}, "M")
        yield f"m = {store}.get({slot.name})"
        yield "if m is None:"
        yield f"    m = remember_{slot.name}({slot.name})"
        yield "    if m is None: return None"
        yield f"    if len({store}) < 50000: {store}[{slot.name}] = m"
        yield f"c_{slot.name}, b, {', '.join(exports)}".rstrip(", ") + " = m"
        yield "bad |= b"

    def _has_no_colon(self, slot: Slot) -> bool:
        """Return whether the types leave a text no colon: one of a few words."""
        return any(
            isinstance(node.get("enum"), list)
            and self._frame.types.enforces(slot, node, "enum")
            and not any(":" in option for option in node["enum"] if option is not None)
            for node in slot.nodes
        )


_VARIABLE = re.compile(r"\b[vns](?:_v)?[0-9]+(?:_v[0-9]+)*\b|\bs_\w+")


_BY_ITSELF = re.compile(r"if .*: (bad \|= [0-9]+|return None)\Z", re.DOTALL)
"""Matches a row that no `elif` follows, and that does nothing else than a remembered function can."""


class _Count:
    """How many colons the text of an entry has, as code."""

    def __init__(self) -> None:
        self.fixed = 0
        self.parts: list[str] = []

    @property
    def code(self) -> str:
        return f"{self.fixed}{''.join(self.parts)}"


class Memo:
    """An object of which the same is proven wherever it holds the same."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.rows: list[str] = []
        self.variables = [slot.name, *_inside(slot.object)] if slot.object is not None else []
        self._own = frozenset(self.variables)

    def takes(self, row: str) -> bool:
        """Return whether a row reads nothing else, and stands for itself."""
        words = set(_VARIABLE.findall(row))
        return _BY_ITSELF.match(row) is not None and bool(words) and words <= self._own


def _inside(made: Object) -> list[str]:
    names = []
    for slot in made.slots:
        names.append(slot.name)
        if slot.object is not None:
            names += _inside(slot.object)
    return names


def is_ambiguous(slot: Slot) -> bool:
    """Return whether two values may be equal and not the same: true and 1. Lists have no hash."""
    if slot.item is not None or ("boolean" in slot.kinds and {"integer", "number"} & slot.kinds):
        return True
    return slot.object is not None and any(is_ambiguous(inner) for inner in slot.object.slots)


def _counter(made: Object, types: Types) -> Any:
    """Return what counts the members of all items of a list, those in texts excepted."""
    order = sorted(made.slots, key=lambda slot: slot.optional)
    if any(":" in slot.path[-1] for slot in order):
        raise Unsupported("a member with a colon in its name, in a list")
    if any({"string", "object", "array"} & slot.kinds for slot in order):
        raise Unsupported("items that hold more than numbers")
    struct, size = types.structs[made.number], len(order)
    taken: Any = astuple

    def count(items: list[Any]) -> int:
        total = 0
        for item in items:
            if item.__class__ is struct:
                values: tuple[Any, ...] = taken(item)
                total += size - values.count(UNSET)
        return total

    return count


def absent(values: tuple[Any, ...]) -> int:
    """Return how many members are not there. A shape knows, and does not ask."""
    return values.count(UNSET)
