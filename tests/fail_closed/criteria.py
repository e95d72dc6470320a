"""Kinds of criteria x {missing, null, NaN, wrong type}: functions, parts of expressions, forms, references.

Every row is a criterion that the values beside it meet. Each of the values is spoilt in turn: the verdict is then
`unknown`, or what the row says in words. A NaN is no JSON, whoever reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fail_closed.values import MISSING, NULL, WRONG

MET, MISSED, UNKNOWN = "met", "missed", "unknown"
GAP, WORD, EMPTY = "a gap in the series", "a word in the series", "an empty series"
"""Columns of series alone."""


@dataclass(frozen=True)
class Row:
    """A criterion.

    Attributes:
        law: As the rules write it; its name is `x`.
        values: What it reads, and what meets it.
        otherwise: (value, column) -> outcome and why, where it is not unknown.
        rates: Whether `n` counts the examples of `x`.
        many: Whether it can be judged among others: it is an expression of its own values.
    """

    law: Any
    values: Mapping[str, Any]
    otherwise: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    rates: bool = False

    def columns(self, name: str) -> tuple[str, ...]:
        """Return what a value is tried with."""
        return (MISSING, NULL, WRONG, *((GAP, WORD, EMPTY) if isinstance(self.values[name], list) else ()))

    def spoilt(self, name: str, column: str) -> dict[str, Any]:
        """Return the values with one of them spoilt."""
        kept = dict(self.values)
        good = kept[name]
        if column == MISSING:
            del kept[name]
            return kept
        kept[name] = {
            NULL: None,
            # An object is of no type that a test takes.
            WRONG: {"a": 1},
            GAP: [*good, None] if isinstance(good, list) else None,
            WORD: [*good, "nan?"] if isinstance(good, list) else None,
            EMPTY: [],
        }[column]
        return kept

    def outcome(self, name: str, column: str) -> str:
        """Return the verdict that is right."""
        return self.otherwise.get((name, column), (UNKNOWN, ""))[0]


def says(expression: str, otherwise: Mapping[tuple[str, str], tuple[str, str]] = {}, **values: Any) -> Row:
    """Return a row of an expression."""
    return Row({"assert": expression}, values, otherwise)


_THERE = (MET, "it asks whether there is a value, whatever it is")
_COUNTS = (MET, "it counts members, and an object has some")
_LISTED = (MET, "it counts items, whatever they are")
_NOT_READ = (MET, "the first that is known decides; this one is not looked at")
_INSTEAD = (MET, "it is written for this: the next one stands in")
_NO_NUMBER = (MISSED, "null is what logs write where a number was NaN")
_LAST = (UNKNOWN, "")
_EITHER = (MET, "one part decides, as Kleene's logic has it, whatever the other is")
_EVER = [("x", column) for column in (MISSING, NULL, WRONG)]
_THE_COUNT = (MET, "it asks for the count alone, and that is there")
_FOUND = (MET, "what is looked for stands there, whatever else does")
SERIES = {"x": [3, 2, 1]}

FUNCTIONS: dict[str, tuple[Row, ...]] = {
    "abs": (says("abs(x) > 0", x=-1),),
    "min": (says("min(x) > 0", x=[1, 2]), says("min(x, y) > 0", x=1, y=2)),
    "max": (says("max(x) > 0", x=[1, 2]), says("max(x, y) > 0", x=1, y=2)),
    "mean": (says("mean(x) > 0", x=[1, 2]), says("mean(x, y) > 0", x=1, y=2)),
    "last": (says("last(x) > 0", x=[1, 2]),),
    "len": (
        says(
            "len(x) > 0",
            {("x", WRONG): _COUNTS, ("x", GAP): _LISTED, ("x", WORD): _LISTED, ("x", EMPTY): (MISSED, "it has none")},
            x=[1],
        ),
        says("len(x) > 0", {("x", WRONG): _COUNTS}, x="text"),
    ),
    "close": (says("close(x, y, tolerance=z)", x=1, y=1, z=0.1),),
    "change": (says("change(x, y) > 0", x=2, y=1),),
    "relative_change": (says("relative_change(x, y) > 0", x=2, y=1),),
    "count": (
        Row({"assert": "count(x) > 1"}, {"x": 0.5, "n": 400}, dict.fromkeys(_EVER, _THE_COUNT), rates=True),
    ),
    "standard_error": (
        says("standard_error(x, y) < 1", x=0.5, y=400),
        Row({"assert": "standard_error(x) < 1"}, {"x": 0.5, "n": 400}, rates=True),
    ),
    "known": (
        says(
            "known(x)",
            {("x", MISSING): (MISSED, "it says so"), ("x", NULL): (MISSED, "it says so"), ("x", WRONG): _THERE},
            x=1,
        ),
    ),
    "first": (
        says("first(x) > 0", x=1),
        says(
            "first(x, y) > 0",
            {
                ("x", MISSING): _INSTEAD, ("x", NULL): _INSTEAD,
                ("y", MISSING): _NOT_READ, ("y", NULL): _NOT_READ, ("y", WRONG): _NOT_READ,
            },
            x=1, y=1,
        ),
    ),
    "achieved": (says("achieved(x)", x=True),),
    "decreasing": (says("decreasing(x, tolerance=y, bumps=z)", x=[3, 2, 1], y=0, z=0),),
    "increasing": (says("increasing(x, tolerance=y, bumps=z)", x=[1, 2, 3], y=0, z=0),),
    "stable": (says("stable(x, tolerance=y, last=z)", x=[1, 1, 1], y=0.1, z=2), says("stable(x)", x="stable")),
    "converged": (says("converged(x, tolerance=y, last=z)", x=[3, 1, 1, 1], y=0.1, z=2),),
    "no_nan": (
        says("no_nan(x)", {("x", GAP): _NO_NUMBER}, x=[1, 2]), says("no_nan(x)", x=1),
    ),
    "lookup": (says("lookup(x, y, z) > 0", {("z", GAP): _LAST}, x=[1, 2], y=1, z=[3, 4]),),
}  # fmt: skip
"""Function -> criteria that call it."""

NODES: dict[str, tuple[Row, ...]] = {
    "Literal": (says("x == 1", x=1), says("x == true", x=True), says("x == 'a'", x="a")),
    "Name": (says("x", x=True), says("x.y", x={"y": True})),
    "Items": (says("x in [y, 1]", {("y", WRONG): _FOUND}, x=1, y=1),),
    "Arithmetic": (
        says("x + 1 > y", x=1, y=1), says("x - 1 < y", x=1, y=1), says("x * 2 > y", x=1, y=1),
        says("1 / x >= y", x=1, y=1), says("y / x >= 1", x=1, y=1),
    ),
    "Comparison": (
        says("x < y", x=1, y=2), says("x <= y", x=1, y=1), says("x > y", x=2, y=1), says("x >= y", x=1, y=1),
        says("x == y", x=1, y=1), says("x != y", x=1, y=2), says("x in [1, 2]", x=1),
        says("x not in [2, 3]", x=1), says("0 < x <= y", x=1, y=1),
        says("x not in y", {("y", EMPTY): (MET, "nothing stands in an empty list")}, x=3, y=[1, 2]),
        says(
            "x in y", {("y", GAP): _FOUND, ("y", WORD): _FOUND, ("y", EMPTY): (MISSED, "nothing stands there")},
            x=1, y=[1, 2],
        ),
        says("x != 'a'", x="b"),
    ),
    "Both": (says("x > 0 and y > 0", x=1, y=1),),
    "Either": (
        says("x > 0 or x > 5", x=1),
        says("x > 0 or y > 0", {(n, c): _EITHER for n in "xy" for c in (MISSING, NULL, WRONG)}, x=1, y=1),
    ),
    "Not": (says("not x > 5", x=1), says("not x", x=False), says("not (x > 5 and y > 5)", {("y", c): _EITHER for c in (MISSING, NULL, WRONG)}, x=1, y=9)),
    "Call": (says("close(abs(x), min(y, 1))", x=-1, y=1),),
}  # fmt: skip
"""Part of an expression -> criteria that are made of it."""

FORMS: dict[str, tuple[Row, ...]] = {
    "above": (Row({"above": 0.5}, {"x": 1}), Row({"above": "y"}, {"x": 2, "y": 1})),
    "below": (Row({"below": 0.5}, {"x": 0}), Row({"below": "y * 2"}, {"x": 1, "y": 1})),
    "at_least": (Row({"at_least": 1}, {"x": 1}), Row({"at_least": "y"}, {"x": 1, "y": 1})),
    "at_most": (Row({"at_most": 1}, {"x": 1}), Row({"at_most": "y"}, {"x": 1, "y": 1})),
    "by": (Row({"above": 0.5, "by": 0.1}, {"x": 1}), Row({"above": "y", "by": "5%"}, {"x": 2, "y": 1})),
    "standard_errors": (
        Row({"above": 0.5, "standard_errors": 2}, {"x": 0.9, "n": 400}, rates=True),
        Row({"below": "y", "standard_errors": 2}, {"x": 0.1, "y": 0.5, "n": 400}, rates=True),
    ),
    "assert": (says("x > y", x=2, y=1), Row({"assert": "> 0"}, {"x": 1})),
    "when": (Row({"assert": "x > 0", "when": "y > 0"}, {"x": 1, "y": 1}), Row({"above": 0, "when": "y"}, {"x": 1, "y": True})),
    "first": (
        Row({"first": [{"if": "y > 0", "then": "> 0"}, {"else": "> 0"}]}, {"x": 1, "y": 1}),
        Row({"first": [{"if": "y > 5", "then": "> 0"}, {"else": "> 0"}]}, {"x": 1, "y": 1}),
    ),
    "series": (Row({"series": "x", "is": "decreasing"}, SERIES),),
    "is": (
        Row({"series": "x", "is": "increasing"}, {"x": [1, 2, 3]}),
        Row({"series": "x", "is": "stable"}, {"x": [1, 1, 1]}),
        Row({"series": "x", "is": "converged", "last": 2}, {"x": [1, 1, 1]}),
        Row({"series": "x", "is": "no_nan"}, {"x": [1, 1, 1]}, {("x", GAP): _NO_NUMBER}),
    ),
    "tolerance": (Row({"series": "x", "is": "decreasing", "tolerance": 0.5}, SERIES),),
    "bumps": (Row({"series": "x", "is": "decreasing", "bumps": 1}, SERIES),),
    "last": (Row({"series": "x", "is": "stable", "last": 2}, {"x": [9, 1, 1]}),),
    "source": (Row({"above": 0.5, "source": "a paper"}, {"x": 1}),),
    "a short text": (
        Row("> 0", {"x": 1}), Row(">= 1", {"x": 1}), Row("< 2", {"x": 1}), Row("<= 1", {"x": 1}),
        Row("== 1", {"x": 1}), Row("!= 2", {"x": 1}), Row("0 .. 2", {"x": 1}), Row("> y", {"x": 2, "y": 1}),
        Row("achieved", {"x": True}), Row("stable", {"x": "stable"}), Row("decreasing", SERIES),
        Row("increasing", {"x": [1, 2]}), Row("converged", {"x": [1] * 7}),
        Row("no_nan", {"x": [1, 2]}, {("x", GAP): _NO_NUMBER}),
    ),
}  # fmt: skip
"""Member of a criterion in the rules -> criteria that are written with it. `use` takes in the criteria of a domain,
which are of these forms."""

NONE = {
    UNKNOWN: (UNKNOWN, "the rules say that it is not known then"),
    "fail": (MISSED, "the rules say that it is missed then"),
    "pass": (MET, "the rules say that it is met then"),
    "warn": (MET, "the rules say that it is met then, with a warning"),
}
"""`none:` of a reference -> what holds where no run is comparable."""
