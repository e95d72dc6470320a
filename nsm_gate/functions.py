"""The closed table of functions that rules may call. None of them raises or loops without bound."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from nsm_gate.values import CONTEXT, UNKNOWN, Value, decimal, equal, is_number


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the closed table.

    Attributes:
        call: Positional values and keyword values -> value. Unknown arguments are handed over only
            where `takes_unknown`.
        least: How many positional arguments it needs.
        most: How many it takes.
        options: Names of its keyword arguments.
        usage: How it is written.
        summary: What it gives, in one sentence.
        takes_unknown: Whether it is called although an argument is unknown.
    """

    call: Callable[[Sequence[Value], Mapping[str, Value]], Value]
    least: int
    most: int
    options: tuple[str, ...]
    usage: str
    summary: str
    takes_unknown: bool = False


def _numbers(value: Value) -> list[Decimal] | None:
    if type(value) is not list or not value or not all(is_number(item) for item in value):
        return None
    return [decimal(item) for item in value]


def _abs(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return decimal(args[0]).copy_abs() if is_number(args[0]) else UNKNOWN


def _extreme(pick: Callable[[list[Decimal]], Decimal]) -> Callable[..., Value]:
    def call(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
        values = _numbers(args[0] if len(args) == 1 else list(args))
        return UNKNOWN if values is None else pick(values)

    return call


def _len(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return len(args[0]) if type(args[0]) in (str, list, dict) else UNKNOWN


def _close(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    tolerance = options.get("tolerance", Decimal("1e-9"))
    if not (is_number(args[0]) and is_number(args[1]) and is_number(tolerance)):
        return UNKNOWN
    return CONTEXT.subtract(decimal(args[0]), decimal(args[1])).copy_abs() <= decimal(tolerance)


def _known(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return args[0] is not UNKNOWN


def _first_known(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return next((arg for arg in args if arg is not UNKNOWN), UNKNOWN)


def _achieved(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    value = args[0]
    if type(value) is bool:
        return value
    if type(value) is str:
        return value.strip().lower() == "achieved"
    return decimal(value) >= 1 if is_number(value) else UNKNOWN


def _steps(args: Sequence[Value], options: Mapping[str, Value], sign: int) -> Value:
    values = _numbers(args[0])
    tolerance = options.get("tolerance", 0)
    if values is None or len(values) < 2 or not is_number(tolerance):
        return UNKNOWN
    allowed = decimal(tolerance)
    steps = [CONTEXT.multiply(sign, CONTEXT.subtract(b, a)) for a, b in itertools.pairwise(values)]
    return (
        all(step <= allowed for step in steps)
        and CONTEXT.multiply(sign, CONTEXT.subtract(values[-1], values[0])) < 0
    )


def _decreasing(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    return _steps(args, options, 1)


def _increasing(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    return _steps(args, options, -1)


def _stable(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    if type(args[0]) is str:
        return args[0].strip().lower() == "stable"
    values = _numbers(args[0])
    tolerance = options.get("tolerance", Decimal("0.1"))
    if values is None or len(values) < 2 or not is_number(tolerance):
        return UNKNOWN
    spread = CONTEXT.subtract(max(values), min(values))
    return spread <= CONTEXT.multiply(decimal(tolerance), max(v.copy_abs() for v in values))


def _lookup(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    keys, key, values = args
    if type(keys) is not list or type(values) is not list or len(keys) != len(values):
        return UNKNOWN
    found = [v for k, v in zip(keys, values, strict=True) if equal(k, key) is True]
    return found[-1] if found else UNKNOWN


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": Function(_abs, 1, 1, (), "abs(x)", "the absolute value of a number"),
    "min": Function(_extreme(min), 1, 16, (), "min(series) or min(x, y, ...)", "the smallest number"),
    "max": Function(_extreme(max), 1, 16, (), "max(series) or max(x, y, ...)", "the largest number"),
    "len": Function(_len, 1, 1, (), "len(x)", "how many items, members or characters x has"),
    "close": Function(
        _close, 2, 2, ("tolerance",), "close(x, y, tolerance=1e-9)",
        "whether two numbers differ by at most the tolerance",
    ),
    "known": Function(
        _known, 1, 1, (), "known(x)", "whether x is there and not null; never unknown", True
    ),
    "first": Function(_first_known, 1, 16, (), "first(x, y, ...)", "the first that is known", True),
    "achieved": Function(
        _achieved, 1, 1, (), "achieved(x)",
        'whether x is true, "achieved", or a measure of at least 1',
    ),
    "decreasing": Function(
        _decreasing, 1, 1, ("tolerance",), "decreasing(series, tolerance=0)",
        "whether no step rises by more than the tolerance and the last value is below the first",
    ),
    "increasing": Function(
        _increasing, 1, 1, ("tolerance",), "increasing(series, tolerance=0)",
        "whether no step falls by more than the tolerance and the last value is above the first",
    ),
    "stable": Function(
        _stable, 1, 1, ("tolerance",), "stable(series, tolerance=0.1)",
        'whether a series spreads by at most this share of its largest size, or x is "stable"',
    ),
    "lookup": Function(
        _lookup, 3, 3, (), "lookup(keys, key, values)",
        "the value that stands in one series where the key stands in the other",
    ),
}  # fmt: skip


STATES: Final = frozenset({"achieved", "decreasing", "increasing", "stable"})
"""Functions of one value that a test may name alone."""
