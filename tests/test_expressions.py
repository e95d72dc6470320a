"""The rule language: what parses, what it says, and that nothing missing or odd ever passes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nsm_gate.expressions import Call, Lookup, Node
from nsm_gate.functions import FUNCTIONS, STATES
from nsm_gate.parser import MAX_LENGTH, ExpressionError, parse, parse_test
from nsm_gate.values import UNKNOWN
from tests.support import Repo, a_run, edited

NAN, INF = math.nan, math.inf
ODD: list[Any] = [None, NAN, INF, -INF, {}, {"a": 1}, [[1]], [None], object]
"""What stands for no usable number, string or truth value."""


def looking(env: Mapping[str, Any]) -> Lookup:
    def lookup(path: tuple[str, ...], gaps: bool = False, /) -> Any:
        value = env.get(".".join(path))
        return UNKNOWN if value is None else value

    return lookup


def value(text: str, **env: Any) -> Any:
    return parse(text).value(looking(env))


def judged(text: str, **env: Any) -> Any:
    """Return the value of a test of `m`."""
    return parse_test(text, ("m",), {"best": ("best", "m")}).value(looking(env))


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    return caught.value


# --- parse errors -----------------------------------------------------------------------------

KNOWN = "write known(x) or not known(x)"
POWERS = "powers and whole division are not part of the rule language"
MEMBER = 'write x["name"] where the name is not a word'
FUNCTIONS_ARE = f"the functions are {', '.join(FUNCTIONS)}"


@pytest.mark.parametrize(
    "text, message, column, hint",
    [
        ("", "a value is expected, the end found", 1, ""),
        ("   ", "a value is expected, the end found", 4, ""),
        ("a +", "a value is expected, the end found", 4, ""),
        ("a and", "a value is expected, the end found", 6, ""),
        ("not", "a value is expected, the end found", 4, ""),
        ("a not in", "a value is expected, the end found", 9, ""),
        ("< 1", "a value is expected, '<' found", 1, ""),
        ("and a", "a value is expected, 'and' found", 1, ""),
        ("()", "a value is expected, ')' found", 2, ""),
        ("[,]", "a value is expected, ',' found", 2, ""),
        ("if", "a value is expected, 'if' found", 1, ""),
        ("lambda", "a value is expected, 'lambda' found", 1, ""),
        ("a b", "'b' is not expected here", 3, ""),
        ("1 2", "'2' is not expected here", 3, ""),
        ('"a" "b"', "'\"b\"' is not expected here", 5, ""),
        ("a)", "')' is not expected here", 2, ""),
        ("a, b", "',' is not expected here", 2, ""),
        ("a if b else c", "'if' is not expected here", 3, ""),
        ("a is b", "'is' is not expected here", 3, ""),
        ("a not b", "'not' is not expected here", 3, ""),
        ("a.b(1)", "'(' is not expected here", 4, ""),
        ("a = 1", "'=' is not expected here", 3, "compare with =="),
        ("acc => 1", "'=' is not expected here", 5, "compare with =="),
        ("a <> b", "a value is expected, '>' found", 4, ""),
        ("(a", "')' expected, the end found", 3, ""),
        ("[a b]", "']' expected, 'b' found", 4, ""),
        ("abs(a", "')' expected, the end found", 6, ""),
        ("a[1]", "a quoted member name is expected, '1' found", 3, 'write ["name"]'),
        ("a[b]", "a quoted member name is expected, 'b' found", 3, 'write ["name"]'),
        ('a["b"', "']' expected, the end found", 6, ""),
        ("a.", "a member name is expected, the end found", 3, MEMBER),
        ("a..b", "a member name is expected, '.' found", 3, MEMBER),
        ('a."b"', "a member name is expected, '\"b\"' found", 3, MEMBER),
        ("a & b", "'&' has no meaning here", 3, "write and"),
        ("a || b", "'|' has no meaning here", 3, "write or"),
        ("!a", "'!' has no meaning here", 1, "write not"),
        ("a % 2", "'%' has no meaning here", 3, ""),
        ("a ? 1 : 2", "'?' has no meaning here", 3, ""),
        ("a := 1", "':' has no meaning here", 3, ""),
        ("a > 1; b", "';' has no meaning here", 6, ""),
        ("a +\r1", "'\\r' has no meaning here", 4, ""),
        ("{1}", "'{' has no meaning here", 1, ""),
        ("@", "'@' has no meaning here", 1, ""),
        ("é > 1", "'é' has no meaning here", 1, ""),
        ('"open', "'\"' has no meaning here", 1, ""),
        ("'open", '"\'" has no meaning here', 1, ""),
        ('"a\\n"', "'\"' has no meaning here", 1, ""),
        ("a ** 2", "'**' has no meaning here", 4, POWERS),
        ("a // 2", "'//' has no meaning here", 4, POWERS),
        ("None", "'None' cannot be compared with", 1, KNOWN),
        ("a == null", "'null' cannot be compared with", 6, KNOWN),
        ("nope(1)", "unknown function 'nope'", 1, FUNCTIONS_ARE),
        ("1 + eval('x')", "unknown function 'eval'", 5, FUNCTIONS_ARE),
        ("__import__('os')", "unknown function '__import__'", 1, FUNCTIONS_ARE),
        ("abs()", "abs does not take 0 values", 1, "write abs(x)"),
        ("1 + abs(1, 2)", "abs does not take 2 values", 5, "write abs(x)"),
        ("lookup(a, b)", "lookup does not take 2 values", 1, "write lookup(keys, key, values)"),
        ("absolute(1)", "unknown function 'absolute'", 1, FUNCTIONS_ARE), ("decreasng(x)", "unknown function 'decreasng'", 1, "did you mean 'decreasing'?"),
        ("no_nan(a + 1)", "no_nan looks at a name, not at a computed value", 1, "write no_nan(series)"),
        ("1 < count(2)", "count needs the name of a rate", 5, "write count(rate)"),
        ("standard_error(a / b)", "standard_error needs the name of a rate", 1,
         "write standard_error(rate) or standard_error(rate, count)"),
        ("abs(x=1)", "abs has no option 'x'", 5, "write abs(x)"),
        ("close(a, b, tol=1)", "close has no option 'tol'", 13, "write close(x, y, tolerance=1e-9)"),
        ("stable(a, tolerance=1, tolerance=2)", "stable has no option 'tolerance'", 24,
         "write stable(series, tolerance=0.1, last=0)"),
        (f"min({', '.join('a' * 17)})", "min does not take 17 values", 1, "write min(series) or min(x, y, ...)"),
        ("a" * 1001, "expression is longer than 1000 characters", 1, "make several criteria of it"),
        ("(" * 32 + "1" + ")" * 32, "nested deeper than 32", 33, "make several criteria of it"),
        ("abs(" * 32 + "1" + ")" * 32, "nested deeper than 32", 129, "make several criteria of it"),
        ("[" * 40, "nested deeper than 32", 33, "make several criteria of it"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_column_and_remedy(
    text: str, message: str, column: int, hint: str
) -> None:
    error = refusal(text)
    assert (str(error), error.column, error.hint) == (message, column, hint)


@pytest.mark.parametrize("text", ["1.2.3", "1abc", "1_000", "0x10", "1e1000", "1e", "0.2..0.4", "1.e+"])
def test_what_only_begins_like_a_number_is_refused_at_its_start(text: str) -> None:
    assert refusal(f"a > {text}").column in (5, 6)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=12)
    | st.lists(
        st.sampled_from(
            [*"()[],.=<>+-*/ ", "a", "in", "not", "and", "or", "1", ".5", '"x"', "abs", "known", "true", "==", "1e9", "\n"]
        ),
        max_size=15,
    ).map(" ".join)
)  # fmt: skip
def test_any_text_is_parsed_or_refused_at_a_column_of_it(text: str) -> None:
    found: Node | ExpressionError
    try:
        found = parse(text)
    except ExpressionError as error:
        found = error
    if isinstance(found, Node):
        assert found.value(looking({})) is not None
    else:
        assert 1 <= found.column <= len(text) + 1
        assert str(found)


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("0.1 + 0.2 == 0.3", True),
        ("0.60 >= 0.55 + 0.05", True),
        ("f >= 0.55 + 0.05", True),
        ("f - 0.1 == 0.5", True),
        ("3 * 0.1 == 0.3", True),
        ("1 / 3 * 3 == 1", False),
        ("1e-3 == 0.001", True),
        (".5 + 5. == 5.5", True),
        ("2 + 3 * 4 - 6 / 2", 11),
        ("(2 + 3) * 4", 20),
        ("-2 - -3", 1),
        ("- - -2", -2),
        ("+f", 0.6),
        ("-f < 0", True),
        ("7 == 7.0", True),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("3 > 2 != 1 <= 1", True),
        ("not 1 > 2", True),
        ("not not b", True),
        ("1 > 2 or 2 > 1 and b", True),
        ("b and not b or b", True),
        ("True == true", True),
        ("FALSE != b", True),
        ('s == "x y"', True),
        ("s != 'x'", True),
        ('s < "y"', True),
        ('"x" in s', True),
        ("'z' not in s", True),
        ("2 in [1, 2.0, 3]", True),
        ("f in [0.6]", True),
        ('s in ["a", "x y"]', True),
        ("4 not in l", True),
        ("3 in l", True),
        ("b in [true]", True),
        ("a.b.c == 1", True),
        ('a["b"]["c"] == 1', True),
        ('a["val/loss"].x == 2', True),
        ("a.not == 3", True),
        ("2 +\n\t3", 5),
    ],
)
def test_an_expression_means_what_it_says(text: str, wanted: Any) -> None:
    env = {"f": 0.6, "b": True, "s": "x y", "l": [1, 2, 3], "a.b.c": 1, "a.val/loss.x": 2, "a.not": 3}
    found = value(text, **env)
    assert found == (Decimal(repr(wanted)) if isinstance(wanted, float) and text != "+f" else wanted)
    assert isinstance(found, bool) is isinstance(wanted, bool)


T, F, U = True, False, UNKNOWN


@pytest.mark.parametrize(
    "left, right, both, either",
    [
        ("t", "t", T, T), ("t", "f", F, T), ("t", "u", U, T),
        ("f", "t", F, T), ("f", "f", F, F), ("f", "u", F, U),
        ("u", "t", U, T), ("u", "f", F, U), ("u", "u", U, U),
    ],
)  # fmt: skip
@pytest.mark.parametrize("unknown", [None, 1, 0, "", "true", [], [True], {}, NAN], ids=repr)
def test_and_and_or_follow_kleene(left: str, right: str, both: Any, either: Any, unknown: Any) -> None:
    # What is neither true nor false is unknown: no value is "truthy".
    env = {"t": True, "f": False, "u": unknown}
    assert value(f"{left} and {right}", **env) is both
    assert value(f"{left} or {right}", **env) is either
    assert value(f"not ({left} and {right})", **env) is value(f"not {left} or not {right}", **env)


@pytest.mark.parametrize("unknown", [None, 1, 0, "", [], {}, NAN], ids=repr)
def test_not_follows_kleene(unknown: Any) -> None:
    env = {"t": True, "f": False, "u": unknown}
    assert value("not t", **env) is False
    assert value("not f", **env) is True
    assert value("not u", **env) is UNKNOWN
    assert value("not not u", **env) is UNKNOWN
    assert value("not not not u", **env) is UNKNOWN


@pytest.mark.parametrize(
    "text", ["u", "u == u", "u != u", "u < 1", "u >= u", "u != 1", "u != 'a'", "u + 1 > 0", "-u < 0", "u * 0 == 0",
             "1 in u", "1 not in u", "u in [1]", "u not in [1]", "1 in [1, u]", "len([u]) > 0", "abs(u) >= 0", "close(u, u)", "min(u, 1) <= 1",
             "max(u) > 0", "decreasing(u)", "increasing(u)", "stable(u)", "achieved(u)", "len(u) >= 0",
             "lookup(u, 1, u) == 1", "not u", "u and true", "true and u", "u or false", "1 < u < 3", "[u] == [u]"],
)  # fmt: skip
def test_what_is_missing_or_null_never_passes(text: str) -> None:
    assert value(text, u=None) is UNKNOWN
    assert value(text) is UNKNOWN


@pytest.mark.parametrize(
    "text", ["u == u", "u != u", "u < 1", "u > 1", "u != 1", "u != 'a'", "u + 1 > 0", "-u < 0", "u * 0 == 0", "1 < u < 3",
             "abs(u) >= 0", "close(u, u)", "min(u, 1) <= 1", "max(u, 1) >= 1", "not u", "u and true", "u or false",
             "u in [1]", "u not in [1]", "u not in ['a']", "u == true", "achieved(u)", "decreasing(u)"],
)  # fmt: skip
@pytest.mark.parametrize("odd", [odd for odd in ODD if odd is not None], ids=repr)
def test_what_is_no_number_string_or_truth_value_never_passes(text: str, odd: Any) -> None:
    assert value(text, u=odd) is UNKNOWN


@pytest.mark.parametrize(
    "text",
    ["1 == '1'", "1 != '1'", "1 == true", "0 != false", "true < 2", "'a' < 1", "b == 1", "b != 1", "b + 1 == 2",
     "s + s == 'xx'", "s * 2 == 'xx'", "abs(b) == 1", "max(b, 0) == 1", "min(s, 'y') == s", "1 in 'a1'", "s in 5",
     "'1' in [1, 2]", "1 not in ['a']", "b in [1, 0]", "b not in [1, 0]", "-b < 0", "close(b, 1)", "b < true",
     "[1] == [1]", "l == l", "[1] < [2]", "1 and true", "'a' or false", "decreasing(s)", "increasing([b, s])"],
)  # fmt: skip
def test_types_that_do_not_fit_are_unknown(text: str) -> None:
    assert value(text, b=True, s="x", l=[1]) is UNKNOWN


def test_membership_of_what_cannot_be_compared_is_unknown() -> None:
    # `not in` over values that == cannot judge would pass although the value stands there.
    assert value("x in y", x=["a"], y=[["a"]]) is UNKNOWN
    assert value("x not in y", x=["a"], y=[["a"]]) is UNKNOWN
    assert value("x not in y", x={"a": 1}, y=[{"a": 1}]) is UNKNOWN


def test_membership_with_nan_is_unknown() -> None:
    assert value("x not in y", x=1.5, y=[NAN]) is UNKNOWN
    assert value("x not in y", x=NAN, y=[NAN]) is UNKNOWN
    assert value("x in y", x=1.5, y=[NAN, 1.5]) is True


def test_membership_in_an_empty_list_is_false() -> None:
    assert value("x in y", x=1, y=[]) is False
    assert value("x not in y", x="a", y=[]) is True
    assert value("x in y", y=[]) is UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "a / z",
        "0 / 0",
        "a / (1 - 1)",
        "1 / 0 > 1",
        "1 / 0 == 1 / 0",
        "not 1 / 0 > 1",
        "abs(1 / 0) > 0",
    ],
)
def test_division_by_zero_is_unknown(text: str) -> None:
    assert value(text, a=1, z=0.0) is UNKNOWN


def test_huge_and_tiny_numbers_neither_raise_nor_wrap() -> None:
    assert value("a * a > 1e600", a=1.7e308) is True
    assert value("a * a > 0", a=5e-324) is True
    assert value(" * ".join(["1e999"] * 100) + " > 1") is True
    assert value(" * ".join(["1e-999"] * 100) + " > 0") is True
    assert value("a > 0", a=10**4000) is True
    assert value("a + 1 > a", a=10**20) is True
    assert value("a == b", a=2**53 + 1, b=float(2**53)) is False
    assert value("a - b < 0", a=-(10**4000), b=10**4000) is True
    assert value("a < 0.1", a=10**400) is False


def test_signs_and_sizes_keep_every_digit() -> None:
    # Decimal's own minus and abs() round to the digits of the ambient context.
    digits = "0.1234567890123456789012345678901"
    assert value(f"-{digits} == 0 - {digits}") is True
    assert value("abs(x) == x", x=123456789012345678901234567890123) is True
    assert value("abs(x) == 0 - x", x=-123456789012345678901234567890123) is True


# --- functions --------------------------------------------------------------------------------

ARGUMENTS: dict[str, Any] = {
    "down": [3, 2.5, 1], "flat": [2, 2, 2], "bump": [3, 2, 2.5, 1], "up": [1, 2, 3], "dip": [1, 3, 2.5, 4],
    "one": [1], "empty": [], "holes": [3, None, 1], "words": ["a", "b"], "truth": [True, False], "nan": [3, NAN, 1],
    "near": [10, 10.5, 9.6], "far": [10, 12], "zeros": [0, 0.0], "below": [-10, -10.5],
    "gappy": [3, UNKNOWN, 1], "said_nan": [3, "NaN", 1], "said_inf": [3, " -Inf"], "settles": [9, 5, 4, 4.02, 4.01, 4.0, 4],
    "from_zero": [1, 0, 0.5], "rate": 0.6, "sure": 1, "count().rate": 600, "count().sure": 50, "count().n": 0,
    "plateau": [3, 3, 2], "returns": [3, 1, 3], "n": 5, "word": "down", "obj": {"a": 1},
}  # fmt: skip


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("abs(-0.5)", 0.5), ("abs(0.5)", 0.5), ("abs(-7)", 7), ("abs(word)", U), ("abs(down)", U), ("abs(true)", U),
        ("min(down)", 1), ("min(3, 1, 2)", 1), ("min(0.1, n)", 0.1), ("min(empty)", U), ("min(holes)", U),
        ("min(n)", U), ("min(words)", U), ("min(word, word)", U), ("min(truth)", U), ("min(nan)", U), ("min(one)", 1),
        ("min(down, 1)", U), ("max(down)", 3), ("max(3, 1, 2)", 3), ("max(missing, 1)", U), ("max(obj)", U),
        ("len(down)", 3), ("len(empty)", 0), ("len(word)", 4), ("len(obj)", 1), ("len(n)", U), ("len(true)", U),
        ('len("é😀")', 2), ("len(missing)", U), ("len(holes)", 3),
        ("close(1, 1)", T), ("close(1, 1.0000000005)", T), ("close(1, 1.00000001)", F), ("close(1, 1.1, tolerance=0.1)", T),
        ("close(1, 1.11, tolerance=0.1)", F), ("close(0.3, 0.1 + 0.2, tolerance=0)", T), ("close(1, word)", U),
        ("close(1, 1, tolerance=word)", U), ("close(1, 1, tolerance=missing)", U), ("close(1, 1, tolerance=-1)", F),
        ("known(n)", T), ("known(missing)", F), ("known(empty)", T), ("not known(missing)", T), ("known(1 / 0)", F),
        ("known(missing.deeper)", F), ("known(word)", T), ("known(n > missing)", F),
        ("first(missing, n, 1)", 5), ("first(missing)", U), ("first(1 / 0, 2)", 2), ("first(word, n) == 'down'", T),
        ("achieved(true)", T), ("achieved(false)", F), ('achieved("achieved")', T), ('achieved(" Achieved ")', T),
        ('achieved("not achieved")', F), ('achieved("")', F), ("achieved(1)", T), ("achieved(1.0)", T),
        ("achieved(0.999)", F), ("achieved(-1)", F), ("achieved(up)", U), ("achieved(obj)", U), ("achieved(missing)", U),
        ("decreasing(down)", T), ("decreasing(plateau)", T), ("decreasing(flat)", F), ("decreasing(bump)", F),
        ("decreasing(bump, tolerance=0.5)", T), ("decreasing(bump, tolerance=0.49)", F), ("decreasing(up)", F),
        ("decreasing(returns, tolerance=9)", F), ("decreasing(up, tolerance=9)", F),
        ("decreasing(one)", U), ("decreasing(empty)", U), ("decreasing(holes)", U), ("decreasing(words)", U),
        ("decreasing(truth)", U), ("decreasing(nan)", U), ("decreasing(n)", U), ("decreasing(word)", U),
        ("decreasing(down, tolerance=word)", U), ("decreasing([3, 2, 1])", T), ("decreasing([3, missing, 1])", U),
        ("increasing(up)", T), ("increasing([1, 1, 2])", T), ("increasing(flat)", F), ("increasing(dip)", F),
        ("increasing(dip, tolerance=0.5)", T), ("increasing(down)", F), ("increasing(one)", U), ("increasing(empty)", U),
        ("increasing(holes)", U), ("increasing(word)", U),
        ("stable(near)", T), ("stable(far)", F), ("stable(far, tolerance=0.2)", T), ("stable(flat)", T),
        ("stable(flat, tolerance=0)", T), ("stable(near, tolerance=0)", F), ("stable(zeros)", T), ("stable(below)", T),
        ("stable(one)", U), ("stable(empty)", U), ("stable(holes)", U), ("stable(n)", U), ("stable(true)", U),
        ('stable("stable")', T), ('stable(" STABLE")', T), ('stable("unstable")', F), ("stable(words)", U),
        ("decreasing(bump, bumps=1)", T), ("decreasing(bump, bumps=0)", F), ("decreasing([4, 5, 3, 4, 2], bumps=1)", F),
        ("decreasing([4, 5, 3, 4, 2], bumps=2)", T), ("decreasing([4, 5, 3, 3.1, 2], bumps=1, tolerance=0.1)", T),
        ("decreasing(returns, bumps=9)", F), ("decreasing(bump, bumps=1.5)", U), ("decreasing(bump, bumps=-1)", U),
        ("decreasing(bump, bumps=true)", U), ("increasing(dip, bumps=1)", T), ("increasing(dip, bumps=missing)", U),
        ("stable(settles, last=4)", T), ("stable(settles)", F), ("stable(settles, last=4, tolerance=0.001)", F),
        ("stable(settles, last=8)", U), ("stable(settles, last=1)", U), ("stable(settles, last=0.5)", U),
        ("converged(settles, last=4)", T), ("converged(settles)", F), ("converged(settles, last=4, tolerance=0.001)", F),
        ("converged(settles, last=7)", U), ("converged(settles, last=0)", U), ("converged(zeros, last=1)", T),
        ("converged(from_zero, last=1)", U), ("converged(from_zero, last=2)", U), ("converged(holes)", U), ("converged(n)", U),
        ("converged(empty)", U), ("converged(words)", U), ("converged(flat, last=2, tolerance=0)", T),
        ("no_nan(down)", T), ("no_nan(holes)", F), ("no_nan(said_nan)", F), ("no_nan(said_inf)", F), ("no_nan(gappy)", U),
        ("no_nan(words)", U), ("no_nan(truth)", U), ("no_nan(nan)", U), ("no_nan(empty)", U), ("no_nan(n)", T), ("no_nan(word)", U),
        ("no_nan(missing)", U), ("no_nan(obj)", U),
        ("last(down)", 1), ("last(empty)", U), ("last(n)", U), ("last(holes)", U), ("mean(up)", 2), ("mean(1, 2)", 1.5),
        ("mean(empty)", U), ("mean(word)", U), ("change(5, 3)", 2), ("change(word, 3)", U), ("change(0.3, 0.1) == 0.2", T),
        ("relative_change(1.1, 1) == 0.1", T), ("relative_change(-1, -2) == 0.5", T), ("relative_change(1, 0)", U),
        ("relative_change(1, missing)", U), ("count(rate)", 600), ("count(missing)", U),
        ("standard_error(rate) == 0.02", T), ("standard_error(0.6, 600) == 0.02", T), ("standard_error(rate, 0)", U),
        ("standard_error(rate, 600.0)", U), ("standard_error(n)", U), ("standard_error(word, 3)", U), ("standard_error(1.5, 3)", U),
        # At the ends half an example stands in: sqrt(0.01 * 0.99 / 50).
        ("close(standard_error(sure), 0.0140712472, tolerance=1e-10)", T), ("standard_error(0, 50) == standard_error(sure)", T),
        ("lookup(up, 2, down)", 2.5), ("lookup(up, 2.0, down)", 2.5), ("lookup(up, 9, down)", U),
        ("lookup(up, 1, far)", U), ("lookup(flat, 2, up)", 3), ("lookup(words, 'b', far)", 12), ("lookup(n, 1, up)", U),
        ("lookup(words, 1, far)", U), ("lookup(up, missing, down)", U), ("lookup(empty, 1, empty)", U),
    ],
)  # fmt: skip
def test_a_function_gives(text: str, wanted: Any) -> None:
    found = value(text, **ARGUMENTS)
    if wanted is UNKNOWN or isinstance(wanted, bool):
        assert found is wanted
    else:
        assert found == (Decimal(str(wanted)) if isinstance(found, Decimal) else wanted)
        assert type(found) is not bool


@pytest.mark.parametrize(
    "text", ["abs(u)", "lookup(l, u, l)", "close(1, 1, tolerance=u)", "stable(l, tolerance=1, last=u)"]
)
def test_a_function_is_not_even_asked_where_a_value_is_missing(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, function in FUNCTIONS.items():
        monkeypatch.setitem(FUNCTIONS, name, function._replace(call=lambda _args, _options: True))
    assert value(text, l=[1, 2]) is UNKNOWN
    assert value(text, l=[1, 2], u=1) is True


@pytest.mark.parametrize(
    "text, why",
    [
        ("decreasing(bump, tolerance=n)", ""),
        ("decreasing(bump, tolerance=rate - 0.2, bumps=sure)", "it rises at value 3: 2 → 2.5"),
        ("stable(far)", "2 values from 10 to 12 spread by 0.166667 of the largest"),
        ("abs(rate)", ""),
    ],
)
def test_a_function_says_what_decided(text: str, why: str) -> None:
    node = parse(text)
    assert isinstance(node, Call)
    assert node.why(looking(ARGUMENTS)) == why


def test_every_function_is_tried_and_described() -> None:
    tried = {case.partition("(")[0] for case in _texts_of(test_a_function_gives)}
    assert set(FUNCTIONS) <= tried | {"increasing"}
    for name, function in FUNCTIONS.items():
        assert function.usage.startswith(f"{name}("), name
        assert function.summary, name
        for option in function.options:
            assert f"{option}=" in function.usage, name
    assert all(FUNCTIONS[name].least == FUNCTIONS[name].most == 1 for name in STATES)


def _texts_of(function: Any) -> list[str]:
    return [case[0] for case in function.pytestmark[0].args[1]]


# --- tests of one name ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, met, missed",
    [
        ("> 0.55", [0.56, 1], [0.55, 0.5]),
        (">0.55", [0.56], [0.55]),
        (" >= 0.55 ", [0.55], [0.5499]),
        ("< 1.0", [0.99, -5], [1, 1.0]),
        ("<= 1", [1.0], [1.001]),
        ("== true", [True], [False]),
        ("!= 'failed'", ["done"], ["failed"]),
        ("== 3", [3, 3.0], [4]),
        ("0.2 .. 0.4", [0.2, 0.3, 0.4], [0.199, 0.401]),
        ("  -1  ..  1 + 1  ", [-1, 2], [-1.1, 2.1]),
        ("> best", [0.6], [0.5, 0.4]),
        ("> best + 0.05", [0.551], [0.55]),
        ("best - 0.1 .. best", [0.4, 0.5], [0.39, 0.51]),
        (">= best.m", [0.5], [0.4]),
        ("> max(best, 0.7)", [0.8], [0.7, 0.6]),
        ("achieved", [True, "achieved", 1], [False, "no", 0.5]),
        ("stable ", ["stable", [1, 1]], ["no", [1, 2]]),
        ("decreasing", [[2, 1]], [[1, 2]]),
        ("increasing", [[1, 2]], [[2, 1]]),
        ("m > 0.5 and m < 0.9", [0.6], [0.5, 0.9]),
        ("m > best", [0.6], [0.5]),
    ],
)
def test_a_short_test_asks_of_its_own_name(text: str, met: list[Any], missed: list[Any]) -> None:
    env = {"best.m": 0.5, "best": 99}
    assert [judged(text, m=m, **env) for m in met] == [True] * len(met)
    assert [judged(text, m=m, **env) for m in missed] == [False] * len(missed)
    for unknown in (None, {}, NAN):
        assert judged(text, m=unknown, **env) is UNKNOWN


def test_a_bare_reference_stands_for_its_own_measure_only_where_it_stands_alone() -> None:
    node = parse("best > 1 and best.other > 2 and best['x'] > 3", {"best": ("best", "m")})
    assert list(node.paths()) == [("best", "m"), ("best", "other"), ("best", "x")]


@pytest.mark.parametrize(
    "text, message, column",
    [
        ("> ", "a value is expected, the end found", 3),
        (">", "a value is expected, the end found", 2),
        ("> > 1", "a value is expected, '>' found", 3),
        ("=> 1", "a value is expected, '=' found", 1),
        (" >= q(1)", "unknown function 'q'", 5),
        ("0.2 .. q(1)", "unknown function 'q'", 8),
        ("q(1) .. 0.2", "unknown function 'q'", 1),
        ("> 0.5 and x", "a test has one threshold", 2),
        ("> 0.5 < 0.7", "a test has one threshold", 2),
        ("> not x", "a test has one threshold", 2),
        (".. 0.4", "a value is expected, '.' found", 1),
        ("0.2 .. 0.4 .. 0.6", "'.' is not expected here", 12),
        (f"> {'1' * 999}", "expression is longer than 1000 characters", 1),
    ],
)
def test_a_mistake_in_a_short_test_has_its_column_in_the_whole_text(
    text: str, message: str, column: int
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_test(text, ("m",), {})
    assert (str(caught.value), caught.value.column) == (message, column)


def test_dots_inside_a_string_make_no_range() -> None:
    assert judged('m == "a .. b"', m="a .. b") is True


# --- margins ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, margin",
    [
        ("a > 0.5", "-0.065"),
        ("a >= 0.435", "0.000"),
        ("a < 0.5", "0.065"),
        ("0.5 > a", "0.065"),
        ("0.5 < a", "-0.065"),
        ("0.2 <= a < 0.5", "0.065"),
        ("0.4 <= a < 0.9", "0.035"),
        ("a > 0.5 and a < 2", "-0.065"),
        ("a > 0.5 or a < 0.3", "-0.065"),
        ("a > 0.5 or b > 1", "1"),
        ("a + 0.1 > b / 4", "0.035"),
        ("a > -a", "0.870"),
        ("a == 0.435", None),
        ("a != 1", None),
        ("a > 0.4 and a == 1", None),
        ("a > 0.4 or s == 'x'", None),
        ("a > missing", None),
        ("a > 0.1 and missing > 1", None),
        ("s > 'a'", None),
        ("not a > 0.5", None),
        ("a in [1]", None),
        ("decreasing(l)", None),
        ("a", None),
        ("a > 0.4 == true", None),
    ],
)
def test_a_margin_is_the_signed_distance_to_the_threshold(text: str, margin: str | None) -> None:
    found = parse(text).margin(looking({"a": 0.435, "b": 2, "s": "x", "l": [2, 1]}))
    assert found == (None if margin is None else Decimal(margin))


NUMBERS = st.integers(-20, 20) | st.floats(-5, 5).map(lambda number: round(number, 3))


@settings(deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(["and", "or"]))
def test_the_sign_of_the_margin_is_the_verdict(a: Any, b: Any, c: Any, operator: str, word: str) -> None:
    node = parse(f"x {operator} y {word} x {operator} z")
    lookup = looking({"x": a, "y": b, "z": c})
    margin, met = node.margin(lookup), node.value(lookup)
    assert margin is not None
    assert met is (margin >= 0 if "=" in operator else margin > 0)


# --- against Python itself ----------------------------------------------------------------------

ENV: dict[str, Any] = {
    "n0": 3, "n1": -0.25, "n2": 0.1, "n3": 12, "s0": "ab", "s1": "", "b0": True, "b1": False,
    "l0": [1, 2.5, -3], "l1": ["ab", "c"],
}  # fmt: skip

Both_ = tuple[str, str]
"""The text in our language and in Python's, where numbers are decimals."""


