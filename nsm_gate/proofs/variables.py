"""The names of the rules as variables of a proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nsm_gate.model import Path
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.policy import LogKind
from nsm_gate.proofs.code import FALSE, Constants, either
from nsm_gate.proofs.evaluating import Pluck, Reader, as_it_is, numbers_of
from nsm_gate.proofs.outline import Outline, Slot
from nsm_gate.proofs.places import places


class Unprovable(Exception):
    """Nothing is known of an expression: it reads what no slot holds."""


class Scalar(NamedTuple):
    """A name of the rules as code.

    Attributes:
        kinds: JSON types that its value may have.
        known: Code that holds where it has a value other than null.
    """

    code: str
    kinds: frozenset[str]
    known: str


class Names:
    """Finds the variables of names, in the entries of one log kind.

    Attributes:
        prelude: Assignments that the code relies on, in order: variable -> code.
    """

    def __init__(self, kind: LogKind, outline: Outline, constants: Constants) -> None:
        """Find nothing yet."""
        self._kind = kind
        self._outline = outline
        self._constants = constants
        self.prelude: dict[str, str] = {}

    def places(self, name: tuple[str, ...]) -> Sequence[Path]:
        """Return where a dotted name may stand, as records find it."""
        return places(self._kind, name)

    def scalar(self, name: tuple[str, ...]) -> Scalar | None:
        """Return the variable of a name; None where it may be no scalar.

        A name that no line has is the constant None.
        """
        slots = [slot for slot in map(self.slot, self.places(name)) if slot is not None]
        kinds = frozenset[str]().union(*(slot.kinds for slot in slots))
        if {"object", "array"} & kinds or any(self.crosses(path) for path in self.places(name)):
            return None
        if not slots:
            return Scalar("None", frozenset(), FALSE)
        if len(slots) == 1:
            return Scalar(slots[0].name, kinds, slots[0].known)
        variable = f"n_{'_'.join(slot.name for slot in slots)}"
        code = slots[-1].name
        for slot in reversed(slots[:-1]):
            code = f"({slot.name} if {slot.known} else {code})"
        self.prelude.setdefault(variable, code)
        return Scalar(variable, kinds, f"({variable} is not None and {variable} is not U)")

    def slot(self, path: Path) -> Slot | None:
        """Return the slot at a path from the entry's root."""
        return self._outline.find(path) if path else None

    def crosses(self, path: Path) -> bool:
        """Return whether a path may lead through a list."""
        slots = [self.slot(path[:end]) for end in range(1, len(path))]
        return any(slot is not None and slot.item is not None for slot in slots)

    def series(self, name: tuple[str, ...]) -> str | None:
        """Return the variable of a series of numbers: None where it is unknown; None where it is no series.

        What is a series of anything else makes the line one that is not proven.
        """
        paths = self.places(name)
        if not any(self.crosses(path) or self._is_list(path) for path in paths):
            return None
        try:
            reader = self.reader(name)
        except Unprovable:
            return None
        lists = [v for v, path in zip(reader.variables, paths, strict=True) if v != "None"]
        if len(set(lists)) != 1:
            return None
        variable = f"s_{'_'.join(name)}".replace(" ", "_")
        if not variable.isidentifier():
            return None
        read = self._constants.name(numbers_of(reader), "R")
        # Read where it is first asked for: most laws see before that they do not apply.
        self.prelude.setdefault(variable, "F")
        value = f"{read}({lists[0]}) if {lists[0]}.__class__ is list else None"
        return f"({variable} if {variable} is not F else ({variable} := {value}))"

    def _is_list(self, path: Path) -> bool:
        slot = self.slot(path)
        return slot is not None and slot.kinds <= {"array", "null"}

    def stray(self, path: Path) -> str:
        """Return code that holds where the schema refuses a value or one above it, and all else is silent."""
        slots = [self.slot(path[:end]) for end in range(1, len(path) + 1)]
        return either(slot.stray for slot in slots if slot is not None)

    def strays(self, names: Iterable[tuple[str, ...]]) -> str:
        """Return code that holds where one of the names stands for what the schema refuses."""
        return either(self.stray(place) for name in names for place in self.places(name))

    def reader(self, name: tuple[str, ...]) -> Reader:
        """Return what reads a name's value as a record would."""
        parts: list[tuple[str, Any]] = []
        for path in self.places(name):
            slot = self.slot(path)
            through = next(
                (
                    (end, found)
                    for end in range(1, len(path))
                    if (found := self.slot(path[:end])) is not None and found.item is not None
                ),
                None,
            )
            if through is not None:
                end, found = through
                # What may be an object as well is read in two ways.
                if len(path) - end != 1 or found.item is None or found.object is not None:
                    raise Unprovable(name)
                inner = found.item.object.get(path[end]) if found.item.object is not None else None
                if inner is not None and {"object", "array"} & inner.kinds:
                    raise Unprovable(name)
                parts.append((found.name, Pluck(inner.name if inner is not None else None)))
            elif slot is None:
                parts.append(("None", as_it_is))
            elif slot.object is not None:
                raise Unprovable(name)
            else:
                parts.append((slot.name, as_it_is))
        return Reader(tuple(name for name, _ in parts), tuple(read for _, read in parts))
