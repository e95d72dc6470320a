"""The closed table of functions that rules may call. None of them raises or loops without bound."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from nsm_gate.nouns import Final, NamedTuple
from nsm_gate.values import CONTEXT, UNKNOWN, Value, decimal, equal, is_number, rounded

_Call = Callable[[Sequence[Value], Mapping[str, Value]], Value]


class Function(NamedTuple):
    """A function of the closed table.

    Attributes:
        call: Positional values and keyword values -> value. Unknown arguments are handed over only
            where `takes_unknown`.
        least: How many positional arguments it needs.
        most: How many it takes.
        options: Names of its keyword arguments.
        usage: How it is written.
        summary: What it gives, in one sentence.
        unknown: When its value is unknown although its arguments are there; empty for a wrong type alone.
        takes_unknown: Whether it is called although an argument is unknown.
        names: Whether its arguments are names, whose series are handed over with their gaps.
        why: The same arguments -> what in them decided, in words.
    """

    call: _Call
    least: int
    most: int
    options: tuple[str, ...]
    usage: str
    summary: str
    unknown: str = ""
    takes_unknown: bool = False
    names: bool = False
    why: Callable[[Sequence[Value], Mapping[str, Value]], str] | None = None


def _numbers(value: Value) -> list[Decimal] | None:
    if type(value) is not list or not value or not all(is_number(item) for item in value):
        return None
    return [decimal(item) for item in value]


def _whole(value: Value, least: int) -> int | None:
    """Return an option that is a whole number of at least `least`, else None."""
    return value if type(value) is int and value >= least else None


def _abs(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return decimal(args[0]).copy_abs() if is_number(args[0]) else UNKNOWN


def _extreme(pick: Callable[[list[Decimal]], Decimal]) -> _Call:
    def call(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
        values = _numbers(args[0] if len(args) == 1 else list(args))
        return UNKNOWN if values is None else pick(values)

    return call


def _mean(values: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = CONTEXT.add(total, value)
    return CONTEXT.divide(total, Decimal(len(values)))


def _len(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    return len(args[0]) if type(args[0]) in (str, list, dict) else UNKNOWN


def _close(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    tolerance = options.get("tolerance", Decimal("1e-9"))
    if not (is_number(args[0]) and is_number(args[1]) and is_number(tolerance)):
        return UNKNOWN
    return CONTEXT.subtract(decimal(args[0]), decimal(args[1])).copy_abs() <= decimal(tolerance)


def _change(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    if not (is_number(args[0]) and is_number(args[1])):
        return UNKNOWN
    return CONTEXT.subtract(decimal(args[0]), decimal(args[1]))


def _relative_change(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    change = _change(args, options)
    if change is UNKNOWN or not decimal(args[1]):
        return UNKNOWN
    return CONTEXT.divide(change, decimal(args[1]).copy_abs())


def standard_error(rate: Value, count: Value) -> Decimal | None:
    """Return the binomial standard error of a rate over a count of examples, None where there is none.

    sqrt(p (1 - p) / n). At a rate of 0 or 1 that would be nothing at all: there p is taken half an
    example away from the end.
    """
    if not is_number(rate) or not 0 <= rate <= 1 or type(count) is not int or not 0 < count < 10**12:
        return None
    share, total = decimal(rate), Decimal(count)
    if share in (0, 1):
        share = CONTEXT.divide(Decimal("0.5"), total)
    spread = CONTEXT.multiply(share, CONTEXT.subtract(Decimal(1), share))
    return CONTEXT.sqrt(CONTEXT.divide(spread, total))


def _standard_error(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    found = standard_error(args[0], args[1])
    return UNKNOWN if found is None else found


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


# --- series -----------------------------------------------------------------------------------


def _rises(values: Sequence[Decimal], allowed: Decimal, sign: int) -> list[int]:
    """Return the places of the values that go the wrong way by more than what is allowed."""
    steps = itertools.pairwise(values)
    return [
        place
        for place, (before, after) in enumerate(steps, 1)
        if CONTEXT.multiply(sign, CONTEXT.subtract(after, before)) > allowed
    ]


def _trend(sign: int) -> _Call:
    def call(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
        values = _numbers(args[0])
        tolerance = options.get("tolerance", 0)
        bumps = _whole(options.get("bumps", 0), 0)
        if values is None or len(values) < 2 or not is_number(tolerance) or bumps is None:
            return UNKNOWN
        wrong = _rises(values, decimal(tolerance), sign)
        gone = CONTEXT.multiply(sign, CONTEXT.subtract(values[-1], values[0]))
        return len(wrong) <= bumps and gone < 0

    return call


def _trend_why(sign: int) -> Callable[[Sequence[Value], Mapping[str, Value]], str]:
    word = "rises" if sign > 0 else "falls"

    def why(args: Sequence[Value], options: Mapping[str, Value]) -> str:
        values = _numbers(args[0])
        tolerance = options.get("tolerance", 0)
        if values is None or len(values) < 2 or not is_number(tolerance):
            return ""
        wrong = _rises(values, decimal(tolerance), sign)
        if not wrong:
            ends = CONTEXT.multiply(sign, CONTEXT.subtract(values[-1], values[0]))
            return "" if ends < 0 else "it ends no better than it began"
        worst = max(
            wrong, key=lambda at: CONTEXT.multiply(sign, CONTEXT.subtract(values[at], values[at - 1]))
        )
        step = f"{rounded(values[worst - 1])} → {rounded(values[worst])}"
        if len(wrong) == 1:
            return f"it {word} at value {worst + 1}: {step}"
        return f"it {word} {len(wrong)} times, most at value {worst + 1}: {step}"

    return why


def _last_values(args: Sequence[Value], options: Mapping[str, Value], least: int) -> list[Decimal] | None:
    """Return the values that the option `last` leaves; None where there are too few of them."""
    values = _numbers(args[0])
    last = _whole(options.get("last", 0), 0)
    if values is None or last is None or (last and (last < least or len(values) < last)):
        return None
    values = values[-last:] if last else values
    return values if len(values) >= least else None


def _stable(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    tolerance = options.get("tolerance", Decimal("0.1"))
    if not is_number(tolerance) or _whole(options.get("last", 0), 0) is None:
        return UNKNOWN
    if type(args[0]) is str:
        return args[0].strip().lower() == "stable"
    values = _last_values(args, options, 2)
    if values is None:
        return UNKNOWN
    spread = CONTEXT.subtract(max(values), min(values))
    return spread <= CONTEXT.multiply(decimal(tolerance), max(v.copy_abs() for v in values))


def _stable_why(args: Sequence[Value], options: Mapping[str, Value]) -> str:
    values = _last_values(args, options, 2)
    if values is None:
        return ""
    largest = max(v.copy_abs() for v in values)
    if not largest:
        return ""
    share = CONTEXT.divide(CONTEXT.subtract(max(values), min(values)), largest)
    span = f"{rounded(min(values))} to {rounded(max(values))}"
    return f"{len(values)} values from {span} spread by {rounded(share)} of the largest"


def _steps_of(args: Sequence[Value], options: Mapping[str, Value]) -> list[Decimal] | None:
    """Return the size of each of the last steps as a share of the value before it."""
    values = _numbers(args[0])
    last = _whole(options.get("last", 5), 1)
    if values is None or last is None or len(values) <= last:
        return None
    shares = []
    for before, after in itertools.pairwise(values[-last - 1 :]):
        step = CONTEXT.subtract(after, before).copy_abs()
        if step and not before:
            return None
        shares.append(CONTEXT.divide(step, before.copy_abs()) if step else step)
    return shares


def _converged(args: Sequence[Value], options: Mapping[str, Value]) -> Value:
    shares = _steps_of(args, options)
    tolerance = options.get("tolerance", Decimal("0.01"))
    if shares is None or not is_number(tolerance):
        return UNKNOWN
    return max(shares) <= decimal(tolerance)


def _converged_why(args: Sequence[Value], options: Mapping[str, Value]) -> str:
    shares = _steps_of(args, options)
    return f"of the last {len(shares)} steps the largest is {rounded(max(shares))}" if shares else ""


_NOT_A_NUMBER = {"nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"}


def _no_nan(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    values = args[0] if type(args[0]) is list else [args[0]]
    odd = False
    for value in values:
        # JSON has no NaN: logs write null, or the word.
        if value is None or (type(value) is str and value.strip().lower() in _NOT_A_NUMBER):
            return False
        odd = odd or not is_number(value)
    return UNKNOWN if odd or not values else True


def _no_nan_why(args: Sequence[Value], _options: Mapping[str, Value]) -> str:
    values = args[0] if type(args[0]) is list else [args[0]]
    wrong = [place for place, value in enumerate(values, 1) if value is None or type(value) is str]
    return f"value {wrong[0]} is no number" if len(values) > 1 and wrong else ""


def _final(args: Sequence[Value], _options: Mapping[str, Value]) -> Value:
    values = _numbers(args[0])
    return UNKNOWN if values is None else values[-1]


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
    "mean": Function(_extreme(_mean), 1, 16, (), "mean(series) or mean(x, y, ...)", "the arithmetic mean"),
    "last": Function(_final, 1, 1, (), "last(series)", "the last number of a series"),
    "len": Function(_len, 1, 1, (), "len(x)", "how many items, members or characters x has"),
    "close": Function(
        _close, 2, 2, ("tolerance",), "close(x, y, tolerance=1e-9)",
        "whether two numbers differ by at most the tolerance",
    ),
    "change": Function(_change, 2, 2, (), "change(x, y)", "how much x is above y: x - y"),
    "relative_change": Function(
        _relative_change, 2, 2, (), "relative_change(x, y)",
        "how much x is above y, as a share of y: (x - y) / |y|", "y is 0",
    ),
    "count": Function(
        _known, 1, 1, (), "count(rate)",
        "how many examples stand behind a rate, where the log kind's `rates:` says so",
    ),
    "standard_error": Function(
        _standard_error, 1, 2, (), "standard_error(rate) or standard_error(rate, count)",
        "the binomial standard error of a rate over its examples, sqrt(p (1 - p) / n); "
        "at 0 and 1, that of half an example",
        "the count is not known, or the rate is not between 0 and 1",
    ),
    "known": Function(
        _known, 1, 1, (), "known(x)", "whether x is there and not null; never unknown",
        takes_unknown=True,
    ),
    "first": Function(
        _first_known, 1, 16, (), "first(x, y, ...)", "the first that is known", "none is known",
        takes_unknown=True,
    ),
    "achieved": Function(
        _achieved, 1, 1, (), "achieved(x)",
        'whether x is true, "achieved", or a measure of at least 1',
    ),
    "decreasing": Function(
        _trend(1), 1, 1, ("tolerance", "bumps"), "decreasing(series, tolerance=0, bumps=0)",
        "whether the last value is below the first, and at most `bumps` steps rise by more than `tolerance`",
        "the series has fewer than two values", why=_trend_why(1),
    ),
    "increasing": Function(
        _trend(-1), 1, 1, ("tolerance", "bumps"), "increasing(series, tolerance=0, bumps=0)",
        "whether the last value is above the first, and at most `bumps` steps fall by more than `tolerance`",
        "the series has fewer than two values", why=_trend_why(-1),
    ),
    "stable": Function(
        _stable, 1, 1, ("tolerance", "last"), "stable(series, tolerance=0.1, last=0)",
        "whether the last so many values (all of them with 0) spread by at most `tolerance` of the largest; "
        'or x is the word "stable"',
        "there are fewer than two values, or fewer than `last`", why=_stable_why,
    ),
    "converged": Function(
        _converged, 1, 1, ("tolerance", "last"), "converged(series, tolerance=0.01, last=5)",
        "whether each of the last so many steps changes the value by at most `tolerance` of it",
        "there are not more values than `last`", why=_converged_why,
    ),
    "no_nan": Function(
        _no_nan, 1, 1, (), "no_nan(series)",
        'whether every value is a number; null and words such as "NaN" or "inf", as logs write what '
        "JSON cannot, make it false",
        "a value is absent or of another type", names=True, why=_no_nan_why,
    ),
    "lookup": Function(
        _lookup, 3, 3, (), "lookup(keys, key, values)",
        "the value that stands in one series where the key stands in the other",
        "the key is not there, or the series differ in length",
    ),
}  # fmt: skip


STATES: Final = frozenset({"achieved", "converged", "decreasing", "increasing", "no_nan", "stable"})
"""Functions of one value that a test may name alone."""