def _same(*words: str) -> st.SearchStrategy[Both_]:
    return st.sampled_from(words).map(lambda word: (word, word))


def _literal(number: str) -> Both_:
    return number, f"D('{number}')"


def _join(*parts: Both_ | str) -> Both_:
    ours = "".join(part if isinstance(part, str) else part[0] for part in parts)
    theirs = "".join(part if isinstance(part, str) else part[1] for part in parts)
    return ours, theirs


def _numbers() -> st.SearchStrategy[Both_]:
    atom = (
        _same("n0", "n1", "n2", "n3", "max(l0)", "min(l0)", "len(s0)", "len(l1)")
        | st.sampled_from(["0", "1", "2", "10", "0.1", "0.25", "1e2", "2.50", ".5", "7"]).map(_literal)
    )  # fmt: skip
    divisor = st.sampled_from(["2", "4", "0.5", "10"]).map(_literal)

    def grow(inner: st.SearchStrategy[Both_]) -> st.SearchStrategy[Both_]:
        return st.one_of(
            st.builds(lambda a, op, b: _join(a, f" {op} ", b), inner, st.sampled_from("+-*"), inner),
            st.builds(lambda a, b: _join(a, " / ", b), inner, divisor),
            st.builds(lambda a: _join("(", a, ")"), inner),
            st.builds(lambda a: _join("abs(", a, ")"), inner),
            st.builds(lambda a, b: _join("max(", a, ", ", b, ")"), inner, inner),
            st.builds(lambda a: _join("(-", a, ")"), inner),
        )

    return st.recursive(atom, grow, max_leaves=5)


