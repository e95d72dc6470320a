"""Sets of values, as far as a schema tells them: ranges of numbers, texts, truth values, lists.

A set is never smaller than what it stands for, so that what it rules out is ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from nsm_gate.nouns import Final, dataclass, replace
from nsm_gate.values import Value, decimal, is_number

INFINITY: Final = Decimal("Infinity")
_MOST: Final = 32
"""How many ranges a set of numbers keeps apart."""


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers between two ends.

    Attributes:
        low_in: Whether the lower end belongs to it.
        high_in: Whether the upper end belongs to it.
        whole: Whether only whole numbers do.
    """

    low: Decimal = -INFINITY
    high: Decimal = INFINITY
    low_in: bool = True
    high_in: bool = True
    whole: bool = False

    def tidy(self) -> Range | None:
        """Return the same numbers with whole ends where only whole ones count; None where there are none."""
        low, high, low_in, high_in = self.low, self.high, self.low_in, self.high_in
        if self.whole:
            if low.is_finite():
                up = low.to_integral_value("ROUND_CEILING")
                low, low_in = up + (up == low and not low_in), True
            if high.is_finite():
                down = high.to_integral_value("ROUND_FLOOR")
                high, high_in = down - (down == high and not high_in), True
        if low > high or (low == high and not (low_in and high_in)):
            return None
        return Range(low, high, low_in, high_in, self.whole)

    def meet(self, other: Range) -> Range | None:
        """Return the numbers of both; None where there are none."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Range(
            low,
            high,
            all(r.low_in for r in (self, other) if r.low == low),
            all(r.high_in for r in (self, other) if r.high == high),
            self.whole or other.whole,
        ).tidy()


def only(number: Decimal) -> Range:
    """Return the range of one number."""
    return Range(number, number)


def hull(ranges: Iterable[Range]) -> Range:
    """Return one range that holds several."""
    several = list(ranges)
    low, high = min(r.low for r in several), max(r.high for r in several)
    return Range(
        low,
        high,
        any(r.low_in for r in several if r.low == low),
        any(r.high_in for r in several if r.high == high),
        all(r.whole for r in several),
    )


@dataclass(frozen=True, slots=True)
class Values:
    """What may stand at a place.

    Attributes:
        numbers: The numbers, in ranges.
        texts: The texts; None for any.
        flags: The truth values.
        items: What a list may hold; None where no list may stand there.
        objects: Whether an object may.
        missing: Whether there may be no value: absent, null, or refused by the schema.
    """

    numbers: tuple[Range, ...] = ()
    texts: frozenset[str] | None = frozenset()
    flags: frozenset[bool] = frozenset()
    items: Values | None = None
    objects: bool = False
    missing: bool = False

    @property
    def known(self) -> bool:
        """Return whether any value may stand there."""
        return bool(self.numbers or self.texts is None or self.texts or self.flags or self.objects) or (
            self.items is not None
        )

    def join(self, other: Values) -> Values:
        """Return the values of either."""
        numbers = tuple(dict.fromkeys((*self.numbers, *other.numbers)))
        texts = None if self.texts is None or other.texts is None else self.texts | other.texts
        lists = [v.items for v in (self, other) if v.items is not None]
        return Values(
            numbers if len(numbers) <= _MOST else (hull(numbers),),
            texts,
            self.flags | other.flags,
            lists[0].join(lists[1]) if len(lists) == 2 else lists[0] if lists else None,
            self.objects or other.objects,
            self.missing or other.missing,
        )

    def meet(self, other: Values) -> Values:
        """Return the values of both."""
        found = (one.meet(two) for one in self.numbers for two in other.numbers)
        numbers = tuple(dict.fromkeys(r for r in found if r is not None))
        texts = other.texts if self.texts is None else self.texts
        if self.texts is not None and other.texts is not None:
            texts = self.texts & other.texts
        items = None
        if self.items is not None and other.items is not None:
            items = self.items.meet(other.items)
        return Values(
            numbers if len(numbers) <= _MOST else (hull(numbers),),
            texts,
            self.flags & other.flags,
            items,
            self.objects and other.objects,
            self.missing and other.missing,
        )

    def without(self, other: Values) -> Values:
        """Return the values that may differ from one of another set's: only a lone value is taken out."""
        numbers = self.numbers
        if len(other.numbers) == 1 and other.numbers[0].low == other.numbers[0].high:
            numbers = tuple(piece for r in numbers for piece in _around(r, other.numbers[0].low))
        texts = self.texts
        if texts is not None and other.texts is not None and len(other.texts) == 1:
            texts = texts - other.texts
        flags = self.flags - other.flags if len(other.flags) == 1 else self.flags
        return replace(self, numbers=numbers, texts=texts, flags=flags)

    def alike(self, other: Values) -> Values:
        """Return the values that another's can be compared with: numbers with numbers, texts with texts."""
        return Values(
            self.numbers if other.numbers else (),
            self.texts if other.texts is None or other.texts else frozenset(),
            self.flags if other.flags else frozenset(),
        )


def _around(ranged: Range, number: Decimal) -> Iterable[Range]:
    below = ranged.meet(Range(high=number, high_in=False))
    above = ranged.meet(Range(low=number, low_in=False))
    return [piece for piece in (below, above) if piece is not None]


NUMBER: Final = Values(numbers=(Range(),))
TEXT: Final = Values(texts=None)
TRUTH: Final = Values(flags=frozenset((True, False)))
MISSING: Final = Values(missing=True)
_SCALAR: Final = Values((Range(),), None, frozenset((True, False)), None, True, True)
ANYTHING: Final = replace(_SCALAR, items=replace(_SCALAR, items=_SCALAR))


def lone(value: Value) -> Values:
    """Return the set of one value of JSON or of the rule language."""
    if value is None:
        return MISSING
    if type(value) is bool:
        return Values(flags=frozenset((value,)))
    if is_number(value):
        return Values(numbers=(only(decimal(value)),))
    if type(value) is str:
        return Values(texts=frozenset((value,)))
    if type(value) is list:
        items = Values()
        for item in value:
            items = items.join(lone(item))
        return Values(items=items)
    return Values(objects=True) if type(value) is dict else ANYTHING


def described(values: Values) -> str:
    """Say what a set of values is, where a schema bounds it: `between 0 and 1`; else nothing."""
    if values.items is not None or values.objects:
        return ""
    if values.numbers and values.texts == frozenset() and not values.flags:
        return _span(values.numbers)
    words = [*(f"{text!r}" for text in sorted(values.texts or ())), *(str(f).lower() for f in values.flags)]
    if values.texts is not None and words and not values.numbers:
        return " or ".join(sorted(words)[:8]) if len(words) <= 8 else ""
    return "text" if values.texts is None and not values.numbers and not values.flags else ""


def _span(numbers: tuple[Range, ...]) -> str:
    if all(r.low == r.high for r in numbers):
        return " or ".join(f"{r.low:f}" for r in sorted(numbers, key=lambda r: r.low))
    whole = hull(numbers)
    low = f"{'at least' if whole.low_in else 'above'} {whole.low:f}" if whole.low.is_finite() else ""
    high = f"{'at most' if whole.high_in else 'below'} {whole.high:f}" if whole.high.is_finite() else ""
    return " and ".join(part for part in (low, high) if part) or "a number"
