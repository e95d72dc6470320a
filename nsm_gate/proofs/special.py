"""A proof for lines of one shape: what the shape decides is decided once, and not line by line.

The lines of a log come in few shapes: which members are there and of which type, the status, the experiment
type, the domain. Most of what a proof asks is decided by them. So for each shape that is frequent the proof's
code is gone through once, with what the shape says put in its place; what is left compares numbers and reads
times. The results are the same: `tests/test_many.py` holds one against the other.
"""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UnsetType

from nsm_gate.proofs.folding import Asked, Fact, Fold, fact_of, loaded_in, names_in, slimmed, stored_in

_MOST = 512
"""Shapes that get code of their own."""
_COUNTED = 8192
"""Shapes that are counted; a log with more has none that is frequent."""
_FREQUENT = 600
"""Lines of a shape that are worth the time that its code takes: some ms to make it, some us less a line."""


class Shapes:
    """The code of a proof for each frequent shape of lines.

    Attributes:
        key: Code that makes the shape's key of the tuples.
        any: The function for lines of any shape.
        made: Key -> function, for the shapes that have one.
    """

    def __init__(
        self,
        rows: Sequence[str],
        params: str,
        tuples: Mapping[str, Sequence[str]],
        told: Sequence[str],
        space: dict[str, Any],
    ) -> None:
        """Read the code.

        Args:
            rows: The code for any shape.
            params: Its parameters.
            tuples: Parameter that holds a tuple -> the variables that the code unpacks it into.
            told: Variables of few values, which are part of the shape.
            space: What the code names.
        """
        self._params = params
        self._space = space
        self._body = ast.parse("\n".join(rows)).body
        self.any = self._function(self._body)
        found = Asked([name for names in tuples.values() for name in names])
        for row in self._body:
            found.visit(row)
        self._told = [name for name in told if name in found.types]
        self._told += sorted(name for name in found.truths if name not in self._told)
        self._tuples = tuples
        # Of a tuple whose absent members are counted, all are part of the shape.
        self._typed = {
            values: [name for name in names if name in found.types or values in found.counted]
            for values, names in tuples.items()
        }
        self.key = self._key(tuples)
        self._reads = [names_in(row) for row in self._body]
        self._stored = Counter(name for row in self._body for name in stored_in(row))
        self._folded: dict[tuple[Any, ...], _Rest] = {}
        self._counts: Counter[Any] = Counter()
        self._worth = _FREQUENT
        self.made: dict[Any, Callable[..., Any]] = {}

    def _key(self, tuples: Mapping[str, Sequence[str]]) -> str:
        parts = []
        for values, slots in tuples.items():
            places = [number for number, name in enumerate(slots) if name in self._typed[values]]
            if len(places) == 1:
                parts.append(f"{values}[{places[0]}].__class__")
            elif len(places) == len(slots):
                parts.append(f"*map(type, {values})")
            elif places:
                getter = f"G_{values}"
                self._space[getter] = operator.itemgetter(*places)
                parts.append(f"*map(type, {getter}({values}))")
        for name in self._told:
            values = next(values for values, names in tuples.items() if name in names)
            parts.append(f"{values}[{list(tuples[values]).index(name)}]")
        return f"({', '.join(parts)},)" if parts else "()"

    def other(self, key: Any) -> Callable[..., Any]:
        """Return the function for a line whose shape has none yet, and make it one where it is frequent."""
        count = self._counts[key] + 1
        if count == 1 and len(self._counts) >= _COUNTED:
            return self.any
        self._counts[key] = count
        if count < self._worth or len(self.made) >= _MOST:
            return self.any
        made = self.made[key] = self._make(key)
        return made

    def count(self, key: Any) -> None:
        """Count a line's shape, and make it a function of its own where it is frequent."""
        if key is not None and key not in self.made:
            self.other(key)

    def begin(self, step: int) -> None:
        """Count for some lines, of which each stands for so many."""
        self._worth = max(2, -(-_FREQUENT // step))

    def go_on(self) -> None:
        """Count for every line from now on."""
        self._worth = _FREQUENT
        self._counts.clear()

    # --- one shape ------------------------------------------------------------------------------

    def _make(self, key: Sequence[Any]) -> Callable[..., Any]:
        parts = iter(key)
        facts: dict[str, Fact] = {}
        for names in self._typed.values():
            facts |= {slot: fact_of(type_) for slot, type_ in zip(names, parts, strict=False)}
        for name, value in zip(self._told, parts, strict=True):
            facts[name] = (facts[name][0], value)
        for values, slots in self._tuples.items():
            if slots and all(name in facts for name in slots):
                facts[values] = (tuple, sum(facts[name][0] is UnsetType for name in slots))
        rests: list[_Rest] = []
        for number, (row, read) in enumerate(zip(self._body, self._reads, strict=True)):
            known = tuple(facts.get(name) for name in read)
            place = (number, *known)
            folded = self._folded.get(place)
            if folded is None:
                left = list(Fold(facts, self._space).statement(row))
                folded = self._folded[place] = _Rest(
                    left, frozenset(n for row in left for n in loaded_in(row))
                )
            rests.append(folded)
            self._alias(folded.rows, facts)
        loaded = frozenset().union(*(rest.loads for rest in rests))
        return self._function([made for rest in rests for row in rest.rows for made in slimmed(row, loaded)])

    def _alias(self, rows: Sequence[ast.stmt], facts: dict[str, Fact]) -> None:
        """Take over what is known of a variable that another one is now a name for."""
        for row in rows:
            if isinstance(row, ast.Assign) and isinstance(row.value, ast.Name):
                target = row.targets[0]
                if isinstance(target, ast.Name) and self._stored[target.id] == 1 and row.value.id in facts:
                    facts[target.id] = facts[row.value.id]

    def _function(self, body: list[ast.stmt]) -> Callable[..., Any]:
        module = ast.parse(f"def _proof({self._params}): pass")
        function = module.body[0]
        assert isinstance(function, ast.FunctionDef)  # noqa: S101  # for mypy
        function.body = body
        # The names of this program's own constants alone; texts of lines and rules are never code.
        space = self._space
        exec(compile(module, "<proof of a shape>", "exec"), space)  # noqa: S102
        made: Callable[..., Any] = space.pop("_proof")
        return made


class _Rest(NamedTuple):
    """What a shape leaves of a statement, and the variables that it reads."""

    rows: list[ast.stmt]
    loads: frozenset[str]