def _truths() -> st.SearchStrategy[Both_]:
    numbers = _numbers()
    compare = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    strings = _same("s0", "s1", '"ab"', "'b'", "''")
    atom = st.one_of(
        _same("b0", "b1"),
        st.sampled_from([("true", "True"), ("false", "False")]),
        st.builds(lambda a, op, b: _join(a, f" {op} ", b), numbers, compare, numbers),
        st.builds(
            lambda a, o, b, p, c: _join(a, f" {o} ", b, f" {p} ", c),
            numbers,
            compare,
            numbers,
            compare,
            numbers,
        ),
        st.builds(lambda a, op, b: _join(a, f" {op} ", b), strings, compare, strings),
        st.builds(lambda a, w, b: _join(a, f" {w} ", b), strings, st.sampled_from(["in", "not in"]), strings),
        st.builds(lambda a, w: _join(a, f" {w} l0"), numbers, st.sampled_from(["in", "not in"])),
        st.builds(lambda a, w: _join(a, f" {w} l1"), strings, st.sampled_from(["in", "not in"])),
    )

    def grow(inner: st.SearchStrategy[Both_]) -> st.SearchStrategy[Both_]:
        return st.one_of(
            st.builds(lambda a, w, b: _join(a, f" {w} ", b), inner, st.sampled_from(["and", "or"]), inner),
            st.builds(lambda a: _join("not ", a), inner),
            st.builds(lambda a: _join("(", a, ")"), inner),
            st.builds(lambda a, b: _join("(", a, ") == (", b, ")"), inner, inner),
            st.builds(lambda a, b: _join("(", a, ") != (", b, ")"), inner, inner),
        )

    return st.recursive(atom, grow, max_leaves=6)


def _decimal(inner: Any) -> Any:
    if isinstance(inner, list):
        return [_decimal(item) for item in inner]
    return Decimal(repr(inner)) if type(inner) in (int, float) else inner


SPACE = {"D": Decimal, "abs": abs, "min": min, "max": max, "len": len, "__builtins__": {}}


@settings(max_examples=300, deadline=None)
@given(_truths() | _numbers())
def test_it_agrees_with_python_where_everything_is_there(both: Both_) -> None:
    ours, theirs = both
    if len(ours) > MAX_LENGTH:
        return
    with localcontext(Context(prec=34)):
        wanted = eval(theirs, {**SPACE, **{name: _decimal(inner) for name, inner in ENV.items()}})
    found = value(ours, **ENV)
    assert _decimal(found) == _decimal(wanted)
    assert isinstance(found, bool) is isinstance(wanted, bool)


# --- laws over random expressions and random runs -------------------------------------------------

LEAVES = st.sampled_from(
    ["a", "b", "c", "d.e", "1", "0", "0.5", "2", "'x'", "true", "false", "[1, 'x']", "[a, b]"]
)


def _wild(functions: list[str]) -> st.SearchStrategy[str]:
    operators = ["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "in", "not in", "and", "or"]

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds(lambda x, op, y: f"({x}) {op} ({y})", inner, st.sampled_from(operators), inner),
            st.builds(lambda x, y, z: f"({x}) < ({y}) <= ({z})", inner, inner, inner),
            st.builds(lambda x: f"not ({x})", inner),
            st.builds(lambda x: f"-({x})", inner),
            st.builds(lambda name, x: f"{name}({x})", st.sampled_from(functions), inner),
            st.builds(lambda x, y: f"close({x}, {y}, tolerance={x})", inner, inner),
            st.builds(lambda x, y, z: f"lookup({x}, {y}, {z})", inner, inner, inner),
            st.builds(lambda x, y: f"max({x}, {y})", inner, inner),
            st.builds(lambda x, y: f"relative_change({x}, {y})", inner, inner),
            st.builds(lambda x, y: f"standard_error({x}, {y})", inner, inner),
            st.builds(lambda x, y, z: f"stable({x}, tolerance={y}, last={z})", inner, inner, inner),
            st.builds(lambda x, y, z: f"converged({x}, tolerance={y}, last={z})", inner, inner, inner),
            st.builds(lambda x, y, z: f"decreasing({x}, tolerance={y}, bumps={z})", inner, inner, inner),
        )

    return st.recursive(LEAVES, grow, max_leaves=8).filter(lambda text: len(text) <= MAX_LENGTH)


ONE_ARGUMENT = [
    "abs",
    "min",
    "max",
    "mean",
    "last",
    "achieved",
    "decreasing",
    "increasing",
    "stable",
    "converged",
]
JSON = st.recursive(
    st.sampled_from(
        [None, True, False, 0, 1, -1, 2, 0.5, 1e308, 5e-324, 10**400, "x", "achieved", "", NAN, INF]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)
RUNS = st.fixed_dictionaries(dict.fromkeys(("a", "b", "c", "d.e"), JSON))


@settings(max_examples=300, deadline=None)
@given(_wild([*ONE_ARGUMENT, "known", "first", "len"]), RUNS)
def test_nothing_raises(text: str, run: dict[str, Any]) -> None:
    node = parse(text)
    lookup = looking(run)
    assert node.value(lookup) is not None
    margin = node.margin(lookup)
    assert margin is None or isinstance(margin, Decimal)
    assert set(node.paths()) <= {("a",), ("b",), ("c",), ("d", "e")}


@settings(max_examples=400, deadline=None)
@given(_wild(ONE_ARGUMENT), RUNS, st.sampled_from(["a", "b", "c", "d.e"]))
def test_taking_a_value_away_never_decides_anything(text: str, run: dict[str, Any], name: str) -> None:
    # Kleene's order: what is decided without a value stays as it is with any value. known() and first() ask for
    # what is missing, so they are left out.
    node = parse(text)
    without = node.value(looking({**run, name: None}))
    if without is not UNKNOWN:
        assert repr(node.value(looking(run))) == repr(without)


@settings(max_examples=300, deadline=None)
@given(
    _wild(ONE_ARGUMENT).filter(lambda text: "in" not in text),
    RUNS,
    st.sampled_from(["a", "b", "c", "d.e"]),
    st.sampled_from([NAN, INF, {}, {"x": 1}]),
)
@example("stable('stable', tolerance=a)", {}, "a", NAN)
@example("stable('x', last=a)", {}, "a", NAN)
def test_what_is_no_value_counts_as_missing(text: str, run: dict[str, Any], name: str, odd: Any) -> None:
    node = parse(text)
    found = node.value(looking({**run, name: odd}))
    missing = node.value(looking({**run, name: None}))
    if found is True or found is False:
        assert found is missing


# --- limits -----------------------------------------------------------------------------------


def whole(text: str, **env: Any) -> tuple[Any, Node]:
    """Parse at the limit, and touch everything that walks the tree."""
    assert len(text) <= MAX_LENGTH
    node = parse(text)
    lookup = looking(env)
    node.margin(lookup)
    list(node.paths())
    return node.value(lookup), node


def test_the_longest_chains_are_evaluated() -> None:
    assert whole("+".join(["1"] * 500))[0] == 500
    assert whole("-".join(["a"] * 500), a=1)[0] == -498
    assert whole("*".join(["1"] * 500))[0] == 1
    assert whole("/".join(["1"] * 500))[0] == 1
    assert whole("+".join(["1"] * 499) + ">1")[0] is True
    assert whole("<=".join(["1"] * 333))[0] is True
    assert whole(" or ".join(["a"] * 200), a=False)[0] is False
    assert whole(" and ".join(["a"] * 166), a=True)[0] is True
    assert whole("-" * 999 + "a", a=1)[0] == -1
    assert whole("+" * 999 + "1")[0] == 1
    assert whole("- " * 499 + "1")[0] == -1
    assert whole("a" + ".b" * 499)[0] is UNKNOWN
    assert whole("1 in [" + ",".join(["0"] * 490) + ",1]")[0] is True


@pytest.mark.parametrize("count", [1, 2, 3, 247, 248])
@pytest.mark.parametrize("given_, wanted", [(True, True), (False, False), (None, UNKNOWN), (5, UNKNOWN)])
def test_any_number_of_nots_is_one_or_none(count: int, given_: Any, wanted: Any) -> None:
    found = whole("not " * count + "a", a=given_)[0]
    assert found is (not wanted if count % 2 and wanted is not UNKNOWN else wanted)


def test_nesting_up_to_the_limit_is_evaluated() -> None:
    assert whole("(" * 31 + "1" + ")" * 31)[0] == 1
    assert whole("abs(" * 31 + "-1" + ")" * 31)[0] == 1
    assert whole("-(" * 31 + "1" + ")" * 31)[0] == -1
    assert whole("not (" * 31 + "a" + ")" * 31, a=True)[0] is False
    assert whole("first(" * 31 + "a" + ",2)" * 31)[0] == 2


@pytest.mark.parametrize("text", ["(" * 1000, "(" * 500 + ")" * 500, "[" * 1000, "abs(" * 250, "-(" * 500, "not(" * 250,
                                  "a[" * 500, "a.b(" * 250, "first(1," * 125])  # fmt: skip
def test_nesting_beyond_the_limit_is_refused_not_a_crash(text: str) -> None:
    assert refusal(text).column <= len(text) + 1


def test_a_thousand_characters_pass_and_one_more_does_not() -> None:
    assert whole("a" * 1000, **{"a" * 1000: 3})[0] == 3
    assert "longer than 1000" in str(refusal("a" * 1001))


# --- the same through the command -----------------------------------------------------------------


@pytest.mark.parametrize(
    "test, outcome, margin",
    [
        ("> 0.6", "met", 0.01),
        ("> 0.61", "missed", 0.0),
        (">= 0.61", "met", 0.0),
        (">= 0.55 + 0.06", "met", 0.0),
        ("0.2 .. 0.4", "missed", -0.21),
        ("> 0 / 0", "unknown", None),
        ("> hits_at_10", "unknown", None),
        ("== 'good'", "unknown", None),
        ("+".join(["0"] * 490) + "< accuracy", "met", 0.61),
    ],
)
def test_a_rule_judges_a_logged_run(tmp_path: Path, test: str, outcome: str, margin: float | None) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    text = f"experiment_type: mine\ncriteria:\n  accuracy: {json.dumps(test)}\n"
    repo.write("rules/mine.yaml", text)
    repo.write("training_log.jsonl", [edited(a_run(), experiment_type="mine")])
    result = repo.check("--all")
    found = next(v for v in result.json["verdicts"] if v["criterion"] == "accuracy")
    assert (found["outcome"], found["margin"]) == (outcome, margin)
    assert result.code == 0


def test_a_series_is_asked_for_with_its_gaps_by_what_looks_for_them_alone() -> None:
    asked = []

    def lookup(path: tuple[str, ...], gaps: bool = False, /) -> Any:
        asked.append((path, gaps))
        return UNKNOWN

    for text in ("known(s)", "no_nan(s)", "len(s) > 0"):
        parse(text).value(lookup)
    assert asked == [(("s",), False), (("s",), True), (("s",), False)]
